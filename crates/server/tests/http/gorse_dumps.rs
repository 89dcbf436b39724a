//! `/api/dump` and `/api/restore`: what goes out comes in again, and nothing else does harm.

use crate::shop::{Answer, Shop};
use serde_json::{Value, json};
use server::Limits;
use std::io::{Read, Write};
use std::net::TcpStream;

const TIME: &str = "2022-11-20T13:55:27.5Z";

/// A server with two films, a user and feedback.
fn cinema() -> Shop {
    let shop = Shop::empty();
    let films = json!([
        {
            "ItemId": "1", "Timestamp": "1995-01-01T00:00:00Z", "Categories": ["Comedy", "War"],
            "Comment": "Toy Story", "Labels": { "embedding": [0.5, 1], "tags": ["toys"] },
        },
        { "ItemId": "a/b:c 电影", "IsHidden": true },
    ]);
    assert_eq!(shop.post("/api/items", films).status, 200);
    let user = json!({ "UserId": "ann", "Labels": { "age": 24 }, "Comment": "客户" });
    assert_eq!(shop.post("/api/user", user).status, 200);
    let feedback = json!([
        { "FeedbackType": "like", "UserId": "ann", "ItemId": "1", "Timestamp": TIME, "Comment": "!" },
        { "FeedbackType": "rating", "UserId": "bob", "ItemId": "2", "Value": 4.5, "Timestamp": TIME },
    ]);
    assert_eq!(shop.post("/api/feedback", feedback).status, 200);
    shop
}

fn dumped(shop: &Shop) -> Vec<u8> {
    let url = format!("http://{}/api/dump", shop.address);
    let mut answer = ureq::get(&url).call().expect("an answer");
    assert_eq!(answer.headers()["content-type"], "application/octet-stream");
    answer.body_mut().read_to_vec().expect("a body")
}

/// As `curl --data-binary` sends it.
fn restore(shop: &Shop, dump: &[u8]) -> Answer {
    let media = "application/x-www-form-urlencoded";
    shop.send("POST", "/api/restore", Some(media), Some(dump.to_vec()))
}

#[track_caller]
fn restored(answer: &Answer, expected: (u64, u64, u64)) {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let stats = answer.json();
    let count = |name: &str| stats[name].as_u64().expect("a count");
    let counts = (count("Users"), count("Items"), count("Feedback"));
    assert_eq!(counts, expected, "{stats}");
    assert!(stats["Duration"].is_u64(), "{stats}");
}

#[track_caller]
fn refused(answer: &Answer, sentences: &[&str]) {
    assert_eq!(answer.status, 400, "{}", answer.text);
    for sentence in sentences {
        assert!(
            answer.text.contains(sentence),
            "{sentence}: {}",
            answer.text
        );
    }
    let media = answer.headers["content-type"].to_str().expect("text");
    assert!(media.starts_with("text/plain"), "{media}");
}

fn everything(shop: &Shop) -> Vec<Value> {
    let lists = ["/api/users", "/api/items", "/api/feedback"];
    lists.iter().map(|path| shop.get(path).json()).collect()
}

/// A field of a message: its number, and a text.
fn text(field: u8, text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).expect("short");
    assert!(length < 128);
    [&[field << 3 | 2, length], text.as_bytes()].concat()
}

fn number(number: i64) -> Vec<u8> {
    number.to_le_bytes().to_vec()
}

fn record(fields: &[Vec<u8>]) -> Vec<u8> {
    let message = fields.concat();
    [number(message.len() as i64), message].concat()
}

#[test]
fn what_goes_out_comes_in_again() {
    let (from, to) = (cinema(), Shop::empty());
    let dump = dumped(&from);
    restored(&restore(&to, &dump), (2, 3, 2));
    assert_eq!(everything(&to), everything(&from));
    assert_eq!(dumped(&to), dump);
    let events = |shop: &Shop| {
        let profile = shop.get("/indexes/gorse/users/ann/profile").json();
        profile["events"].clone()
    };
    assert_eq!(events(&to), json!({ "like": 1 }));
    // Once more it changes nothing.
    restored(&restore(&to, &dump), (2, 3, 2));
    assert_eq!(everything(&to), everything(&from));
    assert_eq!(events(&to), json!({ "like": 1 }));
}

#[test]
fn an_empty_server_has_an_empty_dump() {
    let (from, to) = (Shop::empty(), Shop::empty());
    let dump = dumped(&from);
    assert_eq!(dump, [number(-1), number(0)].concat());
    restored(&restore(&to, &dump), (0, 0, 0));
    assert_eq!(to.get("/indexes/gorse").status, 404);
}

