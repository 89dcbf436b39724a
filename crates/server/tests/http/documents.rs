//! Adding, reading and deleting documents.

use crate::shop::{Shop, ids, refused};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io::Write;

const PATH: &str = "/indexes/books/documents";

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

#[test]
fn documents_come_as_json_ndjson_and_csv() {
    let shop = Shop::empty();
    let send = |media: &str, query: &str, body: &str| {
        let path = format!("{PATH}{query}");
        shop.send("POST", &path, Some(media), Some(body.as_bytes().to_vec()))
            .done(&shop)
    };
    let task = send(
        "application/json",
        "?primaryKey=id",
        r#"[{"id":1,"t":"one"},{"id":2,"t":"two"}]"#,
    );
    assert_eq!(task["type"], "documentAdditionOrUpdate");
    assert_eq!(task["details"]["receivedDocuments"], 2);
    assert_eq!(task["details"]["indexedDocuments"], 2);
    send("application/json", "", r#"{"id":3,"t":"three"}"#);
    send(
        "application/x-ndjson",
        "",
        "{\"id\":4,\"t\":\"four\"}\n{\"id\":5,\"t\":\"five\"}\n",
    );
    send("text/csv; charset=utf-8", "", "id,t\n6,six\n");
    send("text/csv", "?csvDelimiter=%3B", "id;t\n7;seven\n");
    assert_eq!(shop.get(PATH).json()["total"], 7);
    assert_eq!(shop.get(&format!("{PATH}/7")).json()["t"], "seven");
    assert_eq!(shop.get("/indexes/books").json()["primaryKey"], "id");
}

#[test]
fn gzip_is_known_by_its_header_or_its_first_bytes() {
    let shop = Shop::empty();
    let body = gzip(r#"[{"id":1}]"#);
    shop.send("POST", PATH, Some("application/json"), Some(body.clone()))
        .done(&shop);
    let shop = shop.header("Content-Encoding", "gzip");
    shop.send(
        "POST",
        PATH,
        Some("application/json"),
        Some(gzip(r#"[{"id":2}]"#)),
    )
    .done(&shop);
    assert_eq!(shop.get(PATH).json()["total"], 2);
    let half = body
        .get(..body.len() / 2)
        .expect("longer than that")
        .to_vec();
    let refusal = shop.send("POST", PATH, Some("application/json"), Some(half));
    assert_eq!(refusal.error(), refused(400, "malformed_payload"));
}

#[test]
fn post_replaces_and_put_updates() {
    let shop = Shop::empty();
    shop.post(PATH, json!([{ "id": 1, "a": 1, "b": 1 }]))
        .done(&shop);
    shop.put(PATH, json!([{ "id": 1, "b": 2 }])).done(&shop);
    assert_eq!(
        shop.get(&format!("{PATH}/1")).json(),
        json!({ "id": 1, "a": 1, "b": 2 })
    );
    shop.post(PATH, json!([{ "id": 1, "c": 3 }])).done(&shop);
    assert_eq!(
        shop.get(&format!("{PATH}/1")).json(),
        json!({ "id": 1, "c": 3 })
    );
}

#[test]
fn bad_rows_are_listed_and_good_ones_kept() {
    let shop = Shop::empty();
    let body = "{\"id\":1}\nnot json\n{\"id\":\"a b\"}\n{\"id\":4}\n";
    let task = shop
        .send(
            "POST",
            PATH,
            Some("application/x-ndjson"),
            Some(body.as_bytes().to_vec()),
        )
        .done(&shop);
    assert_eq!(task["details"]["refusedRows"], 2, "{task}");
    assert_eq!(shop.get(PATH).json()["total"], 2);
    let rows = shop.get(&format!("/tasks/{}/rows", task["uid"])).json();
    assert_eq!(rows["total"], 2, "{rows}");
    let numbers: Vec<&Value> = rows["results"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|row| &row["row"])
        .collect();
    assert_eq!(numbers, [&json!(2), &json!(3)]);
    assert_eq!(rows["results"][1]["field"], "id", "{rows}");
    assert_eq!(rows["results"][1]["refused"], true);
    assert_eq!(
        shop.get(&format!("/tasks/{}/rows?offset=1&limit=1", task["uid"]))
            .json()["results"][0]["row"],
        3
    );
}

#[test]
fn broken_payloads_are_refused_whole() {
    let shop = Shop::empty();
    let send = |media: Option<&str>, body: &str| {
        shop.send("POST", PATH, media, Some(body.as_bytes().to_vec()))
            .error()
    };
    let json = Some("application/json");
    assert_eq!(
        send(json, r#"[{"id":1},{"id":2"#),
        refused(400, "malformed_payload")
    );
    assert_eq!(send(json, "hello"), refused(400, "malformed_payload"));
    assert_eq!(send(json, "[5]"), refused(400, "malformed_payload"));
    assert_eq!(send(json, " "), refused(400, "missing_payload"));
    assert_eq!(
        send(Some("text/csv"), "id,t\n1,2,3\n"),
        refused(400, "malformed_payload")
    );
    assert_eq!(
        send(Some("text/html"), "[]"),
        refused(415, "invalid_content_type")
    );
    assert_eq!(send(None, "[]"), refused(415, "missing_content_type"));
    let deep = format!(
        "[{{\"id\":1,\"a\":{}{}}}]",
        "[".repeat(200),
        "]".repeat(200)
    );
    assert_eq!(send(json, &deep), refused(400, "malformed_payload"));
    assert_eq!(
        shop.get("/indexes/books").error(),
        refused(404, "index_not_found")
    );
    let query = |query: &str| {
        let path = format!("{PATH}?{query}");
        shop.send("POST", &path, json, Some(b"[]".to_vec())).error()
    };
    assert_eq!(
        query("csvDelimiter=,"),
        refused(400, "invalid_document_csv_delimiter")
    );
    assert_eq!(query("colour=red"), refused(400, "bad_request"));
    assert_eq!(
        shop.post("/indexes/a%20b/documents", json!([])).error(),
        refused(400, "invalid_index_uid")
    );
}

#[test]
fn a_csv_with_one_wrong_row_keeps_the_others() {
    let shop = Shop::empty();
    let body = b"id,t\n1,one\n2,two,too many\n3,three\n".to_vec();
    let task = shop
        .send("POST", PATH, Some("text/csv"), Some(body))
        .done(&shop);
    let rows = shop.get(&format!("/tasks/{}/rows", task["uid"])).json();
    assert_eq!(rows["results"][0]["row"], 2, "{rows}");
    assert!(
        rows["results"][0]["reason"]
            .as_str()
            .is_some_and(|text| text.contains("columns"))
    );
    assert_eq!(shop.get(PATH).json()["total"], 2);
}

#[test]
fn documents_are_listed_fetched_and_filtered() {
    let shop = Shop::stocked();
    let path = "/indexes/products/documents";
    let page = shop
        .get(&format!("{path}?limit=2&offset=1&fields=id,title"))
        .json();
    assert_eq!(page["total"], 40);
    assert_eq!((&page["limit"], &page["offset"]), (&json!(2), &json!(1)));
    assert_eq!(page["results"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        page["results"][0]
            .as_object()
            .map(|document| document.len()),
        Some(2)
    );

    let fetch = |body: Value| shop.post(&format!("{path}/fetch"), body);
    let brand =
        fetch(json!({ "filter": "brand = Adidas", "fields": ["id"], "sort": ["id:desc"] })).json();
    assert_eq!(brand["total"], 4);
    assert_eq!(ids(&brand["results"]), ["p40", "p04", "p02", "p01"]);
    let some = fetch(json!({ "ids": ["p03", "p01", "nope"] })).json();
    assert_eq!(some["total"], 2);
    assert_eq!(
        shop.get(&format!("{path}/p01?fields=title")).json(),
        json!({ "title": "Runfalcon 3 Running Shoes" })
    );
    assert_eq!(
        shop.get(&format!("{path}/nope")).error(),
        refused(404, "document_not_found")
    );

    for (body, code) in [
        (json!({ "limit": "a" }), "invalid_document_limit"),
        (json!({ "offset": -1 }), "invalid_document_offset"),
        (json!({ "fields": "a" }), "invalid_document_fields"),
        (json!({ "ids": [true] }), "invalid_document_ids"),
        (json!({ "filter": "brand =" }), "invalid_document_filter"),
        (json!({ "filter": 5 }), "invalid_document_filter"),
        (json!({ "sort": ["price"] }), "invalid_document_sort"),
        (
            json!({ "retrieveVectors": 1 }),
            "invalid_document_retrieve_vectors",
        ),
    ] {
        assert_eq!(fetch(body.clone()).error(), refused(400, code), "{body}");
    }
}

#[test]
fn documents_are_deleted_by_id_batch_filter_and_all() {
    let shop = Shop::stocked();
    let path = "/indexes/products/documents";
    let total = || shop.get(path).json()["total"].as_u64();
    let task = shop.delete(&format!("{path}/p01")).done(&shop);
    assert_eq!(task["type"], "documentDeletion");
    assert_eq!(total(), Some(39));
    shop.post(&format!("{path}/delete-batch"), json!(["p02", "p03", 17]))
        .done(&shop);
    assert_eq!(total(), Some(37));
    let filter = json!({ "filter": [["id = p04", "id = p05"]] });
    let task = shop.post(&format!("{path}/delete"), filter).done(&shop);
    assert_eq!(
        task["details"],
        json!({
            "providedIds": 0,
            "originalFilter": r#"[["id = p04","id = p05"]]"#,
            "deletedDocuments": 2,
        })
    );
    assert_eq!(total(), Some(35));
    let delete = |body| shop.post(&format!("{path}/delete"), body).error();
    assert_eq!(delete(json!({})), refused(400, "missing_document_filter"));
    assert_eq!(
        delete(json!({ "filter": "" })),
        refused(400, "missing_document_filter")
    );
    assert_eq!(
        delete(json!({ "filter": "x =" })),
        refused(400, "invalid_document_filter")
    );
    let batch = shop
        .post(&format!("{path}/delete-batch"), json!([{}]))
        .error();
    assert_eq!(batch, refused(400, "invalid_document_ids"));
    assert_eq!(total(), Some(35));
    shop.delete(path).done(&shop);
    assert_eq!(total(), Some(0));
}

#[test]
fn documents_that_are_not_known_can_be_passed_over() {
    let mut shop = Shop::empty();
    shop.post(PATH, json!([{ "id": 1, "t": "one", "n": 1 }]))
        .done(&shop);
    let changes = json!([{ "id": 1, "t": "two" }, { "id": 2, "t": "new" }]);
    let path = format!("{PATH}?skipCreation=true");
    let task = shop.put(&path, changes).done(&shop);
    assert_eq!(task["details"]["receivedDocuments"], 2);
    assert_eq!(task["details"]["indexedDocuments"], 1);
    let one = |shop: &Shop| shop.get(&format!("{PATH}/1")).json();
    assert_eq!(one(&shop), json!({ "id": 1, "t": "two", "n": 1 }));
    shop.post(&path, json!([{ "id": 1, "t": "three" }, { "id": 3 }]))
        .done(&shop);
    assert_eq!(one(&shop), json!({ "id": 1, "t": "three" }));
    assert_eq!(shop.get(PATH).json()["total"], 1);
    shop.restart();
    assert_eq!(one(&shop), json!({ "id": 1, "t": "three" }));

    shop.post(
        "/indexes/fresh/documents?skipCreation=true",
        json!([{ "id": 1 }]),
    )
    .done(&shop);
    assert_eq!(shop.get("/indexes/fresh/documents").json()["total"], 0);
    let path = format!("{PATH}?skipCreation=maybe");
    let wrong = shop.post(&path, json!([{ "id": 1 }]));
    assert_eq!(wrong.error(), refused(400, "invalid_skip_creation"));
}

#[test]
fn a_task_carries_the_note_it_was_given() {
    let shop = Shop::empty();
    let add = shop.post(
        &format!("{PATH}?customMetadata=nightly%20feed"),
        json!([{ "id": 1 }, { "id": 2 }, { "id": 3 }]),
    );
    assert_eq!(add.json()["customMetadata"], "nightly feed");
    assert_eq!(add.done(&shop)["customMetadata"], "nightly feed");
    let path = format!("{PATH}/delete-batch?customMetadata=clean");
    let batch = shop.post(&path, json!([1])).done(&shop);
    let one = shop.delete(&format!("{PATH}/2?customMetadata=clean"));
    let all = shop.delete(&format!("{PATH}?customMetadata=clean"));
    for task in [batch, one.done(&shop), all.done(&shop)] {
        assert_eq!(task["customMetadata"], "clean");
    }
    let without = shop.delete(PATH).done(&shop);
    assert!(without.get("customMetadata").is_none(), "{without}");
}

#[test]
fn an_id_of_any_length_is_looked_for() {
    let shop = Shop::stocked();
    let path = "/indexes/products/documents";
    let long = "a".repeat(70_000);
    let fetched = shop
        .post(&format!("{path}/fetch"), json!({ "ids": [long, "p01"] }))
        .json();
    assert_eq!(ids(&fetched["results"]), ["p01"]);
    let task = shop
        .post(&format!("{path}/delete-batch"), json!([long, "p01"]))
        .done(&shop);
    assert_eq!(task["details"]["deletedDocuments"], 1, "{task}");
    // The applier goes on.
    shop.delete(&format!("{path}/p02")).done(&shop);
    assert_eq!(shop.get(path).json()["total"], 38);
}
