//! Joining words with another source, case by case.

use super::{Shop, ids, plan};
use crate::{Joined, Matching, QueryPlan, RankingRule, SortBy, SortOrder, Words, WordsQuery};
use domain::{Comparison, Filter, FilterValue};
use serde_json::json;
use std::cell::{Cell, RefCell};

/// The scores of many items, from that of one.
pub(crate) fn each(score: impl Fn(u64) -> f32) -> impl Fn(&[u64]) -> Vec<f32> {
    move |items| items.iter().map(|item| score(*item)).collect()
}

pub(crate) fn brand(name: &str) -> Filter {
    Filter::Compare {
        attribute: "brand".to_owned(),
        comparison: Comparison::Equal,
        value: FilterValue {
            text: name.to_owned(),
            number: None,
        },
    }
}

/// The ids of a joined answer, in order.
#[track_caller]
fn joined(words: &Words, text: &str, items: &[(u64, f32)], ratio: f32) -> Vec<String> {
    let joined = Joined {
        items,
        leaders: items,
        again: None,
        scores: &each(|number| {
            let mut known = items.iter().filter(|(item, _)| *item == number);
            known.next().map_or(0.0, |(_, score)| *score)
        }),
        ratio,
    };
    let query = WordsQuery {
        joined: Some(joined),
        ..WordsQuery::new(text)
    };
    ids(words, &query)
}

#[test]
fn a_ratio_decides_who_leads() {
    // Numbers are from 0, ids from 1.
    let words = Shop::titled(&["lamp", "lamp for the desk", "chandelier", "oak"]).words();
    let items = [(2, 0.9), (1, 0.6)];
    assert_eq!(joined(&words, "lamp", &items, 1.0), ["3", "2"]);
    assert_eq!(joined(&words, "lamp", &items, 0.0), ["1", "2", "3"]);
    assert_eq!(joined(&words, "lamp", &items, 0.5), ["2", "1", "3"]);
    // Nothing is typed, or nothing is found: only the other source has something to say.
    assert_eq!(joined(&words, "", &items, 1.0), ["3", "2"]);
    assert_eq!(joined(&words, "", &items, 0.5), ["3", "2"]);
    assert_eq!(joined(&words, "unheardof", &items, 0.5), ["3", "2"]);
    assert_eq!(
        joined(&words, "\"no such phrase\"", &items, 0.5),
        ["3", "2"]
    );
    assert!(joined(&words, "unheardof", &[], 0.5).is_empty());
    let all = WordsQuery {
        matching: Matching::All,
        joined: Some(Joined {
            items: &items,
            leaders: &items,
            again: None,
            scores: &each(|_| 0.0),
            ratio: 0.5,
        }),
        ..WordsQuery::new("lamp unheardof")
    };
    assert_eq!(ids(&words, &all), ["3", "2"]);
}

#[test]
fn what_is_gone_filtered_or_unwanted_does_not_come() {
    let mut shop = Shop::of(&[
        json!({ "title": "red lamp", "brand": "acme" }),
        json!({ "title": "red shade", "brand": "acme" }),
        json!({ "title": "blue shade", "brand": "acme" }),
        json!({ "title": "blue shade", "brand": "bol" }),
    ]);
    let items = [(1, 0.9), (2, 0.8), (3, 0.7), (77, 1.0)];
    assert_eq!(
        joined(&shop.words(), "lamp", &items, 0.3),
        ["1", "2", "3", "4"]
    );
    assert_eq!(joined(&shop.words(), "lamp -red", &items, 0.3), ["3", "4"]);
    assert_eq!(joined(&shop.words(), "-\"blue shade\"", &items, 1.0), ["2"]);
    let acme = brand("acme");
    let query = WordsQuery {
        filter: Some(&acme),
        joined: Some(Joined {
            items: &items,
            leaders: &items,
            again: None,
            scores: &each(|_| 0.0),
            ratio: 0.5,
        }),
        ..WordsQuery::new("lamp")
    };
    assert_eq!(ids(&shop.words(), &query), ["1", "2", "3"]);
    shop.index.delete("3").unwrap();
    shop.index.commit(2).unwrap();
    assert_eq!(ids(&shop.words(), &query), ["1", "2"]);
    assert_eq!(joined(&shop.words(), "lamp", &items, 0.3), ["1", "2", "4"]);
}

