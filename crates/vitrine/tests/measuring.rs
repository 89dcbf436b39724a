//! `vitrine eval search`, `bench search` and `bench vectors` over the small shop, with a model
//! that knows no language: whether the figures are those of what was asked, not whether they
//! are good.

mod support;

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use support::{Ran, Shop, vitrine};

/// The last query finds nothing, and the one before it has no good product.
const QUERIES: &str = "\
query_id\tquery
q1\twhite hanging heart
q2\tcandle
q3\tboots
q4\tred
q5\tzzzzqqq
";

struct Bench {
    shop: Shop,
    products: String,
    queries: String,
    qrels: String,
}

/// A shop whose standard model is a made-up one.
fn bench() -> Bench {
    let shop = Shop::new();
    // The catalogue is in two languages, so either may be the standard model.
    for name in ["models/minilm", "models/e5"] {
        let model = shop.path(name);
        fs::create_dir_all(&model).unwrap();
        for (path, bytes) in testkit::tiny_encoder(7) {
            fs::write(Path::new(&model).join(path), bytes).unwrap();
        }
    }
    let catalogue = testkit::catalogue(7);
    let id = |place: usize| catalogue[place]["id"].as_str().unwrap().to_owned();
    // The seventh product is the hanging heart. The second query wants what no word of it finds.
    let qrels = format!(
        "query_id\tproduct_id\trating\n\
         q1\t{}\t3\nq1\t{}\t1\nq2\t{}\t3\nq3\t{}\t0\nq5\t{}\t2\n",
        id(6),
        id(7),
        id(39),
        id(1),
        id(2)
    );
    Bench {
        products: shop.file("products.json", json!(catalogue).to_string()),
        queries: shop.file("queries.tsv", QUERIES),
        qrels: shop.file("qrels.tsv", qrels),
        shop,
    }
}

impl Bench {
    fn run(&self, args: &[&str]) -> Ran {
        let files = ["--products", &self.products, "--queries", &self.queries];
        vitrine()
            .env("VITRINE_MODELS", self.shop.path("models"))
            .args(args)
            .args(files)
            .output()
            .unwrap()
            .into()
    }

    fn eval(&self, more: &[&str]) -> Ran {
        let args = [&["eval", "search", "--qrels", &self.qrels], more].concat();
        self.run(&args)
    }
}

/// What does not hang on the clock.
fn steady(mut answer: Value) -> Value {
    for path in ["", "/against"] {
        if let Some(Value::Object(figures)) = answer.pointer_mut(path) {
            figures.remove("latency_ms");
            figures.remove("index_seconds");
        }
    }
    answer
}

#[test]
fn two_modes_are_compared_on_the_same_queries() {
    let bench = bench();
    let words = bench.eval(&["--json"]).expect(0).json();
    assert_eq!(
        (&words["queries"], &words["queries_with_positive"]),
        (&json!(5), &json!(3))
    );
    assert_eq!(
        (&words["against"], &words["difference"]),
        (&Value::Null, &Value::Null)
    );

    let args = ["--mode", "hybrid", "--against", "words", "--json"];
    let both = bench.eval(&args).expect(0).json();
    assert_eq!(both["mode"], "hybrid");
    for figure in ["mode", "ndcg@10", "ndcg_judged@10", "recall@100"] {
        assert_eq!(both["against"][figure], words[figure], "{figure}");
    }
    let difference = &both["difference"];
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("{both}"));
    let mean = number(&both["ndcg@10"]) - number(&both["against"]["ndcg@10"]);
    assert!((number(&difference["mean"]) - mean).abs() < 1e-9, "{both}");
    assert_eq!(
        (&difference["cases"], &difference["seed"]),
        (&json!(3), &json!(1))
    );
    assert!(number(&difference["low"]) <= mean && mean <= number(&difference["high"]));
    let holds_zero = number(&difference["low"]) <= 0.0 && number(&difference["high"]) >= 0.0;
    assert_eq!(difference["inside_noise"], json!(holds_zero));
    assert_eq!(
        steady(bench.eval(&args).expect(0).json()),
        steady(both),
        "the same again"
    );

    let text = bench.eval(&args[..4]).expect(0).stdout;
    let verdict = if holds_zero {
        "inside the noise"
    } else {
        "more than noise"
    };
    assert!(text.contains("hybrid against words: ndcg@10"), "{text}");
    assert!(text.contains(verdict), "{text}");
}

