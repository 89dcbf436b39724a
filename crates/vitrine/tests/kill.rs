//! Kills a serving process at random moments and looks for what it had acknowledged.
//!
//! Clients write documents and events over HTTP while the server is killed with
//! `kill -9`, thirty times. A write that was not acknowledged is sent again after
//! the restart, as a careful client does. In the end every write must be there
//! exactly once, and every view must equal one that is rebuilt from the log.

mod support;

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::Duration;
use support::{Server, Shop, agent, run, send};

const ROUNDS: u64 = 30;
const SEED: u64 = 20_111_209;
/// Each as often as it stands here. The frequencies differ clearly, because statistics count a
/// replaced version until its segment is merged away, and near ties could fall either way.
const WORDS: [&str; 16] = [
    "heart", "heart", "heart", "heart", "heart", "heart", "heart", "holder", "holder", "holder",
    "holder", "lamp", "lamp", "mug", "garden", "paper",
];

/// One request of a client: always the same bytes, so that it can be sent again.
#[derive(Clone)]
enum Request {
    Documents { first: u64, count: u64 },
    Events { number: u64, count: u64 },
}

/// One client thread over all rounds: what was acknowledged, and what is in doubt.
#[derive(Clone)]
struct Client {
    thread: u64,
    random: Random,
    next: u64,
    acknowledged: Vec<Request>,
    in_doubt: Option<Request>,
    writes_documents: bool,
}

impl Client {
    fn new(thread: u64) -> Self {
        Self {
            thread,
            random: Random(SEED + thread),
            next: 0,
            acknowledged: Vec::new(),
            in_doubt: None,
            writes_documents: thread.is_multiple_of(2),
        }
    }

    /// Writes until the server no longer answers.
    fn write_until_it_breaks(&mut self, address: &str) {
        let agent = agent();
        loop {
            let request = self.in_doubt.take().unwrap_or_else(|| self.new_request());
            let (path, body) = self.wire(&request);
            let answer = send(&agent, &format!("{address}{path}"), &body);
            match answer {
                Some((status, _)) if (200..300).contains(&status) => {
                    self.acknowledged.push(request)
                }
                Some((503, _)) | None => {
                    self.in_doubt = Some(request);
                    return;
                }
                Some((status, body)) => panic!("status {status}: {body}"),
            }
        }
    }

    fn new_request(&mut self) -> Request {
        let count = 1 + self.random.below(12);
        let number = self.next;
        self.next += count;
        if self.writes_documents {
            Request::Documents {
                first: number,
                count,
            }
        } else {
            Request::Events { number, count }
        }
    }

    fn wire(&self, request: &Request) -> (&'static str, Value) {
        match request {
            Request::Documents { first, count } => {
                let documents = (*first..first + count).map(|n| document(self.thread, n));
                ("/indexes/shop/documents", documents.collect())
            }
            Request::Events { number, count } => {
                let user = self.user(*number);
                let events = (0..*count).map(|n| self.event(&user, number + n));
                ("/indexes/shop/events", events.collect())
            }
        }
    }

    /// Each request has its own shopper, so that one profile tells all about one request.
    fn user(&self, number: u64) -> String {
        format!("u{}-{number}", self.thread)
    }

    fn event(&self, user: &str, n: u64) -> Value {
        let kind = ["view", "cart", "purchase"][(n % 3) as usize];
        json!({
            "id": format!("e{}-{n}", self.thread),
            "userId": user,
            "kind": kind,
            "itemId": format!("d0-{}", n % 40),
            "time": 1_300_000_000 + n * 60,
            "price": 2.5,
            "quantity": 1
        })
    }
}

fn document(thread: u64, n: u64) -> Value {
    let word = |shift: u64| WORDS[((n >> shift) % 16) as usize];
    json!({
        "id": format!("d{thread}-{n}"),
        "title": format!("{} {} {}", word(0), word(4), word(8)),
        "price": n % 97
    })
}

