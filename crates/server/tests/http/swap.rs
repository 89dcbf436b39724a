//! `/swap-indexes`: names that lead to other indexes from one request to the next.

use crate::shop::{Answer, Shop, refused};
use serde_json::{Value, json};

fn two() -> Shop {
    let shop = Shop::empty();
    for uid in ["a", "b"] {
        let documents = json!([{ "id": format!("of-{uid}") }]);
        shop.post(&format!("/indexes/{uid}/documents"), documents)
            .done(&shop);
    }
    shop
}

fn swap(shop: &Shop, body: Value) -> Answer {
    shop.post("/swap-indexes", body)
}

#[track_caller]
fn holds(shop: &Shop, uid: &str, id: &str) {
    let index = shop.get(&format!("/indexes/{uid}")).json();
    assert_eq!(index["uid"], uid);
    let list = shop.get(&format!("/indexes/{uid}/search")).json();
    assert_eq!(list["hits"], json!([{ "id": id }]), "{uid}");
}

#[test]
fn two_indexes_exchange_their_names_and_keep_them() {
    let mut shop = two();
    let task = swap(&shop, json!([{ "indexes": ["a", "b"] }])).done(&shop);
    assert_eq!(
        (&task["type"], &task["indexUid"]),
        (&json!("indexSwap"), &Value::Null)
    );
    assert_eq!(
        task["details"],
        json!({ "swaps": [{ "indexes": ["a", "b"], "rename": false }] })
    );
    holds(&shop, "a", "of-b");
    holds(&shop, "b", "of-a");
    // Writes behind the swap go by the new names.
    shop.post("/indexes/a/documents", json!([{ "id": "of-b", "n": 1 }]))
        .done(&shop);
    let changed = shop.get("/indexes/a/documents/of-b").json();
    assert_eq!(changed["n"], 1);
    shop.post("/indexes/a/documents", json!([{ "id": "of-b" }]))
        .done(&shop);
    shop.restart();
    holds(&shop, "a", "of-b");
    shop.stop().expect("a clean stop");
    std::fs::remove_dir_all(shop.dir.path().join("views")).expect("views");
    shop.restart();
    holds(&shop, "a", "of-b");
    holds(&shop, "b", "of-a");
    shop.delete("/indexes/a").done(&shop);
    assert_eq!(
        shop.get("/indexes/a").error(),
        refused(404, "index_not_found")
    );
    holds(&shop, "b", "of-a");
}

#[test]
fn an_index_takes_a_name_that_is_free() {
    let shop = two();
    swap(&shop, json!([{ "indexes": ["a", "c"], "rename": true }])).done(&shop);
    holds(&shop, "c", "of-a");
    assert_eq!(
        shop.get("/indexes/a").error(),
        refused(404, "index_not_found")
    );
    // The old name is free for another index.
    shop.post("/indexes/a/documents", json!([{ "id": "new" }]))
        .done(&shop);
    holds(&shop, "a", "new");
    holds(&shop, "c", "of-a");
    let taken = swap(&shop, json!([{ "indexes": ["a", "b"], "rename": true }])).finished(&shop);
    assert_eq!(taken["error"]["code"], "index_already_exists");
}

#[test]
fn all_swaps_of_a_request_are_made_or_none() {
    let shop = two();
    let body = json!([{ "indexes": ["a", "b"] }, { "indexes": ["x", "y"] }]);
    let task = swap(&shop, body).finished(&shop);
    assert_eq!(task["error"]["code"], "index_not_found");
    assert_eq!(task["error"]["message"], "Indexes `x`, `y` not found.");
    holds(&shop, "a", "of-a");
    swap(&shop, json!([])).done(&shop);
}

#[test]
fn bad_swaps_are_refused() {
    let shop = Shop::empty();
    for (body, code) in [
        (json!({ "indexes": ["a", "b"] }), "bad_request"),
        (json!([{}]), "missing_swap_indexes"),
        (json!([{ "indexes": "a" }]), "invalid_swap_indexes"),
        (json!([{ "indexes": ["a"] }]), "invalid_swap_indexes"),
        (
            json!([{ "indexes": ["a", "b", "c"] }]),
            "invalid_swap_indexes",
        ),
        (json!([{ "indexes": ["a", "b c"] }]), "invalid_index_uid"),
        (
            json!([{ "indexes": ["a", "b"], "rename": 1 }]),
            "invalid_swap_rename",
        ),
        (json!([{ "indexes": ["a", "b"], "x": 1 }]), "bad_request"),
        (
            json!([{ "indexes": ["a", "a"] }]),
            "invalid_swap_duplicate_index_found",
        ),
        (
            json!([{ "indexes": ["a", "b"] }, { "indexes": ["b", "c"] }]),
            "invalid_swap_duplicate_index_found",
        ),
    ] {
        assert_eq!(
            swap(&shop, body.clone()).error(),
            refused(400, code),
            "{body}"
        );
    }
}
