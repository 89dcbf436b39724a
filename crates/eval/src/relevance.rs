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

/// How well one ranking meets the judgements of its query.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct QueryRelevance {
    #[serde(rename = "ndcg@10")]
    pub ndcg_10: f64,
    #[serde(rename = "ndcg_judged@10")]
    pub ndcg_judged_10: f64,
    #[serde(rename = "recall@100")]
    pub recall_100: f64,
}

impl QueryRelevance {
    /// Measures the products that a query found, the best first. `None` for a query without a
    /// positive judgement, for which no ranking is better than another.
    pub fn of<P: AsRef<str>>(query: &str, products: &[P], qrels: &Qrels) -> Option<Self> {
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
        Some(Self {
            ndcg_10: ndcg(&all, &judged, 10)?,
            ndcg_judged_10: ndcg(&known, &judged, 10)?,
            recall_100: recall(&hits, tops, 100)?,
        })
    }
}

/// The means of the queries that could be measured; without any the report is zero.
pub fn relevance(measured: impl IntoIterator<Item = QueryRelevance>) -> RelevanceReport {
    let mut sums = [0.0; 3];
    let mut queries = 0;
    for one in measured {
        queries += 1;
        let values = [one.ndcg_10, one.ndcg_judged_10, one.recall_100];
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += value;
        }
    }
    // No query at all has sums of zero.
    let [ndcg_10, ndcg_judged_10, recall_100] = sums.map(|sum| sum / queries.max(1) as f64);
    RelevanceReport {
        ndcg_10,
        ndcg_judged_10,
        recall_100,
        queries,
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
        let rankings = [
            ("1", vec!["x", "a", "b"]),
            ("2", vec!["a"]),
            ("3", vec!["a"]),
        ];
        let measured = rankings
            .iter()
            .filter_map(|(query, products)| QueryRelevance::of(query, products, &qrels));
        let report = relevance(measured);
        let discount = |rank: f64| 1.0 / (rank + 1.0).log2();
        let ideal = 3.0 * discount(1.0) + 3.0 * discount(2.0) + discount(3.0);
        assert_eq!(report.queries, 1);
        assert!((report.ndcg_10 - (3.0 * discount(2.0) + discount(3.0)) / ideal).abs() < 1e-12);
        assert!(
            (report.ndcg_judged_10 - (3.0 * discount(1.0) + discount(2.0)) / ideal).abs() < 1e-12
        );
        assert_eq!(report.recall_100, 0.5);
    }

    #[test]
    fn no_query_is_no_report() {
        let report = relevance([]);
        assert_eq!((report.ndcg_10, report.queries), (0.0, 0));
    }
}
