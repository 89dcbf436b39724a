//! Folding of characters: forms that a shopper would not tell apart become one.
//!
//! Compatibility forms (full-width letters, ligatures), case, accents of Latin
//! and Greek letters, traditional Chinese characters, and the many kinds of
//! apostrophe and hyphen. Text is folded cluster by cluster (a character with
//! what belongs to it), so that every folded byte knows where it came from.

use crate::characters::{continues_cluster, drops_accents, is_han, is_invisible};
use crate::offsets::Offsets;
use std::str::Chars;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A folded text, and where its bytes came from.
#[derive(Debug)]
pub(crate) struct Folded {
    pub text: String,
    pub offsets: Offsets,
}

/// The form under which text is compared: folded characters, white space collapsed, ends trimmed.
///
/// ```
/// assert_eq!(text::normalise("  Crème  BRÛLÉE １０ 純棉 "), "creme brulee 10 纯棉");
/// ```
pub fn normalise(text: &str) -> String {
    let folded = fold(text).text;
    let mut out = String::with_capacity(folded.len());
    for word in folded.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

pub(crate) fn fold(text: &str) -> Folded {
    if text.is_ascii() {
        return Folded {
            text: text.to_ascii_lowercase(),
            offsets: Offsets::default(),
        };
    }
    let mut folder = Folder {
        out: String::with_capacity(text.len()),
        offsets: Offsets::default(),
        cluster: String::new(),
    };
    let mut rest = text;
    while !rest.is_empty() {
        let at = text.len() - rest.len();
        rest = folder.step(rest, at);
    }
    folder.offsets.close(folder.out.len(), text.len());
    Folded {
        text: folder.out,
        offsets: folder.offsets,
    }
}

struct Folder {
    out: String,
    offsets: Offsets,
    /// Scratch space, kept between clusters.
    cluster: String,
}

impl Folder {
    /// Folds the beginning of `rest`, which stands at `at`, and returns what is left.
    fn step<'t>(&mut self, rest: &'t str, at: usize) -> &'t str {
        let (plain, others) = rest.split_at(plain_prefix(rest));
        if !plain.is_empty() {
            self.offsets.verbatim(self.out.len(), at);
            let from = self.out.len();
            self.out.push_str(plain);
            if let Some(added) = self.out.get_mut(from..) {
                added.make_ascii_lowercase();
            }
            return others;
        }
        let mut chars = rest.chars();
        match chars.next() {
            Some(c) if is_han(c) => self.han(rest, at),
            Some(base) => self.cluster(base, chars, rest, at),
            None => "",
        }
    }

    /// A run of Chinese characters: the segmenter and the traditional forms need their neighbours.
    fn han<'t>(&mut self, rest: &'t str, at: usize) -> &'t str {
        let mut sources = Vec::new();
        let mut run = String::new();
        let mut end = 0;
        for c in rest.chars().take_while(|&c| is_han(c) || is_invisible(c)) {
            if is_han(c) {
                sources.push((end, c.len_utf8()));
                run.extend(std::iter::once(c).nfkc());
            }
            end += c.len_utf8();
        }
        // Compatibility ideographs become one character each and so do traditional ones,
        // so the characters of the result pair up with their sources.
        let simplified = fast2s::convert(&run);
        let mut expected = 0;
        for (c, (start, length)) in simplified.chars().zip(sources) {
            if length == c.len_utf8() && start == expected {
                self.offsets.verbatim(self.out.len(), at + start);
            } else {
                self.offsets.whole(self.out.len(), at + start);
            }
            expected = start + length;
            self.out.push(c);
        }
        if expected < end {
            self.offsets.whole(self.out.len(), at + expected);
        }
        rest.get(end..).unwrap_or_default()
    }

    /// One character and what belongs to it.
    fn cluster<'t>(
        &mut self,
        base: char,
        mut after: Chars<'t>,
        rest: &'t str,
        at: usize,
    ) -> &'t str {
        let mut left = after.as_str();
        while after.next().is_some_and(continues_cluster) {
            left = after.as_str();
        }
        let length = rest.len() - left.len();
        let from = self.out.len();
        let is_alone = length == base.len_utf8();
        if let Some(replacement) = replacement(base) {
            self.offsets.whole(from, at);
            self.out.push_str(replacement);
            return left;
        }
        self.cluster.clear();
        if is_vulgar_fraction(base) {
            // "1½" is two numbers, not eleven halves.
            self.cluster.push(' ');
        }
        fold_cluster(rest.get(..length).unwrap_or_default(), &mut self.cluster);
        if self.cluster.chars().any(is_han) {
            self.cluster = fast2s::convert(&self.cluster);
        }
        if self.cluster.is_ascii() {
            self.out.push_str(&self.cluster);
        } else {
            self.out.extend(self.cluster.nfc());
        }
        // "ﬃ" and "ffi" have three bytes each, yet the one cannot be split.
        let mut added = self.out.get(from..).unwrap_or_default().chars();
        let is_one = added.next().is_some_and(|c| c.len_utf8() == length) && added.next().is_none();
        if is_alone && is_one {
            self.offsets.verbatim(from, at);
        } else {
            self.offsets.whole(from, at);
        }
        left
    }
}

