//! However many threads share a pass, and whatever else is in the batch, the states of a
//! sequence are the same to the last bit. The network is random and small, but its products
//! are wide enough to be cut.

use super::*;
use crate::tiny::Numbers;

/// A network of numbers made up on the spot.
#[derive(Debug)]
struct Random(Shape);

impl Weights for Random {
    fn shape(&self) -> &Shape {
        &self.0
    }

    fn read(&self, tensor: Tensor) -> Vec<f32> {
        let count = tensor.dimensions(&self.0).iter().product();
        Numbers::new(count as u64).floats(count)
    }

    fn word(&self, token: u32, row: &mut [f32]) {
        row.copy_from_slice(&Numbers::new(token.into()).floats(row.len()));
    }
}

fn network(precision: Precision) -> Bert {
    let shape = Shape {
        hidden: 72,
        layers: 2,
        heads: 3,
        feed_forward: 200,
        vocabulary: 100,
        positions: 40,
        token_types: 1,
        epsilon: 1e-12,
    };
    let cpu = Cpu::detect().expect("VITRINE_CPU names a path of this machine");
    Bert::new(Box::new(Random(shape)), cpu, precision)
}

fn packed(lengths: &[usize]) -> Packed {
    let mut packed = Packed::default();
    for &length in lengths {
        packed
            .tokens
            .extend((0..length).map(|at| (at * 7 + length) as u32 % 100));
        packed.ends.push(packed.tokens.len());
    }
    packed
}

/// The states that a team of so many threads computes.
fn states(bert: &Bert, packed: &Packed, threads: usize) -> Vec<f32> {
    std::thread::scope(|scope| {
        let mut team = Team::new(threads);
        for _ in 1..threads {
            let helper = team.helper();
            scope.spawn(|| helper.help());
        }
        bert.forward(packed, &mut team, &mut Work::default())
            .to_vec()
    })
}

#[test]
fn neither_threads_nor_company_change_a_state() {
    let lengths = [1, 13, 2, 33, 8];
    for precision in [Precision::F32, Precision::Bf16, Precision::Int8] {
        let bert = network(precision);
        let all = packed(&lengths);
        let expected = states(&bert, &all, 1);
        for threads in 2..6 {
            assert_eq!(states(&bert, &all, threads), expected, "{threads} threads");
        }
        for (sequence, length) in all.sequences().zip(lengths) {
            let together = &expected[sequence.start * 72..sequence.end * 72];
            for threads in [1, 2, 3] {
                let alone = states(&bert, &packed(&[length]), threads);
                assert_eq!(alone, together, "{precision:?}, {length} tokens");
            }
        }
    }
}
