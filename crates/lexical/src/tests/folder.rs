//! The folder: what is kept, what is refused, and input that nobody wants.

use super::{Shop, ids, object, plan};
use crate::{LexicalError, QueryPlan, WordsIndex, WordsQuery};
use serde_json::json;
use std::fs;

#[test]
fn a_reopened_index_knows_its_plan_and_what_it_applied() {
    let mut shop = Shop::titled(&["red shoe"]);
    shop.index.commit(41).unwrap();
    let path = shop.dir.path().join("words");
    drop(shop.index);
    let index = WordsIndex::open(&path).unwrap();
    assert_eq!((index.applied(), index.plan()), (41, &plan()));
    assert_eq!(
        ids(
            &index.words(&QueryPlan::default()),
            &WordsQuery::new("shoe")
        ),
        ["1"]
    );
}

#[test]
fn what_is_not_committed_is_not_there() {
    let mut shop = Shop::titled(&["red shoe"]);
    shop.put("2", &json!({ "title": "blue shoe" }));
    shop.index.delete("1").unwrap();
    assert_eq!(shop.find("shoe"), ["1"]);
    shop.index.release_writer();
    assert_eq!(shop.find("shoe"), ["1"]);
    shop.index.commit(2).unwrap();
    assert_eq!(
        (shop.find("shoe"), shop.index.applied()),
        (vec!["1".to_owned()], 2)
    );
}

#[test]
fn a_second_writer_is_refused() {
    let mut shop = Shop::titled(&["red shoe"]);
    let mut second = WordsIndex::open(&shop.dir.path().join("words")).unwrap();
    let document = json!({});
    let refused = second.put("2", 2, object(&document));
    assert!(
        matches!(refused, Err(LexicalError::Locked { .. })),
        "{refused:?}"
    );
    shop.index.release_writer();
    second.put("2", 2, object(&document)).unwrap();
}

#[test]
fn wrong_folders_are_refused_with_the_reason() {
    let shop = Shop::titled(&["red shoe"]);
    let path = shop.dir.path().join("words");
    assert!(matches!(
        WordsIndex::create(&path, plan()),
        Err(LexicalError::Exists { .. })
    ));
    let elsewhere = shop.dir.path().join("nothing");
    assert!(matches!(
        WordsIndex::open(&elsewhere),
        Err(LexicalError::Missing { .. })
    ));
    let file = path.join("plan.json");
    let good = fs::read_to_string(&file).unwrap();
    for (bad, expected) in [
        (good.replace("\"version\": 1", "\"version\": 9"), "format 9"),
        (good.replace("vitrine-words", "other"), "not the plan"),
        (
            good.replace("\"text\"", "\"texts\"")
                .replace("\"search_rest\": 0.2", "\"search_rest\": null"),
            "fields",
        ),
        (good[..good.len() / 2].to_owned(), "damaged"),
    ] {
        fs::write(&file, &bad).unwrap();
        match WordsIndex::open(&path) {
            Err(error) => assert!(error.to_string().contains(expected), "{error}"),
            Ok(_) => panic!("{expected}"),
        }
    }
    fs::write(&file, good).unwrap();
    fs::write(path.join("meta.json"), "{").unwrap();
    assert!(matches!(
        WordsIndex::open(&path),
        Err(LexicalError::Damaged { .. })
    ));
}

#[test]
fn odd_documents_and_queries_do_no_harm() {
    let mut deep = json!("needle");
    for _ in 0..100 {
        deep = json!({ "x": [deep] });
    }
    let long_name = "n".repeat(70_000);
    let shop = Shop::of(&[
        json!({}),
        json!({ "": "empty name", "a.b": 1, "\u{0}\u{1}\\": "odd name", "title": "\u{1}ctl\u{2}\u{0}\u{3}" }),
        json!({ "title": "word ".repeat(250_000), "text": "x".repeat(1 << 20), "deep": deep }),
        json!({ long_name: "hidden" }),
    ]);
    let words = shop.words();
    assert_eq!(words.count(), 4);
    assert_eq!(shop.find("word"), ["3"]);
    assert_eq!(shop.find("odd name"), ["2"]);
    for text in [
        "\"",
        "-",
        "--",
        "-\"",
        "\"\"",
        "\u{0}\u{1}",
        "- - -",
        "-word",
        "\"word word\"",
        "\u{1F600}",
        "a\u{301}",
    ] {
        let found = words.search(&WordsQuery::new(text)).unwrap();
        assert_eq!(found.total, found.hits.len(), "{text:?}");
    }
    let many = "word ".repeat(1_000);
    assert_eq!(
        words.search(&WordsQuery::new(&many)).unwrap().hits[0].words,
        10
    );
    assert_eq!(shop.find(&"y".repeat(1 << 20)).len(), 0);
    let mut shop = shop;
    assert!(matches!(
        shop.index.put("", 9, object(&json!({}))),
        Err(LexicalError::Id { .. })
    ));
    assert!(matches!(
        shop.index.put(&"i".repeat(5_000), 9, object(&json!({}))),
        Err(LexicalError::Id { .. })
    ));
    let odd = "../ü \n\"'\u{1}";
    shop.put(odd, &json!({ "title": "strange" }));
    shop.index.commit(2).unwrap();
    assert_eq!(shop.find("strange"), [odd]);
    assert!(shop.words().contains(odd).unwrap());
}
