//! `cargo xtask check`: the one test command.
//!
//! The quick rules come first, so that a slip shows after seconds. Cargo is always told
//! `--locked`: what is tested is what `Cargo.lock` says.

use crate::models::{self, Build, Models};
use crate::steps::{self, Steps};
use crate::tools::{CLIPPY, DENY, FMT, NEXTEST};
use crate::workspace::Workspace;
use crate::{clients, device, fuzz, layers, pytorch, tidy};
use anyhow::Result;

/// Everything that must hold before a commit.
pub fn check(workspace: &Workspace) -> Result<()> {
    let mut steps = Steps::default();
    all(workspace, &mut steps, &Models::default())?;
    eprint!("{}", steps.summary());
    Ok(())
}

/// The same, then training on a device, the models in PyTorch, every fuzz target for a short while, and requests of all kinds to the program.
pub fn check_slow(workspace: &Workspace) -> Result<()> {
    let mut steps = Steps::default();
    let models = Models::default();
    all(workspace, &mut steps, &models)?;
    steps.step("device", || device::run(workspace))?;
    steps.step("pytorch", || pytorch::run(workspace, &models))?;
    steps.step("fuzz", || fuzz::run(workspace, fuzz::SECONDS))?;
    steps.step("fuzz http", || {
        fuzz::run_http(workspace, fuzz::HTTP_SECONDS)
    })?;
    eprint!("{}", steps.summary());
    Ok(())
}

/// Asks the advisory database, which is fetched over the network.
pub fn advisories(workspace: &Workspace) -> Result<()> {
    DENY.provide(workspace)?;
    steps::run(
        workspace.cargo(["deny", "check", "advisories"]),
        "a dependency has a known advisory (or the database could not be fetched); see above",
    )
}

fn all(workspace: &Workspace, steps: &mut Steps, models: &Models) -> Result<()> {
    steps.step("fmt", || {
        FMT.provide(workspace)?;
        steps::run(
            workspace.cargo(["fmt", "--all", "--check"]),
            "run `cargo fmt --all`",
        )
    })?;
    steps.step("tidy", || tidy::run(workspace))?;
    steps.step("layers", || layers::run(workspace))?;
    steps.step("clippy", || {
        CLIPPY.provide(workspace)?;
        let clippy = [
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ];
        steps::run(workspace.cargo(clippy), "mend what clippy says above")
    })?;
    steps.step("models", || models.provide(workspace, Build::Tests))?;
    steps.step("tests", || {
        NEXTEST.provide(workspace)?;
        let nextest = ["nextest", "run", "--workspace", "--locked"];
        let mut nextest = workspace.cargo(nextest);
        if let Some(folder) = models.folder() {
            nextest.env(models::VARIABLE, folder);
        }
        steps::run(nextest, "a test failed; its output is above")
    })?;
    steps.step("clients", || clients::run_all(workspace))?;
    steps.step("doc tests", || {
        let doc_tests = ["test", "--doc", "--workspace", "--locked", "--quiet"];
        steps::run(
            workspace.cargo(doc_tests),
            "an example in the documentation failed; see above",
        )
    })?;
    steps.step("docs", || {
        let mut docs = workspace.cargo(["doc", "--workspace", "--no-deps", "--locked", "--quiet"]);
        docs.env("RUSTDOCFLAGS", "-D warnings");
        steps::run(docs, "mend the documentation named above")
    })?;
    steps.step("deny", || {
        DENY.provide(workspace)?;
        let deny = ["deny", "--locked", "check", "bans", "licenses", "sources"];
        steps::run(
            workspace.cargo(deny),
            "mend Cargo.toml, or give the reason in deny.toml",
        )
    })
}
