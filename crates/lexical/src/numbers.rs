//! Which document of a segment has a number.
//!
//! A segment's column leads from documents to their insertion numbers; this is
//! the way back. It is built when it is first asked for and depends on nothing
//! but the segment's documents, deleted ones included, so snapshots share it as
//! long as they share the segment. Whether a document is still alive is the
//! snapshot's to say.

use crate::columns::for_each_value;
use std::sync::OnceLock;
use tantivy::columnar::Column;

/// Up to so many times as many places as documents, a table by number is worth its memory.
const SPARSE: u64 = 4;
/// The place of a number that no document has.
const NONE: u32 = u32::MAX;

/// The way from numbers to documents of one segment.
#[derive(Default)]
pub(crate) struct Numbers(OnceLock<Lookup>);

enum Lookup {
    /// By number, counted from the first; [`NONE`] where there is no document.
    Table { first: u64, docs: Vec<u32> },
    /// In ascending order.
    Sorted(Vec<(u64, u32)>),
}

impl Numbers {
    /// The document with a number, be it alive or not.
    pub fn doc(&self, column: &Column<u64>, number: u64) -> Option<u32> {
        // Most segments can be ruled out without ever being read.
        if number < column.min_value() || number > column.max_value() {
            return None;
        }
        self.0.get_or_init(|| Lookup::new(column)).doc(number)
    }

    /// Whether somebody has asked.
    #[cfg(test)]
    pub fn is_built(&self) -> bool {
        self.0.get().is_some()
    }
}

impl Lookup {
    fn new(column: &Column<u64>) -> Self {
        let docs: Vec<u32> = (0..column.num_docs()).collect();
        let mut pairs = Vec::with_capacity(docs.len());
        for_each_value(column, &docs, |doc, number| pairs.push((number, doc)));
        Self::of(pairs)
    }

    /// From numbers and documents, the latter in ascending order.
    fn of(mut pairs: Vec<(u64, u32)>) -> Self {
        let numbers = || pairs.iter().map(|(number, _)| *number);
        let (first, last) = (numbers().min(), numbers().max());
        let (first, last) = (first.unwrap_or_default(), last.unwrap_or_default());
        if (last - first) / SPARSE < pairs.len() as u64 {
            let mut docs = vec![NONE; (last - first) as usize + 1];
            // An item that was replaced before its segment was written is in it twice. The later
            // document is the one that is alive, and it overwrites the earlier.
            for (number, doc) in pairs {
                if let Some(place) = docs.get_mut((number - first) as usize) {
                    *place = doc;
                }
            }
            return Self::Table { first, docs };
        }
        pairs.sort_unstable();
        Self::Sorted(pairs)
    }

    fn doc(&self, number: u64) -> Option<u32> {
        match self {
            Self::Table { first, docs } => {
                let place = usize::try_from(number.checked_sub(*first)?).ok()?;
                docs.get(place).copied().filter(|doc| *doc != NONE)
            }
            Self::Sorted(pairs) => {
                let behind = pairs.partition_point(|(other, _)| *other <= number);
                let (found, doc) = pairs.get(behind.checked_sub(1)?)?;
                (*found == number).then_some(*doc)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn the_last_document_with_a_number_is_found(
            base in prop_oneof![Just(0u64), Just(u64::MAX - 100_000), Just(1 << 40)],
            steps in prop_oneof![vec(0u64..30, 0..60), vec(0u64..100_000, 0..60)],
        ) {
            let pairs: Vec<(u64, u32)> =
                steps.iter().zip(0..).map(|(step, doc)| (base + step, doc)).collect();
            let expected: BTreeMap<u64, u32> = pairs.iter().copied().collect();
            let lookup = Lookup::of(pairs);
            let near = steps.iter().flat_map(|step| [base + step, base + step + 1]);
            for number in near.chain([0, 1, base, u64::MAX]) {
                prop_assert_eq!(lookup.doc(number), expected.get(&number).copied());
            }
        }
    }

    #[test]
    fn few_documents_far_apart_take_no_table() {
        assert!(matches!(
            Lookup::of(vec![(0, 0), (1 << 50, 1)]),
            Lookup::Sorted(_)
        ));
        assert!(matches!(
            Lookup::of(vec![(7, 0), (5, 1)]),
            Lookup::Table { .. }
        ));
    }
}
