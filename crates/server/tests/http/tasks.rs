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
        ("/tasks?canceledBy=x", 400, "invalid_task_canceled_by"),
        (
            "/tasks?afterEnqueuedAt=soon",
            400,
            "invalid_task_after_enqueued_at",
        ),
        (
            "/tasks?beforeEnqueuedAt=5",
            400,
            "invalid_task_before_enqueued_at",
        ),
        (
            "/tasks?afterStartedAt=x",
            400,
            "invalid_task_after_started_at",
        ),
        (
            "/tasks?beforeStartedAt=x",
            400,
            "invalid_task_before_started_at",
        ),
        (
            "/tasks?afterFinishedAt=x",
            400,
            "invalid_task_after_finished_at",
        ),
        (
            "/tasks?beforeFinishedAt=x",
            400,
            "invalid_task_before_finished_at",
        ),
        ("/tasks?x=1", 400, "bad_request"),
        ("/batches/x", 400, "invalid_batch_uid"),
        ("/batches/999", 404, "batch_not_found"),
        ("/batches?limit=x", 400, "invalid_task_limit"),
    ] {
        assert_eq!(shop.get(path).error(), refused(status, code), "{path}");
    }
}

#[test]
fn tasks_are_chosen_by_their_times() {
    let shop = Shop::empty();
    let a = shop.post("/indexes", json!({ "uid": "a" })).done(&shop);
    std::thread::sleep(std::time::Duration::from_millis(20));
    let b = shop.post("/indexes", json!({ "uid": "b" })).done(&shop);
    let uid = |task: &Value| task["uid"].as_u64().expect("a uid");
    let (first, second) = (uid(&a), uid(&b));
    let at = b["enqueuedAt"].as_str().expect("a time");
    let list = |query: String| uids(&shop.get(&format!("/tasks?{query}")).json());
    assert_eq!(list(format!("beforeEnqueuedAt={at}")), [first]);
    assert_eq!(list(format!("beforeStartedAt={at}")), [first]);
    assert_eq!(list(format!("beforeFinishedAt={at}")), [first]);
    let at = a["finishedAt"].as_str().expect("a time");
    assert_eq!(list(format!("afterEnqueuedAt={at}")), [second]);
    assert_eq!(
        list("afterEnqueuedAt=2000-01-01".to_owned()),
        [second, first]
    );
    assert!(list("afterFinishedAt=2999-01-01".to_owned()).is_empty());
    assert_eq!(list("beforeFinishedAt=*".to_owned()), [second, first]);
    // Not after today: the whole day is before its end.
    let today = at.get(..10).expect("a date");
    assert!(list(format!("afterEnqueuedAt={today}")).is_empty());
}

#[test]
fn finished_tasks_can_be_deleted() {
    let shop = Shop::empty();
    let uid = |task: &Value| task["uid"].as_u64().expect("a uid");
    let bad_row = json!([{ "id": 1 }, { "id": "a b" }]);
    let added = uid(&shop.post("/indexes/a/documents", bad_row).done(&shop));
    let failed = uid(&shop.delete("/indexes/nope").finished(&shop));
    for path in ["/tasks", "/tasks?"] {
        assert_eq!(
            shop.delete(path).error(),
            refused(400, "missing_task_filters")
        );
    }
    assert_eq!(
        shop.delete("/tasks?limit=5").error(),
        refused(400, "bad_request")
    );
    let summary = shop.delete("/tasks?statuses=failed,enqueued&uids=*");
    assert_eq!(summary.status, 200);
    assert_eq!(summary.json()["indexUid"], Value::Null);
    let task = summary.done(&shop);
    assert_eq!(
        (&task["type"], &task["indexUid"]),
        (&json!("taskDeletion"), &Value::Null)
    );
    assert_eq!(
        task["details"],
        json!({
            "matchedTasks": 1, "deletedTasks": 1,
            "originalFilter": "?statuses=failed,enqueued&uids=*",
        })
    );
    let get = |uid: u64| shop.get(&format!("/tasks/{uid}"));
    assert_eq!(get(failed).error(), refused(404, "task_not_found"));
    assert_eq!(get(added).status, 200);
    let again = shop
        .delete(&format!("/tasks?uids={failed},{added}"))
        .done(&shop);
    assert_eq!(again["details"]["deletedTasks"], 1);
    assert_eq!(
        shop.get(&format!("/tasks/{added}/rows")).error(),
        refused(404, "task_not_found")
    );
    assert_eq!(uids(&shop.get("/tasks").json()), [uid(&again), uid(&task)]);
}

