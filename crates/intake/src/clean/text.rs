//! Brings text to one form: NFKC, no control characters, single spaces.
//!
//! Most text of a good catalogue is in that form already, so the check comes
//! first and costs no allocation.

use std::borrow::Cow;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// The text in its one form, or `None` when it already is.
pub(super) fn normalized(text: &str) -> Option<String> {
    if is_normal(text) {
        return None;
    }
    let spaced = if text.contains(joins) {
        apart(text)
    } else {
        Cow::Borrowed(text)
    };
    let mut normal = String::with_capacity(text.len());
    let mut space = false;
    for c in spaced.chars().filter(|&c| !is_invisible(c)).nfkc() {
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

/// Characters that NFKC writes out in letters or digits, which would join the word before them:
/// `Core™2` must not become `CoreTM2`, nor `17½` become `171⁄2`.
fn joins(c: char) -> bool {
    is_trade_mark(c) || matches!(c, '¼' | '½' | '¾' | '⅐'..='⅞' | '↉')
}

fn is_trade_mark(c: char) -> bool {
    matches!(c, '™' | '℠')
}

/// Puts a space in the place of a trade mark and before a fraction.
fn apart(text: &str) -> Cow<'_, str> {
    let mut spaced = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if joins(c) {
            spaced.push(' ');
        }
        if !is_trade_mark(c) {
            spaced.push(c);
        }
    }
    Cow::Owned(spaced)
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
            ("ﬁne 17½ in", "fine 17 1⁄2 in"),
            ("Core™2 Duo™", "Core 2 Duo"),
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
            "café® Core",
            "설명",
        ] {
            assert_eq!(normalized(text), None, "{text:?}");
        }
    }
}
