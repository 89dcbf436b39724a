//! How attribute values are written into columns and marks.
//!
//! A text value is stored as its folded form, a zero byte, and its original
//! spelling. Columns keep their values sorted, so equal values stand together
//! whatever their spelling, and a facet can still show what was given.

use serde_json::{Number, Value};

/// Between the folded and the original form. No folded form contains it.
pub(crate) const SPLIT: char = '\0';
/// The first byte after [`SPLIT`]: the end of everything with one folded form.
pub(crate) const AFTER: char = '\u{1}';
/// Bytes of a value that are compared and shown; longer values are cut.
const LONGEST: usize = 8_000;

/// A text value as it stands in its column.
pub(crate) fn stored(text: &str) -> String {
    let text = shortened(text, LONGEST);
    let mut stored = folded(text);
    stored.push(SPLIT);
    stored.push_str(text);
    stored
}

/// The form in which text values are compared.
pub(crate) fn folded(text: &str) -> String {
    let mut folded = text::normalise(shortened(text, LONGEST));
    folded.retain(|letter| letter != SPLIT);
    folded
}

/// The folded part and the original part of a stored value.
pub(crate) fn split(stored: &[u8]) -> (&[u8], &[u8]) {
    match stored.iter().position(|byte| *byte == SPLIT as u8) {
        Some(at) => (
            stored.get(..at).unwrap_or_default(),
            stored.get(at + 1..).unwrap_or_default(),
        ),
        None => (stored, stored),
    }
}

/// The text up to a number of bytes, cut between letters.
pub(crate) fn shortened(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let end = (0..=bytes).rev().find(|end| text.is_char_boundary(*end));
    end.and_then(|end| text.get(..end)).unwrap_or_default()
}

/// The key of an attribute's column: without the characters that tantivy gives a meaning.
pub(crate) fn column_key(path: &str) -> String {
    let mut key = String::with_capacity(path.len() + 1);
    key.push('v');
    for letter in path.chars() {
        match letter {
            '.' => key.push('/'),
            '/' => key.push_str("~s"),
            '~' => key.push_str("~t"),
            '\\' => key.push_str("~b"),
            control if control < ' ' => {
                key.push_str("~c");
                key.push(char::from_u32(control as u32 + 0x40).unwrap_or('?'));
            }
            plain => key.push(plain),
        }
    }
    key
}

/// The path of a column key.
pub(crate) fn path_of(key: &str) -> String {
    let mut path = String::with_capacity(key.len());
    let mut letters = key.chars().skip(1);
    while let Some(letter) = letters.next() {
        match letter {
            '/' => path.push('.'),
            '~' => match letters.next() {
                Some('s') => path.push('/'),
                Some('t') => path.push('~'),
                Some('b') => path.push('\\'),
                _ => {
                    let control = letters
                        .next()
                        .map(|letter| (letter as u32).saturating_sub(0x40));
                    path.extend(control.and_then(char::from_u32));
                }
            },
            plain => path.push(plain),
        }
    }
    path
}

/// The mark of a document that has an attribute.
pub(crate) fn exists(path: &str) -> String {
    format!("e{}", column_key(path))
}

/// The mark of a document whose attribute is `null`.
pub(crate) fn null(path: &str) -> String {
    format!("n{}", column_key(path))
}

/// The mark of a document whose attribute is empty.
pub(crate) fn empty(path: &str) -> String {
    format!("m{}", column_key(path))
}

/// The mark of a document that has words in a text field.
pub(crate) fn has_words(place: usize) -> String {
    format!("t{place}")
}

/// A number as people write it: `6`, not `6.0`.
pub(crate) fn spelt(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() => float.to_string(),
        _ => number.to_string(),
    }
}

/// Whether a value is `""`, `[]` or `{}`.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(nested) => nested.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_lead_back_to_their_path() {
        for path in [
            "",
            "a",
            "a.b",
            "a/b~c",
            "x\\y",
            "tab\there",
            "颜色",
            "~",
            "a\u{0}b",
        ] {
            let key = column_key(path);
            assert_eq!(path_of(&key), path);
            assert!(!key.contains(['.', '\\', '\u{0}', '\u{1}']), "{key:?}");
        }
    }

    #[test]
    fn a_stored_value_keeps_both_forms() {
        let stored = stored("CAFÉ");
        assert_eq!(
            split(stored.as_bytes()),
            ("cafe".as_bytes(), "CAFÉ".as_bytes())
        );
        assert_eq!(shortened("éé", 3), "é");
    }
}