#[test]
fn rules_of_the_shop_keep_their_place() {
    let shop = Shop::of(&[
        json!({ "title": "lamp", "sold": 1 }),
        json!({ "title": "lamp", "sold": 9 }),
        json!({ "title": "pot", "sold": 50 }),
    ]);
    let items = [(0, 0.98), (1, 0.9), (2, 0.5)];
    let ranked = |rules: Vec<RankingRule>, sort: &[SortBy]| {
        let words = shop.index.words(&QueryPlan {
            ranking_rules: rules,
            ..QueryPlan::default()
        });
        let query = WordsQuery {
            sort,
            joined: Some(Joined {
                items: &items,
                leaders: &items,
                again: None,
                scores: &each(|_| 0.0),
                ratio: 0.9,
            }),
            ..WordsQuery::new("lamp ")
        };
        ids(&words, &query)
    };
    let sold = || RankingRule::Desc("sold".to_owned());
    let by_sold = [SortBy {
        path: "sold".to_owned(),
        order: SortOrder::Descending,
        from: None,
    }];
    assert_eq!(ranked(RankingRule::defaults(), &[]), ["1", "2", "3"]);
    assert_eq!(ranked(RankingRule::defaults(), &by_sold), ["3", "2", "1"]);
    assert_eq!(
        ranked(vec![RankingRule::Words, sold()], &[]),
        ["3", "2", "1"]
    );
    // Behind the rules for relevance only items of about equal scores change places.
    let mut behind = RankingRule::defaults();
    behind.push(sold());
    assert_eq!(ranked(behind, &[]), ["2", "1", "3"]);
}

#[test]
fn a_filter_changes_nobodys_score() {
    let shop = Shop::of(&[
        json!({ "title": "lamp", "brand": "acme" }),
        json!({ "title": "some lamp or other for a large room", "brand": "bol" }),
    ]);
    let bol = brand("bol");
    let score = |filter| {
        let query = WordsQuery {
            filter,
            joined: Some(Joined {
                items: &[],
                leaders: &[],
                again: None,
                scores: &each(|_| 0.5),
                ratio: 0.5,
            }),
            ..WordsQuery::new("lamp")
        };
        shop.words().search(&query).unwrap().hits.last().cloned()
    };
    assert_eq!(score(Some(&bol)), score(None));
    assert!(score(None).is_some_and(|hit| hit.score < 0.95));
}

#[test]
fn scores_from_outside_are_brought_into_their_range() {
    let words = Shop::titled(&["lamp", "lamp", "pot", "pot", "pot"]).words();
    let items = [(2, 7.0), (3, f32::NAN), (4, -1.0), (4, 0.2)];
    for (ratio, expected) in [
        (f32::NAN, vec![1.0, 1.0, 0.0, 0.0, 0.0]),
        // The best of each source is one half, and .2 of five is 1/1.8 - 1/2 of a half.
        (0.5, vec![1.0, 0.5, 0.5, 0.055_556, 0.0]),
        (9.0, vec![1.0, 0.2, 0.0]),
    ] {
        let query = WordsQuery {
            joined: Some(Joined {
                items: &items,
                leaders: &items,
                again: None,
                scores: &each(|number| if number == 0 { f32::INFINITY } else { f32::NAN }),
                ratio,
            }),
            ..WordsQuery::new("lamp")
        };
        let hits = words.search(&query).unwrap().hits;
        let scores: Vec<f32> = hits.iter().map(|hit| hit.joined.unwrap()).collect();
        let mut both = scores.iter().zip(&expected);
        let are_close = both.all(|(a, b)| (a - b).abs() < 1e-5);
        assert!(
            are_close && scores.len() == expected.len(),
            "{ratio}: {scores:?}"
        );
    }
}

