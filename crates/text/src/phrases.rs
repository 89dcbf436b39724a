//! The shop's own words, such as `t-light` or `J. R. R.`, which stay one token.
//!
//! They are found literally in the folded text, where a word may begin; white
//! space in them meets any white space of the text.

use rustc_hash::FxHashMap;

/// Dictionary words by their first character, longest first.
#[derive(Debug, Default)]
pub(crate) struct Phrases {
    by_first: FxHashMap<char, Vec<String>>,
}

impl Phrases {
    /// From normalised words; empty ones are left out.
    pub fn new(words: impl IntoIterator<Item = String>) -> Self {
        let mut by_first: FxHashMap<char, Vec<String>> = FxHashMap::default();
        for word in words {
            if let Some(first) = word.chars().next() {
                by_first.entry(first).or_default().push(word);
            }
        }
        for words in by_first.values_mut() {
            words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        }
        Self { by_first }
    }

    pub fn is_empty(&self) -> bool {
        self.by_first.is_empty()
    }

    /// Whether exactly this word is listed.
    pub fn contains(&self, word: &str) -> bool {
        self.candidates(word).iter().any(|listed| listed == word)
    }

    /// The longest word that `text` begins with, and the bytes of `text` it covers.
    /// `ends_word` says whether a word may end before the given rest.
    pub fn find(&self, text: &str, ends_word: impl Fn(&str) -> bool) -> Option<(&str, usize)> {
        self.candidates(text).iter().find_map(|word| {
            let rest = after(text, word)?;
            let ends = !word.ends_with(char::is_alphanumeric) || ends_word(rest);
            ends.then_some((word.as_str(), text.len() - rest.len()))
        })
    }

    fn candidates(&self, text: &str) -> &[String] {
        let first = text.chars().next();
        let listed = first.and_then(|first| self.by_first.get(&first));
        listed.map_or(&[], Vec::as_slice)
    }
}

/// What follows `word` in `text` when `text` begins with it.
fn after<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let mut rest = text;
    for (index, part) in word.split(' ').enumerate() {
        if index > 0 {
            let trimmed = rest.trim_start();
            if trimmed.len() == rest.len() {
                return None;
            }
            rest = trimmed;
        }
        rest = rest.strip_prefix(part)?;
    }
    Some(rest)
}
