//! `vitrine train` through the built program: a shop whose shoppers have favourites, from its
//! events to a live model, and what is refused on the way.

mod support;

use serde_json::{Value, json};
use std::fs::{self, File};
use std::path::Path;
use std::thread;
use std::time::Duration;
use support::disk::with_disk;
use support::{Server, Shop, run};

const ITEMS: usize = 160;
/// Sorts of items; a shopper stays with one. There are so many of each that counted pairs say
/// little, and what an item is says more.
const SORTS: [&str; 4] = ["Lamp", "Mug", "Tent", "Shoe"];
const OF_A_SORT: usize = ITEMS / SORTS.len();

/// A shop in which every shopper stays with the items of one sort.
fn stocked() -> Shop {
    let shop = Shop::new();
    stock(&shop, &shop.data());
    shop
}

fn stock(shop: &Shop, data: &str) {
    let item = |n: usize| json!({"id": format!("i{n}"), "title": format!("{} number {n}", SORTS[n / OF_A_SORT]), "categories": [SORTS[n / OF_A_SORT]], "price": n});
    let items: Vec<Value> = (0..ITEMS).map(item).collect();
    let items = shop.file("items.json", json!(items).to_string());
    let mut random = testkit::SplitMix64::new(1);
    let mut rows = Vec::new();
    for shopper in 0..24 {
        for at in 0..20 {
            let item = shopper % SORTS.len() * OF_A_SORT + random.below(OF_A_SORT);
            let kind = ["view", "cart", "purchase"][random.below(3)];
            let time = 1_700_000_000_000_u64 + at * 86_400_000 + shopper as u64 * 1000;
            rows.push(json!({"user": format!("u{shopper}"), "kind": kind, "item": format!("i{item}"), "time": time}).to_string());
        }
    }
    let events = shop.file("events.ndjson", rows.join("\n"));
    run(&["ingest", "--data", data, "--index", "shop", &items]).expect(0);
    run(&["events", "--data", data, "--index", "shop", &events]).expect(0);
}

fn train(data: &str, more: &[&str]) -> support::Ran {
    let args = [&["train", "--data", data, "--index", "shop"], more].concat();
    run(&args)
}

