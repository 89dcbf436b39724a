//! `vitrine eval search`: searches a temporary index and compares with judgements.
//!
//! The index has the settings of any new index and guessed roles, so that the figures
//! are what a shop gets without turning a knob.

use crate::feed::{DocumentsFeed, Input, Refusals, Sink};
use crate::outcome::Outcome;
use crate::output::Format;
use crate::progress;
use crate::quantiles::Quantiles;
use anyhow::{Context as _, bail};
use domain::IndexUid;
use engine::{Engine, Hybrid, IndexReader, Learn, OpenOptions, SearchRequest, WriteMode};
use eval::{QueryLine, RelevanceReport, read_qrels, read_queries};
use serde::Serialize;
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// How deep the ranking is looked at.
const DEPTH: usize = 100;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The catalogue: JSON, NDJSON or CSV, also gzipped.
    #[arg(long, value_name = "FILE")]
    products: String,
    /// Tab-separated with the header `query_id query`.
    #[arg(long, value_name = "FILE")]
    queries: PathBuf,
    /// Tab-separated with the header `query_id product_id rating` (or `gain`).
    #[arg(long, value_name = "FILE")]
    qrels: PathBuf,
    /// What finds the products.
    #[arg(long, default_value = "words")]
    mode: Mode,
    /// Only the first so many queries.
    #[arg(long, value_name = "N")]
    limit_queries: Option<usize>,
    #[command(flatten)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
enum Mode {
    /// Words alone.
    Words,
    /// Vectors alone.
    Meaning,
    /// Both, with the weight that is derived from the query.
    Hybrid,
}

impl Mode {
    fn hybrid(self) -> Option<Hybrid> {
        let ratio = match self {
            Self::Words => return None,
            Self::Meaning => Some(1.0),
            Self::Hybrid => None,
        };
        let embedder = None;
        Some(Hybrid { embedder, ratio })
    }
}

#[derive(Serialize)]
struct Answer {
    mode: Mode,
    #[serde(rename = "ndcg@10")]
    ndcg_10: f64,
    #[serde(rename = "ndcg_judged@10")]
    ndcg_judged_10: f64,
    #[serde(rename = "recall@100")]
    recall_100: f64,
    products: u64,
    /// Queries that were run.
    queries: usize,
    /// Those among them with a positive judgement: the means are over these.
    queries_with_positive: usize,
    /// Milliseconds of one search in the engine.
    latency_ms: Quantiles,
    index_seconds: f64,
}

/// Prints the figures.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let mut queries = read_queries(open(&args.queries)?)
        .with_context(|| format!("cannot use {}", args.queries.display()))?;
    queries.truncate(args.limit_queries.unwrap_or(usize::MAX));
    let qrels = read_qrels(open(&args.qrels)?)
        .with_context(|| format!("cannot use {}", args.qrels.display()))?;
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let started = Instant::now();
    let (engine, products) = index(folder.path(), &args)?;
    let index_seconds = started.elapsed().as_secs_f64();
    let reader = engine.index(INDEX)?;
    let (rankings, millis) = search_all(&reader, &queries, args.mode)?;
    let ranked = queries
        .iter()
        .zip(&rankings)
        .map(|(query, ids)| (query.id.as_str(), ids.as_slice()));
    let report: RelevanceReport = eval::relevance(ranked, &qrels);
    engine.close();
    let answer = Answer {
        mode: args.mode,
        ndcg_10: report.ndcg_10,
        ndcg_judged_10: report.ndcg_judged_10,
        recall_100: report.recall_100,
        products,
        queries: queries.len(),
        queries_with_positive: report.queries,
        latency_ms: Quantiles::of(millis),
        index_seconds,
    };
    args.format.print(&answer, render)?;
    Ok(Outcome::of(report.queries > 0))
}

const INDEX: &str = "eval";

fn open(path: &Path) -> anyhow::Result<impl BufRead> {
    Ok(BufReader::new(File::open(path).with_context(|| {
        format!("cannot open {}", path.display())
    })?))
}

/// A temporary index over the products; gives their number.
fn index(folder: &Path, args: &Args) -> anyhow::Result<(Engine, u64)> {
    let products = &args.products;
    let input = Input::open(products, None)?;
    let has_meaning = !matches!(args.mode, Mode::Words);
    let engine = Engine::open(
        folder,
        OpenOptions {
            learn: Learn::AtClose,
            encoders: has_meaning.then(|| crate::folder::encoders(None)),
        },
    )?;
    let sink = Sink::Local(engine.clone());
    let uid = IndexUid::new(INDEX)?;
    let mut feed = DocumentsFeed::new(&sink, uid, None, WriteMode::Replace, Refusals::first_ones());
    feed.send(input, |_| true)?;
    let report = feed.finish()?;
    if let Some(failure) = report.failures.first() {
        bail!("{}", failure.message);
    }
    if report.added == 0 {
        bail!("{products} has no product that can be indexed");
    }
    if has_meaning {
        engine.catch_up_meaning(INDEX)?;
        let faults = engine.index(INDEX)?.stats()?.meaning.faults;
        if let Some(why) = faults.values().next() {
            bail!("{why}");
        }
    }
    Ok((engine, report.added))
}

/// The ids each query finds, and the milliseconds it took.
fn search_all(
    reader: &IndexReader,
    queries: &[QueryLine],
    mode: Mode,
) -> anyhow::Result<(Vec<Vec<String>>, Vec<f64>)> {
    let key = reader
        .info()?
        .primary_key
        .context("the index has no primary key")?;
    let bar = progress::count("search", queries.len() as u64);
    let mut rankings = Vec::with_capacity(queries.len());
    let mut millis = Vec::with_capacity(queries.len());
    for query in queries {
        let request = SearchRequest {
            q: query.text.clone(),
            limit: DEPTH,
            retrieve: Some(vec![key.clone()]),
            hybrid: mode.hybrid(),
            ..SearchRequest::default()
        };
        let started = Instant::now();
        let answer = reader.search(&request)?;
        millis.push(started.elapsed().as_secs_f64() * 1e3);
        let mut ids = Vec::with_capacity(answer.hits.len());
        for hit in &answer.hits {
            let document: Value = serde_json::from_str(hit.document.get())?;
            ids.push(match document.get(&key) {
                Some(Value::String(id)) => id.clone(),
                Some(other) => other.to_string(),
                None => bail!("a hit came without its primary key `{key}`"),
            });
        }
        rankings.push(ids);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok((rankings, millis))
}

fn render(answer: &Answer) -> String {
    format!(
        "{} products, {} queries, {} of them with a positive judgement\n\
         ndcg@10 {:.4}  ndcg_judged@10 {:.4}  recall@100 {:.4}\n\
         search {}",
        answer.products,
        answer.queries,
        answer.queries_with_positive,
        answer.ndcg_10,
        answer.ndcg_judged_10,
        answer.recall_100,
        answer.latency_ms
    )
}
