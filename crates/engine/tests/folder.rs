//! What a data folder promises: writes survive, views equal a rebuild, bad rows cost only themselves.

use domain::{Event, EventKind, Filter, IndexUid, ItemId, Timestamp, UserId};
use engine::{
    DocumentsQuery, DocumentsWrite, Engine, EngineError, Learn, OpenOptions, RecommendKind,
    RecommendRequest, SearchRequest, Selection, SettingsPatch, Task, TaskPaging, TaskQuery,
    TaskStatus, Write, WriteMode,
};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::time::Duration;

const SHOP: &str = "shop";

fn open(dir: &Path) -> Engine {
    Engine::open(
        dir,
        OpenOptions {
            learn: Learn::AtClose,
            encoders: None,
        },
    )
    .expect("the folder opens")
}

fn uid() -> IndexUid {
    IndexUid::new(SHOP).expect("a valid uid")
}

fn done(engine: &Engine, write: Write) -> Task {
    let accepted = engine.write(write).expect("the write is accepted");
    engine
        .wait(accepted.task_uid, Duration::from_secs(20))
        .expect("the task exists")
}

fn documents(rows: Vec<Map<String, Value>>, mode: WriteMode) -> Write {
    Write::Documents(DocumentsWrite {
        uid: uid(),
        primary_key: None,
        mode,
        documents: rows,
        rows: Vec::new(),
        rejected: Vec::new(),
    })
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

fn settings(value: Value) -> Write {
    Write::Settings {
        uid: uid(),
        patch: SettingsPatch::new(object(value)).expect("valid settings"),
    }
}

fn purchase(id: &str, user: &str, item: &str, day: i64) -> Event {
    Event {
        id: Some(id.to_owned()),
        user: UserId::new(user).expect("a user"),
        kind: EventKind::Purchase,
        item: Some(ItemId::new(item).expect("an item")),
        query: None,
        time: Timestamp::from_millis(1_300_000_000_000 + day * 86_400_000),
        value: None,
        price: Some(2.5),
        quantity: Some(1.0),
        basket: Some(format!("{user}-{day}")),
        query_id: None,
    }
}

/// Everything a reader can see, as text, so that two folders can be compared.
fn everything(engine: &Engine) -> String {
    let mut seen = String::new();
    for info in engine.indexes().expect("indexes") {
        let reader = engine.index(info.uid.as_str()).expect("the index");
        let all = DocumentsQuery {
            limit: 10_000,
            ..DocumentsQuery::default()
        };
        let (documents, total) = reader.documents(&all).expect("documents");
        seen += &format!("{} {:?} {total}\n", info.uid, info.primary_key);
        for document in &documents {
            seen += document.get();
            seen.push('\n');
        }
        let mut stats = reader.stats().expect("stats");
        // Vectors come later, on a thread of their own.
        stats.meaning = Default::default();
        stats.bytes = 0;
        seen += &format!("{stats:?}\n{:?}\n{:?}\n", reader.settings(), reader.roles());
        for user in (0..12).map(|n| format!("u{n}")) {
            if let Ok(profile) = reader.shopper_profile(&user) {
                seen += &serde_json::to_string(&profile).expect("a profile");
                seen.push('\n');
            }
        }
        for document in &documents {
            let document: Value = serde_json::from_str(document.get()).expect("json");
            let id = document["id"]
                .as_str()
                .map_or(document["id"].to_string(), str::to_owned);
            let profile = reader.item_profile(&id).expect("an item profile");
            seen += &serde_json::to_string(&profile).expect("a profile");
            seen.push('\n');
        }
        for query in ["red", "lantern", "heart holder"] {
            let request = SearchRequest {
                q: query.to_owned(),
                ..SearchRequest::default()
            };
            let answer = reader.search(&request).expect("a search");
            let hits: Vec<&str> = answer.hits.iter().map(|hit| hit.document.get()).collect();
            seen += &format!("{query} {} {hits:?}\n", answer.total);
        }
    }
    seen
}

#[track_caller]
fn same(found: &str, expected: &str, what: &str) {
    let differing = found
        .lines()
        .zip(expected.lines())
        .find(|(found, expected)| found != expected);
    if let Some((found, expected)) = differing {
        panic!("{what}: found\n{found}\nexpected\n{expected}");
    }
    assert_eq!(found.len(), expected.len(), "{what}: one ends earlier");
}

fn rebuilt(engine: &Engine) -> String {
    let mut backup = Vec::new();
    engine.backup(&mut backup).expect("a backup");
    let fresh = tempfile::tempdir().expect("a folder");
    Engine::restore(&mut backup.as_slice(), fresh.path()).expect("a restore");
    everything(&open(fresh.path()))
}

fn word_rows(from: usize, to: usize) -> Vec<Map<String, Value>> {
    let colours = ["red", "blue", "green"];
    let things = ["lantern", "heart holder", "mug", "bunting"];
    (from..to)
        .map(|n| {
            object(json!({
                "id": format!("i{n}"),
                "title": format!("{} {}", colours[n % 3], things[n % 4]),
                "price": format!("£{}.50", n % 9),
                "brand": format!("brand{}", n % 5),
            }))
        })
        .collect()
}

fn page(limit: usize) -> TaskPaging {
    TaskPaging {
        limit,
        ..TaskPaging::default()
    }
}

#[test]
fn a_folder_reopened_shows_what_it_showed() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let task = done(&engine, documents(word_rows(0, 60), WriteMode::Replace));
    assert_eq!(task.status, TaskStatus::Succeeded, "{task:?}");
    assert_eq!(task.details["indexedDocuments"], 60);
    let events: Vec<Event> = (0..200)
        .map(|n| {
            purchase(
                &format!("e{n}"),
                &format!("u{}", n % 7),
                &format!("i{}", n * 7 % 50),
                n,
            )
        })
        .collect();
    let receipt = engine
        .write(Write::Events {
            uid: uid(),
            events: events.clone(),
        })
        .unwrap();
    assert_eq!(receipt.events.unwrap().accepted, 200);
    let before = everything(&engine);
    engine.close();
    drop(engine);

    let engine = open(dir.path());
    same(&everything(&engine), &before, "reopened");
    let again = engine
        .write(Write::Events { uid: uid(), events })
        .unwrap()
        .events
        .unwrap();
    assert_eq!(
        (again.accepted, again.duplicates),
        (0, 200),
        "known event ids survive a restart"
    );
    same(&rebuilt(&engine), &before, "rebuilt");
}

