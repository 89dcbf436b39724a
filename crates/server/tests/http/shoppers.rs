//! `/indexes/{uid}/users/{id}`

use crate::shop::{Shop, refused};
use serde_json::json;

#[test]
fn a_record_is_written_changed_and_read_at_once() {
    let shop = Shop::stocked();
    let path = "/indexes/products/users/ann%20%E5%AE%A2";
    assert_eq!(shop.get(path).error(), refused(404, "user_not_found"));
    let put = shop.put(path, json!({ "suitability": 3, "tags": ["a"] }));
    assert_eq!(
        (put.status, put.json()),
        (200, json!({ "suitability": 3, "tags": ["a"] }))
    );
    let patched = shop.patch(path, json!({ "suitability": 2, "tags": null, "age": 30 }));
    assert_eq!(patched.json(), json!({ "suitability": 2, "age": 30 }));
    assert_eq!(
        shop.get(path).json(),
        json!({ "suitability": 2, "age": 30 })
    );
    // Nothing is known of what the shopper did.
    let profile = shop.get(&format!("{path}/profile"));
    assert_eq!(profile.error(), refused(404, "user_not_found"));
}

#[test]
fn odd_records_are_refused() {
    let shop = Shop::stocked();
    let path = "/indexes/products/users/ann";
    assert_eq!(
        shop.put(path, json!([1])).error(),
        refused(400, "bad_request")
    );
    assert_eq!(
        shop.put(path, json!(null)).error(),
        refused(400, "bad_request")
    );
    let large = json!({ "a": "x".repeat(1_000_001) });
    assert_eq!(
        shop.put(path, large).error(),
        refused(413, "payload_too_large")
    );
    let odd = shop.put("/indexes/products/users/a%0Ab", json!({}));
    assert_eq!(odd.error(), refused(400, "invalid_user_id"));
    let other = shop.put("/indexes/other/users/ann", json!({}));
    assert_eq!(other.error(), refused(404, "index_not_found"));
}
