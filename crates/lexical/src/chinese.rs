//! The Chinese words of a snapshot, by how they sound and how they look.
//!
//! Made of the dictionary of all words when a query first needs it, and kept as long as
//! the snapshot lives. A catalogue without Chinese has an empty one, which costs nothing.

use crate::expand::Form;
use crate::postings::each_phrase;
use crate::snapshot::Core;
use rustc_hash::{FxHashMap, FxHashSet};
use std::cmp::Ordering;
use std::hash::Hash;
use std::sync::{Arc, Mutex, OnceLock};
use tantivy::TantivyError;
use text::{is_han, pinyin};

/// Words that are known by sound and look; a catalogue has a few ten thousand.
const MOST_WORDS: usize = 200_000;
/// Letters stand for so many words, the most frequent ones.
const MOST_HEARD: usize = 12;
/// Words that letters may run together.
const MOST_PARTS: usize = 3;
/// Words of each part that are tried beside those of the other parts.
const MOST_OF_A_PART: usize = 4;
/// Longer runs of letters are not read.
const LONGEST_SPELLING: usize = 40;
/// A beginning of fewer letters stands for too many words.
const FEWEST_OPEN: usize = 5;
/// Answers that are remembered.
const REMEMBERED: usize = 4_096;
/// The words whose characters lie in the blocks that are in use, as the dictionary orders them.
const FIRST: &str = "\u{3400}";
const BEHIND: &str = "\u{A000}";

/// What is known of the Chinese words of a snapshot.
#[derive(Default)]
pub(crate) struct Chinese {
    /// Whether there are Chinese words at all, which is known sooner than which.
    any: OnceLock<bool>,
    vocabulary: OnceLock<Vocabulary>,
    heard: Remembered<(String, bool), Heard>,
    meant: Remembered<String, Form>,
}

/// Answers to questions that queries ask again and again.
struct Remembered<K, V>(Mutex<FxHashMap<K, Arc<Vec<V>>>>);

impl<K, V> Default for Remembered<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V> Remembered<K, V> {
    fn or_find(
        &self,
        asked: K,
        find: impl FnOnce() -> Result<Vec<V>, TantivyError>,
    ) -> Result<Arc<Vec<V>>, TantivyError> {
        if let Ok(known) = self.0.lock()
            && let Some(found) = known.get(&asked)
        {
            return Ok(Arc::clone(found));
        }
        let found = Arc::new(find()?);
        if let Ok(mut known) = self.0.lock() {
            if known.len() >= REMEMBERED {
                known.clear();
            }
            known.insert(asked, Arc::clone(&found));
        }
        Ok(found)
    }
}

/// One word, or words side by side, that letters may stand for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Heard {
    pub words: Vec<String>,
    /// Documents that have them.
    pub frequency: u64,
}

impl Heard {
    /// Frequent ones first.
    fn order(&self, other: &Self) -> Ordering {
        let frequency = other.frequency.cmp(&self.frequency);
        frequency.then_with(|| self.words.cmp(&other.words))
    }
}

#[derive(Default)]
struct Vocabulary {
    words: Vec<String>,
    /// Every reading with the number of its word, in alphabetical order.
    readings: Vec<(String, u32)>,
}

impl Vocabulary {
    fn open(core: &Core) -> Result<Self, TantivyError> {
        let mut words: FxHashSet<String> = FxHashSet::default();
        for segment in &core.segments {
            let terms = segment.words.terms();
            let mut stream = terms.range().ge(FIRST).lt(BEHIND).into_stream()?;
            while stream.advance() && words.len() < MOST_WORDS {
                if let Ok(word) = std::str::from_utf8(stream.key())
                    && word.chars().all(is_han)
                {
                    words.insert(word.to_owned());
                }
            }
        }
        let mut words: Vec<String> = words.into_iter().collect();
        words.sort_unstable();
        let mut readings = Vec::with_capacity(words.len());
        for (number, word) in (0..).zip(&words) {
            readings.extend(pinyin(word).into_iter().map(|reading| (reading, number)));
        }
        readings.sort_unstable();
        Ok(Self { words, readings })
    }

    /// The words with exactly this reading, or with `open` those whose reading begins with it.
    fn read<'v>(&'v self, letters: &'v str, open: bool) -> impl Iterator<Item = &'v str> {
        let from = self
            .readings
            .partition_point(|(reading, _)| reading.as_str() < letters);
        let from = self.readings.get(from..).unwrap_or_default();
        let meets = move |reading: &str| reading == letters || open && reading.starts_with(letters);
        let found = from.iter().take_while(move |(reading, _)| meets(reading));
        found.filter_map(|(_, number)| self.words.get(*number as usize).map(String::as_str))
    }
}

impl Core {
    /// Whether the catalogue has Chinese words.
    pub fn has_chinese(&self) -> Result<bool, TantivyError> {
        if let Some(known) = self.chinese.any.get() {
            return Ok(*known);
        }
        let mut any = false;
        for segment in &self.segments {
            let terms = segment.words.terms();
            any |= terms.range().ge(FIRST).lt(BEHIND).into_stream()?.advance();
        }
        Ok(*self.chinese.any.get_or_init(|| any))
    }

    fn vocabulary(&self) -> Result<&Vocabulary, TantivyError> {
        if let Some(known) = self.chinese.vocabulary.get() {
            return Ok(known);
        }
        let opened = Vocabulary::open(self)?;
        Ok(self.chinese.vocabulary.get_or_init(|| opened))
    }

    /// The Chinese words that Latin letters may be the pinyin of, most frequent first: single
    /// words or, where there are none, words that stand side by side somewhere. With `open` the
    /// letters may be the beginning of a word.
    pub fn heard(&self, letters: &str, open: bool) -> Result<Arc<Vec<Heard>>, TantivyError> {
        let asked = (letters.to_owned(), open);
        let heard = &self.chinese.heard;
        heard.or_find(asked, || self.listen(letters, open))
    }

