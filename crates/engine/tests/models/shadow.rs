//! A candidate that ranks beside the live model, unseen.

use crate::shop::{SHOP, event, happen, open};
use crate::{add, check_states, recommend, told, visited};
use domain::{EventKind, UserId};
use engine::ModelState::{Candidate, Live, Retired, Shadow};
use engine::{Comparison, Engine, EngineError, RecommendKind, RecommendRequest};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// A shop whose first model is live and whose second is the shadow.
fn with_shadow(dir: &Path, elsewhere: &Path) -> Engine {
    let engine = visited(dir);
    let (first, second) = (add(&engine, elsewhere, 1), add(&engine, elsewhere, 2));
    engine.promote_model(SHOP, &first, false).expect("live");
    engine.shadow_model(SHOP, &second).expect("the shadow");
    engine
}

fn folders() -> [TempDir; 2] {
    [(), ()].map(|()| tempfile::tempdir().expect("a folder"))
}

/// The numbers of a model; a restart may read the last digit of a mean differently.
fn comparison(engine: &Engine, id: &str) -> Option<Comparison> {
    let found = engine.model(SHOP, id).expect("a model").0.comparison?;
    let rounded = |mean: f64| (1e9 * mean).round() / 1e9;
    Some(Comparison {
        agreement: rounded(found.agreement),
        mrr: rounded(found.mrr),
        live_mrr: rounded(found.live_mrr),
        ..found
    })
}

/// Asks for a shopper until the shadow has ranked that too.
fn ask_until_ranked(engine: &Engine, user: &str) {
    let requests = || comparison(engine, "affinity-2").map_or(0, |it| it.requests);
    let before = requests();
    let mut request = RecommendRequest::new(RecommendKind::ForYou);
    request.user = Some(UserId::new(user).expect("a user"));
    for _ in 0..500 {
        let reader = engine.index(SHOP).expect("the index");
        reader.recommend(&request).expect("an answer");
        thread::sleep(Duration::from_millis(10));
        if requests() > before {
            return;
        }
    }
    panic!("the shadow never ranked");
}

#[test]
fn one_candidate_at_a_time_is_the_shadow() {
    let [dir, elsewhere] = folders();
    let engine = visited(dir.path());
    let ids = [1, 2, 3].map(|seed| add(&engine, elsewhere.path(), seed));
    let shadow = |at: usize| engine.shadow_model(SHOP, &ids[at]);
    let refused = shadow(0).expect_err("nothing is live");
    assert!(
        matches!(refused, EngineError::NothingToCompareWith(_)),
        "{refused}"
    );
    engine.promote_model(SHOP, &ids[0], false).expect("live");
    let refused = shadow(0).expect_err("it is live");
    assert!(
        matches!(refused, EngineError::NotACandidate { .. }),
        "{refused}"
    );
    shadow(1).expect("the shadow");
    shadow(1).expect("it is already");
    check_states(&engine, &[Live, Shadow, Candidate]);
    shadow(2).expect("the shadow");
    check_states(&engine, &[Live, Candidate, Shadow]);
    let refused = engine.withdraw_model(SHOP, &ids[1]);
    let refused = refused.expect_err("it is none any more");
    assert!(
        matches!(refused, EngineError::NotTheShadow { .. }),
        "{refused}"
    );
    engine.withdraw_model(SHOP, &ids[2]).expect("a candidate");
    shadow(1).expect("again");
    drop(engine);

    let engine = open(dir.path());
    check_states(&engine, &[Live, Shadow, Candidate]);
    engine.promote_model(SHOP, &ids[1], false).expect("live");
    check_states(&engine, &[Retired, Live, Candidate]);
    let answer = recommend(&engine, RecommendKind::ForYou);
    assert_eq!(answer.model.as_deref(), Some("affinity-2"));
}

