//! Which words of the index a typed word may stand for.
//!
//! All lookups go to one dictionary per segment, that of the field with every
//! distinct word. What was found is kept as long as the snapshot lives, because
//! people type the same beginnings again and again.

use crate::snapshot::Core;
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex};
use tantivy::query::FuzzyTermQuery;
use tantivy::schema::IndexRecordOption;
use tantivy::{TantivyError, Term};
use text::damerau_levenshtein;

/// A beginning stands for so many of its most frequent words.
const MOST_LONGER: usize = 100;
/// A misspelt word stands for so many of its most similar words.
const MOST_SIMILAR: usize = 30;
/// Expansions that are remembered.
const REMEMBERED: usize = 4_096;
/// Frequencies up to here are counted exactly where documents were deleted.
const COUNTED: u32 = 4_096;

/// One word of the index that a typed word may stand for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Form {
    pub text: String,
    /// Documents that have it.
    pub frequency: u64,
    pub typos: u8,
}

/// What was found out about typed words.
#[derive(Default)]
pub(crate) struct Forms(Mutex<FxHashMap<Asked, Arc<Vec<Form>>>>);

/// A word, the typos allowed, and whether more letters may follow.
type Asked = (String, u8, bool);

impl Core {
    /// Documents that have the word in any searchable attribute.
    pub fn frequency(&self, word: &str) -> Result<u64, TantivyError> {
        let term = Term::from_field_text(self.fields.words, word);
        let mut total = 0;
        for segment in &self.segments {
            let Some(info) = segment.words.get_term_info(&term)? else {
                continue;
            };
            total += match segment.reader.alive_bitset() {
                None => u64::from(info.doc_freq),
                Some(alive) if info.doc_freq <= COUNTED => {
                    let postings = segment
                        .words
                        .read_postings_from_terminfo(&info, IndexRecordOption::Basic)?;
                    u64::from(postings.doc_freq_given_deletes(alive))
                }
                Some(_) => {
                    let (alive, all) = (segment.reader.num_docs(), segment.reader.max_doc().max(1));
                    u64::from(info.doc_freq) * u64::from(alive) / u64::from(all)
                }
            };
        }
        Ok(total)
    }

    /// The most frequent words that start with `start` and are longer.
    pub fn longer(&self, start: &str) -> Result<Arc<Vec<Form>>, TantivyError> {
        self.remembered((start.to_owned(), 0, true), || {
            let mut names: Vec<String> = Vec::new();
            for segment in &self.segments {
                let mut best = BinaryHeap::with_capacity(MOST_LONGER + 1);
                let mut stream = segment.words.terms().range().gt(start).into_stream()?;
                while stream.advance() && stream.key().starts_with(start.as_bytes()) {
                    let frequency = stream.value().doc_freq;
                    let full = best.len() >= MOST_LONGER;
                    if full
                        && best
                            .peek()
                            .is_some_and(|Reverse((least, _))| frequency <= *least)
                    {
                        continue;
                    }
                    best.push(Reverse((frequency, Reverse(stream.key().to_vec()))));
                    if full {
                        best.pop();
                    }
                }
                let keys = best.into_iter().map(|Reverse((_, Reverse(key)))| key);
                names.extend(keys.filter_map(|key| String::from_utf8(key).ok()));
            }
            self.forms(names.into_iter().map(|name| (name, 0)), MOST_LONGER)
        })
    }

    /// The words nearest to `word` with at most `typos` of them; with `open`, words that start
    /// with something that near. The word itself is not among them.
    pub fn similar(
        &self,
        word: &str,
        typos: u8,
        open: bool,
    ) -> Result<Arc<Vec<Form>>, TantivyError> {
        self.remembered((word.to_owned(), typos, open), || {
            let term = Term::from_field_text(self.fields.words, word);
            let query = if open {
                FuzzyTermQuery::new_prefix(term, typos, TRANSPOSITION_IS_ONE)
            } else {
                FuzzyTermQuery::new(term, typos, TRANSPOSITION_IS_ONE)
            };
            let mut names: FxHashMap<String, u8> = FxHashMap::default();
            for segment in &self.segments {
                let mut stream = segment
                    .words
                    .terms()
                    .search(query.automaton()?)
                    .into_stream()?;
                while stream.advance() {
                    let Ok(found) = std::str::from_utf8(stream.key()) else {
                        continue;
                    };
                    if let Some(distance) =
                        distance(word, found, typos, open).filter(|distance| *distance > 0)
                    {
                        names.insert(found.to_owned(), distance);
                    }
                }
            }
            self.forms(names.into_iter(), MOST_SIMILAR)
        })
    }

    /// The best of the found words: few typos first, then the frequent, then by letters.
    fn forms(
        &self,
        names: impl Iterator<Item = (String, u8)>,
        most: usize,
    ) -> Result<Vec<Form>, TantivyError> {
        let mut forms = Vec::new();
        for (text, typos) in names {
            let frequency = self.frequency(&text)?;
            if frequency > 0 {
                forms.push(Form {
                    text,
                    frequency,
                    typos,
                });
            }
        }
        forms.sort_by(|a, b| {
            let key = |form: &Form| (form.typos, Reverse(form.frequency));
            key(a).cmp(&key(b)).then_with(|| a.text.cmp(&b.text))
        });
        forms.dedup();
        forms.truncate(most);
        Ok(forms)
    }

    fn remembered(
        &self,
        asked: Asked,
        find: impl FnOnce() -> Result<Vec<Form>, TantivyError>,
    ) -> Result<Arc<Vec<Form>>, TantivyError> {
        if let Ok(known) = self.forms.0.lock()
            && let Some(forms) = known.get(&asked)
        {
            return Ok(Arc::clone(forms));
        }
        let forms = Arc::new(find()?);
        if let Ok(mut known) = self.forms.0.lock() {
            if known.len() >= REMEMBERED {
                known.clear();
            }
            known.insert(asked, Arc::clone(&forms));
        }
        Ok(forms)
    }
}

/// Two letters that changed places are one typo.
const TRANSPOSITION_IS_ONE: bool = true;

/// Typos between what was typed and a word of the index; a wrong first letter counts as two.
/// With `open`, the word may go on behind what was typed.
pub(crate) fn distance(typed: &str, found: &str, most: u8, open: bool) -> Option<u8> {
    let plain = if open {
        let letters = typed.chars().count();
        let ends = found.char_indices().map(|(at, _)| at).chain([found.len()]);
        let near = usize::from(most);
        ends.skip(letters.saturating_sub(near))
            .take(2 * near + 1)
            .filter_map(|end| damerau_levenshtein(typed, found.get(..end)?, most))
            .min()?
    } else {
        damerau_levenshtein(typed, found, most)?
    };
    let same_start = typed.chars().next() == found.chars().next();
    let typos = if same_start { plain } else { plain + 1 };
    (typos <= most).then_some(typos)
}
