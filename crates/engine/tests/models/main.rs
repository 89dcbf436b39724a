//! The models of an index: what they are trained on, how they are kept, which one answers.

mod shadow;
mod shop;
mod training_log;

use crate::shop::{SHOP, event, happen, item, open, put, stocked};
use domain::{EventKind, ItemId, UserId};
use engine::{Engine, EngineError, ModelState, RecommendKind, RecommendRequest, Recommendations};
use models::affinity::{AffinityConfig, AffinityWeights, Fields, ItemTraits};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

/// A model of random numbers over the catalogue, in a folder of its own.
fn model(place: &Path, engine: &Engine, seed: u64, ndcg: Option<f64>) -> PathBuf {
    let log = engine.training_log(SHOP).expect("a training log");
    let traits: Vec<ItemTraits<'_>> = log
        .items
        .iter()
        .map(|item| ItemTraits {
            category: item.category.as_deref(),
            brand: item.brand.as_deref(),
            price: item.price,
            events: 1,
        })
        .collect();
    let fields = Fields::learn(&traits);
    let config = AffinityConfig {
        width: 16,
        heads: 2,
        layers: 1,
        ..AffinityConfig::new(0, log.items.len(), fields.configs())
    };
    let weights = AffinityWeights::random(config, seed).expect("a model");
    let dir = place.join(format!("model-{seed}"));
    fs::create_dir_all(&dir).expect("a folder");
    let ids: Vec<&str> = log.items.iter().map(|item| item.id.as_str()).collect();
    let write = |name: &str, bytes: Vec<u8>| fs::write(dir.join(name), bytes).expect("written");
    write(
        "config.json",
        weights.config().to_json().expect("good settings"),
    );
    write("model.safetensors", weights.to_safetensors());
    write("items.json", serde_json::to_vec(&ids).expect("json"));
    write("fields.json", fields.to_json().expect("json"));
    if let Some(ndcg) = ndcg {
        let metrics = json!({ "validation": { "ndcg@10": ndcg } });
        write("metrics.json", serde_json::to_vec(&metrics).expect("json"));
    }
    dir
}

fn states(engine: &Engine) -> Vec<(String, ModelState)> {
    let models = engine.models(SHOP).expect("a list");
    models
        .into_iter()
        .map(|model| (model.id, model.state))
        .collect()
}

#[track_caller]
fn check_states(engine: &Engine, expected: &[ModelState]) {
    let expected: Vec<(String, ModelState)> = (1..)
        .zip(expected)
        .map(|(number, state)| (format!("affinity-{number}"), *state))
        .collect();
    assert_eq!(states(engine), expected);
}

#[test]
fn models_are_added_promoted_and_rolled_back_and_a_restart_knows() {
    use ModelState::{Candidate, Live, Retired};
    let dir = tempfile::tempdir().expect("a folder");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let engine = stocked(dir.path());
    for (seed, ndcg) in [(1, Some(0.3)), (2, Some(0.2)), (3, None)] {
        let folder = model(elsewhere.path(), &engine, seed, ndcg);
        let added = engine.add_model(SHOP, "affinity", &folder).expect("added");
        assert_eq!(added.state, Candidate);
        // It stands on its own from now on.
        fs::remove_dir_all(folder).expect("removed");
    }
    check_states(&engine, &[Candidate, Candidate, Candidate]);
    let promote = |id: &str, force| engine.promote_model(SHOP, id, force);
    promote("affinity-1", false).expect("the first needs no comparison");
    let refused = promote("affinity-2", false).expect_err("it is worse");
    let EngineError::WorseModel {
        score, live_score, ..
    } = refused
    else {
        panic!("{refused}");
    };
    assert_eq!((score, live_score), (0.2, 0.3));
    check_states(&engine, &[Live, Candidate, Candidate]);
    promote("affinity-2", true).expect("forced");
    promote("affinity-3", false).expect("there is nothing to compare");
    check_states(&engine, &[Retired, Retired, Live]);
    let back = engine
        .rollback_model(SHOP, "affinity")
        .expect("the one before");
    assert_eq!(back.id, "affinity-2");
    drop(engine);

    let engine = open(dir.path());
    check_states(&engine, &[Retired, Live, Retired]);
    let back = engine.rollback_model(SHOP, "affinity").expect("the first");
    assert_eq!(back.id, "affinity-1");
    let refused = engine
        .rollback_model(SHOP, "affinity")
        .expect_err("none before");
    assert!(
        matches!(refused, EngineError::NoModelBefore(_)),
        "{refused}"
    );
    engine
        .promote_model(SHOP, "affinity-3", false)
        .expect("again");
    check_states(&engine, &[Retired, Retired, Live]);
}

