//! `vitrine`: the search and recommendation engine as one program.
//!
//! The flags of a command only fill its configuration; the work is done by the
//! `engine`, `server`, `models` and `eval` crates. Results go to stdout, progress
//! and logs to stderr. A command ends with 0 when all is fine, 1 when nothing was
//! found or a gate failed, and 2 with a sentence when something went wrong.

mod address;
mod cli;
mod client;
mod commands;
mod device;
mod feed;
mod folder;
mod hits;
mod hosted;
mod interrupt;
mod logged;
mod memory;
mod outcome;
mod outline;
mod output;
mod progress;
mod quantiles;
mod roles;
mod table;
mod target;
mod trial;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(refusal) => return refuse(&refusal),
    };
    start_logging(cli.verbose);
    outcome::exit_code(cli.run())
}

/// Help and version are answers (exit 0); a wrong flag is an error (exit 2).
fn refuse(refusal: &clap::Error) -> ExitCode {
    // A closed pipe while help is printed is no reason to fail.
    let _ = refusal.print();
    ExitCode::from(u8::try_from(refusal.exit_code()).unwrap_or(outcome::FAILED))
}

/// Logs go to stderr. `RUST_LOG` overrules `--verbose`.
fn start_logging(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}