#[test]
fn a_mode_is_not_compared_with_itself() {
    let ran = bench()
        .eval(&["--mode", "words", "--against", "words"])
        .expect(2);
    assert!(ran.stderr.contains("--against"), "{}", ran.stderr);
}

#[test]
fn the_worst_queries_say_what_was_expected_and_what_came() {
    let bench = bench();
    let answer = bench.eval(&["--worst", "2", "--json"]).expect(0).json();
    let worst = answer["worst"].as_array().unwrap();
    let ids: Vec<_> = worst
        .iter()
        .map(|query| query["query_id"].as_str())
        .collect();
    assert_eq!(ids, [Some("q2"), Some("q5")], "{answer}");
    let [candle, nothing] = &worst[..] else {
        panic!("{answer}");
    };
    assert_eq!(candle["expected"][0]["gain"], json!(7.0), "{answer}");
    assert_eq!(candle["expected"][0]["place"], Value::Null, "{answer}");
    assert_eq!(candle["top"][0]["place"], json!(1), "{answer}");
    assert_eq!(candle["top"][0]["gain"], Value::Null, "{answer}");
    assert!(
        candle["top"][0]["title"]
            .as_str()
            .unwrap()
            .to_lowercase()
            .contains("candle")
    );
    assert_eq!(
        (&nothing["hits"], &nothing["top"]),
        (&json!(0), &json!([])),
        "{answer}"
    );

    let text = bench.eval(&["--worst", "1"]).expect(0).stdout;
    assert!(text.contains("the worst query of words"), "{text}");
    assert!(text.contains("candle  ndcg@10 0.0000"), "{text}");
    assert!(text.contains("expected    -  gain 7"), "{text}");
    assert!(!text.contains("zzzzqqq"), "{text}");
    let none = bench.eval(&["--worst", "0"]).expect(0).stdout;
    assert!(!none.contains("expected"), "{none}");
}

#[test]
fn every_query_of_every_mode_is_a_line() {
    let bench = bench();
    let file = bench.shop.path("queries.jsonl");
    let args = [
        "--mode",
        "meaning",
        "--against",
        "words",
        "--per-query",
        &file,
        "--json",
    ];
    let answer = bench.eval(&args).expect(0).json();
    let lines: Vec<Value> = fs::read_to_string(&file)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 10);
    for (mode, figures) in [("meaning", &answer), ("words", &answer["against"])] {
        let of_mode: Vec<&Value> = lines.iter().filter(|line| line["mode"] == mode).collect();
        assert_eq!(of_mode.len(), 5);
        let ndcg: Vec<f64> = of_mode
            .iter()
            .filter_map(|line| line["ndcg@10"].as_f64())
            .collect();
        assert_eq!(
            ndcg.len(),
            3,
            "only queries with a good product have figures"
        );
        let mean = ndcg.iter().sum::<f64>() / 3.0;
        assert!((mean - figures["ndcg@10"].as_f64().unwrap()).abs() < 1e-9);
    }
    let heart = lines.iter().find(|line| line["query_id"] == "q1").unwrap();
    assert_eq!(
        (&heart["query"], &heart["mode"]),
        (&json!("white hanging heart"), &json!("meaning"))
    );
    let ran = bench
        .eval(&["--per-query", &bench.shop.path("no/such/folder")])
        .expect(2);
    assert!(ran.stderr.contains("cannot write"), "{}", ran.stderr);
}

