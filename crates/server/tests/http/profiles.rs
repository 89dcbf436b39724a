//! Profiles with what they rest on, the rights of a shopper, and bad input that must not hurt them.

use crate::shop::{Shop, refused};
use serde_json::{Value, json};

const EVENTS: &str = "/indexes/products/events";

fn profile(shop: &Shop, user: &str) -> Value {
    let answer = shop.get(&format!("/indexes/products/users/{user}/profile"));
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

fn item(shop: &Shop, item: &str) -> Value {
    let answer = shop.get(&format!("/indexes/products/items/{item}/profile"));
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

/// Ann looks at two pairs of shoes and buys one with something else; others buy the same.
fn happen(shop: &Shop) {
    let event = |user: &str, kind: &str, item: &str, time: &str| json!({ "userId": user, "kind": kind, "itemId": item, "time": time, "price": 60 });
    let events = json!([
        event("ann", "view", "p01", "2026-01-05T18:00:00Z"),
        event("ann", "view", "p02", "2026-01-05T18:10:00Z"),
        { "userId": "ann", "kind": "search", "query": "running shoes", "time": "2026-01-05T18:15:00Z" },
        event("ann", "cart", "p01", "2026-01-05T18:20:00Z"),
        event("ann", "purchase", "p01", "2026-01-05T18:25:00Z"),
        event("ann", "purchase", "p30", "2026-01-05T18:25:00Z"),
        event("ann", "purchase", "p30", "2026-01-25T18:25:00Z"),
        event("ann", "like", "p01", "2026-01-26T18:00:00Z"),
        event("ann", "dislike", "p03", "2026-01-26T18:01:00Z"),
        event("bob", "purchase", "p01", "2026-01-20T08:00:00Z"),
        event("bob", "purchase", "p30", "2026-01-20T08:00:00Z"),
        { "userId": "bob", "kind": "rate", "itemId": "p01", "value": 4, "time": "2026-01-21T08:00:00Z" },
    ]);
    let answer = shop.post(EVENTS, events).json();
    assert_eq!(answer["accepted"], 12, "{answer}");
}

#[test]
fn a_shopper_profile_says_what_it_rests_on() {
    let shop = Shop::stocked();
    happen(&shop);
    let ann = profile(&shop, "ann");
    let bought = &ann["purchases"];
    assert_eq!(
        (&bought["orders"], &bought["spend"]),
        (&json!(2), &json!(180.0)),
        "{bought}"
    );
    assert_eq!(bought["daysBetweenOrders"], json!(20.0));
    assert_eq!(bought["restsOn"][0]["itemId"], "p30");
    let interest = &ann["interests"]["categories"][0];
    assert!(interest["weight"].as_f64().unwrap() > 0.2, "{interest}");
    assert!(interest["restsOn"][0]["time"].is_string());
    let words = ann["interests"]["words"].as_array().unwrap();
    let searched = |word: &&Value| {
        let rests_on = word["restsOn"].as_array().unwrap().iter();
        rests_on
            .into_iter()
            .any(|one| one["query"] == "running shoes")
    };
    assert!(words.iter().any(|word| searched(&word)), "{words:?}");
    assert_eq!(ann["queries"][0]["text"], "running shoes");
    assert_eq!(ann["likes"][0]["itemId"], "p01");
    assert_eq!(ann["dislikes"][0]["itemId"], "p03");
    let sessions = &ann["sessions"];
    assert_eq!(sessions["count"], 3);
    assert_eq!(sessions["newest"]["first"], "2026-01-26T18:00:00Z");
    assert_eq!(ann["hours"]["byHour"][18], 9);
    assert_eq!(ann["hours"]["byWeekday"][0], 8, "Mondays");
    let again = &ann["buyAgain"][0];
    assert_eq!(
        (&again["itemId"], &again["intervalDays"]),
        (&json!("p30"), &json!(20.0))
    );
    assert_eq!(again["restsOn"], json!(["2026-01-25", "2026-01-05"]));
    let band = &ann["categoryPrices"][0];
    assert_eq!(
        (&band["p50"], &band["restsOn"][0]["price"]),
        (&json!(60.0), &json!(60.0))
    );
    let text = ann["text"].as_str().unwrap();
    assert!(text.contains("2 orders worth 180.00 in all"), "{text}");
    assert!(ann.get("vectors").is_none() && ann.get("robotSince").is_none());
    let with = shop.get("/indexes/products/users/ann/profile?vectors=perhaps");
    assert_eq!(with.error(), refused(400, "invalid_profile_vectors"));
    // There is no encoder here, so there is nothing to show.
    let with = shop.get("/indexes/products/users/ann/profile?vectors=true");
    assert_eq!((with.status, with.json().get("vectors")), (200, None));
}

#[test]
fn an_item_profile_tells_demand_conversion_and_relations() {
    let shop = Shop::stocked();
    happen(&shop);
    let shoe = item(&shop, "p01");
    assert_eq!(shoe["lifecycle"], "new");
    assert_eq!(shoe["conversion"]["viewToCart"]["taken"], 1);
    assert_eq!(shoe["conversion"]["viewToCart"]["of"], 1);
    let rate = shoe["conversion"]["viewToCart"]["rate"].as_f64().unwrap();
    assert!((rate - (1.0 + 20.0 * 0.5) / 21.0).abs() < 1e-9, "{rate}");
    assert_eq!(shoe["rating"]["mean"], 4.0);
    assert_eq!(shoe["approval"]["count"], 1);
    assert_eq!(shoe["audience"]["buyers"], 2);
    assert_eq!(shoe["viewedWith"][0]["itemId"], "p02");
    assert_eq!(shoe["viewedWith"][0]["sessions"], 1);
    assert_eq!(shoe["boughtWith"][0]["itemId"], "p30");
    assert_eq!(shoe["boughtWith"][0]["baskets"], 2);
    // Both are shoes; the other is of another kind.
    assert_eq!(shoe["substitutes"][0]["itemId"], "p02", "{shoe}");
    assert_eq!(shoe["complements"][0]["itemId"], "p30", "{shoe}");
    assert!(shoe["demand"]["perDayNow"].as_f64().unwrap() > 0.0);
    let unsold = item(&shop, "p20");
    assert_eq!(
        (&unsold["events"], &unsold["lifecycle"]),
        (&Value::Null, &Value::Null)
    );
}

#[test]
fn the_paragraph_is_chinese_where_the_titles_are() {
    let shop = Shop::empty();
    let items =
        json!([{ "id": 1, "title": "羊毛毯", "price": 99 }, { "id": 2, "title": "懒人沙发" }]);
    shop.post("/indexes/products/documents", items).done(&shop);
    let event = json!({ "userId": "王", "kind": "purchase", "itemId": "1", "price": 99 });
    shop.post(EVENTS, event);
    let text = profile(&shop, "%E7%8E%8B")["text"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(text.contains("共下1单，合计99.00"), "{text}");
}

#[test]
fn an_erased_shopper_is_unknown_everywhere() {
    let shop = Shop::stocked();
    happen(&shop);
    let export = shop.get("/indexes/products/users/ann/export").json();
    assert_eq!(export["events"].as_array().unwrap().len(), 9);
    assert_eq!(export["events"][2]["query"], "running shoes");
    assert_eq!(export["profile"]["userId"], "ann");
    let erased = shop.delete("/indexes/products/users/ann");
    assert_eq!(erased.status, 200, "{}", erased.text);
    assert_eq!(
        erased.json(),
        json!({ "userId": "ann", "events": 9, "models": [], "copies": [] })
    );
    for path in ["profile", "export"] {
        let gone = shop.get(&format!("/indexes/products/users/ann/{path}"));
        assert_eq!(gone.error(), refused(404, "user_not_found"));
    }
    let again = shop.delete("/indexes/products/users/ann");
    assert_eq!(again.error(), refused(404, "user_not_found"));
    let other = shop.delete("/indexes/other/users/ann");
    assert_eq!(other.error(), refused(404, "index_not_found"));
    let shoe = item(&shop, "p01");
    assert_eq!(shoe["events"]["purchases"], 1);
    assert_eq!(shoe["events"]["views"], 0);
    assert_eq!(shoe["boughtWith"][0]["baskets"], 1);
    assert_eq!(shoe["viewedWith"], json!([]));
    let stats = shop.get("/stats").json();
    assert_eq!(stats["indexes"]["products"]["numberOfEvents"], 3);
}

#[test]
fn events_out_of_this_world_hurt_nobody() {
    let shop = Shop::stocked();
    happen(&shop);
    let before = profile(&shop, "ann");
    let view = |user: &str, more: Value| {
        let mut event = json!({ "userId": user, "kind": "view", "itemId": "p01" });
        for (name, value) in more.as_object().unwrap() {
            event[name] = value.clone();
        }
        event
    };
    let answer = shop.post(
        EVENTS,
        json!([
            view(&"x".repeat(10_000), json!({})),
            view("eve", json!({ "price": "NaN" })),
            view("eve", json!({ "quantity": "inf" })),
            view("eve", json!({ "kind": "rate", "value": "-Infinity" })),
            view("eve", json!({ "time": "2999-12-31T00:00:00Z" })),
        ]),
    );
    let answer = answer.json();
    assert_eq!(
        (&answer["accepted"], &answer["rejectedTotal"]),
        (&json!(1), &json!(4)),
        "{answer}"
    );
    let fields: Vec<&Value> = answer["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["field"])
        .collect();
    assert_eq!(fields, ["userId", "price", "quantity", "value"], "{answer}");
    let eve = profile(&shop, "eve");
    let year: i32 = eve["lastSeen"].as_str().unwrap()[..4].parse().unwrap();
    assert!(year < 2999, "the clock of the shop would stand still");
    // An item that is deleted is no interest, and its events are still there.
    shop.delete("/indexes/products/documents/p01").done(&shop);
    let after = profile(&shop, "ann");
    assert_eq!(before["events"], after["events"]);
    assert!(!after["interests"].to_string().contains("p01"), "{after}");
    assert_eq!(item(&shop, "p01")["inCatalogue"], false);
}

#[test]
fn a_robot_is_flagged_and_counts_for_nothing() {
    let shop = Shop::stocked();
    happen(&shop);
    for part in 0..6 {
        let events: Value = (0..500)
            .map(|step| {
                let time = format!("2026-01-27T{part:02}:{:02}:{:02}Z", step / 60, step % 60);
                json!({ "userId": "crawler", "kind": "view", "itemId": "p05", "time": time })
            })
            .collect();
        assert_eq!(shop.post(EVENTS, events).status, 200);
    }
    let robot = profile(&shop, "crawler");
    assert_eq!(robot["robotSince"], "2026-01-27T02:00:00Z");
    assert_eq!(robot["events"]["view"], 3_000);
    assert_eq!(item(&shop, "p05")["events"]["views"], 1_000);
    assert!(robot["text"].as_str().unwrap().contains("A program"));
}
