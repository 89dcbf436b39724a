//! The life of a small shop on the command line: ingest, search, events, recommend,
//! profile, backup, restore.
//!
//! Everything is asked twice where it matters: of a folder that nobody holds, and
//! through the server that holds it.

mod support;

use serde_json::{Value, json};
use std::fmt::Write as _;
use support::{Server, Shop, run, run_with_input, vitrine};

const CATALOGUE: &str = "\
sku,name,brand,price
a1,Red enamel mug,Acme,2.50
a2,Blue enamel mug,Acme,2.75
a3,Garden lamp,Lumen,19.00
a4,Paper star,Papyr,1.20
a5,Heart T-Light holder,Lumen,3.95
";

/// Shoppers who buy a mug, then the other mug, and a lamp every now and then.
fn purchases() -> String {
    let mut text = "order,customer,sku,when,qty,unit_price\n".to_owned();
    for shopper in 0..30 {
        for (line, sku) in ["a1", "a2", "a3"].iter().enumerate().take(2 + shopper % 2) {
            let day = 1 + shopper % 28;
            let _ = writeln!(
                text,
                "o{shopper},c{shopper},{sku},2011-10-{day:02} 1{line}:00:00,1,2.50"
            );
        }
    }
    text
}

const MAPPING: &str =
    "user=customer,item=sku,time=when,basket=order,quantity=qty,price=unit_price,kind:=purchase";

/// A shop with its catalogue and its purchases in the data folder.
fn filled() -> Shop {
    let shop = Shop::new();
    let (items, orders) = (
        shop.file("items.csv", CATALOGUE),
        shop.file("orders.csv", purchases()),
    );
    let report = run(&[
        "ingest",
        "--data",
        &shop.data(),
        "--index",
        "shop",
        &items,
        "--primary-key",
        "sku",
        "--json",
    ])
    .expect(0)
    .json();
    assert_eq!(
        (&report["read"], &report["added"], &report["refused"]),
        (&json!(5), &json!(5), &json!(0))
    );
    let events = [
        "events",
        "--data",
        &shop.data(),
        "--index",
        "shop",
        &orders,
        "--map",
        MAPPING,
        "--json",
    ];
    let report = run(&events).expect(0).json();
    assert_eq!(
        (
            &report["accepted"],
            &report["duplicates"],
            &report["rejected"]
        ),
        (&json!(75), &json!(0), &json!(0))
    );
    shop
}

fn ids(answer: &Value) -> Vec<&str> {
    let hits = answer["hits"].as_array().unwrap();
    hits.iter()
        .map(|hit| hit["sku"].as_str().unwrap())
        .collect()
}

/// Everything that can be asked, with what takes time left out.
fn answers(data: &str) -> Vec<Value> {
    let asked: [&[&str]; 8] = [
        &["search", "enamel mug", "--sort", "price:desc"],
        &[
            "search",
            "mug",
            "--filter",
            "price < 2.6",
            "--facets",
            "brand",
        ],
        &["search", "hart t-light"],
        &["recommend", "--kind", "bought-with", "--item", "a1"],
        &["recommend", "--kind", "popular", "--limit", "2"],
        &["recommend", "--kind", "recently-viewed", "--user", "c1"],
        &["profile", "--user", "c1"],
        &["profile", "--item", "a1"],
    ];
    let asked = asked.map(|question| {
        let mut args = question.to_vec();
        args.extend(["--data", data, "--index", "shop", "--json"]);
        steady(run(&args).json())
    });
    asked.to_vec()
}

/// Without durations.
fn steady(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields
                .into_iter()
                .filter(|(name, _)| name != "processingTimeMs");
            Value::Object(kept.map(|(name, field)| (name, steady(field))).collect())
        }
        Value::Array(items) => items.into_iter().map(steady).collect(),
        other => other,
    }
}

