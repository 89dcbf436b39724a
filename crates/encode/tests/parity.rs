//! The encoder with real weights against an independent forward pass (`reference/make.py`):
//! the same tokens and, to the precision asked for, the same vectors, on whatever path this
//! process uses. `cargo xtask check` pulls the weights and names their folder.

use encode::{Encoder, LongText, Options, Precision, Prefix};
use std::path::{Path, PathBuf};

/// A text, how many tokens it has, and its vector.
struct Reference {
    text: String,
    tokens: usize,
    vector: Vec<f32>,
}

fn references(model: &str) -> Vec<Reference> {
    let file = format!("tests/reference/{model}.jsonl");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let lines = std::fs::read_to_string(path).unwrap();
    let rows = lines.lines().map(|line| {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let word = |field: &str| row[field].as_str().unwrap().to_owned();
        let vector = row["embedding"].as_array().unwrap().iter();
        Reference {
            text: word("prefix") + &word("text"),
            tokens: row["tokens"].as_u64().unwrap() as usize,
            vector: vector.map(|x| x.as_f64().unwrap() as f32).collect(),
        }
    });
    rows.collect()
}

/// The folder of a model; nothing where no weights were provided.
fn model(name: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("VITRINE_MODELS") else {
        eprintln!("skipped: run `cargo xtask check`, which pulls the weights");
        return None;
    };
    Some(Path::new(&folder).join(name))
}

fn open(path: &Path, precision: Precision, threads: usize) -> Encoder {
    let options = Options {
        precision,
        threads,
        long_text: LongText::Cut,
    };
    Encoder::open(path, options).unwrap()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        let products = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b));
        products.sum()
    };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// Checks every text alone and all together; the cosines must reach a mean and a minimum.
fn check(name: &str, precision: Precision, mean: f64, minimum: f64) {
    let Some(path) = model(name) else {
        return;
    };
    let encoder = open(&path, precision, 2);
    let references = references(name);
    let texts: Vec<&str> = references.iter().map(|row| row.text.as_str()).collect();
    let together = encoder.encode(&texts, Prefix::None).unwrap();
    let vectors = together.vectors.chunks_exact(encoder.dimensions());
    let mut cosines = Vec::new();
    for ((reference, vector), tokens) in references.iter().zip(vectors).zip(&together.tokens) {
        assert_eq!(*tokens, reference.tokens, "tokens of {:?}", reference.text);
        let alone = encoder.encode(&[&reference.text], Prefix::None).unwrap();
        assert_eq!(
            alone.vectors, vector,
            "alone and in a batch: {:?}",
            reference.text
        );
        cosines.push(cosine(vector, &reference.vector));
    }
    let least = cosines.iter().copied().fold(f64::INFINITY, f64::min);
    let average = cosines.iter().sum::<f64>() / cosines.len() as f64;
    eprintln!(
        "{name} {precision:?} {}: {average:.5} {least:.5}",
        encoder.cpu()
    );
    assert!(
        average >= mean && least >= minimum,
        "{name} in {precision:?} on {}: cosine {average:.6} on average and {least:.6} at least",
        encoder.cpu()
    );
}

#[test]
fn minilm_in_floats() {
    check("minilm", Precision::F32, 0.99999, 0.9999);
}

#[test]
fn minilm_in_two_bytes() {
    check("minilm", Precision::Bf16, 0.9995, 0.999);
}

#[test]
fn minilm_in_bytes() {
    check("minilm", Precision::Int8, 0.99, 0.98);
}

#[test]
fn e5_in_floats() {
    check("e5", Precision::F32, 0.999, 0.998);
}

#[test]
fn e5_in_bytes() {
    check("e5", Precision::Int8, 0.98, 0.96);
}

#[test]
fn the_number_of_threads_changes_no_vector() {
    let Some(path) = model("minilm") else {
        return;
    };
    let long = "a long text about a small lamp ".repeat(40);
    let texts = ["red mug", &long, "", "blue lamp with a shade of linen"];
    let one = open(&path, Precision::Int8, 1);
    let all = one.encode(&texts, Prefix::None).unwrap();
    for threads in [2, 3] {
        let more = open(&path, Precision::Int8, threads);
        let found = more.encode(&texts, Prefix::None).unwrap();
        assert_eq!(found.vectors, all.vectors);
        assert_eq!(found.tokens, all.tokens);
        // Few tokens are shared by all threads, in another way than many.
        for (text, vector) in texts.iter().zip(all.vectors.chunks_exact(one.dimensions())) {
            let alone = more.encode(&[text], Prefix::None).unwrap();
            assert_eq!(alone.vectors, vector, "{threads} threads, {text:?}");
        }
    }
}

#[test]
fn whatever_the_text_the_vector_has_length_one() {
    let long = "word ".repeat(20_000);
    let emoji = "👩‍👩‍👧".repeat(1000);
    let texts = [
        "",
        " \t\n ",
        "\u{0}\u{1b}\u{7f}",
        "🦀",
        &long,
        &emoji,
        "ﬁ①Ａ",
        "\u{202e}abc",
    ];
    for name in ["minilm", "e5"] {
        let Some(path) = model(name) else {
            return;
        };
        let encoder = open(&path, Precision::Int8, 2);
        let encoded = encoder.encode(&texts, Prefix::Passage).unwrap();
        for vector in encoded.vectors.chunks_exact(encoder.dimensions()) {
            assert!((cosine(vector, vector) - 1.0).abs() < 1e-6);
            let length: f64 = vector.iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
            assert!((length - 1.0).abs() < 1e-4, "{length}");
        }
        assert!(
            encoded
                .tokens
                .iter()
                .all(|&tokens| tokens <= encoder.max_tokens())
        );
    }
}

#[test]
fn windows_read_the_whole_of_a_long_text() {
    let Some(path) = model("minilm") else {
        return;
    };
    let options = Options {
        precision: Precision::F32,
        threads: 2,
        long_text: LongText::Window,
    };
    let windows = Encoder::open(&path, options).unwrap();
    let text = format!(
        "{} a violin made of maple",
        "the garden has roses. ".repeat(80)
    );
    let whole = windows.encode(&[&text], Prefix::None).unwrap();
    let cut = open(&path, Precision::F32, 2)
        .encode(&[&text], Prefix::None)
        .unwrap();
    assert!(whole.tokens[0] > 400 && cut.tokens[0] == windows.max_tokens());
    let violin = windows
        .encode(&["a violin made of maple"], Prefix::None)
        .unwrap();
    assert!(cosine(&whole.vectors, &violin.vectors) > cosine(&cut.vectors, &violin.vectors));
}
