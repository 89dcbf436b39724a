//! Everyday words of shops in thirteen languages, from which the means of those languages are
//! learnt. A line of the file is one thing, a column one language: only where every language
//! says the same do their means differ by the language and nothing else.

/// The first line has the codes of the languages.
const TABLE: &str = include_str!("common_words.tsv");

/// The languages with words of their own, by their codes of ISO 639-1, and those words. The
/// n-th word of every language means the same.
pub fn common_words() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    languages().enumerate().map(|(column, language)| {
        let lines = TABLE.lines().skip(1);
        let word = |line: &'static str| line.split('\t').nth(column);
        (language, lines.filter_map(word).collect())
    })
}

/// Whether [`common_words`] has the language, so that samples of a catalogue are not needed.
pub fn has_common_words(language: &str) -> bool {
    languages().any(|known| known == language)
}

fn languages() -> impl Iterator<Item = &'static str> {
    TABLE.lines().take(1).flat_map(|line| line.split('\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_a_word_for_every_thing() {
        let columns = languages().count();
        for line in TABLE.lines() {
            assert_eq!(line.split('\t').count(), columns, "{line}");
            for word in line.split('\t') {
                assert!(!word.is_empty() && word.trim() == word, "{line}");
            }
        }
        for (language, words) in common_words() {
            assert!(words.len() >= 60, "{language}");
            assert!(has_common_words(language));
        }
        assert!(!has_common_words("th"));
        assert!(!has_common_words(""));
    }
}
