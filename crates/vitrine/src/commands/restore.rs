//! `vitrine restore`: fills a new data folder from a backup.
//!
//! The folder appears whole or not at all; its views are built at the first start.

use crate::outcome::Outcome;
use crate::output::Format;
use crate::progress;
use anyhow::{Context as _, bail};
use engine::Engine;
use serde_json::json;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The backup.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The folder to fill; it must be new or empty.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    #[command(flatten)]
    format: Format,
}

/// Says what was restored.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let file =
        File::open(&args.file).with_context(|| format!("cannot open {}", args.file.display()))?;
    if let Ok(mut entries) = args.data.read_dir()
        && entries.next().is_some()
    {
        bail!(
            "{} is not empty: name a new folder with --data",
            args.data.display()
        );
    }
    let bar = progress::bytes("restore", file.metadata().ok().map(|meta| meta.len()));
    let report = Engine::restore(&mut BufReader::new(bar.wrap_read(file)), &args.data)
        .with_context(|| format!("cannot restore {}", args.file.display()))?;
    bar.finish_and_clear();
    let answer = json!({"records": report.records, "files": report.files, "data": args.data});
    args.format.print(&answer, |_| {
        format!(
            "{} records and {} files of models restored into {}; start it with `vitrine serve --data {}`",
            report.records,
            report.files,
            args.data.display(),
            args.data.display()
        )
    })?;
    Ok(Outcome::Fine)
}
