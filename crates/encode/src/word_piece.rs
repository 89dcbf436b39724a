//! The tokeniser of plain BERT: clean, lower, split at spaces and punctuation, then cut each
//! word into the longest pieces of the vocabulary. It covers the pipeline nearly every BERT
//! folder asks for, many times faster than the `tokenizers` crate, whose answers it gives.

use crate::trie::Trie;
use serde::Deserialize;
use std::collections::HashMap;
use unicode_categories::UnicodeCategories;
use unicode_normalization_alignments::UnicodeNormalization;
use unicode_normalization_alignments::char::{canonical_combining_class, decompose_canonical};

/// `tokenizer.json`, if it asks for nothing but the pipeline of BERT.
#[derive(Debug, Deserialize)]
struct RawTokenizer {
    added_tokens: Vec<RawAdded>,
    normalizer: RawNormalizer,
    pre_tokenizer: RawPreTokenizer,
    model: RawModel,
}

#[derive(Debug, Deserialize)]
struct RawAdded {
    id: u32,
    content: String,
    normalized: bool,
    single_word: bool,
    lstrip: bool,
    rstrip: bool,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", deny_unknown_fields)]
enum RawNormalizer {
    BertNormalizer {
        clean_text: bool,
        handle_chinese_chars: bool,
        strip_accents: Option<bool>,
        lowercase: bool,
    },
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", deny_unknown_fields)]
enum RawPreTokenizer {
    BertPreTokenizer {},
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", deny_unknown_fields)]
enum RawModel {
    WordPiece {
        unk_token: String,
        continuing_subword_prefix: String,
        max_input_chars_per_word: usize,
        vocab: HashMap<String, u32>,
    },
}

/// What becomes of a character before words are cut.
#[derive(Clone, Copy, Debug)]
enum Character {
    Dropped,
    Space,
    /// A word of its own.
    Alone(u8),
    Letter(u8),
}

/// The pipeline of BERT with one vocabulary.
#[derive(Debug)]
pub(crate) struct WordPiece {
    cleaning: Cleaning,
    /// What `cleaning` does to each ASCII character.
    ascii: [Character; 128],
    /// Pieces that begin a word, and those that continue one, without their mark.
    first: Trie,
    further: Trie,
    unknown: u32,
    longest_word: usize,
    /// Tokens such as `[SEP]`, which are themselves wherever a text names them.
    added: Trie,
    vocabulary: HashMap<String, u32>,
}

#[derive(Clone, Copy, Debug)]
struct Cleaning {
    clean: bool,
    chinese: bool,
    strip_accents: bool,
    lower: bool,
}

impl WordPiece {
    /// The pipeline that `json` describes; none if it is another one or no JSON at all.
    pub fn parse(json: &[u8]) -> Option<Self> {
        let raw: RawTokenizer = serde_json::from_slice(json).ok()?;
        let RawPreTokenizer::BertPreTokenizer {} = raw.pre_tokenizer;
        let RawNormalizer::BertNormalizer {
            clean_text,
            handle_chinese_chars,
            strip_accents,
            lowercase,
        } = raw.normalizer;
        let RawModel::WordPiece {
            unk_token,
            continuing_subword_prefix,
            max_input_chars_per_word,
            vocab: vocabulary,
        } = raw.model;
        let unknown = *vocabulary.get(&unk_token)?;
        let first: Vec<(&[u8], u32)> = vocabulary
            .iter()
            .map(|(piece, &id)| (piece.as_bytes(), id))
            .collect();
        let further: Vec<(&[u8], u32)> = first
            .iter()
            .filter_map(|&(piece, id)| {
                let piece = piece.strip_prefix(continuing_subword_prefix.as_bytes())?;
                Some((piece, id))
            })
            .collect();
        let (first, further) = (Trie::new(&first), Trie::new(&further));
        let cleaning = Cleaning {
            clean: clean_text,
            chinese: handle_chinese_chars,
            strip_accents: strip_accents.unwrap_or(lowercase),
            lower: lowercase,
        };
        for token in &raw.added_tokens {
            let is_plain = !(token.normalized || token.single_word || token.lstrip || token.rstrip);
            if !is_plain || vocabulary.get(&token.content) != Some(&token.id) {
                return None;
            }
        }
        let added: Vec<(&[u8], u32)> = raw
            .added_tokens
            .iter()
            .map(|token| (token.content.as_bytes(), token.id))
            .collect();
        Some(Self {
            cleaning,
            ascii: std::array::from_fn(|code| cleaning.ascii(code as u8)),
            first,
            further,
            unknown,
            longest_word: max_input_chars_per_word,
            added: Trie::new(&added),
            vocabulary,
        })
    }

    /// Gives up the pieces by name, with their numbers.
    pub fn take_vocabulary(&mut self) -> HashMap<String, u32> {
        std::mem::take(&mut self.vocabulary)
    }

    /// The tokens of a text, without the special ones.
    pub fn tokens(&self, text: &str) -> Vec<u32> {
        let mut words = Words {
            pieces: self,
            word: String::new(),
            tokens: Vec::with_capacity(text.len() / 3 + 1),
        };
        let mut from = 0;
        let mut at = 0;
        while at < text.len() {
            match self.added.longest(&text.as_bytes()[at..]) {
                Some((length, token)) => {
                    words.push_text(&text[from..at]);
                    words.tokens.push(token);
                    at += length;
                    from = at;
                }
                None => at += 1,
            }
        }
        words.push_text(&text[from..]);
        words.tokens
    }