#[test]
fn views_equal_a_rebuild_after_every_kind_of_write() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    done(&engine, documents(word_rows(0, 40), WriteMode::Replace));
    done(
        &engine,
        settings(json!({
            "filterableAttributes": ["brand", "price"], "sortableAttributes": ["price"],
            "synonyms": {"lamp": ["lantern"]},
        })),
    );
    done(&engine, documents(word_rows(30, 50), WriteMode::Replace));
    let patch = vec![
        object(json!({"id": "i3", "note": "updated"})),
        object(json!({"id": "new1", "title": "red kite"})),
    ];
    done(&engine, documents(patch, WriteMode::Update));
    let ids = vec!["i1".to_owned(), "i2".to_owned(), "nobody".to_owned()];
    let task = done(
        &engine,
        Write::DeleteDocuments {
            uid: uid(),
            selection: Selection::Ids(ids),
        },
    );
    assert_eq!(task.details["deletedDocuments"], 2);
    let filter = Selection::Filter("brand = brand4".to_owned());
    let task = done(
        &engine,
        Write::DeleteDocuments {
            uid: uid(),
            selection: filter,
        },
    );
    assert_eq!(task.details["deletedDocuments"], 10, "{task:?}");
    let events = (0..50).map(|n| purchase(&format!("x{n}"), "u1", &format!("i{}", n % 20), n));
    engine
        .write(Write::Events {
            uid: uid(),
            events: events.collect(),
        })
        .unwrap();
    let other = IndexUid::new("other").unwrap();
    done(
        &engine,
        Write::CreateIndex {
            uid: other.clone(),
            primary_key: Some("sku".to_owned()),
        },
    );
    let again = done(
        &engine,
        Write::CreateIndex {
            uid: other.clone(),
            primary_key: None,
        },
    );
    assert_eq!(again.error.unwrap().code, "index_already_exists");
    let seen = everything(&engine);
    assert!(seen.contains("red kite") && seen.contains("updated"));
    same(&rebuilt(&engine), &seen, "rebuilt");

    done(&engine, Write::DeleteIndex { uid: other.clone() });
    let gone = done(&engine, Write::DeleteIndex { uid: other });
    assert_eq!(gone.error.unwrap().code, "index_not_found");
    same(&rebuilt(&engine), &everything(&engine), "rebuilt");
}