#[test]
fn an_index_gets_a_live_model() {
    let shop = stocked();
    let data = shop.data();
    let first = train(&data, &["--epochs", "3"]).expect(0);
    assert!(
        first.stdout.starts_with("Epoch 1, Loss: 0."),
        "{}",
        first.stdout
    );
    assert!(
        first.stdout.contains("affinity-1 is live"),
        "{}",
        first.stdout
    );
    assert!(first.stdout.contains("popular"), "{}", first.stdout);

    let second = train(&data, &["--epochs", "3", "--no-promote", "--json"]).expect(0);
    let answer = second.json();
    assert_eq!(answer["id"], "affinity-2");
    assert_eq!(answer["state"], "candidate");
    assert_eq!(answer["liveBefore"], "affinity-1");
    let found = answer["metrics"]["test"]["ndcg@10"].as_f64();
    let popular = answer["metrics"]["baselines"][0]["test"]["ndcg@10"].as_f64();
    assert!(found > popular, "{found:?} {popular:?}");
    let folder = answer["folder"].as_str().expect("a path");
    assert!(Path::new(folder).join("reliability.svg").is_file());

    let shelf = |what: &[&str], more: &[&str]| {
        let place = ["--data", &data, "--index", "shop"];
        run(&[&["shelf"], what, &place[..], more].concat())
    };
    let shadow = shelf(&["promote", "affinity-2"], &["--to", "shadow"]).expect(0);
    assert_eq!(shadow.stdout, "affinity-2 is shadow\n");
    let listed = shelf(&["list"], &[]).expect(0).stdout;
    assert!(
        listed.contains("live") && listed.contains("shadow"),
        "{listed}"
    );
    let card = shelf(&["show", "affinity-2"], &[]).expect(0).stdout;
    assert!(card.starts_with("affinity-2 is shadow\n"), "{card}");
    shelf(&["promote", "affinity-2"], &["--force"]).expect(0);
    let back = shelf(&["rollback"], &["--json"]).expect(0).json();
    assert_eq!(back["id"], "affinity-1");
    let none = shelf(&["show", "affinity-9"], &[]).expect(1);
    assert!(none.stderr.contains("not found"), "{}", none.stderr);

    // What fails leaves the shelf as it is.
    let before = shelf(&["list"], &["--json"]).json();
    let place = Path::new(&data).join("training/shop");
    let lock = File::create(place.join("lock")).unwrap();
    lock.lock().unwrap();
    train(&data, &[]).expect(2);
    drop(lock);
    fs::write(place.join("settings.json"), r#"{"epochs":3,"seed":1}"#).unwrap();
    fs::write(place.join("input"), "no such file").unwrap();
    train(&data, &["--resume"]).expect(2);
    assert_eq!(shelf(&["list"], &["--json"]).json(), before);
}

#[test]
fn a_server_trains_beside_its_answers() {
    let shop = stocked();
    let data = shop.data();
    let server = Server::start(&data);
    let first = train(&data, &["--epochs", "2"]).expect(0);
    assert!(
        first.stdout.starts_with("Epoch 1, Loss: 0."),
        "{}",
        first.stdout
    );
    assert!(
        first.stdout.contains("affinity-1 is live"),
        "{}",
        first.stdout
    );
    let answer = train(&data, &["--epochs", "2", "--no-promote", "--json"])
        .expect(0)
        .json();
    assert_eq!(
        (&answer["id"], &answer["state"], &answer["liveBefore"]),
        (
            &json!("affinity-2"),
            &json!("candidate"),
            &json!("affinity-1")
        )
    );
    let again = train(&data, &["--resume"]).expect(2);
    assert!(
        again.stderr.contains("no training to go on with"),
        "{}",
        again.stderr
    );
    assert_eq!(server.terminate(), Some(0));
    // The same data and seed give the same model, whoever trains.
    let here = train(&data, &["--epochs", "2", "--json"]);
    assert_eq!(here.json()["metrics"]["test"], answer["metrics"]["test"]);
}

#[test]
fn too_few_events_are_refused_with_a_sentence() {
    let shop = Shop::new();
    let data = shop.data();
    let items = json!([{"id": "a", "title": "Lamp"}, {"id": "b", "title": "Mug"}]);
    let items = shop.file("items.json", items.to_string());
    let one = shop.file("one.ndjson", event("u", "a", 1));
    let many: Vec<String> = (0..60).map(|at| event("u", "a", at * 86_400_000)).collect();
    let same = shop.file("same.ndjson", many.join("\n"));
    for (index, events, words) in [
        ("empty", None, "too little to learn from"),
        ("one", Some(&one), "too little to learn from"),
        ("same", Some(&same), "fewer than two items"),
    ] {
        run(&["ingest", "--data", &data, "--index", index, &items]).expect(0);
        if let Some(events) = events {
            run(&["events", "--data", &data, "--index", index, events]).expect(0);
        }
        let ran = run(&["train", "--data", &data, "--index", index]).expect(2);
        assert!(ran.stderr.contains(words), "{index}: {}", ran.stderr);
        let shelf = ["shelf", "list", "--data", &data, "--index", index, "--json"];
        assert_eq!(run(&shelf).expect(0).json(), json!({"results": []}));
    }
}

fn event(user: &str, item: &str, at: u64) -> String {
    let time = 1_700_000_000_000 + at;
    json!({"user": user, "kind": "view", "item": item, "time": time}).to_string()
}

#[test]
fn a_full_disk_ends_a_training_and_nothing_else() {
    with_disk(
        "a_full_disk_ends_a_training_and_nothing_else",
        200,
        |disk| {
            let shop = Shop::new();
            let data = disk.path("data");
            stock(&shop, &data);
            train(&data, &["--epochs", "2"]).expect(0);
            let server = Server::start(&data);
            let models = || server.get("/indexes/shop/models").1;
            while models()["results"][0]["inUse"] != true {
                thread::sleep(Duration::from_millis(50));
            }
            let (before, route) = (models(), "/indexes/shop/models/training");
            let trained = || {
                assert_eq!(server.post(route, &json!({"epochs": 2})).0, 202);
                loop {
                    let training = server.get(route).1;
                    if !training["endedAt"].is_null() {
                        return training;
                    }
                    thread::sleep(Duration::from_millis(50));
                }
            };
            disk.fill("filler");
            let failed = trained();
            assert_eq!(failed["status"], "failed", "{failed}");
            let message = failed["message"].as_str().unwrap();
            assert!(message.contains("cannot write"), "{message}");
            assert!(message.to_lowercase().contains("no space"), "{message}");
            assert_eq!(models(), before);
            let asked = json!({"kind": "for-you", "userId": "u1"});
            let (status, answer) = server.post("/indexes/shop/recommend", &asked);
            assert_eq!((status, &answer["model"]), (200, &json!("affinity-1")));
            disk.free("filler");
            assert_eq!(trained()["status"], "succeeded");
        },
    );
}

#[test]
fn what_cannot_be_trained_is_refused_with_a_sentence() {
    let shop = stocked();
    let data = shop.data();
    let check = |more: &[&str], words: &str| {
        let ran = train(&data, more).expect(2);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    };
    if let Err(error) = train::Device::Cuda.check() {
        let words = format!("{error}: leave out --device cuda");
        check(&["--device", "cuda"], &words);
    }
    check(&["--resume", "--device", "cuda"], "cannot be used with");
    check(
        &["--model", "encoder", "--device", "cuda"],
        "on the processor",
    );
    check(&["--base", "minilm"], "--model encoder");
    check(&["--resume"], "no training to go on with");
    check(&["--epochs", "0"], "epochs");
    let place = Path::new(&data).join("training/shop");
    fs::create_dir_all(&place).unwrap();
    let lock = File::create(place.join("lock")).unwrap();
    lock.lock().unwrap();
    check(&[], "is being trained for already");
    drop(lock);

    fs::write(place.join("settings.json"), r#"{"epochs":3,"seed":1}"#).unwrap();
    fs::write(place.join("input"), "no such file").unwrap();
    check(&["--resume"], "is damaged");
    let nothing = run(&["train", "--data", &data, "--index", "other"]).expect(2);
    assert!(nothing.stderr.contains("not found"), "{}", nothing.stderr);
    assert!(!Path::new(&data).join("training/other").exists());
}
