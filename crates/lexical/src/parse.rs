//! From what was typed to words, phrases and exclusions.
//!
//! `"two words"` must stand side by side, `-word` and `-"two words"` must not
//! occur, everything else is a wanted word. Only the first ten words count;
//! the last one is open-ended unless white space follows it.

use crate::query_plan::CompiledPlan;
use crate::schema::storable;
use crate::value;
use text::Analyzer;

/// Words that count in a query.
pub(crate) const MOST_WORDS: usize = 10;
/// Bytes of a query that are read.
const LONGEST_QUERY: usize = 4_000;

/// A query, understood.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Parsed {
    pub parts: Vec<Part>,
    pub excluded: Vec<Vec<String>>,
}

/// One wanted thing.
#[derive(Debug, PartialEq)]
pub(crate) enum Part {
    Word(Word),
    Phrase(Vec<String>),
}

/// One wanted word.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Word {
    /// As it is indexed.
    pub text: String,
    /// As it was typed, for longer words and typos.
    pub surface: String,
    /// More letters may follow.
    pub open: bool,
}

/// A stretch of the query text.
enum Stretch {
    Plain(String),
    Phrase(String),
    Excluded(String),
}

impl Parsed {
    pub fn new(text: &str, analyzer: &Analyzer, plan: &CompiledPlan) -> Self {
        let text = value::shortened(text, LONGEST_QUERY);
        let mut parsed = Self::default();
        for stretch in stretches(text) {
            match stretch {
                Stretch::Plain(text) => {
                    for token in analyzer.query_tokens(&text) {
                        let (text, surface) = (storable(&token.text), storable(&token.surface));
                        if !text.is_empty() {
                            let open = false;
                            parsed.parts.push(Part::Word(Word {
                                text,
                                surface,
                                open,
                            }));
                        }
                    }
                }
                Stretch::Phrase(text) => {
                    let words = words(analyzer, &text);
                    if !words.is_empty() {
                        parsed.parts.push(Part::Phrase(words));
                    }
                }
                Stretch::Excluded(text) => {
                    let words = words(analyzer, &text);
                    if !words.is_empty() && parsed.excluded.len() < MOST_WORDS {
                        parsed.excluded.push(words);
                    }
                }
            }
        }
        let open_ended = text
            .chars()
            .next_back()
            .is_some_and(|last| !last.is_whitespace());
        if plan.plan.prefix
            && open_ended
            && let Some(Part::Word(word)) = parsed.parts.last_mut()
        {
            word.open = ends_in_word(text);
        }
        parsed.drop_stop_words(plan);
        parsed.cap();
        parsed
    }

    /// Stop words go, unless nothing else is left.
    fn drop_stop_words(&mut self, plan: &CompiledPlan) {
        let is_stop =
            |part: &Part| matches!(part, Part::Word(word) if plan.stop_words.contains(&word.text));
        if !self.parts.iter().all(is_stop) {
            self.parts.retain(|part| !is_stop(part));
        }
    }

    fn cap(&mut self) {
        let mut count = 0;
        for part in &mut self.parts {
            if let Part::Phrase(words) = part {
                words.truncate(MOST_WORDS - count.min(MOST_WORDS));
                count += words.len();
            } else {
                count += 1;
                if count > MOST_WORDS {
                    *part = Part::Phrase(Vec::new());
                }
            }
        }
        self.parts
            .retain(|part| !matches!(part, Part::Phrase(words) if words.is_empty()));
    }
}

fn words(analyzer: &Analyzer, text: &str) -> Vec<String> {
    let tokens = analyzer.query_tokens(text);
    let words = tokens.iter().map(|token| storable(&token.text));
    words
        .filter(|word| !word.is_empty())
        .take(MOST_WORDS)
        .collect()
}

/// Whether the last thing typed is a word rather than a phrase or an exclusion.
fn ends_in_word(text: &str) -> bool {
    let last = text.rsplit(char::is_whitespace).next().unwrap_or_default();
    !last.ends_with('"') && !is_exclusion(last)
}

fn is_exclusion(piece: &str) -> bool {
    let mut letters = piece.chars();
    letters.next() == Some('-') && letters.next().is_some_and(|second| second != '-')
}

/// Cuts at quotation marks, and takes out the pieces that start with a minus.
fn stretches(text: &str) -> Vec<Stretch> {
    let mut found = Vec::new();
    let mut plain = String::new();
    let mut excluded_phrase = false;
    for (number, section) in text.split('"').enumerate() {
        if number % 2 == 1 {
            found.push(if excluded_phrase {
                Stretch::Excluded(section.to_owned())
            } else {
                Stretch::Phrase(section.to_owned())
            });
            continue;
        }
        // `-"two words"`: the minus stands at the end of the section before the quotation.
        let (section, minus) = match section.strip_suffix('-') {
            Some(before) if before.is_empty() || before.ends_with(char::is_whitespace) => {
                (before, true)
            }
            _ => (section, false),
        };
        excluded_phrase = minus;
        for piece in section.split_whitespace() {
            if is_exclusion(piece) {
                found.push(Stretch::Excluded(piece.trim_start_matches('-').to_owned()));
            } else {
                if !plain.is_empty() {
                    plain.push(' ');
                }
                plain.push_str(piece);
            }
        }
        if !plain.is_empty() {
            found.push(Stretch::Plain(std::mem::take(&mut plain)));
        }
    }
    found
}
