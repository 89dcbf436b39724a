//! `vitrine compact`: drops superseded document versions from the log.
//!
//! Sequence numbers never change, and what is folded from the log stays the same.

use crate::folder::FolderArgs;
use crate::outcome::Outcome;
use crate::output::Format;
use engine::Learn;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: FolderArgs,
    #[command(flatten)]
    format: Format,
}

/// Says what was dropped.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    args.folder.must_exist()?;
    let engine = args.folder.open(Learn::AtClose)?;
    let report = engine.compact();
    engine.close();
    args.format.print(&report?, |report| {
        format!(
            "{} superseded versions dropped: the finished part of the log went from {} to {} bytes",
            report.dropped_versions, report.bytes_before, report.bytes_after
        )
    })?;
    Ok(Outcome::Fine)
}
