//! What recommendations promise, whatever the kind: the parts of a score sum to it, what must not be shown is not,
//! and the same request has the same answer.

use domain::{Event, EventKind, IndexUid, ItemId, Timestamp, UserId};
use engine::{
    DocumentsWrite, Engine, IndexReader, Learn, OpenOptions, RecommendKind, RecommendRequest,
    Recommendations, Write, WriteMode,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

const SHOP: &str = "shop";
const DAY: i64 = 86_400_000;

fn open(dir: &Path) -> Engine {
    let options = OpenOptions {
        learn: Learn::AtClose,
        encoders: None,
    };
    Engine::open(dir, options).expect("the folder opens")
}

fn uid() -> IndexUid {
    IndexUid::new(SHOP).expect("a valid uid")
}

fn put(engine: &Engine, documents: Vec<Map<String, Value>>) {
    let write = Write::Documents(DocumentsWrite {
        uid: uid(),
        primary_key: Some("id".to_owned()),
        mode: WriteMode::Replace,
        documents,
        rows: Vec::new(),
        rejected: Vec::new(),
    });
    let accepted = engine.write(write).expect("the write is accepted");
    let task = engine.wait(accepted.task_uid, Duration::from_secs(20));
    assert_eq!(task.expect("the task exists").error, None);
}

fn tell(engine: &Engine, events: Vec<Event>) {
    let write = Write::Events { uid: uid(), events };
    engine.write(write).expect("the events are accepted");
}

fn event(kind: EventKind, user: &str, item: &str, time: i64) -> Event {
    Event {
        id: None,
        user: UserId::new(user).expect("a user"),
        kind,
        item: Some(ItemId::new(item).expect("an item")),
        query: None,
        time: Timestamp::from_millis(1_704_067_200_000 + time),
        value: None,
        price: None,
        quantity: None,
        basket: None,
        query_id: None,
    }
}

fn item(id: &str) -> ItemId {
    ItemId::new(id).expect("an item")
}

fn by(kind: RecommendKind, user: &str) -> RecommendRequest {
    RecommendRequest {
        user: Some(UserId::new(user).expect("a user")),
        ..RecommendRequest::new(kind)
    }
}

fn ids(answer: &Recommendations) -> Vec<&str> {
    answer.hits.iter().map(|hit| hit.item.as_str()).collect()
}

/// The small shop with everything its shoppers did; made once.
fn visited() -> &'static IndexReader {
    static SHOP_OPEN: OnceLock<(tempfile::TempDir, Engine, IndexReader)> = OnceLock::new();
    let (_, _, reader) = SHOP_OPEN.get_or_init(|| {
        let dir = tempfile::tempdir().expect("a folder");
        let engine = open(dir.path());
        put(&engine, testkit::catalogue(7));
        tell(&engine, testkit::events(7, 900));
        engine.learn().expect("models");
        let reader = engine.index(SHOP).expect("the index");
        (dir, engine, reader)
    });
    reader
}