/// The bytes of leading ASCII whose last character has no accent after it.
fn plain_prefix(text: &str) -> usize {
    let ascii = text.bytes().take_while(u8::is_ascii).count();
    match text.get(ascii..).and_then(|rest| rest.chars().next()) {
        Some(next) if continues_cluster(next) => ascii.saturating_sub(1),
        _ => ascii,
    }
}

/// Decomposes, drops accents and lower-cases one cluster; the caller composes it again.
fn fold_cluster(cluster: &str, out: &mut String) {
    // An accent without a letter before it says nothing.
    let mut keeps_marks = false;
    for c in cluster.nfkd() {
        if is_invisible(c) {
            continue;
        }
        if is_combining_mark(c) {
            if keeps_marks {
                out.push(c);
            }
            continue;
        }
        keeps_marks = c.is_alphabetic() && !drops_accents(c) && !is_han(c);
        for lower in c.to_lowercase() {
            match replacement(lower) {
                Some(replacement) => out.push_str(replacement),
                None => out.push(lower),
            }
        }
    }
}

/// What characters become that Unicode does not decompose the way a shopper would.
fn replacement(c: char) -> Option<&'static str> {
    if c.is_ascii() {
        return None;
    }
    Some(match c {
        'ß' => "ss",
        'æ' | 'Æ' => "ae",
        'œ' | 'Œ' => "oe",
        'ø' | 'Ø' => "o",
        'đ' | 'Đ' | 'ð' | 'Ð' => "d",
        'þ' | 'Þ' => "th",
        'ł' | 'Ł' => "l",
        'ħ' | 'Ħ' => "h",
        'ŧ' | 'Ŧ' => "t",
        'ı' => "i",
        'ς' => "σ",
        '\u{2018}' | '\u{2019}' | '\u{201B}' | '\u{2032}' | '\u{02BC}' | '\u{B4}' => "'",
        '\u{2010}'..='\u{2015}' | '\u{2212}' => "-",
        '\u{2044}' => "/",
        // Trade marks would otherwise glue "tm" to the brand.
        '™' | '℠' => " ",
        _ => return None,
    })
}

fn is_vulgar_fraction(c: char) -> bool {
    matches!(c, '\u{BC}'..='\u{BE}' | '\u{2150}'..='\u{215F}' | '\u{2189}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn forms_that_look_alike_are_one() {
        for (text, expected) in [
            ("", ""),
            ("  A \t\n b  ", "a b"),
            ("ＡＢＣ１２３", "abc123"),
            ("Ａ\u{3000}Ｂ", "a b"),
            ("ﬁne Straße", "fine strasse"),
            ("Crème cre\u{300}me CRÈME", "creme creme creme"),
            ("Łódź Øresund İstanbul ılık", "lodz oresund istanbul ilik"),
            ("ΆΝΘΟΣ άνθος", "ανθοσ ανθοσ"),
            ("Йод ЁЖ", "йод ёж"),
            ("純棉 纯棉 行李箱", "纯棉 纯棉 行李箱"),
            ("頭髮乾燥 乾隆", "头发干燥 乾隆"),
            ("Women’s women's", "women's women's"),
            ("t‑light t–light", "t-light t-light"),
            ("Core™2 Intel®", "core 2 intel®"),
            ("½ 1½ m²", "1/2 1 1/2 m2"),
            ("co\u{AD}op zero\u{200D}width", "coop zerowidth"),
            ("\u{301}x \u{301}", "x"),
            ("ｶﾞｷﾞ が か\u{3099}", "ガギ が が"),
            ("한글 \u{1112}\u{1161}\u{11AB}", "한글 한"),
            ("㍿ ㊙", "株式会社 秘"),
            ("🎁 gift❤️", "🎁 gift❤"),
        ] {
            assert_eq!(normalise(text), expected, "{text:?}");
        }
    }

    #[test]
    fn offsets_lead_back_to_the_source() {
        let source = "x ﬁn\u{AD}e cre\u{300}me Ａ 純棉\u{FE00}套 é";
        let folded = fold(source);
        for (word, expected) in [
            ("x", "x"),
            ("fine", "ﬁn\u{AD}e"),
            ("creme", "cre\u{300}me"),
            ("a", "Ａ"),
            ("纯棉套", "純棉\u{FE00}套"),
            ("纯棉", "純棉"),
            ("棉", "棉"),
            ("套", "套"),
        ] {
            let from = if word == "a" { "a 纯" } else { word };
            let start = folded.text.find(from).expect(word);
            let (start, end) = (
                folded.offsets.start(start),
                folded.offsets.end(start + word.len()),
            );
            assert_eq!(&source[start..end], expected, "{word}");
        }
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in "[a-zA-Z \u{300}\u{301}\u{AD}éßИй\u{1100}-\u{1180}\u{FF41}-\u{FFDC}㍿½が純\u{3099}]{0,12}|\\PC{0,12}") {
            let once = normalise(&text);
            prop_assert_eq!(normalise(&once), once);
        }

        #[test]
        fn every_offset_is_a_place_in_the_source(text in "\\PC{0,16}|[a-é\u{300}\u{AD} 純棉\u{FE00}]{0,16}") {
            let folded = fold(&text);
            let mut last = 0;
            for (at, c) in folded.text.char_indices() {
                let (start, end) = (folded.offsets.start(at), folded.offsets.end(at + c.len_utf8()));
                prop_assert!(text.get(start..end).is_some_and(|source| !source.is_empty()));
                prop_assert!(start >= last);
                last = start;
            }
        }
    }
}