#[test]
fn a_full_shelf_loses_the_oldest_that_nothing_needs() {
    use ModelState::{Candidate, Live, Retired, Shadow};
    let dir = tempfile::tempdir().expect("a folder");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let engine = stocked(dir.path());
    let folder = model(elsewhere.path(), &engine, 1, None);
    let add = || {
        let added = engine.add_model(SHOP, "affinity", &folder);
        added.expect("added").id
    };
    for _ in 0..3 {
        let id = add();
        engine.promote_model(SHOP, &id, false).expect("live");
    }
    let shadow = add();
    engine.shadow_model(SHOP, &shadow).expect("the shadow");
    for _ in 0..30 {
        add();
    }
    let left = states(&engine);
    assert_eq!(left.len(), 32);
    let kept = [("2", Retired), ("3", Live), ("4", Shadow), ("6", Candidate)];
    for ((id, state), (number, expected)) in left.iter().zip(kept) {
        assert_eq!((id, *state), (&format!("affinity-{number}"), expected));
    }
    assert_eq!(add(), "affinity-35");
    let indexes = fs::read_dir(dir.path().join("indexes")).expect("a folder");
    let index = indexes.flatten().next().expect("one index").path();
    let models = fs::read_dir(index.join("models/affinity")).expect("a folder");
    assert_eq!(models.count(), 32);
    engine.rollback_model(SHOP, "affinity").expect("it is kept");
}

#[test]
fn what_cannot_be_used_is_not_taken_in() {
    let dir = tempfile::tempdir().expect("a folder");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let engine = stocked(dir.path());
    let folder = model(elsewhere.path(), &engine, 1, None);
    let refused = engine
        .add_model(SHOP, "magic", &folder)
        .expect_err("no such kind");
    assert!(matches!(refused, EngineError::ModelKind(_)), "{refused}");
    let whole = fs::read(folder.join("model.safetensors")).expect("read");
    fs::write(folder.join("model.safetensors"), &whole[..whole.len() / 2]).expect("written");
    engine
        .add_model(SHOP, "affinity", &folder)
        .expect_err("half a model");
    fs::write(folder.join("model.safetensors"), whole).expect("written");
    fs::write(folder.join("metrics.json"), "{").expect("written");
    engine
        .add_model(SHOP, "affinity", &folder)
        .expect_err("broken metrics");
    assert_eq!(states(&engine), []);
    let refused = engine
        .promote_model(SHOP, "affinity-1", false)
        .expect_err("none");
    assert!(
        matches!(refused, EngineError::ModelNotFound(_)),
        "{refused}"
    );
}

/// A stocked folder whose shoppers did enough to fit the counted model.
fn visited(dir: &Path) -> Engine {
    let engine = stocked(dir);
    let mut events = Vec::new();
    for shopper in 0..10 {
        for step in 0..6 {
            let item = format!("i{}", (shopper + step * (1 + shopper % 2)) % 10);
            let time = i64::from(step) * 3_600_000;
            events.push(event(&format!("u{shopper}"), EventKind::View, &item, time));
            events.push(event(
                &format!("u{shopper}"),
                EventKind::Click,
                &item,
                time + 1,
            ));
        }
    }
    happen(&engine, events);
    engine.learn().expect("fitted");
    engine
}

fn recommend(engine: &Engine, kind: RecommendKind) -> Recommendations {
    let mut request = RecommendRequest::new(kind);
    match kind {
        RecommendKind::Session => {
            request.items = vec![
                ItemId::new("i3").expect("an item"),
                ItemId::new("i4").expect("an item"),
            ];
        }
        _ => request.user = Some(UserId::new("u3").expect("a user")),
    }
    request.explain = true;
    request.limit = 20;
    let reader = engine.index(SHOP).expect("the index");
    reader.recommend(&request).expect("an answer")
}

/// Which items with which scores and reasons.
fn told(answer: &Recommendations) -> String {
    let hits = answer.hits.iter();
    let hits = hits.map(|hit| format!("{} {:?} {:?}\n", hit.item, hit.score, hit.reasons));
    hits.collect()
}

fn add(engine: &Engine, place: &Path, seed: u64) -> String {
    let folder = model(place, engine, seed, None);
    engine
        .add_model(SHOP, "affinity", &folder)
        .expect("added")
        .id
}

