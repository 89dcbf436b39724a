//! What analysing a text gives, for shoppers of several languages.

use crate::{Analyzer, AnalyzerConfig, Token, normalise};
use proptest::prelude::*;

fn analyzer() -> Analyzer {
    Analyzer::new(AnalyzerConfig::default())
}

fn with(change: impl FnOnce(&mut AnalyzerConfig)) -> Analyzer {
    let mut config = AnalyzerConfig::default();
    change(&mut config);
    Analyzer::new(config)
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn texts(tokens: &[Token]) -> Vec<&str> {
    tokens.iter().map(|token| token.text.as_str()).collect()
}

fn check_with(analyzer: &Analyzer, text: &str, expected: &str) {
    let tokens = analyzer.query_tokens(text);
    assert_eq!(texts(&tokens).join("|"), expected, "{text}");
}

fn check(text: &str, expected: &str) {
    check_with(&analyzer(), text, expected);
}

#[test]
fn english_words() {
    check(
        "WHITE HANGING HEART T-LIGHT HOLDER",
        "white|hanging|heart|t|light|holder",
    );
    check(
        "dv7-1211ea Notebook 43.2 cm (17\") 1440 x 900",
        "dv7|1211ea|notebook|43.2|cm|17|1440|x|900",
    );
    check(
        "006R90321 3.5mm USB3.0 v1.2.3.",
        "006r90321|3.5mm|usb3.0|v1.2.3",
    );
    check(
        "Women's don't dogs' 'quoted' rock'n'roll",
        "women|dont|dog|quoted|rocknroll",
    );
    check("Women’s don’t O‘Neil", "women|dont|oneil");
    check("snake_case a/b a.b 6'5 'n'", "snake|case|a|b|a|b|6|5|n");
    check("Boxes of glasses & batteries", "box|of|glass|battery");
    check("$9.99, .5 1. 2,000", "9.99|5|1|2|000");
    check("Core™2 Duo Intel®", "core|2|duo|intel");
    check("", "");
    check(" -- . ' !", "");
}

#[test]
fn chinese_words() {
    check("四件套", "四件套");
    check("轻奢纯棉刺绣水洗四件套", "轻|奢|纯棉|刺绣|水洗|四件套");
    check("純棉", "纯棉");
    check("純棉四件套", "纯棉|四件套");
    check("行李箱20寸", "行李箱|20|寸");
    check("行李箱20寸 Samsonite", "行李箱|20|寸|samsonite");
    check("秋冬保暖，加厚。羊毛被", "秋冬|保暖|加厚|羊毛|被");
    check("T恤", "t|恤");
}

#[test]
fn other_scripts_and_forms() {
    check("ＡＢＣ１２３", "abc123");
    check("３．５ｃｍ", "3.5cm");
    check(
        "Crème Brûlée cre\u{300}me Straße",
        "creme|brulee|creme|strasse",
    );
    check("Футболка ЖЁЛТАЯ", "футболка|жёлтая");
    check("ソニー製SONYヘッドホン", "ソニー|制|sony|ヘッドホン");
    check("무선 이어폰", "무선|이어폰");
    check("हिन्दी किताब", "हिन्दी|किताब");
    check("🎁gift🎁box❤️ 1️⃣", "gift|box|1");
    check("co\u{AD}operate zero\u{200B}width", "cooperate|zero|width");
    check("\u{301}\u{301} a\u{301}\u{301} \u{301}", "a");
    check("20㎡ ½", "20m2|1|2");
}

#[test]
fn documents_also_hold_the_parts_of_chinese_compounds() {
    let analyzer = analyzer();
    let shown = |text: &str| -> Vec<String> {
        let tokens = analyzer.tokens(text);
        tokens
            .iter()
            .map(|token| format!("{}:{}", token.position, token.text))
            .collect()
    };
    assert_eq!(
        shown("长江大桥 20"),
        ["0:长江大桥", "0:长江", "0:大桥", "0:桥", "1:20"]
    );
    assert_eq!(shown("行李箱"), ["0:行李箱", "0:行李", "0:箱"]);
    assert_eq!(shown("red cup"), ["0:red", "1:cup"]);
    check("长江大桥", "长江大桥");
}

#[test]
fn tokens_know_their_place_and_spelling() {
    let text = "A Women’s\tＨＯＬＤＥＲＳ 純棉";
    let shown: Vec<(String, String, &str, u32)> = analyzer()
        .tokens(text)
        .into_iter()
        .map(|token| {
            (
                token.text,
                token.surface,
                &text[token.start..token.end],
                token.position,
            )
        })
        .collect();
    let expected = [
        ("a", "a", "A", 0),
        ("women", "womens", "Women’s", 1),
        ("holder", "holders", "ＨＯＬＤＥＲＳ", 2),
        ("纯棉", "纯棉", "純棉", 3),
        ("棉", "棉", "棉", 3),
    ];
    let expected = expected
        .map(|(text, surface, source, position)| (text.into(), surface.into(), source, position));
    assert_eq!(shown, expected);
}

#[test]
fn plural_folding_can_be_off() {
    let off = with(|config| config.english_folding = false);
    check_with(&off, "holders Boxes", "holders|boxes");
    assert_eq!(off.fold("holders"), "holders");
    assert_eq!(analyzer().fold("holders"), "holder");
    assert_eq!(analyzer().fold("四件套"), "四件套");
}

#[test]
fn dictionary_words_stay_whole() {
    let shop = with(|config| {
        config.dictionary = owned(&["T-Light", "J. R. R.", "Jeans", "卡拉OK", "倍思", "   "])
    });
    check_with(
        &shop,
        "Heart t-light holders, T‑LIGHT",
        "heart|t-light|holder|t-light",
    );
    check_with(
        &shop,
        "t-lights t-light2 set-light",
        "t|light|t|light2|set|light",
    );
    check_with(&shop, "J.  R.\tR. Tolkien", "j. r. r.|tolkien");
    check_with(&shop, "J. R. Ewing", "j|r|ewing");
    check_with(&shop, "blue jeans", "blue|jeans");
    check_with(&shop, "家用卡拉OK机", "家用|卡拉ok|机");
    check_with(&shop, "倍思充电器", "倍思|充电器");
    check("倍思充电器", "倍|思|充电器");
    assert_eq!(shop.fold("jeans"), "jeans");
    let text = "xx J. \n R. R.";
    let tokens = shop.tokens(text);
    assert_eq!(&text[tokens[1].start..tokens[1].end], "J. \n R. R.");
}

#[test]
fn separators_can_be_changed() {
    let shop = with(|config| {
        config.separators = owned(&["x", "与", "and", ""]);
        config.non_separators = owned(&["-", "+", "#", "@@", "·", "x", "™", " "]);
    });
    check_with(&shop, "T-Light C++ c#", "t-light|c++|c#");
    check_with(&shop, "20x30 a@b a@@b", "20|30|a|b|a@@b");
    check_with(&shop, "tea·cup 纯棉与羊毛", "tea·cup|纯棉|羊毛");
    check_with(&shop, "band", "b");
    check_with(&shop, "red cup™ blue", "red|cup|blue");
}

#[test]
fn long_words_are_cut_in_the_index_only() {
    let megabyte = 1 << 20;
    for word in [
        "a".repeat(megabyte),
        "é".repeat(megabyte / 2),
        "й".repeat(megabyte / 2),
        "a'".repeat(megabyte / 2) + "a",
    ] {
        let tokens = analyzer().tokens(&word);
        assert_eq!(tokens.len(), 1);
        assert!(tokens[0].text.len() == 200 && tokens[0].surface.len() == 200);
        assert_eq!((tokens[0].start, tokens[0].end), (0, word.len()));
    }
}

#[test]
fn long_strange_texts_are_answered() {
    let length = 1 << 17;
    for part in [
        "\u{301}",
        "a\u{301}",
        "क\u{94D}",
        "四",
        "純棉",
        "½",
        "\u{1112}\u{1161}\u{11AB}",
        "'",
        "1.",
        "ﷺ",
        "\u{0}",
    ] {
        let text = part.repeat(length / part.len());
        let tokens = analyzer().tokens(&text);
        assert!(
            tokens
                .iter()
                .all(|token| token.text.len() <= 200 && text.get(token.start..token.end).is_some())
        );
    }
    let zalgo = format!(
        "क{} a{}",
        "\u{94D}".repeat(length / 3),
        "\u{301}".repeat(length / 2)
    );
    assert_eq!(analyzer().tokens(&zalgo).len(), 2);
}

/// Texts of every script and form the analyser treats in its own way.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-zA-Z0-9'._ -]{1,6}",
        2 => "[éÅßøİŁœ\u{300}\u{301}\u{AD}\u{200D}’™½㎡ﬁ]{1,3}",
        2 => "[四件套純棉纯行李箱長江大橋㍿\u{F900}\u{FE00}\u{3000}Ａ１．]{1,4}",
        1 => "[йЁάς\u{94D}क한\u{1112}\u{1161}\u{11AB}カｶﾞー]{1,3}",
        1 => "\\PC{1,3}",
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn is_well_formed(text: &str, tokens: &[Token]) -> bool {
    let in_order = tokens.is_sorted_by_key(|token| (token.position, token.start));
    let starts_in_order = tokens.is_sorted_by_key(|token| token.start);
    let placed = tokens.iter().all(|token| {
        let source = text.get(token.start..token.end);
        source.is_some_and(|source| !source.is_empty())
            && !token.text.is_empty()
            && !token.surface.is_empty()
    });
    in_order && starts_in_order && placed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn tokens_are_placed_in_order(text in any_text()) {
        let analyzer = analyzer();
        let (document, query) = (analyzer.tokens(&text), analyzer.query_tokens(&text));
        prop_assert!(is_well_formed(&text, &document), "{:?}", document);
        prop_assert!(is_well_formed(&text, &query), "{:?}", query);
        // What a query asks for can be found in the document it was copied from.
        prop_assert!(query.iter().all(|token| document.contains(token)));
        let positions: Vec<u32> = query.iter().map(|token| token.position).collect();
        prop_assert!(positions.iter().zip(0..).all(|(&position, index)| position == index));
    }

    #[test]
    fn normalising_first_gives_the_same_words(text in any_text()) {
        let analyzer = analyzer();
        let (of_text, of_normal) = (analyzer.tokens(&text), analyzer.tokens(&normalise(&text)));
        prop_assert_eq!(texts(&of_text), texts(&of_normal));
    }

    #[test]
    fn ascii_words_are_what_a_plain_splitter_finds(text in "[ -&(-\\-/-~\\n]{0,60}") {
        let expected: Vec<String> = text
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(|word| analyzer().fold(&word.to_ascii_lowercase()))
            .collect();
        let tokens = analyzer().query_tokens(&text);
        prop_assert_eq!(texts(&tokens), expected);
    }

    #[test]
    fn ascii_is_treated_the_same_beside_other_scripts(text in "[a-zA-Z0-9'. -]{0,40}") {
        let analyzer = analyzer();
        let alone = analyzer.tokens(&text);
        let beside = analyzer.tokens(&format!("{text} é"));
        prop_assert_eq!(&beside[..beside.len() - 1], alone.as_slice());
    }

    #[test]
    fn settings_never_break_offsets(
        text in any_text(),
        dictionary in prop::collection::vec(any_text(), 0..3),
        separators in prop::collection::vec("\\PC{0,2}", 0..3),
        non_separators in prop::collection::vec("\\PC{0,2}", 0..3),
    ) {
        // Extra Chinese words would copy the whole dictionary for each case.
        let dictionary = dictionary.into_iter().map(|word| format!("{word}a")).collect();
        let shop = Analyzer::new(AnalyzerConfig { english_folding: true, dictionary, separators, non_separators });
        let tokens = shop.tokens(&text);
        prop_assert!(is_well_formed(&text, &tokens), "{:?}", tokens);
    }
}
