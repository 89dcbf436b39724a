//! How items age in recommendations: what is new comes forward, what is old moves back.
//!
//! Scores of different kinds stand on different scales, some below zero. So an item loses part
//! of the spread of the scores at hand, from the best to the least: half of it after one
//! half-life, three quarters after two, and in the end all of it. What is equally good is then
//! ordered by its age, and a day-old item must be much better than a new one to stay before it.

use crate::EngineError;
use crate::profile::at;
use crate::snapshot::IndexReader;
use domain::Timestamp;
use intake::Role;
use serde_json::Value;

const HOUR: f64 = 3_600_000.0;

/// How far the scores of a list lie apart; 1 for scores that are all the same.
pub(crate) fn spread(scores: impl Iterator<Item = f64>) -> f64 {
    let mut bounds: Option<(f64, f64)> = None;
    for score in scores {
        let (least, most) = bounds.unwrap_or((score, score));
        bounds = Some((least.min(score), most.max(score)));
    }
    let spread = bounds.map_or(0.0, |(least, most)| most - least);
    if spread > 0.0 { spread } else { 1.0 }
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
    pub(crate) fn lost(&self, id: &str) -> Result<f64, EngineError> {
        let document = self.reader.object(id)?;
        let created = document.and_then(|document| match at(&document, self.attribute)? {
            Value::String(text) => Timestamp::parse(text).ok(),
            Value::Number(number) => Timestamp::from_unix(number.as_f64()?).ok(),
            _ => None,
        });
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
    fn the_spread_is_from_the_least_to_the_most() {
        assert_eq!(spread([3.0, -1.0, 2.0].into_iter()), 4.0);
        assert_eq!(spread([2.0, 2.0].into_iter()), 1.0);
        assert_eq!(spread(std::iter::empty()), 1.0);
    }
}
