//! `/indexes`

use crate::shop::{Shop, refused};
use serde_json::{Value, json};

#[test]
fn an_index_is_created_listed_changed_and_deleted() {
    let shop = Shop::empty();
    let created = shop.post("/indexes", json!({ "uid": "books" }));
    let summary = created.json();
    assert_eq!(
        (created.status, &summary["type"]),
        (202, &json!("indexCreation"))
    );
    assert_eq!(summary["indexUid"], "books");
    assert!(
        summary["enqueuedAt"]
            .as_str()
            .is_some_and(|at| at.ends_with('Z'))
    );
    created.done(&shop);
    shop.post("/indexes", json!({ "uid": "shoes", "primaryKey": "sku" }))
        .done(&shop);

    let list = shop.get("/indexes?limit=1").json();
    assert_eq!(
        (&list["limit"], &list["offset"], &list["total"]),
        (&json!(1), &json!(0), &json!(2))
    );
    assert_eq!(list["results"][0]["uid"], "books");
    assert_eq!(
        shop.get("/indexes?offset=1").json()["results"][0]["primaryKey"],
        "sku"
    );

    shop.patch("/indexes/books", json!({ "primaryKey": "isbn" }))
        .done(&shop);
    let books = shop.get("/indexes/books").json();
    assert_eq!(books["primaryKey"], "isbn");
    assert!(books["createdAt"].is_string() && books["updatedAt"].is_string());

    let deleted = shop.delete("/indexes/books").done(&shop);
    assert_eq!(deleted["type"], "indexDeletion");
    assert_eq!(
        shop.get("/indexes/books").error(),
        refused(404, "index_not_found")
    );
}

#[test]
fn an_index_is_renamed_by_its_update() {
    let mut shop = Shop::stocked();
    shop.post("/indexes", json!({ "uid": "books" })).done(&shop);
    let total = shop.get("/indexes/products/documents").json()["total"].clone();
    let rename = |from: &str, body: Value| {
        let path = format!("/indexes/{from}");
        shop.patch(&path, body).finished(&shop)
    };
    let taken = rename("products", json!({ "uid": "books" }));
    assert_eq!(taken["error"]["code"], "index_already_exists");
    let missing = rename("other", json!({ "uid": "new" }));
    assert_eq!(missing["error"]["code"], "index_not_found");
    let same = rename("books", json!({ "uid": "books", "primaryKey": "isbn" }));
    assert_eq!(same["status"], "succeeded");

    let renamed = rename("products", json!({ "uid": "wares" }));
    assert_eq!(
        (&renamed["status"], &renamed["type"], &renamed["indexUid"]),
        (
            &json!("succeeded"),
            &json!("indexUpdate"),
            &json!("products")
        )
    );
    assert_eq!(
        renamed["details"],
        json!({ "primaryKey": null, "oldIndexUid": "products", "newIndexUid": "wares" })
    );
    let check = |shop: &Shop| {
        let old = shop.get("/indexes/products");
        assert_eq!(old.error(), refused(404, "index_not_found"));
        let wares = shop.get("/indexes/wares/documents").json();
        assert_eq!(wares["total"], total);
        assert_eq!(shop.get("/indexes/books").json()["primaryKey"], "isbn");
    };
    check(&shop);
    shop.restart();
    check(&shop);
    // The name is free again.
    shop.post("/indexes", json!({ "uid": "products" }))
        .done(&shop);
}

#[test]
fn what_cannot_be_done_fails_as_a_task() {
    let shop = Shop::empty();
    shop.post("/indexes", json!({ "uid": "books" })).done(&shop);
    let code = |task: Value| task["error"]["code"].as_str().map(str::to_owned);
    let again = shop
        .post("/indexes", json!({ "uid": "books" }))
        .finished(&shop);
    assert_eq!(again["status"], "failed");
    assert_eq!(code(again).as_deref(), Some("index_already_exists"));
    let missing = shop.delete("/indexes/other").finished(&shop);
    assert_eq!(code(missing).as_deref(), Some("index_not_found"));
}

#[test]
fn bad_requests_are_refused_at_once() {
    let shop = Shop::empty();
    let create = |body| shop.post("/indexes", body).error();
    assert_eq!(create(json!({})), refused(400, "missing_index_uid"));
    assert_eq!(
        create(json!({ "uid": "a b" })),
        refused(400, "invalid_index_uid")
    );
    assert_eq!(
        create(json!({ "uid": 5 })),
        refused(400, "invalid_index_uid")
    );
    assert_eq!(
        create(json!({ "uid": "a", "primaryKey": 5 })),
        refused(400, "invalid_index_primary_key")
    );
    assert_eq!(
        create(json!({ "uid": "a", "colour": 5 })),
        refused(400, "bad_request")
    );
    assert_eq!(create(json!([])), refused(400, "bad_request"));
    let update = |body| shop.patch("/indexes/a", body).error();
    assert_eq!(
        update(json!({ "uid": "a b" })),
        refused(400, "invalid_index_uid")
    );
    assert_eq!(
        update(json!({ "uid": 5 })),
        refused(400, "invalid_index_uid")
    );
    assert_eq!(
        update(json!({ "createdAt": "x" })),
        refused(400, "immutable_index_created_at")
    );
    assert_eq!(
        update(json!({ "updatedAt": "x" })),
        refused(400, "immutable_index_updated_at")
    );
    assert_eq!(
        shop.get("/indexes?limit=x").error(),
        refused(400, "invalid_index_limit")
    );
    assert_eq!(
        shop.get("/indexes?offset=-1").error(),
        refused(400, "invalid_index_offset")
    );
    assert_eq!(
        shop.get("/indexes?x=1").error(),
        refused(400, "bad_request")
    );
    assert_eq!(
        shop.get("/indexes/a%20b").error(),
        refused(400, "invalid_index_uid")
    );
    assert_eq!(
        shop.delete("/indexes/a%20b").error(),
        refused(400, "invalid_index_uid")
    );
}
