//! `vitrine bench search`: full HTTP round trips of searches.
//!
//! One keep-alive connection asks every query a number of times, the next only after
//! the answer to the last. A first round, not measured, warms the caches.

use super::wire::{Connection, post};
use crate::feed::{DocumentsFeed, Input, Refusals, Sink};
use crate::hosted::Hosted;
use crate::outcome::Outcome;
use crate::output::Format;
use crate::progress;
use crate::quantiles::Quantiles;
use anyhow::{Context as _, bail};
use domain::IndexUid;
use engine::{Engine, Learn, OpenOptions, WriteMode};
use eval::{QueryLine, read_queries};
use serde::Serialize;
use serde_json::json;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::time::Instant;

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
    #[command(flatten)]
    format: Format,
}

#[derive(Serialize)]
struct Answer {
    products: u64,
    queries: usize,
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
    let queries = read_queries(BufReader::new(file))?;
    if queries.is_empty() {
        bail!("{} has no query", args.queries.display());
    }
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let engine = Engine::open(
        folder.path(),
        OpenOptions {
            learn: Learn::AtClose,
            encoders: None,
        },
    )?;
    let products = ingest(&engine, &args.products)?;
    let hosted = Hosted::start(engine)?;
    let measured = measure(&args, &hosted, &queries);
    hosted.stop()?;
    let millis = measured?;
    let seconds: f64 = millis.iter().sum::<f64>() / 1e3;
    let answer = Answer {
        products,
        queries: queries.len(),
        requests: millis.len(),
        requests_per_second: (millis.len() as f64 / seconds).round(),
        millis: Quantiles::of(millis),
    };
    args.format.print(&answer, |answer| {
        format!(
            "{} requests of {} queries over {} products: {}, {} a second",
            answer.requests,
            answer.queries,
            answer.products,
            answer.millis,
            answer.requests_per_second
        )
    })?;
    Ok(Outcome::Fine)
}

const INDEX: &str = "bench";

fn ingest(engine: &Engine, products: &str) -> anyhow::Result<u64> {
    let sink = Sink::Local(engine.clone());
    let uid = IndexUid::new(INDEX)?;
    let mut feed = DocumentsFeed::new(&sink, uid, None, WriteMode::Replace, Refusals::first_ones());
    feed.send(Input::open(products, None)?, |_| true)?;
    let report = feed.finish()?;
    match report.failures.first() {
        Some(failure) => bail!("{}", failure.message),
        None => Ok(report.added),
    }
}

fn measure(args: &Args, hosted: &Hosted, queries: &[QueryLine]) -> anyhow::Result<Vec<f64>> {
    let mut connection = Connection::open(hosted.address())?;
    let requests: Vec<Vec<u8>> = queries
        .iter()
        .map(|query| {
            let body = json!({"q": query.text, "limit": args.limit}).to_string();
            post(&format!("/indexes/{INDEX}/search"), body.as_bytes())
        })
        .collect();
    let mut millis = Vec::with_capacity(requests.len() * args.repeat);
    let bar = progress::count("search", args.repeat as u64);
    for round in 0..=args.repeat {
        for request in &requests {
            let started = Instant::now();
            let status = connection.exchange(request)?.status;
            let elapsed = started.elapsed().as_secs_f64() * 1e3;
            if status != 200 {
                bail!("the server answered a search with status {status}");
            }
            if round > 0 {
                millis.push(elapsed);
            }
        }
        bar.set_position(round as u64);
    }
    bar.finish_and_clear();
    Ok(millis)
}