    /// Longest piece first. A word is cut whole or not at all.
    fn cut(&self, word: &str, tokens: &mut Vec<u32>) {
        if word.len() > self.longest_word && word.chars().count() > self.longest_word {
            tokens.push(self.unknown);
            return;
        }
        let before = tokens.len();
        let mut rest = word.as_bytes();
        let mut pieces = &self.first;
        while !rest.is_empty() {
            let Some((length, piece)) = pieces.longest(rest) else {
                tokens.truncate(before);
                tokens.push(self.unknown);
                return;
            };
            tokens.push(piece);
            rest = &rest[length..];
            pieces = &self.further;
        }
    }
}

/// Collects characters into words and cuts each.
struct Words<'a> {
    pieces: &'a WordPiece,
    word: String,
    tokens: Vec<u32>,
}

impl Words<'_> {
    fn end_word(&mut self) {
        if !self.word.is_empty() {
            self.pieces.cut(&self.word, &mut self.tokens);
            self.word.clear();
        }
    }

    fn alone(&mut self, character: char) {
        self.end_word();
        self.word.push(character);
        self.end_word();
    }

    fn push_text(&mut self, text: &str) {
        let before = self.tokens.len();
        for character in text.chars() {
            match self.pieces.ascii.get(character as usize) {
                Some(Character::Dropped) => {}
                Some(Character::Space) => self.end_word(),
                Some(&Character::Alone(byte)) => self.alone(char::from(byte)),
                Some(&Character::Letter(byte)) => self.word.push(char::from(byte)),
                None => {
                    if self.push_other(character).is_none() {
                        self.word.clear();
                        self.tokens.truncate(before);
                        self.push_sorted(text);
                        break;
                    }
                }
            }
        }
        self.end_word();
    }

    /// Any character; none if what becomes of it depends on its neighbours.
    fn push_other(&mut self, character: char) -> Option<()> {
        let cleaning = self.pieces.cleaning;
        if cleaning.drops(character) {
            return Some(());
        }
        let is_chinese = cleaning.chinese && is_chinese(character);
        if is_chinese {
            self.end_word();
        }
        let mut is_local = true;
        if cleaning.strip_accents {
            decompose_canonical(character, |part| {
                if !part.is_mark_nonspacing() {
                    is_local &= canonical_combining_class(part) == 0;
                    self.push_lower(part);
                }
            });
        } else {
            self.push_lower(character);
        }
        if is_chinese {
            self.end_word();
        }
        is_local.then_some(())
    }

    /// A text with accents to strip whose marks need sorting: some are not dropped, so their
    /// order shows. That is rare, and slow because all of the text is decomposed first.
    fn push_sorted(&mut self, text: &str) {
        let cleaning = self.pieces.cleaning;
        let cleaned = text
            .chars()
            .filter(|&character| !cleaning.drops(character))
            .flat_map(|character| {
                let space = (cleaning.chinese && is_chinese(character)).then_some(' ');
                [space, Some(character), space].into_iter().flatten()
            });
        for (part, _) in cleaned.nfd() {
            if !part.is_mark_nonspacing() {
                self.push_lower(part);
            }
        }
    }

    fn push_lower(&mut self, character: char) {
        if self.pieces.cleaning.lower {
            for lower in character.to_lowercase() {
                self.push(lower);
            }
        } else {
            self.push(character);
        }
    }

    /// A character behind all cleaning.
    fn push(&mut self, character: char) {
        if character.is_whitespace() {
            self.end_word();
        } else if is_punctuation(character) {
            self.alone(character);
        } else {
            self.word.push(character);
        }
    }
}

impl Cleaning {
    fn drops(self, character: char) -> bool {
        self.clean
            && match character {
                '\t' | '\n' | '\r' => false,
                '\0' | '\u{fffd}' => true,
                other => other.is_other(),
            }
    }

    fn ascii(self, code: u8) -> Character {
        let character = char::from(code);
        if self.drops(character) {
            Character::Dropped
        } else if character.is_whitespace() {
            Character::Space
        } else if is_punctuation(character) {
            Character::Alone(code)
        } else if self.lower {
            Character::Letter(code.to_ascii_lowercase())
        } else {
            Character::Letter(code)
        }
    }
}

fn is_punctuation(character: char) -> bool {
    character.is_ascii_punctuation() || character.is_punctuation()
}

/// The blocks of CJK ideographs as BERT's first tokeniser listed them.
fn is_chinese(character: char) -> bool {
    matches!(
        character,
        '\u{4e00}'..='\u{9fff}'
            | '\u{3400}'..='\u{4dbf}'
            | '\u{20000}'..='\u{2a6df}'
            | '\u{2a700}'..='\u{2b73f}'
            | '\u{2b740}'..='\u{2b81f}'
            | '\u{2b920}'..='\u{2ceaf}'
            | '\u{f900}'..='\u{faff}'
            | '\u{2f800}'..='\u{2fa1f}'
    )
}

#[cfg(test)]
mod tests;
