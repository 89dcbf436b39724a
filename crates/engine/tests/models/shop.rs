//! A small shop with a few shoppers.

use domain::{Event, EventKind, IndexUid, ItemId, Timestamp, UserId};
use engine::{DocumentsWrite, Engine, Learn, OpenOptions, Write, WriteMode};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

pub const SHOP: &str = "shop";
pub const DAY: i64 = 86_400_000;

pub fn open(dir: &Path) -> Engine {
    let options = OpenOptions {
        learn: Learn::AtClose,
        encoders: None,
    };
    Engine::open(dir, options).expect("the folder opens")
}

pub fn uid() -> IndexUid {
    IndexUid::new(SHOP).expect("a uid")
}

pub fn put(engine: &Engine, documents: Value) {
    let rows = documents.as_array().expect("an array").iter();
    let write = Write::Documents(DocumentsWrite {
        uid: uid(),
        primary_key: Some("id".to_owned()),
        mode: WriteMode::Replace,
        documents: rows
            .map(|row| row.as_object().cloned().expect("an object"))
            .collect(),
        rows: Vec::new(),
        rejected: Vec::new(),
    });
    let accepted = engine.write(write).expect("accepted");
    engine
        .wait(accepted.task_uid, Duration::from_secs(20))
        .expect("done");
}

pub fn event(user: &str, kind: EventKind, item: &str, at: i64) -> Event {
    Event {
        id: None,
        user: UserId::new(user).expect("a user"),
        kind,
        item: Some(ItemId::new(item).expect("an item")),
        query: None,
        time: Timestamp::from_millis(1_700_000_000_000 + at),
        value: None,
        price: None,
        quantity: None,
        basket: None,
        query_id: None,
    }
}

pub fn happen(engine: &Engine, events: Vec<Event>) {
    let write = Write::Events { uid: uid(), events };
    engine.write(write).expect("events are accepted");
}

pub fn item(n: usize) -> Value {
    let brand = ["Acme", "Bolt"][n % 2];
    let category = ["Lamps", "Desks"][n / 2 % 2];
    json!({
        "id": format!("i{n}"), "title": format!("Lamp number {n}"), "brand": brand,
        "categories": [category], "price": n + 1,
    })
}

pub fn stocked(dir: &Path) -> Engine {
    let engine = open(dir);
    put(&engine, (0..12).map(item).collect());
    engine
}
