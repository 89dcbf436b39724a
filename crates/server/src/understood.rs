//! `understood` of a search answer: what the words of the query were taken for.
//!
//! It is an extension of ours, and asked for with `showUnderstood`.

use engine::{QueryUnderstood, Understood, WordKind};
use serde::Serialize;

/// What was understood of a query.
#[derive(Serialize)]
pub(crate) struct UnderstoodAnswer<'a> {
    language: Option<&'static str>,
    words: Vec<WordAnswer<'a>>,
}

#[derive(Serialize)]
struct WordAnswer<'a> {
    text: &'a str,
    kind: &'static str,
    #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
    meant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attribute: Option<&'a str>,
}

impl<'a> From<&'a QueryUnderstood> for UnderstoodAnswer<'a> {
    fn from(understood: &'a QueryUnderstood) -> Self {
        Self {
            language: understood.language,
            words: understood.words.iter().map(WordAnswer::from).collect(),
        }
    }
}

impl<'a> From<&'a Understood> for WordAnswer<'a> {
    fn from(word: &'a Understood) -> Self {
        Self {
            text: &word.text,
            kind: kind(word.kind),
            meant: word.meant.as_deref(),
            attribute: word.attribute.as_deref(),
        }
    }
}

fn kind(kind: WordKind) -> &'static str {
    match kind {
        WordKind::Word => "word",
        WordKind::Phrase => "phrase",
        WordKind::Excluded => "excluded",
        WordKind::Pinyin => "pinyin",
        WordKind::Typo => "typo",
        WordKind::Broader => "broader",
        WordKind::Translation => "translation",
        WordKind::Unit => "unit",
        WordKind::Brand => "brand",
        WordKind::Category => "category",
        WordKind::Attribute => "attribute",
    }
}