#[test]
fn hybrid_round_trips_are_measured_beside_words() {
    let bench = bench();
    let words = bench
        .run(&["bench", "search", "--repeat", "2", "--json"])
        .expect(0)
        .json();
    assert_eq!(
        (&words["requests"], &words["hybrid"]),
        (&json!(10), &Value::Null),
        "{words}"
    );
    for flag in ["--hybrid", "--hybrid=0.7"] {
        let both = bench.run(&["bench", "search", flag, "--repeat", "2", "--json"]);
        let both = both.expect(0).json();
        assert_eq!(both["hybrid"]["requests"], json!(10), "{both}");
        assert_eq!(both["requests"], json!(10), "{both}");
        for millis in [&both["p50"], &both["hybrid"]["p50"], &both["hybrid"]["p99"]] {
            assert!(millis.as_f64().is_some_and(|millis| millis > 0.0), "{both}");
        }
    }
    let text = bench
        .run(&["bench", "search", "--hybrid", "--repeat", "1"])
        .expect(0)
        .stdout;
    assert!(
        text.contains("words   5 requests") && text.contains("hybrid  5 requests"),
        "{text}"
    );
}

#[test]
fn a_catalogue_of_any_size_is_made_of_the_titles() {
    let bench = bench();
    let args = [
        "--items", "90", "--facet", "brand", "--repeat", "2", "--json",
    ];
    let args = [&["bench", "search", "--hybrid"], &args[..]].concat();
    let answer = bench.run(&args).expect(0).json();
    assert_eq!(answer["products"], json!(90), "{answer}");
    assert_eq!(answer["requests"], json!(10), "{answer}");
    assert_eq!(answer["hybrid"]["requests"], json!(10), "{answer}");
    let refused = [&args[..5], &["--facet", "colour"]].concat();
    let stderr = bench.run(&refused).expect(2).stderr;
    assert!(stderr.contains("status 400"), "{stderr}");
}

#[test]
fn what_the_graph_misses_is_measured() {
    let bench = bench();
    let model = bench.shop.path("models/minilm");
    // More than a scan is faster for, so that the graph is asked.
    let args = [
        "bench",
        "vectors",
        "--model",
        &model,
        "--precision",
        "f32",
        "--json",
    ];
    let answer = bench
        .run(&[&args[..], &["--items", "7000"]].concat())
        .expect(0)
        .json();
    let fields = ["items", "made", "titles", "queries", "dimensions"];
    let found: Vec<&Value> = fields.iter().map(|field| &answer[field]).collect();
    let expected = [
        json!(7_000),
        json!("mixed"),
        json!(40),
        json!(5),
        json!(testkit::ENCODER_DIMENSIONS),
    ];
    assert_eq!(found, expected.iter().collect::<Vec<_>>(), "{answer}");
    assert!(
        answer["rows_bytes"]
            .as_u64()
            .is_some_and(|bytes| bytes >= 7_000 * 64),
        "{answer}"
    );
    assert!(
        answer["graph_bytes"]
            .as_u64()
            .is_some_and(|bytes| bytes > 7_000 * 16),
        "{answer}"
    );
    let asked = answer["asked"].as_array().unwrap();
    let kinds: BTreeSet<(u64, u64)> = asked
        .iter()
        .map(|row| {
            (
                row["percent"].as_u64().unwrap(),
                row["nearest"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(kinds.len(), 9, "{answer}");
    for row in asked {
        let recall = row["recall"].as_f64().unwrap();
        assert!((0.5..=1.0).contains(&recall), "{row}");
    }
    let whole = &asked[0];
    assert_eq!(
        (&whole["matching"], &whole["chosen"]),
        (&json!(7_000), &json!("graph")),
        "{answer}"
    );

    let encoded = [&args[..], &["--items", "60", "--encode"]].concat();
    let answer = bench.run(&encoded).expect(0).json();
    assert_eq!(
        (&answer["made"], &answer["asked"][0]["recall"]),
        (&json!("encoded"), &json!(1.0))
    );
}
