//! SHA-256 over fields, so that two lists of fields never give the same bytes by being joined differently.
//! Says nothing about what must go in: that is `verdict`'s for verdicts and `document`'s for documents.
//! Hex of it is what verdicts and leases carry.

use std::fmt;

use ring::digest::{Context, SHA256};

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Digest([u8; 32]);

impl Digest {
    /// Of some bytes.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Fields::new("").field(bytes).finish()
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn hex(&self) -> String {
        let digits = self.0.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
        digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

/// Takes fields one by one, each with its length.
pub(super) struct Fields(Context);

impl Fields {
    /// `purpose` parts the digests of different kinds of things.
    pub(super) fn new(purpose: &str) -> Self {
        Self(Context::new(&SHA256)).field(purpose.as_bytes())
    }

    pub(super) fn field(mut self, bytes: &[u8]) -> Self {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.0.update(&length.to_le_bytes());
        self.0.update(bytes);
        self
    }

    pub(super) fn text(self, text: &str) -> Self {
        self.field(text.as_bytes())
    }

    /// A list: its length, then each of its members.
    pub(super) fn texts<'a>(self, texts: impl ExactSizeIterator<Item = &'a str>) -> Self {
        let count = u64::try_from(texts.len()).unwrap_or(u64::MAX);
        texts.fold(self.field(&count.to_le_bytes()), Self::text)
    }

    pub(super) fn finish(self) -> Digest {
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(self.0.finish().as_ref()) {
            *to = *from;
        }
        Digest(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_do_not_run_into_each_other() {
        let one = Fields::new("p").text("ab").text("c").finish();
        let other = Fields::new("p").text("a").text("bc").finish();
        assert_ne!(one, other);
        assert_ne!(Fields::new("p").finish(), Fields::new("q").finish());
        assert_eq!(one.hex().len(), 64);
    }

    #[test]
    fn a_list_is_not_its_members() {
        let list = Fields::new("p").texts(["a", "b"].into_iter()).finish();
        let members = Fields::new("p").text("a").text("b").finish();
        assert_ne!(list, members);
    }
}
