//! Query words in a language that the catalogue does not speak, taken for what the things
//! are called there.
//!
//! As with pinyin, only where the words as typed find nothing or little.

use crate::answer::WordKind;
use crate::parse::{Part, Word};
use crate::schema::storable;
use crate::units::{Builder, RARE, Unit};
use std::ops::Range;
use tantivy::TantivyError;
use text::{LONGEST_ENTRY, names_by_sound, translations};

/// What the usual translation counts, and each further one against the one before it.
const TRANSLATED: f32 = 0.8;

impl Builder<'_> {
    /// Adds what words are called in another language, several that belong together first.
    pub fn add_translations(&self, parts: &[Part], units: &mut [Unit]) -> Result<(), TantivyError> {
        let mut start = 0;
        while start < parts.len() {
            let longest = LONGEST_ENTRY.min(parts.len() - start);
            let mut done = 1;
            for length in (1..=longest).rev() {
                if self.translate(parts, units, start..start + length)? {
                    done = length;
                    break;
                }
            }
            start += done;
        }
        Ok(())
    }

    /// Translates one run of words; says whether the catalogue has a translation.
    fn translate(
        &self,
        parts: &[Part],
        units: &mut [Unit],
        run: Range<usize>,
    ) -> Result<bool, TantivyError> {
        let Some(words) = surfaces(parts.get(run.clone()).unwrap_or_default()) else {
            return Ok(false);
        };
        let Some(units) = units.get_mut(run) else {
            return Ok(false);
        };
        let is_understood = |unit: &Unit| {
            let taken = unit.taken.as_ref();
            unit.exact >= RARE || taken.is_some_and(|taken| taken.kind == WordKind::Pinyin)
        };
        if units.iter().all(is_understood) {
            return Ok(false);
        }
        let mut found = false;
        let mut factor = 1.0;
        for translation in names(&words) {
            factor *= TRANSLATED;
            let tokens = self.core.analyzer.query_tokens(translation);
            let forms: Vec<String> = tokens.iter().map(|token| storable(&token.text)).collect();
            let frequency = match forms.as_slice() {
                [] => 0,
                [one] => self.core.frequency(one)?,
                several => self.core.phrase_frequency(several)?,
            };
            if frequency == 0 {
                continue;
            }
            for unit in &mut *units {
                if !found {
                    unit.forget_typos();
                }
                unit.add_translation(&forms, factor, frequency);
                unit.note(WordKind::Translation, Some(translation));
            }
            found = true;
        }
        Ok(found)
    }
}

impl Unit {
    /// A known word is no misspelt one.
    fn forget_typos(&mut self) {
        self.variants.retain(|variant| variant.typos == 0);
        self.taken = None;
    }

    fn add_translation(&mut self, forms: &[String], factor: f32, frequency: u64) {
        // What is written as it was typed comes first.
        let typos = u8::from(self.exact > 0);
        if self.add(forms.to_vec(), factor, typos) {
            self.frequency += frequency;
        }
    }
}

/// What words may be called in the catalogue: their translations, or other names of what they
/// sound like in Chinese.
fn names(words: &[&str]) -> &'static [&'static str] {
    match translations(words) {
        [] => names_by_sound(&words.concat()),
        translations => translations,
    }
}

/// The words of a run without phrases, as they were typed.
fn surfaces(parts: &[Part]) -> Option<Vec<&str>> {
    let words = parts.iter().map(|part| match part {
        Part::Word(Word { surface, .. }) => Some(surface.as_str()),
        Part::Phrase(_) => None,
    });
    words.collect()
}