#[test]
fn a_view_folder_or_words_index_that_is_gone_is_built_anew() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    done(&engine, documents(word_rows(0, 30), WriteMode::Replace));
    let events = (0..30).map(|n| purchase(&format!("x{n}"), "u1", &format!("i{}", n % 20), n));
    engine
        .write(Write::Events {
            uid: uid(),
            events: events.collect(),
        })
        .unwrap();
    let before = everything(&engine);
    engine.close();
    drop(engine);
    for part in ["indexes", "views", "shoppers"] {
        std::fs::remove_dir_all(dir.path().join(part)).unwrap();
        let engine = open(dir.path());
        same(&everything(&engine), &before, part);
        engine.close();
    }
}

#[test]
fn bad_rows_cost_only_themselves() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let mut rows = word_rows(0, 3);
    rows.insert(1, object(json!({"title": "no id"})));
    rows.push(object(json!({"id": "bad id!", "title": "x"})));
    let task = done(&engine, documents(rows, WriteMode::Replace));
    assert_eq!(task.status, TaskStatus::Succeeded);
    assert_eq!(task.details["indexedDocuments"], 3);
    assert_eq!(task.details["refusedRows"], 2);
    let (notes, _) = engine.task_rows(task.uid, 0, 100).unwrap();
    let refused: Vec<u64> = notes
        .iter()
        .filter(|note| note.refused)
        .map(|note| note.row)
        .collect();
    assert_eq!(refused, [2, 5]);
    assert!(
        notes
            .iter()
            .any(|note| !note.refused && note.field.as_deref() == Some("price"))
    );

    let none = done(
        &engine,
        documents(vec![object(json!({"title": "x"}))], WriteMode::Replace),
    );
    assert_eq!(none.status, TaskStatus::Failed);
    assert_eq!(none.error.unwrap().code, "missing_document_id");
    let listed = engine.tasks(&TaskQuery::default(), page(10)).unwrap();
    assert_eq!(listed.total, 2);
    assert_eq!(listed.results[0].uid, none.uid);
}

