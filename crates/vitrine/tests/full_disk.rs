//! A disk that runs full while a shop is served or loaded.
//!
//! Writes are refused with a sentence, reads go on, and with some space everything that
//! was acknowledged is there exactly once.

mod support;

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use support::disk::{Disk, with_disk};
use support::{Ran, Server, Shop, run};

/// The whole disk, and what of it something else takes until the space is needed.
const DISK: u64 = 40;
const BALLAST: usize = 32;
/// Documents of one write.
const BATCH: u64 = 100;
/// Documents of a file for the command line.
const LOADED: u64 = 2000;
const PATIENCE: Duration = Duration::from_secs(60);
const WORDS: [&str; 16] = [
    "lamp", "mug", "garden", "paper", "holder", "heart", "cake", "tin", "bag", "clock", "frame",
    "spoon", "candle", "card", "ribbon", "stool",
];

/// How a client goes on after an acknowledgement.
#[derive(Clone, Copy, PartialEq)]
enum Pace {
    /// It waits until the documents can be found.
    Waiting,
    /// It sends the next write at once, so that much is acknowledged and not applied.
    Hasty,
}

/// What a client knows when it is refused.
#[derive(Default)]
struct Sent {
    acknowledged: BTreeMap<String, Value>,
    /// How many of the first of them a task said can be found.
    applied: u64,
    refused: Vec<Value>,
}

/// Many words of few kinds: the log grows faster than the words index.
fn document(n: u64) -> Value {
    let mut mixed = n;
    let mut word = || {
        mixed = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17) ^ n;
        WORDS[(mixed >> 32) as usize % WORDS.len()]
    };
    let title: Vec<&str> = (0..4).map(|_| word()).collect();
    let text: Vec<&str> = (0..120).map(|_| word()).collect();
    json!({
        "id": format!("d{n}"),
        "title": format!("{} number{n}", title.join(" ")),
        "description": text.join(" "),
        "price": n % 97
    })
}

/// The first documents as a file.
fn lines(count: u64) -> String {
    (0..count).map(|n| format!("{}\n", document(n))).collect()
}

fn id_of(document: &Value) -> String {
    document["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_full_disk_under_a_waiting_client() {
    let name = "a_full_disk_under_a_waiting_client";
    with_disk(name, DISK, |disk| fill_and_free(disk, Pace::Waiting));
}

#[test]
fn a_full_disk_under_a_hasty_client() {
    let name = "a_full_disk_under_a_hasty_client";
    with_disk(name, DISK, |disk| fill_and_free(disk, Pace::Hasty));
}

fn fill_and_free(disk: &Disk, pace: Pace) {
    let shop = Shop::new();
    let (data, log) = (disk.path("data"), shop.path("messages"));
    let catalogue = shop.file("items.jsonl", lines(LOADED));
    let ingest = || run(&["ingest", "--data", &data, "--index", "other", &catalogue]);
    disk.occupy("ballast", BALLAST);

    let server = Server::start_logged(&data, &log);
    let (status, _) = server.post("/indexes", &json!({"uid": "shop", "primaryKey": "id"}));
    assert_eq!(status, 202);
    let sent = write_until_refused(&server, pace);
    check_reads(&server, &sent);
    // Whatever the refused write gave back is taken, so that the next one is refused too.
    disk.fill("filler");
    check_refused(ingest());
    check_reads(&server, &sent);
    assert_eq!(server.terminate(), Some(0));
    disk.fill("filler");
    check_refused(ingest());

    disk.free("ballast");
    disk.free("filler");
    let server = Server::start_logged(&data, &log);
    settle(&server);
    check_all(&server, &sent);
    let again = Value::Array(sent.refused.clone());
    let (status, answer) = server.post("/indexes/shop/documents", &again);
    assert_eq!(status, 202, "{answer}");
    ingest().expect(0);
    settle(&server);
    let all = sent.acknowledged.len() as u64;
    assert_eq!(stored(&server, "shop"), all + BATCH);
    assert_eq!(hits(&server, "shop", all), 1);
    assert_eq!(stored(&server, "other"), LOADED);
    assert_eq!(hits(&server, "other", 7), 1);
    assert_eq!(server.terminate(), Some(0));
    run(&["verify", "--data", &data]).expect(0);
    let messages = std::fs::read_to_string(&log).unwrap();
    assert!(!messages.contains("panicked"), "{messages}");
}

/// Writes until the answer is a refusal, which must be the right one.
fn write_until_refused(server: &Server, pace: Pace) -> Sent {
    let mut sent = Sent::default();
    for first in (0..).step_by(BATCH as usize) {
        let documents: Vec<Value> = (first..first + BATCH).map(document).collect();
        let body = Value::Array(documents.clone());
        let (status, answer) = server.post("/indexes/shop/documents", &body);
        if status != 202 {
            assert_eq!(
                (status, &answer["code"], &answer["type"]),
                (507, &json!("no_space_left_on_device"), &json!("system")),
                "{answer}"
            );
            check_sentence(answer["message"].as_str().unwrap());
            sent.refused = documents;
            assert!(sent.acknowledged.len() > 1000, "the disk is too small");
            return sent;
        }
        let documents = documents.into_iter();
        sent.acknowledged
            .extend(documents.map(|document| (id_of(&document), document)));
        if pace == Pace::Waiting && is_applied(server, answer["taskUid"].as_u64().unwrap()) {
            sent.applied = first + BATCH;
        }
    }
    unreachable!("the disk is never full")
}

/// Waits for a task; false when it says that it cannot go on.
fn is_applied(server: &Server, task: u64) -> bool {
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        let (status, task) = server.get(&format!("/tasks/{task}"));
        assert_eq!(status, 200, "{task}");
        match task["status"].as_str().unwrap() {
            "succeeded" => return true,
            "enqueued" | "processing" if task["error"].is_null() => {
                std::thread::sleep(Duration::from_millis(2));
            }
            "enqueued" | "processing" => {
                assert_eq!(task["error"]["code"], "no_space_left_on_device", "{task}");
                return false;
            }
            _ => panic!("{task}"),
        }
    }
    panic!("task {task} neither ends nor says why");
}

