//! Random joined queries against a naive computation over the documents.

use super::joined::brand;
use super::{Shop, plan};
use crate::{FacetStats, Joined, SortBy, SortOrder, Words, WordsHit, WordsQuery};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const WORDS: [&str; 6] = ["red", "blue", "shoe", "lamp", "oak", "tin"];
const BRANDS: [&str; 3] = ["acme", "bol", "zig"];

/// A score for any number, with many that are equal.
fn other(number: u64) -> f32 {
    (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 61) as f32 / 7.0
}

#[derive(Clone, Debug)]
struct Product {
    title: Vec<&'static str>,
    brand: &'static str,
    price: u8,
}

impl Product {
    fn json(&self) -> Value {
        json!({ "title": self.title.join(" "), "brand": self.brand, "price": self.price })
    }
}

fn product() -> impl Strategy<Value = Product> {
    let title = vec(prop::sample::select(&WORDS[..]), 0..4);
    let brand = prop::sample::select(&BRANDS[..]);
    (title, brand, 0u8..5).prop_map(|(title, brand, price)| Product {
        title,
        brand,
        price,
    })
}

#[derive(Clone, Debug)]
struct Case {
    wanted: Vec<&'static str>,
    unwanted: Option<&'static str>,
    filter: Option<&'static str>,
    items: Vec<u64>,
    ratio: f32,
    by_price: bool,
    distinct: bool,
    threshold: Option<f64>,
    page: usize,
}

fn cases() -> impl Strategy<Value = Case> {
    let what = (
        vec(prop::sample::select(&WORDS[..]), 0..3),
        proptest::option::weighted(0.3, prop::sample::select(&WORDS[..])),
        proptest::option::of(prop::sample::select(&BRANDS[..])),
        vec(0u64..70, 0..12),
        prop::sample::select(vec![0.0f32, 0.3, 0.5, 0.9, 1.0]),
    );
    let how = (
        any::<bool>(),
        proptest::bool::weighted(0.3),
        proptest::option::weighted(0.3, 0.0f64..1.0),
        1usize..9,
    );
    (what, how).prop_map(
        |((wanted, unwanted, filter, items, ratio), (by_price, distinct, threshold, page))| Case {
            wanted,
            unwanted,
            filter,
            items,
            ratio,
            by_price,
            distinct,
            threshold,
            page,
        },
    )
}

/// A shop in several segments, some items replaced, some deleted.
fn shop(products: &[Product], later: &[(usize, Option<Product>)]) -> (Shop, Vec<Option<Product>>) {
    let mut shop = Shop::new(plan());
    let mut alive: Vec<Option<Product>> = products.iter().cloned().map(Some).collect();
    for (number, product) in products.iter().enumerate() {
        shop.put(&id_of(number), &product.json());
        if number % 13 == 12 {
            shop.index.commit(number as u64).unwrap();
        }
    }
    for (place, change) in later {
        let number = place % products.len();
        match change {
            Some(product) => shop.put(&id_of(number), &product.json()),
            None => shop.index.delete(&id_of(number)).unwrap(),
        }
        alive[number] = change.clone();
    }
    shop.index.commit(1_000).unwrap();
    (shop, alive)
}

/// Ids that are not in the order of numbers.
fn id_of(number: usize) -> String {
    format!("p{}-{number}", number * 7 % 10)
}

/// By id: the joined score and the other part of everything that belongs to the result.
fn expected(
    words: &Words,
    alive: &[Option<Product>],
    case: &Case,
    text: &str,
) -> BTreeMap<String, (f32, f32)> {
    let mut shares: BTreeMap<String, f32> = BTreeMap::new();
    if case.ratio < 1.0 && !case.wanted.is_empty() {
        let alone = WordsQuery {
            limit: 1_000,
            ..WordsQuery::new(text)
        };
        let hits = words.search(&alone).unwrap().hits;
        let best = hits.iter().map(|hit| hit.bm25).fold(0.0, f32::max);
        shares.extend(hits.into_iter().map(|hit| (hit.id, hit.bm25 / best)));
    }
    let mut found = BTreeMap::new();
    for (number, product) in alive.iter().enumerate() {
        let Some(product) = product else { continue };
        let id = id_of(number);
        let passes = case.filter.is_none_or(|brand| brand == product.brand)
            && case
                .unwanted
                .is_none_or(|word| !product.title.contains(&word));
        let named = case.items.contains(&(number as u64));
        if passes && (named || shares.contains_key(&id)) {
            let other = other(number as u64);
            let share = shares.get(&id).copied().unwrap_or_default();
            found.insert(id, ((1.0 - case.ratio) * share + case.ratio * other, other));
        }
    }
    found
}

fn page_through(words: &Words, query: &WordsQuery<'_>, page: usize) -> Vec<WordsHit> {
    let mut seen = Vec::new();
    loop {
        let query = WordsQuery {
            offset: seen.len(),
            limit: page,
            ..query.clone()
        };
        let answer = words.search(&query).unwrap();
        if answer.hits.is_empty() {
            assert_eq!(seen.len(), answer.total);
            return seen;
        }
        seen.extend(answer.hits);
    }
}

