//! Health, version, counts, keys, CORS, compression, and stopping.

use crate::shop::{Shop, refused};
use engine::Engine;
use serde_json::{Value, json};
use server::Limits;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

const KEY: &str = "0123456789abcdef-master";

#[test]
fn the_plain_routes_answer() {
    let shop = Shop::empty();
    assert_eq!(shop.get("/health").json(), json!({ "status": "available" }));
    let version = shop.get("/version").json();
    for name in ["commitSha", "commitDate", "pkgVersion"] {
        assert!(version[name].is_string(), "{version}");
    }
    let root = shop.get("/").json();
    assert!(
        root["message"]
            .as_str()
            .is_some_and(|text| text.contains("Vitrine"))
    );
    assert_eq!(shop.get("/nowhere").error(), refused(404, "not_found"));
    assert_eq!(
        shop.delete("/health").error(),
        refused(405, "method_not_allowed")
    );
}

#[test]
fn a_catalogue_that_cannot_be_written_says_so_and_is_still_searched() {
    let shop = Shop::stocked();
    let indexes = shop.dir.path().join("indexes");
    let mut removed = 0;
    for index in fs::read_dir(indexes).expect("indexes") {
        for part in fs::read_dir(index.expect("an index").path()).expect("its parts") {
            let part = part.expect("a part");
            if part.file_name().to_string_lossy().starts_with("words") {
                fs::remove_dir_all(part.path()).expect("the words index");
                removed += 1;
            }
        }
    }
    assert!(removed > 0);
    let write = || shop.post("/indexes/products/documents", json!([{ "sku": "new" }]));
    // The first is accepted, and what becomes of it is seen only then.
    write();
    let deadline = Instant::now() + Duration::from_secs(20);
    while shop.get("/health").status == 200 {
        assert!(Instant::now() < deadline, "{:?}", write());
        thread::sleep(Duration::from_millis(10));
    }
    let health = shop.get("/health");
    assert_eq!(health.status, 503);
    let expected = json!({ "status": "unavailable", "code": "catalogue_stopped" });
    assert_eq!(health.json(), expected);
    assert_eq!(write().error(), refused(503, "catalogue_stopped"));
    let found = shop.post("/indexes/products/search", json!({})).json();
    assert_eq!(found["estimatedTotalHits"], 40);
}

#[test]
fn what_is_not_here_says_so() {
    let shop = Shop::empty();
    for answer in [
        shop.get("/network"),
        shop.patch("/network", json!({})),
        shop.get("/chats"),
        shop.post("/export", json!({ "url": "http://a" })),
        shop.post("/indexes/a/documents/edit", json!({ "function": "" })),
        shop.post("/indexes/a/compact", json!({})),
        shop.get("/dynamic-search-rules"),
        shop.get("/tasks/0/documents"),
    ] {
        assert_eq!(answer.error(), refused(400, "feature_not_enabled"));
    }
    assert_eq!(
        shop.post("/indexes/a/documents/other", json!({})).error(),
        refused(405, "method_not_allowed")
    );
    assert_eq!(
        shop.get("/indexes/a/documents/edit").error(),
        refused(404, "index_not_found")
    );
}

#[test]
fn stats_count_documents_and_fields() {
    let shop = Shop::stocked();
    let stats = shop.get("/stats").json();
    let products = &stats["indexes"]["products"];
    assert_eq!(products["numberOfDocuments"], 40);
    assert_eq!(products["isIndexing"], false);
    assert_eq!(products["fieldDistribution"]["title"], 40);
    assert!(stats["databaseSize"].as_u64() > Some(0));
    assert!(stats["lastUpdate"].is_string());
    // What embedders say comes later, from a thread of their own.
    let without_faults = |stats: &Value| {
        let mut stats = stats.clone();
        stats["embedderFaults"] = Value::Null;
        stats
    };
    let own = shop.get("/indexes/products/stats").json();
    assert_eq!(without_faults(&own), without_faults(products));
    assert_eq!(
        shop.get("/indexes/other/stats").error(),
        refused(404, "index_not_found")
    );
}

#[test]
fn with_a_key_only_health_is_open() {
    let shop = Shop::with(Some(KEY), Limits::default());
    assert_eq!(shop.get("/health").status, 200);
    for path in [
        "/", "/version", "/stats", "/indexes", "/tasks", "/nowhere", "/health/",
    ] {
        let refusal = shop.get(path);
        assert_eq!(
            refusal.error(),
            refused(401, "missing_authorization_header"),
            "{path}"
        );
        assert_eq!(refusal.json()["type"], "auth");
    }
    let shop = shop.header("Authorization", "Bearer wrong");
    assert_eq!(
        shop.get("/version").error(),
        refused(403, "invalid_api_key")
    );
    assert_eq!(
        shop.post("/multi-search", json!({})).error(),
        refused(403, "invalid_api_key")
    );
}

#[test]
fn the_key_opens_every_route() {
    let shop =
        Shop::with(Some(KEY), Limits::default()).header("Authorization", &format!("Bearer {KEY}"));
    assert_eq!(shop.get("/version").status, 200);
    assert_eq!(shop.get("/indexes").status, 200);
}

#[test]
fn browsers_may_ask_from_anywhere() {
    let shop = Shop::with(Some(KEY), Limits::default())
        .header("Origin", "https://shop.example")
        .header("Access-Control-Request-Method", "POST")
        .header(
            "Access-Control-Request-Headers",
            "authorization,content-type",
        );
    let preflight = shop.send("OPTIONS", "/multi-search", None, None);
    assert_eq!(preflight.status, 200);
    assert_eq!(preflight.headers["access-control-allow-origin"], "*");
    assert!(
        preflight
            .headers
            .contains_key("access-control-allow-headers")
    );
    // A refusal must be readable for the page, too.
    let refusal = shop.get("/version");
    assert_eq!(refusal.status, 401);
    assert_eq!(refusal.headers["access-control-allow-origin"], "*");
}

#[test]
fn only_long_answers_are_compressed_and_only_on_request() {
    let shop = Shop::stocked();
    let text = "a long text ".repeat(2_000);
    shop.post(
        "/indexes/products/documents",
        json!([{ "id": "long", "text": text }]),
    )
    .done(&shop);
    let long = "/indexes/products/documents/long";
    assert!(!shop.get(long).headers.contains_key("content-encoding"));
    let ask = |path: &str| {
        let mut stream = TcpStream::connect(shop.address).expect("a connection");
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        String::from_utf8_lossy(&answer).to_ascii_lowercase()
    };
    assert!(ask(long).contains("content-encoding: gzip"));
    assert!(!ask("/health").contains("content-encoding"));
}

#[test]
fn the_address_stands_in_the_folder_until_the_server_stops() {
    let mut shop = Shop::empty();
    // Once it answers, the address stands there.
    assert_eq!(shop.get("/health").status, 200);
    let holder = Engine::holder(shop.dir.path());
    assert_eq!(holder, Some(format!("http://{}", shop.address)));
    shop.stop().expect("a clean stop");
    assert_eq!(Engine::holder(shop.dir.path()), None);
    assert!(std::net::TcpStream::connect(shop.address).is_err());
}
