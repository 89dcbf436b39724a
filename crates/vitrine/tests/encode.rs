//! `vitrine encode` and `vitrine bench encode`, over a model that knows no language.
//!
//! What the vectors are worth is tested where they are made; here it is about lines: their
//! order, their number, and what happens when one of them is no text.

mod support;

use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use support::{Ran, Shop, vitrine};
use testkit::ENCODER_DIMENSIONS;

/// A shop with the model `tiny` in its data folder.
fn shop() -> Shop {
    let shop = Shop::new();
    let folder = shop.path("data/models/encoder/tiny");
    fs::create_dir_all(&folder).unwrap();
    for (path, bytes) in testkit::tiny_encoder(7) {
        fs::write(Path::new(&folder).join(path), bytes).unwrap();
    }
    shop
}

fn command(shop: &Shop, args: &[&str]) -> Command {
    let mut command = vitrine();
    command
        .env("VITRINE_MODELS", shop.path("shared"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn encode(shop: &Shop, more: &[&str], input: &[u8]) -> Ran {
    let data = shop.data();
    let args = [&["encode", "--model", "tiny", "--data", &data], more].concat();
    let mut child = command(shop, &args).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A command that ends early does not read everything.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output.into()
}

fn vectors(ran: &Ran) -> Vec<Vec<f32>> {
    ran.stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|err| panic!("{err}: {line}")))
        .collect()
}

#[test]
fn every_line_has_its_vector_in_its_place() {
    let shop = shop();
    let texts: Vec<String> = (0..3000)
        .map(|number| format!("red mug {}", "ab".repeat(number % 13)))
        .collect();
    let ran = encode(&shop, &[], texts.join("\n").as_bytes()).expect(0);
    let all = vectors(&ran);
    assert_eq!(all.len(), texts.len());
    for vector in &all {
        assert_eq!(vector.len(), ENCODER_DIMENSIONS);
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        assert!((length - 1.0).abs() < 1e-4, "{length}");
    }
    for place in 0..13 {
        let alone = vectors(&encode(&shop, &[], texts[place].as_bytes()).expect(0));
        assert_eq!(alone[0], all[place], "the same alone, to the last bit");
        assert_eq!(all[place], all[place + 13], "the same wherever it stands");
        assert_ne!(all[place], all[place + 1]);
    }
}

#[test]
fn odd_lines_are_texts_too() {
    let shop = shop();
    let input = format!("\n   \n\u{1}\u{2}\n🙂\r\n{}\nend", "red ".repeat(25_000));
    let ran = encode(&shop, &[], input.as_bytes()).expect(0);
    let all = vectors(&ran);
    assert_eq!(all.len(), 6);
    assert!(all.iter().flatten().all(|number| number.is_finite()));
    assert_eq!(all[0], all[1], "spaces are nothing to the model");
    assert_eq!(encode(&shop, &[], b"").expect(0).stdout, "");
}

#[test]
fn invalid_utf_8_ends_it_after_the_lines_before() {
    let shop = shop();
    let ran = encode(&shop, &[], b"red\nblue\nmug \xff lamp\nshoe\n").expect(2);
    assert_eq!(vectors(&ran).len(), 2);
    assert!(
        ran.stderr.contains("line 3") && ran.stderr.contains("column 5"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_line_is_answered_before_the_next_one_comes() {
    let shop = shop();
    let data = shop.data();
    let args = ["encode", "--model", "tiny", "--data", &data];
    let mut child = command(&shop, &args).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap());
    for text in ["red mug\n", "blue lamp\n", "\n"] {
        stdin.write_all(text.as_bytes()).unwrap();
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        let vector: Vec<f32> = serde_json::from_str(&line).unwrap();
        assert_eq!(vector.len(), ENCODER_DIMENSIONS);
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_reader_who_leaves_is_no_error() {
    let shop = shop();
    let data = shop.data();
    let args = ["encode", "--model", "tiny", "--data", &data];
    let mut child = command(&shop, &args).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    drop(child.stdout.take());
    // The pipe breaks at some point, for us too.
    while stdin.write_all("red mug\n".repeat(1000).as_bytes()).is_ok() {}
    drop(stdin);
    let mut said = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}

#[test]
fn prefixes_precisions_and_windows() {
    let shop = shop();
    let one = |more: &[&str], text: &str| {
        let ran = encode(&shop, more, text.as_bytes()).expect(0);
        vectors(&ran).remove(0)
    };
    assert_eq!(one(&["--prefix", "query"], "mug"), one(&[], "query: mug"));
    assert_eq!(
        one(&["--prefix", "passage"], "mug"),
        one(&[], "passage: mug")
    );
    assert_ne!(one(&["--prefix", "query"], "mug"), one(&[], "mug"));
    let exact = one(&["--precision", "f32"], "red shoes");
    for precision in ["bf16", "int8"] {
        let near = one(&["--precision", precision, "--threads", "1"], "red shoes");
        let cosine: f32 = exact.iter().zip(&near).map(|(x, y)| x * y).sum();
        assert!(cosine > 0.97, "{precision}: {cosine}");
    }
    let long = format!("{}{}", "red ".repeat(70), "blue ".repeat(60));
    let cut = one(&["--precision", "f32"], &long);
    assert_ne!(cut, one(&["--precision", "f32", "--long", "window"], &long));
    assert_eq!(cut, one(&["--precision", "f32"], &"red ".repeat(200)));
}

#[test]
fn a_model_that_is_not_there_is_named_with_what_to_run() {
    let shop = shop();
    for (model, words) in [
        ("e5", "run `vitrine model pull e5`"),
        ("./nowhere", "there is no model at ./nowhere"),
        ("a b", "is no name of a model"),
    ] {
        let ran: Ran = command(&shop, &["encode", "--model", model])
            .stdin(Stdio::null())
            .output()
            .unwrap()
            .into();
        let ran = ran.expect(2);
        assert_eq!((ran.stdout.as_str(), ran.stderr.lines().count()), ("", 1));
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
    // A folder needs no name.
    let folder = shop.path("data/models/encoder/tiny");
    let ran: Ran = command(&shop, &["encode", "--model", &folder])
        .stdin(Stdio::null())
        .output()
        .unwrap()
        .into();
    ran.expect(0);
}

#[test]
fn the_bench_prints_the_fields_of_its_peer() {
    let shop = shop();
    let texts = shop.file(
        "titles.jsonl",
        "{\"title\": \"red mug\"}\n{\"title\": \"blue lamp\"}\n".repeat(20),
    );
    let folder = shop.path("data/models/encoder/tiny");
    let own = encode(&shop, &["--precision", "f32"], b"red mug").expect(0);
    let vector: Value = serde_json::from_str(&own.stdout).unwrap();
    let rows = [
        json!({"prefix": "", "text": "red mug", "tokens": 4, "embedding": vector}),
        json!({"prefix": "", "text": "red mug", "tokens": 5, "embedding": vector}),
    ];
    let reference = shop.file("reference.jsonl", format!("{}\n{}\n", rows[0], rows[1]));
    let args = [
        "bench",
        "encode",
        "--texts",
        &texts,
        "--model",
        &folder,
        "--threads",
        "1",
        "--precision",
        "f32",
        "--batch",
        "7",
        "--reference",
        &reference,
        "--json",
    ];
    let ran: Ran = command(&shop, &args).output().unwrap().into();
    let answer = ran.expect(0).json();
    let names: Vec<&String> = answer.as_object().unwrap().keys().collect();
    let expected = [
        "peer",
        "threads",
        "texts",
        "tokens",
        "seconds",
        "texts_per_s",
        "tokens_per_s",
        "single_ms_p50",
        "load_ms",
        "resident_mib",
        "precision",
        "cpu",
        "cosine_mean",
        "cosine_min",
        "token_mismatches",
    ];
    let expected: Vec<&str> = expected
        .into_iter()
        .filter(|name| cfg!(target_os = "linux") || *name != "resident_mib")
        .collect();
    assert_eq!(names, expected);
    assert_eq!(answer["texts"], 40);
    assert_eq!(answer["tokens"], 160);
    assert_eq!(
        (&answer["threads"], &answer["precision"]),
        (&json!(1), &json!("f32"))
    );
    assert_eq!(answer["token_mismatches"], 1);
    assert!(answer["cosine_min"].as_f64().unwrap() > 0.999_999);
    assert!(answer["tokens_per_s"].as_f64().unwrap() > 0.0);
}
