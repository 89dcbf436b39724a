//! What goes wrong on the command line: a sentence, an exit code, and no loss.
//!
//! Every message is one line on stderr that names the thing and says what to do.

mod support;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use std::io::Write as _;
use support::{Ran, Server, Shop, run};

const ITEMS: &str = "{\"id\": 1, \"title\": \"red mug\", \"price\": 2}\n{\"id\": 2, \"title\": \"lamp\", \"price\": 5}\n";

fn shop() -> Shop {
    let shop = Shop::new();
    let file = shop.file("items.jsonl", ITEMS);
    run(&["ingest", "--data", &shop.data(), "--index", "shop", &file]).expect(0);
    shop
}

/// Exit 2, nothing on stdout, and one line on stderr with these words.
#[track_caller]
fn check(ran: Ran, words: &[&str]) {
    let ran = ran.expect(2);
    assert_eq!(ran.stdout, "");
    assert_eq!(ran.stderr.trim_end().lines().count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    for word in words {
        assert!(
            ran.stderr.contains(word),
            "{word:?} is not in {}",
            ran.stderr
        );
    }
}

#[test]
fn what_is_asked_wrongly_is_said_in_one_line() {
    let shop = shop();
    let data = shop.data();
    let missing = shop.path("none");
    check(
        run(&["ingest", "--data", &data, "--index", "shop", &missing]),
        &["cannot open", "none", "nothing was changed"],
    );
    check(
        run(&["ingest", "--data", &data, "--index", "a b", "-"]),
        &["`a b`", "index uid"],
    );
    check(
        run(&["search", "--data", &data, "--index", "nope", "mug"]),
        &["`nope` not found"],
    );
    check(
        run(&["search", "--data", &missing, "--index", "shop", "mug"]),
        &["no data folder", "vitrine ingest"],
    );
    check(
        run(&[
            "search", "--data", &data, "--index", "shop", "--filter", "price >",
        ]),
        &["price >"],
    );
    check(
        run(&[
            "recommend",
            "--data",
            &data,
            "--index",
            "shop",
            "--kind",
            "magic",
        ]),
        &["`magic`", "for-you"],
    );
    check(
        run(&[
            "recommend",
            "--data",
            &data,
            "--index",
            "shop",
            "--kind",
            "bought-with",
        ]),
        &["bought-with"],
    );
    let events = shop.file("events.csv", "user,item\nu,1\n");
    check(
        run(&["events", "--data", &data, "--index", "nope", &events]),
        &["`nope` not found", "vitrine ingest"],
    );
    check(
        run(&[
            "events", "--data", &data, "--index", "shop", &events, "--map", "user",
        ]),
        &["--map"],
    );
    check(
        run(&["restore", &missing, "--data", &shop.path("new")]),
        &["cannot open"],
    );
    check(
        run(&["restore", &events, "--data", &shop.path("new")]),
        &["cannot restore"],
    );
    check(
        run(&["restore", &events, "--data", &data]),
        &["is not empty"],
    );
    check(
        run(&["eval", "sequence", "--sequences", &missing]),
        &["cannot open"],
    );
}

#[test]
fn a_wrong_flag_is_an_error_and_help_is_not() {
    assert_eq!(run(&["search", "--nonsense"]).code, 2);
    assert_eq!(run(&["nonsense"]).code, 2);
    let help = run(&["--help"]).expect(0);
    for command in [
        "demo",
        "serve",
        "ingest",
        "events",
        "search",
        "recommend",
        "profile",
        "eval",
        "backup",
        "restore",
    ] {
        assert!(help.stdout.contains(command), "{command}");
    }
}

#[test]
fn nothing_found_is_exit_1() {
    let shop = shop();
    let data = shop.data();
    run(&[
        "search", "--data", &data, "--index", "shop", "zeppelin", "--json",
    ])
    .expect(1);
    run(&[
        "recommend",
        "--data",
        &data,
        "--index",
        "shop",
        "--kind",
        "trending",
        "--json",
    ])
    .expect(1);
    let unknown = run(&[
        "profile", "--data", &data, "--index", "shop", "--user", "nobody",
    ])
    .expect(1);
    assert!(unknown.stderr.contains("nobody"), "{}", unknown.stderr);
}

#[test]
fn a_second_process_on_a_folder_is_told_who_holds_it() {
    let shop = shop();
    let server = Server::start(shop.data());
    check(
        run(&["serve", "--data", &shop.data(), "--listen", "127.0.0.1:0"]),
        &["is in use by process", &server.address],
    );
    check(
        run(&["verify", "--data", &shop.data()]),
        &["is in use by process"],
    );
}

#[test]
fn an_address_in_use_or_open_to_all_is_refused() {
    let shop = shop();
    let server = Server::start(shop.data());
    let taken = server.address.trim_start_matches("http://").to_owned();
    check(
        run(&["serve", "--data", &shop.path("other"), "--listen", &taken]),
        &[&taken],
    );
    check(
        run(&[
            "serve",
            "--data",
            &shop.path("other"),
            "--listen",
            "0.0.0.0:0",
        ]),
        &["master key"],
    );
}

#[test]
fn a_key_is_asked_for_and_taken() {
    let shop = shop();
    let key = "0123456789abcdef0123";
    let server = Server::start_with(shop.data(), &["--master-key", key]);
    let search = ["search", "--data", &shop.data(), "--index", "shop", "mug"];
    check(run(&search), &["--master-key"]);
    run(&[&search[..], &["--master-key", key]].concat()).expect(0);
    drop(server);
}

/// A folder below a file can never be made, whoever asks (root could write anywhere else).
#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let shop = Shop::new();
    let (file, items) = (shop.file("in-the-way", ""), shop.file("items.jsonl", ITEMS));
    let folder = format!("{file}/data");
    check(
        run(&["ingest", "--data", &folder, "--index", "shop", &items]),
        &[&folder],
    );
}

