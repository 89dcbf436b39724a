//! The examples that a newcomer runs, through their own scripts and the built program.

mod support;

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use support::{Shop, run};

/// What an example answered to each of its questions.
fn answers(example: &str, data: &str) -> BTreeMap<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let output = Command::new("sh")
        .arg(folder.join(example).join("run.sh"))
        .env("VITRINE", env!("CARGO_BIN_EXE_vitrine"))
        .env("DATA", data)
        .env_remove("VITRINE_MASTER_KEY")
        .output()
        .expect("sh runs");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stdout}\n{stderr}");
    let mut answers = BTreeMap::new();
    let mut lines = stdout.lines();
    while let (Some(question), Some(answer)) = (lines.next(), lines.next()) {
        let question = question.trim_start_matches("# ").to_owned();
        let answer = serde_json::from_str(answer).unwrap_or_else(|err| panic!("{err}: {answer}"));
        answers.insert(question, answer);
    }
    answers
}

#[track_caller]
fn hits(answer: &Value) -> &Vec<Value> {
    answer["hits"].as_array().expect("hits")
}

fn classes(answer: &Value) -> Vec<i64> {
    let classes = hits(answer).iter().map(|fund| fund["riskClass"].as_i64());
    classes.map(|class| class.expect("a class")).collect()
}

#[test]
fn an_investor_is_shown_nothing_above_the_class_that_suits() {
    let shop = Shop::new();
    let answers = answers("funds", &shop.data());
    let answer = |question: &str| &answers[question];

    let cautious = answer("what is popular, for a cautious investor");
    assert_eq!(hits(cautious).len(), 8);
    assert!(classes(cautious).iter().all(|class| *class <= 2));
    let rule = &cautious["suitability"];
    assert_eq!(rule["attribute"], "riskClass");
    assert_eq!(rule["atMost"], 2.0);
    assert!(
        rule["leftOut"].as_u64().is_some_and(|count| count > 0),
        "{rule}"
    );
    let bold = answer("the same for a bold one");
    assert!(classes(bold).iter().any(|class| *class > 2));

    // The cheapest equity fund of the catalogue has class 5.
    let search = answer("equity, searched by the cautious one");
    assert!(classes(search).iter().all(|class| *class <= 2), "{search}");
    assert_eq!(search["suitability"]["atMost"], 2.0);
    let search = answer("the same by the bold one");
    assert!(classes(search).contains(&5));
    let again = answer("equity again, after the cautious one was advised anew");
    assert!(classes(again).contains(&5) && classes(again).iter().all(|class| *class <= 5));
    assert_eq!(
        again["estimatedTotalHits"].as_u64(),
        Some(hits(again).len() as u64)
    );

    let unknown = answer("for an investor whose class nobody knows");
    assert!(hits(unknown).is_empty());
    assert_eq!(unknown["suitability"]["atMost"], Value::Null);

    // The program asks for a shopper too.
    let search = [
        "search",
        "--data",
        &shop.data(),
        "--index",
        "funds",
        "equity",
    ];
    let mine = [&search[..], &["--user", "bold", "--json"]].concat();
    let bold = run(&mine).expect(0).json();
    assert!(classes(&bold).iter().any(|class| *class > 5), "{bold}");
    let nobodys = [&search[..], &["--user", "nobody", "--json"]].concat();
    run(&nobodys).expect(1);
}

#[test]
fn posts_age_within_the_day() {
    let shop = Shop::new();
    let answers = answers("feed", &shop.data());
    let dates = |question: &str| -> Vec<String> {
        let posts = hits(&answers[question]).iter();
        let created = posts.map(|post| post["createdAt"].as_str().expect("a time"));
        created.map(str::to_owned).collect()
    };
    let fresh = dates("what is read most, and new");
    let any_age = dates("what is read most, of any age");
    assert_eq!((fresh.len(), any_age.len()), (10, 10));
    let median = |dates: &[String]| {
        let mut dates = dates.to_vec();
        dates.sort();
        dates[dates.len() / 2].clone()
    };
    // Of the last two days, where without freshness it is of any.
    assert!(median(&fresh).as_str() > "2026-01-29T18", "{fresh:?}");
    assert!(median(&any_age) < median(&fresh), "{any_age:?} {fresh:?}");

    for post in hits(&answers["what is read most, and new"]) {
        let why = &post["_recommendation"];
        let reasons = why["reasons"].as_array().expect("reasons");
        let value = |reason: &Value| reason["value"].as_f64().expect("a number");
        let sum: f64 = reasons.iter().map(value).sum();
        let score = why["score"].as_f64().expect("a score");
        assert!((sum - score).abs() < 1e-3, "{why}");
        let fresh = reasons
            .iter()
            .find(|reason| reason["because"] == "freshness");
        assert!(fresh.is_some_and(|reason| value(reason) <= 0.0), "{why}");
    }
    assert!(!hits(&answers["for a reader"]).is_empty());
    assert_eq!(answers["a reader dislikes a post"]["accepted"], 1);
    let left = hits(&answers["what is read most, for that reader"]);
    assert!(left.iter().all(|post| post["id"] != "post-179"));
}
