//! Brings text to one form: NFKC, no control characters, single spaces.
//!
//! Most text of a good catalogue is in that form already, so the check comes
//! first and costs no allocation.

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// The text in its one form, or `None` when it already is.
pub(super) fn normalized(text: &str) -> Option<String> {
    if is_normal(text) {
        return None;
    }
    let mut normal = String::with_capacity(text.len());
    let mut space = false;
    for c in text.chars().filter(|&c| !is_invisible(c)).nfkc() {
        if c.is_whitespace() {
            space = !normal.is_empty();
        } else {
            if space {
                normal.push(' ');
                space = false;
            }
            normal.push(c);
        }
    }
    (normal != text).then_some(normal)
}

fn is_normal(text: &str) -> bool {
    // A space before the start makes a leading space look doubled.
    let mut last = b' ';
    let mut ascii = true;
    for byte in text.bytes() {
        if byte == 0x7F || byte < b' ' || (byte == b' ' && last == b' ') {
            return false;
        }
        ascii &= byte.is_ascii();
        last = byte;
    }
    if last == b' ' && !text.is_empty() {
        return false;
    }
    ascii
        || (!text
            .chars()
            .any(|c| is_invisible(c) || (c.is_whitespace() && c != ' '))
            && is_nfkc_quick(text.chars()) == IsNormalized::Yes)
}

/// Characters that print nothing and only keep equal words apart. Joiners stay: scripts need them.
fn is_invisible(c: char) -> bool {
    (c.is_control() && !c.is_whitespace())
        || matches!(c, '\u{AD}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_takes_one_form() {
        for (given, expected) in [
            ("  a \t\n b  ", "a b"),
            ("a\u{0}b\u{7f}\u{ad}c\u{feff}", "abc"),
            ("ＡＢＣ　１２３", "ABC 123"),
            ("ﬁne ½", "fine 1⁄2"),
            ("cafe\u{301}", "café"),
            ("a\u{a0}b", "a b"),
            ("line\u{2028}line", "line line"),
            (" ", ""),
        ] {
            assert_eq!(normalized(given).as_deref(), Some(expected), "{given:?}");
        }
    }

    #[test]
    fn good_text_is_left_alone() {
        for text in [
            "",
            "a",
            "Xerox 006R90321 (17\")",
            "轻奢纯棉刺绣水洗四件套",
            "café Core™".trim_end_matches('™'),
            "설명",
        ] {
            assert_eq!(normalized(text), None, "{text:?}");
        }
    }
}
