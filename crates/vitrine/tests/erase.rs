//! Erases shoppers over HTTP and kills the server meanwhile: afterwards a shopper is whole or
//! gone, and gone for good where the answer was given.

mod support;

use serde_json::{Value, json};
use std::path::Path;
use std::thread;
use std::time::Duration;
use support::{Server, Shop, agent, run};

const ROUNDS: u64 = 8;
const SHOPPERS: u64 = 40;
const EVENTS: u64 = 100;

/// Long enough that it is in no file by chance.
fn name(shopper: u64) -> String {
    format!("a-shopper-with-the-number-{shopper:03}")
}

fn fill(server: &Server) {
    let (status, _) = server.post("/indexes", &json!({"uid": "shop", "primaryKey": "id"}));
    assert_eq!(status, 202);
    for _ in 0..100 {
        if server.get("/indexes/shop").0 == 200 {
            break;
        }
        thread::sleep(Duration::from_millis(50));
    }
    for step in 0..EVENTS {
        let kind = ["view", "cart", "purchase"][(step % 3) as usize];
        let events: Value = (0..SHOPPERS)
            .map(|shopper| {
                json!({
                    "userId": name(shopper),
                    "kind": kind,
                    "itemId": format!("i{}", (step + shopper) % 17),
                    "time": 1_300_000_000 + step * 600,
                })
            })
            .collect();
        let (status, answer) = server.post("/indexes/shop/events", &events);
        assert_eq!((status, &answer["accepted"]), (200, &json!(SHOPPERS)));
    }
}

/// The status of the answer, if there was one.
fn erase(address: &str, shopper: u64) -> Option<u16> {
    let url = format!("{address}/indexes/shop/users/{}", name(shopper));
    let answer = agent().delete(&url).call().ok()?;
    Some(answer.status().as_u16())
}

fn is_in_a_file(dir: &Path, bytes: &[u8]) -> bool {
    // The server works on its files meanwhile, so one may be gone when it is looked at.
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .any(|path| match path.is_dir() {
            true => is_in_a_file(&path, bytes),
            false => {
                let content = std::fs::read(&path).unwrap_or_default();
                content.windows(bytes.len()).any(|window| window == bytes)
            }
        })
}

#[test]
fn a_kill_leaves_a_shopper_whole_or_gone() {
    let shop = Shop::new();
    let server = Server::start(shop.data());
    fill(&server);
    assert_eq!(server.terminate(), Some(0));
    let mut gone = 0;
    for round in 0..ROUNDS {
        let server = Server::start(shop.data());
        let address = server.address.clone();
        let erasing = thread::spawn(move || erase(&address, round));
        // From before it has begun until after it is done.
        thread::sleep(Duration::from_millis(round * round * 4));
        server.kill();
        let answered = erasing.join().unwrap();

        let server = Server::start(shop.data());
        let (status, profile) = server.get(&format!("/indexes/shop/users/{}/profile", name(round)));
        match status {
            404 => {
                assert!(!is_in_a_file(
                    Path::new(&shop.data()),
                    name(round).as_bytes()
                ));
                gone += 1;
            }
            _ => {
                assert_eq!(answered, None, "round {round}: it was said to be gone");
                let events = profile["events"].as_object().unwrap().values();
                assert_eq!(events.filter_map(Value::as_u64).sum::<u64>(), EVENTS);
            }
        }
        let (_, stats) = server.get("/indexes/shop/stats");
        let (status, item) = server.get("/indexes/shop/items/i0/profile");
        assert_eq!(status, 200, "{stats} {item}");
        let (_, other) = server.get(&format!(
            "/indexes/shop/users/{}/profile",
            name(SHOPPERS - 1)
        ));
        assert_eq!(other["events"]["view"], 34);
        assert_eq!(server.terminate(), Some(0));
    }
    assert!(gone > 0, "no erasure came through");
}

#[test]
fn the_command_line_exports_and_erases() {
    let shop = Shop::new();
    let server = Server::start(shop.data());
    fill(&server);
    assert_eq!(server.terminate(), Some(0));
    let (data, user) = (shop.data(), name(3));
    let profile = [
        "profile",
        "--data",
        data.as_str(),
        "--index",
        "shop",
        "--user",
        user.as_str(),
        "--json",
    ];
    let with = |flag: &'static str| run(&[&profile[..], &[flag]].concat());
    let export = with("--export").expect(0).json();
    assert_eq!(export["events"].as_array().unwrap().len(), EVENTS as usize);
    assert_eq!(export["profile"]["userId"], json!(user));
    let erased = with("--erase").expect(0).json();
    assert_eq!(erased["events"], json!(EVENTS));
    with("--erase").expect(1);
    run(&profile).expect(1);
    assert!(!is_in_a_file(Path::new(&data), user.as_bytes()));
}