/// xorshift*, so that the moments of the kills can be repeated.
#[derive(Clone)]
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end
    }
}

#[test]
fn thirty_kills_lose_nothing_and_double_nothing() {
    let shop = Shop::new();
    let mut clients: Vec<Client> = (0..4).map(Client::new).collect();
    let mut random = Random(SEED);
    prepare(&shop);
    for _ in 0..ROUNDS {
        let server = Server::start(shop.data());
        let address = server.address.clone();
        let writing: Vec<_> = clients
            .into_iter()
            .map(|mut client| {
                let address = address.clone();
                thread::spawn(move || {
                    client.write_until_it_breaks(&address);
                    client
                })
            })
            .collect();
        thread::sleep(Duration::from_millis(100 + random.below(300)));
        server.kill();
        clients = writing
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect();
    }
    assert!(
        clients.iter().all(|client| client.acknowledged.len() > 30),
        "seed {SEED}: too little traffic"
    );

    let server = Server::start(shop.data());
    settle(&server);
    check_documents(&server, &clients);
    check_events(&server, &clients);
    let live = views(&server, &clients);
    assert_eq!(server.terminate(), Some(0));

    let rebuilt = rebuild(&shop);
    let server = Server::start(&rebuilt);
    settle(&server);
    let folded = views(&server, &clients);
    let differing: Vec<&String> = live
        .iter()
        .filter(|(name, view)| folded.get(*name) != Some(view))
        .map(|(name, _)| name)
        .collect();
    if let Some(name) = differing.first() {
        let (live, folded) = (&live[*name], folded.get(*name));
        panic!("seed {SEED}: not as their rebuild: {differing:?}\nlive {live}\nrebuilt {folded:?}");
    }
}

/// The index exists and its settings are made before the first kill.
fn prepare(shop: &Shop) {
    let server = Server::start(shop.data());
    let (status, _) = server.post("/indexes", &json!({"uid": "shop", "primaryKey": "id"}));
    assert_eq!(status, 202);
    settle(&server);
    assert_eq!(server.terminate(), Some(0));
}

