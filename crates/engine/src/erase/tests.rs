//! An erasure that a crash interrupts is ended by the next start.

use super::*;
use crate::{Learn, LedgerChange, OpenOptions, Write};
use domain::{Event, EventKind, ItemId};
use std::fs;
use std::time::Duration;

const ERASED: &str = "someone-who-wants-to-be-forgotten";

fn open(dir: &Path) -> Engine {
    let options = OpenOptions {
        learn: Learn::AtClose,
        encoders: None,
    };
    Engine::open(dir, options).expect("the folder opens")
}

fn event(user: &str, number: i64) -> Event {
    Event {
        id: None,
        user: UserId::new(user).expect("a user"),
        kind: EventKind::View,
        item: Some(ItemId::new(format!("i{}", number % 3)).expect("an item")),
        query: None,
        time: Timestamp::from_millis(1_300_000_000_000 + number),
        value: None,
        price: None,
        quantity: None,
        basket: None,
        query_id: None,
    }
}

/// A shop in which two shoppers did the same.
fn shop(dir: &Path) -> Engine {
    let engine = open(dir);
    let uid = IndexUid::new("shop").expect("a uid");
    let made = engine.write(Write::CreateIndex {
        uid: uid.clone(),
        primary_key: None,
    });
    let made = made.expect("a write");
    engine
        .wait(made.task_uid, Duration::from_secs(20))
        .expect("a task");
    for number in 0..10 {
        let events = vec![event("ann", number), event(ERASED, number)];
        let uid = uid.clone();
        engine.write(Write::Events { uid, events }).expect("events");
    }
    let changes = [ERASED, "ann"].map(|user| {
        let user = UserId::new(user).expect("a user");
        LedgerChange::PutShopper(user, serde_json::Map::new())
    });
    let changes = changes.to_vec();
    engine
        .write(Write::Ledger { uid, changes })
        .expect("statements");
    engine.checkpoint();
    engine
}

fn bytes_are_below(dir: &Path, bytes: &[u8]) -> bool {
    folder::entries(dir).iter().any(|path| match path.is_dir() {
        true => bytes_are_below(path, bytes),
        false => {
            let content = fs::read(path).expect("a file");
            content.windows(bytes.len()).any(|window| window == bytes)
        }
    })
}

/// Does part of an erasure, stops, and looks at what the next start makes of it.
fn interrupted_after(part: impl Fn(&Engine, &IndexReader, &UserId)) {
    let dir = tempfile::tempdir().expect("a folder");
    let engine = shop(dir.path());
    let reader = engine.index("shop").expect("the index");
    let user = UserId::new(ERASED).expect("a user");
    part(&engine, &reader, &user);
    assert!(
        bytes_are_below(dir.path(), ERASED.as_bytes()),
        "no part of it"
    );
    drop(reader);
    engine.close();
    drop(engine);

    let engine = open(dir.path());
    assert!(!bytes_are_below(dir.path(), ERASED.as_bytes()));
    let reader = engine.index("shop").expect("the index");
    let gone = reader.shopper_profile(ERASED);
    assert!(matches!(gone, Err(EngineError::ShopperNotFound(_))));
    assert_eq!(
        reader.shopper_profile("ann").expect("ann").events["view"],
        10
    );
    let record = |user| reader.shopper_record(user).expect("readable");
    assert_eq!((record(ERASED), record("ann").is_some()), (None, true));
    let item = reader.item_profile("i0").expect("an item");
    assert_eq!(item.events.expect("events").views, 4);
    // Nothing is left to be ended.
    let shared = engine.shared();
    let left = unfinished(&shared.log, &shared.shoppers.load()).expect("readable");
    assert!(left.is_empty());
}

#[test]
fn after_its_record_was_written() {
    interrupted_after(|engine, reader, user| {
        engine.write_erasure(reader, user).expect("a record");
    });
}

#[test]
fn after_its_record_was_written_and_the_views_went_on() {
    interrupted_after(|engine, reader, user| {
        engine.write_erasure(reader, user).expect("a record");
        let uid = IndexUid::new("shop").expect("a uid");
        // Something must have happened for views to be saved.
        let events = vec![event("bob", 1)];
        engine.write(Write::Events { uid, events }).expect("events");
        engine.checkpoint();
    });
}

#[test]
fn after_the_log_was_written_anew() {
    interrupted_after(|engine, reader, user| {
        let seq = engine.write_erasure(reader, user).expect("a record");
        let shared = engine.shared();
        let index = reader.state.meta.no;
        let traces = Traces::find(&shared.log, index, ERASED, seq).expect("traces");
        // Ten with events and one with a statement.
        assert_eq!((traces.events, traces.records.len()), (10, 11));
        shared.log.seal().expect("sealed");
        forget(&shared.log, &traces.records, index, user).expect("rewritten");
    });
}

#[test]
fn after_the_profiles_were_exchanged() {
    interrupted_after(|engine, reader, user| {
        let seq = engine.write_erasure(reader, user).expect("a record");
        let shared = engine.shared();
        let index = reader.state.meta.no;
        let traces = Traces::find(&shared.log, index, ERASED, seq).expect("traces");
        shared.log.seal().expect("sealed");
        forget(&shared.log, &traces.records, index, user).expect("rewritten");
        let forgotten = Forgotten {
            index,
            user: user.clone(),
            events: traces.ids,
        };
        engine.exchange(forgotten).expect("exchanged");
    });
}
