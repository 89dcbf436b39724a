//! The tantivy fields of an index, and the tokenizer that feeds them.
//!
//! Text is cut into words before tantivy sees it. The words travel as one
//! string with separators that say how far apart they stand, because that is
//! far cheaper than tantivy's own pre-tokenised values.

use crate::plan::{IndexPlan, OWN_FIELDS};
use tantivy::schema::{
    Field, IndexRecordOption, JsonObjectOptions, NumericOptions, Schema, TextFieldIndexing,
    TextOptions,
};
use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

/// The next word stands one position further.
pub(crate) const NEXT: char = '\u{1}';
/// The next word stands at the same position.
pub(crate) const SAME: char = '\u{2}';
/// The next word belongs to another value: no phrase reaches across.
pub(crate) const APART: char = '\u{3}';
/// How far apart values stand.
const VALUE_GAP: usize = 16;
/// Longer words are cut, in documents and in queries alike.
const LONGEST_WORD: usize = 120;
/// The name under which tantivy knows [`Separated`].
pub(crate) const TOKENIZER: &str = "separated";
/// The names of the columns that every document has.
pub(crate) const ID: &str = "id";
pub(crate) const NUMBER: &str = "number";
pub(crate) const COLUMNS: &str = "columns";

/// Handles of every field.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    pub schema: Schema,
    pub id: Field,
    /// Insertion order.
    pub number: Field,
    /// Every distinct word of a document, for expanding prefixes and typos in one dictionary.
    pub words: Field,
    /// Which attributes exist, are null, are empty, and which text fields have words.
    pub marks: Field,
    /// Values of filterable and sortable attributes.
    pub columns: Field,
    pub texts: Vec<TextField>,
}

/// One field of words.
#[derive(Clone, Debug)]
pub(crate) struct TextField {
    pub field: Field,
    /// `None` for the field that everything else shares.
    pub path: Option<String>,
    pub weight: f32,
}

impl Fields {
    /// The fields a plan asks for. The same plan always gives the same schema.
    pub fn of(plan: &IndexPlan) -> Self {
        let mut builder = Schema::builder();
        let id = builder.add_text_field(
            ID,
            indexed("raw", IndexRecordOption::Basic, false).set_fast("raw"),
        );
        let number = builder.add_u64_field(NUMBER, NumericOptions::default().set_fast());
        let words =
            builder.add_text_field("words", indexed(TOKENIZER, IndexRecordOption::Basic, false));
        let marks =
            builder.add_text_field("marks", indexed(TOKENIZER, IndexRecordOption::Basic, false));
        let columns = builder.add_json_field(COLUMNS, JsonObjectOptions::default().set_fast("raw"));
        let text = || {
            indexed(
                TOKENIZER,
                IndexRecordOption::WithFreqsAndPositions,
                WITH_LENGTHS,
            )
        };
        let mut texts: Vec<TextField> = plan
            .searchable
            .iter()
            .take(OWN_FIELDS)
            .enumerate()
            .map(|(number, searchable)| TextField {
                field: builder.add_text_field(&format!("text{number}"), text()),
                path: Some(searchable.path.clone()),
                weight: searchable.weight,
            })
            .collect();
        let overflow = plan
            .searchable
            .iter()
            .skip(OWN_FIELDS)
            .map(|searchable| searchable.weight);
        if let Some(weight) = plan.search_rest.or_else(|| overflow.reduce(f32::max)) {
            texts.push(TextField {
                field: builder.add_text_field("rest", text()),
                path: None,
                weight,
            });
        }
        Self {
            schema: builder.build(),
            id,
            number,
            words,
            marks,
            columns,
            texts,
        }
    }
}

/// Text fields keep how long they are, the others need not.
const WITH_LENGTHS: bool = true;

fn indexed(tokenizer: &str, record: IndexRecordOption, lengths: bool) -> TextOptions {
    TextOptions::default().set_indexing_options(
        TextFieldIndexing::default()
            .set_tokenizer(tokenizer)
            .set_index_option(record)
            .set_fieldnorms(lengths),
    )
}

/// A word as it is indexed and looked up: without our separators, and not too long.
pub(crate) fn storable(word: &str) -> String {
    let mut kept: String = word.chars().filter(|letter| *letter > APART).collect();
    if kept.len() > LONGEST_WORD {
        let end = (0..=LONGEST_WORD)
            .rev()
            .find(|end| kept.is_char_boundary(*end));
        kept.truncate(end.unwrap_or_default());
    }
    kept
}

/// Splits at [`NEXT`], [`SAME`] and [`APART`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Separated;

/// The words of one prepared string.
pub(crate) struct SeparatedStream<'a> {
    rest: &'a str,
    token: Token,
    started: bool,
}

impl Tokenizer for Separated {
    type TokenStream<'a> = SeparatedStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> SeparatedStream<'a> {
        SeparatedStream {
            rest: text,
            token: Token::default(),
            started: false,
        }
    }
}

impl TokenStream for SeparatedStream<'_> {
    fn advance(&mut self) -> bool {
        let mut position = if self.started { self.token.position } else { 0 };
        while let Some(first) = self.rest.chars().next() {
            match first {
                NEXT => position += 1,
                APART => position += VALUE_GAP,
                SAME => {}
                _ => break,
            }
            self.rest = self.rest.get(first.len_utf8()..).unwrap_or_default();
        }
        if self.rest.is_empty() {
            return false;
        }
        let end = self
            .rest
            .find([NEXT, SAME, APART])
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.token.text.clear();
        self.token.text.push_str(word);
        self.token.position = position;
        self.token.position_length = 1;
        self.rest = rest;
        self.started = true;
        self.token.offset_from = 0;
        self.token.offset_to = 0;
        // Everything from the second word on is relative to the one before.
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, usize)> {
        let mut tokenizer = Separated;
        let mut stream = tokenizer.token_stream(text);
        let mut found = Vec::new();
        while stream.advance() {
            found.push((stream.token().text.clone(), stream.token().position));
        }
        found
    }

    #[test]
    fn separators_carry_positions() {
        let text = format!("四件套{SAME}四件{NEXT}red{APART}blue");
        let expected = [("四件套", 0), ("四件", 0), ("red", 1), ("blue", 17)];
        assert_eq!(
            read(&text),
            expected.map(|(word, at)| (word.to_owned(), at))
        );
        assert!(read("").is_empty());
        assert!(read(&format!("{NEXT}{APART}")).is_empty());
    }

    #[test]
    fn long_words_are_cut_at_a_letter() {
        assert_eq!(storable(&"é".repeat(100)).chars().count(), LONGEST_WORD / 2);
        assert_eq!(storable("a\u{1}b\u{2}c"), "abc");
    }
}
