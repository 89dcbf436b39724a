//! What is found, and what comes first.

use super::{Shop, ids, plan};
use crate::{Matching, QueryError, QueryPlan, RankingRule, SortBy, SortOrder, WordsQuery};
use serde_json::json;

#[track_caller]
fn check(titles: &[&str], text: &str, expected: &[&str]) {
    assert_eq!(Shop::titled(titles).find(text), expected, "{text}");
}

#[test]
fn words_are_found_in_every_form() {
    check(&["Candle holders", "Candle"], "holder", &["1"]);
    check(&["Café table"], "CAFE tables", &["1"]);
    check(&["headphones", "keyboard"], "headph", &["1"]);
    check(&["headphones", "keyboard"], "headph ", &[]);
    check(&["wireless keyboard"], "keybaord", &["1"]);
    check(&["lamp"], "lamb", &[]);
    check(&["adapters"], "adaptre", &["1"]);
    check(&["keyboard"], "jeyboard", &[]);
    check(&["headphones"], "jeadphones", &["1"]);
    check(&["hanging tlight", "light"], "t light", &["1"]);
    check(&["wireless", "wire"], "wireles ", &["1"]);
    check(&["power bank"], "powerbank", &["1"]);
    check(&["四件套 床上用品"], "四件套", &["1"]);
}

#[test]
fn the_exact_word_comes_first() {
    check(&["holdar", "holder"], "holder ", &["2", "1"]);
    check(&["desktop", "desk"], "desk", &["2", "1"]);
    check(
        &["red lamp large and bright", "red lamp"],
        "red lamp",
        &["2", "1"],
    );
    check(
        &["lamp with a red shade", "a red lamp shade with"],
        "red lamp",
        &["2", "1"],
    );
}

#[test]
fn fields_count_by_their_weight() {
    let shop = Shop::of(&[
        json!({ "title": "pot", "other": "blue kettle" }),
        json!({ "title": "pan", "text": "blue kettle" }),
        json!({ "title": "blue kettle" }),
    ]);
    assert_eq!(shop.find("kettle"), ["3", "2", "1"]);
    let only = ["text".to_owned()];
    let query = WordsQuery {
        attributes: Some(&only),
        ..WordsQuery::new("kettle")
    };
    assert_eq!(ids(&shop.words(), &query), ["2"]);
    let mut named = plan();
    named.search_rest = None;
    let words = Shop::new(named).words();
    let wrong = ["price".to_owned()];
    let refused = words.search(&WordsQuery {
        attributes: Some(&wrong),
        ..WordsQuery::new("x")
    });
    assert!(
        matches!(refused, Err(QueryError::NotSearchable { .. })),
        "{refused:?}"
    );
}

#[test]
fn phrases_must_match_and_exclusions_must_not() {
    let titles = ["big red lamp", "red big lamp", "green lamp"];
    check(&titles, "\"red lamp\"", &["1"]);
    check(&titles, "lamp -red", &["3"]);
    check(&titles, "-lamp", &[]);
    check(&titles, "-green", &["1", "2"]);
    check(&titles, "lamp -\"big red\"", &["3", "2"]);
    check(&titles, "\"no such thing\" lamp", &[]);
    check(&["red lamp\nshade", "t-light"], "\"t light\"", &["2"]);
}

#[test]
fn words_are_dropped_as_asked() {
    let titles = ["red shoe", "red hat", "blue shoe", "red scarf"];
    let found = |matching: Matching| {
        let query = WordsQuery {
            matching,
            ..WordsQuery::new("red shoe ")
        };
        ids(&Shop::titled(&titles).words(), &query)
    };
    assert_eq!(found(Matching::Last), ["1", "2", "4"]);
    assert_eq!(found(Matching::All), ["1"]);
    assert_eq!(found(Matching::Frequency), ["1", "3"]);
    check(&titles, "unknownword red shoe", &["1", "2", "4"]);
}

#[test]
fn query_rules_apply_at_once() {
    let shop = Shop::titled(&["the mobile telephone", "smart phone", "the lamp", "cell"]);
    let words = |edit: &dyn Fn(&mut QueryPlan)| {
        let mut plan = QueryPlan::default();
        edit(&mut plan);
        shop.index.words(&plan)
    };
    let synonyms = words(&|plan| {
        plan.synonyms = vec![
            (
                "cell".to_owned(),
                vec!["smart phone".to_owned(), "telephone".to_owned()],
            ),
            ("pocket phone".to_owned(), vec!["cell".to_owned()]),
        ];
    });
    assert_eq!(ids(&synonyms, &WordsQuery::new("cell"))[0], "4");
    assert_eq!(ids(&synonyms, &WordsQuery::new("cell")).len(), 3);
    assert_eq!(
        ids(
            &synonyms,
            &WordsQuery {
                matching: Matching::All,
                ..WordsQuery::new("pocket phone")
            }
        ),
        ["4"]
    );
    let stops = words(&|plan| plan.stop_words = vec!["the".to_owned()]);
    assert_eq!(ids(&stops, &WordsQuery::new("the lamp")), ["3"]);
    assert_eq!(ids(&stops, &WordsQuery::new("the ")).len(), 2);
    let strict = words(&|plan| plan.typo.enabled = false);
    assert!(ids(&strict, &WordsQuery::new("mobyle")).is_empty());
    let strict_title = words(&|plan| plan.typo_disabled_attributes = vec!["title".to_owned()]);
    assert!(ids(&strict_title, &WordsQuery::new("mobyle")).is_empty());
    let whole = words(&|plan| plan.prefix = false);
    assert!(ids(&whole, &WordsQuery::new("mob")).is_empty());
}

