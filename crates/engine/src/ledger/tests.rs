//! The ledger against a map of what was asked, over restarts and rebuilds.

use super::*;
use crate::{Engine, OpenOptions, Write};
use domain::IndexUid;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

const UID: &str = "films";

fn uid() -> IndexUid {
    IndexUid::new(UID).expect("a name")
}

fn opened(dir: &Path) -> Engine {
    Engine::open(dir, OpenOptions::default()).expect("a data folder")
}

fn with_index(dir: &Path) -> Engine {
    let engine = opened(dir);
    let created = engine.write(Write::CreateIndex {
        uid: uid(),
        primary_key: None,
    });
    let created = created.expect("a write").task_uid;
    engine
        .wait(created, Duration::from_secs(20))
        .expect("a task");
    engine
}

fn write(engine: &Engine, changes: Vec<LedgerChange>) -> u64 {
    let uid = uid();
    let accepted = engine.write(Write::Ledger { uid, changes });
    accepted.expect("a write").statements
}

fn user(id: &str) -> UserId {
    UserId::new(id).expect("an id")
}

fn item(id: &str) -> ItemId {
    ItemId::new(id).expect("an id")
}

fn kind(word: &str) -> FeedbackKind {
    FeedbackKind::new(word).expect("a word")
}

fn gave(who: &str, what: &str, word: &str, value: f64) -> Feedback {
    Feedback {
        user: user(who),
        item: item(what),
        kind: kind(word),
        value,
        time: Timestamp::from_millis(1_000),
        comment: String::new(),
    }
}

fn record(value: Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

/// Everything there is, as plain data.
type Everything = (
    BTreeMap<String, Value>,
    BTreeMap<(String, String, String), f64>,
);

fn everything(engine: &Engine) -> Everything {
    let reader = engine.index(UID).expect("the index");
    let records = reader.shopper_records(None, 1_000).expect("records");
    let records = records
        .into_iter()
        .map(|(id, record)| (id, Value::Object(record)));
    let feedback = reader.all_feedback(None, None, 1_000).expect("feedback");
    let values = feedback.iter().map(|given| {
        let FeedbackKey { user, item, kind } = given.key();
        ((user, item, kind), given.value)
    });
    let by_item: usize = (0..5)
        .map(|number| FeedbackOf::Item(item(&format!("i{number}"))))
        .map(|of| reader.feedback(&of, None, 1_000).expect("feedback").len())
        .sum();
    assert_eq!(by_item, feedback.len(), "both orders hold the same");
    (records.collect(), values.collect())
}

#[test]
fn the_ledger_is_what_was_asked_over_restarts_and_rebuilds() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut engine = with_index(dir.path());
    let mut expected: Everything = Default::default();
    let mut random = fastrand::Rng::with_seed(7);
    for round in 0..6 {
        for _ in 0..40 {
            let mut changes = Vec::new();
            for _ in 0..random.usize(1..4) {
                let who = format!("u{}", random.usize(0..5));
                let what = format!("i{}", random.usize(0..5));
                let word = ["read", "like"][random.usize(0..2)];
                let value = f64::from(random.u8(0..9));
                let (records, values) = &mut expected;
                let key = (who.clone(), what.clone(), word.to_owned());
                changes.push(match random.usize(0..8) {
                    0 => {
                        records.insert(who.clone(), json!({ "class": value }));
                        LedgerChange::PutShopper(user(&who), record(json!({ "class": value })))
                    }
                    1 => {
                        let known = records.entry(who.clone()).or_insert(json!({}));
                        known["age"] = json!(value);
                        if let Some(known) = known.as_object_mut() {
                            known.remove("class");
                        }
                        let patch = json!({ "age": value, "class": null });
                        LedgerChange::PatchShopper(user(&who), record(patch))
                    }
                    2 => {
                        records.entry(who.clone()).or_insert(json!({}));
                        LedgerChange::EnsureShopper(user(&who))
                    }
                    3 => {
                        records.remove(&who);
                        LedgerChange::RemoveShopper(user(&who))
                    }
                    4 => {
                        values.retain(|(u, i, _), _| (u, i) != (&who, &what));
                        LedgerChange::RemoveFeedback(
                            FeedbackOf::Pair(user(&who), item(&what)),
                            None,
                        )
                    }
                    5 => {
                        values.retain(|(_, i, k), _| (i.as_str(), k.as_str()) != (&what, word));
                        LedgerChange::RemoveFeedback(
                            FeedbackOf::Item(item(&what)),
                            Some(kind(word)),
                        )
                    }
                    6 => {
                        values.insert(key, value);
                        LedgerChange::SetFeedback(gave(&who, &what, word, value))
                    }
                    _ => {
                        *values.entry(key).or_default() += value;
                        LedgerChange::AddFeedback(gave(&who, &what, word, value))
                    }
                });
            }
            write(&engine, changes);
        }
        assert_eq!(everything(&engine), expected, "round {round}");
        engine.close();
        drop(engine);
        if round % 2 == 0 {
            for views in ["views", "shoppers"] {
                std::fs::remove_dir_all(dir.path().join(views)).expect("views");
            }
        }
        engine = opened(dir.path());
        assert_eq!(everything(&engine), expected, "round {round}, opened again");
    }
}

