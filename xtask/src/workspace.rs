//! Where the workspace lies and which files belong to it.
//!
//! The files are found by walking the folder, not by asking git, so that a source archive
//! can be checked too. What `.gitignore` leaves out is left out here.

use anyhow::{Context, Result};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root folder of the workspace.
pub struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The workspace this program was started for.
    pub fn find() -> Result<Self> {
        let own = std::env::var_os("CARGO_MANIFEST_DIR")
            .context("start xtask as `cargo xtask`, which tells it where the workspace lies")?;
        let root = Path::new(&own)
            .parent()
            .context("xtask lies in no folder")?;
        Ok(Self {
            root: root.to_owned(),
        })
    }

    /// The root folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A call of cargo in the root folder.
    pub fn cargo<const N: usize>(&self, arguments: [&str; N]) -> Command {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(arguments).current_dir(&self.root);
        // Left by the cargo that started us. Build scripts watch some of these, so a build
        // from here and one from the shell would keep throwing each other's work away.
        for (name, _) in std::env::vars_os() {
            let name_text = name.to_string_lossy();
            if name_text.starts_with("CARGO_PKG_") || name_text.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&name);
            }
        }
        command
    }

    /// Where cargo builds.
    pub fn target(&self) -> Result<PathBuf> {
        let mut metadata = self.cargo(["metadata", "--no-deps", "--format-version", "1"]);
        let output = metadata.output().context("cannot start cargo metadata")?;
        let metadata: serde_json::Value =
            serde_json::from_slice(&output.stdout).context("cargo metadata printed no JSON")?;
        metadata["target_directory"]
            .as_str()
            .map(PathBuf::from)
            .context("cargo metadata names no target folder")
    }

    /// Every file, as a path relative to the root with `/` between its parts, sorted.
    pub fn files(&self) -> Result<Vec<String>> {
        let ignored = Ignored::read(&self.root)?;
        let mut files = Vec::new();
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            let path = self.root.join(&folder);
            let entries =
                fs::read_dir(&path).with_context(|| format!("cannot read {}", path.display()))?;
            for entry in entries {
                let entry = entry?;
                let name = entry.file_name();
                let relative = join(&folder, &name);
                if entry.file_type()?.is_dir() {
                    if name != ".git" && !ignored.folder(&relative) {
                        folders.push(relative);
                    }
                } else {
                    files.push(relative);
                }
            }
        }
        files.sort();
        Ok(files)
    }

    /// The text of one file.
    pub fn read(&self, relative: &str) -> Result<String> {
        fs::read_to_string(self.root.join(relative))
            .with_context(|| format!("cannot read {relative}"))
    }
}

fn join(folder: &str, name: &OsStr) -> String {
    let name = name.to_string_lossy();
    if folder.is_empty() {
        name.into_owned()
    } else {
        format!("{folder}/{name}")
    }
}

/// The folders that `.gitignore` leaves out: its lines that end in `/`.
struct Ignored {
    patterns: Vec<String>,
}

impl Ignored {
    fn read(root: &Path) -> Result<Self> {
        match fs::read_to_string(root.join(".gitignore")) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::parse("")),
            Err(error) => Err(error).context("cannot read .gitignore"),
        }
    }

    fn parse(text: &str) -> Self {
        let patterns = text
            .lines()
            .filter_map(|line| line.trim().strip_suffix('/'));
        Self {
            patterns: patterns.map(str::to_owned).collect(),
        }
    }

    /// As in git: a pattern with a `/` before its end counts from the root, others anywhere.
    fn folder(&self, relative: &str) -> bool {
        self.patterns
            .iter()
            .any(|pattern| match pattern.strip_prefix('/') {
                Some(anchored) => anchored == relative,
                None if pattern.contains('/') => pattern == relative,
                None => relative.rsplit('/').next() == Some(pattern),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_left_out_as_git_does() {
        let ignored = Ignored::parse("target/\n/data/\n*.log\nfuzz/corpus/\n");
        for (folder, out) in [
            ("target", true),
            ("fuzz/target", true),
            ("data", true),
            ("crates/testkit/data", false),
            ("fuzz/corpus", true),
            ("corpus", false),
            ("docs", false),
        ] {
            assert_eq!(ignored.folder(folder), out, "{folder}");
        }
    }
}