#[test]
fn sorting_keeps_numbers_text_and_nothing_apart() {
    let shop = Shop::of(&[
        json!({ "k": "b" }),
        json!({ "k": 10 }),
        json!({}),
        json!({ "k": [2, 30] }),
        json!({ "k": "A" }),
        json!({ "k": null }),
        json!({ "k": "a", "second": 1 }),
    ]);
    let sorted = |order: SortOrder| {
        let by = |path: &str, order| SortBy {
            path: path.to_owned(),
            from: None,
            order,
        };
        let sort = [by("k", order), by("second", SortOrder::Ascending)];
        ids(
            &shop.words(),
            &WordsQuery {
                sort: &sort,
                ..WordsQuery::new("")
            },
        )
    };
    assert_eq!(
        sorted(SortOrder::Ascending),
        ["4", "2", "7", "5", "1", "3", "6"]
    );
    assert_eq!(
        sorted(SortOrder::Descending),
        ["4", "2", "1", "7", "5", "3", "6"]
    );
    let mut few = plan();
    few.sortable = vec!["price".to_owned()];
    let sort = [SortBy {
        path: "k".to_owned(),
        from: None,
        order: SortOrder::Ascending,
    }];
    let refused = Shop::new(few).words().search(&WordsQuery {
        sort: &sort,
        ..WordsQuery::new("")
    });
    assert!(
        matches!(refused, Err(QueryError::NotSortable { .. })),
        "{refused:?}"
    );
}

#[test]
fn ranking_rules_of_the_shop_are_kept() {
    let shop = Shop::of(&[
        json!({ "title": "lamp", "sold": 1 }),
        json!({ "title": "lamp", "sold": 9 }),
        json!({ "title": "pot", "text": "fits under a lamp of any size and colour you like", "sold": 50 }),
    ]);
    let ranked = |rules: Vec<RankingRule>| {
        let words = shop.index.words(&QueryPlan {
            ranking_rules: rules,
            ..QueryPlan::default()
        });
        ids(&words, &WordsQuery::new("lamp "))
    };
    let sold = || RankingRule::Desc("sold".to_owned());
    assert_eq!(ranked(vec![sold(), RankingRule::Words]), ["3", "2", "1"]);
    // Behind the rules for relevance only documents that match about equally well change places.
    let mut behind = RankingRule::defaults();
    behind.push(sold());
    assert_eq!(ranked(behind), ["2", "1", "3"]);
}

#[test]
fn one_of_each_is_the_best_one() {
    let shop = Shop::of(&[
        json!({ "title": "red shirt in many words", "style": "S" }),
        json!({ "title": "red shirt", "style": "s" }),
        json!({ "title": "red shirt without style" }),
        json!({ "title": "red shirt too" }),
    ]);
    let query = WordsQuery {
        distinct: Some("style"),
        ..WordsQuery::new("red shirt")
    };
    let answer = shop.words().search(&query).unwrap();
    let found: Vec<&str> = answer.hits.iter().map(|hit| hit.id.as_str()).collect();
    assert_eq!((answer.total, found), (3, vec!["2", "4", "3"]));
}

#[test]
fn scores_fall_along_the_answer() {
    let shop = Shop::titled(&[
        "keyboard stand",
        "keyboard",
        "keybord stand",
        "a stand",
        "keyboard with stand",
    ]);
    let answer = shop
        .words()
        .search(&WordsQuery::new("keyboard stand"))
        .unwrap();
    let scores: Vec<f64> = answer.hits.iter().map(|hit| hit.score).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    let half = WordsQuery {
        score_threshold: Some(0.5),
        ..WordsQuery::new("keyboard stand")
    };
    let cut = shop.words().search(&half).unwrap();
    assert_eq!(
        cut.total,
        scores.iter().filter(|score| **score >= 0.5).count()
    );
    assert!(cut.total < answer.total);
}

#[test]
fn what_matched_can_be_marked() {
    let shop = Shop::titled(&["wireless keyboards", "keyboarding"]);
    let terms = shop
        .words()
        .search(&WordsQuery::new("wireles keyboa"))
        .unwrap()
        .terms;
    let analyzer = plan().analyzer.analyzer();
    let marked = |text: &str| {
        let tokens = analyzer.tokens(text);
        tokens
            .iter()
            .filter(|token| terms.matched(token).is_some())
            .map(|token| token.surface.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        marked("A wireless mouse and keyboards"),
        ["wireless", "keyboards"]
    );
}
