//! How close our vectors are to those of a reference.
//!
//! A row names a text, the prefix that was put before it, its number of tokens and its
//! vector. The cosine says how well two vectors agree; tokens must be equal.

use anyhow::{Context as _, bail};
use encode::{Encoder, Prefix};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs;
use std::path::Path;

/// One text of the reference.
#[derive(Deserialize)]
pub struct Row {
    prefix: String,
    text: String,
    tokens: usize,
    embedding: Vec<f32>,
}

/// How well the vectors agree.
#[derive(Serialize)]
pub struct Agreement {
    cosine_mean: f64,
    cosine_min: f64,
    token_mismatches: usize,
}

impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cosine to the reference: mean {:.6}, least {:.6}; {} texts with another number of tokens",
            self.cosine_mean, self.cosine_min, self.token_mismatches
        )
    }
}

/// Reads rows of JSON.
pub fn read(path: &Path) -> anyhow::Result<Vec<Row>> {
    let content =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut rows = Vec::new();
    for (place, line) in content.lines().enumerate() {
        let row = serde_json::from_str(line)
            .with_context(|| format!("line {} of {}", place + 1, path.display()))?;
        rows.push(row);
    }
    if rows.is_empty() {
        bail!("{} has no row", path.display());
    }
    Ok(rows)
}

/// Encodes every text of the reference and compares.
pub fn compare(encoder: &Encoder, rows: &[Row]) -> anyhow::Result<Agreement> {
    let mut cosines = Vec::with_capacity(rows.len());
    let mut token_mismatches = 0;
    for row in rows {
        let prefix = match row.prefix.trim_end().trim_end_matches(':') {
            "" => Prefix::None,
            "query" => Prefix::Query,
            "passage" => Prefix::Passage,
            other => bail!("the reference has the prefix `{other}`; known are query and passage"),
        };
        let encoded = encoder.encode(&[&row.text], prefix)?;
        if encoded.vectors.len() != row.embedding.len() {
            bail!(
                "the reference has {} numbers a text, the model {}; is it that of another model?",
                row.embedding.len(),
                encoded.vectors.len()
            );
        }
        cosines.push(cosine(&encoded.vectors, &row.embedding));
        token_mismatches += usize::from(encoded.tokens.first() != Some(&row.tokens));
    }
    let mean = cosines.iter().sum::<f64>() / cosines.len().max(1) as f64;
    let least = cosines.into_iter().fold(1.0, f64::min);
    Ok(Agreement {
        cosine_mean: seven_digits(mean),
        cosine_min: seven_digits(least),
        token_mismatches,
    })
}

/// In double precision, because the differences are in the sixth digit.
fn cosine(one: &[f32], other: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter()
            .zip(b)
            .map(|(x, y)| f64::from(*x) * f64::from(*y))
            .sum()
    };
    dot(one, other) / (dot(one, one) * dot(other, other)).sqrt()
}

fn seven_digits(value: f64) -> f64 {
    (value * 1e7).round() / 1e7
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cosine_does_not_depend_on_lengths() {
        assert!((cosine(&[3.0, 4.0], &[6.0, 8.0]) - 1.0).abs() < 1e-12);
        assert!((cosine(&[1.0, 0.0], &[1.0, 1.0]) - 0.5_f64.sqrt()).abs() < 1e-12);
    }
}
