//! The exceptions of `xtask/tidy.toml`: how long one file or function may be, and why.
//!
//! ```toml
//! [files]
//! "crates/x/src/table.rs" = { lines = 620, reason = "one table, read as a whole" }
//!
//! [functions]
//! "crates/x/src/table.rs::fill" = { lines = 95, reason = "a flat list of the 90 columns" }
//! ```
//!
//! Only this form is read, a line each, so that no TOML reader is needed.

use super::Finding;
use anyhow::{Context, Result};

/// What an exception is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    File,
    Function,
}

#[derive(Debug)]
struct Exception {
    kind: Kind,
    name: String,
    lines: usize,
    /// Its line in the list.
    at: usize,
    is_used: bool,
}

/// The list of exceptions, and which of them were needed.
#[derive(Debug, Default)]
pub struct Exceptions {
    list: Vec<Exception>,
}

impl Exceptions {
    /// Reads the list; an entry without a reason is an error.
    pub fn parse(text: &str) -> Result<Self> {
        let mut list = Vec::new();
        let mut kind = None;
        for (index, line) in text.lines().enumerate() {
            let at = index + 1;
            match line.trim() {
                "" => {}
                comment if comment.starts_with('#') => {}
                "[files]" => kind = Some(Kind::File),
                "[functions]" => kind = Some(Kind::Function),
                entry => {
                    let kind = kind.with_context(|| {
                        format!("line {at} of the exceptions stands before [files] or [functions]")
                    })?;
                    let (name, lines) = parse_entry(entry).with_context(|| {
                        format!("line {at} of the exceptions must read \"path\" = {{ lines = 600, reason = \"…\" }}")
                    })?;
                    list.push(Exception {
                        kind,
                        name,
                        lines,
                        at,
                        is_used: false,
                    });
                }
            }
        }
        Ok(Self { list })
    }

    /// The limit for a file or function; `usual` unless there is an exception for it. Asking
    /// uses the exception only if the length is over the usual limit.
    pub fn limit(&mut self, kind: Kind, name: &str, length: usize, usual: usize) -> usize {
        let found = self
            .list
            .iter_mut()
            .find(|one| one.kind == kind && one.name == name);
        match found {
            Some(exception) if length > usual => {
                exception.is_used = true;
                exception.lines
            }
            _ => usual,
        }
    }

    /// Exceptions that nothing needs any more.
    pub fn unused(&self, path: &str) -> Vec<Finding> {
        let unused = self.list.iter().filter(|exception| !exception.is_used);
        unused
            .map(|exception| {
                let what = format!(
                    "nothing needs the exception for {}; take it out",
                    exception.name
                );
                Finding::new(path, exception.at, what)
            })
            .collect()
    }
}

/// `"name" = { lines = 600, reason = "why" }` as the name and the number.
fn parse_entry(entry: &str) -> Option<(String, usize)> {
    let (name, rest) = entry.strip_prefix('"')?.split_once('"')?;
    let rest = rest.trim().strip_prefix('=')?.trim();
    let inner = rest.strip_prefix('{')?.strip_suffix('}')?.trim();
    let (lines, reason) = inner
        .strip_prefix("lines")?
        .trim()
        .strip_prefix('=')?
        .split_once(',')?;
    let reason = reason
        .trim()
        .strip_prefix("reason")?
        .trim()
        .strip_prefix('=')?
        .trim();
    let reason = reason.strip_prefix('"')?.strip_suffix('"')?.trim();
    if reason.is_empty() {
        return None;
    }
    Some((name.to_owned(), lines.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_raises_one_limit() {
        let text = "# why\n[files]\n\"a.rs\" = { lines = 600, reason = \"a table\" }\n";
        let mut exceptions = Exceptions::parse(text).unwrap_or_default();
        assert_eq!(exceptions.unused("x").len(), 1);
        assert_eq!(exceptions.limit(Kind::File, "a.rs", 550, 500), 600);
        assert_eq!(exceptions.limit(Kind::File, "b.rs", 550, 500), 500);
        assert_eq!(exceptions.limit(Kind::Function, "a.rs", 550, 80), 80);
        assert_eq!(exceptions.unused("x"), []);
    }

    #[test]
    fn an_exception_for_a_short_file_is_stale() {
        let text = "[files]\n\"a.rs\" = { lines = 600, reason = \"a table\" }\n";
        let mut exceptions = Exceptions::parse(text).unwrap_or_default();
        assert_eq!(exceptions.limit(Kind::File, "a.rs", 300, 500), 500);
        assert_eq!(exceptions.unused("x").len(), 1);
    }

    #[test]
    fn entries_without_a_section_or_a_reason_are_refused() {
        for text in [
            "\"a.rs\" = { lines = 600, reason = \"x\" }",
            "[files]\n\"a.rs\" = { lines = 600, reason = \"\" }",
            "[files]\n\"a.rs\" = { lines = 600 }",
            "[files]\n\"a.rs\" = 600",
            "[files]\n\"a.rs\" = { lines = many, reason = \"x\" }",
        ] {
            assert!(Exceptions::parse(text).is_err(), "{text}");
        }
    }
}
