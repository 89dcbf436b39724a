//! Everything that goes to stdout.
//!
//! `println!` panics when the reader of a pipe has gone; these functions return a
//! [`StdoutError`] instead, which `outcome` turns into a quiet end.

use serde::Serialize;
use std::io::{self, Write as _};

/// Stdout could not be written.
#[derive(Debug)]
pub struct StdoutError(pub io::Error);

impl std::fmt::Display for StdoutError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cannot write the result to stdout")
    }
}

impl std::error::Error for StdoutError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// Whether a command prints for a person or for a program.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Format {
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

impl Format {
    /// Prints the answer: as JSON, or as the text that `render` makes of it.
    pub fn print<T: Serialize>(
        self,
        answer: &T,
        render: impl FnOnce(&T) -> String,
    ) -> anyhow::Result<()> {
        if self.json {
            json(answer)
        } else {
            text(&render(answer))
        }
    }
}

/// Prints a value as indented JSON and a line end.
pub fn json<T: Serialize + ?Sized>(value: &T) -> anyhow::Result<()> {
    text(&serde_json::to_string_pretty(value)?)
}

/// Prints text, ended by exactly one line end; nothing at all when it is empty.
pub fn text(text: &str) -> anyhow::Result<()> {
    let text = text.trim_end();
    if text.is_empty() {
        return Ok(());
    }
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .map_err(StdoutError)?;
    Ok(())
}

/// Tells a person what is going on, on stderr.
pub fn note(text: &str) {
    // A closed stderr must not end the work.
    let _ = writeln!(io::stderr(), "{text}");
}
