//! Chinese words, through jieba and its own dictionary.
//!
//! Loading that dictionary takes a moment and some memory, so it happens when
//! the first Chinese character is met and once for the whole process. Words
//! outside the dictionary come apart into characters: guessing them, as jieba's
//! hidden Markov model does, would split the same name differently in a
//! product and in a query.

use jieba_rs::Jieba;
use std::fmt;
use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

static SHARED: LazyLock<Jieba> = LazyLock::new(Jieba::new);

const GUESS_UNKNOWN_WORDS: bool = false;

/// Sub-words of these lengths are indexed beside their compound.
const SUB_WORDS: [usize; 2] = [3, 2];

/// Splits runs of Chinese characters.
pub(crate) struct Segmenter {
    extra_words: Vec<String>,
    /// The shared dictionary with the extra words.
    extended: OnceLock<Jieba>,
}

impl Segmenter {
    /// Knows `extra_words`, simplified, beside jieba's own.
    pub fn new(extra_words: Vec<String>) -> Self {
        Self {
            extra_words,
            extended: OnceLock::new(),
        }
    }

    /// The words of `run`, in order; byte ranges without gaps.
    pub fn words(&self, run: &str) -> Vec<Range<usize>> {
        let tokens = self.jieba().cut(run, GUESS_UNKNOWN_WORDS);
        tokens
            .iter()
            .map(|token| token.byte_start..token.byte_end)
            .collect()
    }

    /// The dictionary words of two and three characters inside a longer `word`, in order, and
    /// its last character: a compound is a kind of what it ends with (女鞋 is 鞋, 行李箱 is 箱).
    pub fn sub_words(&self, word: &str) -> Vec<Range<usize>> {
        let jieba = self.jieba();
        let bounds: Vec<usize> = word
            .char_indices()
            .map(|(at, _)| at)
            .chain([word.len()])
            .collect();
        let mut found = Vec::new();
        for (index, &start) in bounds.iter().enumerate() {
            for length in SUB_WORDS {
                let Some(&end) = bounds.get(index + length) else {
                    continue;
                };
                let is_shorter = length + 1 < bounds.len();
                if is_shorter
                    && word
                        .get(start..end)
                        .is_some_and(|part| jieba.has_word(part))
                {
                    found.push(start..end);
                }
            }
        }
        if let [_, .., head, end] = *bounds.as_slice() {
            found.push(head..end);
        }
        found
    }

    fn jieba(&self) -> &Jieba {
        if self.extra_words.is_empty() {
            return &SHARED;
        }
        self.extended.get_or_init(|| {
            let mut jieba = SHARED.clone();
            for word in &self.extra_words {
                jieba.add_word(word, None, None);
            }
            jieba
        })
    }
}

impl fmt::Debug for Segmenter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shape = f.debug_struct("Segmenter");
        shape
            .field("extra_words", &self.extra_words)
            .finish_non_exhaustive()
    }
}
