//! `vitrine bench encode`: how fast a model turns texts into vectors.
//!
//! The procedure and the fields are those of the script that measures ONNX Runtime: a first
//! batch to warm up, all texts in batches from short to long, then up to 200 single texts,
//! tokenisation included. With reference vectors it tells how close ours are.

mod reference;

use crate::commands::encode::{ModelArgs, PrefixName};
use crate::memory::resident_mebibytes;
use crate::outcome::Outcome;
use crate::output::Format;
use anyhow::{Context as _, bail};
use encode::{Encoder, LongText, Precision, Prefix};
use engine::ModelFolders;
use reference::Agreement;
use serde::Serialize;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Single texts that are timed.
const SINGLES: usize = 200;
/// Tokens of a short text, a query's, the special ones among them.
const SHORT: usize = 16;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Texts, one a line; of a `.jsonl` file the field `title`.
    #[arg(long, value_name = "FILE")]
    texts: PathBuf,
    #[command(flatten)]
    model: ModelArgs,
    /// Texts in one call.
    #[arg(long, value_name = "N", default_value_t = 64)]
    batch: usize,
    /// The words that the model wants before a text, where it has any.
    #[arg(long, value_name = "KIND", default_value = "none")]
    prefix: PrefixName,
    /// Lines of JSON with `prefix`, `text`, `tokens` and `embedding` to compare with.
    #[arg(long, value_name = "FILE")]
    reference: Option<PathBuf>,
    #[command(flatten)]
    format: Format,
}

#[derive(Serialize)]
struct Answer {
    peer: String,
    threads: usize,
    texts: usize,
    tokens: usize,
    seconds: f64,
    texts_per_s: f64,
    tokens_per_s: f64,
    single_ms_p50: f64,
    /// Of single texts with 16 tokens; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    short_ms_p50: Option<f64>,
    /// Milliseconds until the model was open.
    load_ms: f64,
    /// Memory in use after all texts; only Linux tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    resident_mib: Option<u64>,
    precision: &'static str,
    /// The set of instructions.
    cpu: &'static str,
    #[serde(flatten)]
    agreement: Option<Agreement>,
}

/// Prints the figures.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    if args.batch == 0 {
        bail!("--batch must be 1 or more");
    }
    let texts = read(&args.texts)?;
    let reference = args.reference.as_deref().map(reference::read).transpose()?;
    let started = Instant::now();
    let encoder = args
        .model
        .open(&ModelFolders::of_environment(None), LongText::Cut)?;
    let load_ms = millis(started);
    let prefix = args.prefix.into();
    let Bulk {
        tokens,
        seconds,
        short,
    } = bulk(&encoder, &texts, args.batch, prefix)?;
    let step = (texts.len() / SINGLES).max(1);
    let single_ms_p50 = singles(
        &encoder,
        texts.iter().step_by(step).map(String::as_str),
        prefix,
    )?;
    let short_ms_p50 = match short.is_empty() {
        true => None,
        false => Some(singles(&encoder, short.into_iter(), prefix)?),
    };
    let precision = name(args.model.precision.into());
    let answer = Answer {
        peer: format!("vitrine {} {precision}", env!("CARGO_PKG_VERSION")),
        threads: args.model.threads(),
        texts: texts.len(),
        tokens,
        seconds: rounded(seconds, 3),
        texts_per_s: rounded(texts.len() as f64 / seconds, 1),
        tokens_per_s: rounded(tokens as f64 / seconds, 0),
        single_ms_p50: rounded(single_ms_p50, 3),
        short_ms_p50: short_ms_p50.map(|short| rounded(short, 3)),
        load_ms: rounded(load_ms, 1),
        resident_mib: resident_mebibytes(),
        precision,
        cpu: encoder.cpu(),
        agreement: reference
            .map(|rows| reference::compare(&encoder, &rows))
            .transpose()?,
    };
    args.format.print(&answer, render)?;
    Ok(Outcome::Fine)
}

/// The texts of a file; a line end inside a title would make two texts of it elsewhere.
fn read(path: &Path) -> anyhow::Result<Vec<String>> {
    let content =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let is_json = path.extension().is_some_and(|ending| ending == "jsonl");
    let mut texts = Vec::new();
    for (place, line) in content.lines().enumerate() {
        if !is_json {
            texts.push(line.to_owned());
            continue;
        }
        let row: Value = serde_json::from_str(line)
            .with_context(|| format!("line {} of {} is no JSON", place + 1, path.display()))?;
        let Some(title) = row.get("title").and_then(Value::as_str) else {
            bail!("line {} of {} has no `title`", place + 1, path.display());
        };
        texts.push(title.replace(['\n', '\r'], " "));
    }
    if texts.is_empty() {
        bail!("{} has no text", path.display());
    }
    Ok(texts)
}

