//! `vitrine bench ingest`: from the first byte of a catalogue to the last document found.
//!
//! The file goes into a fresh folder in the way of `vitrine ingest`, and the clock stops
//! when every document is applied and can be searched. A catalogue that is multiplied, and
//! the bundled one, are written as NDJSON first, which is not measured.

use crate::commands::demo;
use crate::feed::{DocumentsFeed, Input, Refusals, Sink};
use crate::outcome::Outcome;
use crate::output::Format;
use crate::progress;
use anyhow::{Context as _, bail};
use domain::IndexUid;
use engine::{Engine, Learn, OpenOptions, SearchRequest, WriteMode};
use intake::{Map, Row};
use serde::Serialize;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The catalogue: JSON, NDJSON or CSV, also gzipped. The bundled shop otherwise.
    #[arg(long, value_name = "FILE")]
    products: Option<String>,
    /// The attribute that identifies a document; guessed otherwise.
    #[arg(long, value_name = "ATTRIBUTE")]
    primary_key: Option<String>,
    /// How often the catalogue is taken, each time under new ids.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    repeat: u64,
    /// Where the data folder is made: durability costs what this disk costs. A temporary one otherwise.
    #[arg(long, value_name = "DIR")]
    within: Option<PathBuf>,
    #[command(flatten)]
    format: Format,
}

#[derive(Serialize)]
struct Answer {
    /// Documents that were indexed.
    documents: u64,
    /// Rows that were not.
    refused: u64,
    repeat: u64,
    /// Millions of bytes of the catalogue, inflated.
    megabytes: f64,
    /// From the first byte read until all documents can be searched.
    seconds: f64,
    documents_per_second: f64,
    megabytes_per_second: f64,
}

/// Prints the rates; exit 2 when a search does not reach the documents that were indexed.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let folder = match &args.within {
        Some(within) => tempfile::tempdir_in(within),
        None => tempfile::tempdir(),
    };
    let folder = folder.context("cannot make a data folder")?;
    let catalogue = Catalogue::prepare(&args, folder.path())?;
    let engine = Engine::open(
        &folder.path().join("data"),
        OpenOptions {
            learn: Learn::AtClose,
            encoders: None,
        },
    )?;
    let measured = measure(&engine, &catalogue);
    engine.close();
    let Measured {
        documents,
        refused,
        seconds,
    } = measured?;
    let megabytes = catalogue.bytes as f64 / 1e6;
    let answer = Answer {
        documents,
        refused,
        repeat: args.repeat,
        megabytes,
        seconds,
        documents_per_second: (documents as f64 / seconds).round(),
        megabytes_per_second: (megabytes / seconds * 100.0).round() / 100.0,
    };
    args.format.print(&answer, |answer| {
        format!(
            "{} documents of {:.1} MB in {:.2} s: {} documents and {} MB a second; {} refused",
            answer.documents,
            answer.megabytes,
            answer.seconds,
            answer.documents_per_second,
            answer.megabytes_per_second,
            answer.refused
        )
    })?;
    Ok(Outcome::Fine)
}

const INDEX: &str = "bench";
/// Rows that are looked at to guess the primary key.
const SAMPLE: usize = 500;

struct Measured {
    documents: u64,
    refused: u64,
    seconds: f64,
}

fn measure(engine: &Engine, catalogue: &Catalogue) -> anyhow::Result<Measured> {
    let sink = Sink::Local(engine.clone());
    let uid = IndexUid::new(INDEX)?;
    let key = catalogue.primary_key.clone();
    sink.create_index(&uid, key.as_deref())?;
    let mut feed = DocumentsFeed::new(&sink, uid, key, WriteMode::Replace, Refusals::first_ones());
    let started = Instant::now();
    feed.send(Input::open(&catalogue.file, None)?, |_| true)?;
    let report = feed.finish()?;
    let seconds = started.elapsed().as_secs_f64();
    if let Some(failure) = report.failures.first() {
        bail!("{}", failure.message);
    }
    if let Some(broken) = report.refusals.broken.first() {
        bail!("not read to its end: {broken}");
    }
    let index = engine.index(INDEX)?;
    let stored = index.stats()?.documents;
    let everything = SearchRequest {
        limit: 1,
        ..SearchRequest::default()
    };
    let found = index.search(&everything)?.total as u64;
    if found != stored || stored > report.added || (stored == 0) != (report.added == 0) {
        bail!(
            "{} documents were indexed and {stored} are there, but a search reaches {found}",
            report.added
        );
    }
    Ok(Measured {
        documents: report.added,
        refused: report.refusals.count,
        seconds,
    })
}

