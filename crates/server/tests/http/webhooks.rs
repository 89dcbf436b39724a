//! `/webhooks` and what is posted to them; `/metrics`.

use crate::shop::{Shop, refused};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use server::Limits;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// A listener that answers one post after the other with the statuses given.
struct Receiver {
    url: String,
    posts: std::sync::mpsc::Receiver<(Vec<String>, Vec<u8>)>,
}

impl Receiver {
    fn start(statuses: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (sender, posts) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for status in statuses {
                let (stream, _) = listener.accept().expect("a connection");
                let _ = sender.send(take_post(stream, status));
            }
        });
        let url = format!("http://{address}/hook");
        Self { url, posts }
    }

    #[track_caller]
    fn next(&self) -> (Vec<String>, Vec<Value>) {
        let (head, body) = self
            .posts
            .recv_timeout(Duration::from_secs(10))
            .expect("a post");
        let mut text = String::new();
        GzDecoder::new(body.as_slice())
            .read_to_string(&mut text)
            .expect("gzip");
        let tasks = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"));
        (head, tasks.collect())
    }
}

fn take_post(stream: TcpStream, status: &str) -> (Vec<String>, Vec<u8>) {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line");
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(bytes) = line.strip_prefix("content-length:") {
            length = bytes.trim().parse().expect("a number");
        }
        head.push(line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    reader
        .into_inner()
        .write_all(answer.as_bytes())
        .expect("sent");
    (head, body)
}

#[test]
fn finished_tasks_are_posted_and_posted_again_until_they_are_taken() {
    let receiver = Receiver::start(&["503 Service Unavailable", "200 OK"]);
    let shop = Shop::empty();
    let body = json!({ "url": receiver.url, "headers": { "Authorization": "Bearer secret" } });
    assert_eq!(shop.post("/webhooks", body).status, 201);
    let task = shop.post("/indexes", json!({ "uid": "a" })).done(&shop);
    for _ in 0..2 {
        let (head, tasks) = receiver.next();
        assert!(
            head.iter()
                .any(|line| line == "content-type: application/x-ndjson"),
            "{head:?}"
        );
        assert!(
            head.iter().any(|line| line == "content-encoding: gzip"),
            "{head:?}"
        );
        assert!(
            head.iter()
                .any(|line| line == "authorization: bearer secret"),
            "{head:?}"
        );
        assert_eq!(tasks, std::slice::from_ref(&task));
    }
}

#[test]
fn a_redirect_is_no_answer_and_is_not_followed() {
    let receiver = Receiver::start(&["302 Found\r\nLocation: http://127.0.0.1:9/", "200 OK"]);
    let shop = Shop::empty();
    let made = shop.post("/webhooks", json!({ "url": receiver.url }));
    assert_eq!(made.status, 201);
    let task = shop.post("/indexes", json!({ "uid": "a" })).done(&shop);
    for _ in 0..2 {
        let (_, tasks) = receiver.next();
        assert_eq!(tasks, std::slice::from_ref(&task));
    }
}

#[test]
fn webhooks_are_kept_and_their_secrets_hidden() {
    let mut shop = Shop::empty();
    let url = "http://127.0.0.1:9/hook";
    let made = shop.post(
        "/webhooks",
        json!({ "url": url, "headers": { "X-Key": "secret" } }),
    );
    assert_eq!(made.status, 201);
    let hook = made.json();
    let uuid = hook["uuid"].as_str().expect("a uuid").to_owned();
    let shown = json!({
        "uuid": uuid, "isEditable": true, "url": url, "headers": { "X-Key": "XXX..." },
    });
    assert_eq!(hook, shown);
    shop.restart();
    let path = format!("/webhooks/{uuid}");
    assert_eq!(shop.get(&path).json(), shown);
    assert_eq!(shop.get("/webhooks").json(), json!({ "results": [shown] }));
    let changed = shop.patch(
        &path,
        json!({ "headers": { "X-Key": null, "X-Other": "b" } }),
    );
    assert_eq!(changed.json()["headers"], json!({ "X-Other": "XXX..." }));
    let changed = shop.patch(&path, json!({ "headers": null }));
    assert_eq!(
        (changed.status, &changed.json()["headers"]),
        (200, &json!({}))
    );
    assert_eq!(shop.delete(&path).status, 204);
    assert_eq!(shop.get(&path).error(), refused(404, "webhook_not_found"));
}

#[test]
fn bad_webhooks_are_refused() {
    let shop = Shop::empty();
    let url = "http://127.0.0.1:9/hook";
    for (body, code) in [
        (json!({}), "invalid_webhook_url"),
        (json!({ "url": "hook" }), "invalid_webhook_url"),
        (json!({ "url": "ftp://a/b" }), "invalid_webhook_url"),
        (json!({ "url": null }), "invalid_webhook_url"),
        (
            json!({ "url": url, "headers": 5 }),
            "invalid_webhook_headers",
        ),
        (
            json!({ "url": url, "headers": { "a b": "c" } }),
            "invalid_webhook_headers",
        ),
        (
            json!({ "url": url, "headers": { "a": "b\r\nc: d" } }),
            "invalid_webhook_headers",
        ),
        (
            json!({ "url": url, "headers": { "a": 5 } }),
            "invalid_webhook_headers",
        ),
        (json!({ "url": url, "uuid": "x" }), "immutable_webhook_uuid"),
        (
            json!({ "url": url, "isEditable": true }),
            "immutable_webhook_is_editable",
        ),
        (json!({ "url": url, "x": 1 }), "bad_request"),
    ] {
        assert_eq!(
            shop.post("/webhooks", body.clone()).error(),
            refused(400, code),
            "{body}"
        );
    }
    let many: serde_json::Map<String, Value> = (0..201)
        .map(|number| (format!("x-{number}"), json!("a")))
        .collect();
    let body = json!({ "url": url, "headers": many });
    assert_eq!(
        shop.post("/webhooks", body).error(),
        refused(400, "invalid_webhook_headers")
    );
    for _ in 0..20 {
        assert_eq!(shop.post("/webhooks", json!({ "url": url })).status, 201);
    }
    let over = shop.post("/webhooks", json!({ "url": url }));
    assert_eq!(over.error(), refused(400, "invalid_webhooks"));
    assert_eq!(
        shop.get("/webhooks/x").error(),
        refused(400, "invalid_webhook_uuid")
    );
    let nobody = "/webhooks/00000000-0000-4000-8000-000000000000";
    assert_eq!(
        shop.delete(nobody).error(),
        refused(404, "webhook_not_found")
    );
}

#[test]
fn metrics_count_requests_and_show_what_there_is() {
    const MASTER: &str = "0123456789abcdef-master";
    let shop = Shop::with(Some(MASTER), Limits::default())
        .header("Authorization", &format!("Bearer {MASTER}"));
    shop.stock();
    shop.get("/indexes/products/search");
    shop.get("/indexes/nope/search");
    shop.get("/a/secret/path");
    let answer = shop.get("/metrics");
    assert_eq!(answer.status, 200);
    let media = answer.headers["content-type"].to_str().expect("text");
    assert!(media.starts_with("text/plain; version=0.0.4"), "{media}");
    let path = "path=\"/indexes/{uid}/search\"";
    for line in [
        format!("vitrine_http_requests_total{{method=\"GET\",{path},status=\"200\"}} 1"),
        format!("vitrine_http_requests_total{{method=\"GET\",{path},status=\"404\"}} 1"),
        format!("vitrine_http_response_time_seconds_count{{method=\"GET\",{path}}} 2"),
        "vitrine_http_requests_total{method=\"GET\",path=\"none\",status=\"404\"} 1".to_owned(),
        "vitrine_index_docs_count{index=\"products\"} 40".to_owned(),
        "vitrine_index_count 1".to_owned(),
        "vitrine_tasks_finished_total{status=\"succeeded\"} 2".to_owned(),
        "vitrine_tasks{status=\"enqueued\"} 0".to_owned(),
        // Four default keys, settings, documents.
        "vitrine_log_sequence 6".to_owned(),
    ] {
        assert!(
            answer.text.lines().any(|found| found == line),
            "{line}\n{}",
            answer.text
        );
    }
    assert!(!answer.text.contains("secret"), "{}", answer.text);
    let body = json!({ "actions": ["search"], "indexes": ["*"], "expiresAt": null });
    let key = shop.post("/keys", body).json()["key"]
        .as_str()
        .expect("a value")
        .to_owned();
    shop.as_bearer(&key, |shop| {
        assert_eq!(
            shop.get("/metrics").error(),
            refused(403, "invalid_api_key")
        );
    });
}