/// What came of all texts.
struct Bulk<'t> {
    tokens: usize,
    seconds: f64,
    /// The texts of [`SHORT`] tokens.
    short: Vec<&'t str>,
}

/// Encodes all texts from short to long.
fn bulk<'t>(
    encoder: &Encoder,
    texts: &'t [String],
    batch: usize,
    prefix: Prefix,
) -> anyhow::Result<Bulk<'t>> {
    let first: Vec<&str> = texts.iter().take(batch).map(String::as_str).collect();
    encoder.encode(&first, prefix)?;
    let mut order: Vec<(usize, &str)> = texts
        .iter()
        .map(|text| (text.chars().count(), text.as_str()))
        .collect();
    order.sort_by_key(|(length, _)| *length);
    let order: Vec<&str> = order.into_iter().map(|(_, text)| text).collect();
    let started = Instant::now();
    let mut tokens = Vec::with_capacity(order.len());
    for batch in order.chunks(batch) {
        tokens.extend(encoder.encode(batch, prefix)?.tokens);
    }
    let seconds = started.elapsed().as_secs_f64();
    let short = order.iter().zip(&tokens);
    let short = short.filter(|(_, tokens)| **tokens == SHORT);
    Ok(Bulk {
        short: short.map(|(text, _)| *text).collect(),
        tokens: tokens.iter().sum(),
        seconds,
    })
}

/// Encodes the first of some texts one by one; gives the median in milliseconds.
fn singles<'t>(
    encoder: &Encoder,
    texts: impl Iterator<Item = &'t str>,
    prefix: Prefix,
) -> anyhow::Result<f64> {
    let mut taken = Vec::with_capacity(SINGLES);
    for text in texts.take(SINGLES) {
        let started = Instant::now();
        encoder.encode(&[text], prefix)?;
        taken.push(millis(started));
    }
    Ok(median(taken))
}

/// The middle, or the mean of the two in the middle.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let upper = values.get(values.len() / 2).copied().unwrap_or_default();
    let lower = values.len().saturating_sub(1) / 2;
    let lower = values.get(lower).copied().unwrap_or_default();
    f64::midpoint(lower, upper)
}

fn name(precision: Precision) -> &'static str {
    match precision {
        Precision::F32 => "f32",
        Precision::Bf16 => "bf16",
        Precision::Int8 => "int8",
    }
}

fn millis(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1e3
}

fn rounded(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}

fn render(answer: &Answer) -> String {
    let mut text = format!(
        "{} texts, {} tokens in {} s: {} texts/s, {} tokens/s; one text {} ms; {} threads, {}, {}; opened in {} ms",
        answer.texts,
        answer.tokens,
        answer.seconds,
        answer.texts_per_s,
        answer.tokens_per_s,
        answer.single_ms_p50,
        answer.threads,
        answer.precision,
        answer.cpu,
        answer.load_ms,
    );
    if let Some(short) = answer.short_ms_p50 {
        text.push_str(&format!("; one of {SHORT} tokens {short} ms"));
    }
    if let Some(mebibytes) = answer.resident_mib {
        text.push_str(&format!("; {mebibytes} MiB in use"));
    }
    if let Some(agreement) = &answer.agreement {
        text.push_str(&format!("\n{agreement}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_is_between_the_two() {
        assert_eq!(median(vec![4.0, 1.0, 3.0]), 3.0);
        assert_eq!(median(vec![4.0, 1.0, 3.0, 2.0]), 2.5);
        assert_eq!(median(Vec::new()), 0.0);
    }

    #[test]
    fn texts_are_lines_or_titles() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            fs::write(&path, text).expect("written");
            path
        };
        let plain = write("a.txt", "one\n\ntwo");
        assert_eq!(read(&plain).expect("texts"), ["one", "", "two"]);
        let titles = write("a.jsonl", "{\"title\": \"a\\nb\", \"x\": 1}\n");
        assert_eq!(read(&titles).expect("texts"), ["a b"]);
        let wrong = write("b.jsonl", "{\"title\": \"a\"}\n{\"name\": 1}\n");
        let message = read(&wrong).expect_err("no title").to_string();
        assert!(message.contains("line 2"), "{message}");
        assert!(read(&write("c.txt", "")).is_err());
    }
}
