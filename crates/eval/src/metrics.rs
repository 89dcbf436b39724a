//! Ranking and classification metrics over plain slices.
//!
//! Lists are in ranked order, the best first. A metric that has no value for
//! its input (no relevant item, no pair) is `None`, so that the caller decides
//! whether to leave the query out or to count it as zero.

/// The gain of a rating, 2^rating - 1.
pub fn graded_gain(rating: f64) -> f64 {
    rating.exp2() - 1.0
}

/// Discounted cumulative gain of the first `k`: Σ gain / log2(rank + 1).
pub fn dcg(gains: &[f64], k: usize) -> f64 {
    let discounted = (2..)
        .zip(gains)
        .take(k)
        .map(|(place, gain)| gain / f64::from(place).log2());
    // The sum of nothing is -0.0, which is less than another zero.
    discounted.sum::<f64>() + 0.0
}

/// DCG over that of the best possible order. `ranked` are the gains in ranked order, `judged` the gains of all
/// judged items in any order. `None` when no judged gain is positive.
pub fn ndcg(ranked: &[f64], judged: &[f64], k: usize) -> Option<f64> {
    let mut ideal: Vec<f64> = judged.to_vec();
    ideal.sort_unstable_by(|a, b| b.total_cmp(a));
    let best = dcg(&ideal, k);
    (best > 0.0).then(|| dcg(ranked, k) / best)
}

/// The share of all relevant items that stands among the first `k`. `None` without relevant items.
pub fn recall(ranked: &[bool], relevant: usize, k: usize) -> Option<f64> {
    let found = ranked.iter().take(k).filter(|&&hit| hit).count();
    (relevant > 0).then(|| found as f64 / relevant as f64)
}

/// One over the rank of the first relevant item, 0 when there is none. Its mean over queries is MRR.
pub fn reciprocal_rank(ranked: &[bool]) -> f64 {
    ranked
        .iter()
        .position(|&hit| hit)
        .map_or(0.0, |position| 1.0 / (position + 1) as f64)
}

/// The mean of the precision at each relevant item, missed ones counting 0. Its mean over queries is MAP. `None`
/// without relevant items.
pub fn average_precision(ranked: &[bool], relevant: usize) -> Option<f64> {
    let mut hits = 0;
    let mut sum = 0.0;
    for (rank, &hit) in (1..).zip(ranked) {
        if hit {
            hits += 1;
            sum += f64::from(hits) / f64::from(rank);
        }
    }
    (relevant > 0).then(|| sum / relevant as f64)
}

/// The chance that a positive has a higher score than a negative, ties counting half. `None` when one of the two
/// is missing. Panics when the lengths differ.
pub fn auc(scores: &[f64], labels: &[bool]) -> Option<f64> {
    assert_eq!(scores.len(), labels.len(), "each score needs a label");
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_unstable_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let (mut negatives, mut positives, mut won) = (0.0, 0.0, 0.0);
    for tie in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        let here = tie.iter().filter(|&&at| labels[at]).count() as f64;
        let against = tie.len() as f64 - here;
        won += here * (negatives + against / 2.0);
        positives += here;
        negatives += against;
    }
    (positives > 0.0 && negatives > 0.0).then(|| won / (positives * negatives))
}

/// The mean of -ln of the probability given to what happened, probabilities kept 1e-15 away from 0 and 1. `None`
/// without cases. Panics when the lengths differ.
pub fn log_loss(probabilities: &[f64], labels: &[bool]) -> Option<f64> {
    assert_eq!(
        probabilities.len(),
        labels.len(),
        "each probability needs a label"
    );
    let loss = |(&probability, &label): (&f64, &bool)| {
        let given = probability.clamp(1e-15, 1.0 - 1e-15);
        if label {
            -given.ln()
        } else {
            -(1.0 - given).ln()
        }
    };
    let sum: f64 = probabilities.iter().zip(labels).map(loss).sum();
    (!labels.is_empty()).then(|| sum / labels.len() as f64)
}

/// The share of a catalogue of `items` that stands in at least one list. Numbers at or above `items` do not count.
pub fn coverage<'a>(lists: impl IntoIterator<Item = &'a [u32]>, items: usize) -> f64 {
    let mut listed = vec![false; items];
    for &item in lists.into_iter().flatten() {
        if let Some(flag) = listed.get_mut(item as usize) {
            *flag = true;
        }
    }
    let count = listed.iter().filter(|&&flag| flag).count();
    if items == 0 {
        0.0
    } else {
        count as f64 / items as f64
    }
}

/// The mean of the given pairwise distances of one list (1 - similarity, say). `None` without pairs.
pub fn diversity(distances: &[f64]) -> Option<f64> {
    (!distances.is_empty()).then(|| distances.iter().sum::<f64>() / distances.len() as f64)
}

/// How surprising a list is: the mean of -log2 of the popularity of its items, each the share of events (or
/// shoppers) the item has. An unseen item counts as the smallest positive share given. `None` for an empty list.
pub fn novelty(popularities: &[f64], smallest: f64) -> Option<f64> {
    let surprise = |&share: &f64| -share.max(smallest).clamp(f64::MIN_POSITIVE, 1.0).log2();
    (!popularities.is_empty())
        .then(|| popularities.iter().map(surprise).sum::<f64>() / popularities.len() as f64)
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