#[test]
fn a_shop_answers_alone_through_a_server_and_restored() {
    let shop = filled();
    let data = shop.data();
    let search = run(&[
        "search", "--data", &data, "--index", "shop", "blue mug", "--json",
    ])
    .expect(0)
    .json();
    assert_eq!(ids(&search).first(), Some(&"a2"), "{search}");
    assert_eq!(
        search["estimatedTotalHits"].as_u64(),
        Some(ids(&search).len() as u64)
    );
    let bought = [
        "recommend",
        "--data",
        &data,
        "--index",
        "shop",
        "--kind",
        "bought-with",
        "--item",
        "a1",
        "--json",
    ];
    assert_eq!(ids(&run(&bought).expect(0).json()).first(), Some(&"a2"));
    let excluded = [&bought[..], &["--exclude", "a2"]].concat();
    assert!(!ids(&run(&excluded).json()).contains(&"a2"));

    let alone = answers(&data);
    let server = Server::start(&data);
    assert_eq!(answers(&data), alone, "a server answers like the folder");
    let while_served = shop.path("served.backup");
    run(&["backup", "--data", &data, &while_served]).expect(0);
    assert_eq!(server.terminate(), Some(0));

    let file = shop.path("shop.backup");
    run(&["backup", "--data", &data, &file]).expect(0);
    for (backup, folder) in [(&file, "restored"), (&while_served, "restored-2")] {
        let folder = shop.path(folder);
        run(&["restore", backup, "--data", &folder]).expect(0);
        assert_eq!(answers(&folder), alone, "{folder}");
    }
}

