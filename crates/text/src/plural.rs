//! English plurals folded to their singular.
//!
//! The rules are Harman's S-stemmer (D. Harman, "How effective is suffixing?",
//! JASIS 42(1), 1991) with the `-es` plurals after a hiss taken off whole and a
//! list of the exceptions that shops sell. A singular stays what it is, so
//! that a half-typed word still meets the indexed one.

/// Words of up to this many letters stay as they are.
const SHORT: usize = 3;

/// Words that end in `s` and are no plurals.
const SINGULAR: [&str; 17] = [
    "alias",
    "always",
    "atlas",
    "basis",
    "bias",
    "canvas",
    "chaos",
    "chassis",
    "christmas",
    "cosmos",
    "lens",
    "mars",
    "news",
    "series",
    "species",
    "tennis",
    "this",
];

/// Singulars that end in `ie`. Those of three letters need no entry.
const IN_IE: [&str; 39] = [
    "auntie", "barbie", "beanie", "birdie", "boogie", "bootie", "bowtie", "brownie", "budgie",
    "calorie", "collie", "cookie", "cutie", "foodie", "freebie", "genie", "goalie", "hoodie",
    "indie", "junkie", "laddie", "lassie", "lingerie", "magpie", "movie", "necktie", "nightie",
    "onesie", "pinkie", "pixie", "potpie", "prairie", "rookie", "selfie", "smoothie", "sweetie",
    "walkie", "wheelie", "zombie",
];

/// Singulars that end in `oe`.
const IN_OE: [&str; 10] = [
    "aloe", "canoe", "doe", "floe", "foe", "hoe", "oboe", "roe", "tiptoe", "toe",
];

/// Singulars that end in `us` and make their plural with `es`.
const IN_US: [&str; 18] = [
    "abacus", "bonus", "bus", "cactus", "campus", "census", "chorus", "circus", "citrus", "crocus",
    "focus", "hibiscus", "lotus", "octopus", "platypus", "status", "virus", "walrus",
];

/// Plurals that follow no rule, and their singulars.
const IRREGULAR: [(&str, &str); 37] = [
    ("aches", "ache"),
    ("atlases", "atlas"),
    ("axes", "axe"),
    ("bookshelves", "bookshelf"),
    ("brioches", "brioche"),
    ("caches", "cache"),
    ("calves", "calf"),
    ("canvases", "canvas"),
    ("christmases", "christmas"),
    ("cliches", "cliche"),
    ("elves", "elf"),
    ("emus", "emu"),
    ("gases", "gas"),
    ("gurus", "guru"),
    ("halves", "half"),
    ("headaches", "headache"),
    ("hooves", "hoof"),
    ("knives", "knife"),
    ("leaves", "leaf"),
    ("lenses", "lens"),
    ("loaves", "loaf"),
    ("menus", "menu"),
    ("mousses", "mousse"),
    ("moustaches", "moustache"),
    ("mustaches", "mustache"),
    ("niches", "niche"),
    ("penknives", "penknife"),
    ("quiches", "quiche"),
    ("quizzes", "quiz"),
    ("scarves", "scarf"),
    ("shelves", "shelf"),
    ("thieves", "thief"),
    ("toothaches", "toothache"),
    ("tofus", "tofu"),
    ("werewolves", "werewolf"),
    ("wives", "wife"),
    ("wolves", "wolf"),
];

/// The singular of a lower-case word; other words and other scripts come back as they are.
pub(crate) fn singular(word: &str) -> std::borrow::Cow<'_, str> {
    if word.len() <= SHORT
        || !word.ends_with('s')
        || !word.bytes().all(|byte| byte.is_ascii_lowercase())
    {
        return word.into();
    }
    if let Some((_, stem)) = IRREGULAR.iter().find(|(plural, _)| *plural == word) {
        return (*stem).into();
    }
    let without = |letters: usize| word.get(..word.len() - letters).unwrap_or(word);
    if let Some(stem) = word.strip_suffix("ies") {
        // "ties" and "pies"; "cookies".
        let keeps_ie = stem.len() == 1 || stem.ends_with(['a', 'e']) || IN_IE.contains(&without(1));
        return if SINGULAR.contains(&word) {
            word.into()
        } else if keeps_ie {
            without(1).into()
        } else {
            format!("{stem}y").into()
        };
    }
    if let Some(stem) = word.strip_suffix("es") {
        return match stem {
            _ if stem.ends_with('x') => stem,
            _ if ["ss", "sh", "ch", "zz", "tz"]
                .iter()
                .any(|hiss| stem.ends_with(hiss)) =>
            {
                stem
            }
            _ if stem.ends_with('o') && !stem.ends_with("sho") && !IN_OE.contains(&without(1)) => {
                stem
            }
            _ if IN_US.contains(&stem) => stem,
            _ => without(1),
        }
        .into();
    }
    if word.ends_with("us") || word.ends_with("ss") || SINGULAR.contains(&word) {
        return word.into();
    }
    without(1).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn singular_and_plural_meet() {
        for (singular_form, plural_form) in [
            ("holder", "holders"),
            ("light", "lights"),
            ("toy", "toys"),
            ("battery", "batteries"),
            ("cookie", "cookies"),
            ("tie", "ties"),
            ("house", "houses"),
            ("case", "cases"),
            ("size", "sizes"),
            ("dress", "dresses"),
            ("glass", "glasses"),
            ("box", "boxes"),
            ("watch", "watches"),
            ("brush", "brushes"),
            ("quartz", "quartzes"),
            ("headache", "headaches"),
            ("shoe", "shoes"),
            ("horseshoe", "horseshoes"),
            ("toe", "toes"),
            ("tomato", "tomatoes"),
            ("tree", "trees"),
            ("sundae", "sundaes"),
            ("taxi", "taxis"),
            ("lens", "lenses"),
            ("bus", "buses"),
            ("cactus", "cactuses"),
            ("blouse", "blouses"),
            ("menu", "menus"),
            ("knife", "knives"),
            ("glove", "gloves"),
            ("shelf", "shelves"),
            ("canvas", "canvases"),
        ] {
            assert_eq!(singular(plural_form), singular_form);
            assert_eq!(singular(singular_form), singular_form);
        }
    }

    #[test]
    fn other_words_stay() {
        for word in [
            "",
            "s",
            "gas",
            "bus",
            "yes",
            "dvs",
            "glass",
            "plus",
            "lens",
            "news",
            "series",
            "women",
            "schlüss",
            "006r90321s",
            "a4s6s",
            "виньs",
            "四件套",
        ] {
            assert_eq!(singular(word), word);
        }
    }

    proptest! {
        #[test]
        fn a_stem_is_its_own_stem(word in "[a-z]{0,5}(s|es|ies|ses|ches|oes|us|ees)?") {
            let stem = singular(&word).into_owned();
            prop_assert_eq!(singular(&stem), stem.as_str());
        }
    }
}
