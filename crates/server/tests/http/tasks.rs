//! `/tasks`

use crate::shop::{Shop, refused};
use serde_json::{Value, json};

fn uids(list: &Value) -> Vec<u64> {
    let results = list["results"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    results
        .iter()
        .filter_map(|task| task["uid"].as_u64())
        .collect()
}

#[test]
fn tasks_are_listed_newest_first_and_filtered() {
    let shop = Shop::empty();
    let a = shop.post("/indexes", json!({ "uid": "a" })).done(&shop)["uid"]
        .as_u64()
        .expect("a uid");
    let b = shop.post("/indexes", json!({ "uid": "b" })).done(&shop)["uid"]
        .as_u64()
        .expect("a uid");
    let c = shop.delete("/indexes/nope").finished(&shop)["uid"]
        .as_u64()
        .expect("a uid");
    let list = |query: &str| shop.get(&format!("/tasks{query}")).json();
    assert_eq!(uids(&list("")), [c, b, a]);
    assert_eq!(uids(&list("?reverse=true")), [a, b, c]);
    let page = list("?limit=2");
    assert_eq!(
        (uids(&page), &page["total"], &page["next"]),
        (vec![c, b], &json!(3), &json!(a))
    );
    assert_eq!((&page["from"], &page["limit"]), (&json!(c), &json!(2)));
    assert_eq!(uids(&list(&format!("?from={b}"))), [b, a]);
    assert_eq!(uids(&list("?indexUids=a,b")), [b, a]);
    assert_eq!(uids(&list("?indexUids=*&statuses=failed")), [c]);
    assert_eq!(
        uids(&list("?types=indexCreation&statuses=Succeeded")),
        [b, a]
    );
    assert_eq!(uids(&list(&format!("?uids={a},{c}"))), [c, a]);
}

#[test]
fn a_task_is_shown_in_the_shape_of_the_convention() {
    let shop = Shop::empty();
    let task = shop
        .post("/indexes/a/documents", json!([{ "id": 1 }]))
        .done(&shop);
    let names: Vec<&String> = task.as_object().expect("an object").keys().collect();
    assert_eq!(
        names,
        [
            "uid",
            "batchUid",
            "indexUid",
            "status",
            "type",
            "canceledBy",
            "details",
            "error",
            "duration",
            "enqueuedAt",
            "startedAt",
            "finishedAt"
        ]
    );
    assert!(
        task["duration"]
            .as_str()
            .is_some_and(|text| text.starts_with("PT") && text.ends_with('S'))
    );
    assert_eq!(
        (&task["error"], &task["canceledBy"]),
        (&Value::Null, &Value::Null)
    );
    let failed = shop.delete("/indexes/nope").finished(&shop);
    let error = failed["error"].as_object().expect("an error");
    assert_eq!(error["code"], "index_not_found");
    assert_eq!(error["type"], "invalid_request");
    assert_eq!(error["link"], "docs/http-api.md#index_not_found");
}

#[test]
fn bad_requests_are_refused() {
    let shop = Shop::empty();
    for (path, status, code) in [
        ("/tasks/999", 404, "task_not_found"),
        ("/tasks/999/rows", 404, "task_not_found"),
        ("/tasks/x", 400, "invalid_task_uid"),
        ("/tasks?limit=x", 400, "invalid_task_limit"),
        ("/tasks?from=x", 400, "invalid_task_from"),
        ("/tasks?reverse=x", 400, "invalid_task_reverse"),
        ("/tasks?uids=1,x", 400, "invalid_task_uids"),
        ("/tasks?batchUids=x", 400, "invalid_batch_uids"),
        ("/tasks?indexUids=a%20b", 400, "invalid_index_uid"),
        ("/tasks?statuses=done", 400, "invalid_task_statuses"),
        ("/tasks?types=dance", 400, "invalid_task_types"),
        ("/tasks?x=1", 400, "bad_request"),
    ] {
        assert_eq!(shop.get(path).error(), refused(status, code), "{path}");
    }
}
