//! The words behind `cargo xtask bench-peers`.
//!
//! Paths are taken as they are: relative to where the command is run.

use anyhow::{Context, Result, bail, ensure};
use std::path::PathBuf;

/// What is measured, and how often.
#[derive(Debug, PartialEq)]
pub struct Options {
    /// The script that measures ONNX Runtime, beside `minilm-int8.onnx`.
    pub peer: PathBuf,
    pub texts: PathBuf,
    pub reference: Option<PathBuf>,
    pub e5_reference: Option<PathBuf>,
    pub rounds: usize,
    pub is_json: bool,
}

impl Options {
    /// Reads the words.
    pub fn parse(words: &[&str]) -> Result<Self> {
        let (mut peer, mut texts, mut reference, mut e5_reference) = (None, None, None, None);
        let (mut rounds, mut is_json) = (3, false);
        let mut words = words.iter();
        while let Some(&word) = words.next() {
            if word == "--json" {
                is_json = true;
                continue;
            }
            let mut value = || {
                let value = words
                    .next()
                    .with_context(|| format!("{word} needs a value"));
                value.map(|value| (*value).to_owned())
            };
            match word {
                "--peer" => peer = Some(PathBuf::from(value()?)),
                "--texts" => texts = Some(PathBuf::from(value()?)),
                "--reference" => reference = Some(PathBuf::from(value()?)),
                "--e5-reference" => e5_reference = Some(PathBuf::from(value()?)),
                "--rounds" => {
                    let value = value()?;
                    rounds = value
                        .parse()
                        .with_context(|| format!("`{value}` is no number of rounds"))?;
                }
                other => bail!("bench-peers has no option `{other}`; see `cargo xtask help`"),
            }
        }
        ensure!(rounds > 0, "--rounds must be 1 or more");
        Ok(Self {
            peer: peer.context("name the script of ONNX Runtime with --peer")?,
            texts: texts.context("name a file of texts with --texts")?,
            reference,
            e5_reference,
            rounds,
            is_json,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_in_any_order() {
        let words = ["--texts", "t", "--json", "--rounds", "5", "--peer", "p"];
        let options = Options::parse(&words).map_err(|error| error.to_string());
        let expected = Options {
            peer: "p".into(),
            texts: "t".into(),
            reference: None,
            e5_reference: None,
            rounds: 5,
            is_json: true,
        };
        assert_eq!(options, Ok(expected));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for (words, expected) in [
            (&["--texts", "t"][..], "--peer"),
            (&["--peer", "p"][..], "--texts"),
            (&["--peer"][..], "--peer needs a value"),
            (&["--rounds", "x"][..], "`x` is no number"),
            (
                &["--peer", "p", "--texts", "t", "--rounds", "0"][..],
                "1 or more",
            ),
            (&["--fast"][..], "`--fast`"),
        ] {
            let message = Options::parse(words).map_err(|error| error.to_string());
            let message = message.err().unwrap_or_default();
            assert!(message.contains(expected), "{words:?}: {message}");
        }
    }
}
