//! Query words that the catalogue writes otherwise: pinyin for Chinese words, Chinese words
//! with a wrong character, and Chinese compounds that the catalogue knows the kind of.
//!
//! All of them are looked for only where the words as typed find nothing or little, so that
//! what is spelt right is never disturbed; and nothing happens in a catalogue without Chinese.

use crate::answer::WordKind;
use crate::chinese::Heard;
use crate::parse::{Part, Word};
use crate::units::{Builder, RARE, TYPO, Unit};
use std::ops::Range;
use tantivy::TantivyError;
use text::{is_han, is_pinyin};

/// What a Chinese word counts that was typed as pinyin.
const PINYIN: f32 = 0.8;
/// What the kind of a thing counts in place of the thing.
const BROADER: f32 = 0.3;
/// Fewer letters are a syllable at most.
const FEWEST_LETTERS: usize = 2;
/// Words that are read as one: `xing li xiang`, 行 里 箱.
const LONGEST_RUN: usize = 6;

impl Builder<'_> {
    /// Adds the Chinese words that a word may be the pinyin of; says whether there are any.
    pub fn add_pinyin(&self, word: &Word, unit: &mut Unit) -> Result<bool, TantivyError> {
        let letters = &word.surface;
        if unit.frequency >= RARE
            || letters.len() < FEWEST_LETTERS
            || !self.core.has_chinese()?
            || !is_pinyin(letters)
        {
            return Ok(false);
        }
        let heard = self.core.heard(letters, word.open)?;
        unit.add_heard(&heard);
        Ok(!heard.is_empty())
    }

    /// Looks at neighbouring words together: syllables written apart, and Chinese words that
    /// came apart because a character is wrong.
    pub fn add_corrections(&self, parts: &[Part], units: &mut [Unit]) -> Result<(), TantivyError> {
        if !self.core.has_chinese()? {
            return Ok(());
        }
        let mut done = vec![false; parts.len()];
        for length in (1..=LONGEST_RUN.min(parts.len())).rev() {
            for start in 0..=parts.len() - length {
                let run = start..start + length;
                let is_free = done
                    .get(run.clone())
                    .is_some_and(|done| !done.contains(&true));
                if is_free && self.correct(parts, units, run.clone())? {
                    done.iter_mut()
                        .take(run.end)
                        .skip(run.start)
                        .for_each(|done| *done = true);
                }
            }
        }
        for (part, unit) in parts.iter().zip(units) {
            if let Part::Word(word) = part
                && unit.frequency == 0
                && is_chinese(&word.text)
            {
                self.add_kind(word, unit)?;
            }
        }
        Ok(())
    }

    /// Corrects one run of words; says whether there was something to correct.
    fn correct(
        &self,
        parts: &[Part],
        units: &mut [Unit],
        run: Range<usize>,
    ) -> Result<bool, TantivyError> {
        let Some(words) = words(parts.get(run.clone()).unwrap_or_default()) else {
            return Ok(false);
        };
        let Some(units) = units.get_mut(run) else {
            return Ok(false);
        };
        if words.iter().all(|word| is_chinese(&word.text)) {
            self.correct_characters(&words, units)
        } else if words.len() > 1 {
            self.join_syllables(&words, units)
        } else {
            Ok(false)
        }
    }

    fn join_syllables(&self, words: &[&Word], units: &mut [Unit]) -> Result<bool, TantivyError> {
        let is_rare = |unit: &Unit| unit.exact < RARE;
        if !units.iter().any(is_rare) || !words.iter().all(|word| is_pinyin(&word.surface)) {
            return Ok(false);
        }
        let letters: String = words.iter().map(|word| word.surface.as_str()).collect();
        let heard = self.core.heard(&letters, false)?;
        // One character has one syllable, so it is not what several words spell.
        let heard: Vec<Heard> = heard
            .iter()
            .filter(|heard| heard.characters() > 1)
            .cloned()
            .collect();
        if heard.is_empty() {
            return Ok(false);
        }
        for unit in units {
            // What each syllable may stand for alone is no longer what it was taken for.
            unit.taken = None;
            unit.add_heard(&heard);
        }
        Ok(true)
    }

    fn correct_characters(
        &self,
        words: &[&Word],
        units: &mut [Unit],
    ) -> Result<bool, TantivyError> {
        if words.iter().skip(1).any(|word| !word.joins) {
            return Ok(false);
        }
        // Known words of several characters are what they seem.
        let mut doubtful = units.iter().zip(words).filter(|(unit, word)| {
            unit.frequency == 0 || words.len() > 1 && word.text.chars().count() == 1
        });
        let written: String = words.iter().map(|word| word.text.as_str()).collect();
        if doubtful.next().is_none() || self.core.frequency(&written)? > 0 {
            return Ok(false);
        }
        let meant = self.core.mistaken(&written)?;
        if meant.is_empty() {
            return Ok(false);
        }
        let run: Vec<String> = words.iter().map(|word| word.text.clone()).collect();
        if run.len() > 1 && self.core.phrase_frequency(&run)? > 0 {
            return Ok(false);
        }
        for unit in units {
            for form in meant.iter() {
                if unit.add(vec![form.text.clone()], TYPO, 1) {
                    unit.frequency += form.frequency;
                }
            }
            unit.note(
                WordKind::Typo,
                meant.iter().map(|form| form.text.as_str()).next(),
            );
        }
        Ok(true)
    }

    /// For an unknown compound, what it ends with: 行李箱 is a kind of 箱.
    fn add_kind(&self, word: &Word, unit: &mut Unit) -> Result<(), TantivyError> {
        for part in self.core.analyzer.tokens(&word.text) {
            if part.start == 0 || part.end < word.text.len() {
                continue;
            }
            let frequency = self.core.frequency(&part.text)?;
            if frequency > 0 {
                unit.note(WordKind::Broader, Some(part.text.as_str()));
                unit.add(vec![part.text], BROADER, 1);
                unit.frequency += frequency;
                return Ok(());
            }
        }
        Ok(())
    }
}

impl Heard {
    fn characters(&self) -> usize {
        self.words.iter().map(|word| word.chars().count()).sum()
    }
}

impl Unit {
    fn add_heard(&mut self, heard: &[Heard]) {
        // What is written as it was typed comes first.
        let typos = u8::from(self.frequency > 0);
        for Heard { words, frequency } in heard {
            if self.add(words.clone(), PINYIN, typos) {
                self.frequency += frequency;
            }
        }
        if let Some(best) = heard.first() {
            self.note(WordKind::Pinyin, Some(&best.words.concat()));
        }
    }
}

/// The words of a run without phrases.
fn words(parts: &[Part]) -> Option<Vec<&Word>> {
    let words = parts.iter().map(|part| match part {
        Part::Word(word) => Some(word),
        Part::Phrase(_) => None,
    });
    words.collect()
}

fn is_chinese(word: &str) -> bool {
    word.chars().all(is_han)
}
