//! The encoder models that tests need with their real weights.
//!
//! `vitrine model pull` fetches each once into the folder that all checkouts share, outside the
//! repository; when it is there already this takes a moment. Tests find it by a variable.

use crate::workspace::Workspace;
use anyhow::{Context, Result};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;

/// The variable by which tests and the program find the models.
pub const VARIABLE: &str = "VITRINE_MODELS";

const NAMES: &[&str] = &["minilm", "e5"];

/// Where the models are, once they were provided.
#[derive(Default)]
pub struct Models(OnceLock<PathBuf>);

/// Which build of the program pulls the models: one that is needed in any case.
#[derive(Clone, Copy, Debug)]
pub enum Build {
    Tests,
    Release,
}

impl Models {
    /// Pulls the models unless they are there.
    pub fn provide(&self, workspace: &Workspace, build: Build) -> Result<()> {
        for name in NAMES {
            let path = pull(workspace, build, name)?;
            let folder = path
                .parent()
                .with_context(|| format!("{} lies in no folder", path.display()))?;
            eprintln!("    {name} is at {}", path.display());
            // All of them lie in one folder, so the first says it for all.
            self.0.get_or_init(|| folder.to_owned());
        }
        Ok(())
    }

    /// The folder of the models.
    pub fn folder(&self) -> Option<&Path> {
        self.0.get().map(PathBuf::as_path)
    }
}

/// Runs `vitrine model pull` and gives the folder that it names.
fn pull(workspace: &Workspace, build: Build, name: &str) -> Result<PathBuf> {
    let mut pull = workspace.cargo(["run", "--quiet", "--locked", "--package", "vitrine"]);
    if matches!(build, Build::Release) {
        pull.arg("--release");
    }
    let output = pull
        .args(["--", "model", "pull", name, "--json"])
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo run")?;
    anyhow::ensure!(
        output.status.success(),
        "model `{name}` could not be pulled; see above, or set {VARIABLE} to a folder that has it"
    );
    path_of(&output.stdout)
}

fn path_of(answer: &[u8]) -> Result<PathBuf> {
    let answer: Value =
        serde_json::from_slice(answer).context("`vitrine model pull --json` printed no JSON")?;
    answer["path"]
        .as_str()
        .map(PathBuf::from)
        .context("`vitrine model pull --json` named no path")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_read_from_the_answer() {
        let path = path_of(br#"{"name": "e5", "path": "/models/e5", "bytes": 1}"#);
        assert_eq!(
            path.map_err(|error| error.to_string()),
            Ok(PathBuf::from("/models/e5"))
        );
        assert!(path_of(b"").is_err());
        assert!(path_of(b"{}").is_err());
    }
}