fn is_close(a: f32, b: f32) -> bool {
    (a - b).abs() < 1e-5
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn a_joined_answer_is_what_its_parts_say(
        products in vec(product(), 1..60),
        later in vec((0usize..60, proptest::option::of(product())), 0..20),
        cases in vec(cases(), 1..25),
    ) {
        let (shop, alive) = shop(&products, &later);
        let words = shop.words();
        for case in &cases {
            agrees(&words, &alive, case)?;
        }
    }
}

fn agrees(words: &Words, alive: &[Option<Product>], case: &Case) -> Result<(), TestCaseError> {
    let excluded = case.unwanted.map(|word| format!("-{word}"));
    let pieces = case.wanted.iter().copied().chain(excluded.as_deref());
    let text = pieces.collect::<Vec<_>>().join(" ") + " ";
    let filter = case.filter.map(brand);
    let items: Vec<(u64, f32)> = case
        .items
        .iter()
        .map(|item| (*item, other(*item)))
        .collect();
    let by_price = [SortBy {
        path: "price".to_owned(),
        order: SortOrder::Descending,
        from: None,
    }];
    let facets = ["brand".to_owned(), "price".to_owned()];
    let query = WordsQuery {
        filter: filter.as_ref(),
        sort: if case.by_price { &by_price } else { &[] },
        facets: &facets,
        joined: Some(Joined {
            items: &items,
            score: &other,
            ratio: case.ratio,
        }),
        ..WordsQuery::new(&text)
    };
    let all = page_through(words, &query, case.page);
    let expected = expected(words, alive, case, &text);
    let found: BTreeSet<&String> = all.iter().map(|hit| &hit.id).collect();
    prop_assert_eq!(found.len(), all.len());
    prop_assert_eq!(found, expected.keys().collect::<BTreeSet<_>>());
    for hit in &all {
        let (joined, other) = expected[&hit.id];
        prop_assert!(
            is_close(hit.joined.unwrap(), joined),
            "{:?} {}",
            hit,
            joined
        );
        prop_assert_eq!(hit.other, Some(other));
        prop_assert_eq!(hit.score, f64::from(hit.joined.unwrap()));
        prop_assert!((0.0..=1.0).contains(&hit.score));
    }
    let product = |id: &str| {
        let number: usize = id.rsplit('-').next().unwrap().parse().unwrap();
        alive[number].as_ref().unwrap()
    };
    let in_order = all.is_sorted_by(|a, b| {
        let price = |hit: &WordsHit| {
            if case.by_price {
                product(&hit.id).price
            } else {
                0
            }
        };
        let order = price(b).cmp(&price(a)).then(b.score.total_cmp(&a.score));
        order.then_with(|| a.id.cmp(&b.id)).is_le()
    });
    prop_assert!(in_order, "{:?}", all);
    let narrowed = WordsQuery {
        distinct: case.distinct.then_some("brand"),
        score_threshold: case.threshold,
        ..query.clone()
    };
    let kept = page_through(words, &narrowed, case.page);
    let mut brands = BTreeSet::new();
    let of_all: Vec<&WordsHit> = all
        .iter()
        .filter(|hit| {
            case.threshold
                .is_none_or(|threshold| hit.score >= threshold)
        })
        .filter(|hit| !case.distinct || brands.insert(product(&hit.id).brand))
        .collect();
    prop_assert_eq!(kept.iter().collect::<Vec<_>>(), of_all);
    recount(
        words,
        &narrowed,
        &kept.iter().map(|hit| product(&hit.id)).collect::<Vec<_>>(),
    )
}

/// Facets, their ranges and the search in them count what paging has reached.
fn recount(words: &Words, query: &WordsQuery<'_>, kept: &[&Product]) -> Result<(), TestCaseError> {
    let mut brands: BTreeMap<String, u64> = BTreeMap::new();
    let mut prices: BTreeMap<String, u64> = BTreeMap::new();
    for product in kept {
        *brands.entry(product.brand.to_owned()).or_default() += 1;
        *prices.entry(product.price.to_string()).or_default() += 1;
    }
    let facets = words.search(query).unwrap().facets;
    for ((_, facet), expected) in facets.iter().zip([&brands, &prices]) {
        prop_assert_eq!(
            &facet.values.iter().cloned().collect::<BTreeMap<_, _>>(),
            expected
        );
    }
    let range = kept.iter().map(|product| f64::from(product.price));
    let stats = range.clone().reduce(f64::min).zip(range.reduce(f64::max));
    prop_assert_eq!(
        facets[1].1.stats,
        stats.map(|(min, max)| FacetStats { min, max })
    );
    let listed = words.facet_search("brand", "", query).unwrap();
    prop_assert_eq!(listed.into_iter().collect::<BTreeMap<_, _>>(), brands);
    Ok(())
}