/// Any request that has what its kind needs.
fn requests() -> impl Strategy<Value = RecommendRequest> {
    let ids = || prop::collection::vec(1_usize..=42, 0..4);
    let named = |numbers: Vec<usize>| -> Vec<ItemId> {
        numbers
            .iter()
            .map(|number| item(&format!("p{number:02}")))
            .collect()
    };
    let kind = 0..RecommendKind::ALL.len();
    let user = prop_oneof![Just("u01"), Just("u07"), Just("nobody")];
    let share = prop_oneof![Just(0.0), Just(0.05), 0.0..0.5_f64];
    (
        kind,
        user,
        ids(),
        ids(),
        ids(),
        0.0..=1.0_f64,
        share,
        0_usize..12,
    )
        .prop_map(
            move |(kind, user, items, basket, exclude, diversity, exploration, offset)| {
                RecommendRequest {
                    items: named(items),
                    basket: named(basket),
                    exclude: named(exclude),
                    diversity,
                    exploration,
                    offset,
                    sold_out: offset % 2 == 0,
                    owned: offset % 3 == 0,
                    explain: true,
                    ..by(RecommendKind::ALL[kind].0, user)
                }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn the_parts_of_a_score_sum_to_it_and_scores_only_fall(request in requests()) {
        let answer = visited().recommend(&request).expect("an answer");
        for hit in &answer.hits {
            let sum: f64 = hit.reasons.iter().map(|reason| reason.value).sum();
            let score = f64::from(hit.score.get());
            prop_assert!((sum - score).abs() < 1e-4 * score.abs().max(1.0), "{request:?}: {hit:?}");
        }
        let scores: Vec<f32> = answer.hits.iter().map(|hit| hit.score.get()).collect();
        prop_assert!(scores.is_sorted_by(|a, b| a >= b), "{request:?}: {scores:?}");
        let shown: HashSet<&str> = ids(&answer).into_iter().collect();
        prop_assert_eq!(shown.len(), answer.hits.len(), "an item came twice");
        prop_assert!(request.exclude.iter().all(|item| !shown.contains(item.as_str())));
        let again = visited().recommend(&request).expect("an answer");
        prop_assert_eq!(ids(&answer), ids(&again));
        let is_full = answer.hits.len() == request.limit;
        prop_assert_eq!(answer.fewer.is_some(), !is_full, "{:?}", answer.fewer);
    }

    #[test]
    fn pages_are_one_list(request in requests()) {
        let whole = RecommendRequest { offset: 0, limit: 40, ..request.clone() };
        let whole = visited().recommend(&whole).expect("an answer");
        let page = visited().recommend(&request).expect("an answer");
        let expected: Vec<&str> = ids(&whole).into_iter().skip(request.offset).take(10).collect();
        prop_assert_eq!(ids(&page), expected);
    }
}

/// Six items in each of two categories, and the same brand for three of each.
fn shelves() -> Vec<Map<String, Value>> {
    let mut documents = Vec::new();
    for (category, name) in [("Lamps", "lamp"), ("Mugs", "mug")] {
        for number in 0..6 {
            let document = json!({
                "id": format!("{name}{number}"), "title": format!("{name} number {number}"),
                "categories": [category], "brand": if number < 3 { "Lumen" } else { "Other" },
                "price": 10 + number, "stock": if number == 5 { 0 } else { 9 },
            });
            documents.push(document.as_object().expect("an object").clone());
        }
    }
    documents
}

/// Everybody buys mugs, more of those with the smaller numbers.
fn mugs_are_popular(engine: &Engine) {
    let mut events = Vec::new();
    for number in 0..6 {
        for buyer in 0..(20 - number) {
            let time = buyer * DAY + number;
            events.push(event(
                EventKind::Purchase,
                &format!("b{buyer}"),
                &format!("mug{number}"),
                time,
            ));
        }
        // Each lamp was bought once, by someone who bought nothing else.
        let lamp = format!("lamp{number}");
        events.push(event(EventKind::Purchase, &lamp, &lamp, number));
    }
    tell(engine, events);
}

#[test]
fn a_few_views_say_more_than_what_everybody_buys() {
    let dir = tempfile::tempdir().expect("a folder");
    let engine = open(dir.path());
    put(&engine, shelves());
    mugs_are_popular(&engine);
    engine.learn().expect("models");
    let first = |request: &RecommendRequest| -> String {
        let reader = engine.index(SHOP).expect("the index");
        ids(&reader.recommend(request).expect("an answer"))[0].to_owned()
    };
    let nobody = by(RecommendKind::ForYou, "nobody");
    assert_eq!(first(&nobody), "mug0", "nothing is known: what is popular");
    tell(
        &engine,
        vec![event(EventKind::View, "nobody", "lamp1", 30 * DAY)],
    );
    let lamp = first(&nobody);
    assert!(lamp.starts_with("lamp"), "{lamp}");
    // The same for somebody without a name, who has the lamp in front of them.
    let visitor = RecommendRequest {
        items: vec![item("lamp1")],
        ..RecommendRequest::new(RecommendKind::ForYou)
    };
    let lamp = first(&visitor);
    assert!(lamp.starts_with("lamp") && lamp != "lamp1", "{lamp}");
}

#[test]
fn sold_out_items_stay_away_unless_asked_for() {
    let dir = tempfile::tempdir().expect("a folder");
    let engine = open(dir.path());
    put(&engine, shelves());
    mugs_are_popular(&engine);
    let ask = |request: &RecommendRequest| -> Vec<String> {
        let reader = engine.index(SHOP).expect("the index");
        let answer = reader.recommend(request).expect("an answer");
        ids(&answer).into_iter().map(str::to_owned).collect()
    };
    let mut popular = RecommendRequest {
        limit: 12,
        ..RecommendRequest::new(RecommendKind::Popular)
    };
    let shown = ask(&popular);
    assert_eq!(shown.len(), 10);
    assert!(!shown.contains(&"mug5".to_owned()) && !shown.contains(&"lamp5".to_owned()));
    popular.sold_out = true;
    assert_eq!(ask(&popular).len(), 12);
    // In stock again: shown as soon as the document is.
    let mut mug = shelves().remove(11);
    mug.insert("stock".to_owned(), json!(3));
    put(&engine, vec![mug]);
    popular.sold_out = false;
    assert!(ask(&popular).contains(&"mug5".to_owned()));
}

#[test]
fn diversity_mixes_the_shelves() {
    let dir = tempfile::tempdir().expect("a folder");
    let engine = open(dir.path());
    put(&engine, shelves());
    mugs_are_popular(&engine);
    let reader = engine.index(SHOP).expect("the index");
    let lamps_in_front = |diversity: f64| -> usize {
        let request = RecommendRequest {
            diversity,
            limit: 4,
            ..RecommendRequest::new(RecommendKind::Popular)
        };
        let answer = reader.recommend(&request).expect("an answer");
        ids(&answer)
            .iter()
            .filter(|id| id.starts_with("lamp"))
            .count()
    };
    assert_eq!(lamps_in_front(0.0), 0);
    assert_eq!(lamps_in_front(1.0), 2);
}

#[test]
fn a_dislike_moves_back_what_is_like_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let engine = open(dir.path());
    put(&engine, shelves());
    mugs_are_popular(&engine);
    let request = RecommendRequest {
        explain: true,
        ..by(RecommendKind::Popular, "u")
    };
    let ask = || {
        let reader = engine.index(SHOP).expect("the index");
        reader.recommend(&request).expect("an answer")
    };
    assert_eq!(&ids(&ask())[..4], ["mug0", "mug1", "mug2", "mug3"]);
    tell(
        &engine,
        vec![event(EventKind::Dislike, "u", "mug0", 30 * DAY)],
    );
    let after = ask();
    // mug1 and mug2 are of its brand and category, mug3 and mug4 of another brand.
    assert_eq!(&ids(&after)[..4], ["mug3", "mug4", "mug1", "mug2"]);
    let moved = &after.hits[2];
    assert!(
        moved
            .reasons
            .iter()
            .any(|reason| reason.because == "dislike" && reason.value < 0.0)
    );
}

#[test]
fn new_items_have_their_share_of_places_and_no_more() {
    let dir = tempfile::tempdir().expect("a folder");
    let engine = open(dir.path());
    let known = (0..40).map(|number| format!("old{number}"));
    let new = (0..30).map(|number| format!("new{number}"));
    let documents = known.chain(new).map(|id| {
        let document = json!({"id": id, "title": format!("thing {id}")});
        document.as_object().expect("an object").clone()
    });
    put(&engine, documents.collect());
    let mut events = Vec::new();
    for number in 0..40 {
        for buyer in 0..(50 - number) {
            events.push(event(
                EventKind::Purchase,
                &format!("b{buyer}"),
                &format!("old{number}"),
                number,
            ));
        }
    }
    tell(&engine, events);
    let reader = engine.index(SHOP).expect("the index");
    let new_of = |user: &str, exploration: f64| -> Vec<(usize, String)> {
        let request = RecommendRequest {
            exploration,
            limit: 40,
            ..by(RecommendKind::ForYou, user)
        };
        let answer = reader.recommend(&request).expect("an answer");
        let places = ids(&answer).into_iter().enumerate();
        places
            .filter(|(_, id)| id.starts_with("new"))
            .map(|(place, id)| (place, id.to_owned()))
            .collect()
    };
    assert_eq!(new_of("x", 0.0), []);
    let tenth = new_of("x", 0.1);
    assert_eq!(tenth.len(), 4, "{tenth:?}");
    for (block, (place, _)) in tenth.iter().enumerate() {
        assert!(
            (block * 10 + 1..block * 10 + 10).contains(place),
            "{tenth:?}"
        );
    }
    assert_eq!(new_of("x", 0.1), tenth, "the same all day");
    let shown: HashSet<String> = (0..40)
        .flat_map(|user| new_of(&format!("x{user}"), 0.1))
        .map(|(_, id)| id)
        .collect();
    assert!(
        shown.len() > 20,
        "each new item meets some shoppers: {shown:?}"
    );
}

#[test]
fn similar_items_share_words_category_and_brand() {
    let dir = tempfile::tempdir().expect("a folder");
    let engine = open(dir.path());
    put(&engine, shelves());
    let reader = engine.index(SHOP).expect("the index");
    let request = RecommendRequest {
        items: vec![item("lamp0")],
        ..RecommendRequest::new(RecommendKind::Similar)
    };
    let answer = reader.recommend(&request).expect("an answer");
    let found = ids(&answer);
    // The lamp that is sold out stays away; one mug has a rare word of the title.
    assert_eq!(found.len(), 5, "{found:?}");
    assert!(
        found[..2].iter().all(|id| ["lamp1", "lamp2"].contains(id)),
        "{found:?}"
    );
    assert!(
        ["lamp3", "lamp4", "mug0"]
            .iter()
            .all(|id| found.contains(id)),
        "{found:?}"
    );
    assert!(
        answer.trace.iter().any(|report| report.error.is_some()),
        "words stood in for vectors"
    );
    let unknown = RecommendRequest {
        items: vec![item("none")],
        ..RecommendRequest::new(RecommendKind::Similar)
    };
    let answer = reader.recommend(&unknown).expect("an answer");
    assert!(answer.hits.is_empty() && answer.fewer.is_some());
}

#[test]
fn what_was_viewed_in_one_visit_goes_together() {
    let dir = tempfile::tempdir().expect("a folder");
    let engine = open(dir.path());
    put(&engine, shelves());
    let mut events = Vec::new();
    for visitor in 0..5 {
        let user = format!("v{visitor}");
        events.push(event(EventKind::View, &user, "lamp1", visitor * DAY));
        events.push(event(
            EventKind::View,
            &user,
            "mug2",
            visitor * DAY + 60_000,
        ));
    }
    // The next day is another visit.
    events.push(event(EventKind::View, "v0", "mug4", 9 * DAY));
    tell(&engine, events);
    let reader = engine.index(SHOP).expect("the index");
    let request = RecommendRequest {
        items: vec![item("lamp1")],
        ..RecommendRequest::new(RecommendKind::AlsoViewed)
    };
    let answer = reader.recommend(&request).expect("an answer");
    assert_eq!(ids(&answer), ["mug2"]);
    assert_eq!(
        answer.fewer.as_deref(),
        Some(
            "few items were viewed by those who viewed the ones in hand: 1 items are all there are"
        )
    );
}

/// A request may name as many items as fit into it, and is answered as quickly.
#[test]
fn of_very_many_items_in_hand_the_last_count() {
    let dir = tempfile::tempdir().expect("a folder");
    let engine = open(dir.path());
    put(&engine, shelves());
    mugs_are_popular(&engine);
    let mut items: Vec<ItemId> = (0..50_000)
        .map(|no| item(&format!("unknown{no}")))
        .collect();
    items.insert(0, item("lamp1"));
    let reader = engine.index(SHOP).expect("the index");
    let like = |items: Vec<ItemId>| {
        let request = RecommendRequest {
            items,
            ..RecommendRequest::new(RecommendKind::Similar)
        };
        let answer = reader.recommend(&request).expect("an answer");
        ids(&answer)
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(like(items.clone()), Vec::<String>::new());
    items.push(item("lamp2"));
    let found = like(items);
    assert!(!found.is_empty());
    // What is named is in front of the shopper, however long ago.
    assert!(!found.contains(&"lamp1".to_owned()), "{found:?}");
}