#[test]
fn a_file_cut_short_keeps_its_good_rows() {
    let shop = Shop::new();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    // Digits that do not repeat, so that the cut leaves many whole rows.
    for id in 0..20_000_u64 {
        writeln!(
            gzip,
            "{{\"id\": {id}, \"title\": \"item {:x}\"}}",
            id.wrapping_mul(0x9e37_79b9_7f4a_7c15)
        )
        .unwrap();
    }
    let whole = gzip.finish().unwrap();
    let file = shop.file("items.jsonl.gz", &whole[..whole.len() / 2]);
    let ran = run(&[
        "ingest",
        "--data",
        &shop.data(),
        "--index",
        "shop",
        &file,
        "--json",
    ])
    .expect(1);
    let report = ran.json();
    let added = report["added"].as_u64().unwrap();
    assert!((5_000..15_000).contains(&added), "{report}");
    assert!(
        report["broken"][0]
            .as_str()
            .is_some_and(|what| what.contains("gzip")),
        "{report}"
    );
    let found = run(&[
        "search",
        "--data",
        &shop.data(),
        "--index",
        "shop",
        "",
        "--json",
    ])
    .expect(0)
    .json();
    assert!(
        found["hits"]
            .as_array()
            .is_some_and(|hits| hits.len() == 20),
        "{found}"
    );
}

#[test]
fn bad_rows_are_named_and_good_ones_kept() {
    let shop = Shop::new();
    let rows = "id,title,price\n1,mug,2\n2,lamp\n3,\"star, paper\",1.20\n,no key,1\n";
    let file = shop.file("items.csv", rows);
    let report = run(&[
        "ingest",
        "--data",
        &shop.data(),
        "--index",
        "shop",
        &file,
        "--json",
    ])
    .expect(0)
    .json();
    assert_eq!(
        (&report["read"], &report["added"], &report["refused"]),
        (&json!(4), &json!(2), &json!(2)),
        "{report}"
    );
    let mut rows: Vec<_> = report["refusedRows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["row"].as_u64())
        .collect();
    rows.sort_unstable();
    assert_eq!(rows, [Some(2), Some(4)], "{report}");
}

#[test]
fn an_input_without_one_good_row_is_an_error_or_a_refusal() {
    let shop = Shop::new();
    let data = shop.data();
    let no_key = shop.file("no-key.jsonl", "{\"title\": \"a\"}\n{\"title\": \"b\"}\n");
    check(
        run(&["ingest", "--data", &data, "--index", "one", &no_key]),
        &["--primary-key"],
    );
    let two_keys = shop.file("two.jsonl", "{\"product_id\": 1, \"shop_id\": 2}\n");
    check(
        run(&["ingest", "--data", &data, "--index", "two", &two_keys]),
        &["product_id", "shop_id", "--primary-key"],
    );
    let bad_ids = shop.file("bad.jsonl", "{\"id\": \"a b\"}\n{\"id\": \"c d\"}\n");
    let ran = run(&[
        "ingest", "--data", &data, "--index", "three", &bad_ids, "--json",
    ])
    .expect(1);
    assert_eq!(
        (&ran.json()["added"], &ran.json()["refused"]),
        (&json!(0), &json!(2))
    );
    let wide = shop.file("wide.csv", [0xff_u8, 0xfe, b'i', 0, b'd', 0]);
    check(
        run(&["ingest", "--data", &data, "--index", "four", &wide]),
        &["UTF-16", "UTF-8"],
    );
}

#[test]
fn a_damaged_log_is_refused_until_it_is_repaired() {
    let shop = shop();
    let data = shop.data();
    let segment = std::fs::read_dir(format!("{data}/log"))
        .unwrap()
        .flatten()
        .map(|entry| entry.path());
    let segment = segment
        .filter(|path| path.metadata().is_ok_and(|meta| meta.len() > 200))
        .min()
        .unwrap();
    let mut bytes = std::fs::read(&segment).unwrap();
    let text = bytes
        .windows(7)
        .position(|seven| seven == b"red mug")
        .unwrap();
    bytes[text] ^= 0x20;
    std::fs::write(&segment, bytes).unwrap();

    check(
        run(&["search", "--data", &data, "--index", "shop", "mug"]),
        &["damaged", "byte", "vitrine repair"],
    );
    let repaired = run(&["repair", "--data", &data, "--json"]).expect(1).json();
    assert_eq!(
        repaired["lost"].as_array().map(Vec::len),
        Some(1),
        "{repaired}"
    );
    run(&["verify", "--data", &data]).expect(1);
    run(&["repair", "--data", &data]).expect(0);
    let found = run(&[
        "search", "--data", &data, "--index", "shop", "mug", "--json",
    ])
    .expect(1)
    .json();
    assert_eq!(
        found["hits"],
        json!([]),
        "what was lost is not shown from a view"
    );
}
