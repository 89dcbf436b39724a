//! `cargo xtask clients`: the stock clients of the convention against the real program.
//!
//! Each suite under `clients/` is written for one client and run by that client's own kind of
//! test runner. It finds a server of its own, with an empty data folder and a master key, by
//! two variables; what the server logged is printed when a suite fails.

mod node;
pub mod python;
mod server;

use crate::steps;
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use server::Server;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// One client and the tests written for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    Js,
    Instantsearch,
    Python,
    GorsePython,
    Rust,
    GorseRust,
}

/// From the quickest to install to the slowest.
const SUITES: [Suite; 6] = [
    Suite::Js,
    Suite::Instantsearch,
    Suite::Python,
    Suite::GorsePython,
    Suite::Rust,
    Suite::GorseRust,
];

impl Suite {
    /// The suite with a name, as the command line gives it.
    pub fn named(name: &str) -> Result<Self> {
        SUITES
            .into_iter()
            .find(|suite| suite.name() == name)
            .with_context(|| {
                let names: Vec<&str> = SUITES.into_iter().map(Self::name).collect();
                format!("no client `{name}`; there are {}", names.join(", "))
            })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Js => "js",
            Self::Instantsearch => "instantsearch",
            Self::Python => "python",
            Self::GorsePython => "gorse-python",
            Self::Rust => "rust",
            Self::GorseRust => "gorse-rust",
        }
    }

    /// Its folder, from the root of the workspace.
    fn folder(self, workspace: &Workspace) -> PathBuf {
        workspace.root().join("clients").join(self.name())
    }

    /// Installs what the client needs, and gives the call that runs its tests.
    fn prepare(self, workspace: &Workspace, target: &Path) -> Result<Command> {
        match self {
            Self::Js | Self::Instantsearch => node::prepare(&self.folder(workspace)),
            Self::Python | Self::GorsePython => {
                let environment = target.join(format!("venv-{}", self.name()));
                python::prepare(&self.folder(workspace), &environment)
            }
            Self::Rust | Self::GorseRust => {
                let manifest = self.folder(workspace).join("Cargo.toml");
                let mut tests = rust(workspace, &manifest, target);
                if self == Self::GorseRust {
                    // They share one index.
                    tests.args(["--", "--test-threads=1"]);
                }
                Ok(tests)
            }
        }
    }
}

/// All suites.
pub fn run_all(workspace: &Workspace) -> Result<()> {
    run(workspace, &SUITES)
}

/// Some suites, each to its end, so that one run shows all that fails.
pub fn run(workspace: &Workspace, suites: &[Suite]) -> Result<()> {
    let build = ["build", "--quiet", "--locked", "--package", "vitrine"];
    steps::run(workspace.cargo(build), "the program does not build")?;
    let target = workspace.target()?;
    let program = target
        .join("debug")
        .join(format!("vitrine{}", std::env::consts::EXE_SUFFIX));
    let mut failed = Vec::new();
    for suite in suites {
        let start = Instant::now();
        let mut tests = suite.prepare(workspace, &target.join("clients"))?;
        let prepared = start.elapsed();
        let server = Server::start(&program, &target.join("clients"))?;
        server.tell(&mut tests);
        let outcome = steps::run(tests, "a test of the client failed");
        let log = server.stop()?;
        if outcome.is_err() {
            eprintln!("    the log of the server:\n{log}");
            failed.push(suite.name());
        }
        eprintln!(
            "    {}: {:.1} s, {:.1} s of them to install",
            suite.name(),
            start.elapsed().as_secs_f64(),
            prepared.as_secs_f64()
        );
    }
    anyhow::ensure!(
        failed.is_empty(),
        "tests failed with {}; see above, and run one with `cargo xtask clients --only NAME`",
        failed.join(", ")
    );
    Ok(())
}

/// A Rust client, outside the workspace so that nothing else needs its dependencies.
fn rust(workspace: &Workspace, manifest: &Path, target: &Path) -> Command {
    let mut tests = workspace.cargo(["test", "--quiet", "--locked"]);
    tests
        .arg("--manifest-path")
        .arg(manifest)
        .arg("--target-dir")
        .arg(target.join("rust"));
    tests
}

/// Fails with a sentence when a program is missing.
fn missing(program: &str, sentence: &'static str) -> Result<()> {
    let mut version = Command::new(program);
    version.arg("--version").stdout(Stdio::null());
    version.status().context(sentence)?;
    Ok(())
}

/// Whether what a file asks for was installed: the mark is a copy of it, made afterwards.
fn installed(wanted: &Path, mark: &Path) -> bool {
    match (fs::read(wanted), fs::read(mark)) {
        (Ok(wanted), Ok(mark)) => wanted == mark,
        _ => false,
    }
}

fn note_installed(wanted: &Path, mark: &Path) -> Result<()> {
    fs::copy(wanted, mark).with_context(|| format!("cannot write {}", mark.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suite_is_found_by_its_name() {
        for suite in SUITES {
            assert_eq!(Suite::named(suite.name()).ok(), Some(suite));
        }
        let error = Suite::named("java").map_err(|error| error.to_string());
        assert!(error.is_err_and(|text| text.contains("java") && text.contains("rust")));
    }

    #[test]
    fn a_missing_program_is_named_in_a_sentence() {
        let error =
            missing("no-such-program-here", "install it").map_err(|error| error.to_string());
        assert_eq!(error, Err("install it".to_owned()));
    }

    #[test]
    fn what_was_installed_for_another_list_is_not_enough() -> Result<()> {
        let folder = std::env::temp_dir().join(format!("vitrine-clients-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let (wanted, mark) = (folder.join("wanted"), folder.join("mark"));
        fs::write(&wanted, "a 1")?;
        assert!(!installed(&wanted, &mark));
        note_installed(&wanted, &mark)?;
        assert!(installed(&wanted, &mark));
        fs::write(&wanted, "a 2")?;
        assert!(!installed(&wanted, &mark));
        fs::remove_dir_all(&folder)?;
        Ok(())
    }
}
