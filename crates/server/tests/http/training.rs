//! `/indexes/{uid}/models/training`: a model trained by the server beside its answers.

use crate::shop::{Answer, Shop, refused};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const TRAINING: &str = "/indexes/products/models/training";

/// A shop in which every shopper goes round in five items, after a view to the next one, after a
/// purchase to the one before: counting knows no kinds and cannot tell.
fn visited() -> Shop {
    let shop = Shop::stocked();
    let mut random = testkit::SplitMix64::new(1);
    let mut events = Vec::new();
    for shopper in 0..24 {
        let mut place = shopper;
        for day in 0..20 {
            let item = shopper % 4 * 5 + place % 5 + 1;
            let (kind, step) = [("view", 1), ("purchase", 4)][random.below(2)];
            place += step;
            let time = 1_700_000_000_000_u64 + day * 86_400_000 + shopper as u64 * 1000;
            events.push(json!({
                "userId": format!("u{shopper}"), "kind": kind,
                "itemId": format!("p{item:02}"), "timestamp": time,
            }));
        }
    }
    let sent = shop.post("/indexes/products/events", json!(events));
    assert!(sent.status < 300, "{}", sent.text);
    shop
}

/// Asks until the training has a status that is looked for.
fn once(shop: &Shop, is_it: impl Fn(&Value) -> bool) -> Value {
    let started = Instant::now();
    loop {
        let training = shop.get(TRAINING).json();
        if is_it(&training) {
            return training;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{training}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn ended(training: &Value) -> bool {
    !training["endedAt"].is_null()
}

#[test]
fn a_model_is_trained_beside_the_answers() {
    let shop = visited();
    assert_eq!(
        shop.get(TRAINING).error(),
        refused(404, "training_not_found")
    );
    let begun = shop.post(TRAINING, json!({ "kind": "affinity", "epochs": 40 }));
    assert_eq!(begun.status, 202, "{}", begun.text);
    assert_eq!(begun.json()["indexUid"], "products");
    let training = once(&shop, ended);
    assert_eq!(training["status"], "succeeded", "{training}");
    assert_eq!(training["model"], "affinity-1");
    assert_eq!(training["epochs"].as_array().map(Vec::len), Some(40));
    assert_eq!(training["batchesDone"], training["batches"]);
    assert_eq!(training["counts"]["shoppers"], 24);
    let body = json!({ "kind": "for-you", "userId": "u3" });
    let answer = shop.post("/indexes/products/recommend", body).json();
    assert_eq!(answer["model"], "affinity-1");
}

#[test]
fn a_training_is_stopped_and_resumed_also_after_a_restart() {
    let mut shop = visited();
    let start = |shop: &Shop, body: Value| -> Answer { shop.post(TRAINING, body) };
    start(&shop, json!({ "epochs": 200, "seed": 5 }));
    let busy = start(&shop, json!({}));
    assert_eq!(busy.error(), refused(409, "training_in_progress"));
    let has_epoch = |training: &Value| training["epochs"][0].is_object();
    once(&shop, has_epoch);
    assert_eq!(shop.delete(TRAINING).status, 202);
    let stopped = once(&shop, ended);
    assert_eq!(stopped["status"], "stopped", "{stopped}");
    assert_eq!(
        shop.delete(TRAINING).error(),
        refused(404, "training_not_found")
    );
    start(&shop, json!({ "resume": true }));
    once(&shop, |training| {
        training["settings"]["seed"] == 5 && has_epoch(training)
    });
    // A server that stops does not wait for the end of 200 epochs.
    shop.restart();
    assert_eq!(
        shop.get(TRAINING).error(),
        refused(404, "training_not_found")
    );
    start(&shop, json!({ "resume": true }));
    once(&shop, has_epoch);
    shop.delete(TRAINING);
    once(&shop, ended);
}

#[test]
fn requests_about_trainings_are_refused_with_codes() {
    let shop = Shop::stocked();
    let post = |body: Value| shop.post(TRAINING, body).error();
    for (body, code) in [
        (json!({ "epochs": 0 }), "invalid_training_epochs"),
        (json!({ "epochs": "many" }), "invalid_training_epochs"),
        (json!({ "seed": -1 }), "invalid_training_seed"),
        (json!({ "device": "abacus" }), "invalid_training_device"),
        (json!({ "device": "cuda" }), "invalid_training_device"),
        (json!({ "promote": 1 }), "invalid_training_promote"),
        (
            json!({ "resume": true, "epochs": 3 }),
            "invalid_training_resume",
        ),
        (
            json!({ "resume": true, "device": "cpu" }),
            "invalid_training_resume",
        ),
        (json!({ "kind": "magic" }), "invalid_model_kind"),
        (json!({ "colour": "red" }), "bad_request"),
    ] {
        assert_eq!(post(body), refused(400, code));
    }
    let elsewhere = shop.post("/indexes/nothing/models/training", json!({}));
    assert_eq!(elsewhere.error(), refused(404, "index_not_found"));
    // Without an event there is nothing to learn from, and nothing changes.
    assert_eq!(shop.post(TRAINING, json!({})).status, 202);
    let failed = once(&shop, ended);
    assert_eq!(failed["status"], "failed");
    let message = failed["message"].as_str().unwrap_or_default();
    assert!(message.contains("collect more events"), "{failed}");
    assert_eq!(
        shop.get("/indexes/products/models").json()["results"],
        json!([])
    );
    shop.post(TRAINING, json!({ "resume": true }));
    let failed = once(&shop, ended);
    assert_eq!(failed["status"], "failed", "{failed}");
}
