//! The chain of a device's entries: each carries its number, the hash of the one before and its own. Whoever changes,
//! drops or moves one has to change all that follow, and the last of them is written down elsewhere too. Pure; what
//! checks a file is [`super::verify`].

use ring::digest::{Context, SHA256};

use crate::model::ChainHead;

/// Where the chain begins in a line; what stands before it is what the hash covers.
const MARK: &str = r#","chain":{"seq":"#;
/// What the first entry follows.
const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A chain that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    next: u64,
    last: String,
}

/// The end of a line, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link<'a> {
    /// The number of the entry.
    pub seq: u64,
    /// The hash of the one before.
    pub prev: &'a str,
    /// The hash that the entry says is its own.
    pub hash: &'a str,
    body: &'a str,
}

impl Default for Chain {
    /// Before its first entry.
    fn default() -> Self {
        Self { next: 0, last: NOTHING.to_owned() }
    }
}

impl Chain {
    /// The one that goes on after an entry.
    pub fn after(head: ChainHead) -> Self {
        Self { next: head.seq.saturating_add(1), last: head.hash }
    }

    /// The last entry, if there is one.
    pub fn head(&self) -> Option<ChainHead> {
        let seq = self.next.checked_sub(1)?;
        Some(ChainHead { seq, hash: self.last.clone() })
    }

    /// Makes a line of an entry: a JSON object, to which its place in the chain is added as the last member.
    pub fn seal(&mut self, entry: &str) -> String {
        let body = entry.strip_suffix('}').unwrap_or(entry);
        let hash = hash(&self.last, self.next, body);
        let (seq, prev) = (self.next, &self.last);
        let line = format!("{body}{MARK}{seq},\"prev\":\"{prev}\",\"hash\":\"{hash}\"}}}}\n");
        *self = Self::after(ChainHead { seq, hash });
        line
    }
}

impl<'a> Link<'a> {
    /// What a line says of its place; `None` for one that is no whole entry.
    pub fn read(line: &'a str) -> Option<Self> {
        let (body, chain) = line.trim_end_matches('\n').rsplit_once(MARK)?;
        let (seq, rest) = chain.split_once(r#","prev":""#)?;
        let (prev, rest) = rest.split_once(r#"","hash":""#)?;
        let hash = rest.strip_suffix("\"}}")?;
        let is_hash = |text: &str| text.len() == NOTHING.len() && text.bytes().all(is_hex);
        if !is_hash(prev) || !is_hash(hash) {
            return None;
        }
        Some(Self { seq: seq.parse().ok()?, prev, hash, body })
    }

    /// Whether the entry is as it was written.
    pub fn is_whole(&self) -> bool {
        hash(self.prev, self.seq, self.body) == self.hash
    }

    /// The entry as a head.
    pub fn head(&self) -> ChainHead {
        ChainHead { seq: self.seq, hash: self.hash.to_owned() }
    }
}

fn is_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// Over the hash before, the number and the entry; the first two have no line breaks in them.
fn hash(prev: &str, seq: u64, body: &str) -> String {
    let mut context = Context::new(&SHA256);
    context.update(format!("leasehold audit 1\n{prev}\n{seq}\n").as_bytes());
    context.update(body.as_bytes());
    let bytes = context.finish();
    let digits = bytes.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_where_it_stands_and_stays_json() {
        let mut chain = Chain::default();
        assert_eq!(chain.head(), None);
        let first = chain.seal(r#"{"type":"request"}"#);
        let second = chain.seal(r#"{"type":"response"}"#);
        let value: serde_json::Value = serde_json::from_str(&first).unwrap();
        assert_eq!((&value["type"], &value["chain"]["seq"]), (&"request".into(), &0.into()));
        let (first, second) = (Link::read(&first).unwrap(), Link::read(&second).unwrap());
        assert!(first.is_whole() && second.is_whole());
        assert_eq!((second.seq, second.prev), (1, first.hash));
        assert_eq!(chain.head(), Some(second.head()));
        assert_eq!(Chain::after(second.head()), chain);
    }

    #[test]
    fn any_change_shows() {
        let line = Chain::default().seal(r#"{"path":"aws/creds/r"}"#);
        for (from, to) in [("creds", "sts"), ("\"seq\":0", "\"seq\":1"), ("0000", "0001")] {
            let changed = line.replacen(from, to, 1);
            assert!(!Link::read(&changed).unwrap().is_whole(), "{changed}");
        }
        let half: String = line.chars().take(line.len() - 5).collect();
        for broken in ["", "{}", "x", &half, &line.replace("prev", "last")] {
            assert_eq!(Link::read(broken), None, "{broken}");
        }
    }

    #[test]
    fn what_an_entry_holds_cannot_pass_for_its_link() {
        let forged = format!(r#"{{"path":"x{MARK}9,\"prev\":\"{NOTHING}\""}}"#);
        let sealed = Chain::default().seal(&forged);
        let link = Link::read(&sealed).unwrap();
        assert_eq!(link.seq, 0);
        assert!(link.is_whole());
    }
}
