//! `vitrine bench search`: full HTTP round trips of searches.
//!
//! One keep-alive connection asks every query a number of times, the next only after the
//! answer to the last. A first round, not measured, warms the caches. With `--hybrid` each
//! text is asked twice, by words and by words and meaning, and no text comes in two rounds, so
//! that nothing but work makes the figure. With `--items` the catalogue is as large as one likes.

use super::scaled::Scaled;
use super::wire::{Connection, post};
use crate::hosted::Hosted;
use crate::memory::resident_mebibytes;
use crate::outcome::Outcome;
use crate::output::Format;
use crate::progress;
use crate::quantiles::Quantiles;
use crate::trial::{FoundBy, INDEX, Trial};
use anyhow::{Context as _, bail};
use eval::{QueryLine, read_queries};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::time::Instant;

/// What the answer to a search by meaning has, and no other.
const MARK_OF_MEANING: &[u8] = b"\"semanticHitCount\"";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The catalogue: JSON, NDJSON or CSV, also gzipped.
    #[arg(long, value_name = "FILE")]
    products: String,
    /// Tab-separated with the header `query_id query`.
    #[arg(long, value_name = "FILE")]
    queries: PathBuf,
    /// How often every query is asked.
    #[arg(long, value_name = "N", default_value_t = 10)]
    repeat: usize,
    /// Hits asked for.
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Ask every text by meaning as well, in turns with words: from 0, words alone, to 1, meaning
    /// alone; without a number the query decides. From the second round on a text is the query
    /// with the last word of another behind, so that none comes twice.
    #[arg(long, value_name = "RATIO", num_args = 0..=1, require_equals = true)]
    hybrid: Option<Option<f32>>,
    /// Search so many items made from the titles of the catalogue instead, each with a title, a
    /// brand, a price and a vector. The time of a search by meaning has the encoding of its text.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    items: Option<u32>,
    /// Where the index of `--items` is kept: made by the first run, searched by all.
    #[arg(long, value_name = "DIR", requires = "items")]
    keep: Option<PathBuf>,
    /// Count the values of these attributes as well; may be repeated.
    #[arg(long, value_name = "ATTRIBUTE")]
    facet: Vec<String>,
    #[command(flatten)]
    format: Format,
}

#[derive(Serialize)]
struct Answer {
    products: u64,
    queries: usize,
    #[serde(flatten)]
    words: RoundTrips,
    #[serde(skip_serializing_if = "Option::is_none")]
    hybrid: Option<RoundTrips>,
    /// Memory in use after all searches, with the mapped files and the load generator; only
    /// Linux tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    resident_mib: Option<u64>,
}

#[derive(Serialize)]
struct RoundTrips {
    requests: usize,
    /// Milliseconds from the first byte sent to the last byte received.
    #[serde(flatten)]
    millis: Quantiles,
    requests_per_second: f64,
}

/// Prints the quantiles.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let file = File::open(&args.queries)
        .with_context(|| format!("cannot open {}", args.queries.display()))?;
    let queries = read_queries(BufReader::new(file))
        .with_context(|| format!("cannot use {}", args.queries.display()))?;
    if queries.is_empty() {
        bail!("{} has no query", args.queries.display());
    }
    let found_by = match args.hybrid {
        Some(_) => FoundBy::Meaning,
        None => FoundBy::Words,
    };
    let (scaled, trial);
    let (engine, products, encoder) = match args.items {
        Some(items) => {
            scaled = Scaled::of(&args.products, items, args.keep.as_deref())?;
            (&scaled.trial.engine, scaled.trial.products, Some(&scaled))
        }
        None => {
            trial = Trial::of(&args.products, found_by)?;
            (&trial.engine, trial.products, None)
        }
    };
    let hosted = Hosted::start(engine.clone())?;
    let measured = measure(&args, &hosted, &queries, encoder);
    let resident_mib = resident_mebibytes();
    hosted.stop()?;
    let measured = measured?;
    let answer = Answer {
        products,
        queries: queries.len(),
        words: RoundTrips::of(measured.words),
        hybrid: args.hybrid.map(|_| RoundTrips::of(measured.hybrid)),
        resident_mib,
    };
    args.format.print(&answer, render)?;
    Ok(Outcome::Fine)
}

impl RoundTrips {
    fn of(millis: Vec<f64>) -> Self {
        let seconds: f64 = millis.iter().sum::<f64>() / 1e3;
        Self {
            requests: millis.len(),
            requests_per_second: (millis.len() as f64 / seconds).round(),
            millis: Quantiles::of(millis),
        }
    }
}

/// Milliseconds of every request.
#[derive(Default)]
struct Measured {
    words: Vec<f64>,
    hybrid: Vec<f64>,
}

fn measure(
    args: &Args,
    hosted: &Hosted,
    queries: &[QueryLine],
    encoder: Option<&Scaled>,
) -> anyhow::Result<Measured> {
    let rounds = match args.hybrid {
        Some(_) => distinct_rounds(queries, args.repeat),
        None => vec![texts(queries, 0); args.repeat + 1],
    };
    let mut asker = Asker {
        connection: Connection::open(hosted.address())?,
        path: format!("/indexes/{INDEX}/search"),
        args,
        encoder,
    };
    let mut measured = Measured::default();
    let bar = progress::count("search", args.repeat as u64);
    for (round, texts) in rounds.iter().enumerate() {
        for (place, text) in texts.iter().enumerate() {
            // In turns each is the first, which finds the words of the text cold.
            let (words, hybrid) = match (args.hybrid, place % 2) {
                (None, _) => (asker.words(text)?, None),
                (Some(ratio), 0) => {
                    let words = asker.words(text)?;
                    (words, Some(asker.hybrid(text, ratio)?))
                }
                (Some(ratio), _) => {
                    let hybrid = asker.hybrid(text, ratio)?;
                    (asker.words(text)?, Some(hybrid))
                }
            };
            if round > 0 {
                measured.words.push(words);
                measured.hybrid.extend(hybrid);
            }
        }
        bar.set_position(round as u64);
    }
    bar.finish_and_clear();
    Ok(measured)
}

