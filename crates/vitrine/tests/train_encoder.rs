//! `vitrine train --model encoder` through the built program, over a model that knows a dozen
//! words: from the texts of an index to a model that finds more of them, and to the index that
//! uses it; and runs that are interrupted on the way.

mod support;

use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;
use support::{Ran, Server, Shop, vitrine};

const ITEMS: usize = 1500;
/// What the tiny model can read.
const LETTERS: usize = 26;

/// What an item is named by.
fn letters(n: usize) -> [char; 3] {
    let more = n / (LETTERS * LETTERS) + 11 * n + n / LETTERS * 3;
    [n, n / LETTERS + 7 * n, more].map(|n| char::from(b'a' + (n % LETTERS) as u8))
}

/// Items that are named by letters, and described by the same letters in another order.
fn shop() -> Shop {
    let shop = Shop::new();
    let folder = shop.path("data/models/encoder/tiny");
    fs::create_dir_all(&folder).unwrap();
    for (path, bytes) in testkit::tiny_encoder(3) {
        fs::write(Path::new(&folder).join(path), bytes).unwrap();
    }
    let item = |n: usize| {
        let [a, b, c] = letters(n);
        json!({"id": format!("i{n}"), "title": format!("{c} {b} lamp {a}"),
               "description": format!("red {a} {b} {c}")})
    };
    let items: Vec<Value> = (0..ITEMS).map(item).collect();
    let items = shop.file("items.json", json!(items).to_string());
    let data = shop.data();
    run(
        &shop,
        &["ingest", "--data", &data, "--index", "shop", &items],
    )
    .expect(0);
    shop
}

/// A command that finds the models of the shop only.
fn command(shop: &Shop) -> Command {
    let mut command = vitrine();
    command.env("VITRINE_MODELS", shop.path("shared"));
    command
}

fn run(shop: &Shop, args: &[&str]) -> Ran {
    command(shop).args(args).output().unwrap().into()
}

fn args<'a>(data: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let train = [
        "train", "--model", "encoder", "--data", data, "--index", "shop",
    ];
    [&train[..], more].concat()
}

/// Begins a training, and waits for its first whole epoch.
fn begin(shop: &Shop, more: &[&str]) -> Child {
    let mut child = command(shop)
        .args(args(&shop.data(), more))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let stdout = child.stdout.as_mut().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    assert!(line.starts_with("Epoch 1, Loss: "), "{line}");
    child
}

/// What does not depend on when and where a model was trained.
fn essence(ran: &Ran) -> Value {
    let answer = ran.json();
    let metrics = &answer["metrics"];
    let losses = metrics["epochs"].as_array().unwrap().iter();
    let losses: Vec<String> = losses
        .map(|of| format!("{:.9}", of["loss"].as_f64().unwrap()))
        .collect();
    json!([answer["name"], losses, metrics["chosen"], metrics["test"]])
}

#[test]
fn an_interrupted_training_comes_to_the_same_model() {
    let shop = shop();
    let data = shop.data();
    let settings = [
        "--base", "tiny", "--epochs", "24", "--pairs", "300", "--seed", "5",
    ];
    let place = Path::new(&data).join("training/shop");
    // Ctrl-C.
    let child = begin(&shop, &settings);
    let pid = child.id().to_string();
    let told = Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(told.success());
    let stopped: Ran = child.wait_with_output().unwrap().into();
    let stopped = stopped.expect(2);
    assert!(stopped.stderr.contains("--resume"), "{}", stopped.stderr);
    assert!(place.join("encoder-checkpoint").is_file());
    // kill -9.
    let mut child = begin_again(&shop);
    child.kill().unwrap();
    child.wait().unwrap();
    let resumed = run(&shop, &args(&data, &["--resume", "--json"]));
    // Nothing is left to go on with.
    assert!(!place.join("encoder-checkpoint").exists());
    let none = run(&shop, &args(&data, &["--resume"])).expect(2);
    assert!(
        none.stderr.contains("no training to go on with"),
        "{}",
        none.stderr
    );

    let whole = run(&shop, &args(&data, &[&settings[..], &["--json"]].concat()));
    assert_eq!(resumed.code, whole.code);
    assert_eq!(essence(&resumed), essence(&whole));
}

/// Goes on with a training, for a moment.
fn begin_again(shop: &Shop) -> Child {
    let child = command(shop)
        .args(args(&shop.data(), &["--resume"]))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    thread::sleep(Duration::from_millis(700));
    child
}

