//! `cargo xtask fuzz`: every fuzz target for a while, on the stable toolchain; and
//! `cargo xtask fuzz-http`, the same idea over HTTP.
//!
//! The code under test is safe Rust, so what is looked for are panics and broken promises,
//! not bad memory accesses. That needs libFuzzer and coverage counters, which the stable
//! compiler can insert, but no sanitizer, which it cannot. `fuzz/` keeps the layout of
//! cargo-fuzz for those who want it with a sanitizer.

use crate::steps;
use crate::tools::NEXTEST;
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use std::process::Command;

/// How long each target runs unless told.
pub const SECONDS: u64 = 30;
/// How long requests are sent unless told.
pub const HTTP_SECONDS: u64 = 60;

const TARGETS: &[&str] = &["filter", "rows", "log", "means", "packed", "safetensors"];

/// The counters that libFuzzer reads, as cargo-fuzz sets them.
const COVERAGE: &[&str] = &[
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
];

/// Runs each target; an input that breaks a promise is kept under `fuzz/artifacts/`.
pub fn run(workspace: &Workspace, seconds: u64) -> Result<()> {
    let root = workspace.root();
    // The same versions of the dependencies as in the product.
    fs::copy(root.join("Cargo.lock"), root.join("fuzz/Cargo.lock"))
        .context("cannot copy Cargo.lock to fuzz/")?;
    let host = host()?;
    let mut build = workspace.cargo(["build", "--release", "--bins"]);
    // With a target named, the flags do not reach build scripts and macros.
    build
        .args([
            "--manifest-path=fuzz/Cargo.toml",
            "--target-dir=fuzz/target",
        ])
        .args(["--target", &host])
        .env("RUSTFLAGS", COVERAGE.join(" "));
    steps::run(build, "the fuzz targets do not build; see above")?;
    for target in TARGETS {
        eprintln!("    {target}: {seconds} s");
        let program = root.join(format!("fuzz/target/{host}/release/{target}"));
        fuzz(root, &program, target, seconds)?;
    }
    Ok(())
}

fn fuzz(root: &Path, program: &Path, target: &str, seconds: u64) -> Result<()> {
    // Inputs found before go on being used; the seeds are read and never written.
    let corpus = format!("fuzz/corpus/{target}");
    let artifacts = format!("fuzz/artifacts/{target}/");
    for folder in [&corpus, &artifacts] {
        fs::create_dir_all(root.join(folder)).with_context(|| format!("cannot make {folder}"))?;
    }
    let mut command = Command::new(program);
    command
        .current_dir(root)
        .args([&corpus, &format!("fuzz/seeds/{target}")])
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={artifacts}"))
        .args(["-max_len=4096", "-timeout=10", "-rss_limit_mb=2048"])
        .args(["-verbosity=0", "-print_final_stats=1"]);
    let advice = format!(
        "target `{target}` found an input that breaks a promise, kept under {artifacts}; turn it into a test"
    );
    steps::run(command, &advice)
}

/// Sends good, bad and broken requests to the running program.
pub fn run_http(workspace: &Workspace, seconds: u64) -> Result<()> {
    NEXTEST.provide(workspace)?;
    let mut test = workspace.cargo(["nextest", "run", "--locked", "--package", "vitrine"]);
    test.args([
        "--test",
        "fuzz_http",
        "--run-ignored",
        "only",
        "--no-capture",
    ])
    .env("VITRINE_FUZZ_SECONDS", seconds.to_string());
    steps::run(
        test,
        "a request broke the server; it stands above with the seed that sends it again",
    )
}

/// The triple of this machine, as the compiler names it.
fn host() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .arg("-vV")
        .output()
        .context("cannot start rustc")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc -vV names no host")
}
