//! Every kernel on every path against a plain reference in double precision. Lengths are odd
//! on purpose, and numbers span many orders of magnitude.

mod products;
mod rows;
mod seen;
mod similar;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// Numbers as they are met: mostly small, some large, some zero.
fn number() -> impl Strategy<Value = f32> {
    prop_oneof![
        8 => -2.0_f32..2.0,
        1 => -300.0_f32..300.0,
        1 => Just(0.0),
        1 => -1e-6_f32..1e-6,
    ]
}

fn numbers(count: usize) -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(number(), count)
}

/// Some numbers, always the same for a seed.
fn some(count: usize, seed: u8) -> Vec<f32> {
    let mut runner = TestRunner::new_with_rng(
        ProptestConfig::default(),
        proptest::test_runner::TestRng::from_seed(
            proptest::test_runner::RngAlgorithm::ChaCha,
            &[seed; 32],
        ),
    );
    let tree = numbers(count).new_tree(&mut runner);
    tree.expect("the strategy rejects nothing").current()
}

/// Fails where a number is further off than `tolerance` of the scale of its row.
fn assert_close(found: &[f32], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (at, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let off = (f64::from(found) - expected).abs();
        assert!(
            off <= tolerance * (1.0 + expected.abs()),
            "{what}: {found} at {at}, expected {expected}"
        );
    }
}
