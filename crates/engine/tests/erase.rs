//! The rights of a shopper: an export has everything, and after an erasure nothing is left.

use domain::{Event, EventKind, IndexUid, ItemId, Timestamp, UserId};
use engine::{
    Engine, EngineError, Feedback, FeedbackKind, FeedbackOf, Learn, LedgerChange, OpenOptions,
    RecommendKind, RecommendRequest, Write,
};
use std::fs;
use std::path::Path;
use std::time::Duration;

const SHOP: &str = "shop";
/// Long enough that it is in no file by chance.
const ERASED: &str = "someone-who-wants-to-be-forgotten";

fn open(dir: &Path) -> Engine {
    let options = OpenOptions {
        learn: Learn::AtClose,
        encoders: None,
    };
    Engine::open(dir, options).expect("the folder opens")
}

fn uid() -> IndexUid {
    IndexUid::new(SHOP).expect("a uid")
}

fn user(id: &str) -> UserId {
    UserId::new(id).expect("a user")
}

fn created(dir: &Path) -> Engine {
    let engine = open(dir);
    let primary_key = None;
    let made = engine
        .write(Write::CreateIndex {
            uid: uid(),
            primary_key,
        })
        .expect("a write");
    engine
        .wait(made.task_uid, Duration::from_secs(20))
        .expect("a task");
    engine
}

/// Events of five shoppers, one of whom is to be erased, who view and buy the same few items.
fn events() -> Vec<Event> {
    let users = ["ann", "bob", ERASED, "cid", "dan"];
    let mut events = Vec::new();
    for step in 0..400_i64 {
        let who = users[(step * step + step / 7) as usize % users.len()];
        let kind = EventKind::ALL[(step / 3) as usize % EventKind::ALL.len()];
        let search = kind == EventKind::Search;
        events.push(Event {
            id: Some(format!("{who}/{step}")),
            user: user(who),
            kind,
            item: (!search).then(|| ItemId::new(format!("i{}", step % 11)).expect("an item")),
            query: search.then(|| format!("what {who} wants")),
            time: Timestamp::from_millis(1_300_000_000_000 + step * 600_000),
            value: Some((step % 5 + 1) as f64),
            price: Some((step % 7 + 1) as f64),
            quantity: None,
            basket: None,
            query_id: None,
        });
    }
    events
}

fn happen(engine: &Engine, events: Vec<Event>) {
    for events in events.chunks(37) {
        let write = Write::Events {
            uid: uid(),
            events: events.to_vec(),
        };
        engine.write(write).expect("events are accepted");
        state(engine, events);
    }
}

/// Records and feedback of the shoppers of these events.
fn state(engine: &Engine, events: &[Event]) {
    let mut changes = Vec::new();
    for event in events {
        let record = serde_json::json!({ "from": event.user.as_str() });
        let record = record.as_object().cloned().unwrap_or_default();
        changes.push(LedgerChange::PutShopper(event.user.clone(), record));
        changes.extend(event.item.clone().map(|item| {
            LedgerChange::AddFeedback(Feedback {
                user: event.user.clone(),
                item,
                kind: FeedbackKind::new("star").expect("a kind"),
                value: 1.0,
                time: event.time,
                comment: format!("says {}", event.user),
            })
        }));
    }
    let write = Write::Ledger {
        uid: uid(),
        changes,
    };
    engine.write(write).expect("statements are accepted");
}

/// Profiles and recommendations of all who are left, as text.
fn everything(engine: &Engine) -> String {
    let reader = engine.index(SHOP).expect("the index");
    let mut seen = String::new();
    for user in ["ann", "bob", "cid", "dan"] {
        let profile = reader.shopper_profile(user).expect("a profile");
        seen += &serde_json::to_string(&profile).expect("JSON");
        let record = reader.shopper_record(user).expect("readable");
        seen += &format!("\n{record:?}\n");
    }
    for item in 0..11 {
        let id = format!("i{item}");
        let profile = reader.item_profile(&id).expect("a profile");
        seen += &serde_json::to_string(&profile).expect("JSON");
        let of = FeedbackOf::Item(ItemId::new(id).expect("an item"));
        let feedback = reader.feedback(&of, None, 100).expect("readable");
        seen += &format!("\n{feedback:?}\n");
    }
    for kind in [RecommendKind::Popular, RecommendKind::Trending] {
        let found = reader
            .recommend(&RecommendRequest::new(kind))
            .expect("an answer");
        seen += &format!("{:?}\n", found.total);
    }
    let stats = reader.stats().expect("stats");
    seen + &format!(
        "{} {} {}",
        stats.events, stats.shoppers, stats.items_with_events
    )
}

/// The files below a folder that hold these bytes.
fn holders(dir: &Path, bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(holders(&path, bytes));
            continue;
        }
        let content = fs::read(&path).expect("a file");
        if content.windows(bytes.len()).any(|window| window == bytes) {
            found.push(path.display().to_string());
        }
    }
    found
}

/// What a log says that never had the shopper.
fn expected() -> String {
    let dir = tempfile::tempdir().expect("a folder");
    let engine = created(dir.path());
    let mut others = events();
    others.retain(|event| event.user.as_str() != ERASED);
    happen(&engine, others);
    everything(&engine)
}

