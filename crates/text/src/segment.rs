//! Where words begin and end in a folded text.
//!
//! Letters and digits written together are one word, whatever their order
//! (`006r90321`); every other character separates, except an apostrophe between
//! letters, a point between digits, and what the settings say. Chinese and
//! Japanese runs come apart from the words they touch.

use crate::characters::{is_han, is_kana};
use crate::phrases::Phrases;
use rustc_hash::FxHashMap;
use unicode_normalization::char::is_combining_mark;

/// What a character does to the word it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Letter,
    Digit,
    /// An accent that was kept: belongs to the letter before it.
    Mark,
    Kana,
    Han,
    Apostrophe,
    Point,
    Separator,
}

/// A stretch of the folded text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment<'r> {
    pub start: usize,
    pub end: usize,
    pub kind: SegmentKind<'r>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SegmentKind<'r> {
    Word,
    /// A word with apostrophes in it that are not part of its indexed form.
    WordWithApostrophes,
    /// A word of the shop's dictionary, in its normalised spelling.
    Phrase(&'r str),
    /// Chinese characters, to be segmented further.
    Han,
}

/// What separates words, and the words that nothing separates.
#[derive(Debug)]
pub(crate) struct Rules {
    ascii: [Class; 128],
    others: FxHashMap<char, Class>,
    /// Settings of more than one character; usually none.
    longer: Vec<(String, Class)>,
    pub phrases: Phrases,
}

impl Rules {
    /// All arguments are folded. A separator that is also a non-separator separates.
    pub fn new(phrases: Phrases, separators: &[String], non_separators: &[String]) -> Self {
        let mut rules = Self {
            ascii: std::array::from_fn(|code| {
                u8::try_from(code).map_or(Class::Separator, ascii_class)
            }),
            others: FxHashMap::default(),
            longer: Vec::new(),
            phrases,
        };
        // White space always separates: without that a whole text would be one word.
        for text in non_separators.iter().filter(|text| !text.trim().is_empty()) {
            rules.set(text, Class::Letter);
        }
        for text in separators {
            rules.set(text, Class::Separator);
        }
        // The longest match decides; among equals the one that was set last.
        rules.longer.reverse();
        rules
            .longer
            .sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        rules
    }

    fn set(&mut self, text: &str, class: Class) {
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(only), None) => match self.ascii.get_mut(only as usize) {
                Some(slot) => *slot = class,
                None => {
                    self.others.insert(only, class);
                }
            },
            (Some(_), Some(_)) => self.longer.push((text.to_owned(), class)),
            (None, _) => {}
        }
    }

    pub fn segments<'r>(&'r self, text: &'r str) -> Segments<'r> {
        Segments {
            rules: self,
            text,
            at: 0,
        }
    }

    /// The class of what `text` holds at `at`, and its bytes; nothing is a separator of no bytes.
    #[inline]
    fn class_at(&self, text: &str, at: usize) -> (Class, usize) {
        if !self.longer.is_empty()
            && let Some(found) = self.longer_at(text, at)
        {
            return found;
        }
        match text.as_bytes().get(at) {
            Some(&byte) => match self.ascii.get(usize::from(byte)) {
                Some(&class) => (class, 1),
                None => self.wide_class_at(text, at),
            },
            None => (Class::Separator, 0),
        }
    }

    fn wide_class_at(&self, text: &str, at: usize) -> (Class, usize) {
        match text.get(at..).and_then(|rest| rest.chars().next()) {
            Some(c) => {
                let class = self.others.get(&c).copied();
                (class.unwrap_or_else(|| wide_class(c)), c.len_utf8())
            }
            None => (Class::Separator, 1),
        }
    }

    fn longer_at(&self, text: &str, at: usize) -> Option<(Class, usize)> {
        let rest = text.get(at..)?;
        let found = self
            .longer
            .iter()
            .find(|(text, _)| rest.starts_with(text.as_str()));
        found.map(|(text, class)| (*class, text.len()))
    }

    fn phrase_at(&self, text: &str, at: usize) -> Option<(&str, usize)> {
        if self.phrases.is_empty() {
            return None;
        }
        let ends_word = |rest: &str| {
            let (next, _) = self.class_at(rest, 0);
            !matches!(next, Class::Letter | Class::Digit | Class::Mark)
        };
        self.phrases.find(text.get(at..)?, ends_word)
    }
}

fn ascii_class(byte: u8) -> Class {
    match byte {
        b'0'..=b'9' => Class::Digit,
        b'a'..=b'z' | b'A'..=b'Z' => Class::Letter,
        b'\'' => Class::Apostrophe,
        b'.' => Class::Point,
        _ => Class::Separator,
    }
}

fn wide_class(c: char) -> Class {
    if is_han(c) {
        Class::Han
    } else if is_kana(c) {
        Class::Kana
    } else if is_combining_mark(c) {
        Class::Mark
    } else if c.is_alphanumeric() {
        Class::Letter
    } else {
        Class::Separator
    }
}

/// The segments of one text, in order.
pub(crate) struct Segments<'r> {
    rules: &'r Rules,
    text: &'r str,
    at: usize,
}

impl<'r> Iterator for Segments<'r> {
    type Item = Segment<'r>;

    fn next(&mut self) -> Option<Segment<'r>> {
        while self.at < self.text.len() {
            let start = self.at;
            if let Some((phrase, length)) = self.rules.phrase_at(self.text, start) {
                self.at += length;
                return Some(self.segment(start, SegmentKind::Phrase(phrase)));
            }
            let (class, width) = self.rules.class_at(self.text, start);
            self.at += width;
            match class {
                Class::Letter | Class::Digit => {
                    let kind = self.word(class);
                    return Some(self.segment(start, kind));
                }
                Class::Kana => {
                    self.run(|class| matches!(class, Class::Kana | Class::Mark));
                    return Some(self.segment(start, SegmentKind::Word));
                }
                Class::Han => {
                    self.run(|class| class == Class::Han);
                    return Some(self.segment(start, SegmentKind::Han));
                }
                Class::Mark | Class::Apostrophe | Class::Point | Class::Separator => {}
            }
        }
        None
    }
}

impl<'r> Segments<'r> {
    fn segment(&self, start: usize, kind: SegmentKind<'r>) -> Segment<'r> {
        Segment {
            start,
            end: self.at,
            kind,
        }
    }

    /// Goes to the end of a word whose first character had the class `previous`.
    fn word(&mut self, mut previous: Class) -> SegmentKind<'r> {
        let mut kind = SegmentKind::Word;
        loop {
            let (class, width) = self.rules.class_at(self.text, self.at);
            let joins = match class {
                Class::Letter | Class::Digit => {
                    previous = class;
                    true
                }
                Class::Mark => true,
                Class::Apostrophe => {
                    previous == Class::Letter && self.class_after(width) == Class::Letter
                }
                Class::Point => previous == Class::Digit && self.class_after(width) == Class::Digit,
                Class::Kana | Class::Han | Class::Separator => false,
            };
            if !joins {
                return kind;
            }
            if class == Class::Apostrophe {
                kind = SegmentKind::WordWithApostrophes;
            }
            self.at += width;
        }
    }

    /// Goes on while the class `belongs` and no dictionary word begins.
    fn run(&mut self, belongs: impl Fn(Class) -> bool) {
        loop {
            let (class, width) = self.rules.class_at(self.text, self.at);
            if !belongs(class) || self.rules.phrase_at(self.text, self.at).is_some() {
                return;
            }
            self.at += width;
        }
    }

    fn class_after(&self, width: usize) -> Class {
        self.rules.class_at(self.text, self.at + width).0
    }
}