#[test]
fn only_the_best_by_their_words_are_asked_for() {
    let mut shop = Shop::new(plan());
    for number in 0..2_300u64 {
        // The last come first by their words.
        let title = if number < 1_000 {
            "lamp and more of it"
        } else {
            "lamp"
        };
        shop.put(&format!("p{number:04}"), &json!({ "title": title }));
        if number % 500 == 0 {
            shop.index.commit(number + 1).unwrap();
        }
    }
    shop.index.commit(9_000).unwrap();
    let asked = Cell::new(0);
    let score = |number: u64| {
        asked.set(asked.get() + 1);
        assert!(!(700..1_000).contains(&number), "{number}");
        0.5
    };
    let query = WordsQuery {
        limit: 3_000,
        joined: Some(Joined {
            items: &[(999, 1.0)],
            leaders: &[],
            again: None,
            scores: &each(score),
            ratio: 0.5,
        }),
        ..WordsQuery::new("lamp")
    };
    let answer = shop.words().search(&query).unwrap();
    assert_eq!((asked.get(), answer.total), (2_000, 2_300));
    let with = |is_wanted: &dyn Fn(f32) -> bool| {
        let others = answer.hits.iter().filter_map(|hit| hit.other);
        others.filter(|other| is_wanted(*other)).count()
    };
    assert_eq!(with(&|other| other == 0.0), 299);
    assert_eq!(with(&|other| other > 0.2), 1);
    assert_eq!(answer.hits[0].id, "p1000");
}

/// Lamps whose titles are all about equal, but for one that is just a little shorter.
fn lamps() -> Words {
    let mut titles = vec!["lamp with a shade"];
    titles.extend(vec!["lamp with a wide shade"; 180]);
    Shop::titled(&titles).words()
}

#[test]
fn a_source_weighs_no_more_than_its_scores_differ() {
    // The words tell one of many lamps from the others by little. Before that was made up for,
    // whatever the other source preferred came first, by however little.
    let words = lamps();
    let score = |number: u64| match number {
        0 => 0.4,
        1..150 => 0.5,
        _ => 0.1,
    };
    let query = WordsQuery {
        limit: 3,
        joined: Some(Joined {
            items: &[],
            leaders: &[],
            scores: &each(score),
            again: None,
            ratio: 0.3,
        }),
        ..WordsQuery::new("lamp")
    };
    let hits = words.search(&query).unwrap().hits;
    assert_eq!(hits[0].id, "1");
    // The best that both parts could give together is 1, and both have their share of it.
    assert!(hits[0].joined.unwrap() > 0.5 && hits[0].joined.unwrap() <= 1.0);
    assert!(hits[0].other.unwrap() > 0.0);
    assert!(hits[1].other.unwrap() > hits[0].other.unwrap());
}

#[test]
fn a_source_sees_the_best_of_all_and_scores_once_more() {
    let words = lamps();
    let acme = brand("acme");
    let seen = RefCell::new(Vec::new());
    let again = |best: &[u64], items: &[u64]| {
        *seen.borrow_mut() = best.to_vec();
        let scores = items.iter().map(|item| match item {
            70 => 1.0,
            _ => 0.0,
        });
        Some(scores.collect())
    };
    let query = WordsQuery {
        joined: Some(Joined {
            items: &[],
            leaders: &[(30, 0.9)],
            scores: &each(|_| 0.2),
            again: Some(&again),
            ratio: 0.6,
        }),
        ..WordsQuery::new("lamp")
    };
    let hits = words.search(&query).unwrap().hits;
    assert_eq!(seen.borrow().len(), 20);
    assert!(seen.borrow().starts_with(&[30, 0]), "{seen:?}");
    assert_eq!(hits[0].id, "71");
    // What is asked does not depend on the filter.
    let unfiltered = seen.take();
    let filtered = WordsQuery {
        filter: Some(&acme),
        ..query
    };
    assert!(words.search(&filtered).unwrap().hits.is_empty());
    assert_eq!(seen.take(), unfiltered);
}
