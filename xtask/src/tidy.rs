//! `cargo xtask tidy`: the rules of the house that a compiler does not know.
//!
//! Rules on text hold for every text file, rules on code for every Rust file, and rules on
//! documents for every Markdown file. A file or function that has to be longer than the
//! limit stands in `xtask/tidy.toml` with its reason.

mod code;
mod documents;
mod exceptions;
mod rust;
mod text;

use crate::workspace::Workspace;
use anyhow::Result;
use exceptions::Exceptions;

/// Where the exceptions stand.
const EXCEPTIONS: &str = "xtask/tidy.toml";

/// One broken rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    path: String,
    /// From 1; 0 when the whole file is meant.
    line: usize,
    what: String,
}

impl Finding {
    fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            what: what.into(),
        }
    }
}

/// Fails when a rule is broken, after naming every place.
pub fn run(workspace: &Workspace) -> Result<()> {
    let files = workspace.files()?;
    let listed = files.iter().any(|path| path == EXCEPTIONS);
    let exceptions = if listed {
        workspace.read(EXCEPTIONS)?
    } else {
        String::new()
    };
    let mut exceptions = Exceptions::parse(&exceptions)?;
    let mut findings = Vec::new();
    for path in &files {
        findings.extend(rust::name(path));
        if !text::is_text(path) {
            continue;
        }
        let content = workspace.read(path)?;
        findings.extend(text::check(path, &content));
        if path.ends_with(".rs") {
            findings.extend(rust::check(path, &content, &mut exceptions));
        }
        if path.ends_with(".md") {
            findings.extend(documents::check(path, &content, &files));
        }
    }
    findings.extend(exceptions.unused(EXCEPTIONS));
    findings.sort();
    for Finding { path, line, what } in &findings {
        match line {
            0 => eprintln!("    {path}: {what}"),
            _ => eprintln!("    {path}:{line}: {what}"),
        }
    }
    anyhow::ensure!(
        findings.is_empty(),
        "{} places break a rule of the house",
        findings.len()
    );
    Ok(())
}
