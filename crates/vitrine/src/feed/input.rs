//! A file or stdin as rows.
//!
//! Compression is told by the first bytes, the format by the flag, the name or the
//! first bytes, in this order.

use crate::progress;
use anyhow::Context as _;
use indicatif::ProgressBar;
use intake::{Format, Limits, Rows};
use std::fs::File;
use std::io::{self, BufRead as _, Read};

/// The name that stands for stdin.
const STDIN: &str = "-";

/// The formats as words of the command line.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum FormatName {
    Json,
    Ndjson,
    Csv,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Json => Self::Json,
            FormatName::Ndjson => Self::Ndjson,
            FormatName::Csv => Self::Csv,
        }
    }
}

/// One source of rows, with a bar that follows its bytes.
pub struct Input {
    pub name: String,
    pub rows: Rows,
    pub bar: ProgressBar,
}

impl Input {
    /// Opens a file, or stdin when the path is `-`.
    pub fn open(path: &str, format: Option<FormatName>) -> anyhow::Result<Self> {
        if path == STDIN {
            return Self::read("stdin", io::stdin(), None, format.map(Format::from));
        }
        let file = File::open(path).with_context(|| format!("cannot open {path}"))?;
        let size = file
            .metadata()
            .ok()
            .filter(|meta| meta.is_file())
            .map(|meta| meta.len());
        let format = format.map(Format::from).or_else(|| Format::from_name(path));
        Self::read(path, file, size, format)
    }

    /// Takes rows from any reader.
    pub fn read(
        name: &str,
        reader: impl Read + Send + 'static,
        size: Option<u64>,
        format: Option<Format>,
    ) -> anyhow::Result<Self> {
        let bar = progress::bytes(name, size);
        let cannot_read = || format!("cannot read {name}");
        let mut reader = intake::open(bar.wrap_read(reader)).with_context(cannot_read)?;
        let format = match format {
            Some(format) => format,
            None => Format::sniff(reader.fill_buf().with_context(cannot_read)?),
        };
        let rows = Rows::new(reader, format, Limits::default());
        Ok(Self {
            name: name.to_owned(),
            rows,
            bar,
        })
    }
}
