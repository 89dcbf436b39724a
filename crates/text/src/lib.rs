//! Text as the words index sees it: normalised, split into words, folded to
//! stems, compared with typos allowed, and marked up again for the reader; and what
//! language it is in.
//!
//! `text` knows no index and no settings file. Everything works on plain
//! strings, and every offset it hands out points into the text that was given.

mod analyzer;
mod characters;
mod chinese;
mod crop;
mod dictionary;
mod fold;
mod highlight;
mod language;
mod measure;
mod offsets;
mod phrases;
mod pinyin;
mod plural;
mod segment;
mod spelling;
#[cfg(test)]
mod tests;

pub use analyzer::{Analyzer, AnalyzerConfig, Token};
pub use characters::{is_han, is_mostly_cjk};
pub use crop::crop;
pub use dictionary::{LONGEST_ENTRY, names_by_sound, translations};
pub use fold::normalise;
pub use highlight::{Extent, Match, find_matches, highlight};
pub use language::{Language, LanguageSample, Languages, language};
pub use measure::Measure;
pub use pinyin::{is_pinyin, pinyin};
pub use spelling::{TypoPolicy, damerau_levenshtein, typos_allowed};