#[test]
fn rows_and_events_go_through_the_server_that_holds_the_folder() {
    let shop = filled();
    let data = shop.data();
    let server = Server::start(&data);
    let more = "{\"sku\": \"b1\", \"name\": \"Chalk board\"}\n{\"name\": \"no key\"}\nnot json\n";
    let args = [
        "ingest", "--data", &data, "--index", "shop", "-", "--format", "ndjson", "--json",
    ];
    let report = run_with_input(&args, more.as_bytes()).expect(0).json();
    assert_eq!(
        (&report["read"], &report["added"], &report["refused"]),
        (&json!(3), &json!(1), &json!(2)),
        "{report}"
    );
    let rows: Vec<_> = report["refusedRows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["row"].as_u64())
        .collect();
    assert!(
        rows.contains(&Some(2)) && rows.contains(&Some(3)),
        "{report}"
    );

    let orders = shop.file("again.csv", purchases());
    let again = [
        "events", "--data", &data, "--index", "shop", &orders, "--map", MAPPING, "--json",
    ];
    let report = run(&again).expect(0).json();
    assert_eq!(
        (&report["accepted"], &report["duplicates"]),
        (&json!(0), &json!(75)),
        "{report}"
    );
    let (_, stats) = server.get("/indexes/shop/stats");
    assert_eq!(stats["numberOfDocuments"], json!(6));
}

#[test]
fn an_event_changes_the_next_answer() {
    let shop = filled();
    let data = shop.data();
    let event =
        r#"{"userId": "new", "itemId": "a4", "kind": "view", "time": "2011-11-01T10:00:00Z"}"#;
    let args = ["events", "--data", &data, "--index", "shop", "-", "--json"];
    assert_eq!(
        run_with_input(&args, event.as_bytes()).expect(0).json()["accepted"],
        json!(1)
    );
    let viewed = [
        "recommend",
        "--data",
        &data,
        "--index",
        "shop",
        "--kind",
        "recently-viewed",
        "--user",
        "new",
        "--json",
    ];
    assert_eq!(ids(&run(&viewed).expect(0).json()), ["a4"]);
}

#[test]
fn refused_and_changed_rows_are_listed_by_their_task() {
    let shop = Shop::new();
    let data = shop.data();
    let rows = "[{\"id\": 1, \"title\": \"<b>Mug</b> red\", \"price\": \"£2.50\"}, {\"id\": \"a b\", \"title\": \"x\"}]";
    let file = shop.file("items.json", rows);
    let report = run(&[
        "ingest", "--data", &data, "--index", "shop", &file, "--list", "--json",
    ])
    .expect(0)
    .json();
    assert_eq!(
        (&report["added"], &report["refused"]),
        (&json!(1), &json!(1)),
        "{report}"
    );
    assert_eq!(report["refusedRows"][0]["row"], json!(2), "{report}");
    assert_eq!(report["refusedRows"][0]["field"], json!("id"), "{report}");
    assert!(
        !report["changedRows"].as_array().unwrap().is_empty(),
        "{report}"
    );
    let task = report["tasks"][0].to_string();
    let listed = run(&["rows", "--data", &data, &task, "--json"])
        .expect(0)
        .json();
    assert!(
        listed["results"]
            .as_array()
            .is_some_and(|rows| rows.len() >= 2),
        "{listed}"
    );
    let text = run(&["rows", "--data", &data, &task]).expect(0).stdout;
    assert!(
        text.contains("refused") && text.contains("changed"),
        "{text}"
    );
}

#[test]
fn settings_are_shown_and_changed() {
    let shop = filled();
    let data = shop.data();
    let change = r#"{"synonyms": {"cup": ["mug"]}}"#;
    let settings = run(&[
        "settings", "--data", &data, "--index", "shop", change, "--json",
    ])
    .expect(0)
    .json();
    assert_eq!(settings["synonyms"], json!({"cup": ["mug"]}));
    assert_eq!(settings["filterableAttributes"], json!(["*"]));
    let found = run(&[
        "search", "--data", &data, "--index", "shop", "cup", "--json",
    ])
    .expect(0)
    .json();
    assert_eq!(ids(&found).len(), 2, "{found}");
    let refused = run(&[
        "settings",
        "--data",
        &data,
        "--index",
        "shop",
        r#"{"synonims": {}}"#,
    ])
    .expect(2);
    assert!(refused.stderr.contains("synonims"), "{}", refused.stderr);
}

#[test]
fn people_get_tables() {
    let shop = filled();
    let text = run(&["search", "--data", &shop.data(), "--index", "shop", "lamp"])
        .expect(0)
        .stdout;
    let header = text.lines().nth(1).unwrap_or_default();
    assert!(
        header.starts_with("title") && header.contains("price"),
        "{text}"
    );
    assert!(text.contains("Garden lamp"), "{text}");
    let profile = run(&[
        "profile",
        "--data",
        &shop.data(),
        "--index",
        "shop",
        "--user",
        "c1",
    ])
    .expect(0)
    .stdout;
    assert!(profile.contains("c1"), "{profile}");
}

#[test]
fn a_log_is_verified_and_compacted() {
    let shop = filled();
    let data = shop.data();
    let report = run(&["verify", "--data", &data, "--json"]).expect(0).json();
    assert!(
        report["records"]
            .as_u64()
            .is_some_and(|records| records >= 4),
        "{report}"
    );
    assert_eq!(report["lost"], json!(0));
    assert!(
        run(&["compact", "--data", &data, "--json"])
            .expect(0)
            .json()
            .is_object()
    );
    assert_eq!(
        run(&["verify", "--data", &data, "--json"]).expect(0).json()["records"],
        report["records"]
    );
}

#[test]
fn loading_is_measured_on_a_catalogue_under_new_ids() {
    let shop = Shop::new();
    let rows = format!("{CATALOGUE}no id,Spoon,Acme,1\n");
    let file = shop.file("items.csv", rows);
    let bench = ["bench", "ingest", "--json", "--products", &file];
    for (repeat, documents, refused) in [("1", 5, 1), ("3", 15, 3)] {
        let answer = run(&[&bench[..], &["--repeat", repeat]].concat())
            .expect(0)
            .json();
        assert_eq!(
            (&answer["documents"], &answer["refused"]),
            (&json!(documents), &json!(refused)),
            "{answer}"
        );
        for figure in ["seconds", "megabytes", "documents_per_second"] {
            assert!(answer[figure].as_f64() > Some(0.0), "{answer}");
        }
    }
    let keyless = shop.file("keyless.csv", "name,price\nmug,2\n");
    let bench = ["bench", "ingest", "--repeat", "2", "--products", &keyless];
    let ran = run(&bench).expect(2);
    assert!(ran.stderr.contains("--primary-key"), "{}", ran.stderr);
}

#[test]
fn a_reader_who_has_had_enough_is_no_failure() {
    use std::process::Stdio;
    let shop = filled();
    let mut child = vitrine()
        .args([
            "search",
            "--data",
            &shop.data(),
            "--index",
            "shop",
            "--json",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(
        (ended.status.code(), ended.stderr.is_empty()),
        (Some(0), true),
        "{ended:?}"
    );
}