#[test]
fn a_live_model_ranks_the_whole_catalogue_and_says_so() {
    let dir = tempfile::tempdir().expect("a folder");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let engine = visited(dir.path());
    let before = recommend(&engine, RecommendKind::ForYou);
    assert_eq!(before.model, None);
    let id = add(&engine, elsewhere.path(), 1);
    assert_eq!(
        told(&recommend(&engine, RecommendKind::ForYou)),
        told(&before)
    );
    engine.promote_model(SHOP, &id, false).expect("live");
    for kind in [RecommendKind::ForYou, RecommendKind::Session] {
        let answer = recommend(&engine, kind);
        assert_eq!(answer.model.as_deref(), Some("affinity-1"));
        let ids: Vec<&str> = answer.hits.iter().map(|hit| hit.item.as_str()).collect();
        // Nobody has done anything with these two.
        assert!(ids.contains(&"i10") && ids.contains(&"i11"), "{ids:?}");
        assert!(
            answer
                .trace
                .iter()
                .any(|source| source.source == "affinity" && source.candidates == 12)
        );
        for hit in &answer.hits {
            assert_eq!(hit.source, "sequence");
            let sum: f64 = hit.reasons.iter().map(|reason| reason.value).sum();
            assert!((sum - f64::from(hit.score.get())).abs() < 1e-4, "{hit:?}");
            assert!(
                hit.reasons
                    .iter()
                    .any(|reason| reason.because == "affinity")
            );
            let probable = hit.probabilities.expect("it was explained");
            for probability in [probable.view, probable.cart, probable.purchase] {
                assert!((0.0..=1.0).contains(&probability), "{hit:?}");
            }
        }
    }
    assert_ne!(
        told(&recommend(&engine, RecommendKind::ForYou)),
        told(&before)
    );
    // Who did nothing yet gets what is popular, and no model had a say.
    let reader = engine.index(SHOP).expect("the index");
    let nobody = reader.recommend(&RecommendRequest::new(RecommendKind::ForYou));
    assert_eq!(nobody.expect("an answer").model, None);
    drop(reader);
    let live = told(&recommend(&engine, RecommendKind::ForYou));
    drop(engine);
    let again = open(dir.path());
    assert_eq!(told(&recommend(&again, RecommendKind::ForYou)), live);
}

#[test]
fn a_backup_has_the_models_with_their_files() {
    let dir = tempfile::tempdir().expect("a folder");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let engine = visited(dir.path());
    for seed in 1..=2 {
        let id = add(&engine, elsewhere.path(), seed);
        engine.promote_model(SHOP, &id, false).expect("live");
    }
    let listed = engine.models(SHOP).expect("a list");
    let answered = told(&recommend(&engine, RecommendKind::ForYou));
    let mut backup = Vec::new();
    let report = engine.backup(&mut backup).expect("a backup");
    // Settings, fields, items and weights of each.
    assert_eq!(report.files, 8);
    drop(engine);

    let fresh = tempfile::tempdir().expect("a folder");
    let report = Engine::restore(&mut backup.as_slice(), fresh.path()).expect("a restore");
    assert_eq!(report.files, 8);
    let restored = open(fresh.path());
    restored.learn().expect("fitted");
    assert_eq!(restored.models(SHOP).expect("a list"), listed);
    let answer = recommend(&restored, RecommendKind::ForYou);
    assert_eq!(answer.model.as_deref(), Some("affinity-2"));
    assert_eq!(told(&answer), answered);
    restored
        .rollback_model(SHOP, "affinity")
        .expect("the one before came along");
}

#[test]
fn items_that_came_after_training_are_ranked_by_their_fields() {
    let dir = tempfile::tempdir().expect("a folder");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let engine = visited(dir.path());
    let id = add(&engine, elsewhere.path(), 1);
    engine.promote_model(SHOP, &id, false).expect("live");
    put(&engine, json!([item(20)]));
    // The thread that keeps vectors takes them in.
    let has_come = |_: &u64| {
        thread::sleep(Duration::from_millis(20));
        let answer = recommend(&engine, RecommendKind::ForYou);
        let affinity =
            |hit: &engine::Recommendation| hit.item.as_str() == "i20" && hit.source == "sequence";
        answer.hits.iter().any(affinity)
    };
    assert!(
        (0..500).any(|round| has_come(&round)),
        "the new item never came"
    );
}

