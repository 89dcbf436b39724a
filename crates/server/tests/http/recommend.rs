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
        ("session", json!({ "itemIds": ["p07", "p08"] })),
        ("similar", json!({ "itemId": "p07" })),
        ("also-viewed", json!({ "itemId": "p07" })),
        // Without an item in hand, the last ones of the shopper; without a shopper, the visit.
        ("similar", json!({ "userId": "u01" })),
        ("bought-with", json!({ "userId": "u01" })),
        ("basket", json!({ "userId": "u01" })),
        ("session", json!({ "userId": "u01" })),
        ("recently-viewed", json!({ "itemIds": ["p07", "p08"] })),
        (
            "for-you",
            json!({ "itemId": "p07", "diversity": 0.5, "exploration": 0.2 }),
        ),
        ("for-you", json!({ "userId": "somebody new" })),
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
fn an_event_changes_the_next_answer() {
    let shop = visited();
    let for_you = |user: &str| {
        shop.post(PATH, json!({ "kind": "for-you", "userId": user }))
            .json()
    };
    let tell = |user: &str, kind: &str, item: &str| {
        // Newer than everything else in the shop.
        let event =
            json!({ "userId": user, "kind": kind, "itemId": item, "time": "2024-06-01T12:00:00Z" });
        let answer = shop.post("/indexes/products/events", event).json();
        assert_eq!(answer["accepted"], 1, "{answer}");
    };
    let before = for_you("u01");
    let first = ids(&before["hits"])[0].to_owned();
    tell("u01", "dislike", &first);
    let after = for_you("u01");
    assert!(!ids(&after["hits"]).contains(&first.as_str()), "{after}");
    for kind in ["popular", "trending", "similar", "bought-with"] {
        let body = json!({ "kind": kind, "userId": "u01", "limit": 40 });
        let answer = shop.post(PATH, body).json();
        assert!(
            !ids(&answer["hits"]).contains(&first.as_str()),
            "{kind}: {answer}"
        );
    }
    let second = ids(&after["hits"])[0].to_owned();
    tell("u01", "purchase", &second);
    assert!(!ids(&for_you("u01")["hits"]).contains(&second.as_str()));
    let owned = json!({ "kind": "for-you", "userId": "u01", "includeOwned": true, "limit": 40 });
    let owned = shop.post(PATH, owned).json();
    assert!(ids(&owned["hits"]).contains(&second.as_str()), "{owned}");

    tell("a new one", "view", "p10");
    let seen = shop
        .post(
            PATH,
            json!({ "kind": "recently-viewed", "userId": "a new one" }),
        )
        .json();
    assert_eq!(ids(&seen["hits"]), ["p10"]);
    assert_eq!(
        seen["fewer"],
        "few items were viewed: 1 items are all there are"
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
        (
            json!({ "kind": "popular", "diversity": 1.5 }),
            "invalid_recommend_diversity",
        ),
        (
            json!({ "kind": "for-you", "exploration": 0.6 }),
            "invalid_recommend_exploration",
        ),
        (
            json!({ "kind": "popular", "includeSoldOut": 1 }),
            "invalid_recommend_include_sold_out",
        ),
        (
            json!({ "kind": "for-you", "includeOwned": "yes" }),
            "invalid_recommend_include_owned",
        ),
        (json!({ "kind": "similar" }), "missing_recommend_item_id"),
        (
            json!({ "kind": "also-viewed" }),
            "missing_recommend_item_id",
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
