//! A minute of requests that somebody might send by mistake or in bad faith, against the real
//! program: whatever comes, it goes on answering, says what was wrong, and never fails by its
//! own fault.
//!
//! It is run by `cargo xtask check --slow`. A failure names its seed and the request;
//! `VITRINE_FUZZ_SEED` sends the same requests again and `VITRINE_FUZZ_SECONDS` is for how long.

mod generator;
mod mutation;
mod odd;
mod raw;
mod routes;
#[path = "../support/mod.rs"]
mod support;
mod tokens;
mod wire;

use generator::{Generator, Sent};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs};
use support::{Server, Shop};
use tokens::Keys;
use wire::{Answer, Outcome, Request, Then, exchange};

const MASTER: &str = "a-master-key-for-fuzzing";
/// How long a request may take on a slow machine that does much beside.
const PATIENCE: Duration = Duration::from_secs(30);
/// Requests after which the shop is put in order, because some of them delete it.
const ROUND: usize = 300;

struct Fuzzed {
    server: Server,
    address: SocketAddr,
}

impl Fuzzed {
    fn start(shop: &Shop) -> Self {
        let arguments = ["--master-key", MASTER];
        let server = Server::start_logged_with(shop.data(), shop.path("log"), &arguments);
        let address = server.address.trim_start_matches("http://").parse();
        Self {
            address: address.expect("an address"),
            server,
        }
    }

    /// A good request, which must be answered well.
    fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value, String> {
        let request = Request {
            method: method.to_owned(),
            target: path.to_owned(),
            headers: vec![
                (
                    "Authorization".to_owned(),
                    format!("Bearer {MASTER}").into(),
                ),
                ("Content-Type".to_owned(), "application/json".into()),
            ],
            body: body.map(|body| body.to_string().into_bytes()),
        };
        match exchange(self.address, &request.bytes(), Then::Wait, PATIENCE) {
            Outcome::Answered(answer) if answer.status < 300 => answer
                .json()
                .ok_or_else(|| format!("{path} answered no JSON")),
            Outcome::Answered(answer) => Err(format!(
                "{method} {path} was answered with {}: {}",
                answer.status,
                String::from_utf8_lossy(&answer.body)
            )),
            Outcome::Closed | Outcome::Silent => Err(format!("{method} {path} was not answered")),
        }
    }

    /// Whether it answers, and no thread of it has ended in a panic.
    fn is_well(&self, shop: &Shop) -> Result<(), String> {
        self.ask("GET", "/health", None)?;
        match log(shop).contains("panicked") {
            true => Err("a thread of the server panicked".to_owned()),
            false => Ok(()),
        }
    }

