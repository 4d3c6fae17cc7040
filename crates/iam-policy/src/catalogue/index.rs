//! A hash table from action names to rows, so that an exact name costs one look instead of two binary searches.
//! Case does not matter; nothing is allocated at a look-up. Names come from documents, so a crowded table would be an
//! attack: it is filled from our own data only, and a look-up passes at most the longest run of taken slots.

/// FNV-1a, 64 bits: offset basis and prime (draft-eastlake-fnv).
const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// An empty slot.
const FREE: u32 = u32::MAX;

/// Open addressing, at most half full.
// INVARIANT: the number of slots is a power of two, and at least one is free.
#[derive(Debug)]
pub(super) struct Index {
    slots: Vec<u32>,
    mask: usize,
}

impl Index {
    /// Fills a table with the hashes of rows, in the order of the rows.
    pub(super) fn of(hashes: impl ExactSizeIterator<Item = u64>) -> Self {
        let size = hashes.len().saturating_mul(2).max(2).next_power_of_two();
        let mut index = Self { slots: vec![FREE; size], mask: size.saturating_sub(1) };
        for (row, hash) in hashes.enumerate() {
            let mut at = index.first_slot(hash);
            while index.slots.get(at).is_some_and(|slot| *slot != FREE) {
                at = at.saturating_add(1) & index.mask;
            }
            if let (Some(slot), Ok(row)) = (index.slots.get_mut(at), u32::try_from(row)) {
                *slot = row;
            }
        }
        index
    }

    /// The rows that may have the hash.
    pub(super) fn candidates(&self, hash: u64) -> impl Iterator<Item = usize> {
        let mut at = self.first_slot(hash);
        std::iter::from_fn(move || {
            let slot = self.slots.get(at).copied().filter(|slot| *slot != FREE)?;
            at = at.saturating_add(1) & self.mask;
            usize::try_from(slot).ok()
        })
    }

    fn first_slot(&self, hash: u64) -> usize {
        // The high half is mixed best by the multiplications.
        usize::try_from(hash.wrapping_shr(32)).unwrap_or_default() & self.mask
    }
}

/// The hash of a name in lower case; `parts` are taken as one text.
pub(super) fn hash(parts: &[&str]) -> u64 {
    let add =
        |hash: u64, byte: u8| (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(PRIME);
    parts.iter().fold(BASIS, |hash, part| part.bytes().fold(hash, add))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_among_the_candidates_of_its_hash() {
        let names: Vec<String> = (0..500).map(|number| format!("s3:Action{number}")).collect();
        let index = Index::of(names.iter().map(|name| hash(&[name])));
        for (row, name) in names.iter().enumerate() {
            assert!(index.candidates(hash(&[&name.to_uppercase()])).any(|found| found == row));
        }
    }

    #[test]
    fn an_empty_table_has_no_candidates() {
        assert_eq!(
            Index::of(std::iter::empty::<u64>().collect::<Vec<_>>().into_iter())
                .candidates(7)
                .count(),
            0
        );
    }
}
