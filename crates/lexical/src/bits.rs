//! Sets of documents: one bit per document of a segment, and the set over a
//! whole index that filters hand out.

use crate::error::QueryError;
use crate::snapshot::{Core, Place};
use std::fmt;
use std::sync::Arc;

/// The documents of one segment that are in a set.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bits {
    words: Vec<u64>,
    documents: u32,
}

impl Bits {
    /// No document out of so many.
    pub fn none(documents: u32) -> Self {
        Self {
            words: vec![0; documents.div_ceil(64) as usize],
            documents,
        }
    }

    /// Every document.
    pub fn every(documents: u32) -> Self {
        let mut bits = Self::none(documents);
        bits.complement();
        bits
    }

    /// Adds a document; one outside the segment is ignored.
    pub fn insert(&mut self, doc: u32) {
        if doc < self.documents
            && let Some(word) = self.words.get_mut(doc as usize / 64)
        {
            *word |= 1 << (doc % 64);
        }
    }

    pub fn contains(&self, doc: u32) -> bool {
        let word = self.words.get(doc as usize / 64);
        word.is_some_and(|word| word >> (doc % 64) & 1 == 1)
    }

    pub fn len(&self) -> usize {
        self.words
            .iter()
            .map(|word| word.count_ones() as usize)
            .sum()
    }

    pub fn intersect(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
    }

    pub fn unite(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    pub fn complement(&mut self) {
        for word in &mut self.words {
            *word = !*word;
        }
        let used = self.documents % 64;
        if used > 0
            && let Some(last) = self.words.last_mut()
        {
            *last &= (1 << used) - 1;
        }
    }

    /// The documents in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().enumerate().flat_map(|(place, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                if rest == 0 {
                    return None;
                }
                let bit = rest.trailing_zeros();
                rest &= rest - 1;
                Some(place as u32 * 64 + bit)
            })
        })
    }
}

/// The items that a filter lets through, as of one snapshot.
#[derive(Clone)]
pub struct ItemSet {
    pub(crate) core: Arc<Core>,
    pub(crate) bits: Vec<Bits>,
}

impl ItemSet {
    /// Whether the item is in the set. An unknown id is not.
    pub fn contains(&self, id: &str) -> Result<bool, QueryError> {
        let place = self.core.locate(id)?;
        Ok(place.is_some_and(|place| self.has(place)))
    }

    /// Whether the item with this number is in the set. An unknown number is not.
    pub fn has_number(&self, number: u64) -> Result<bool, QueryError> {
        let place = self.core.place_of_number(number);
        Ok(place.is_some_and(|place| self.has(place)))
    }

    /// The numbers of the items in the set, in no order that means anything.
    pub fn numbers(&self) -> impl Iterator<Item = u64> + '_ {
        let segments = self.core.segments.iter().zip(&self.bits);
        segments.flat_map(|(segment, bits)| bits.iter().map(|doc| segment.number(doc)))
    }

    pub(crate) fn has(&self, place: Place) -> bool {
        let bits = self.bits.get(place.segment as usize);
        bits.is_some_and(|bits| bits.contains(place.doc))
    }

    /// How many items are in the set.
    pub fn len(&self) -> usize {
        self.bits.iter().map(Bits::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for ItemSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ItemSet").field("len", &self.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::btree_set;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn of(documents: u32, members: &BTreeSet<u32>) -> Bits {
        let mut bits = Bits::none(documents);
        members.iter().for_each(|doc| bits.insert(*doc));
        bits
    }

    proptest! {
        #[test]
        fn bits_behave_like_sets(
            documents in 0u32..200,
            left in btree_set(0u32..200, 0..60),
            right in btree_set(0u32..200, 0..60),
        ) {
            let inside = |set: &BTreeSet<u32>| -> BTreeSet<u32> {
                set.iter().copied().filter(|doc| *doc < documents).collect()
            };
            let (left, right) = (inside(&left), inside(&right));
            let check = |bits: &Bits, expected: Vec<u32>| {
                prop_assert_eq!(bits.iter().collect::<Vec<_>>(), expected.clone());
                prop_assert_eq!(bits.len(), expected.len());
                Ok(())
            };
            let mut both = of(documents, &left);
            both.intersect(&of(documents, &right));
            check(&both, left.intersection(&right).copied().collect())?;
            let mut either = of(documents, &left);
            either.unite(&of(documents, &right));
            check(&either, left.union(&right).copied().collect())?;
            let mut not = of(documents, &left);
            not.complement();
            check(&not, (0..documents).filter(|doc| !left.contains(doc)).collect())?;
        }
    }
}
