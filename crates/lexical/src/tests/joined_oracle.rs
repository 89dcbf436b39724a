//! Random joined queries against a naive computation over the documents.

use super::joined::{brand, each};
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
    leaders: Vec<u64>,
    again: bool,
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
        (vec(0u64..130, 0..12), vec(0u64..130, 0..60), any::<bool>()),
        prop::sample::select(vec![0.0f32, 0.3, 0.5, 0.9, 1.0]),
    );
    let how = (
        any::<bool>(),
        proptest::bool::weighted(0.3),
        proptest::option::weighted(0.3, 0.0f64..1.0),
        1usize..9,
    );
    (what, how).prop_map(
        |(
            (wanted, unwanted, filter, (items, leaders, again), ratio),
            (by_price, distinct, threshold, page),
        )| Case {
            wanted,
            unwanted,
            filter,
            items,
            leaders,
            again,
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

/// Scores that depend on who leads.
fn other_again(best: &[u64], number: u64) -> f32 {
    other(number ^ best.iter().sum::<u64>())
}

/// What a score is worth among others, by the formula.
fn worth(scores: &[f32]) -> impl Fn(f32) -> f32 {
    let mut sorted = scores.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let best = sorted.first().copied().unwrap_or_default();
    let step = (best - sorted.get(49).copied().unwrap_or_default()).max(best / 1_000.0);
    move |score| match best > 0.0 {
        true => step / (step + best - score) - step / (step + best),
        false => 0.0,
    }
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
    // By number: everything that the filter could let through, and whether it makes the scale.
    let mut all: Vec<(u64, f32, bool)> = Vec::new();
    for (number, product) in (0u64..).zip(alive) {
        let Some(product) = product else { continue };
        let unwanted = |word| product.title.contains(&word);
        if case.unwanted.is_some_and(unwanted) {
            continue;
        }
        let share = shares.get(&id_of(number as usize)).copied();
        let makes_scale = share.is_some() || case.leaders.contains(&number);
        if makes_scale || case.items.contains(&number) {
            all.push((number, share.unwrap_or_default(), makes_scale));
        }
    }
    let plain = case.ratio <= 0.0 || case.ratio >= 1.0;
    let scores = |other: &dyn Fn(u64) -> f32| -> Vec<(f32, f32)> {
        if plain {
            let part = |number: u64| case.ratio * other(number);
            let score = |(number, share, _): &(u64, f32, bool)| {
                let part = part(*number);
                ((1.0 - case.ratio) * share + part, part)
            };
            return all.iter().map(score).collect();
        }
        let scale = all.iter().filter(|(_, _, makes_scale)| *makes_scale);
        let others: Vec<f32> = scale.map(|(number, _, _)| other(*number)).collect();
        let shares: Vec<f32> = shares.values().copied().collect();
        let (of_words, of_other) = (worth(&shares), worth(&others));
        let most = (1.0 - case.ratio) * of_words(shares.iter().copied().fold(0.0, f32::max))
            + case.ratio * of_other(others.iter().copied().fold(0.0, f32::max));
        let score = |(number, share, _): &(u64, f32, bool)| {
            let score = other(*number).min(others.iter().copied().fold(0.0, f32::max));
            let part = case.ratio * of_other(score) / most;
            let words = (1.0 - case.ratio) * of_words(*share) / most;
            match most > 0.0 {
                true => (words + part, part),
                false => (0.0, 0.0),
            }
        };
        all.iter().map(score).collect()
    };
    let mut scored = scores(&other);
    if case.again && !plain {
        let both = all.iter().zip(&scored);
        let scale = both.filter(|((_, _, makes_scale), _)| *makes_scale);
        let mut best: Vec<(f32, u64)> = scale
            .map(|((number, _, _), (score, _))| (*score, *number))
            .collect();
        best.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let best: Vec<u64> = best
            .into_iter()
            .take(20)
            .map(|(_, number)| number)
            .collect();
        scored = scores(&|number| other_again(&best, number));
    }
    let mut found = BTreeMap::new();
    for ((number, _, _), score) in all.into_iter().zip(scored) {
        let product = alive[number as usize].as_ref().unwrap();
        if case.filter.is_none_or(|brand| brand == product.brand) {
            found.insert(id_of(number as usize), score);
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
        products in vec(product(), 1..120),
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
    let scored = |items: &[u64]| -> Vec<(u64, f32)> {
        items.iter().map(|item| (*item, other(*item))).collect()
    };
    let (items, leaders) = (scored(&case.items), scored(&case.leaders));
    let again = |best: &[u64], items: &[u64]| {
        let scores = items.iter().map(|item| other_again(best, *item));
        case.again.then(|| scores.collect())
    };
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
            leaders: &leaders,
            again: Some(&again),
            scores: &each(other),
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
        prop_assert!(is_close(hit.other.unwrap(), other), "{:?} {}", hit, other);
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
