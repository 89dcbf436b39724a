//! What a stranger may send, and how slowly.

use crate::shop::{Shop, refused};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use server::Limits;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

fn tight() -> Limits {
    Limits {
        payload_bytes: 20_000,
        request_bytes: 5_000,
        query_bytes: 50,
        head_time: Duration::from_millis(200),
        idle_time: Duration::from_millis(400),
        body_time: Duration::from_millis(300),
        ..Limits::default()
    }
}

/// Sends the parts with a pause between them; gives what came back and how long it took.
fn slowly(shop: &Shop, parts: &[&str], pause: Duration) -> (String, Duration) {
    let mut stream = TcpStream::connect(shop.address).expect("a connection");
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a timeout");
    let started = Instant::now();
    for part in parts {
        // The server may have hung up already; what it said is read below.
        if stream.write_all(part.as_bytes()).is_err() {
            break;
        }
        std::thread::sleep(pause);
    }
    let mut answer = String::new();
    // A connection that is closed hard ends the reading as well.
    let _ = stream.read_to_string(&mut answer);
    (answer, started.elapsed())
}

#[test]
fn large_payloads_are_refused_packed_or_not() {
    let shop = Shop::with(None, tight());
    let documents = "/indexes/a/documents";
    let send = |path: &str, body: Vec<u8>| {
        shop.send("POST", path, Some("application/json"), Some(body))
            .error()
    };
    let large = format!("[{{\"id\":1,\"t\":\"{}\"}}]", "x".repeat(30_000)).into_bytes();
    assert_eq!(
        send(documents, large.clone()),
        refused(413, "payload_too_large")
    );
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(&large).expect("memory takes it");
    let bomb = bomb.finish().expect("memory takes it");
    assert!(bomb.len() < 1_000);
    assert_eq!(send(documents, bomb), refused(413, "payload_too_large"));
    // Requests that are no uploads have a limit of their own.
    assert_eq!(
        send("/multi-search", vec![b' '; 6_000]),
        refused(413, "payload_too_large")
    );
    assert_eq!(shop.get("/health").status, 200);
}

#[test]
fn a_query_text_has_a_limit() {
    let shop = Shop::with(None, tight());
    shop.post("/indexes", json!({ "uid": "a" })).done(&shop);
    let search = |q: String| shop.post("/indexes/a/search", json!({ "q": q }));
    assert_eq!(search("x".repeat(50)).status, 200);
    assert_eq!(
        search("x".repeat(51)).error(),
        refused(400, "invalid_search_q")
    );
}

#[test]
fn an_unknown_encoding_is_refused() {
    let shop = Shop::empty().header("Content-Encoding", "br");
    let refusal = shop.post("/indexes/a/documents", json!([]));
    assert_eq!(refusal.error(), refused(415, "invalid_content_encoding"));
}

#[test]
fn slow_clients_are_let_go() {
    let shop = Shop::with(None, tight());
    let tick = Duration::from_millis(50);
    let letters: Vec<String> = "GET /health HTTP/1.1\r\nHost: a\r\nX: y"
        .chars()
        .map(String::from)
        .collect();
    let letters: Vec<&str> = letters.iter().map(String::as_str).collect();
    let (answer, took) = slowly(&shop, &letters, tick);
    assert_eq!(answer, "", "a head that trickles in");
    assert!(took < Duration::from_secs(2), "{took:?}");

    let (_, took) = slowly(&shop, &[], tick);
    assert!(
        took < Duration::from_secs(2),
        "a connection without a request: {took:?}"
    );

    let get = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n";
    let (answer, took) = slowly(&shop, &[get, get], tick);
    assert_eq!(answer.matches("200 OK").count(), 2, "{answer}");
    assert!(
        took < Duration::from_secs(2),
        "a connection kept open: {took:?}"
    );

    let head = "POST /indexes/a/documents HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n[";
    let (answer, took) = slowly(&shop, &[head], tick);
    assert!(
        answer.contains("408") && answer.contains("payload_too_slow"),
        "{answer}"
    );
    assert!(
        took < Duration::from_secs(2),
        "a body that does not come: {took:?}"
    );
}

#[test]
fn an_answer_may_take_longer_than_a_head() {
    // Reads are not timed while the server is at work, only between requests.
    let shop = Shop::with(None, tight());
    let mut rows = String::from("[");
    for id in 0..300 {
        rows.push_str(&format!("{}{{\"id\":{id}}}", if id > 0 { "," } else { "" }));
    }
    rows.push(']');
    let (head, body) = rows.split_at(10);
    let head = format!(
        "POST /indexes/a/documents HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{head}",
        rows.len()
    );
    let (answer, _) = slowly(&shop, &[&head, body], Duration::from_millis(250));
    assert!(answer.contains("202 Accepted"), "{answer}");
}

#[test]
fn a_crowd_is_told_to_come_back() {
    let shop = Shop::with(
        None,
        Limits {
            computing: 1,
            waiting: 0,
            ..Limits::default()
        },
    );
    shop.stock();
    let refusals = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let answer = shop.post(
                        "/indexes/products/search",
                        json!({ "q": "shoes", "facets": ["*"] }),
                    );
                    if answer.status != 200 {
                        assert_eq!(answer.error(), refused(503, "too_many_search_requests"));
                        assert_eq!(answer.json()["type"], "system");
                        assert!(answer.headers.contains_key("retry-after"));
                        refusals.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert!(refusals.into_inner() > 0);
}

#[test]
fn a_request_in_flight_is_finished_before_the_server_stops() {
    let mut shop = Shop::empty();
    let mut stream = TcpStream::connect(shop.address).expect("a connection");
    let body = r#"[{"id":1}]"#;
    let head = format!(
        "POST /indexes/a/documents HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("sent");
    std::thread::sleep(Duration::from_millis(100));
    let client = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        stream.write_all(body.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    });
    shop.stop().expect("a clean stop");
    let answer = client.join().expect("the client does not panic");
    assert!(answer.contains("202 Accepted"), "{answer}");
}
