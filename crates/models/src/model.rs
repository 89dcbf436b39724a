//! What a sequence model answers, and why one may be refused.
//!
//! A model knows items only by dense number. A number it was not fitted with
//! is a new item: it may stand in a history, where it says nothing, and it gets
//! no score.

/// Ranks the next item of a history (oldest first, newest last).
pub trait SequenceModel: Send + Sync {
    /// How many items it was fitted with; their numbers are below this.
    fn items(&self) -> usize;

    /// The scores of the items that the history speaks for, by ascending number. Every other item has its
    /// [`base`](Self::base) score.
    fn scores(&self, history: &[u32]) -> Vec<(u32, f32)>;

    /// The score of an item before any history.
    fn base(&self, item: u32) -> f32;

    /// The best `k` items that `keep` lets pass, the best first, equal scores by ascending number. `keep` is asked
    /// only about items that would enter the list.
    fn top(&self, history: &[u32], k: usize, keep: &dyn Fn(u32) -> bool) -> Vec<(u32, f32)>;

    /// What each item of the history adds to the score of `item`, the newest first; an item that stands in the
    /// history several times is listed once. The sum and [`base`](Self::base) make the score.
    fn explain(&self, history: &[u32], item: u32) -> Vec<(u32, f32)>;

    /// The score of one item.
    fn score(&self, history: &[u32], item: u32) -> f32 {
        let parts: f64 = self
            .explain(history, item)
            .iter()
            .map(|part| f64::from(part.1))
            .sum();
        (parts + f64::from(self.base(item))) as f32
    }
}

/// Why a model could not be fitted or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    #[error("the setting {name} must be {rule}, not {value}")]
    Setting {
        name: &'static str,
        rule: &'static str,
        value: f64,
    },
    #[error("{items} items are more than the {most} a model can number")]
    TooManyItems { items: usize, most: usize },
    #[error("this is no {expected} model: the mark at its start is missing")]
    Mark { expected: &'static str },
    #[error("the {model} model has format {found}, this build reads format {expected}")]
    Version {
        model: &'static str,
        found: u32,
        expected: u32,
    },
    #[error("the model cannot be decoded")]
    Decode(#[source] postcard::Error),
    #[error("the model is damaged: {0}")]
    Damaged(&'static str),
}

/// Refuses a setting that is not finite or outside its range.
pub(crate) fn require(
    allowed: bool,
    name: &'static str,
    rule: &'static str,
    value: f64,
) -> Result<(), ModelError> {
    if allowed && value.is_finite() {
        Ok(())
    } else {
        Err(ModelError::Setting { name, rule, value })
    }
}
