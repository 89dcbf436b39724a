//! `POST /indexes/{uid}/events` and the profiles they build.

use crate::shop::{Shop, refused};
use serde_json::{Value, json};

const PATH: &str = "/indexes/products/events";

fn counts(answer: &Value) -> [u64; 4] {
    ["accepted", "duplicates", "unknownItems", "rejectedTotal"]
        .map(|name| answer[name].as_u64().expect("a count"))
}

#[test]
fn one_event_an_array_and_lines_are_accepted() {
    let shop = Shop::stocked();
    let one = shop.post(
        PATH,
        json!({ "userId": "u1", "kind": "view", "itemId": "p01" }),
    );
    assert_eq!(one.status, 200, "{}", one.text);
    assert_eq!(counts(&one.json()), [1, 0, 0, 0]);
    assert!(one.json()["taskUid"].is_u64());
    assert_eq!(one.json()["rejected"], json!([]));
    let array = shop.post(PATH, json!([
        { "userId": 2, "kind": "view", "itemId": "p01" },
        { "userId": 2, "kind": "purchase", "itemId": "unheard-of", "price": 2.5, "quantity": 2 },
        { "userId": 2, "kind": "search", "query": "candle" },
    ]));
    assert_eq!(counts(&array.json()), [3, 0, 1, 0]);
    let lines = "{\"userId\":\"u1\",\"kind\":\"cart\",\"itemId\":\"p02\"}\n{\"userId\":\"u1\",\"kind\":\"like\",\"itemId\":\"p02\"}\n";
    let lines = shop.send(
        "POST",
        PATH,
        Some("application/x-ndjson"),
        Some(lines.as_bytes().to_vec()),
    );
    assert_eq!(counts(&lines.json()), [2, 0, 0, 0]);
    let beacon = br#"{"userId":"u1","kind":"click","itemId":"p03"}"#.to_vec();
    let beacon = shop.send("POST", PATH, Some("text/plain;charset=UTF-8"), Some(beacon));
    assert_eq!(counts(&beacon.json()), [1, 0, 0, 0]);
    let task = shop
        .get(&format!("/tasks/{}", one.json()["taskUid"]))
        .json();
    assert_eq!(
        (&task["type"], &task["status"]),
        (&json!("eventAddition"), &json!("succeeded"))
    );
    assert_eq!(counts(&shop.post(PATH, json!([])).json()), [0, 0, 0, 0]);
}

#[test]
fn an_event_id_counts_once() {
    let shop = Shop::stocked();
    let event =
        |id: &str| json!({ "eventId": id, "userId": "u1", "kind": "view", "itemId": "p01" });
    assert_eq!(
        counts(
            &shop
                .post(PATH, json!([event("a"), event("a"), event("b")]))
                .json()
        ),
        [2, 1, 0, 0]
    );
    assert_eq!(
        counts(&shop.post(PATH, json!([event("b"), event("c")])).json()),
        [1, 1, 0, 0]
    );
    assert_eq!(
        shop.get("/stats").json()["indexes"]["products"]["numberOfEvents"],
        3
    );
}

#[test]
fn bad_events_are_listed_and_good_ones_kept() {
    let shop = Shop::stocked();
    let mixed = shop
        .post(
            PATH,
            json!([
                { "userId": "u1", "kind": "view", "itemId": "p01" },
                { "userId": "u1", "kind": "dance", "itemId": "p01" },
                { "kind": "view", "itemId": "p01" },
                5,
            ]),
        )
        .json();
    assert_eq!(counts(&mixed), [1, 0, 0, 3]);
    let rows: Vec<&Value> = mixed["rejected"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|row| &row["row"])
        .collect();
    assert_eq!(rows, [&json!(2), &json!(3), &json!(4)]);
    assert_eq!(mixed["rejected"][0]["field"], "kind", "{mixed}");

    let single = shop.post(
        PATH,
        json!({ "userId": "u1", "kind": "dance", "itemId": "p01" }),
    );
    assert_eq!(single.error(), refused(400, "invalid_event"));
    assert_eq!(single.json()["rejected"][0]["field"], "kind");
    let broken = shop.send(
        "POST",
        PATH,
        Some("application/json"),
        Some(b"[{\"userId\":".to_vec()),
    );
    assert_eq!(broken.error(), refused(400, "malformed_payload"));
    let blank = shop.send("POST", PATH, Some("application/json"), Some(b" ".to_vec()));
    assert_eq!(blank.error(), refused(400, "missing_payload"));
    let html = shop.send("POST", PATH, Some("text/html"), Some(b"{}".to_vec()));
    assert_eq!(html.error(), refused(415, "invalid_content_type"));
    let other = shop.post(
        "/indexes/other/events",
        json!({ "userId": "u1", "kind": "view", "itemId": "p01" }),
    );
    assert_eq!(other.error(), refused(404, "index_not_found"));
}

#[test]
fn a_shop_export_is_read_with_a_mapping() {
    let shop = Shop::stocked();
    let csv = "Kunde,Ware,Wann,Stück,Preis\n7,p01,2024-01-05 10:00,2,64.95\n7,p02,2024-01-05 10:00,x,179\n";
    let map = "user=Kunde,item=Ware,time=Wann,quantity=St%C3%BCck,price=Preis,kind:=purchase";
    let send = |path: &str| {
        shop.send(
            "POST",
            path,
            Some("text/csv"),
            Some(csv.as_bytes().to_vec()),
        )
    };
    let path = format!("{PATH}?map={map}");
    let first = send(&path).json();
    assert_eq!(counts(&first), [1, 0, 0, 1], "{first}");
    assert_eq!(first["rejected"][0]["row"], 2);
    // The same file again changes nothing.
    assert_eq!(counts(&send(&path).json()), [0, 1, 0, 1]);
    assert_eq!(send(PATH).error(), refused(400, "invalid_event_map"));
    assert_eq!(
        send(&format!("{PATH}?map=colour%3Dx")).error(),
        refused(400, "invalid_event_map")
    );
}

#[test]
fn an_event_stands_in_the_profiles_at_once() {
    let shop = Shop::stocked();
    let missing = shop.get("/indexes/products/users/u%2F1/profile");
    assert_eq!(missing.error(), refused(404, "user_not_found"));
    shop.post(
        PATH,
        json!({ "userId": "u/1", "kind": "purchase", "itemId": "p01", "price": 60, "quantity": 2 }),
    );
    let user = shop.get("/indexes/products/users/u%2F1/profile").json();
    assert_eq!(user["userId"], "u/1");
    assert_eq!(user["events"]["purchase"], 1, "{user}");
    let item = shop.get("/indexes/products/items/p01/profile").json();
    assert_eq!(
        (&item["itemId"], &item["inCatalogue"]),
        (&json!("p01"), &json!(true))
    );
    assert_eq!(
        shop.get("/indexes/products/items/nope/profile").error(),
        refused(404, "item_not_found")
    );
    assert_eq!(
        shop.get("/indexes/other/items/p01/profile").error(),
        refused(404, "index_not_found")
    );
}
