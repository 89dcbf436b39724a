//! `/indexes/{uid}/models` and what a live model changes in recommendations.

use crate::shop::{Shop, refused};
use engine::{Engine, OpenOptions};
use models::affinity::{AffinityConfig, AffinityFiles, AffinityWeights, Fields, ItemTraits};
use serde_json::{Value, json};
use server::Limits;

const MASTER: &str = "0123456789abcdef-master";
const MODELS: &str = "/indexes/products/models";

/// A shop with a shopper and two models, the second worse by its own account. They are added
/// between two runs of the server, as a training does.
fn trained(mut shop: Shop) -> Shop {
    shop.stock();
    let events: Vec<Value> = ["p01", "p07", "p09"]
        .map(|item| json!({ "userId": "ann", "kind": "view", "itemId": item }))
        .to_vec();
    shop.post("/indexes/products/events", json!(events));
    shop.stop().expect("a clean stop");
    let engine = Engine::open(shop.dir.path(), OpenOptions::default()).expect("opens");
    for (seed, ndcg) in [(1, 0.3), (2, 0.2)] {
        let folder = tempfile::tempdir().expect("a folder");
        let log = engine.training_log("products").expect("a training log");
        let traits = log.items.iter().map(|item| ItemTraits {
            category: item.category.as_deref(),
            brand: item.brand.as_deref(),
            price: item.price,
            events: 1,
        });
        let fields = Fields::learn(&traits.collect::<Vec<_>>());
        let config = AffinityConfig {
            width: 16,
            heads: 2,
            layers: 1,
            ..AffinityConfig::new(0, log.items.len(), fields.configs())
        };
        let files = AffinityFiles {
            weights: AffinityWeights::random(config, seed).expect("a model"),
            items: log.items.into_iter().map(|item| item.id).collect(),
        };
        files.write(folder.path()).expect("written");
        let write = |name: &str, text: String| {
            std::fs::write(folder.path().join(name), text).expect("written");
        };
        let fields = fields.to_json().expect("fields as JSON");
        write("fields.json", String::from_utf8(fields).expect("text"));
        let metrics = json!({ "validation": { "ndcg@10": ndcg }, "epochs": 3 });
        write("metrics.json", metrics.to_string());
        write("card.md", format!("# Model {seed}\n"));
        let added = engine.add_model("products", "affinity", folder.path());
        added.expect("added");
    }
    drop(engine);
    shop.restart();
    shop
}

#[test]
fn models_are_listed_promoted_and_rolled_back() {
    let shop = trained(Shop::empty());
    let list = shop.get(MODELS).json();
    let states = |list: &Value| {
        let models = list["results"].as_array().cloned().unwrap_or_default();
        let state =
            |model: &Value| format!("{} {} {}", model["id"], model["state"], model["inUse"]);
        models.iter().map(state).collect::<Vec<_>>()
    };
    assert_eq!(
        states(&list),
        [
            r#""affinity-1" "candidate" false"#,
            r#""affinity-2" "candidate" false"#
        ]
    );
    let one = shop.get(&format!("{MODELS}/affinity-1")).json();
    assert_eq!(one["card"], "# Model 1\n");
    assert_eq!(one["metrics"]["epochs"], 3);
    assert!(
        one["createdAt"].is_string() && one["kind"] == "affinity",
        "{one}"
    );
    assert_eq!(one["sha256"].as_str().map(str::len), Some(64));

    let promote = |id: &str, body: Value| shop.post(&format!("{MODELS}/{id}/promote"), body);
    let first = promote("affinity-1", json!({})).json();
    assert_eq!(
        (&first["state"], &first["inUse"]),
        (&json!("live"), &json!(true))
    );
    let worse = promote("affinity-2", json!({}));
    assert_eq!(worse.error(), refused(409, "model_is_worse"));
    let comparison = &worse.json()["comparison"];
    assert_eq!(
        comparison["model"],
        json!({ "id": "affinity-2", "value": 0.2 })
    );
    assert_eq!(
        comparison["live"],
        json!({ "id": "affinity-1", "value": 0.3 })
    );
    let forced = promote("affinity-2", json!({ "force": true }));
    assert_eq!(forced.status, 200, "{}", forced.text);
    assert_eq!(
        states(&shop.get(MODELS).json()),
        [
            r#""affinity-1" "retired" false"#,
            r#""affinity-2" "live" true"#
        ]
    );
    let recommended = || {
        let body = json!({ "kind": "for-you", "userId": "ann", "explain": true });
        shop.post("/indexes/products/recommend", body).json()
    };
    let answer = recommended();
    assert_eq!(answer["model"], "affinity-2");
    let reason = &answer["hits"][0]["_recommendation"]["reasons"][0];
    assert_eq!(reason["because"], "affinity");

    let rollback = || shop.post(&format!("{MODELS}/rollback"), json!({ "kind": "affinity" }));
    assert_eq!(rollback().json()["id"], "affinity-1");
    assert_eq!(recommended()["model"], "affinity-1");
    assert_eq!(rollback().error(), refused(409, "no_model_before"));
}

