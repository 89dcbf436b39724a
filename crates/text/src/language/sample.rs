//! The languages of a catalogue, from a sample of its texts. Titles that tell nothing alone
//! tell much together: a bounded part of the Latin ones is joined and read as one long text.

use super::script::Script;
use super::{Language, Reading, detect, guess};

/// Most characters of the joined text. Trigrams settle long before.
const JOINED_LIMIT: usize = 20_000;

/// From so many characters on the likeliest language is taken, sure or not. In samples of three
/// English catalogues the guess was Danish or French for one in ten below 2,000 characters,
/// for one in a hundred at 8,000; none of the wrong ones was sure from forty titles on.
const ENOUGH_TO_GUESS: usize = 8_000;

/// So many texts that are sure of one language speak for it where all together do not.
const FEWEST_AGREEING: u64 = 3;

/// Fewer Latin texts than this that are sure by themselves settle nothing.
const FEWEST_SURE: u64 = 20;

/// A Latin language with a smaller share of the sure texts than one in so many is chance: of
/// three English catalogues one sure title in twenty-three seemed to be in another language,
/// most of them French for their perfumes.
const CHANCE: u64 = 10;

/// Counts the languages of texts as they come by.
#[derive(Clone, Debug, Default)]
pub struct LanguageSample {
    /// Texts whose language is known, with the number of them.
    sure: Vec<(Language, u64)>,
    /// Latin texts that tell nothing alone.
    unsure: u64,
    joined: Joined,
}

impl LanguageSample {
    /// Counts one text. One without letters has no language and does not count.
    pub fn add(&mut self, text: &str) {
        let Some(reading) = Reading::of(text) else {
            return;
        };
        if reading.script == Script::Latin {
            self.joined.add(&reading.letters);
        }
        match reading.language() {
            Some(language) => count(&mut self.sure, language, 1),
            None if reading.script == Script::Latin => self.unsure += 1,
            None => {}
        }
    }

    /// What the texts were in. Latin texts that tell nothing alone count as the language of
    /// all Latin texts together, and so do those whose language hardly any other one has.
    pub fn finish(&self) -> Languages {
        let is_latin = |language: Language| Script::of_language(language) == Script::Latin;
        let (latin, others): (Vec<_>, Vec<_>) = self
            .sure
            .iter()
            .partition(|(language, _)| is_latin(*language));
        let sure: u64 = latin.iter().map(|(_, texts)| texts).sum();
        let together = self
            .joined
            .language()
            .filter(|&language| is_latin(language));
        let agreeing: Vec<_> = latin
            .iter()
            .copied()
            .filter(|(_, texts)| *texts >= FEWEST_AGREEING)
            .collect();
        let together = together.or_else(|| most(&agreeing)).unwrap_or(DEFAULT);

        let mut languages = Languages { counts: others };
        languages.join_japanese();
        languages.count(together, self.unsure);
        for (language, texts) in latin {
            let is_chance = sure < FEWEST_SURE || texts.saturating_mul(CHANCE) < sure;
            languages.count(if is_chance { together } else { language }, texts);
        }
        languages
    }
}

/// What Latin text is taken for when nothing speaks for another language.
const DEFAULT: Language = Language::ENGLISH;

/// The languages of a catalogue, and with them the language of one text of its shop.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Languages {
    counts: Vec<(Language, u64)>,
}

impl Languages {
    /// The language of most texts; nothing when no text had any.
    pub fn main(&self) -> Option<Language> {
        most(&self.counts)
    }

    /// The part of the texts that is in `language`, from 0 to 1.
    pub fn share(&self, language: Language) -> f32 {
        let total: u64 = self.counts.iter().map(|(_, texts)| texts).sum();
        let of_language = self.counts.iter().find(|(known, _)| *known == language);
        let texts = of_language.map_or(0, |(_, texts)| *texts);
        if total == 0 {
            0.0
        } else {
            (texts as f64 / total as f64) as f32
        }
    }

    /// Whether an encoder that knows only English suits: at most one text in twenty is in
    /// another language. Not for a catalogue without texts, of which nothing is known.
    pub fn is_english(&self) -> bool {
        self.share(Language::ENGLISH) >= 0.95
    }

