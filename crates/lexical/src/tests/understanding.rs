//! Queries that write things otherwise than the catalogue: pinyin, wrong characters, words
//! for "without", numbers with units.

use super::Shop;

#[track_caller]
fn check(titles: &[&str], text: &str, expected: &[&str]) {
    assert_eq!(Shop::titled(titles).find(text), expected, "{text}");
}

const BAGS: [&str; 6] = [
    "大容量行李箱 黑色",
    "轻奢纯棉四件套",
    "家用拖鞋 女",
    "20寸拉杆箱",
    "绿茶 200克",
    "Xiang perfume 50 ml",
];

#[test]
fn pinyin_finds_chinese_words() {
    for (text, expected) in [
        ("xinglixiang", "1"),
        ("xing li xiang", "1"),
        ("Xinglixiang heise", "1"),
        ("sijiantao", "2"),
        ("si jian tao", "2"),
        ("chunmian sijiantao", "2"),
        ("tuoxie", "3"),
        ("laganxiang", "4"),
        ("la gan xiang", "4"),
        ("lvcha", "5"),
        ("lucha", "5"),
        // The beginning of one.
        ("sijianta", "2"),
    ] {
        let found = Shop::titled(&BAGS).find(text);
        assert_eq!(found.first().map(String::as_str), Some(expected), "{text}");
    }
}

#[test]
fn pinyin_disturbs_no_word_that_is_there() {
    // The perfume comes first, and no character of one syllable pushes it away.
    let found = Shop::titled(&BAGS).find("xiang");
    assert_eq!(found.first().map(String::as_str), Some("6"));
    // A word that is frequent has no other reading.
    let mut titles = vec!["bao bag"; 12];
    titles.push("女包 包");
    assert!(!Shop::titled(&titles).find("bao").contains(&"13".to_owned()));
    // No Chinese, no pinyin.
    check(&["red cup", "blue cup"], "hong", &[]);
}

#[test]
fn one_wrong_character_is_forgiven() {
    for (text, expected) in [
        ("行里箱", "1"),
        ("行李相", "1"),
        ("形李箱", "1"),
        ("四件陶", "2"),
        ("四见套", "2"),
        ("纯棉四件陶", "2"),
        // Two characters: only what sounds the same.
        ("脱鞋", "3"),
        ("綠查", "5"),
    ] {
        let found = Shop::titled(&BAGS).find(text);
        assert_eq!(found.first().map(String::as_str), Some(expected), "{text}");
    }
    // What is there is taken as it is written.
    check(&["三件套", "四件套"], "三件套", &["1"]);
    check(&["脱鞋机", "拖鞋"], "脱鞋机", &["1"]);
}

#[test]
fn an_unknown_compound_finds_its_kind() {
    check(&["红色拉杆箱", "红色雨伞"], "行李箱", &["1"]);
    check(&["红色行李箱", "红色拉杆箱"], "行李箱", &["1"]);
}

#[test]
fn words_for_without_exclude() {
    let titles = [
        "jacket with hood",
        "plain jacket",
        "without remorse",
        "纯棉四件套",
        "真丝四件套",
    ];
    for (text, expected) in [
        ("jacket without hood", vec!["2"]),
        ("jacket without a hood", vec!["2"]),
        ("jacket WITHOUT hoods", vec!["2"]),
        ("jacket -hood", vec!["2"]),
        ("without remorse", vec!["3"]),
        ("\"without\"", vec!["3"]),
        ("四件套 不要纯棉", vec!["5"]),
        ("四件套不要纯棉", vec!["5"]),
        ("不要純棉 四件套", vec!["5"]),
        ("四件套 不含 纯棉", vec!["5"]),
        ("四件套 除了纯棉", vec!["5"]),
        ("四件套 -纯棉", vec!["5"]),
    ] {
        let mut found = Shop::titled(&titles).find(text);
        found.sort();
        assert_eq!(found, expected, "{text}");
    }
    // Where nothing else is wanted, they are words.
    check(&["不要停 唱片", "唱片"], "不要停", &["1"]);
    // Others are not safe: a freezer is bought for having no frost.
    let found = Shop::titled(&["no frost freezer"]).find("freezer no frost");
    assert_eq!(found, ["1"]);
}

#[test]
fn numbers_meet_their_units_however_written() {
    let titles = [
        "LED TV 55 inch black",
        "LED TV 55\" white",
        "LED TV 55in",
        "LED TV 55-inch",
        "电视 55英寸",
        "电视55寸",
        "LED TV 65 inch",
        "flash drive 16GB",
        "flash drive 16 gb",
        "水壶 0.5升",
        "bottle 0.5 l",
    ];
    for text in [
        "55 inch",
        "55\"",
        "55in",
        "55-inch",
        "55寸",
        "55 寸",
        "55英寸",
        "５５ｉｎ",
        "55 inches",
    ] {
        let mut found = Shop::titled(&titles).find(text);
        found.truncate(6);
        found.sort();
        assert_eq!(found, ["1", "2", "3", "4", "5", "6"], "{text}");
    }
    for text in ["16gb", "16 GB", "16-gb"] {
        let mut found = Shop::titled(&titles).find(text);
        found.sort();
        assert_eq!(found, ["8", "9"], "{text}");
    }
    for text in ["0.5l", "0.5 litre", "0.5升"] {
        let mut found = Shop::titled(&titles).find(text);
        found.truncate(2);
        found.sort();
        assert_eq!(found, ["10", "11"], "{text}");
    }
    // A mark behind a number opens no phrase, and closes one.
    let shop = Shop::titled(&titles);
    assert_eq!(
        shop.find("55\" white tv").first().map(String::as_str),
        Some("2")
    );
    assert_eq!(
        shop.find("\"TV 55\" white").first().map(String::as_str),
        Some("2")
    );
}

#[test]
fn words_of_another_language_are_translated() {
    // A suitcase has several names.
    check(&BAGS, "suitcase", &["4", "1"]);
    for (text, expected) in [
        ("black suitcases", "1"),
        ("bedding set", "2"),
        ("cotton bedding set", "2"),
        ("Slippers", "3"),
        ("trolley case", "4"),
        ("green tea 200g", "5"),
    ] {
        let found = Shop::titled(&BAGS).find(text);
        assert_eq!(found.first().map(String::as_str), Some(expected), "{text}");
    }
    check(&["Linen curtain 2 m", "Brass lamp"], "窗帘", &["1"]);
    // A name that the catalogue does not have, in pinyin.
    check(&["20寸拉杆箱", "绿茶"], "xinglixiang", &["1"]);
    check(&["20寸拉杆箱", "绿茶"], "xing li xiang", &["1"]);
}

#[test]
fn translation_disturbs_no_word_that_is_there() {
    // What is written as it was typed comes first.
    check(&["棉拖鞋", "Cosy slippers 女"], "slippers", &["2", "1"]);
    let mut titles = vec!["cup"; 12];
    titles.push("玻璃杯子");
    assert!(!Shop::titled(&titles).find("cup").contains(&"13".to_owned()));
    // A known word is no misspelt one.
    check(&["雨伞", "umbrela"], "umbrella", &["1"]);
}