#[test]
fn writes_that_become_durable_together_rest_on_one_another() {
    let dir = tempfile::tempdir().expect("a folder");
    let engine = with_index(dir.path());
    let (done, finished) = std::sync::mpsc::channel();
    for _ in 0..200 {
        let done = done.clone();
        let changes = vec![LedgerChange::AddFeedback(gave("u", "i0", "watch", 1.0))];
        engine.submit(
            Write::Ledger {
                uid: uid(),
                changes,
            },
            move |result| {
                done.send(result.map(|accepted| accepted.statements))
                    .expect("a listener");
            },
        );
    }
    for _ in 0..200 {
        let statements = finished.recv().expect("an answer").expect("a write");
        assert_eq!(statements, 1);
    }
    let reader = engine.index(UID).expect("the index");
    let of = FeedbackOf::Pair(user("u"), item("i0"));
    let given = reader.feedback(&of, None, 10).expect("feedback");
    assert_eq!(given.len(), 1);
    assert_eq!(given[0].value, 200.0);
}

#[test]
fn a_deleted_index_leaves_no_statement_to_one_of_its_name() {
    let dir = tempfile::tempdir().expect("a folder");
    let engine = with_index(dir.path());
    write(
        &engine,
        vec![
            LedgerChange::PutShopper(user("u"), record(json!({ "a": 1 }))),
            LedgerChange::SetFeedback(gave("u", "i1", "read", 1.0)),
        ],
    );
    engine.checkpoint();
    let deleted = engine.write(Write::DeleteIndex { uid: uid() });
    let deleted = deleted.expect("a write").task_uid;
    engine
        .wait(deleted, Duration::from_secs(20))
        .expect("a task");
    let changes = vec![LedgerChange::EnsureShopper(user("u"))];
    let refused = engine.write(Write::Ledger {
        uid: uid(),
        changes,
    });
    assert!(matches!(refused, Err(crate::EngineError::IndexNotFound(_))));
    engine.close();
    drop(engine);
    let engine = with_index(dir.path());
    assert_eq!(everything(&engine), Default::default());
    let left = engine.shared().shoppers.load().snapshot();
    for view in [
        crate::tables::SHOPPERS,
        crate::tables::FEEDBACK,
        crate::tables::FEEDBACK_BY_ITEM,
    ] {
        assert_eq!(left.prefix(view, &[]).expect("a view").count(), 0);
    }
}

#[test]
fn compaction_keeps_what_holds_and_nothing_else() {
    let dir = tempfile::tempdir().expect("a folder");
    let engine = with_index(dir.path());
    write(
        &engine,
        vec![
            LedgerChange::PutShopper(user("kept"), record(json!({ "a": 1 }))),
            LedgerChange::SetFeedback(gave("kept", "i1", "read", 2.0)),
        ],
    );
    let views = engine.shared().shoppers.load().snapshot();
    let no = engine.index(UID).expect("the index").state.meta.no;
    let given = |value| {
        Some(Given {
            value,
            time: Timestamp::from_millis(1_000),
            comment: String::new(),
        })
    };
    let feedback = |who, given| Statement::Feedback {
        key: gave(who, "i1", "read", 0.0).key(),
        given,
    };
    let shopper = |who: &str, text: Option<&str>| Statement::Shopper {
        id: who.to_owned(),
        attributes: text.map(str::to_owned),
    };
    let holds = vec![
        shopper("kept", Some("{\"a\":1}")),
        feedback("kept", given(2.0)),
    ];
    let mut statements = vec![
        shopper("kept", Some("{}")),
        shopper("gone", Some("{}")),
        shopper("gone", None),
        feedback("kept", given(1.0)),
        feedback("gone", given(1.0)),
        feedback("gone", None),
    ];
    statements.splice(3..3, holds.clone());
    let dropped = drop_superseded(&views, no, &mut statements).expect("views");
    assert_eq!((dropped, statements), (6, holds));
}

#[test]
fn a_shopper_is_not_mistaken_for_another_whose_id_begins_alike() {
    let dir = tempfile::tempdir().expect("a folder");
    let engine = with_index(dir.path());
    let all = ["u", "u1", "u 1"].map(|who| LedgerChange::AddFeedback(gave(who, "i1", "read", 1.0)));
    assert_eq!(write(&engine, all.to_vec()), 3);
    write(&engine, vec![LedgerChange::EnsureShopper(user("u"))]);
    assert_eq!(
        write(&engine, vec![LedgerChange::ForgetShopper(user("u"))]),
        2
    );
    let (records, feedback) = everything(&engine);
    assert_eq!((records.len(), feedback.len()), (0, 2));
}