#[test]
fn recommendations_hide_what_they_must() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    done(&engine, documents(word_rows(0, 30), WriteMode::Replace));
    done(
        &engine,
        settings(json!({"filterableAttributes": ["brand"]})),
    );
    let mut events = Vec::new();
    for user in 0..20 {
        for step in 0..5 {
            let item = (user % 4) * 5 + step;
            events.push(purchase(
                &format!("{user}-{step}"),
                &format!("u{user}"),
                &format!("i{item}"),
                step,
            ));
            events.push(purchase(
                &format!("b{user}-{step}"),
                &format!("u{user}"),
                "ghost",
                step,
            ));
        }
    }
    let receipt = engine
        .write(Write::Events { uid: uid(), events })
        .unwrap()
        .events
        .unwrap();
    assert_eq!(
        receipt.unknown_items, 100,
        "items nobody has listed are kept and counted"
    );
    engine
        .write(Write::Events {
            uid: uid(),
            events: vec![purchase("one", "new", "i0", 9)],
        })
        .unwrap();
    engine.learn().unwrap();
    let reader = engine.index(SHOP).unwrap();
    let ask = |request: RecommendRequest| -> Vec<String> {
        let answer = reader.recommend(&request).unwrap();
        assert_eq!(answer.total.min(request.limit), answer.hits.len());
        answer.hits.iter().map(|hit| hit.item.to_string()).collect()
    };
    let new = || Some(UserId::new("new").unwrap());
    let for_you = ask(RecommendRequest {
        user: new(),
        ..RecommendRequest::new(RecommendKind::ForYou)
    });
    assert!(
        for_you[..4]
            .iter()
            .all(|item| ["i1", "i2", "i3", "i4"].contains(&item.as_str())),
        "{for_you:?}"
    );
    assert!(!for_you.contains(&"i0".to_owned()) && !for_you.contains(&"ghost".to_owned()));

    let bought_with = RecommendRequest {
        items: vec![ItemId::new("i0").unwrap()],
        exclude: vec![ItemId::new("i1").unwrap()],
        ..RecommendRequest::new(RecommendKind::BoughtWith)
    };
    assert!(
        ask(bought_with.clone()).is_empty(),
        "each basket here holds one listed item"
    );
    let filter = Filter::parse("brand = brand2").unwrap();
    let popular = RecommendRequest {
        filter: Some(filter),
        ..RecommendRequest::new(RecommendKind::Popular)
    };
    assert_eq!(ask(popular), ["i12", "i17", "i2", "i7"]);
    assert_eq!(
        ask(RecommendRequest {
            user: new(),
            ..RecommendRequest::new(RecommendKind::BuyAgain)
        }),
        ["i0"]
    );

    let explained = RecommendRequest {
        user: new(),
        explain: true,
        ..RecommendRequest::new(RecommendKind::ForYou)
    };
    for hit in reader.recommend(&explained).unwrap().hits {
        let sum: f64 = hit.reasons.iter().map(|reason| reason.value).sum();
        assert!((sum - f64::from(hit.score.get())).abs() < 1e-4, "{hit:?}");
    }
    let no_item = RecommendRequest::new(RecommendKind::BoughtWith);
    assert!(matches!(
        reader.recommend(&no_item),
        Err(EngineError::Missing {
            field: "itemId",
            ..
        })
    ));
}

#[test]
fn compaction_changes_nothing_that_can_be_seen() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    for round in 0..4 {
        done(
            &engine,
            documents(word_rows(0, 30 + round), WriteMode::Replace),
        );
    }
    let before = everything(&engine);
    let report = engine.compact().unwrap();
    same(&everything(&engine), &before, "compacted");
    same(&rebuilt(&engine), &before, "rebuilt");
    assert!(report.bytes_after <= report.bytes_before);
}

#[test]
fn a_second_opening_and_unknown_things_are_refused_with_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let second = Engine::open(dir.path(), OpenOptions::default())
        .err()
        .expect("it is held");
    assert!(second.to_string().contains("in use"), "{second}");
    assert!(matches!(
        engine.index("nope"),
        Err(EngineError::IndexNotFound(_))
    ));
    let events = Write::Events {
        uid: uid(),
        events: vec![purchase("a", "u", "i", 1)],
    };
    assert!(matches!(
        engine.write(events),
        Err(EngineError::IndexNotFound(_))
    ));
    done(&engine, documents(word_rows(0, 3), WriteMode::Replace));
    let reader = engine.index(SHOP).unwrap();
    let filter = Some(Filter::parse("colour = red").unwrap());
    let err = reader
        .search(&SearchRequest {
            filter,
            ..SearchRequest::default()
        })
        .unwrap_err();
    assert!(
        err.to_string().contains("`colour` is not filterable"),
        "{err}"
    );
    assert!(matches!(
        reader.document("zz", None, false),
        Err(EngineError::DocumentNotFound(_))
    ));
    engine.close();
    assert!(matches!(
        engine.write(Write::DeleteIndex { uid: uid() }),
        Err(EngineError::Closing)
    ));
}
