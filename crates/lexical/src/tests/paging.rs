//! Totals and facets are true: paging reaches exactly what they count.

use super::{Shop, plan};
use crate::{
    FacetOrder, FacetOrders, FacetStats, Matching, QueryPlan, SortBy, SortOrder, Words, WordsQuery,
};
use domain::{Comparison, Filter, FilterValue};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const BRANDS: [&str; 4] = ["Acme", "ACME", "Zig", "Bol"];

fn document(number: u64) -> Value {
    let colours = ["red", "blue", "green"];
    // A fixed mixture without a pattern of its own.
    let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    json!({
        "title": format!("{} {} lamp {}", colours[(mixed % 3) as usize], if mixed.is_multiple_of(5) { "desk" } else { "floor" }, "x".repeat((mixed % 4) as usize)),
        "brand": BRANDS[(mixed % 4) as usize],
        "price": (mixed % 17) as f64 / 2.0,
        "tags": [mixed % 3, "sale", "Sale", mixed % 3],
        "group": if mixed.is_multiple_of(7) { Value::Null } else { json!(mixed % 11) },
    })
}

fn catalogue() -> (Words, BTreeMap<String, Value>) {
    let mut shop = Shop::new(plan());
    let mut documents = BTreeMap::new();
    for number in 0..400 {
        let id = format!("p{number}");
        shop.put(&id, &document(number));
        documents.insert(id, document(number));
        if number % 90 == 0 {
            shop.index.commit(number + 1).unwrap();
        }
    }
    for number in (0..400).step_by(9) {
        shop.index.delete(&format!("p{number}")).unwrap();
        documents.remove(&format!("p{number}"));
    }
    shop.index.commit(1_000).unwrap();
    (shop.index.words(&QueryPlan::default()), documents)
}

fn page_through(words: &Words, query: &WordsQuery<'_>) -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        let page = words
            .search(&WordsQuery {
                offset: seen.len(),
                limit: 7,
                ..query.clone()
            })
            .unwrap();
        if page.hits.is_empty() {
            assert_eq!(seen.len(), page.total);
            return seen;
        }
        let scores: Vec<f64> = page.hits.iter().map(|hit| hit.score).collect();
        assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)));
        seen.extend(page.hits.into_iter().map(|hit| hit.id));
    }
}

fn brand(name: &str) -> Filter {
    Filter::Compare {
        attribute: "brand".to_owned(),
        comparison: Comparison::Equal,
        value: FilterValue {
            text: name.to_owned(),
            number: None,
        },
    }
}

#[test]
fn paging_reaches_exactly_what_is_counted() {
    let (words, documents) = catalogue();
    let facets = ["brand".to_owned(), "price".to_owned(), "tags".to_owned()];
    let acme = brand("acme");
    let by_price = [SortBy {
        path: "price".to_owned(),
        from: None,
        order: SortOrder::Ascending,
    }];
    for text in [
        "",
        "red",
        "blue desk lamp",
        "lamp \"red desk\"",
        "lamp -floor",
        "gren",
        "unknown",
        "l",
    ] {
        for matching in [Matching::Last, Matching::All, Matching::Frequency] {
            for (filter, sort, distinct) in [
                (None, &[][..], None),
                (Some(&acme), &by_price[..], None),
                (None, &[][..], Some("group")),
            ] {
                let query = WordsQuery {
                    filter,
                    sort,
                    distinct,
                    matching,
                    facets: &facets,
                    facet_limit: 1_000,
                    ..WordsQuery::new(text)
                };
                let answer = words
                    .search(&WordsQuery {
                        limit: 1_000,
                        ..query.clone()
                    })
                    .unwrap();
                let all: Vec<String> = answer.hits.iter().map(|hit| hit.id.clone()).collect();
                assert_eq!(page_through(&words, &query), all, "{query:?}");
                let unique: BTreeSet<&String> = all.iter().collect();
                assert_eq!(unique.len(), answer.total, "{query:?}");
                let found: Vec<&Value> = all.iter().map(|id| &documents[id]).collect();
                recount(&answer.facets, &found);
            }
        }
    }
}

