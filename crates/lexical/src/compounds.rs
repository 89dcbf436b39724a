//! Compound words: shops and shoppers do not agree where a space belongs.
//!
//! Two neighbouring words of a query are also tried as one, and a word that
//! nothing else is known of is tried as two.

use crate::parse::Part;
use crate::units::{Builder, Unit};
use tantivy::TantivyError;

/// What two words joined, or one split in two, count.
const COMPOUND: f32 = 0.5;
/// Longer words are not split.
const LONGEST_COMPOUND: usize = 40;

impl Builder<'_> {
    /// Compound words: `t light` also finds `tlight`, and `tlight` also finds `t light`.
    pub fn add_neighbours(&self, parts: &[Part], units: &mut [Unit]) -> Result<(), TantivyError> {
        for (number, pair) in parts.windows(2).enumerate() {
            let [Part::Word(left), Part::Word(right)] = pair else {
                continue;
            };
            let joined = self
                .core
                .analyzer
                .fold(&format!("{}{}", left.surface, right.surface));
            let frequency = self.core.frequency(&joined)?;
            if frequency > 0 {
                for unit in units.iter_mut().skip(number).take(2) {
                    unit.add(vec![joined.clone()], COMPOUND, 0);
                    unit.frequency += frequency;
                }
            }
        }
        for (part, unit) in parts.iter().zip(units) {
            let Part::Word(word) = part else { continue };
            let unknown = unit.variants.iter().all(|variant| variant.typos > 0);
            if unknown && let Some((left, right, frequency)) = self.best_split(&word.surface)? {
                unit.add(vec![left, right], COMPOUND, 0);
                unit.frequency += frequency;
            }
        }
        Ok(())
    }

    /// The two known words that a word is made of, and how frequent the rarer one is.
    fn best_split(&self, word: &str) -> Result<Option<(String, String, u64)>, TantivyError> {
        let mut best: Option<(String, String, u64)> = None;
        if word.len() > LONGEST_COMPOUND {
            return Ok(best);
        }
        for (at, _) in word.char_indices().skip(1) {
            let (left, right) = word.split_at(at);
            let (left, right) = (
                self.core.analyzer.fold(left),
                self.core.analyzer.fold(right),
            );
            let frequency = match self.core.frequency(&left)? {
                0 => 0,
                left => left.min(self.core.frequency(&right)?),
            };
            if frequency > best.as_ref().map_or(0, |(.., best)| *best) {
                best = Some((left, right, frequency));
            }
        }
        Ok(best)
    }
}
