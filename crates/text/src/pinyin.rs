//! Chinese words in Latin letters: pinyin without tones, as shoppers type it.
//!
//! A character may have several readings (行 is `xing` and `hang`), and which one a word
//! takes is a matter of meaning. So all of them count, up to a limit. `ü` is typed as `v`
//! or as `u`.

use crate::characters::is_han;
use ::pinyin::ToPinyinMulti;

/// Longer words have no pinyin here: nobody types them in one go.
const MOST_CHARACTERS: usize = 8;
/// Readings of one word; those of the usual readings of its characters come first.
const MOST_READINGS: usize = 16;

/// What a syllable may begin with; `y` and `w` are spelling, not sound, but typed all the same.
const INITIALS: [&str; 24] = [
    "zh", "ch", "sh", "b", "p", "m", "f", "d", "t", "n", "l", "g", "k", "h", "j", "q", "x", "r",
    "z", "c", "s", "y", "w", "",
];
const FINALS: [&str; 34] = [
    "iang", "iong", "uang", "ang", "eng", "ing", "ong", "iao", "ian", "uai", "uan", "ai", "ei",
    "ao", "ou", "an", "en", "er", "ia", "ie", "iu", "in", "ua", "uo", "ui", "un", "ue", "ve", "a",
    "o", "e", "i", "u", "v",
];

/// Every reading of a word of Chinese characters, without tones and spaces; nothing for other
/// words and for those of more than eight characters.
///
/// ```
/// assert!(text::pinyin("四件套").contains(&"sijiantao".to_owned()));
/// assert!(text::pinyin("行李箱").contains(&"xinglixiang".to_owned()));
/// assert!(text::pinyin("LV包").is_empty());
/// ```
pub fn pinyin(word: &str) -> Vec<String> {
    let mut readings = vec![String::new()];
    for (number, character) in word.chars().enumerate() {
        if number >= MOST_CHARACTERS || !is_han(character) {
            return Vec::new();
        }
        let syllables = syllables(character);
        let mut longer = Vec::with_capacity(readings.len() * syllables.len());
        for syllable in &syllables {
            longer.extend(readings.iter().map(|start| format!("{start}{syllable}")));
        }
        longer.truncate(MOST_READINGS);
        readings = longer;
    }
    readings.retain(|reading| !reading.is_empty());
    readings
}

/// The readings of one character, the usual one first.
fn syllables(character: char) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for reading in character.to_pinyin_multi().into_iter().flatten() {
        let plain = reading.plain();
        for typed in ["v", "u"] {
            let syllable = plain.replace('ü', typed);
            if syllable.is_ascii() && !found.contains(&syllable) {
                found.push(syllable);
            }
        }
    }
    found
}

/// Whether letters could be pinyin: syllables one after the other, and nothing else.
///
/// ```
/// assert!(text::is_pinyin("xinglixiang"));
/// assert!(!text::is_pinyin("suitcase"));
/// ```
pub fn is_pinyin(letters: &str) -> bool {
    // Whether a syllable may end before each place.
    let mut ends = vec![false; letters.len() + 1];
    if let Some(start) = ends.first_mut() {
        *start = !letters.is_empty();
    }
    for at in 0..letters.len() {
        if !ends.get(at).is_some_and(|ends| *ends) {
            continue;
        }
        let Some(rest) = letters.get(at..) else {
            return false;
        };
        for initial in INITIALS {
            let Some(after) = rest.strip_prefix(initial) else {
                continue;
            };
            // `v` stands for `ü`, which is spelt so behind these two only.
            let takes_v = matches!(initial, "l" | "n");
            let fits =
                |last: &&&str| after.starts_with(**last) && (takes_v || !last.starts_with('v'));
            for last in FINALS.iter().filter(fits) {
                if let Some(end) = ends.get_mut(at + initial.len() + last.len()) {
                    *end = true;
                }
            }
        }
    }
    ends.last().is_some_and(|end| *end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_all_readings_of_their_characters() {
        for (word, reading) in [
            ("行李箱", "xinglixiang"),
            ("银行", "yinhang"),
            ("四件套", "sijiantao"),
            ("绿茶", "lvcha"),
            ("绿茶", "lucha"),
            ("女鞋", "nvxie"),
            ("箱", "xiang"),
            ("西安", "xian"),
        ] {
            let readings = pinyin(word);
            assert!(readings.iter().any(|found| found == reading), "{word}");
        }
        for word in ["", "abc", "箱a", "ソニー", "一二三四五六七八九"] {
            assert!(pinyin(word).is_empty(), "{word}");
        }
        assert!(pinyin("行行行行行行行行").len() <= MOST_READINGS);
    }

    #[test]
    fn letters_are_pinyin_when_syllables_make_them_up() {
        for letters in ["xinglixiang", "sijiantao", "lvcha", "er", "xian", "zhuang"] {
            assert!(is_pinyin(letters), "{letters}");
        }
        for letters in ["", "suitcase", "samsung", "tv", "55in", "箱", "xi an"] {
            assert!(!is_pinyin(letters), "{letters}");
        }
    }
}
