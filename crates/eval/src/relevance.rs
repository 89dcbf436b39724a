//! How well search results meet human judgements.
//!
//! Gains come from judgement files; what nobody judged counts 0. Because an
//! unjudged product may be a good one, the same is also computed over the
//! judged products alone.

use crate::metrics::{ndcg, recall};
use crate::tables::Qrels;
use serde::Serialize;

/// The means over all queries with a positive judgement.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RelevanceReport {
    /// nDCG of the first ten, unjudged products counting 0.
    #[serde(rename = "ndcg@10")]
    pub ndcg_10: f64,
    /// nDCG of the first ten judged products, the unjudged taken out.
    #[serde(rename = "ndcg_judged@10")]
    pub ndcg_judged_10: f64,
    /// Of the products with the top gain of their query, the share among the first hundred.
    #[serde(rename = "recall@100")]
    pub recall_100: f64,
    pub queries: usize,
}

/// Measures rankings, each a query id with product ids, the best first. Queries without a positive judgement are
/// left out; without any other the report is zero.
pub fn relevance<'a, P>(
    rankings: impl IntoIterator<Item = (&'a str, &'a [P])>,
    qrels: &Qrels,
) -> RelevanceReport
where
    P: AsRef<str> + 'a,
{
    let mut sums = [0.0; 3];
    let mut queries = 0;
    for (query, products) in rankings {
        let judged: Vec<f64> = qrels.gains(query).map(|(_, gain)| gain).collect();
        let found: Vec<Option<f64>> = products
            .iter()
            .map(|product| qrels.gain(query, product.as_ref()))
            .collect();
        let all: Vec<f64> = found.iter().map(|gain| gain.unwrap_or(0.0)).collect();
        let known: Vec<f64> = found.iter().copied().flatten().collect();
        let top = judged.iter().copied().fold(0.0, f64::max);
        let hits: Vec<bool> = found.iter().map(|gain| *gain == Some(top)).collect();
        let tops = judged.iter().filter(|&&gain| gain == top).count();
        let (Some(whole), Some(condensed), Some(recalled)) = (
            ndcg(&all, &judged, 10),
            ndcg(&known, &judged, 10),
            recall(&hits, tops, 100),
        ) else {
            continue;
        };
        queries += 1;
        for (sum, value) in sums.iter_mut().zip([whole, condensed, recalled]) {
            *sum += value;
        }
    }
    let [ndcg_10, ndcg_judged_10, recall_100] = sums.map(|sum| {
        if queries == 0 {
            0.0
        } else {
            sum / f64::from(queries)
        }
    });
    RelevanceReport {
        ndcg_10,
        ndcg_judged_10,
        recall_100,
        queries: queries as usize,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::read_qrels;

    #[test]
    fn unjudged_products_count_nothing_or_are_taken_out() {
        let text = "query_id\tproduct_id\tgain\n1\ta\t3\n1\tb\t1\n1\tc\t3\n2\ta\t0\n";
        let qrels = read_qrels(text.as_bytes()).unwrap();
        let first = ["x", "a", "b"];
        let second = ["a"];
        let report = relevance(
            [("1", &first[..]), ("2", &second[..]), ("3", &second[..])],
            &qrels,
        );
        let discount = |rank: f64| 1.0 / (rank + 1.0).log2();
        let ideal = 3.0 * discount(1.0) + 3.0 * discount(2.0) + discount(3.0);
        assert_eq!(report.queries, 1);
        assert!((report.ndcg_10 - (3.0 * discount(2.0) + discount(3.0)) / ideal).abs() < 1e-12);
        assert!(
            (report.ndcg_judged_10 - (3.0 * discount(1.0) + discount(2.0)) / ideal).abs() < 1e-12
        );
        assert_eq!(report.recall_100, 0.5);
    }
}
