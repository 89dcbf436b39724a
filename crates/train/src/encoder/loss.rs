//! The contrast of pairs: a query is to be nearer to its own item than to the items of all
//! other pairs of the batch, and the item nearer to its own query (InfoNCE, van den Oord et
//! al. 2018, <https://arxiv.org/abs/1807.03748>, in both directions).
//!
//! Another pair's item may be as right as the pair's own, a second black kettle for example.
//! The model as it was before training says so: what it finds as near as the pair's own is left
//! out (guided negatives, Solatorio 2024, <https://arxiv.org/abs/2402.16829>).

use crate::product::{self, Into};

/// What the model before training thinks of other items than the pair's own counts from this
/// share of the likeness of the own.
pub(super) const AS_RIGHT: f32 = 0.95;

/// Vectors of the queries and of the items of a batch, `[pairs, width]` each.
#[derive(Clone, Copy)]
pub(super) struct Sides<'a> {
    pub queries: &'a [f32],
    pub items: &'a [f32],
}

/// The gradients of both.
#[derive(Debug, Default)]
pub(super) struct Slopes {
    pub queries: Vec<f32>,
    pub items: Vec<f32>,
}

/// The mean loss of a pair, and its gradients. `guide` has the vectors before training.
pub(super) fn contrast(
    now: Sides<'_>,
    guide: Sides<'_>,
    width: usize,
    temperature: f32,
    slopes: &mut Slopes,
) -> f64 {
    let pairs = now.queries.len() / width;
    let likeness = |sides: Sides<'_>| {
        let mut out = vec![0.0; pairs * pairs];
        product::by_transposed(sides.queries, sides.items, width, &mut out, Into::Replace);
        out
    };
    let guide = likeness(guide);
    let own = |pair: usize| guide[pair * (pairs + 1)];
    let counts = |pair: usize, of: usize, other: usize| {
        // The own likeness may be below zero, where a share of it would be above it.
        other == pair || guide[of] < own(pair) - (1.0 - AS_RIGHT) * own(pair).abs()
    };
    let logits: Vec<f32> = likeness(now).iter().map(|x| x / temperature).collect();
    // The gradient of the loss by each likeness, from both directions.
    let mut gradient = vec![0.0; pairs * pairs];
    let weight = 1.0 / (2 * pairs) as f32;
    let mut loss = 0.0;
    let mut direction = |place: &dyn Fn(usize, usize) -> usize| {
        for pair in 0..pairs {
            let counted = |&other: &usize| counts(pair, place(pair, other), other);
            let others: Vec<usize> = (0..pairs).filter(counted).collect();
            let most = others
                .iter()
                .map(|&other| logits[place(pair, other)])
                .fold(f32::NEG_INFINITY, f32::max);
            let exponential = |other: usize| (logits[place(pair, other)] - most).exp();
            let sum: f32 = others.iter().map(|&other| exponential(other)).sum();
            loss += f64::from(sum.ln() + most - logits[place(pair, pair)]);
            for &other in &others {
                let share = exponential(other) / sum - f32::from(u8::from(other == pair));
                gradient[place(pair, other)] += share * weight / temperature;
            }
        }
    };
    direction(&|query, item| query * pairs + item);
    direction(&|item, query| query * pairs + item);
    slopes.queries.resize(now.queries.len(), 0.0);
    slopes.items.resize(now.items.len(), 0.0);
    product::by(
        &gradient,
        now.items,
        pairs,
        &mut slopes.queries,
        Into::Replace,
    );
    product::transposed_by(
        &gradient,
        now.queries,
        pairs,
        &mut slopes.items,
        Into::Replace,
    );
    loss * f64::from(weight)
}
