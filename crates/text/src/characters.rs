//! What kind of character something is, as far as words depend on it.
//!
//! The ranges name whole Unicode blocks, because a word splitter needs the
//! script of a character and not its finer properties.

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// A Chinese character (also of Japanese and Korean text): goes to the Chinese segmenter.
pub fn is_han(c: char) -> bool {
    matches!(c,
        '\u{4E00}'..='\u{9FFF}'
        | '\u{3400}'..='\u{4DBF}'
        | '\u{3005}' | '\u{3007}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{323AF}')
}

/// Hiragana and Katakana, also half-width.
pub(crate) fn is_kana(c: char) -> bool {
    matches!(c,
        '\u{3041}'..='\u{3096}' | '\u{309D}'..='\u{309F}'
        | '\u{30A1}'..='\u{30FA}' | '\u{30FC}'..='\u{30FF}'
        | '\u{31F0}'..='\u{31FF}' | '\u{FF66}'..='\u{FF9D}' | '\u{1B000}'..='\u{1B16F}')
}

/// Hangul syllables and their letters.
pub fn is_hangul(c: char) -> bool {
    matches!(c,
        '\u{AC00}'..='\u{D7FF}' | '\u{1100}'..='\u{11FF}' | '\u{3131}'..='\u{318E}'
        | '\u{A960}'..='\u{A97F}' | '\u{FFA0}'..='\u{FFDC}')
}

/// Chinese, Japanese or Korean script.
pub(crate) fn is_cjk(c: char) -> bool {
    is_han(c) || is_kana(c) || is_hangul(c)
}

/// Letters whose accents do not make another word: Latin and Greek.
pub(crate) fn drops_accents(c: char) -> bool {
    matches!(c,
        'a'..='z' | 'A'..='Z'
        | '\u{00AA}' | '\u{00BA}' | '\u{00C0}'..='\u{02AF}'
        | '\u{0370}'..='\u{03FF}' | '\u{1F00}'..='\u{1FFF}'
        | '\u{1D00}'..='\u{1DBF}' | '\u{1E00}'..='\u{1EFF}'
        | '\u{2C60}'..='\u{2C7F}' | '\u{A720}'..='\u{A7FF}' | '\u{AB30}'..='\u{AB6F}')
}

/// Characters that are not seen and must not split a word: soft hyphens, joiners,
/// direction marks, variation selectors.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{061C}' | '\u{180B}'..='\u{180F}' | '\u{200C}'..='\u{200F}'
        | '\u{2060}'..='\u{2064}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
        | '\u{E0100}'..='\u{E01EF}')
}

/// Whether `c` belongs to the character before it: Unicode may merge the two,
/// or it is an accent, or it is invisible.
pub(crate) fn continues_cluster(c: char) -> bool {
    if is_invisible(c) {
        return true;
    }
    if c < '\u{300}' || is_han(c) {
        return false;
    }
    let mut first = None;
    decompose_compatible(c, |part| {
        first.get_or_insert(part);
    });
    first.is_some_and(|first| {
        // The vowels and final consonants of Hangul merge with the consonant before them.
        is_combining_mark(first) || matches!(first, '\u{1160}'..='\u{11FF}')
    })
}

/// Whether more than half of the letters are Chinese, Japanese or Korean.
pub fn is_mostly_cjk(text: &str) -> bool {
    let mut cjk = 0_usize;
    let mut letters = 0_usize;
    for c in text.chars() {
        let is_cjk = is_cjk(c);
        cjk += usize::from(is_cjk);
        letters += usize::from(is_cjk || c.is_alphabetic());
    }
    cjk * 2 > letters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_of_most_letters_decides() {
        for (text, expected) in [
            ("轻奢纯棉刺绣水洗四件套", true),
            ("行李箱20寸 LV", true),
            ("ソニー製ヘッドホン", true),
            ("무선 이어폰", true),
            ("Samsonite 行李箱", false),
            ("heart t-light holder", false),
            ("12345 !?", false),
            ("", false),
        ] {
            assert_eq!(is_mostly_cjk(text), expected, "{text}");
        }
    }
}
