//! How items age in recommendations: what is new comes forward, what is old moves back.
//!
//! Scores of different kinds stand on different scales, some below zero. So an item loses part
//! of its lead over the least of the candidates at hand: half of it after one half-life, three
//! quarters after two, and in the end all of it. However far an old item was ahead, it ends up
//! where the least stands; and what is equally good is ordered by its age.

use crate::snapshot::IndexReader;
use domain::Timestamp;
use intake::Role;
use lexical::{Place, QueryError};

const HOUR: f64 = 3_600_000.0;

/// The part of the spread of scores by which the least is taken to be ahead of nothing.
const HEAD_START: f64 = 0.01;

/// Where items end up that have lost all of being new: just below the least of the scores.
pub(crate) fn floor(scores: impl Iterator<Item = f64>) -> f64 {
    let mut bounds: Option<(f64, f64)> = None;
    for score in scores {
        let (least, most) = bounds.unwrap_or((score, score));
        bounds = Some((least.min(score), most.max(score)));
    }
    let (least, most) = bounds.unwrap_or_default();
    match most - least {
        spread if spread > 0.0 => least - HEAD_START * spread,
        _ => least - HEAD_START,
    }
}

/// How items of an index age, where the shop has set it.
pub(crate) struct Aging<'a> {
    reader: &'a IndexReader,
    attribute: &'a str,
    half_life_hours: f64,
    now: Timestamp,
}

impl IndexReader {
    /// How items age as of a moment; `None` where they do not, or nothing says how old they are.
    pub(crate) fn aging(&self, now: Timestamp) -> Option<Aging<'_>> {
        let freshness = self.settings().freshness?;
        Some(Aging {
            reader: self,
            attribute: self.state.roles.first(Role::Created)?,
            half_life_hours: freshness.half_life_hours,
            now,
        })
    }
}

impl Aging<'_> {
    /// What an item has lost of being new, from 0 to 1; all of it when nobody knows its age.
    ///
    /// The words index has the cleaned times in a column, so that no document is read for it.
    pub(crate) fn lost(&self, place: Place) -> Result<f64, QueryError> {
        let created = self.reader.state.words.text_at(self.attribute, place)?;
        let created = created.and_then(|text| Timestamp::parse(&text).ok());
        Ok(created.map_or(1.0, |created| {
            let age = self.now.millis().saturating_sub(created.millis()).max(0);
            1.0 - (-(age as f64) / HOUR / self.half_life_hours).exp2()
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_is_just_below_the_least() {
        assert_eq!(floor([3.0, -1.0, 2.0].into_iter()), -1.04);
        assert_eq!(floor([2.0, 2.0].into_iter()), 1.99);
    }
}