    /// The language of one text of this shop, of a product or of a query. Where the text leaves
    /// it open, the catalogue decides; where it knows nothing either, it is English.
    pub fn of(&self, text: &str) -> Language {
        let main = self.main();
        let Some(reading) = Reading::of(text) else {
            return main.unwrap_or(DEFAULT);
        };
        match reading.script {
            // Many Japanese titles have no kana.
            Script::Han if self.main_in(Script::Han).is_none() => {
                let japanese = self.main_in(Script::Kana);
                japanese.unwrap_or(Language::CHINESE)
            }
            // A long name in Latin letters before two words of what it is.
            Script::Latin if reading.sure.is_none() => {
                let other = main.filter(|&main| Script::of_language(main).is_in(text));
                let latin = other.or_else(|| self.main_in(Script::Latin));
                latin.unwrap_or(DEFAULT)
            }
            script => {
                let language = reading.sure.or_else(|| self.main_in(script));
                language.or(reading.language()).unwrap_or(DEFAULT)
            }
        }
    }

    /// How many texts each language had; what [`Languages::from_iter`] takes back.
    pub fn counts(&self) -> impl Iterator<Item = (Language, u64)> {
        self.counts.iter().copied()
    }

    /// The language of most texts in `script`.
    fn main_in(&self, script: Script) -> Option<Language> {
        let of_script = |(language, _): &(Language, u64)| Script::of_language(*language) == script;
        let counts: Vec<_> = self.counts().filter(of_script).collect();
        most(&counts)
    }

    /// Many Japanese titles have no kana and were read as Chinese ones. Where the surely
    /// Japanese ones are more, the others are too.
    fn join_japanese(&mut self) {
        let place = |language: Language| {
            let known = |(known, _): &(Language, u64)| *known == language;
            self.counts.iter().position(known)
        };
        if let (Some(japanese), Some(chinese)) =
            (place(Language::JAPANESE), place(Language::CHINESE))
            && self.counts[japanese].1 > self.counts[chinese].1
        {
            let (_, texts) = self.counts.remove(chinese);
            self.count(Language::JAPANESE, texts);
        }
    }

    fn count(&mut self, language: Language, texts: u64) {
        if texts > 0 {
            count(&mut self.counts, language, texts);
        }
    }
}

impl FromIterator<(Language, u64)> for Languages {
    fn from_iter<I: IntoIterator<Item = (Language, u64)>>(counts: I) -> Self {
        let mut languages = Self::default();
        for (language, texts) in counts {
            languages.count(language, texts);
        }
        languages
    }
}

/// The lists are short, and sorted so that equal samples are equal.
fn count(counts: &mut Vec<(Language, u64)>, language: Language, texts: u64) {
    match counts.binary_search_by_key(&language, |(known, _)| *known) {
        Ok(at) => counts[at].1 = counts[at].1.saturating_add(texts),
        Err(at) => counts.insert(at, (language, texts)),
    }
}

/// The language with the most texts; among equals the first by its code.
fn most(counts: &[(Language, u64)]) -> Option<Language> {
    let most = counts.iter().rev().max_by_key(|(_, texts)| *texts);
    most.map(|(language, _)| *language)
}

/// Every `stride`-th of the texts added, so few that they fit: each time they do not, every
/// second one goes. So the part that is kept is spread evenly, and no clock or seed picks it.
#[derive(Clone, Debug)]
struct Joined {
    kept: Vec<String>,
    characters: usize,
    added: usize,
    stride: usize,
}

impl Default for Joined {
    fn default() -> Self {
        Self {
            kept: Vec::new(),
            characters: 0,
            added: 0,
            stride: 1,
        }
    }
}

impl Joined {
    fn add(&mut self, text: &str) {
        if self.added.is_multiple_of(self.stride) {
            // One long description must not speak for all.
            let text: String = text.chars().take(JOINED_LIMIT / 100).collect();
            self.characters += text.chars().count();
            self.kept.push(text);
        }
        self.added += 1;
        while self.characters > JOINED_LIMIT {
            let mut place = 0_usize;
            self.kept.retain(|_| {
                place += 1;
                place % 2 == 1
            });
            self.stride = self.stride.saturating_mul(2);
            self.characters = self.kept.iter().map(|text| text.chars().count()).sum();
        }
    }

    /// Titles have few of the small words by which `whatlang` knows a language, so it need
    /// not be sure of many either; but with enough text its first guess is right.
    fn language(&self) -> Option<Language> {
        let text = self.kept.join(" ");
        if self.characters < ENOUGH_TO_GUESS {
            detect(&text)
        } else {
            guess(&text)
        }
    }
}