/// Waits until every task is finished.
fn settle(server: &Server) {
    for _ in 0..600 {
        let (_, tasks) = server.get("/tasks?statuses=enqueued,processing&limit=1");
        if tasks["results"].as_array().is_some_and(Vec::is_empty) {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("seed {SEED}: tasks do not finish");
}

fn check_documents(server: &Server, clients: &[Client]) {
    let mut expected = BTreeMap::new();
    let mut in_doubt = BTreeSet::new();
    for client in clients.iter().filter(|client| client.writes_documents) {
        for request in &client.acknowledged {
            if let Request::Documents { first, count } = request {
                expected.extend((*first..first + count).map(|n| {
                    let document = document(client.thread, n);
                    (id_of(&document), document)
                }));
            }
        }
        if let Some(Request::Documents { first, count }) = client.in_doubt {
            in_doubt.extend((first..first + count).map(|n| id_of(&document(client.thread, n))));
        }
    }
    let mut found = BTreeMap::new();
    for document in all_documents(server) {
        let id = id_of(&document);
        assert!(
            found.insert(id.clone(), document).is_none(),
            "seed {SEED}: {id} is there twice"
        );
    }
    for (id, document) in &expected {
        assert_eq!(
            found.get(id),
            Some(document),
            "seed {SEED}: acknowledged document {id}"
        );
    }
    for id in found.keys() {
        assert!(
            expected.contains_key(id) || in_doubt.contains(id),
            "seed {SEED}: {id} was never sent"
        );
    }
}

fn id_of(document: &Value) -> String {
    document["id"].as_str().unwrap().to_owned()
}

fn all_documents(server: &Server) -> Vec<Value> {
    let mut all = Vec::new();
    loop {
        let (status, page) = server.get(&format!(
            "/indexes/shop/documents?limit=1000&offset={}",
            all.len()
        ));
        assert_eq!(status, 200, "{page}");
        let results = page["results"].as_array().unwrap();
        if results.is_empty() {
            assert_eq!(page["total"].as_u64(), Some(all.len() as u64));
            return all;
        }
        all.extend(results.iter().cloned());
    }
}

fn check_events(server: &Server, clients: &[Client]) {
    let mut total = 0;
    for client in clients.iter().filter(|client| !client.writes_documents) {
        for request in client.acknowledged.iter().chain(&client.in_doubt) {
            let Request::Events { number, count } = request else {
                continue;
            };
            let user = client.user(*number);
            let (status, profile) = server.get(&format!("/indexes/shop/users/{user}/profile"));
            let is_in_doubt =
                matches!(client.in_doubt, Some(Request::Events { number: n, .. }) if n == *number);
            if status == 404 && is_in_doubt {
                continue;
            }
            assert_eq!(status, 200, "seed {SEED}: {user}: {profile}");
            assert_eq!(
                events_of(&profile),
                *count,
                "seed {SEED}: events of {user}: {profile}"
            );
            total += count;
        }
    }
    let (_, stats) = server.get("/indexes/shop/stats");
    assert_eq!(
        stats["numberOfEvents"].as_u64(),
        Some(total),
        "seed {SEED}: {stats}"
    );
}

fn events_of(profile: &Value) -> u64 {
    let counts = profile["events"].as_object().unwrap();
    counts.values().filter_map(Value::as_u64).sum()
}

/// What readers can see, by a name for the message.
fn views(server: &Server, clients: &[Client]) -> BTreeMap<String, Value> {
    let mut views = BTreeMap::new();
    let mut documents = all_documents(server);
    documents.sort_by_key(id_of);
    views.insert("documents".to_owned(), json!(documents));
    let mut paths = vec!["/indexes/shop/stats".to_owned()];
    paths.extend((0..40).map(|n| format!("/indexes/shop/items/d0-{n}/profile")));
    for client in clients.iter().filter(|client| !client.writes_documents) {
        for request in client.acknowledged.iter().rev().step_by(7).take(100) {
            if let Request::Events { number, .. } = request {
                paths.push(format!(
                    "/indexes/shop/users/{}/profile",
                    client.user(*number)
                ));
            }
        }
    }
    for path in paths {
        let (status, answer) = server.get(&path);
        views.insert(path, json!([status, steady(answer)]));
    }
    for query in ["heart lamp", "gard", "holdr", "", "lamp \"heart holder\""] {
        let body = json!({"q": query, "limit": 50});
        let (status, answer) = server.post("/indexes/shop/search", &body);
        assert_eq!(status, 200, "{answer}");
        views.insert(format!("search {query}"), steady(answer));
    }
    views
}

/// Without what may differ between two runs: durations, sizes on disk, and how far vectors are,
/// which come later, from a thread of their own.
fn steady(value: Value) -> Value {
    const PASSING: [&str; 8] = [
        "processingTimeMs",
        "rawDocumentDbSize",
        "avgDocumentSize",
        "numberOfEmbeddings",
        "numberOfEmbeddedDocuments",
        "numberOfWaitingDocuments",
        "embedders",
        "embedderFaults",
    ];
    match value {
        Value::Object(fields) => {
            let kept = fields
                .into_iter()
                .filter(|(name, _)| !PASSING.contains(&name.as_str()));
            Value::Object(kept.map(|(name, field)| (name, steady(field))).collect())
        }
        Value::Array(items) => items.into_iter().map(steady).collect(),
        other => other,
    }
}

/// A second folder whose views are folded from the same log.
fn rebuild(shop: &Shop) -> String {
    let (file, fresh) = (shop.path("log.backup"), shop.path("rebuilt"));
    run(&["backup", "--data", &shop.data(), &file]).expect(0);
    run(&["restore", &file, "--data", &fresh]).expect(0);
    fresh
}