#[test]
fn a_better_encoder_takes_the_place_of_the_one_before() {
    let shop = shop();
    let data = shop.data();
    let uses = |index: &str, model: &str| {
        let embedder = json!({"embedders": {"default": {"source": "vitrine", "model": model}}});
        let text = embedder.to_string();
        let set = ["settings", "--data", &data, "--index", index, &text];
        run(&shop, &set).expect(0);
    };
    uses("shop", "tiny");
    let better = ["--base", "tiny", "--epochs", "14", "--json"];
    let ran = run(&shop, &args(&data, &better)).expect(0);
    let answer = ran.json();
    let text = |field: &str| answer[field].as_str().unwrap();
    let (folder, name) = (text("folder"), text("name"));
    for file in [
        "config.json",
        "tokenizer.json",
        "model.safetensors",
        "metrics.json",
    ] {
        assert!(Path::new(folder).join(file).is_file(), "{file}");
    }
    let test = |which: &str| answer["metrics"][which]["mrr"].as_f64().unwrap();
    assert!(test("test") > test("test_before"));

    let pull = ["model", "pull", name, "--from", folder, "--data", &data];
    run(&shop, &pull).expect(0);
    // Indexes that never knew another model say what the vectors are to be.
    for (index, model) in [("before", "tiny"), ("after", name)] {
        let items = shop.path("items.json");
        run(
            &shop,
            &["ingest", "--data", &data, "--index", index, &items],
        )
        .expect(0);
        uses(index, model);
    }
    let shared = shop.path("shared");
    let server = Server::start_in(&data, &[("VITRINE_MODELS", &shared)]);
    let vector = |index: &str| {
        let path = format!("/indexes/{index}/documents/i7?retrieveVectors=true");
        let document = server.get(&path).1;
        let given = document["_vectors"]["default"]["embeddings"].clone();
        serde_json::from_value::<Vec<Vec<f32>>>(given)
            .unwrap_or_default()
            .pop()
    };
    let is_as = |index: &str, other: &str| {
        let [one, two] = [index, other].map(|index| vector(index).unwrap_or_default());
        let like: f32 = one.iter().zip(&two).map(|(a, b)| a * b).sum();
        like > 0.999
    };
    let wait_until = |holds: &dyn Fn() -> bool| {
        let again = |_| {
            thread::sleep(Duration::from_millis(100));
            holds()
        };
        (0..600).any(again)
    };
    assert!(
        wait_until(&|| is_as("shop", "before")),
        "{:?}",
        vector("shop")
    );
    assert!(
        !is_as("before", "after"),
        "training changed too little to tell"
    );
    let set = format!("{}/indexes/shop/settings", server.address);
    let embedder = json!({"embedders": {"default": {"source": "vitrine", "model": name}}});
    let changed = support::agent().patch(set).content_type("application/json");
    let changed = changed.send(embedder.to_string().as_bytes()).unwrap();
    assert_eq!(changed.status().as_u16(), 202);
    assert!(
        wait_until(&|| is_as("shop", "after")),
        "{:?}",
        vector("shop")
    );
    let asked = json!({"q": "red h e", "hybrid": {"semanticRatio": 1.0}});
    let (status, answer) = server.post("/indexes/shop/search", &asked);
    assert_eq!(
        (status, &answer["degraded"]),
        (200, &Value::Null),
        "{answer}"
    );
}

#[test]
fn what_cannot_be_trained_is_refused_with_a_sentence() {
    let shop = shop();
    let data = shop.data();
    let check = |more: &[&str], words: &str| {
        let ran = run(&shop, &args(&data, more)).expect(2);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    };
    check(&["--no-promote"], "--no-promote");
    check(&["--resume"], "no training to go on with");
    check(&["--resume", "--base", "tiny"], "--resume");
    check(&["--base", "nothing"], "nothing");
    check(&["--base", "tiny", "--pairs", "50"], "too few pairs");
    let place = Path::new(&data).join("training/shop");
    fs::write(place.join("encoder-input"), "no such file").unwrap();
    check(&["--resume"], "is damaged");
}

#[test]
fn both_models_are_trained_one_after_the_other() {
    let shop = shop();
    let data = shop.data();
    let event = |n: usize| {
        let (shopper, step) = (n / 8, n % 8);
        json!({"userId": format!("u{shopper}"), "kind": "purchase", "time": 1_300_000_000 + n * 60,
               "itemId": format!("i{}", (shopper * 7 + step) % 40)})
    };
    let events: Vec<Value> = (0..1600).map(event).collect();
    let events = shop.file("events.json", json!(events).to_string());
    run(
        &shop,
        &["events", "--data", &data, "--index", "shop", &events],
    )
    .expect(0);
    let all = [
        "train", "--model", "all", "--data", &data, "--index", "shop",
    ];
    let resumed = run(&shop, &[&all[..], &["--resume"]].concat()).expect(2);
    assert!(
        resumed.stderr.contains("one training"),
        "{}",
        resumed.stderr
    );
    let settings = [
        "--epochs", "2", "--base", "tiny", "--pairs", "300", "--json",
    ];
    let ran = run(&shop, &[&all[..], &settings].concat());
    let answers = serde_json::Deserializer::from_str(&ran.stdout).into_iter::<Value>();
    let answers: Vec<Value> = answers.map(|answer| answer.unwrap()).collect();
    assert_eq!(answers.len(), 2, "{}\n{}", ran.stdout, ran.stderr);
    assert_eq!(answers[0]["id"], "affinity-1");
    assert_eq!(answers[1]["metrics"]["epochs"].as_array().unwrap().len(), 1);
}
