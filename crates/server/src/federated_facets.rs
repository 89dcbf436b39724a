//! The facets of a federated search, per index or over all of them.
//!
//! Where several queries search one index, what any of them finds is counted once.

use crate::hits::{Distribution, Ranges};
use engine::{FacetAnswer, FacetStats};
use serde::Serialize;
use std::collections::BTreeMap;

/// The facets of one index.
#[derive(Serialize)]
pub(crate) struct IndexFacets<'a> {
    distribution: Distribution<'a>,
    stats: Ranges<'a>,
}

/// Facets by the uid of their index.
pub(crate) type ByIndex = BTreeMap<String, Vec<FacetAnswer>>;

/// The facets of each index that has any.
pub(crate) fn shown(counted: &ByIndex) -> BTreeMap<&str, IndexFacets<'_>> {
    let with_facets = counted.iter().filter(|(_, facets)| !facets.is_empty());
    let facets = with_facets.map(|(uid, facets)| {
        let facets = IndexFacets {
            distribution: Distribution(facets),
            stats: Ranges(facets),
        };
        (uid.as_str(), facets)
    });
    facets.collect()
}

/// The facets of all indexes as one: counts add up, ranges span all.
pub(crate) fn merged(counted: &ByIndex, most_values: usize) -> Vec<FacetAnswer> {
    merge(counted.values().flatten(), most_values)
}

fn merge<'a>(
    facets: impl Iterator<Item = &'a FacetAnswer>,
    most_values: usize,
) -> Vec<FacetAnswer> {
    let mut sums: BTreeMap<&str, (BTreeMap<&str, u64>, Option<FacetStats>)> = BTreeMap::new();
    for facet in facets {
        let (counts, stats) = sums.entry(&facet.attribute).or_default();
        for (value, count) in &facet.values {
            *counts.entry(value).or_default() += count;
        }
        *stats = match (*stats, facet.stats) {
            (Some(one), Some(other)) => Some(FacetStats {
                min: one.min.min(other.min),
                max: one.max.max(other.max),
            }),
            (one, other) => one.or(other),
        };
    }
    let facets = sums
        .into_iter()
        .map(|(attribute, (counts, stats))| FacetAnswer {
            attribute: attribute.to_owned(),
            values: counts
                .into_iter()
                .take(most_values)
                .map(|(value, count)| (value.to_owned(), count))
                .collect(),
            stats,
        });
    facets.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up_and_ranges_span_all() {
        let facet = |values: &[(&str, u64)], range: Option<(f64, f64)>| FacetAnswer {
            attribute: "price".to_owned(),
            values: values
                .iter()
                .map(|(value, count)| ((*value).to_owned(), *count))
                .collect(),
            stats: range.map(|(min, max)| FacetStats { min, max }),
        };
        let one = facet(&[("b", 1), ("a", 2)], Some((1.0, 2.0)));
        let two = facet(&[("a", 3), ("c", 4)], Some((0.5, 1.5)));
        let merged = merge([&one, &two].into_iter(), 2);
        assert_eq!(merged.len(), 1);
        assert_eq!(merged[0].values, [("a".to_owned(), 5), ("b".to_owned(), 1)]);
        assert_eq!(merged[0].stats, Some(FacetStats { min: 0.5, max: 2.0 }));
    }
}
