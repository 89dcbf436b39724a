//! `vitrine encode`: texts on stdin, one a line; vectors on stdout, one a line.
//!
//! Lines are taken in blocks: as many as have arrived already, up to a limit. So a million
//! lines need little memory, and a program that writes one line and waits gets its answer.

mod lines;

use crate::outcome::Outcome;
use crate::output::StdoutError;
use anyhow::Context as _;
use encode::{Encoded, Encoder, LongText, Options, Precision, Prefix};
use engine::ModelFolders;
use lines::Lines;
use std::io::{self, Write as _};
use std::path::PathBuf;

/// Texts that are encoded at once.
const BLOCK_TEXTS: usize = 1024;
/// Bytes of text after which a block ends.
const BLOCK_BYTES: usize = 1 << 20;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// The words that the model wants before a text, where it has any.
    #[arg(long, value_name = "KIND", default_value = "none")]
    prefix: PrefixName,
    /// What happens to a text beyond the model's limit: cut it, or average its windows.
    #[arg(long, value_name = "HOW", default_value = "cut")]
    long: LongName,
    /// Look for the model in this data folder first.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Changes nothing: the vectors are JSON in any case.
    #[arg(long)]
    json: bool,
}

/// The flags that choose a model and how it computes.
#[derive(Debug, clap::Args)]
pub struct ModelArgs {
    /// An installed model, a model folder, or a model file.
    #[arg(long, value_name = "NAME_OR_FOLDER", default_value = "minilm")]
    pub model: String,
    /// How the weights are kept.
    #[arg(long, value_name = "PRECISION", default_value = "int8")]
    pub precision: PrecisionName,
    /// Threads that encode; without it, as many as there are processors.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

/// A precision by name.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum PrecisionName {
    F32,
    Bf16,
    Int8,
}

/// A prefix by name.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum PrefixName {
    None,
    Query,
    Passage,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum LongName {
    Cut,
    Window,
}

impl From<PrecisionName> for Precision {
    fn from(name: PrecisionName) -> Self {
        match name {
            PrecisionName::F32 => Self::F32,
            PrecisionName::Bf16 => Self::Bf16,
            PrecisionName::Int8 => Self::Int8,
        }
    }
}

impl From<PrefixName> for Prefix {
    fn from(name: PrefixName) -> Self {
        match name {
            PrefixName::None => Self::None,
            PrefixName::Query => Self::Query,
            PrefixName::Passage => Self::Passage,
        }
    }
}

impl From<LongName> for LongText {
    fn from(name: LongName) -> Self {
        match name {
            LongName::Cut => Self::Cut,
            LongName::Window => Self::Window,
        }
    }
}

impl ModelArgs {
    /// The model of a command that leaves no choice, on every processor.
    pub fn standard() -> Self {
        Self {
            model: "minilm".to_owned(),
            precision: PrecisionName::Int8,
            threads: None,
        }
    }

    /// Threads that encode.
    pub fn threads(&self) -> usize {
        match self.threads {
            Some(threads) => usize::from(threads),
            None => std::thread::available_parallelism().map_or(1, usize::from),
        }
    }

    /// Opens the model.
    pub fn open(&self, folders: &ModelFolders, long_text: LongText) -> anyhow::Result<Encoder> {
        let path = folders.resolve(&self.model)?;
        let options = Options {
            precision: self.precision.into(),
            threads: self.threads(),
            long_text,
        };
        Encoder::open(&path, options)
            .with_context(|| format!("cannot open the model {}", path.display()))
    }
}

/// Exit 2 at the first line that is no text; the vectors of those before it are printed.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let folders = ModelFolders::of_environment(args.data.as_deref());
    let encoder = args.model.open(&folders, args.long.into())?;
    let mut lines = Lines::new(io::stdin().lock());
    loop {
        let block = lines.block(BLOCK_TEXTS, BLOCK_BYTES);
        if !block.texts.is_empty() {
            let texts: Vec<&str> = block.texts.iter().map(String::as_str).collect();
            let encoded = encoder.encode(&texts, args.prefix.into())?;
            print(&encoded)?;
        }
        if let Some(error) = block.error {
            return Err(error);
        }
        if block.is_last {
            return Ok(Outcome::Fine);
        }
    }
}

/// One JSON array a line. Numbers are the shortest that read back as the same `f32`.
fn print(encoded: &Encoded) -> anyhow::Result<()> {
    let texts = encoded.tokens.len();
    let width = encoded.vectors.len() / texts.max(1);
    let mut text = Vec::with_capacity(encoded.vectors.len() * 12);
    for row in encoded.vectors.chunks_exact(width.max(1)) {
        serde_json::to_writer(&mut text, row)?;
        text.push(b'\n');
    }
    let mut out = io::stdout().lock();
    out.write_all(&text)
        .and_then(|()| out.flush())
        .map_err(StdoutError)?;
    Ok(())
}
