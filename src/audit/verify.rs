//! Whether the entries of a device are all there and as they were written. Reads lines, one file after the other, the
//! oldest first; writes nothing. What it cannot see is an end that was cut off and is known nowhere else: for that
//! the server's own head is compared.

use std::fmt;

use super::chain::Link;
use crate::model::ChainHead;

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// An entry was changed.
    Edited {
        /// Its number, as it says itself.
        seq: u64,
    },
    /// Entries are missing.
    Gap {
        /// The number that should have come.
        expected: u64,
        /// The one that did.
        found: u64,
    },
    /// A number comes again.
    Again {
        /// Which one.
        seq: u64,
    },
    /// It has the right number and follows another entry than the one before it.
    Replaced {
        /// Its number.
        seq: u64,
    },
    /// The last entry is older than one that the server wrote.
    CutOff {
        /// The server's.
        expected: u64,
        /// The last one here; `None` when there is none.
        found: Option<u64>,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edited { seq } => write!(f, "entry {seq} was changed after it was written"),
            Self::Gap { expected, found } => {
                let missing = found.saturating_sub(*expected);
                write!(f, "entry {found} comes where {expected} should: {missing} missing")
            }
            Self::Again { seq } => write!(f, "entry {seq} comes again, or out of order"),
            Self::Replaced { seq } => {
                write!(f, "entry {seq} does not follow the one before it: that one was replaced")
            }
            Self::CutOff { expected, found: Some(found) } => {
                write!(f, "the last entry is {found}, and the server wrote {expected}")
            }
            Self::CutOff { expected, found: None } => {
                write!(f, "there is no entry, and the server wrote {expected}")
            }
        }
    }
}

/// Reads the entries of one device.
#[derive(Debug, Default)]
pub struct Verifier {
    /// What is to be met on the way, as the server has it.
    expected: Option<ChainHead>,
    met: Option<bool>,
    first: Option<u64>,
    last: Option<ChainHead>,
    entries: u64,
}

/// What was found in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many entries there are.
    pub entries: u64,
    /// The number of the first one; more than 0 where older files were not given.
    pub first: Option<u64>,
    /// The last one.
    pub head: Option<ChainHead>,
    /// What is missing at the end.
    pub problem: Option<Problem>,
}

/// What a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// An entry that follows the one before.
    Good,
    /// No entry, or half of one: a write that was cut off, or not the broker's.
    Torn,
    /// An entry that is not as it was.
    Bad(Problem),
}

impl Verifier {
    /// `expected` is the server's own head, where it is known.
    pub fn new(expected: Option<ChainHead>) -> Self {
        Self { expected, ..Self::default() }
    }

    /// The next line.
    pub fn line(&mut self, text: &str) -> Line {
        let Some(link) = Link::read(text) else {
            return Line::Torn;
        };
        let problem = self.problem(&link);
        self.entries = self.entries.saturating_add(1);
        self.first.get_or_insert(link.seq);
        if let Some(expected) = self.expected.as_ref().filter(|one| one.seq == link.seq) {
            self.met = Some(expected.hash == link.hash);
        }
        if self.last.as_ref().is_none_or(|last| link.seq > last.seq) {
            self.last = Some(link.head());
        }
        problem.map_or(Line::Good, Line::Bad)
    }

    fn problem(&self, link: &Link<'_>) -> Option<Problem> {
        let seq = link.seq;
        if !link.is_whole() {
            return Some(Problem::Edited { seq });
        }
        let last = self.last.as_ref()?;
        let expected = last.seq.saturating_add(1);
        if seq > expected {
            return Some(Problem::Gap { expected, found: seq });
        }
        if seq < expected {
            return Some(Problem::Again { seq });
        }
        (link.prev != last.hash).then_some(Problem::Replaced { seq })
    }

    /// No more lines.
    pub fn end(self) -> Verified {
        let found = self.last.as_ref().map(|last| last.seq);
        let problem = self.expected.as_ref().and_then(|expected| {
            let seq = expected.seq;
            match self.met {
                Some(true) => None,
                Some(false) => Some(Problem::Replaced { seq }),
                // The server's head is older than the files that were given.
                None if self.first.is_some_and(|first| first > seq) => None,
                None => Some(Problem::CutOff { expected: seq, found }),
            }
        });
        Verified { entries: self.entries, first: self.first, head: self.last, problem }
    }
}

#[cfg(test)]
mod tests {
    use super::super::chain::Chain;
    use super::*;

    fn lines(count: usize) -> Vec<String> {
        let mut chain = Chain::default();
        (0..count).map(|at| chain.seal(&format!(r#"{{"at":{at}}}"#))).collect()
    }

    fn bad(lines: &[String]) -> Vec<Problem> {
        let mut verifier = Verifier::new(None);
        let read = lines.iter().map(|line| verifier.line(line));
        read.filter_map(|line| if let Line::Bad(problem) = line { Some(problem) } else { None })
            .collect()
    }

    #[test]
    fn what_is_whole_passes_and_says_how_far_it_goes() {
        let mut verifier = Verifier::new(None);
        for line in &lines(5)[2..] {
            assert_eq!(verifier.line(line), Line::Good);
        }
        let found = verifier.end();
        assert_eq!((found.entries, found.first), (3, Some(2)));
        assert_eq!(found.head.map(|head| head.seq), Some(4));
        assert_eq!(found.problem, None);
    }

    #[test]
    fn an_edit_a_gap_a_swap_and_a_replacement_are_told_apart() {
        let good = lines(5);
        let mut edited = good.clone();
        edited[2] = edited[2].replace("\"at\":2", "\"at\":7");
        assert_eq!(bad(&edited), [Problem::Edited { seq: 2 }]);
        let mut gap = good.clone();
        gap.remove(2);
        assert_eq!(bad(&gap), [Problem::Gap { expected: 2, found: 3 }]);
        let mut swapped = good.clone();
        swapped.swap(2, 3);
        assert_eq!(
            bad(&swapped),
            [Problem::Gap { expected: 2, found: 3 }, Problem::Again { seq: 2 }]
        );
        let mut replaced = good.clone();
        let before = Link::read(&good[1]).unwrap().head();
        replaced[2] = Chain::after(before).seal(r#"{"at":"another"}"#);
        assert_eq!(bad(&replaced), [Problem::Replaced { seq: 3 }]);
    }

    #[test]
    fn a_line_that_is_half_there_is_passed_over_when_nothing_is_missing() {
        let mut torn = lines(3);
        torn.insert(2, torn[2].chars().take(20).collect());
        let mut verifier = Verifier::new(None);
        let read: Vec<_> = torn.iter().map(|line| verifier.line(line)).collect();
        assert_eq!(read, [Line::Good, Line::Good, Line::Torn, Line::Good]);
    }

    #[test]
    fn an_end_that_was_cut_off_shows_by_the_servers_head() {
        let good = lines(5);
        let head = Link::read(&good[4]).unwrap().head();
        let ended = |lines: &[String], head: &ChainHead| {
            let mut verifier = Verifier::new(Some(head.clone()));
            for line in lines {
                verifier.line(line);
            }
            verifier.end().problem
        };
        assert_eq!(ended(&good, &head), None);
        assert_eq!(ended(&good[..3], &head), Some(Problem::CutOff { expected: 4, found: Some(2) }));
        assert_eq!(ended(&[], &head), Some(Problem::CutOff { expected: 4, found: None }));
        let other = ChainHead { hash: "f".repeat(64), ..head };
        assert_eq!(ended(&good, &other), Some(Problem::Replaced { seq: 4 }));
    }
}
