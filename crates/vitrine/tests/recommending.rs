//! `vitrine recommend`, `eval recommend` and `bench recommend` over the small shop: whether the
//! figures are those of what was asked, not whether they are good.

mod support;

use serde_json::{Value, json};
use support::{Ran, Shop, vitrine};

struct Bench {
    shop: Shop,
    products: String,
    log: String,
    /// When two thirds of the events had happened.
    moment: String,
}

fn bench() -> Bench {
    let shop = Shop::new();
    let events = testkit::events(7, 900);
    let lines = events.iter().map(|event| {
        let line = json!({
            "eventId": event.id, "userId": event.user, "kind": event.kind, "itemId": event.item,
            "query": event.query, "time": event.time.to_string(), "value": event.value,
            "price": event.price, "quantity": event.quantity, "basket": event.basket,
        });
        format!("{line}\n")
    });
    Bench {
        products: shop.file("products.json", json!(testkit::catalogue(7)).to_string()),
        log: shop.file("log.ndjson", lines.collect::<String>()),
        moment: events[600].time.to_string(),
        shop,
    }
}

impl Bench {
    fn run(&self, args: &[&str]) -> Ran {
        let files = ["--products", &self.products, "--log", &self.log];
        vitrine().args(args).args(files).output().unwrap().into()
    }

    fn eval(&self, more: &[&str]) -> Ran {
        self.run(&[&["eval", "recommend", "--split-at", &self.moment], more].concat())
    }
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("no number: {value}"))
}

#[test]
fn recommendations_are_measured_by_what_came_after() {
    let bench = bench();
    let answer = bench.eval(&["--json"]).expect(0).json();
    assert_eq!(answer["products"], 40);
    assert_eq!(answer["events_before"], 600);
    let tasks = answer["tasks"].as_object().unwrap();
    let names: Vec<&str> = tasks.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "basket-completion",
            "next-basket",
            "next-basket-again",
            "next-basket-new",
            "with-item"
        ]
    );
    for (name, task) in tasks {
        let cases = number(&task["cases"]);
        assert!(
            cases > 0.0 && task["rankings"]["popular"].is_object(),
            "{name}: {task}"
        );
        for (kind, ranking) in task["rankings"].as_object().unwrap() {
            assert_eq!(number(&ranking["cases"]), cases, "{name} {kind}");
            for figure in [
                "recall@10",
                "ndcg@10",
                "hit_rate@10",
                "precision@10",
                "coverage@10",
            ] {
                let value = number(&ranking[figure]);
                assert!(
                    (0.0..=1.0).contains(&value),
                    "{name} {kind} {figure} {value}"
                );
            }
            let groups = ranking["by_activity"].as_object().unwrap();
            let of_groups: f64 = groups.values().map(|group| number(&group["cases"])).sum();
            assert_eq!(of_groups, cases, "{name} {kind}");
            if kind != "popular" {
                let difference = &ranking["against"]["popular"]["ndcg@10"];
                let mean =
                    number(&ranking["ndcg@10"]) - number(&task["rankings"]["popular"]["ndcg@10"]);
                assert!(
                    (number(&difference["mean"]) - mean).abs() < 1e-9,
                    "{name} {kind}"
                );
                assert!(number(&difference["low"]) <= mean && mean <= number(&difference["high"]));
            }
        }
    }
    // Nobody looks at the whole catalogue of forty with ten places, but together they do.
    assert!(number(&tasks["with-item"]["rankings"]["similar"]["coverage@10"]) > 0.5);
    let mut again = bench.eval(&["--json"]).expect(0).json();
    again["seconds"] = answer["seconds"].clone();
    assert_eq!(again, answer, "the same at every run");
}

#[test]
fn what_cannot_be_measured_is_said() {
    let bench = bench();
    for (split, code, said) in [
        ("1999-01-01", 2, "no event happened before 1999-01-01"),
        ("soon", 2, "cannot use soon"),
    ] {
        let ran = bench
            .run(&["eval", "recommend", "--split-at", split])
            .expect(code);
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
    bench
        .run(&["eval", "recommend", "--split-at", "2030-01-01"])
        .expect(1);
}

#[test]
fn round_trips_of_every_kind_are_timed() {
    let bench = bench();
    let args = [
        "bench",
        "recommend",
        "--requests",
        "5",
        "--replay",
        "200",
        "--json",
    ];
    let answer = bench.run(&args).expect(0).json();
    // Searches have no item, so that they are left out.
    assert!(number(&answer["events"]) > 700.0, "{answer}");
    let kinds = answer["kinds"].as_object().unwrap();
    assert_eq!(kinds.len(), 10);
    assert!(
        kinds
            .values()
            .all(|kind| number(&kind["requests"]) == 5.0 && number(&kind["p50"]) > 0.0)
    );
    assert!(number(&answer["events_replayed"]) >= 200.0);

    let larger = ["--shoppers", "300", "--events", "6000"];
    let answer = bench.run(&[&args[..], &larger].concat()).expect(0).json();
    assert!(number(&answer["shoppers"]) > 250.0, "{answer}");
    assert!(
        (4_500.0..7_500.0).contains(&number(&answer["events"])),
        "{answer}"
    );
}

#[test]
fn the_command_passes_every_field_on() {
    let bench = bench();
    let data = bench.shop.path("data");
    let run = |args: &[&str]| -> Ran {
        vitrine()
            .args(args)
            .args(["--data", &data])
            .output()
            .unwrap()
            .into()
    };
    run(&["ingest", "--index", "products", &bench.products]).expect(0);
    run(&["events", "--index", "products", &bench.log]).expect(0);
    let ask = |more: &[&str]| -> Value {
        let args = ["recommend", "--index", "products", "--json", "--explain"];
        run(&[&args[..], more].concat()).expect(0).json()
    };
    let told = |answer: &Value, because: &str| -> bool {
        let hits = answer["hits"].as_array().unwrap().iter();
        let mut reasons =
            hits.flat_map(|hit| hit["_recommendation"]["reasons"].as_array().unwrap());
        reasons.any(|reason| reason["because"] == because)
    };
    let plain = ask(&["--kind", "popular"]);
    assert!(!told(&plain, "diversity"));
    assert!(told(
        &ask(&["--kind", "popular", "--diversity", "0.9"]),
        "diversity"
    ));
    let owned = ask(&["--kind", "for-you", "--user", "u01", "--include-owned"]);
    assert!(told(&owned, "owned"), "{owned}");
    let refused = run(&[
        "recommend",
        "--index",
        "products",
        "--kind",
        "popular",
        "--diversity",
        "2",
    ]);
    assert!(refused.expect(2).stderr.contains("from 0 to 1"));
}