/// Rounds of texts of which none comes twice, the first for warming up. The second has the
/// queries as they are.
fn distinct_rounds(queries: &[QueryLine], repeat: usize) -> Vec<Vec<String>> {
    // The real queries are the first to be taken, whatever else would be like one of them.
    let mut taken: HashSet<String> = texts(queries, 0).into_iter().collect();
    let real: Vec<String> = {
        let mut seen = HashSet::new();
        let all = texts(queries, 0).into_iter();
        all.filter(|text| seen.insert(text.clone())).collect()
    };
    let mut rounds: Vec<Vec<String>> = Vec::with_capacity(repeat + 1);
    for offset in 1..=repeat {
        let mut texts = texts(queries, offset);
        texts.retain(|text| taken.insert(text.clone()));
        rounds.push(texts);
    }
    let warm_up = rounds.pop().unwrap_or_default();
    let mut all = vec![warm_up, real];
    all.extend(rounds);
    all
}

/// The queries, each with the last word of the one so far behind it.
fn texts(queries: &[QueryLine], offset: usize) -> Vec<String> {
    let with_another = |(place, query): (usize, &QueryLine)| {
        let other = queries.get((place + offset) % queries.len());
        let word = other.and_then(|other| other.text.split_whitespace().last());
        match word.filter(|_| offset > 0) {
            Some(word) => format!("{} {word}", query.text),
            None => query.text.clone(),
        }
    };
    queries.iter().enumerate().map(with_another).collect()
}

/// One connection that asks.
struct Asker<'a> {
    connection: Connection,
    path: String,
    args: &'a Args,
    /// What makes the vectors of queries, where the server does not.
    encoder: Option<&'a Scaled>,
}

impl Asker<'_> {
    fn words(&mut self, text: &str) -> anyhow::Result<f64> {
        let body = self.body(text);
        Ok(self.ask(Instant::now(), &body)?.0)
    }

    fn hybrid(&mut self, text: &str, ratio: Option<f32>) -> anyhow::Result<f64> {
        let hybrid = match ratio {
            Some(ratio) => json!({ "semanticRatio": ratio }),
            None => json!({}),
        };
        let mut body = self.body(text);
        body["hybrid"] = hybrid;
        let started = Instant::now();
        if let Some(encoder) = self.encoder {
            body["vector"] = json!(encoder.encode(text)?);
        }
        let (millis, is_by_meaning) = self.ask(started, &body)?;
        if !is_by_meaning {
            bail!("the server answered a search by meaning with words alone");
        }
        Ok(millis)
    }

    fn body(&self, text: &str) -> Value {
        let mut body = json!({"q": text, "limit": self.args.limit});
        if !self.args.facet.is_empty() {
            body["facets"] = json!(self.args.facet);
        }
        body
    }

    /// The milliseconds until an answer is there, and whether meaning took part.
    fn ask(&mut self, started: Instant, body: &Value) -> anyhow::Result<(f64, bool)> {
        let request = post(&self.path, body.to_string().as_bytes());
        let reply = self.connection.exchange(&request)?;
        let millis = started.elapsed().as_secs_f64() * 1e3;
        if reply.status != 200 {
            bail!(
                "the server answered a search with status {}: {}",
                reply.status,
                String::from_utf8_lossy(reply.body)
            );
        }
        let mut parts = reply.body.windows(MARK_OF_MEANING.len());
        Ok((millis, parts.any(|part| part == MARK_OF_MEANING)))
    }
}

fn render(answer: &Answer) -> String {
    let line = |trips: &RoundTrips| {
        format!(
            "{} requests: {}, {} a second",
            trips.requests, trips.millis, trips.requests_per_second
        )
    };
    let mut text = format!(
        "{} queries over {} products\nwords   {}",
        answer.queries,
        answer.products,
        line(&answer.words)
    );
    if let Some(hybrid) = &answer.hybrid {
        text.push_str(&format!("\nhybrid  {}", line(hybrid)));
    }
    if let Some(mebibytes) = answer.resident_mib {
        text.push_str(&format!("\n{mebibytes} MiB in memory"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queries(texts: &[&str]) -> Vec<QueryLine> {
        let line = |(place, text): (usize, &&str)| QueryLine {
            id: place.to_string(),
            text: (*text).to_owned(),
        };
        texts.iter().enumerate().map(line).collect()
    }

    #[test]
    fn no_text_comes_in_two_rounds_and_the_queries_are_measured() {
        let queries = queries(&["red mug", "lamp", "mug lamp", "lamp"]);
        let rounds = distinct_rounds(&queries, 3);
        assert_eq!(rounds.len(), 4);
        assert_eq!(rounds[1], ["red mug", "lamp", "mug lamp"]);
        assert_eq!(rounds[2][0], "red mug lamp");
        let all: Vec<&String> = rounds.iter().flatten().collect();
        let distinct: HashSet<&String> = all.iter().copied().collect();
        assert_eq!(all.len(), distinct.len(), "{rounds:?}");
    }
}