    fn listen(&self, letters: &str, open: bool) -> Result<Vec<Heard>, TantivyError> {
        let vocabulary = self.vocabulary()?;
        if letters.len() > LONGEST_SPELLING || vocabulary.words.is_empty() {
            return Ok(Vec::new());
        }
        let mut found = self.frequent(vocabulary.read(letters, false), MOST_HEARD)?;
        if found.is_empty() {
            let mut parts = Vec::new();
            split(vocabulary, letters, &mut parts, &mut |parts| {
                found.extend(self.side_by_side(vocabulary, parts)?);
                Ok(())
            })?;
        }
        if found.is_empty() && open && letters.len() >= FEWEST_OPEN {
            found = self.frequent(vocabulary.read(letters, true), MOST_HEARD)?;
        }
        found.sort_by(Heard::order);
        found.dedup();
        found.truncate(MOST_HEARD);
        Ok(found)
    }

    fn frequent<'v>(
        &self,
        words: impl Iterator<Item = &'v str>,
        most: usize,
    ) -> Result<Vec<Heard>, TantivyError> {
        let mut found = Vec::new();
        for word in words.collect::<FxHashSet<_>>() {
            let frequency = self.frequency(word)?;
            if frequency > 0 {
                found.push(Heard {
                    words: vec![word.to_owned()],
                    frequency,
                });
            }
        }
        found.sort_by(Heard::order);
        found.truncate(most);
        Ok(found)
    }

    /// The words read as `parts` that do stand side by side.
    fn side_by_side(
        &self,
        vocabulary: &Vocabulary,
        parts: &[&str],
    ) -> Result<Vec<Heard>, TantivyError> {
        let mut runs: Vec<Vec<String>> = vec![Vec::new()];
        for part in parts {
            let words = self.frequent(vocabulary.read(part, false), MOST_OF_A_PART)?;
            let mut longer = Vec::with_capacity(runs.len() * words.len());
            for run in &runs {
                for word in &words {
                    longer.push([run.as_slice(), word.words.as_slice()].concat());
                }
            }
            runs = longer;
        }
        let mut found = Vec::new();
        for words in runs {
            let frequency = self.phrase_frequency(&words)?;
            if frequency > 0 {
                found.push(Heard { words, frequency });
            }
        }
        Ok(found)
    }

    /// Documents with the words side by side in one attribute; deleted ones count too.
    pub fn phrase_frequency(&self, words: &[String]) -> Result<u64, TantivyError> {
        let mut most = 0;
        for (field, _) in self.fields.texts.iter().enumerate() {
            let mut count = 0;
            for segment in &self.segments {
                if let Some(text) = segment.texts.get(field) {
                    each_phrase(self, text, field, words, |_, _| count += 1)?;
                }
            }
            most = most.max(count);
        }
        Ok(most)
    }

    /// The words that an unknown run of Chinese characters may be a mistake for: equally long
    /// ones with another character (from three characters on), and those that sound the same
    /// (from two). Nothing for a run that the catalogue has.
    pub fn mistaken(&self, run: &str) -> Result<Arc<Vec<Form>>, TantivyError> {
        let meant = &self.chinese.meant;
        meant.or_find(run.to_owned(), || self.mistakes(run))
    }

    fn mistakes(&self, run: &str) -> Result<Vec<Form>, TantivyError> {
        let vocabulary = self.vocabulary()?;
        let characters = run.chars().count();
        let mut words: FxHashSet<String> = FxHashSet::default();
        if characters >= 3 {
            let near = vocabulary.words.iter();
            words.extend(near.filter(|word| differs_by_one(run, word)).cloned());
        }
        for reading in pinyin(run) {
            let same = vocabulary.read(&reading, false);
            let same = same.filter(|word| word.chars().count() == characters);
            words.extend(same.map(str::to_owned));
        }
        words.remove(run);
        let mut found = Vec::new();
        for word in words {
            let frequency = self.frequency(&word)?;
            if frequency > 0 {
                found.push(Form {
                    text: word,
                    frequency,
                    typos: 1,
                });
            }
        }
        found.sort_by(|a, b| {
            let frequency = b.frequency.cmp(&a.frequency);
            frequency.then_with(|| a.text.cmp(&b.text))
        });
        found.truncate(MOST_HEARD);
        Ok(found)
    }
}

/// Whether two words have the same number of characters and all but one in common.
fn differs_by_one(a: &str, b: &str) -> bool {
    // Characters of the usual blocks have three bytes each.
    if a.len() != b.len() {
        return false;
    }
    let different = a.chars().zip(b.chars()).filter(|(a, b)| a != b);
    different.take(2).count() == 1 && a.chars().count() == b.chars().count()
}

/// Calls `each` with every way to read letters as two or three known readings, fewest first.
fn split<'l>(
    vocabulary: &Vocabulary,
    letters: &'l str,
    parts: &mut Vec<&'l str>,
    each: &mut dyn FnMut(&[&'l str]) -> Result<(), TantivyError>,
) -> Result<(), TantivyError> {
    if !parts.is_empty() && vocabulary.read(letters, false).next().is_some() {
        parts.push(letters);
        each(parts)?;
        parts.pop();
    }
    if parts.len() + 1 >= MOST_PARTS {
        return Ok(());
    }
    for (at, _) in letters.char_indices().skip(1) {
        let (head, rest) = letters.split_at(at);
        if vocabulary.read(head, false).next().is_some() {
            parts.push(head);
            split(vocabulary, rest, parts, each)?;
            parts.pop();
        }
    }
    Ok(())
}