    /// Waits for the end of a task and gives it.
    fn task(&self, summary: &Value) -> Result<Value, String> {
        let started = Instant::now();
        loop {
            let task = self.ask("GET", &format!("/tasks/{}", summary["taskUid"]), None)?;
            if !["enqueued", "processing"].contains(&task["status"].as_str().unwrap_or_default()) {
                return Ok(task);
            }
            if started.elapsed() > 4 * PATIENCE {
                return Err(format!("a task does not end: {task}"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Puts the shop in order again, whatever was done to it, and looks for tasks that failed
    /// by a fault of ours.
    fn restock(&self) -> Result<(), String> {
        let failed = self.ask("GET", "/tasks?statuses=failed&limit=1000", None)?;
        for task in failed["results"].as_array().into_iter().flatten() {
            if task["error"]["code"] == "internal" || task["error"]["code"] == Value::Null {
                return Err(format!("a task failed by a fault of ours: {task}"));
            }
        }
        // It may not be there.
        self.task(&self.ask("DELETE", "/indexes/products", None)?)?;
        let settings = json!({
            "filterableAttributes": ["*"], "sortableAttributes": ["*"],
            "embedders": { "mine": { "source": "userProvided", "dimensions": 4 } },
        });
        let events = json!([
            { "userId": "u1", "kind": "purchase", "itemId": "p07", "price": 2.5, "basket": "o1" },
            { "userId": "u1", "kind": "view", "itemId": "p08" },
        ]);
        for (method, path, body) in [
            ("PATCH", "/indexes/products/settings", settings),
            (
                "POST",
                "/indexes/products/documents",
                json!(testkit::catalogue(7)),
            ),
            ("POST", "/indexes/products/events", events),
        ] {
            let task = self.task(&self.ask(method, path, Some(body))?)?;
            if task["status"] != "succeeded" {
                return Err(format!("a good write failed: {task}"));
            }
        }
        Ok(())
    }
}

/// The folder of the shop with a model that knows no language.
fn shop() -> Shop {
    let shop = Shop::new();
    for name in ["minilm", "e5"] {
        let folder = shop.path(&format!("data/models/encoder/{name}"));
        fs::create_dir_all(&folder).unwrap();
        for (path, bytes) in testkit::tiny_encoder(7) {
            fs::write(Path::new(&folder).join(path), bytes).unwrap();
        }
    }
    shop
}

fn variable(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|err| panic!("{name} is {text:?}: {err}")),
    )
}

#[test]
#[ignore = "takes a minute; `cargo xtask check --slow` runs it"]
fn nothing_that_is_sent_breaks_the_server() {
    let seconds = variable("VITRINE_FUZZ_SECONDS").unwrap_or(60);
    let seed = variable("VITRINE_FUZZ_SEED").unwrap_or_else(|| {
        let now = std::time::UNIX_EPOCH.elapsed().unwrap();
        now.as_nanos() as u64
    });
    println!("VITRINE_FUZZ_SEED={seed}");
    let shop = shop();
    let fuzzed = Fuzzed::start(&shop);
    fuzzed.restock().unwrap();
    let key = json!({ "actions": ["search"], "indexes": ["*"], "expiresAt": null });
    let key = fuzzed.ask("POST", "/keys", Some(key)).unwrap();
    let text = |name: &str| key[name].as_str().unwrap().to_owned();
    let keys = Keys {
        master: MASTER.to_owned(),
        uid: text("uid"),
        key: text("key"),
    };
    let mut generator = Generator::new(seed, keys);
    let until = Instant::now() + Duration::from_secs(seconds);
    let (mut requests, mut good) = (0, 0);
    while Instant::now() < until {
        let sent = generator.next();
        let then = match sent.is_http {
            true => Then::Wait,
            false => Then::HangUp,
        };
        let outcome = exchange(fuzzed.address, &sent.bytes, then, PATIENCE);
        requests += 1;
        good += usize::from(matches!(&outcome, Outcome::Answered(answer) if answer.status < 300));
        let mut verdict = check(&sent, &outcome);
        if verdict.is_ok() && requests % 50 == 0 {
            verdict = fuzzed.is_well(&shop);
        }
        if verdict.is_ok() && requests % ROUND == 0 {
            verdict = fuzzed.restock();
        }
        if let Err(what) = verdict {
            panic!(
                "{what}\nrequest {requests} with VITRINE_FUZZ_SEED={seed}:\n{}\nlog:\n{}",
                shown(&sent.bytes),
                log(&shop)
            );
        }
    }
    println!("{requests} requests, {good} of them with success");
    // A generator whose requests are all refused at the door would prove little.
    assert!(good * 10 > requests, "{good} of {requests}");
    fuzzed.restock().unwrap();
    assert_eq!(fuzzed.server.terminate(), Some(0), "{}", log(&shop));
    assert!(
        !log(&shop).contains("panicked"),
        "seed {seed}: {}",
        log(&shop)
    );

    // Nothing that was taken keeps the folder from opening.
    let again = Fuzzed::start(&shop);
    again.restock().unwrap();
    assert_eq!(again.server.terminate(), Some(0), "{}", log(&shop));
}

/// Whether an outcome is one that a client may be left with.
fn check(sent: &Sent, outcome: &Outcome) -> Result<(), String> {
    let answer = match outcome {
        Outcome::Answered(answer) => answer,
        Outcome::Silent => return Err("no answer".to_owned()),
        // Of what is too long the server need not read the end, and then its answer is lost.
        Outcome::Closed if sent.is_http && sent.bytes.len() < 60_000 => {
            return Err("the connection was closed without an answer".to_owned());
        }
        Outcome::Closed => return Ok(()),
    };
    let said = String::from_utf8_lossy(&answer.body);
    match answer.status {
        200..300 if answer.is_json && !said.is_empty() && answer.json().is_none() => {
            Err(format!("the answer is no JSON: {said}"))
        }
        200..300 => Ok(()),
        // Below us, where it is not known yet what is asked.
        400..500 if !sent.is_http && answer.body.is_empty() => Ok(()),
        400..500 => check_error(sent, answer),
        503 if said.contains("too_many_search_requests") => Ok(()),
        status => Err(format!("status {status}: {said}")),
    }
}

fn check_error(sent: &Sent, answer: &Answer) -> Result<(), String> {
    let said = String::from_utf8_lossy(&answer.body);
    let body = answer
        .json()
        .ok_or_else(|| format!("the error is no JSON: {said}"))?;
    let (error, fields) = match sent.is_openai || body.get("error").is_some() {
        true => (&body["error"], &["message", "type", "code"][..]),
        false => (&body, &["message", "code", "type", "link"][..]),
    };
    for field in fields {
        if error[field].as_str().is_none_or(str::is_empty) {
            return Err(format!("the error has no `{field}`: {said}"));
        }
    }
    match error["code"] == "internal" {
        true => Err(format!("a fault of ours: {said}")),
        false => Ok(()),
    }
}

/// The beginning of what was sent, with escapes.
fn shown(bytes: &[u8]) -> String {
    bytes
        .iter()
        .take(6_000)
        .copied()
        .flat_map(std::ascii::escape_default)
        .map(char::from)
        .collect()
}

/// What the server logged, without the webhooks, at which nobody listens.
fn log(shop: &Shop) -> String {
    let log = fs::read_to_string(shop.path("log")).unwrap_or_default();
    let lines = log.lines().filter(|line| !line.contains("courier"));
    lines.map(|line| format!("{line}\n")).collect()
}
