//! `vitrine bench`: how fast the answers are, as a client sees them.
//!
//! A server is hosted on a loopback port and asked over real connections; the load
//! generator does as little as it can, so that the server is what is measured.

mod events;
mod search;
mod start;
mod wire;

use crate::outcome::Outcome;
use clap::Subcommand;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Round trips of searches over one keep-alive connection.
    Search(search::Args),
    /// Durable events a second over many keep-alive connections.
    Events(events::Args),
    /// The time until a server with many documents answers its first search.
    Start(start::Args),
}

/// Runs the measurement that was named.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    match args.what {
        What::Search(args) => search::run(args),
        What::Events(args) => events::run(args),
        What::Start(args) => start::run(args),
    }
}