fn recount(facets: &[(String, crate::Facet)], found: &[&Value]) {
    let mut brands: BTreeMap<String, u64> = BTreeMap::new();
    let mut prices: BTreeMap<String, u64> = BTreeMap::new();
    let mut tags: BTreeMap<String, u64> = BTreeMap::new();
    for document in found {
        *brands
            .entry(document["brand"].as_str().unwrap().to_lowercase())
            .or_default() += 1;
        *prices
            .entry(document["price"].as_f64().unwrap().to_string())
            .or_default() += 1;
        *tags.entry(document["tags"][0].to_string()).or_default() += 1;
        *tags.entry("sale".to_owned()).or_default() += 1;
    }
    for (facet, expected) in facets.iter().zip([brands, prices, tags]) {
        let counted = facet
            .1
            .values
            .iter()
            .map(|(value, count)| (value.to_lowercase(), *count));
        assert_eq!(counted.collect::<BTreeMap<_, _>>(), expected, "{}", facet.0);
    }
    let numbers: Vec<f64> = found
        .iter()
        .map(|document| document["price"].as_f64().unwrap())
        .collect();
    let stats = facets[1].1.stats;
    assert_eq!(stats.is_some(), !numbers.is_empty());
    if let Some(FacetStats { min, max }) = stats {
        assert_eq!(min, numbers.iter().copied().fold(f64::MAX, f64::min));
        assert_eq!(max, numbers.iter().copied().fold(f64::MIN, f64::max));
    }
}

#[test]
fn a_facet_count_is_what_its_filter_finds() {
    let (words, _) = catalogue();
    let facets = ["brand".to_owned()];
    for text in ["", "desk", "green desk lamp", "red flor"] {
        let answer = words
            .search(&WordsQuery {
                facets: &facets,
                ..WordsQuery::new(text)
            })
            .unwrap();
        for (value, count) in &answer.facets[0].1.values {
            let filter = brand(value);
            let filtered = words
                .search(&WordsQuery {
                    filter: Some(&filter),
                    ..WordsQuery::new(text)
                })
                .unwrap();
            assert_eq!(filtered.total as u64, *count, "{text}: {value}");
        }
    }
}

#[test]
fn facets_are_listed_as_asked() {
    let mut shop = Shop::new(plan());
    for (number, brand) in ["Zig", "acme", "Acme", "Acme", "Zig", "Éclair", "Zig", "Bol"]
        .iter()
        .enumerate()
    {
        shop.put(
            &number.to_string(),
            &json!({ "brand": brand, "o": { "n": number } }),
        );
    }
    shop.index.commit(1).unwrap();
    let words = shop.words();
    let listed = |order: FacetOrder, limit: usize| {
        let facets = ["brand".to_owned()];
        let query = WordsQuery {
            facets: &facets,
            facet_orders: FacetOrders {
                usual: order,
                ..FacetOrders::default()
            },
            facet_limit: limit,
            ..WordsQuery::new("")
        };
        let values = words.search(&query).unwrap().facets.remove(0).1.values;
        values
            .into_iter()
            .map(|(value, count)| format!("{value} {count}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    assert_eq!(
        listed(FacetOrder::Alpha, 100),
        "Acme 3, Bol 1, Éclair 1, Zig 3"
    );
    assert_eq!(listed(FacetOrder::Count, 3), "Acme 3, Zig 3, Bol 1");
    let star = ["*".to_owned()];
    let every = words
        .search(&WordsQuery {
            facets: &star,
            ..WordsQuery::new("")
        })
        .unwrap()
        .facets;
    let names: Vec<&str> = every.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["brand", "o.n"]);
    let found = words
        .facet_search("brand", "E", &WordsQuery::new(""))
        .unwrap();
    assert_eq!(found, [("Éclair".to_owned(), 1)]);
    assert_eq!(
        words
            .facet_search("brand", "", &WordsQuery::new(""))
            .unwrap()
            .len(),
        4
    );
}
