//! The tokeniser of the XLM-RoBERTa family: a text is cut into the pieces whose scores sum
//! to the most. It follows SentencePiece's unigram model (Kudo 2018,
//! <https://arxiv.org/abs/1804.10959>) behind its `nmt_nfkc` normaliser.

use crate::trie::Trie;
use unicode_normalization::UnicodeNormalization;

/// Stands before every word.
const WORD_START: &str = "\u{2581}";

/// How much worse an unknown character is than the worst piece; SentencePiece's constant.
const UNKNOWN_PENALTY: f64 = 10.0;

/// NFKC would turn it into `~`, but SentencePiece keeps it: in Japanese the two differ.
const FULL_WIDTH_TILDE: char = '\u{ff5e}';

/// Pieces with their scores.
#[derive(Debug)]
pub(crate) struct Unigram {
    pieces: Trie,
    scores: Vec<f32>,
    unknown: u32,
    unknown_score: f64,
}

/// The best way found to a place in a word.
#[derive(Clone, Copy)]
struct Step {
    score: f64,
    from: u32,
    piece: u32,
}

/// A place that no piece reaches.
const UNREACHED: Step = Step {
    score: f64::NEG_INFINITY,
    from: 0,
    piece: 0,
};

impl Unigram {
    /// `pieces` are in the order of their numbers and have a finite score each. The piece
    /// `unknown` stands for all that no piece covers and never matches a text itself.
    pub fn new(pieces: &[&str], scores: Vec<f32>, unknown: u32) -> Self {
        assert_eq!(pieces.len(), scores.len(), "each piece has one score");
        let keys: Vec<(&[u8], u32)> = (0..)
            .zip(pieces)
            .filter(|&(number, _)| number != unknown)
            .map(|(number, piece)| (piece.as_bytes(), number))
            .collect();
        let worst = scores.iter().copied().fold(f32::INFINITY, f32::min);
        Self {
            pieces: Trie::new(&keys),
            scores,
            unknown,
            unknown_score: f64::from(worst) - UNKNOWN_PENALTY,
        }
    }

    /// The tokens of a text, without the special ones.
    ///
    /// Words are cut one by one. That is the same as cutting the whole text, since a piece
    /// with [`WORD_START`] inside could not come from a vocabulary split at spaces.
    pub fn tokens(&self, text: &str) -> Vec<u32> {
        let mut words = Words {
            unigram: self,
            word: String::from(WORD_START),
            is_spaced: false,
            steps: Vec::new(),
            tokens: Vec::with_capacity(text.len() / 3 + 1),
        };
        if text.is_ascii() {
            for character in text.chars().filter(is_kept).map(spaced) {
                words.push(character);
            }
        } else {
            for (number, part) in text.split(FULL_WIDTH_TILDE).enumerate() {
                if number > 0 {
                    words.push(FULL_WIDTH_TILDE);
                }
                for character in part.chars().filter(is_kept).map(spaced).nfkc() {
                    words.push(character);
                }
            }
        }
        words.end_text()
    }

    /// Viterbi over the places of one word: `steps[at]` is the best way to byte `at`.
    fn cut(&self, word: &str, steps: &mut Vec<Step>, tokens: &mut Vec<u32>) {
        steps.clear();
        steps.resize(word.len() + 1, UNREACHED);
        steps[0].score = 0.0;
        for (at, character) in word.char_indices() {
            let here = steps[at].score;
            let mut covered = false;
            for (length, piece) in self.pieces.prefixes(&word.as_bytes()[at..]) {
                covered |= length == character.len_utf8();
                let score = here + f64::from(self.scores[piece as usize]);
                offer(&mut steps[at + length], score, at, piece);
            }
            if !covered {
                let next = &mut steps[at + character.len_utf8()];
                offer(next, here + self.unknown_score, at, self.unknown);
            }
        }
        let first = tokens.len();
        let mut at = word.len();
        while at > 0 {
            let step = steps[at];
            // Neighbours that are unknown are one token.
            if step.piece != self.unknown || tokens[first..].last() != Some(&self.unknown) {
                tokens.push(step.piece);
            }
            at = step.from as usize;
        }
        tokens[first..].reverse();
    }
}

fn offer(step: &mut Step, score: f64, from: usize, piece: u32) {
    if score > step.score {
        *step = Step {
            score,
            from: from as u32,
            piece,
        };
    }
}

/// Collects characters into words and cuts each. Every word begins with [`WORD_START`], the
/// first one whether or not a space stands before it.
struct Words<'a> {
    unigram: &'a Unigram,
    word: String,
    /// Whether a space of the text began this word.
    is_spaced: bool,
    steps: Vec<Step>,
    tokens: Vec<u32>,
}

impl Words<'_> {
    fn push(&mut self, character: char) {
        if character == ' ' {
            self.end_word();
            self.is_spaced = true;
        } else {
            self.word.push(character);
            if self.word.len() >= LONGEST_WORD {
                self.end_word();
            }
        }
    }

    /// Cuts the word; if there is none yet, it goes on, so that spaces are folded.
    fn end_word(&mut self) {
        if self.word.len() > WORD_START.len() {
            self.unigram
                .cut(&self.word, &mut self.steps, &mut self.tokens);
            self.word.truncate(WORD_START.len());
            self.is_spaced = false;
        }
    }

    /// Spaces at the end are a word of their own, as they were when the model was trained.
    fn end_text(mut self) -> Vec<u32> {
        self.end_word();
        if self.is_spaced {
            self.unigram
                .cut(WORD_START, &mut self.steps, &mut self.tokens);
        }
        self.tokens
    }
}

/// Bytes of one word that are looked at together; a longer one goes on as another word, so
/// that the memory for its places stays small.
const LONGEST_WORD: usize = 1 << 20;

/// What SentencePiece's rules for machine translation take for a space, beside those that
/// NFKC knows.
fn spaced(character: char) -> char {
    match character {
        '\t'
        | '\n'
        | '\u{c}'
        | '\r'
        | '\u{1680}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{2581}'
        | '\u{feff}'
        | '\u{fffd}' => ' ',
        other => other,
    }
}

/// Not one of the control characters that the same rules drop. Zero is ours: it ends a
/// text in C.
fn is_kept(character: &char) -> bool {
    !matches!(
        *character,
        '\0'..='\u{8}' | '\u{b}' | '\u{e}'..='\u{1f}' | '\u{7f}' | '\u{8f}' | '\u{9f}'
    )
}

#[cfg(test)]
mod tests;
