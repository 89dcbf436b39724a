use crate::folder::Model;
use serde_json::Value;
use std::env;
use std::fs;
use std::path::Path;

/// Counts of tokens that Hugging Face's own tokeniser gave, as `tests/reference/make.py`
/// wrote them down.
fn check_counts(model: &str) {
    let Some(models) = env::var_os("VITRINE_MODELS") else {
        println!("skipped: run cargo xtask check");
        return;
    };
    let path = Path::new(&models).join(model);
    let opened = Model::open(&path).unwrap_or_else(|error| panic!("{model}: {error}"));
    let rows = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/reference")
        .join(format!("{model}.jsonl"));
    let rows = fs::read_to_string(rows).expect("the reference is part of the crate");
    let mut count = 0;
    for row in rows.lines() {
        let row: Value = serde_json::from_str(row).expect("each line is an object");
        let prefix = row["prefix"].as_str().expect("a text");
        let text = row["text"].as_str().expect("a text");
        let tokens = opened.tokenizer.content(&format!("{prefix}{text}"));
        let tokens = tokens.expect("any text has tokens");
        let found = (tokens.len() + 2).min(opened.max_tokens);
        assert_eq!(row["tokens"], found, "{model}: {text}");
        count += 1;
    }
    assert!(count >= 20, "{count} rows of {model}");
}

#[test]
fn minilm_has_the_tokens_of_the_reference() {
    check_counts("minilm");
}

#[test]
fn e5_has_the_tokens_of_the_reference() {
    check_counts("e5");
}
