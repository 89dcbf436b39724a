//! From what was typed to words, phrases and exclusions.
//!
//! `"two words"` must stand side by side, `-word` and `-"two words"` must not
//! occur, everything else is a wanted word. What follows `without`, 不要, 不含 or 除了
//! must not occur either, unless nothing else is wanted; in quotation marks these are
//! words like others. Only the first ten words count; the last one is open-ended unless
//! white space follows it.

use crate::query_plan::CompiledPlan;
use crate::schema::storable;
use crate::value;
use text::{Analyzer, Token};

/// Words that count in a query.
pub(crate) const MOST_WORDS: usize = 10;
/// Bytes of a query that are read.
const LONGEST_QUERY: usize = 4_000;
/// Says in Chinese that what follows is not wanted.
const WITHOUT_CHINESE: [&str; 2] = ["不要", "除了"];
/// May stand between `without` and what is not wanted.
const ARTICLES: [&str; 4] = ["a", "an", "any", "the"];

/// A query, understood.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Parsed {
    pub parts: Vec<Part>,
    pub excluded: Vec<Vec<String>>,
    /// Whether the last thing read was a wanted word.
    ends_in_word: bool,
}

/// One wanted thing.
#[derive(Debug, PartialEq)]
pub(crate) enum Part {
    Word(Word),
    Phrase(Vec<String>),
}

/// One wanted word.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Word {
    /// As it is indexed.
    pub text: String,
    /// As it was typed, for longer words and typos.
    pub surface: String,
    /// More letters may follow.
    pub open: bool,
    /// Nothing stands between it and the word before it.
    pub joins: bool,
    /// The number with its unit that this word is a part of, as it is indexed.
    pub measure: Option<String>,
}

impl Word {
    fn of(token: &Token) -> Self {
        Self {
            text: storable(&token.text),
            surface: storable(&token.surface),
            ..Self::default()
        }
    }
}

/// A stretch of the query text.
enum Stretch {
    Plain(String),
    Phrase(String),
    Excluded(String),
}

/// Whether `without` and the like mean what they say.
#[derive(Clone, Copy, PartialEq)]
enum Negation {
    Heard,
    Unheard,
}

impl Parsed {
    pub fn new(text: &str, analyzer: &Analyzer, plan: &CompiledPlan) -> Self {
        let text = value::shortened(text, LONGEST_QUERY);
        let parsed = Self::read(text, analyzer, plan, Negation::Heard);
        if parsed.parts.is_empty() && !parsed.excluded.is_empty() {
            return Self::read(text, analyzer, plan, Negation::Unheard);
        }
        parsed
    }

    fn read(text: &str, analyzer: &Analyzer, plan: &CompiledPlan, negation: Negation) -> Self {
        let mut parsed = Self::default();
        for stretch in stretches(text) {
            parsed.ends_in_word = false;
            match stretch {
                Stretch::Plain(text) => parsed.take_plain(&text, analyzer, negation),
                Stretch::Phrase(text) => {
                    let words = words(analyzer, &text);
                    if !words.is_empty() {
                        parsed.parts.push(Part::Phrase(words));
                    }
                }
                Stretch::Excluded(text) => parsed.exclude(words(analyzer, &text)),
            }
        }
        let open_ended = text
            .chars()
            .next_back()
            .is_some_and(|last| !last.is_whitespace());
        if plan.plan.prefix
            && open_ended
            && parsed.ends_in_word
            && let Some(Part::Word(word)) = parsed.parts.last_mut()
        {
            word.open = ends_in_word(text);
        }
        parsed.drop_stop_words(plan);
        parsed.cap();
        parsed
    }

    /// Words outside of quotation marks, and what some of them exclude.
    fn take_plain(&mut self, text: &str, analyzer: &Analyzer, negation: Negation) {
        let (tokens, measures) = analyzer.query_measures(text);
        let mut end = None;
        let mut place = 0;
        while let Some(token) = tokens.get(place) {
            if negation == Negation::Heard
                && let Some(unwanted) = self.unwanted(&tokens, place)
                && let Some(token) = tokens.get(unwanted)
            {
                let word = storable(&token.text);
                self.exclude(Vec::from_iter((!word.is_empty()).then_some(word)));
                self.ends_in_word = false;
                place = unwanted + 1;
                continue;
            }
            let mut word = Word::of(token);
            word.joins = end == Some(token.start);
            end = Some(token.end);
            let measure = measures
                .iter()
                .find(|measure| measure.number == place || measure.unit == place);
            word.measure = measure.map(|measure| measure.text.clone());
            if !word.text.is_empty() {
                self.ends_in_word = true;
                self.parts.push(Part::Word(word));
            }
            place += 1;
        }
    }

    /// The place of the word that `without` or a Chinese word like it at `place` excludes.
    fn unwanted(&self, tokens: &[Token], place: usize) -> Option<usize> {
        let said = tokens.get(place)?.surface.as_str();
        let mut next = place + 1;
        if said == "without" {
            // "Without Remorse" is a title; "jacket without a hood" is a wish.
            if self.parts.is_empty() {
                return None;
            }
            let is_article = |token: &Token| ARTICLES.contains(&token.surface.as_str());
            if tokens.get(next).is_some_and(is_article) && next + 1 < tokens.len() {
                next += 1;
            }
        } else if said == "不" && tokens.get(next)?.surface == "含" {
            next += 1;
        } else if !WITHOUT_CHINESE.contains(&said) {
            return None;
        }
        (next < tokens.len()).then_some(next)
    }

    fn exclude(&mut self, words: Vec<String>) {
        if !words.is_empty() && self.excluded.len() < MOST_WORDS {
            self.excluded.push(words);
        }
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

/// The sections between quotation marks. A mark right behind a digit that closes nothing
/// stands for inches.
fn sections(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices('"') {
        let before = text.get(..at).unwrap_or_default();
        let is_open = found.len() % 2 == 1;
        if !is_open && before.ends_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        found.push(text.get(start..at).unwrap_or_default());
        start = at + 1;
    }
    found.push(text.get(start..).unwrap_or_default());
    found
}

/// Cuts at quotation marks, and takes out the pieces that start with a minus.
fn stretches(text: &str) -> Vec<Stretch> {
    let mut found = Vec::new();
    let mut plain = String::new();
    let mut excluded_phrase = false;
    for (number, section) in sections(text).into_iter().enumerate() {
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