#[test]
fn an_export_has_every_event_and_the_profile() {
    let dir = tempfile::tempdir().expect("a folder");
    let engine = created(dir.path());
    happen(&engine, events());
    let own = events()
        .into_iter()
        .filter(|event| event.user.as_str() == ERASED);
    let ids: Vec<Option<String>> = own.map(|event| event.id).collect();
    let export = engine.export_shopper(SHOP, ERASED).expect("an export");
    let found: Vec<Option<String>> = export
        .events
        .iter()
        .map(|event| event.event_id.clone())
        .collect();
    assert_eq!(found, ids);
    let profile = export.profile.expect("a profile");
    assert_eq!(profile.events.values().sum::<u64>(), ids.len() as u64);
    assert_eq!(export.record.expect("a record")["from"], ERASED);
    let stars: f64 = export.feedback.iter().map(|given| given.value).sum();
    let own = events().into_iter();
    let own = own.filter(|event| event.user.as_str() == ERASED && event.item.is_some());
    assert_eq!(stars, own.count() as f64);
    let unknown = engine
        .export_shopper(SHOP, "nobody")
        .expect_err("a refusal");
    assert!(
        matches!(unknown, EngineError::ShopperNotFound(_)),
        "{unknown}"
    );
}

#[test]
fn after_an_erasure_nothing_is_left_and_the_others_are_as_if_nobody_had_been() {
    let dir = tempfile::tempdir().expect("a folder");
    let engine = created(dir.path());
    happen(&engine, events());
    // Into the views, and out of the memory of the database.
    engine.checkpoint();
    assert!(!holders(dir.path(), ERASED.as_bytes()).is_empty());

    let own = events()
        .iter()
        .filter(|event| event.user.as_str() == ERASED)
        .count();
    let erased = engine
        .erase_shopper(SHOP, &user(ERASED))
        .expect("an erasure");
    assert_eq!(erased.events, own as u64);
    assert_eq!(holders(dir.path(), ERASED.as_bytes()), [""; 0]);
    assert_eq!(everything(&engine), expected());
    let again = engine
        .erase_shopper(SHOP, &user(ERASED))
        .expect_err("nobody");
    assert!(matches!(again, EngineError::ShopperNotFound(_)), "{again}");

    // What is kept is what is seen, and what a log says that is read from its start.
    engine.checkpoint();
    engine.close();
    drop(engine);
    let engine = open(dir.path());
    assert_eq!(everything(&engine), expected());
    assert_eq!(holders(dir.path(), ERASED.as_bytes()), [""; 0]);
    engine.close();
    drop(engine);
    fs::remove_dir_all(dir.path().join("shoppers")).expect("removed");
    assert_eq!(everything(&open(dir.path())), expected());
}

#[test]
fn whoever_comes_back_is_somebody_new() {
    let dir = tempfile::tempdir().expect("a folder");
    let engine = created(dir.path());
    happen(&engine, events());
    engine
        .erase_shopper(SHOP, &user(ERASED))
        .expect("an erasure");
    // The very same event: its id is forgotten too.
    let first = events()
        .into_iter()
        .find(|event| event.user.as_str() == ERASED);
    happen(&engine, first.into_iter().collect());
    let count = |engine: &Engine| {
        let reader = engine.index(SHOP).expect("the index");
        let profile = reader.shopper_profile(ERASED).expect("a profile");
        profile.events.values().sum::<u64>()
    };
    assert_eq!(count(&engine), 1);
    engine.close();
    drop(engine);
    assert_eq!(count(&open(dir.path())), 1);
}

#[test]
fn events_that_come_while_a_shopper_is_erased_are_kept() {
    let dir = tempfile::tempdir().expect("a folder");
    let engine = created(dir.path());
    happen(&engine, events());
    let late: Vec<Event> = events()
        .into_iter()
        .filter(|event| event.user.as_str() != ERASED)
        .map(|event| Event {
            id: event.id.map(|id| format!("late {id}")),
            ..event
        })
        .collect();
    let writer = engine.clone();
    let thread = std::thread::spawn(move || happen(&writer, late));
    engine
        .erase_shopper(SHOP, &user(ERASED))
        .expect("an erasure");
    thread.join().expect("all were accepted");
    let before = everything(&engine);
    engine.close();
    drop(engine);
    fs::remove_dir_all(dir.path().join("shoppers")).expect("removed");
    assert_eq!(everything(&open(dir.path())), before);
    assert_eq!(holders(dir.path(), ERASED.as_bytes()), [""; 0]);
}

#[test]
fn whoever_did_nothing_but_has_a_record_is_erased_too() {
    let dir = tempfile::tempdir().expect("a folder");
    let engine = created(dir.path());
    let changes = vec![LedgerChange::PutShopper(
        user(ERASED),
        serde_json::Map::new(),
    )];
    let write = Write::Ledger {
        uid: uid(),
        changes,
    };
    engine.write(write).expect("a statement");
    let export = engine.export_shopper(SHOP, ERASED).expect("an export");
    assert!(export.profile.is_none() && export.record.is_some());
    let erased = engine.erase_shopper(SHOP, &user(ERASED));
    assert_eq!(erased.expect("an erasure").events, 0);
    assert_eq!(holders(dir.path(), ERASED.as_bytes()), [""; 0]);
}
