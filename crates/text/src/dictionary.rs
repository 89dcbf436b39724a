//! What shops sell, in English and in Chinese: a small dictionary in both directions, so that
//! a shopper finds things in a catalogue of the other language.

use crate::fold::normalise;
use crate::pinyin::pinyin;
use crate::plural::singular;
use rustc_hash::FxHashMap;
use std::sync::OnceLock;

/// An English word or phrase and its Chinese translations, the usual one first.
const SHOP_WORDS: &str = include_str!("shop_words.tsv");
/// Words of the longest entry.
pub const LONGEST_ENTRY: usize = 3;

type Dictionary = FxHashMap<String, Vec<&'static str>>;

/// What a word, or several that belong together, is called in the other language; the usual
/// translation first. English words are given in lower case, in the singular or the plural.
///
/// ```
/// assert_eq!(text::translations(&["dog", "food"]), ["狗粮"]);
/// assert!(text::translations(&["行李箱"]).contains(&"suitcase"));
/// assert!(text::translations(&["lantern"]).is_empty());
/// ```
pub fn translations(words: &[&str]) -> &'static [&'static str] {
    static DICTIONARY: OnceLock<Dictionary> = OnceLock::new();
    let dictionary = DICTIONARY.get_or_init(|| read(SHOP_WORDS));
    dictionary.get(&key(words)).map_or(&[], Vec::as_slice)
}

/// What things are called whose name sounds like these letters: `xinglixiang` is 行李箱, and
/// that is also 拉杆箱. For a name that a catalogue has, ask the catalogue.
///
/// ```
/// assert!(text::names_by_sound("xinglixiang").contains(&"拉杆箱"));
/// assert!(text::names_by_sound("lantern").is_empty());
/// ```
pub fn names_by_sound(letters: &str) -> &'static [&'static str] {
    static SOUNDS: OnceLock<Dictionary> = OnceLock::new();
    let sounds = SOUNDS.get_or_init(|| read_sounds(SHOP_WORDS));
    sounds.get(letters).map_or(&[], Vec::as_slice)
}

fn read_sounds(lines: &'static str) -> Dictionary {
    let mut sounds = Dictionary::default();
    for (_, chinese) in lines.lines().filter_map(|line| line.split_once('\t')) {
        // What has one syllable sounds like too much else.
        for word in chinese.split(' ').filter(|word| word.chars().count() > 1) {
            for reading in pinyin(word) {
                let names = sounds.entry(reading).or_default();
                for name in [word].into_iter().chain(chinese.split(' ')) {
                    if !names.contains(&name) {
                        names.push(name);
                    }
                }
            }
        }
    }
    sounds
}

fn key(words: &[&str]) -> String {
    let singulars: Vec<_> = words.iter().map(|word| singular(word)).collect();
    singulars.join(" ")
}

fn read(lines: &'static str) -> Dictionary {
    let mut dictionary = Dictionary::default();
    for (english, chinese) in lines.lines().filter_map(|line| line.split_once('\t')) {
        let words: Vec<&str> = english.split(' ').collect();
        for chinese in chinese.split(' ') {
            dictionary.entry(key(&words)).or_default().push(chinese);
            let back = dictionary.entry(normalise(chinese)).or_default();
            back.push(english);
        }
    }
    dictionary
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::is_han;

    #[test]
    fn both_languages_are_translated_and_plurals_are_known() {
        assert_eq!(translations(&["suitcases"]), translations(&["suitcase"]));
        assert_eq!(translations(&["suitcase"])[0], "行李箱");
        assert_eq!(translations(&["窗帘"]), ["curtain"]);
        assert_eq!(translations(&["food", "dog"]), [""; 0]);
        assert_eq!(translations(&[]), [""; 0]);
    }

    #[test]
    fn every_line_is_an_entry() {
        let mut known: Vec<&str> = Vec::new();
        for line in SHOP_WORDS.lines() {
            let (english, chinese) = line.split_once('\t').expect("two columns");
            assert!(!known.contains(&english), "{english} stands there twice");
            known.push(english);
            assert!(english.split(' ').count() <= LONGEST_ENTRY, "{english}");
            assert_eq!(normalise(english), english);
            for chinese in chinese.split(' ') {
                assert!(chinese.chars().any(is_han), "{line}");
            }
        }
    }
}
