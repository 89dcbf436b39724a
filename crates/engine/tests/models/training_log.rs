//! What models are trained on.

use crate::shop::{DAY, SHOP, event, happen, item, open, put, stocked};
use domain::{Event, EventKind, Timestamp};
use engine::TrainingEvent;
use serde_json::json;

#[test]
fn the_training_log_has_every_event_of_known_items_in_order() {
    let dir = tempfile::tempdir().expect("a folder");
    let engine = stocked(dir.path());
    let mut events = vec![
        event("b", EventKind::View, "i1", 0),
        event("a", EventKind::Purchase, "i3", 2 * DAY),
        event("a", EventKind::View, "gone", DAY),
        event("a", EventKind::Cart, "i2", DAY),
        event("a", EventKind::Purchase, "i4", 2 * DAY),
    ];
    events[4].quantity = Some(-2.0);
    events[4].basket = Some("order 1".to_owned());
    happen(&engine, events);
    // More than profiles keep of one shopper.
    let many = (0..300).map(|n| event("b", EventKind::Click, "i5", n + 1));
    happen(&engine, many.collect());

    let log = engine.training_log(SHOP).expect("a training log");
    let first = &log.items[1];
    assert_eq!((first.id.as_str(), log.items.len()), ("i1", 12));
    assert_eq!(first.text, "Lamp number 1. Bolt. Lamps");
    let class = (
        first.category.as_deref(),
        first.brand.as_deref(),
        first.price,
    );
    assert_eq!(class, (Some("Lamps"), Some("Bolt"), Some(2.0)));
    assert_eq!(first.vector, None);
    let [b, a] = log.shoppers.as_slice() else {
        panic!("{} shoppers", log.shoppers.len());
    };
    assert_eq!(b.len(), 301);
    let time = |days: i64| Timestamp::from_millis(1_700_000_000_000 + days * DAY);
    let expected = |item, kind, days, quantity, basket| TrainingEvent {
        item,
        kind,
        time: time(days),
        quantity,
        basket,
        query: None,
    };
    assert_eq!(
        a.as_slice(),
        [
            expected(2, EventKind::Cart, 1, 0.0, None),
            expected(3, EventKind::Purchase, 2, 1.0, Some(0)),
            expected(4, EventKind::Purchase, 2, -2.0, Some(1)),
        ]
    );
    drop(engine);
    let again = open(dir.path()).training_log(SHOP).expect("a training log");
    assert_eq!(again, log);
}

fn search(user: &str, query: &str, at: i64) -> Event {
    let mut event = event(user, EventKind::Search, "i1", at);
    event.item = None;
    event.query = Some(query.to_owned());
    event
}

#[test]
fn events_of_the_training_log_have_the_query_that_led_to_them() {
    let dir = tempfile::tempdir().expect("a folder");
    let engine = stocked(dir.path());
    let minute = 60_000;
    let mut events = vec![
        search("a", "lamp", 0),
        event("a", EventKind::View, "i1", 3 * minute),
        event("a", EventKind::Purchase, "i1", 10 * minute),
        event("a", EventKind::Purchase, "i2", 13 * minute),
        // What was told late is found in its place.
        search("a", "desk", 2 * minute),
        event("a", EventKind::Click, "i3", minute),
        event("a", EventKind::Dislike, "i4", 4 * minute),
        event("b", EventKind::Cart, "i5", 5 * minute),
        // Nobody took anything, and what was pasted is no query.
        search("b", "nothing", 50 * minute),
        search("b", &"lamp ".repeat(100), 51 * minute),
        event("b", EventKind::Cart, "i6", 52 * minute),
        search("c", "lamp", 5 * minute),
    ];
    events[7].query = Some(" lamp ".to_owned());
    happen(&engine, events);

    let log = engine.training_log(SHOP).expect("a training log");
    let texts: Vec<&str> = log
        .queries
        .iter()
        .map(|query| query.text.as_str())
        .collect();
    assert_eq!(texts, ["lamp", "desk"]);
    assert!(log.queries.iter().all(|query| query.vector.is_none()));
    let queries = |shopper: usize| -> Vec<(u32, Option<u32>)> {
        let events = log.shoppers[shopper].iter();
        events.map(|event| (event.item, event.query)).collect()
    };
    let (lamp, desk) = (Some(0), Some(1));
    assert_eq!(
        queries(0),
        [(3, lamp), (1, desk), (4, None), (1, desk), (2, None)]
    );
    assert_eq!(queries(1), [(5, lamp), (6, None)]);
    assert_eq!(log.shoppers.len(), 2, "who only asked did nothing");
}

#[test]
fn the_training_texts_say_what_belongs_together() {
    let dir = tempfile::tempdir().expect("a folder");
    let engine = open(dir.path());
    let described = |n| {
        let mut item = item(n);
        item["description"] = json!(format!("A good lamp for every room, of the kind {n}"));
        item
    };
    put(&engine, (0..12).map(described).collect());
    put(
        &engine,
        json!([{"id": "x", "title": "Mug", "description": "Holds tea", "brand": "Bolt",
                "colours": ["Red", "Dark blue"], "sizes": {"cup": "Large"}, "price": 3}]),
    );
    let minute = 60_000;
    let mut events = vec![
        search("a", "lamp", 0),
        event("a", EventKind::Click, "i2", minute),
        event("a", EventKind::Dislike, "i3", minute + 1),
        search("a", "mug", 2 * minute),
        event("a", EventKind::Purchase, "x", 3 * minute),
        event("a", EventKind::Purchase, "i4", 30 * minute),
        event("a", EventKind::Purchase, "gone", 30 * minute),
        event("b", EventKind::Click, "i5", 3 * minute),
        event("b", EventKind::Cart, "i5", 4 * minute),
        event("b", EventKind::Purchase, "i1", 5 * minute),
        event("b", EventKind::Purchase, "i2", 6 * minute),
    ];
    events[8].query = Some("bright lamp".to_owned());
    events[9].basket = Some("1".to_owned());
    events[10].basket = Some("2".to_owned());
    happen(&engine, events);

    let texts = engine.training_texts(SHOP).expect("texts");
    let mug = texts.items.last().expect("the mug");
    assert_eq!(
        (mug.title.as_str(), mug.description.as_str()),
        ("Mug", "Holds tea")
    );
    assert!(mug.encoded.starts_with("Mug. Bolt"), "{}", mug.encoded);
    for value in ["Red", "Dark blue", "Large", "Bolt"] {
        assert!(mug.attributes.iter().any(|found| found == value), "{value}");
    }
    assert!(!mug.attributes.iter().any(|found| found == "Mug"));
    let place = (texts.items.len() - 1) as u32;
    let asked = |query: &str, item: u32| (query.to_owned(), item);
    assert_eq!(
        texts.asked,
        [
            asked("lamp", 2),
            asked("mug", place),
            asked("bright lamp", 5)
        ]
    );
    assert_eq!(texts.baskets, [vec![place, 4]]);
    assert_eq!(texts.model, None);
}