#[test]
fn the_shadow_is_compared_with_the_live_model_by_what_shoppers_do() {
    let [dir, elsewhere] = folders();
    let engine = with_shadow(dir.path(), elsewhere.path());
    assert_eq!(comparison(&engine, "affinity-2"), None);
    for user in ["u1", "u2", "u3"] {
        ask_until_ranked(&engine, user);
    }
    happen(
        &engine,
        vec![
            event("u1", EventKind::Purchase, "i10", 90_000_000),
            event("u2", EventKind::View, "i11", 90_000_000),
            event("u2", EventKind::View, "i10", 90_000_001),
            event("nobody", EventKind::View, "i1", 90_000_000),
        ],
    );
    let found = comparison(&engine, "affinity-2").expect("numbers");
    assert_eq!(found.beside, "affinity-1");
    assert_eq!((found.requests >= 3, found.cases), (true, 2));
    assert_eq!(found.wins + found.ties + found.losses, 2);
    // Both rank all twelve items, so nothing has a rank of none.
    assert!(found.mrr >= 1.0 / 12.0 && found.live_mrr >= 1.0 / 12.0);
    assert!((0.0..=1.0).contains(&found.agreement));
    assert_eq!(comparison(&engine, "affinity-1"), None);
    drop(engine);

    // A restart goes on from the numbers.
    let engine = open(dir.path());
    assert_eq!(comparison(&engine, "affinity-2"), Some(found.clone()));
    ask_until_ranked(&engine, "u3");
    engine
        .erase_shopper(SHOP, &UserId::new("u3").expect("a user"))
        .expect("erased");
    happen(
        &engine,
        vec![event("u3", EventKind::View, "i1", 90_000_000)],
    );
    let found = comparison(&engine, "affinity-2").expect("numbers");
    assert_eq!(found.cases, 2);

    // What it did stays with it when it is the shadow no longer.
    engine
        .promote_model(SHOP, "affinity-2", false)
        .expect("live");
    assert_eq!(comparison(&engine, "affinity-2"), Some(found.clone()));
    drop(engine);
    let engine = open(dir.path());
    assert_eq!(comparison(&engine, "affinity-2"), Some(found));
}

#[test]
fn a_damaged_shadow_costs_itself_and_no_answer() {
    let [dir, elsewhere] = folders();
    let engine = with_shadow(dir.path(), elsewhere.path());
    let live = told(&recommend(&engine, RecommendKind::ForYou));
    drop(engine);
    let indexes = std::fs::read_dir(dir.path().join("indexes")).expect("a folder");
    let index = indexes.flatten().next().expect("one index").path();
    std::fs::remove_dir_all(index.join("models/affinity/2")).expect("removed");
    let engine = open(dir.path());
    check_states(&engine, &[Live, Shadow]);
    let answer = recommend(&engine, RecommendKind::ForYou);
    assert_eq!(answer.model.as_deref(), Some("affinity-1"));
    assert_eq!(told(&answer), live);
    engine
        .withdraw_model(SHOP, "affinity-2")
        .expect("a candidate");
    check_states(&engine, &[Live, Candidate]);
}

#[test]
fn no_answer_changes_while_a_shadow_comes_and_goes() {
    let [dir, elsewhere] = folders();
    let engine = with_shadow(dir.path(), elsewhere.path());
    engine
        .withdraw_model(SHOP, "affinity-2")
        .expect("a candidate");
    let kinds = [RecommendKind::ForYou, RecommendKind::Session];
    let expected = kinds.map(|kind| told(&recommend(&engine, kind)));
    let is_over = AtomicBool::new(false);
    let ask = || {
        let mut answers = 0;
        while !is_over.load(Ordering::Relaxed) {
            for (kind, expected) in kinds.iter().zip(&expected) {
                let answer = recommend(&engine, *kind);
                assert_eq!(answer.model.as_deref(), Some("affinity-1"));
                assert_eq!(told(&answer), *expected);
                answers += 1;
            }
        }
        answers
    };
    thread::scope(|scope| {
        let askers: Vec<_> = (0..3).map(|_| scope.spawn(ask)).collect();
        let mut changed = Vec::new();
        for _ in 0..20 {
            changed.push(engine.shadow_model(SHOP, "affinity-2"));
            thread::sleep(Duration::from_millis(15));
            changed.push(engine.withdraw_model(SHOP, "affinity-2"));
        }
        is_over.store(true, Ordering::Relaxed);
        for change in changed {
            change.expect("it changes");
        }
        for asker in askers {
            assert!(asker.join().expect("no answer changed") > 0);
        }
    });
    // It did rank meanwhile.
    assert!(comparison(&engine, "affinity-2").expect("numbers").requests > 0);
}
