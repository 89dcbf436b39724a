use super::*;
use proptest::collection::vec;
use proptest::prelude::*;
use tokenizers::models::unigram::Unigram as Oracle;
use tokenizers::normalizers::{NFKC, Nmt, Replace, Sequence};
use tokenizers::pre_tokenizers::metaspace::{Metaspace, PrependScheme};

/// The crate's tokeniser of the same pieces: the oracle.
fn oracle(pieces: &[&str], scores: &[f32], unknown: u32) -> tokenizers::Tokenizer {
    // Zero is dropped from every text, so that the unknown is not matched by its name.
    let vocabulary = (0..)
        .zip(pieces.iter().zip(scores))
        .map(|(number, (piece, &score))| {
            let piece = if number == unknown { "\0" } else { piece };
            (piece.to_owned(), f64::from(score))
        })
        .collect();
    let model = Oracle::from(vocabulary, Some(unknown as usize), false);
    let mut tokenizer = tokenizers::Tokenizer::new(model.expect("the pieces are ours"));
    let folded = Replace::new(
        tokenizers::normalizers::replace::ReplacePattern::Regex(" {2,}".to_owned()),
        " ",
    );
    let normalizers = vec![
        Nmt.into(),
        NFKC.into(),
        folded.expect("the pattern is ours").into(),
    ];
    tokenizer
        .with_normalizer(Some(Sequence::new(normalizers)))
        .expect("no token was added before");
    let metaspace = Metaspace::new('\u{2581}', PrependScheme::Always, true);
    tokenizer.with_pre_tokenizer(Some(metaspace));
    tokenizer
}

const PIECES: [&str; 20] = [
    "<unk>",
    "\u{2581}",
    "\u{2581}a",
    "\u{2581}ab",
    "a",
    "b",
    "ab",
    "ba",
    "abab",
    "c",
    "手机",
    "手",
    "机",
    "é",
    "e",
    "ガ",
    "カ",
    "\u{2581}手",
    "1",
    "🎁",
];

fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[abce1 ]{1,8}",
        2 => "[手机 カｶﾞガ１é\u{301}\u{323}🎁]{1,4}",
        1 => "[\u{1}-\u{20}\u{7f}-\u{a0}\u{1680}\u{2000}-\u{200f}\u{2028}\u{2581}\u{3000}]{1,3}",
        1 => any::<char>().prop_map(String::from),
    ];
    vec(part, 0..8).prop_map(|parts| parts.concat().replace(['\0', FULL_WIDTH_TILDE], ""))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]
    /// Scores are whole, so that sums are exact and ways of equal worth are equal to both.
    #[test]
    fn it_cuts_as_the_crate_does(scores in vec(-9i8..0, PIECES.len()), text in text()) {
        let scores: Vec<f32> = scores.into_iter().map(f32::from).collect();
        let expected = oracle(&PIECES, &scores, 0)
            .encode_fast(text.as_str(), false)
            .expect("the oracle cuts any text");
        let found = Unigram::new(&PIECES, scores, 0).tokens(&text);
        prop_assert_eq!(found, expected.get_ids());
    }
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let scores: Vec<f32> = PIECES
        .iter()
        .map(|piece| -3.0 - piece.len() as f32 / 8.0)
        .collect();
    let tokens = Unigram::new(&PIECES, scores, 0).tokens(text);
    let found: Vec<&str> = tokens.iter().map(|&token| PIECES[token as usize]).collect();
    assert_eq!(found, expected, "{text:?}");
}

#[test]
fn spaces_are_folded_and_stand_before_words() {
    check("", &[]);
    check("ab", &["\u{2581}ab"]);
    check(" ab", &["\u{2581}ab"]);
    check("ab  ab", &["\u{2581}ab", "\u{2581}ab"]);
    check("ab\t\u{3000}\u{200b}ab", &["\u{2581}ab", "\u{2581}ab"]);
    check("ab   ", &["\u{2581}ab", "\u{2581}"]);
    check("   ", &["\u{2581}"]);
    check("a\u{7}b", &["\u{2581}ab"]);
}

#[test]
fn characters_are_composed_and_unknown_ones_are_one_token() {
    check("e\u{301}", &["\u{2581}", "é"]);
    check("ｶﾞ１", &["\u{2581}", "ガ", "1"]);
    check("xyz a", &["\u{2581}", "<unk>", "\u{2581}a"]);
    check("x～y", &["\u{2581}", "<unk>"]);
    check("1～1", &["\u{2581}", "1", "<unk>", "1"]);
    check("<unk>", &["\u{2581}", "<unk>"]);
}

#[test]
fn long_texts_are_quick() {
    let unigram = Unigram::new(&PIECES, vec![-1.0; PIECES.len()], 0);
    for (text, expected) in [
        ("abab", 100_001),
        ("手机", 100_001),
        (" ", 1),
        ("\u{7}", 0),
        ("x", 2),
        ("e\u{301}\u{323}", 2),
        ("🎁", 100_001),
    ] {
        assert_eq!(
            unigram.tokens(&text.repeat(100_000)).len(),
            expected,
            "{text:?}"
        );
    }
}
