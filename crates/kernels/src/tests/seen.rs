//! Attention to tokens that are kept.

use super::{assert_close, some};
use crate::{Cpu, Room, Seen, Sight, attend};
use proptest::prelude::*;

/// One case: projections of tokens and of rows, each `[_, 3, heads, size]`.
#[derive(Clone, Debug)]
struct Case {
    heads: usize,
    size: usize,
    tokens: Vec<f32>,
    rows: Vec<f32>,
}

fn case() -> impl Strategy<Value = Case> {
    let sizes = prop::sample::select(vec![1usize, 4, 7, 16, 32, 33, 64]);
    (0usize..70, 0usize..20, 1usize..4, sizes, any::<u8>()).prop_map(
        |(tokens, rows, heads, size, seed)| {
            let moderate = |count, seed| {
                let numbers = some(count, seed).into_iter();
                numbers.map(|number: f32| number.clamp(-3.0, 3.0)).collect()
            };
            Case {
                heads,
                size,
                tokens: moderate(tokens * 3 * heads * size, seed),
                rows: moderate(rows * 3 * heads * size, seed.wrapping_add(1)),
            }
        },
    )
}

impl Case {
    fn hidden(&self) -> usize {
        self.heads * self.size
    }

    fn seen(&self, cpu: Cpu) -> Seen {
        let mut seen = Seen::new(cpu, self.hidden(), self.heads);
        // In two parts, as a history and then a query.
        let first = self.tokens.len() / (3 * self.hidden()) / 2 * 3 * self.hidden();
        seen.push(&self.tokens[..first]);
        seen.push(&self.tokens[first..]);
        seen
    }

    /// What is found for rows that each see some of the tokens, in double precision.
    fn reference(&self, rows: &[f32], sees: impl Fn(usize) -> usize) -> Vec<f64> {
        let (hidden, size) = (self.hidden(), self.size);
        let part = |token: &[f32], which: usize, head: usize| -> Vec<f64> {
            let part = &token[which * hidden + head * size..][..size];
            part.iter().map(|&x| f64::from(x)).collect()
        };
        let mut out = Vec::new();
        for (at, row) in rows.chunks_exact(3 * hidden).enumerate() {
            let tokens = self.tokens.chunks_exact(3 * hidden).take(sees(at));
            let visible: Vec<&[f32]> = tokens.chain([row]).collect();
            for head in 0..self.heads {
                let query = part(row, 0, head);
                let score = |token: &&[f32]| {
                    let key = part(token, 1, head);
                    let product: f64 = query.iter().zip(&key).map(|(a, b)| a * b).sum();
                    (product / (size as f64).sqrt()).exp()
                };
                let shares: Vec<f64> = visible.iter().map(score).collect();
                let total: f64 = shares.iter().sum();
                for of in 0..size {
                    let tokens = visible.iter().zip(&shares);
                    let sum: f64 = tokens.map(|(t, share)| part(t, 2, head)[of] * share).sum();
                    out.push(sum / total);
                }
            }
        }
        out
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn rows_see_all_tokens_and_themselves(case in case(), row in 0usize..20) {
        let tokens = case.tokens.len() / (3 * case.hidden());
        let expected = case.reference(&case.rows, |_| tokens);
        for cpu in Cpu::tested() {
            let seen = case.seen(cpu);
            prop_assert_eq!(seen.tokens(), tokens);
            let mut out = vec![f32::NAN; expected.len()];
            attend(&seen, &case.rows, Sight::All, &mut Room::default(), &mut out);
            assert_close(&out, &expected, 2e-5, cpu.name());

            // A row alone has the same answer to the last bit.
            let hidden = case.hidden();
            if let Some(alone) = case.rows.chunks_exact(3 * hidden).nth(row) {
                let mut found = vec![f32::NAN; hidden];
                attend(&seen, alone, Sight::All, &mut Room::default(), &mut found);
                prop_assert_eq!(&found[..], &out[row * hidden..][..hidden], "{} alone", cpu);
            }
        }
    }

    #[test]
    fn tokens_see_those_before_and_themselves(case in case()) {
        let expected = case.reference(&case.tokens, |at| at);
        for cpu in Cpu::tested() {
            let seen = case.seen(cpu);
            let mut out = vec![f32::NAN; expected.len()];
            attend(&seen, &case.tokens, Sight::Before, &mut Room::default(), &mut out);
            assert_close(&out, &expected, 2e-5, cpu.name());
        }
    }
}
