//! `vitrine bench`: how fast the answers are, as a client sees them.
//!
//! A server is hosted on a loopback port and asked over real connections; the load
//! generator does as little as it can, so that the server is what is measured. Only
//! `ingest`, `encode`, `rank` and `vectors` do without: they go straight to what they measure.

mod encode;
mod events;
mod ingest;
mod made;
mod rank;
mod recommend;
mod scaled;
mod search;
mod start;
mod vectors;
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
    /// Texts and tokens a second of an encoder model.
    Encode(encode::Args),
    /// Round trips of searches over one keep-alive connection.
    Search(search::Args),
    /// Durable events a second over many keep-alive connections.
    Events(events::Args),
    /// Documents a second from a catalogue file to an index that finds them.
    Ingest(ingest::Args),
    /// Scores of candidates by the affinity Transformer, from scratch and with the history kept.
    Rank(rank::Args),
    /// Round trips of recommendations of every kind, and the memory they take.
    Recommend(recommend::Args),
    /// The graph of neighbours over many vectors: building it, its size, its speed, what it misses.
    Vectors(vectors::Args),
    /// The time until a server with many documents answers its first search.
    Start(start::Args),
}

/// Runs the measurement that was named.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    match args.what {
        What::Encode(args) => encode::run(args),
        What::Search(args) => search::run(args),
        What::Events(args) => events::run(args),
        What::Ingest(args) => ingest::run(args),
        What::Rank(args) => rank::run(args),
        What::Recommend(args) => recommend::run(args),
        What::Vectors(args) => vectors::run(args),
        What::Start(args) => start::run(args),
    }
}