#[test]
fn what_a_dump_holds_takes_the_place_and_the_rest_stays() {
    let shop = cinema();
    let dump = [
        number(-2),
        record(&[
            text(2, "1"),
            text(4, "Drama"),
            text(6, "null"),
            text(7, "Pinocchio"),
        ]),
        record(&[
            text(2, "3"),
            vec![3 << 3, 1],
            text(5, "\x08\x01"),
            text(6, "[1]"),
        ]),
        number(-3),
        record(&[
            text(2, "like"),
            text(3, "ann"),
            text(4, "1"),
            text(5, ""),
            text(6, "?"),
        ]),
        number(-1),
        record(&[text(1, "cid"), text(2, "{\"a\":1}")]),
        number(0),
        b"{\"Users\":1}".to_vec(),
    ]
    .concat();
    restored(&restore(&shop, &dump), (1, 2, 1));
    let item = shop.get("/api/item/1").json();
    let expected = json!({
        "ItemId": "1", "IsHidden": false, "Categories": ["Drama"], "Labels": null,
        "Timestamp": "0001-01-01T00:00:00Z", "Comment": "Pinocchio",
    });
    assert_eq!(item, expected);
    let item = shop.get("/api/item/3").json();
    assert_eq!(
        (&item["IsHidden"], &item["Timestamp"], &item["Labels"]),
        (&json!(true), &json!("1970-01-01T00:00:01Z"), &json!([1]))
    );
    let feedback = shop.get("/api/feedback/like/ann/1").json();
    assert_eq!(
        (&feedback["Comment"], &feedback["Timestamp"]),
        (&json!("?"), &json!("1970-01-01T00:00:00Z"))
    );
    assert_eq!(
        shop.get("/api/user/cid").json()["Labels"],
        json!({ "a": 1 })
    );
    assert_eq!(shop.get("/api/user/ann").json()["Comment"], "客户");
    assert_eq!(shop.get("/api/feedback/rating/bob/2").json()["Value"], 4.5);
}

#[test]
fn a_fault_is_named_and_what_stands_before_it_is_kept() {
    let shop = Shop::empty();
    let user = || record(&[text(1, "ann")]);
    let item = || record(&[text(2, "1")]);
    let begun = || [number(-1), user(), number(-2), item()].concat();
    let then = |bytes: Vec<u8>| restore(&shop, &[begun(), bytes].concat());
    refused(
        &then(record(&[text(2, "2"), text(6, "{")])),
        &["record 3 (item)", "`labels`", "1 users, 0 items"],
    );
    assert_eq!(shop.get("/api/user/ann").status, 200);
    assert_eq!(shop.get("/api/item/1").status, 404);
    refused(
        &then(record(&[text(2, ""), text(7, "nameless")])),
        &["record 3", "item id"],
    );
    refused(
        &then(record(&[vec![2 << 3, 1]])),
        &["record 3", "`item_id`", "kind"],
    );
    refused(&then(record(&[vec![0xff]])), &["record 3", "ends"]);
    refused(&then(number(-7)), &["-7", "flags"]);
    refused(&then(number(i64::MAX)), &["behind record 2", "bytes"]);
    refused(&then(Vec::new()), &["cut short behind record 2"]);
    refused(&restore(&shop, b""), &["cut short behind record 0"]);
    refused(&restore(&shop, b"{\"Users\": []}"), &["no dump"]);
    refused(&restore(&shop, b"\x1f\x8b\x08\0\0\0\0\0"), &["compressed"]);
    let encoded = shop.header("Content-Encoding", "gzip");
    assert_eq!(restore(&encoded, b"").status, 415);
}

/// Whatever a stranger sends, it is taken or refused, and the server goes on.
#[test]
fn cut_and_changed_dumps_are_no_danger() {
    let whole = dumped(&cinema());
    let shop = Shop::empty();
    let step = whole.len() / 20;
    for length in (0..whole.len()).step_by(step) {
        refused(&restore(&shop, &whole[..length]), &[]);
    }
    let mut random = testkit::SplitMix64::new(7);
    for _ in 0..60 {
        let mut bytes = whole.clone();
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len());
            bytes[at] = random.below(256) as u8;
        }
        let answer = restore(&shop, &bytes);
        assert!([200, 400].contains(&answer.status), "{}", answer.text);
    }
    restored(&restore(&shop, &whole), (2, 3, 2));
}

#[test]
fn only_the_master_key_may_take_all_and_change_all() {
    let master = "a-master-key-of-the-tests";
    let shop = Shop::with(Some(master), Limits::default());
    let status = |shop: &Shop| {
        let dump = shop.send("HEAD", "/api/dump", None, None);
        (dump.status, restore(shop, b"").status)
    };
    assert_eq!(status(&shop), (401, 401));
    let shop = shop.header("Authorization", &format!("Bearer {master}"));
    let key = json!({ "actions": ["*"], "indexes": ["*"], "expiresAt": null });
    let key = shop.post("/keys", key).json();
    let key = key["key"].as_str().expect("a key").to_owned();
    shop.as_bearer(&key, |shop| {
        assert_eq!(status(shop), (401, 401));
    });
    let shop = shop.header("X-API-Key", master);
    assert_eq!(status(&shop), (200, 400));
}

#[test]
fn one_restore_runs_at_a_time() {
    let shop = Shop::empty();
    let mut slow = TcpStream::connect(shop.address).expect("a connection");
    let head = "POST /api/restore HTTP/1.1\r\nHost: shop\r\nContent-Length: 16\r\n\r\n";
    slow.write_all(head.as_bytes()).expect("sent");
    slow.write_all(&number(-1)).expect("sent");
    let dump = [number(-1), number(0)].concat();
    let busy = (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        let answer = restore(&shop, &dump);
        answer.status == 503 && answer.text.contains("another restore")
    });
    assert!(busy, "the second one waits for nothing");
    slow.write_all(&number(0)).expect("sent");
    let mut answer = [0; 12];
    slow.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 200");
    restored(&restore(&shop, &dump), (0, 0, 0));
}
