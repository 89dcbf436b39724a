//! `vitrine verify`: reads the whole log and checks every record.
//!
//! Damage ends with exit 2 and a sentence that says where it is and what to do.

use crate::folder::FolderArgs;
use crate::outcome::Outcome;
use crate::output::Format;
use crate::progress;
use engine::Learn;
use serde_json::json;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: FolderArgs,
    #[command(flatten)]
    format: Format,
}

/// Exit 1 when the log is sound but lacks records that a repair gave up.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    args.folder.must_exist()?;
    let engine = args.folder.open(Learn::AtClose)?;
    let bar = progress::wait("read the log");
    let report = engine.verify();
    bar.finish_and_clear();
    engine.close();
    let report = report?;
    let answer = json!({
        "records": report.records,
        "lost": report.lost,
        "bytes": report.bytes,
        "segments": report.segments,
    });
    args.format.print(&answer, |_| {
        let lost = match report.lost {
            0 => String::new(),
            lost => format!("; {lost} records were given up by a repair"),
        };
        format!(
            "{} records in {} segments are sound, {} bytes{lost}",
            report.records, report.segments, report.bytes
        )
    })?;
    Ok(Outcome::of(report.lost == 0))
}
