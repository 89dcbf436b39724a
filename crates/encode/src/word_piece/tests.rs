use super::*;
use crate::tiny::{TOKENS, tokenizer_json};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// The crate's tokeniser of the same file: the oracle.
struct Pair {
    own: WordPiece,
    oracle: tokenizers::Tokenizer,
}

impl Pair {
    fn new(json: &Value) -> Self {
        let json = json.to_string();
        let mut oracle = tokenizers::Tokenizer::from_bytes(&json).expect("the file is ours");
        oracle.with_padding(None);
        oracle
            .with_truncation(None)
            .expect("no limit is no conflict");
        Self {
            own: WordPiece::parse(json.as_bytes()).expect("it is BERT's pipeline"),
            oracle,
        }
    }

    fn expected(&self, text: &str) -> Vec<u32> {
        let encoding = self.oracle.encode_fast(text, false);
        encoding
            .expect("the oracle cuts any text")
            .get_ids()
            .to_vec()
    }
}

/// A vocabulary in which single characters of many scripts are pieces, so that a character
/// lost, kept or moved shows in the tokens.
fn characters(lowercase: bool, strip_accents: Option<bool>, clean: bool) -> Pair {
    let mut tokens: Vec<String> = ["[UNK]", "[CLS]", "[SEP]", "[MASK]", "ab", "##bc", "##b"]
        .map(str::to_owned)
        .to_vec();
    for range in [
        0x21..0x250,
        0x300..0x460,
        0x5b0..0x700,
        0x900..0x980,
        0xe00..0xe60,
        0x1100..0x1200,
        0x2010..0x2070,
        0x3000..0x3100,
        0x4e00..0x4e40,
        0x1d160..0x1d170,
    ] {
        for character in range.filter_map(char::from_u32) {
            tokens.push(character.to_string());
            tokens.push(format!("##{character}"));
        }
    }
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let mut json = tokenizer_json(&tokens);
    json["normalizer"]["lowercase"] = lowercase.into();
    json["normalizer"]["strip_accents"] = strip_accents.into();
    json["normalizer"]["clean_text"] = clean.into();
    // Only what is a special token is one, not the bracket among the characters.
    let added = json["added_tokens"].as_array_mut().expect("it is a list");
    added.retain(|token| token["content"] != "[");
    Pair::new(&json)
}

static UNCASED: LazyLock<Pair> = LazyLock::new(|| characters(true, None, true));
static CASED: LazyLock<Pair> = LazyLock::new(|| characters(false, None, true));
static RAW: LazyLock<Pair> = LazyLock::new(|| characters(true, Some(false), false));

/// Text in which rules meet: scripts, marks of all classes, spaces, controls, special tokens.
fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[ -~]{1,6}",
        2 => "[\u{a0}-\u{24f}]{1,4}",
        2 => "[\u{300}-\u{36f}\u{302a}-\u{302f}\u{1d165}-\u{1d16e}]{1,4}",
        2 => "[\u{370}-\u{460}\u{5b0}-\u{6ff}\u{900}-\u{97f}\u{e00}-\u{e5f}]{1,4}",
        1 => "[\u{4e00}-\u{4e3f}\u{f900}-\u{fa20}\u{ac00}-\u{ac40}\u{3041}-\u{30ff}]{1,3}",
        1 => "[\u{0}-\u{1f}\u{7f}-\u{a0}\u{200b}-\u{200f}\u{2028}\u{fffd}\u{feff}]{1,3}",
        1 => "\\[CLS\\]|\\[SEP\\]|\\[UNK\\]|\\[SE",
        2 => any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]
    #[test]
    fn it_cuts_as_the_crate_does(text in text()) {
        for pair in [&*UNCASED, &CASED, &RAW] {
            prop_assert_eq!(pair.own.tokens(&text), pair.expected(&text));
        }
    }
}

#[test]
fn every_character_is_treated_as_by_the_crate() {
    // Marks behind it and words around it show whether it was dropped, split or moved.
    // Beyond these ranges come ideographs, of which some will do, and unassigned planes.
    let characters = ('\0'..'\u{20000}')
        .chain(('\u{20000}'..'\u{32400}').step_by(97))
        .chain('\u{dfff0}'..'\u{e0200}');
    for character in characters {
        let text = format!("a{character}b {character}\u{302e}\u{328}c");
        assert_eq!(
            UNCASED.own.tokens(&text),
            UNCASED.expected(&text),
            "{text:?}"
        );
    }
}

#[test]
fn long_words_are_unknown_and_long_texts_quick() {
    let pair = Pair::new(&tokenizer_json(&TOKENS));
    for text in [
        "a".repeat(100),
        "a".repeat(101),
        "é".repeat(100),
        "é".repeat(101),
        "手".repeat(101),
    ] {
        assert_eq!(pair.own.tokens(&text), pair.expected(&text));
    }
    for (text, expected) in [
        ("a", 1),
        ("手", 100_000),
        (" ", 0),
        ("\u{7}", 0),
        ("🎁", 1),
        ("!", 100_000),
        ("[", 100_000),
        ("[SEP]", 100_000),
        ("\u{301}\u{302e}", 1),
    ] {
        assert_eq!(
            pair.own.tokens(&text.repeat(100_000)).len(),
            expected,
            "{text:?}"
        );
    }
}

#[test]
fn other_pipelines_are_left_to_the_crate() {
    let check = |pointer: &str, value: Value| {
        let mut json = tokenizer_json(&TOKENS);
        *json.pointer_mut(pointer).expect("the file has this field") = value;
        let parsed = WordPiece::parse(json.to_string().as_bytes());
        assert!(parsed.is_none(), "{pointer}");
    };
    check("/normalizer", Value::Null);
    check("/normalizer/type", json!("Lowercase"));
    check("/pre_tokenizer/type", json!("Whitespace"));
    check("/model/type", json!("BPE"));
    check("/model/unk_token", json!("<unk>"));
    check("/added_tokens/0/normalized", json!(true));
    check("/added_tokens/0/lstrip", json!(true));
    check("/added_tokens/0/id", json!(99));
}
