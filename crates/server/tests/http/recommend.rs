//! `POST /indexes/{uid}/recommend`

use crate::shop::{SEED, Shop, ids, refused};
use serde_json::{Value, json};

const PATH: &str = "/indexes/products/recommend";

/// The small shop with six hundred events.
fn visited() -> Shop {
    let shop = Shop::stocked();
    let events: Vec<Value> = testkit::events(SEED, 600)
        .into_iter()
        .map(|event| {
            json!({
                "eventId": event.id, "userId": event.user, "kind": event.kind,
                "itemId": event.item, "query": event.query, "time": event.time.to_string(),
                "value": event.value, "price": event.price, "quantity": event.quantity,
                "basket": event.basket,
            })
        })
        .collect();
    let answer = shop.post("/indexes/products/events", json!(events)).json();
    assert_eq!(answer["accepted"], 600, "{answer}");
    shop
}

#[test]
fn every_kind_answers_in_one_shape() {
    let shop = visited();
    for (kind, more) in [
        ("popular", json!({})),
        ("trending", json!({})),
        ("for-you", json!({ "userId": "u01" })),
        ("recently-viewed", json!({ "userId": "u01" })),
        ("buy-again", json!({ "userId": "u01" })),
        ("bought-with", json!({ "itemId": "p07" })),
        ("basket", json!({ "basket": ["p07", "p08"] })),
    ] {
        let mut body = json!({ "kind": kind, "limit": 5, "explain": true });
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let answer = shop.post(PATH, body);
        assert_eq!(answer.status, 200, "{kind}: {}", answer.text);
        let answer = answer.json();
        assert_eq!(
            (&answer["kind"], &answer["limit"]),
            (&json!(kind), &json!(5))
        );
        assert!(
            answer["estimatedTotalHits"].is_u64() && answer["trace"].is_array(),
            "{answer}"
        );
        for hit in answer["hits"].as_array().into_iter().flatten() {
            assert!(hit["title"].is_string(), "{hit}");
            let why = &hit["_recommendation"];
            let sum: f64 = why["reasons"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|reason| reason["value"].as_f64())
                .sum();
            let score = why["score"].as_f64().expect("a score");
            assert!(
                (sum - score).abs() < 1e-3 * score.abs().max(1.0),
                "{kind}: {why}"
            );
        }
    }
    let popular = shop
        .post(PATH, json!({ "kind": "popular", "limit": 3 }))
        .json();
    assert_eq!(popular["hits"].as_array().map(Vec::len), Some(3));
    assert!(
        popular["hits"][0]["_recommendation"]
            .get("reasons")
            .is_none()
    );
}

#[test]
fn exclusions_filters_and_paging_hold() {
    let shop = visited();
    let popular = |more: Value| {
        let mut body = json!({ "kind": "popular", "limit": 10 });
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        shop.post(PATH, body).json()
    };
    let all = popular(json!({}));
    let first = ids(&all["hits"])[0];
    let without = popular(json!({ "exclude": [first] }));
    assert!(!ids(&without["hits"]).contains(&first));
    let second = popular(json!({ "offset": 1, "limit": 1 }));
    assert_eq!(ids(&second["hits"]), [ids(&all["hits"])[1]]);
    let shoes = popular(json!({ "filter": "brand = Adidas" }));
    assert!(
        shoes["hits"]
            .as_array()
            .into_iter()
            .flatten()
            .all(|hit| hit["brand"] == "Adidas")
    );
}

#[test]
fn bad_requests_are_refused() {
    let shop = Shop::stocked();
    for (body, code) in [
        (json!({}), "missing_recommend_kind"),
        (json!({ "kind": 5 }), "invalid_recommend_kind"),
        (json!({ "kind": "magic" }), "invalid_recommend_kind"),
        (json!({ "kind": "buy-again" }), "missing_recommend_user_id"),
        (
            json!({ "kind": "bought-with" }),
            "missing_recommend_item_id",
        ),
        (json!({ "kind": "basket" }), "missing_recommend_basket"),
        (
            json!({ "kind": "popular", "userId": [] }),
            "invalid_recommend_user_id",
        ),
        (
            json!({ "kind": "popular", "itemId": "" }),
            "invalid_recommend_item_id",
        ),
        (
            json!({ "kind": "popular", "basket": "p01" }),
            "invalid_recommend_basket",
        ),
        (
            json!({ "kind": "popular", "exclude": [{}] }),
            "invalid_recommend_exclude",
        ),
        (
            json!({ "kind": "popular", "limit": -1 }),
            "invalid_recommend_limit",
        ),
        (
            json!({ "kind": "popular", "offset": "a" }),
            "invalid_recommend_offset",
        ),
        (
            json!({ "kind": "popular", "filter": "brand =" }),
            "invalid_recommend_filter",
        ),
        (
            json!({ "kind": "popular", "explain": 1 }),
            "invalid_recommend_explain",
        ),
        (json!({ "kind": "popular", "colour": 1 }), "bad_request"),
    ] {
        assert_eq!(
            shop.post(PATH, body.clone()).error(),
            refused(400, code),
            "{body}"
        );
    }
    let other = shop.post("/indexes/other/recommend", json!({ "kind": "popular" }));
    assert_eq!(other.error(), refused(404, "index_not_found"));
}
