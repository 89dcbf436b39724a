//! The same log gives the same profiles and the same recommendations: in one go, in pieces with
//! restarts, and rebuilt from a backup.

use domain::{Event, EventKind, IndexUid, ItemId, UserId};
use engine::{
    DocumentsWrite, Engine, Learn, OpenOptions, RecommendKind, RecommendRequest, Write, WriteMode,
};
use std::path::Path;
use std::time::Duration;

const SHOP: &str = "shop";
const SEED: u64 = 6;
const EVENTS: usize = 3_000;

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

fn stocked(dir: &Path) -> Engine {
    let engine = open(dir);
    let write = Write::Documents(DocumentsWrite {
        uid: uid(),
        primary_key: Some("id".to_owned()),
        mode: WriteMode::Replace,
        documents: testkit::catalogue(SEED),
        rows: Vec::new(),
        rejected: Vec::new(),
    });
    let accepted = engine.write(write).expect("accepted");
    engine
        .wait(accepted.task_uid, Duration::from_secs(20))
        .expect("done");
    engine
}

fn happen(engine: &Engine, events: &[Event]) {
    let events = events.to_vec();
    let write = Write::Events { uid: uid(), events };
    engine.write(write).expect("events are accepted");
}

/// Every profile and every kind of recommendation for every shopper, a line each.
fn everything(engine: &Engine) -> Vec<String> {
    engine.learn().expect("models are fitted");
    let reader = engine.index(SHOP).expect("the index");
    let mut seen = Vec::new();
    for item in testkit::catalogue(SEED) {
        let id = item["id"].as_str().expect("an id");
        let profile = reader.item_profile(id).expect("a profile");
        seen.push(serde_json::to_string(&profile).expect("JSON"));
    }
    for shopper in 1..=testkit::SHOPPERS {
        let user = UserId::new(format!("u{shopper:02}")).expect("a user");
        let profile = reader.shopper_profile(user.as_str()).expect("a profile");
        seen.push(serde_json::to_string(&profile).expect("JSON"));
        for (kind, word) in RecommendKind::ALL {
            let request = RecommendRequest {
                user: Some(user.clone()),
                items: vec![ItemId::new("p01").expect("an item")],
                explain: true,
                ..RecommendRequest::new(kind)
            };
            let found = reader.recommend(&request).expect("an answer");
            let hits = found
                .hits
                .iter()
                .map(|hit| (&hit.item, hit.score, &hit.reasons));
            seen.push(format!("{user} {word} {:?}", hits.collect::<Vec<_>>()));
        }
    }
    seen
}

#[track_caller]
fn same(found: &[String], expected: &[String]) {
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), expected.len());
}

#[test]
fn a_log_that_is_replayed_gives_the_same_answers() {
    let events = testkit::events(SEED, EVENTS);
    assert!(events.iter().any(|event| event.kind == EventKind::Dislike));
    let (one, two) = (
        tempfile::tempdir().expect("a"),
        tempfile::tempdir().expect("b"),
    );
    let engine = stocked(one.path());
    happen(&engine, &events);
    let expected = everything(&engine);
    assert!(
        expected.iter().any(|line| line.contains("bought-with [(")),
        "no recommendation"
    );

    // In pieces, with checkpoints and restarts in between.
    let mut pieces = stocked(two.path());
    for (place, events) in events.chunks(217).enumerate() {
        happen(&pieces, events);
        match place % 4 {
            1 => pieces.checkpoint(),
            3 => {
                pieces.close();
                drop(pieces);
                pieces = open(two.path());
            }
            _ => {}
        }
    }
    same(&everything(&pieces), &expected);

    // From the log alone.
    let mut backup = Vec::new();
    engine.backup(&mut backup).expect("a backup");
    let fresh = tempfile::tempdir().expect("a folder");
    Engine::restore(&mut backup.as_slice(), fresh.path()).expect("a restore");
    same(&everything(&open(fresh.path())), &expected);
}