/// Adds so many documents that the applier is busy for a while.
fn keep_busy(shop: &Shop) -> u64 {
    let rows: String = (0..30_000)
        .map(|id| format!("{{\"id\":{id},\"title\":\"a thing with number {id}\"}}\n"))
        .collect();
    let media = Some("application/x-ndjson");
    let answer = shop.send(
        "POST",
        "/indexes/big/documents",
        media,
        Some(rows.into_bytes()),
    );
    let uid = answer.json()["taskUid"].as_u64().expect("a uid");
    while shop.get(&format!("/tasks/{uid}")).json()["status"] == "enqueued" {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    uid
}

#[test]
fn waiting_tasks_can_be_canceled_and_stay_so() {
    let mut shop = Shop::empty();
    shop.post("/indexes/a/documents", json!([{ "id": "kept" }]))
        .done(&shop);
    let uid = |answer: &crate::shop::Answer| answer.json()["taskUid"].as_u64().expect("a uid");
    let busy = keep_busy(&shop);
    let add = uid(&shop.post("/indexes/a/documents", json!([{ "id": "never" }])));
    let made = uid(&shop.post("/indexes", json!({ "uid": "b" })));
    assert_eq!(
        shop.post("/tasks/cancel", json!({})).error(),
        refused(400, "missing_task_filters")
    );
    let path = format!("/tasks/cancel?uids={add},{made},{busy}");
    let cancel = shop.send("POST", &path, None, None);
    assert_eq!(cancel.status, 200);
    let canceled_by = uid(&cancel);
    let task = cancel.done(&shop);
    assert_eq!(task["type"], "taskCancelation");
    assert_eq!(
        task["details"],
        json!({
            "matchedTasks": 3, "canceledTasks": 1,
            "originalFilter": format!("?uids={add},{made},{busy}"),
        })
    );
    let check = |shop: &Shop| {
        let canceled = shop.get(&format!("/tasks/{add}")).json();
        assert_eq!(canceled["status"], "canceled");
        assert_eq!(canceled["canceledBy"], canceled_by);
        assert_eq!(canceled["details"]["indexedDocuments"], 0);
        assert_eq!(
            (
                &canceled["startedAt"],
                &canceled["duration"],
                &canceled["error"]
            ),
            (&Value::Null, &Value::Null, &Value::Null)
        );
        assert!(canceled["finishedAt"].is_string());
        let list = shop.get(&format!("/tasks?canceledBy={canceled_by}")).json();
        assert_eq!(uids(&list), [add]);
        // What others rest on is not canceled, nor what has begun.
        assert_eq!(shop.get("/indexes/b").status, 200);
        assert_eq!(
            shop.get(&format!("/tasks/{busy}")).json()["status"],
            "succeeded"
        );
        assert_eq!(
            shop.get("/indexes/a/documents/never").error(),
            refused(404, "document_not_found")
        );
        assert_eq!(shop.get("/indexes/a/documents/kept").status, 200);
    };
    check(&shop);
    // Views built anew from the log know it, too.
    shop.stop().expect("a clean stop");
    std::fs::remove_dir_all(shop.dir.path().join("views")).expect("views");
    shop.restart();
    check(&shop);
}

#[test]
fn batches_are_the_tasks_applied_together() {
    let shop = Shop::empty();
    let busy = keep_busy(&shop);
    let mut added = Vec::new();
    for id in 0..3 {
        let answer = shop.post("/indexes/a/documents", json!([{ "id": id }, { "id": 9 }]));
        added.push(answer.json()["taskUid"].as_u64().expect("a uid"));
    }
    let last = shop.wait(added[2]);
    assert_eq!(last["batchUid"], added[0]);
    let batch = shop.get(&format!("/batches/{}", added[0])).json();
    let names: Vec<&String> = batch.as_object().expect("an object").keys().collect();
    assert_eq!(
        names,
        [
            "uid",
            "progress",
            "details",
            "stats",
            "duration",
            "startedAt",
            "finishedAt",
            "batchStrategy"
        ]
    );
    assert_eq!(
        batch["details"],
        json!({ "receivedDocuments": 6, "indexedDocuments": 6, "refusedRows": 0, "changedRows": 0 })
    );
    assert_eq!(
        batch["stats"],
        json!({
            "totalNbTasks": 3,
            "status": { "succeeded": 3 },
            "types": { "documentAdditionOrUpdate": 3 },
            "indexUids": { "a": 3 },
        })
    );
    assert!(batch["duration"].is_string());
    let list = |query: &str| uids(&shop.get(&format!("/batches{query}")).json());
    assert_eq!(list(""), [added[0], busy]);
    assert_eq!(list("?reverse=true&limit=1"), [busy]);
    assert_eq!(list("?indexUids=big"), [busy]);
    assert_eq!(list(&format!("?uids={}", added[1])), [added[0]]);
    let tasks = shop.get(&format!("/tasks?batchUids={}", added[0])).json();
    assert_eq!(tasks["total"], 3);
}
