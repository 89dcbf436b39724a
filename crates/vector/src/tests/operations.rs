//! Random operations on a store, each compared with plain vectors in memory.

use super::{Numbers, Oracle, assert_nearest, open};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Operation {
    /// So many vectors at once.
    Append(usize),
    Flush,
    /// The process ends, and what was not flushed may or may not be there.
    Reopen,
    Scan,
    Nearest {
        count: usize,
        every: u32,
    },
    Graph {
        every: u32,
    },
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        4 => (0usize..20).prop_map(Operation::Append),
        2 => Just(Operation::Flush),
        2 => Just(Operation::Reopen),
        2 => Just(Operation::Scan),
        4 => (0usize..12, 1u32..5).prop_map(|(count, every)| Operation::Nearest { count, every }),
        1 => (1u32..3).prop_map(|every| Operation::Graph { every }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_store_is_a_list_of_vectors(
        operations in prop::collection::vec(operation(), 1..40),
        dimensions in prop::sample::select(vec![1usize, 3, 16, 33]),
        seed in any::<u64>(),
    ) {
        let folder = tempfile::tempdir()?;
        let mut numbers = Numbers(seed);
        let mut store = open(folder.path(), dimensions, 0);
        let (mut oracle, mut durable) = (Oracle::default(), 0);
        for operation in operations {
            let reader = store.reader();
            prop_assert_eq!(reader.len() as usize, oracle.0.len());
            let query = numbers.unit(dimensions);
            match operation {
                Operation::Append(count) => {
                    let vectors: Vec<f32> =
                        (0..count).flat_map(|_| numbers.unit(dimensions)).collect();
                    let slots = store.append(&vectors)?;
                    prop_assert_eq!(slots, reader.len()..reader.len() + count as u32);
                    oracle.append(&vectors, dimensions);
                }
                Operation::Flush => {
                    store.flush()?;
                    durable = oracle.0.len();
                }
                Operation::Reopen => {
                    drop(store);
                    oracle.0.truncate(durable);
                    store = open(folder.path(), dimensions, durable as u32);
                }
                Operation::Scan => {
                    let slots: Vec<u32> = (0..reader.len()).filter(|_| numbers.below(3) > 0).collect();
                    let found = reader.scan(&query, slots.iter().copied(), 5, 0.1)?;
                    assert_nearest(&found, &oracle, slots.into_iter(), (&query, 5, 0.1));
                }
                Operation::Nearest { count, every } => {
                    // None of these is left out of a graph below.
                    let alive = |slot: u32| slot.is_multiple_of(every * 2);
                    let found = reader.nearest(&query, count, -0.2, alive)?;
                    let slots = (0..reader.len()).filter(|&slot| alive(slot));
                    assert_nearest(&found, &oracle, slots, (&query, count, -0.2));
                }
                Operation::Graph { every } => {
                    let options = crate::GraphOptions::new(1);
                    let alive = |slot: u32| slot.is_multiple_of(every);
                    let go_on = |_| std::ops::ControlFlow::Continue(());
                    let built = reader.build_graph(&options, alive, go_on)?;
                    store.publish(built.expect("nobody broke off"))?;
                    durable = oracle.0.len();
                }
            }
        }
        let reader = store.reader();
        for (slot, expected) in (0..).zip(&oracle.0) {
            prop_assert_eq!(&reader.vector(slot), expected);
        }
    }
}
