//! `vitrine repair`: gives up what is damaged in a log, and says what is lost.
//!
//! Only on explicit demand: a damaged log is otherwise refused. Every other record
//! keeps its number.

use crate::outcome::Outcome;
use crate::output::Format;
use anyhow::{Context as _, bail};
use serde_json::json;
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use store::{FolderLock, RepairReport};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The data folder.
    #[arg(long, value_name = "DIR", default_value = "vitrine-data")]
    data: PathBuf,
    #[command(flatten)]
    format: Format,
}

/// Exit 1 when records were lost.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    if !args.data.is_dir() {
        bail!(
            "there is no data folder {}: name another with --data",
            args.data.display()
        );
    }
    let report =
        repair(&args.data).with_context(|| format!("cannot repair {}", args.data.display()))?;
    let lost: Vec<[u64; 2]> = report
        .lost
        .iter()
        .map(|range| [*range.start(), *range.end()])
        .collect();
    let answer = json!({"kept": report.kept, "lost": lost, "rewritten": report.rewritten});
    args.format.print(&answer, |_| {
        if report.lost.is_empty() {
            return format!("{} records are sound; nothing was given up", report.kept);
        }
        format!(
            "{} records kept; lost for good: {}. Send those writes again (their numbers are the `taskUid`s they were answered with)",
            report.kept,
            spoken(&report.lost)
        )
    })?;
    Ok(Outcome::of(report.lost.is_empty()))
}

/// Repairs the log; views that may show what is lost are removed and built anew at the next start.
fn repair(data: &Path) -> anyhow::Result<RepairReport> {
    let _lock = FolderLock::acquire(data)?;
    let report = store::repair(&data.join("log"))?;
    if !report.lost.is_empty() {
        for folder in ["views", "shoppers", "indexes"].map(|name| data.join(name)) {
            if folder.exists() {
                fs::remove_dir_all(&folder)
                    .with_context(|| format!("cannot remove {}", folder.display()))?;
            }
        }
    }
    Ok(report)
}

fn spoken(lost: &[RangeInclusive<u64>]) -> String {
    let ranges = lost.iter().map(|range| match range.end() - range.start() {
        0 => range.start().to_string(),
        _ => format!("{} to {}", range.start(), range.end()),
    });
    ranges.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_records_are_named() {
        assert_eq!(spoken(&[3..=3, 7..=9]), "3, 7 to 9");
    }
}
