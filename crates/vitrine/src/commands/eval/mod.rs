//! `vitrine eval`: how good the answers are.
//!
//! Both evaluations print one JSON object with `--json`; their figures are the ones
//! in the benchmarks page.

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
    /// Search a temporary index and compare with human judgements.
    Search(search::Args),
}

/// Runs the evaluation that was named.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    match args.what {
        What::Sequence(args) => sequence::run(args),
        What::Search(args) => search::run(args),
    }
}