#[test]
fn a_candidate_is_compared_with_the_live_model_as_its_shadow() {
    let shop = trained(Shop::empty());
    let promote = |id: &str, state: &str| {
        let body = json!({ "state": state });
        shop.post(&format!("{MODELS}/{id}/promote"), body)
    };
    let early = promote("affinity-2", "shadow").error();
    assert_eq!(early, refused(409, "no_live_model"));
    assert_eq!(promote("affinity-1", "live").status, 200);
    let live = promote("affinity-1", "shadow").error();
    assert_eq!(live, refused(409, "model_is_in_another_state"));
    let shadow = promote("affinity-2", "shadow").json();
    assert_eq!(
        (&shadow["state"], &shadow["inUse"], &shadow["comparison"]),
        (&json!("shadow"), &json!(false), &Value::Null)
    );
    let unknown = promote("affinity-2", "idle").error();
    assert_eq!(unknown, refused(400, "invalid_model_state"));

    let one = || shop.get(&format!("{MODELS}/affinity-2")).json();
    let body = json!({ "kind": "for-you", "userId": "ann" });
    let ranked = (0..500).any(|_| {
        let answer = shop
            .post("/indexes/products/recommend", body.clone())
            .json();
        assert_eq!(answer["model"], "affinity-1");
        std::thread::sleep(std::time::Duration::from_millis(10));
        one()["comparison"]["requests"].as_u64() > Some(0)
    });
    assert!(ranked, "the shadow never ranked");
    let one = one();
    assert_eq!(one["comparison"]["beside"], "affinity-1");
    let card = one["card"].as_str().unwrap_or_default();
    assert!(card.starts_with("# Model 2\n"), "{card}");
    assert!(card.contains("## As a shadow"), "{card}");
    let list = shop.get(MODELS).json();
    assert!(list["results"][1]["comparison"]["agreement"].is_number());
    assert_eq!(
        promote("affinity-2", "candidate").json()["state"],
        "candidate"
    );
    let again = promote("affinity-2", "candidate").error();
    assert_eq!(again, refused(409, "model_is_in_another_state"));
}

#[test]
fn requests_about_models_are_refused_with_codes() {
    let shop = trained(Shop::empty());
    let get = |path: &str| shop.get(path).error();
    let post = |path: &str, body: Value| shop.post(&format!("{MODELS}/{path}"), body).error();
    assert_eq!(
        get("/indexes/nothing/models"),
        refused(404, "index_not_found")
    );
    assert_eq!(
        get(&format!("{MODELS}/affinity-9")),
        refused(404, "model_not_found")
    );
    let missing = post("affinity-9/promote", json!({}));
    assert_eq!(missing, refused(404, "model_not_found"));
    let wrong = post("affinity-1/promote", json!({ "force": "yes" }));
    assert_eq!(wrong, refused(400, "invalid_model_force"));
    assert_eq!(
        post("rollback", json!({})),
        refused(400, "missing_model_kind")
    );
    let kind = post("rollback", json!({ "kind": "magic" }));
    assert_eq!(kind, refused(400, "invalid_model_kind"));
}

#[test]
fn keys_open_models_by_their_actions() {
    let shop = trained(
        Shop::with(Some(MASTER), Limits::default())
            .header("Authorization", &format!("Bearer {MASTER}")),
    );
    let key = |action: &str| {
        let body = json!({ "actions": [action], "indexes": ["*"], "expiresAt": null });
        let made = shop.post("/keys", body).json();
        made["key"].as_str().map(str::to_owned).expect("a key")
    };
    let (reads, changes, neither) = (key("models.get"), key("models.*"), key("search"));
    let promote = || {
        shop.post(&format!("{MODELS}/affinity-1/promote"), json!({}))
            .status
    };
    shop.as_bearer(&reads, |shop| {
        assert_eq!((shop.get(MODELS).status, promote()), (200, 403));
    });
    shop.as_bearer(&neither, |shop| assert_eq!(shop.get(MODELS).status, 403));
    shop.as_bearer(&changes, |_| assert_eq!(promote(), 200));
}