/// What could be read before can be read now.
fn check_reads(server: &Server, sent: &Sent) {
    for n in (0..sent.applied).step_by(37) {
        let expected = document(n);
        let (status, found) = server.get(&format!("/indexes/shop/documents/{}", id_of(&expected)));
        assert_eq!((status, &found), (200, &expected));
        assert_eq!(hits(server, "shop", n), 1, "{expected}");
    }
    let stored = stored(server, "shop");
    assert!(stored >= sent.applied, "{stored} of {}", sent.applied);
    let (status, health) = server.get("/health");
    assert_eq!(status, 200, "{health}");
}

/// Everything acknowledged is there once, nothing else is, and all of it is found.
fn check_all(server: &Server, sent: &Sent) {
    let mut found = BTreeMap::new();
    loop {
        let offset = found.len();
        let (status, page) = server.get(&format!(
            "/indexes/shop/documents?limit=1000&offset={offset}"
        ));
        assert_eq!(status, 200, "{page}");
        let results = page["results"].as_array().unwrap();
        if results.is_empty() {
            break;
        }
        for document in results {
            let id = id_of(document);
            assert!(
                found.insert(id.clone(), document.clone()).is_none(),
                "{id} is there twice"
            );
        }
    }
    assert_eq!(found.len(), sent.acknowledged.len());
    assert!(found == sent.acknowledged, "not what was sent");
    assert_eq!(stored(server, "shop"), sent.acknowledged.len() as u64);
    for n in (0..sent.acknowledged.len() as u64).step_by(97) {
        assert_eq!(hits(server, "shop", n), 1, "{n}");
    }
}

/// How many documents have the word that only this one has.
fn hits(server: &Server, index: &str, n: u64) -> u64 {
    let body = json!({"q": format!("\"number{n}\""), "hitsPerPage": 2, "page": 1});
    let (status, answer) = server.post(&format!("/indexes/{index}/search"), &body);
    assert_eq!(status, 200, "{answer}");
    answer["totalHits"].as_u64().unwrap()
}

fn stored(server: &Server, index: &str) -> u64 {
    let (status, stats) = server.get(&format!("/indexes/{index}/stats"));
    assert_eq!(status, 200, "{stats}");
    stats["numberOfDocuments"].as_u64().unwrap()
}

fn settle(server: &Server) {
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        let (_, tasks) = server.get("/tasks?statuses=enqueued,processing&limit=1");
        if tasks["results"].as_array().is_some_and(Vec::is_empty) {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("tasks do not finish");
}

#[track_caller]
fn check_sentence(message: &str) {
    for words in [
        "no space left",
        "free some space",
        "nothing acknowledged was lost",
    ] {
        assert!(message.contains(words), "{words:?} is not in {message}");
    }
}

/// Exit 2, nothing on stdout, and the sentence last.
#[track_caller]
fn check_refused(ran: Ran) {
    let ran = ran.expect(2);
    assert_eq!(ran.stdout, "");
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    let last = ran.stderr.trim_end().lines().last().unwrap_or_default();
    assert!(last.starts_with("error: "), "{}", ran.stderr);
    check_sentence(last);
}

/// The log takes the file, but the index does not fit any more: the command must not wait for it.
#[test]
fn a_catalogue_that_does_not_fit() {
    with_disk("a_catalogue_that_does_not_fit", DISK, |disk| {
        let shop = Shop::new();
        let file = shop.file("items.jsonl", lines(6000));
        let data = disk.path("data");
        let ingest = || {
            run(&[
                "ingest", "--data", &data, "--index", "shop", &file, "--json",
            ])
        };
        disk.occupy("ballast", BALLAST);
        check_refused(ingest());

        disk.free("ballast");
        assert_eq!(ingest().expect(0).json()["added"], 6000);
        let server = Server::start(&data);
        settle(&server);
        assert_eq!(stored(&server, "shop"), 6000);
        assert_eq!(hits(&server, "shop", 4321), 1);
    });
}