/// What is going to be read while the clock runs.
struct Catalogue {
    file: String,
    /// Its bytes, inflated.
    bytes: u64,
    primary_key: Option<String>,
}

impl Catalogue {
    /// The file as it was given, or one written into the folder.
    fn prepare(args: &Args, folder: &Path) -> anyhow::Result<Self> {
        let (file, primary_key) = match &args.products {
            Some(file) if args.repeat == 1 => (file.clone(), args.primary_key.clone()),
            _ => {
                let key = id_attribute(args)?;
                (multiply(args, &key, folder)?, Some(key))
            }
        };
        let source = File::open(&file).with_context(|| format!("cannot open {file}"))?;
        let mut inflated = intake::open(source).with_context(|| format!("cannot read {file}"))?;
        let bytes = io::copy(&mut inflated, &mut io::sink())
            .with_context(|| format!("cannot read {file}"))?;
        Ok(Self {
            file,
            bytes,
            primary_key,
        })
    }
}

/// The rows of the catalogue once; those that cannot be read are left out.
fn rows(args: &Args) -> anyhow::Result<impl Iterator<Item = Map>> {
    let (input, keep): (Input, fn(&Row) -> bool) = match &args.products {
        Some(file) => (Input::open(file, None)?, |_| true),
        None => (demo::items()?, demo::is_product),
    };
    let good = input.rows.flatten();
    Ok(good.filter(keep).map(|row| row.object))
}

/// The attribute that has to differ between the copies.
fn id_attribute(args: &Args) -> anyhow::Result<String> {
    if let Some(key) = &args.primary_key {
        return Ok(key.clone());
    }
    if args.products.is_none() {
        return Ok(demo::PRIMARY_KEY.to_owned());
    }
    let sample: Vec<Map> = rows(args)?.take(SAMPLE).collect();
    intake::infer_primary_key(&sample.iter().collect::<Vec<_>>())
        .context("name the attribute with --primary-key")
}

/// Writes the catalogue as often as asked and gives the path of the file.
fn multiply(args: &Args, key: &str, folder: &Path) -> anyhow::Result<String> {
    let path = folder.join("catalogue.ndjson");
    let cannot_write = || format!("cannot write {}", path.display());
    let mut out = BufWriter::new(File::create_new(&path).with_context(cannot_write)?);
    let bar = progress::count("multiply", args.repeat);
    for copy in 0..args.repeat {
        for mut row in rows(args)? {
            if copy > 0 {
                rename(&mut row, key, copy);
            }
            serde_json::to_writer(&mut out, &row).with_context(cannot_write)?;
            out.write_all(b"\n").with_context(cannot_write)?;
        }
        bar.inc(1);
    }
    out.flush().with_context(cannot_write)?;
    bar.finish_and_clear();
    let path = path.to_str().context("the folder's name is not UTF-8")?;
    Ok(path.to_owned())
}

/// Gives a row the id of this copy.
fn rename(row: &mut Map, key: &str, copy: u64) {
    let id = match row.get(key) {
        Some(Value::String(id)) => format!("{id}-{copy}"),
        Some(Value::Number(id)) => format!("{id}-{copy}"),
        // It has no id that could be changed and is going to be refused.
        _ => return,
    };
    row.insert(key.to_owned(), json!(id));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_differ_by_their_ids_only() {
        let row = json!({"id": 7, "title": "mug"});
        let renamed = |key: &str| {
            let mut row = row.as_object().cloned().unwrap();
            rename(&mut row, key, 2);
            Value::Object(row)
        };
        assert_eq!(renamed("id"), json!({"id": "7-2", "title": "mug"}));
        assert_eq!(renamed("title"), json!({"id": 7, "title": "mug-2"}));
        assert_eq!(renamed("sku"), row);
    }
}
