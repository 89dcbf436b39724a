//! `vitrine ingest`: reads a catalogue into an index.
//!
//! A missing index is made, with every attribute filterable and sortable, and the
//! guessed roles of its attributes are shown with their reasons.

use crate::feed::{DocumentsFeed, DocumentsReport, FormatName, Input, Refusals, Sink};
use crate::folder::FolderArgs;
use crate::outcome::Outcome;
use crate::output::Format;
use crate::roles::{self, RoleLine};
use anyhow::{Context as _, bail};
use domain::IndexUid;
use engine::WriteMode;
use serde::Serialize;
use std::fmt::Write as _;
use std::time::Instant;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: FolderArgs,
    /// The index; it is made when it is missing.
    #[arg(long, value_name = "UID")]
    index: String,
    /// Files of JSON, NDJSON or CSV, also gzipped; `-` is stdin.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// The format, when neither name nor content tells it.
    #[arg(long = "format", value_name = "FORMAT")]
    input_format: Option<FormatName>,
    /// The attribute that identifies a document.
    #[arg(long, value_name = "ATTRIBUTE")]
    primary_key: Option<String>,
    /// Lay the attributes over those of an existing document instead of replacing it.
    #[arg(long)]
    update: bool,
    /// List every refused and changed row, not only the first ten refused.
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    format: Format,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    index: &'a str,
    created: bool,
    read: u64,
    added: u64,
    refused: u64,
    changed: u64,
    refused_rows: &'a [crate::feed::Refusal],
    #[serde(skip_serializing_if = "Option::is_none")]
    changed_rows: Option<&'a [crate::feed::Refusal]>,
    /// Files that could not be read to their end.
    broken: &'a [String],
    roles: Vec<RoleLine>,
    tasks: &'a [u64],
    seconds: f64,
}

/// Exit 1 when every row was refused or a file broke off, 2 when nothing could be read.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let uid = IndexUid::new(args.index.clone())?;
    let inputs = open_all(&args)?;
    let sink = Sink::open(&args.folder)?;
    let result = feed(&args, &sink, &uid, inputs);
    let (created, report) = match result {
        Ok(done) => done,
        Err(error) => {
            sink.close();
            return Err(error);
        }
    };
    if report.added > 0 {
        sink.catch_up_meaning(&uid)?;
    }
    let roles = roles::of_sink(&sink, &uid);
    sink.close();
    let roles = roles?;
    let refusals = &report.refusals;
    if report.read == refusals.count && !refusals.broken.is_empty() && report.added == 0 {
        bail!("nothing could be read: {}", refusals.broken.join("; "));
    }
    if let Some(failure) = report
        .failures
        .iter()
        .find(|failure| failure.code.contains("primary_key"))
    {
        bail!(
            "{}; name the attribute with --primary-key",
            failure.message.trim_end_matches('.')
        );
    }
    let seconds = started.elapsed().as_secs_f64();
    args.format.print(
        &Report {
            index: uid.as_str(),
            created,
            read: report.read,
            added: report.added,
            refused: refusals.count,
            changed: report.changed,
            refused_rows: &refusals.first,
            changed_rows: args.list.then_some(report.changes.as_slice()),
            broken: &refusals.broken,
            roles,
            tasks: &report.tasks,
            seconds,
        },
        |shown| render(shown, refusals),
    )?;
    Ok(Outcome::of(report.added > 0 && refusals.broken.is_empty()))
}

/// Opens every file before anything is written, so that a misspelt name changes nothing.
fn open_all(args: &Args) -> anyhow::Result<Vec<Input>> {
    let inputs = args
        .files
        .iter()
        .map(|file| Input::open(file, args.input_format));
    inputs
        .collect::<anyhow::Result<_>>()
        .context("nothing was changed")
}

fn feed(
    args: &Args,
    sink: &Sink,
    uid: &IndexUid,
    inputs: Vec<Input>,
) -> anyhow::Result<(bool, DocumentsReport)> {
    let created = !sink.has_index(uid)?;
    if created {
        sink.create_index(uid, args.primary_key.as_deref())?;
    }
    let mode = if args.update {
        WriteMode::Update
    } else {
        WriteMode::Replace
    };
    let refusals = if args.list {
        Refusals::all()
    } else {
        Refusals::first_ones()
    };
    let mut feed = DocumentsFeed::new(sink, uid.clone(), args.primary_key.clone(), mode, refusals);
    for input in inputs {
        feed.send(input, |_row| true)?;
    }
    Ok((created, feed.finish()?))
}

fn render(report: &Report<'_>, refusals: &Refusals) -> String {
    let mut text = String::new();
    if report.created {
        let _ = writeln!(text, "made the index {}", report.index);
    }
    let _ = writeln!(
        text,
        "{} documents read: {} added, {} refused, {} cleaned in {:.2} s",
        report.read, report.added, report.refused, report.changed, report.seconds
    );
    text.push_str(&refusals.render());
    for change in report.changed_rows.into_iter().flatten() {
        let field = change.field.as_deref().unwrap_or_default();
        let _ = writeln!(
            text,
            "  {} row {}, field {field}: {}",
            change.file, change.row, change.reason
        );
    }
    text.push_str(&roles::render(&report.roles));
    text
}