#[test]
fn a_damaged_live_model_costs_itself_and_nothing_else() {
    let dir = tempfile::tempdir().expect("a folder");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let engine = visited(dir.path());
    let before = told(&recommend(&engine, RecommendKind::ForYou));
    let (first, second) = (
        add(&engine, elsewhere.path(), 1),
        add(&engine, elsewhere.path(), 2),
    );
    engine.promote_model(SHOP, &first, false).expect("live");
    engine.promote_model(SHOP, &second, false).expect("live");
    drop(engine);
    let indexes = fs::read_dir(dir.path().join("indexes")).expect("a folder");
    let index = indexes.flatten().next().expect("one index").path();
    let models = index.join("models").join("affinity");
    let weights = models.join("2").join("model.safetensors");
    let mut bytes = fs::read(&weights).expect("read");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&weights, &bytes).expect("written");
    // What a crash left of a model that was about to be added.
    fs::create_dir_all(models.join("3.new")).expect("made");

    let engine = open(dir.path());
    assert!(!models.join("3.new").exists());
    let answer = recommend(&engine, RecommendKind::ForYou);
    assert_eq!((answer.model.as_deref(), told(&answer)), (None, before));
    check_states(&engine, &[ModelState::Retired, ModelState::Live]);
    engine
        .rollback_model(SHOP, "affinity")
        .expect("the first is whole");
    let answer = recommend(&engine, RecommendKind::ForYou);
    assert_eq!(answer.model.as_deref(), Some("affinity-1"));
}

#[test]
fn a_live_model_that_cannot_be_used_gives_way_to_a_worse_one() {
    let dir = tempfile::tempdir().expect("a folder");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let engine = visited(dir.path());
    let add = |engine: &Engine, seed, ndcg| {
        let folder = model(elsewhere.path(), engine, seed, Some(ndcg));
        let added = engine.add_model(SHOP, "affinity", &folder);
        added.expect("added").id
    };
    let good = add(&engine, 1, 0.5);
    engine.promote_model(SHOP, &good, false).expect("live");
    let worse = add(&engine, 2, 0.4);
    let refused = engine.promote_model(SHOP, &worse, false);
    assert!(matches!(refused, Err(EngineError::WorseModel { .. })));
    drop(engine);

    let indexes = fs::read_dir(dir.path().join("indexes")).expect("a folder");
    let index = indexes.flatten().next().expect("one index").path();
    let config = index.join("models/affinity/1/config.json");
    let newer = fs::read_to_string(&config).expect("read");
    fs::write(&config, newer.replace("\"format\": 2", "\"format\": 1")).expect("written");
    let engine = open(dir.path());
    let answer = recommend(&engine, RecommendKind::ForYou);
    assert_eq!(answer.model, None, "trained by an older version");
    engine.promote_model(SHOP, &worse, false).expect("live");
    let answer = recommend(&engine, RecommendKind::ForYou);
    assert_eq!(answer.model, Some(worse));
}

#[test]
fn every_answer_is_wholly_of_one_model_while_models_change() {
    let dir = tempfile::tempdir().expect("a folder");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let engine = visited(dir.path());
    let mut expected = BTreeMap::new();
    for seed in 1..=3 {
        let id = add(&engine, elsewhere.path(), seed);
        engine.promote_model(SHOP, &id, false).expect("live");
        expected.insert(id, told(&recommend(&engine, RecommendKind::ForYou)));
    }
    let is_over = AtomicBool::new(false);
    let ask = || {
        let mut seen: BTreeMap<String, u64> = BTreeMap::new();
        while !is_over.load(Ordering::Relaxed) {
            let answer = recommend(&engine, RecommendKind::ForYou);
            let id = answer.model.clone().expect("a model is live all the time");
            assert_eq!(told(&answer), expected[&id], "an answer of {id}");
            *seen.entry(id).or_default() += 1;
        }
        seen
    };
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    thread::scope(|scope| {
        let askers: Vec<_> = (0..3).map(|_| scope.spawn(ask)).collect();
        let change = |round: u64| {
            let id = |n: u64| format!("affinity-{}", 1 + n % 3);
            match round % 3 {
                0 => engine.promote_model(SHOP, &id(round / 3), true),
                1 => engine.promote_model(SHOP, &id(round / 3 + 1), true),
                _ => engine.rollback_model(SHOP, "affinity"),
            }
        };
        let mut changed = Vec::new();
        for round in 0..60 {
            changed.push(change(round));
            thread::sleep(Duration::from_millis(5));
        }
        is_over.store(true, Ordering::Relaxed);
        for change in changed {
            change.expect("it becomes live");
        }
        for asker in askers {
            for (id, count) in asker.join().expect("no answer was mixed") {
                *seen.entry(id).or_default() += count;
            }
        }
    });
    assert_eq!(seen.len(), 3, "{seen:?}");
}
