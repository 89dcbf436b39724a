//! The command line: one variant for each command, each with its own arguments.
//!
//! Nothing happens here but naming; a command's flags and its work stand together
//! in its own module under `commands`.

use crate::commands as c;
use crate::outcome::Outcome;
use clap::{ArgAction, Parser, Subcommand};

/// Search and recommendations for a shop, in one binary.
#[derive(Debug, Parser)]
#[command(name = "vitrine", version, about, max_term_width = 100)]
pub struct Cli {
    /// Log more to stderr; repeat for still more.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build the bundled shop, show what the engine does with it, and serve it.
    Demo(c::demo::Args),
    /// Serve a data folder over HTTP.
    Serve(c::serve::Args),
    /// Read a catalogue from JSON, NDJSON or CSV files into an index.
    Ingest(c::ingest::Args),
    /// Read what shoppers did from JSON, NDJSON or CSV files into an index.
    Events(c::events::Args),
    /// Search an index.
    Search(c::search::Args),
    /// Recommend items of an index.
    Recommend(c::recommend::Args),
    /// Show what is known of a shopper or an item.
    Profile(c::profile::Args),
    /// Show the settings of an index, or change some of them.
    Settings(c::settings::Args),
    /// List the rows that a task refused or changed.
    Rows(c::rows::Args),
    /// Fetch, list and remove encoder models.
    Model(c::model::Args),
    /// Turn texts into vectors, one a line.
    Encode(c::encode::Args),
    /// Train a model on what the shoppers of an index did.
    Train(c::train::Args),
    /// List the trained models of an index, and change which one answers.
    Shelf(c::shelf::Args),
    /// Measure how good the answers are.
    Eval(c::eval::Args),
    /// Measure how fast the answers are.
    Bench(c::bench::Args),
    /// Write everything in a data folder to one file, also while it is served.
    Backup(c::backup::Args),
    /// Fill a new data folder from a backup.
    Restore(c::restore::Args),
    /// Read the whole log of a data folder and check it.
    Verify(c::verify::Args),
    /// Give up the damaged records of a log, and say what is lost.
    Repair(c::repair::Args),
    /// Drop superseded records from the log.
    Compact(c::compact::Args),
}

impl Cli {
    /// Runs the command that was named.
    pub fn run(self) -> anyhow::Result<Outcome> {
        match self.command {
            Command::Demo(args) => c::demo::run(args),
            Command::Serve(args) => c::serve::run(args),
            Command::Ingest(args) => c::ingest::run(args),
            Command::Events(args) => c::events::run(args),
            Command::Search(args) => c::search::run(args),
            Command::Recommend(args) => c::recommend::run(args),
            Command::Profile(args) => c::profile::run(args),
            Command::Settings(args) => c::settings::run(args),
            Command::Rows(args) => c::rows::run(args),
            Command::Model(args) => c::model::run(args),
            Command::Encode(args) => c::encode::run(args),
            Command::Train(args) => c::train::run(args),
            Command::Shelf(args) => c::shelf::run(args),
            Command::Eval(args) => c::eval::run(args),
            Command::Bench(args) => c::bench::run(args),
            Command::Backup(args) => c::backup::run(args),
            Command::Restore(args) => c::restore::run(args),
            Command::Verify(args) => c::verify::run(args),
            Command::Repair(args) => c::repair::run(args),
            Command::Compact(args) => c::compact::run(args),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_of_all_commands_are_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}
