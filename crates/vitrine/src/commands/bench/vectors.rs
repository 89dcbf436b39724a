//! `vitrine bench vectors`: the source of neighbours at the size of a large shop.
//!
//! There are few catalogues with a million products, and encoding that many titles takes a
//! quarter of an hour. So the items are made from the titles of a smaller catalogue, by mixing
//! their vectors or, with `--encode`, by encoding texts of parts of them. Queries are real. What
//! the graph finds is compared with an exact scan.

mod asked;

use super::made::{self, Items, Titles};
use crate::commands::encode::ModelArgs;
use crate::memory::resident_mebibytes;
use crate::outcome::Outcome;
use crate::output::Format;
use crate::progress;
use crate::table::Table;
use anyhow::{Context as _, bail};
use asked::Asked;
use encode::{Encoder, LongText, Prefix};
use engine::ModelFolders;
use eval::read_queries;
use serde::Serialize;
use std::fs::{self, File};
use std::io::BufReader;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;
use vector::{GraphOptions, VectorStore};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A catalogue whose titles the items are made of: JSON, NDJSON or CSV, also gzipped.
    #[arg(long, value_name = "FILE")]
    products: String,
    /// Tab-separated with the header `query_id query`.
    #[arg(long, value_name = "FILE")]
    queries: PathBuf,
    /// Items that are searched.
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    items: u32,
    /// Encode a text for each item, made of parts of two titles, instead of mixing two vectors.
    #[arg(long)]
    encode: bool,
    /// Chooses the titles that make an item.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Where vectors and graph are kept: made by the first run, searched by all. They may be
    /// those of an index that `bench search --keep` has made. A temporary folder otherwise.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    format: Format,
}

#[derive(Serialize)]
struct Answer {
    items: u32,
    /// How those beyond the titles were made.
    made: &'static str,
    titles: usize,
    queries: usize,
    dimensions: usize,
    threads: usize,
    seed: u64,
    /// Making the vectors, writing them and making them durable; absent where they were kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    items_seconds: Option<f64>,
    /// Building the graph, writing it and publishing it; absent where it was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    graph_seconds: Option<f64>,
    rows_bytes: u64,
    graph_bytes: u64,
    /// Memory in use after all searches, with the mapped files; only Linux tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    resident_mib: Option<u64>,
    asked: Vec<Asked>,
}

/// Prints the figures.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let queries = File::open(&args.queries)
        .with_context(|| format!("cannot open {}", args.queries.display()))?;
    let queries = read_queries(BufReader::new(queries))
        .with_context(|| format!("cannot use {}", args.queries.display()))?;
    if queries.is_empty() {
        bail!("{} has no query", args.queries.display());
    }
    let titles = made::titles(&args.products)?;
    let encoder = args
        .model
        .open(&ModelFolders::of_environment(None), LongText::Cut)?;
    let texts: Vec<&str> = queries.iter().map(|query| query.text.as_str()).collect();
    let asked = encoder.encode(&texts, Prefix::Query)?.vectors;
    let titles = Titles::encode(titles, &encoder)?;

    let temporary = tempfile::tempdir().context("cannot make a folder for the vectors")?;
    let folder = args.keep.as_deref().unwrap_or(temporary.path());
    let (count, dimensions) = (titles.len(), encoder.dimensions());
    let threads = args.model.threads();
    let (mut store, items_seconds) = match bytes_of(folder, "rows.") {
        Ok(1..) => (VectorStore::open(folder, dimensions, args.items)?, None),
        _ => {
            let (store, seconds) = fill(&args, folder, titles, encoder)?;
            (store, Some(seconds))
        }
    };
    let is_built = store.reader().graph_slots() == args.items;
    let graph_seconds = match is_built {
        true => None,
        false => Some(build_graph(&mut store, threads)?),
    };
    let rows = asked::ask_all(&store.reader(), &asked)?;
    let answer = Answer {
        items: args.items,
        made: if args.encode { "encoded" } else { "mixed" },
        titles: count,
        queries: queries.len(),
        dimensions,
        threads,
        seed: args.seed,
        items_seconds,
        graph_seconds,
        rows_bytes: bytes_of(folder, "rows.")?,
        graph_bytes: bytes_of(folder, "graph.")?,
        resident_mib: resident_mebibytes(),
        asked: rows,
    };
    args.format.print(&answer, render)?;
    Ok(Outcome::Fine)
}

/// Makes the items; gives the store that holds them and the seconds. Model and titles are
/// dropped, so that the memory measured later is that of the vectors.
fn fill(
    args: &Args,
    folder: &Path,
    titles: Titles,
    encoder: Encoder,
) -> anyhow::Result<(VectorStore, f64)> {
    let started = Instant::now();
    let mut store = VectorStore::open(folder, encoder.dimensions(), 0)?;
    let encoder = args.encode.then_some(encoder);
    let mut items = Items::new(titles, encoder, args.seed);
    let bar = progress::count("make items", u64::from(args.items));
    while let Some(block) = items.block(args.items)? {
        store.append(&block.vectors)?;
        bar.set_position(u64::from(items.made()));
    }
    store.flush()?;
    bar.finish_and_clear();
    Ok((store, started.elapsed().as_secs_f64()))
}

fn build_graph(store: &mut VectorStore, threads: usize) -> anyhow::Result<f64> {
    let started = Instant::now();
    let vectors = store.reader();
    let bar = progress::count("build graph", u64::from(vectors.len()));
    let built = vectors.build_graph(
        &GraphOptions::new(threads),
        |_| true,
        |done| {
            bar.set_position(u64::from(done));
            ControlFlow::Continue(())
        },
    )?;
    store.publish(built.context("the graph was not finished")?)?;
    bar.finish_and_clear();
    Ok(started.elapsed().as_secs_f64())
}

/// Bytes of the files whose names begin so.
fn bytes_of(folder: &Path, beginning: &str) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(beginning) {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}

fn render(answer: &Answer) -> String {
    let mut table = Table::new(&[
        "matching",
        "nearest",
        "recall",
        "of first 10",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "scan p50",
        "scan p95",
        "a search takes",
    ]);
    for asked in &answer.asked {
        let millis = |value: f64| format!("{value:.3}");
        table.row(vec![
            asked.matching.to_string(),
            asked.nearest.to_string(),
            format!("{:.4}", asked.recall),
            format!("{:.4}", asked.recall_of_ten),
            millis(asked.graph_ms.p50),
            millis(asked.graph_ms.p95),
            millis(asked.graph_ms.p99),
            millis(asked.scan_ms.p50),
            millis(asked.scan_ms.p95),
            asked.chosen.to_owned(),
        ]);
    }
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    let seconds = |seconds: Option<f64>| match seconds {
        Some(seconds) => format!("in {seconds:.1} s"),
        None => "before".to_owned(),
    };
    let mut text = format!(
        "{} items of {} titles, {}, {} dimensions, {} queries, {} threads\n\
         made {}, graph built {}; {:.1} MB of rows, {:.1} MB of graph",
        answer.items,
        answer.titles,
        answer.made,
        answer.dimensions,
        answer.queries,
        answer.threads,
        seconds(answer.items_seconds),
        seconds(answer.graph_seconds),
        megabytes(answer.rows_bytes),
        megabytes(answer.graph_bytes),
    );
    if let Some(mebibytes) = answer.resident_mib {
        text.push_str(&format!(", {mebibytes} MiB in memory"));
    }
    format!("{text}\n{}", table.render())
}
