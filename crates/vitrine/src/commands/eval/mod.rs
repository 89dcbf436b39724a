//! `vitrine eval`: how good the answers are.
//!
//! Each evaluation prints one JSON object with `--json`; their figures are the ones
//! in the benchmarks page.

mod recommend;
mod search;
mod sequence;

use crate::outcome::Outcome;
use clap::Subcommand;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Predict the last item of every shopper, ranking the whole catalogue.
    Sequence(sequence::Args),
    /// Recommend as of one moment of a log, and compare with what happened after it.
    Recommend(recommend::Args),
    /// Search a temporary index and compare with human judgements.
    Search(search::Args),
}

/// Runs the evaluation that was named.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    match args.what {
        What::Sequence(args) => sequence::run(args),
        What::Recommend(args) => recommend::run(args),
        What::Search(args) => search::run(args),
    }
}
