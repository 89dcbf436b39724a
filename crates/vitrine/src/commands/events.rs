//! `vitrine events`: reads what shoppers did into an index.
//!
//! Columns of foreign files are mapped by their names, or as `--map` says. Loading a
//! file twice adds nothing.

use crate::feed::{EventsFeed, EventsReport, FormatName, Input, Refusals, Sink};
use crate::folder::FolderArgs;
use crate::outcome::Outcome;
use crate::output::Format;
use anyhow::{Context as _, bail};
use domain::IndexUid;
use intake::EventMapping;
use serde::Serialize;
use std::fmt::Write as _;
use std::time::Instant;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: FolderArgs,
    /// The index that the events belong to.
    #[arg(long, value_name = "UID")]
    index: String,
    /// Files of JSON, NDJSON or CSV, also gzipped; `-` is stdin.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// The format, when neither name nor content tells it.
    #[arg(long = "format", value_name = "FORMAT")]
    input_format: Option<FormatName>,
    /// Which column is what, e.g. `user=CustomerID,item=StockCode,time=InvoiceDate,kind:=purchase`.
    #[arg(long, value_name = "MAPPING")]
    map: Option<String>,
    /// List every refused row, not only the first ten.
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    format: Format,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    index: &'a str,
    read: u64,
    accepted: u64,
    duplicates: u64,
    unknown_items: u64,
    rejected: u64,
    rejected_rows: &'a [crate::feed::Refusal],
    /// Files that could not be read to their end.
    broken: &'a [String],
    mappings: &'a [EventMapping],
    seconds: f64,
}

/// Exit 1 when every row was rejected or a file broke off, 2 when nothing could be read.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let uid = IndexUid::new(args.index.clone())?;
    let mapping = args
        .map
        .as_deref()
        .map(EventMapping::parse)
        .transpose()
        .context("--map")?;
    let inputs = args
        .files
        .iter()
        .map(|file| Input::open(file, args.input_format));
    let inputs = inputs
        .collect::<anyhow::Result<Vec<_>>>()
        .context("nothing was changed")?;
    args.folder.must_exist()?;
    let sink = Sink::open(&args.folder)?;
    let report = feed(&args, &sink, &uid, mapping, inputs);
    sink.close();
    let report = report?;
    let refusals = &report.refusals;
    if report.accepted + report.duplicates == 0 && !refusals.broken.is_empty() {
        bail!("nothing could be read: {}", refusals.broken.join("; "));
    }
    let shown = Report {
        index: uid.as_str(),
        read: report.read,
        accepted: report.accepted,
        duplicates: report.duplicates,
        unknown_items: report.unknown_items,
        rejected: refusals.count,
        rejected_rows: &refusals.first,
        broken: &refusals.broken,
        mappings: &report.mappings,
        seconds: started.elapsed().as_secs_f64(),
    };
    args.format.print(&shown, |shown| render(shown, refusals))?;
    Ok(Outcome::of(
        report.accepted + report.duplicates > 0 && refusals.broken.is_empty(),
    ))
}

fn feed(
    args: &Args,
    sink: &Sink,
    uid: &IndexUid,
    mapping: Option<EventMapping>,
    inputs: Vec<Input>,
) -> anyhow::Result<EventsReport> {
    if !sink.has_index(uid)? {
        bail!("index `{uid}` not found: make it with `vitrine ingest --index {uid} FILE`");
    }
    let refusals = if args.list {
        Refusals::all()
    } else {
        Refusals::first_ones()
    };
    let mut feed = EventsFeed::new(sink, uid.clone(), mapping, refusals);
    for input in inputs {
        feed.send(input, |_| {})?;
    }
    Ok(feed.finish())
}

fn render(report: &Report<'_>, refusals: &Refusals) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{} events read: {} accepted, {} known already, {} rejected in {:.2} s",
        report.read, report.accepted, report.duplicates, report.rejected, report.seconds
    );
    if report.unknown_items > 0 {
        let _ = writeln!(
            text,
            "{} of them are of items that are not in the catalogue (yet)",
            report.unknown_items
        );
    }
    text.push_str(&refusals.render());
    text
}
