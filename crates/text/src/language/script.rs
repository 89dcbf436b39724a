//! The script that carries the meaning of a text. Product titles mix scripts: a Japanese or
//! Russian title names its brand and model in Latin letters, while a Latin title hardly ever
//! holds letters of another script.

use super::Language;
use crate::characters::{is_han, is_hangul, is_kana};

/// A script, as far as languages depend on it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Script {
    Latin,
    /// Chinese characters without kana.
    Han,
    /// Kana, mostly with Chinese characters between them.
    Kana,
    Hangul,
    Cyrillic,
    Greek,
    Arabic,
    Hebrew,
    Devanagari,
    Thai,
    /// Scripts that one language has for itself, or nearly: Georgian, Tamil, Khmer and others.
    Other,
}

use Script::*;

/// In a tie the earlier one wins; Latin comes last, for it stands in titles of every script.
const SCRIPTS: [Script; 11] = [
    Han, Kana, Hangul, Cyrillic, Greek, Arabic, Hebrew, Devanagari, Thai, Other, Latin,
];

/// How many Latin letters a letter of another alphabet outweighs: of a title like
/// «Чехол для Samsung Galaxy S24 Ultra» two thirds are a name in Latin.
const ALPHABET_WEIGHT: usize = 3;

/// The same for a character of Chinese, Japanese or Korean. It is a syllable or a word: two
/// of them are a word, where an alphabet needs four letters and more.
const CJK_WEIGHT: usize = 2 * ALPHABET_WEIGHT;

/// One kana among at most so many Chinese characters makes a text Japanese.
const HAN_PER_KANA: usize = 9;

impl Script {
    /// The script of the meaning: the heaviest one.
    pub fn main(text: &str) -> Option<Self> {
        let mut weights = [0_usize; SCRIPTS.len()];
        let (mut kana, mut particles) = (0, 0);
        for (script, c) in counted(text) {
            // Both count together, and what they are is decided below.
            let place = if script == Kana { Han } else { script };
            weights[place as usize] += script.weight();
            kana += usize::from(script == Kana);
            particles += usize::from(c == 'の');
        }
        let heaviest = |best: Option<Self>, script: Self| match best {
            Some(best) if weights[best as usize] >= weights[script as usize] => Some(best),
            _ => Some(script).filter(|&script| weights[script as usize] > 0),
        };
        let script = SCRIPTS.into_iter().fold(None, heaviest)?;
        if script != Han {
            return Some(script);
        }
        let han = weights[Han as usize] / CJK_WEIGHT - kana;
        // Chinese brands like a の for its looks (植の秘密); alone it makes nothing Japanese.
        let telling = if han > 0 && kana == particles {
            0
        } else {
            kana
        };
        let is_japanese = telling > 0 && han <= telling * HAN_PER_KANA;
        Some(if is_japanese { Kana } else { Han })
    }

    fn of(c: char) -> Option<Self> {
        Some(match c {
            'a'..='z' | 'A'..='Z' => Latin,
            '\u{0}'..='\u{A9}' => return None,
            _ if is_han(c) => Han,
            _ if is_kana(c) => Kana,
            _ if is_hangul(c) => Hangul,
            '\u{370}'..='\u{3FF}' | '\u{1F00}'..='\u{1FFF}' => Greek,
            '\u{400}'..='\u{52F}' => Cyrillic,
            '\u{590}'..='\u{5FF}' => Hebrew,
            '\u{600}'..='\u{6FF}'
            | '\u{750}'..='\u{77F}'
            | '\u{8A0}'..='\u{8FF}'
            | '\u{FB50}'..='\u{FDFF}'
            | '\u{FE70}'..='\u{FEFE}' => Arabic,
            '\u{900}'..='\u{97F}' => Devanagari,
            '\u{E00}'..='\u{E7F}' => Thai,
            '\u{AA}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}' | '\u{FF21}'..='\u{FF5A}' => Latin,
            _ => Other,
        })
        .filter(|_| c.is_alphabetic())
    }

    fn weight(self) -> usize {
        match self {
            Latin => 1,
            Han | Kana | Hangul => CJK_WEIGHT,
            Cyrillic | Greek | Arabic | Hebrew | Devanagari | Thai | Other => ALPHABET_WEIGHT,
        }
    }

    /// The letters of this script in `text`, in words.
    pub fn letters(self, text: &str) -> String {
        let mut letters = String::with_capacity(text.len());
        for word in words(text) {
            for c in word.chars() {
                let script = Self::of(c);
                let belongs = script == Some(self) || (script.is_none() && !c.is_whitespace());
                letters.push(if belongs { c } else { ' ' });
            }
            letters.push(' ');
        }
        letters
    }

    /// Whether `text` has letters of this script.
    pub fn is_in(self, text: &str) -> bool {
        counted(text).any(|(script, _)| script == self)
    }

    /// What most texts in this script are in. Nothing for Latin: that would be a guess.
    pub fn usual_language(self) -> Option<Language> {
        Some(Language(match self {
            Latin | Other => return None,
            Han => "zh",
            Kana => "ja",
            Hangul => "ko",
            Cyrillic => "ru",
            Greek => "el",
            Arabic => "ar",
            Hebrew => "he",
            Devanagari => "hi",
            Thai => "th",
        }))
    }

    /// The script a language is mostly written in.
    pub fn of_language(language: Language) -> Self {
        match language.code() {
            "zh" => Han,
            "ja" => Kana,
            "ko" => Hangul,
            "ru" | "uk" | "bg" | "sr" | "mk" | "be" | "kk" | "ky" | "mn" => Cyrillic,
            "el" => Greek,
            "ar" | "fa" | "ur" => Arabic,
            "he" | "yi" => Hebrew,
            "hi" | "mr" | "ne" => Devanagari,
            "th" => Thai,
            "am" | "bn" | "gu" | "hy" | "ka" | "km" | "kn" | "lo" | "ml" | "my" | "or" | "pa"
            | "si" | "ta" | "te" => Other,
            _ => Latin,
        }
    }
}

/// The words that may tell a language: those with a digit are sizes and models, except in
/// scripts that put no spaces between words.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace().filter(|word| {
        let is_model = word.is_ascii() && word.bytes().any(|byte| byte.is_ascii_digit());
        !is_model
    })
}

/// The letters that count, with their scripts.
fn counted(text: &str) -> impl Iterator<Item = (Script, char)> {
    let letters = words(text).flat_map(str::chars);
    letters.filter_map(|c| Some((Script::of(c)?, c)))
}
