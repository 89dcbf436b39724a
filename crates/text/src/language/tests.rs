use super::script::Script;
use super::*;
use proptest::prelude::*;

#[track_caller]
fn check(text: &str, expected: &str) {
    let found = language(text).map_or("", Language::code);
    assert_eq!(found, expected, "{text}");
}

#[test]
fn the_script_decides_where_it_can() {
    for (text, expected) in [
        ("轻奢纯棉刺绣水洗四件套", "zh"),
        ("行李箱", "zh"),
        ("ソニー製ワイヤレスヘッドホン", "ja"),
        ("北欧風 おしゃれ 収納ボックス", "ja"),
        ("무선 블루투스 이어폰", "ko"),
        ("Кроссовки мужские беговые", "ru"),
        ("чайник", "ru"),
        ("Ανδρικά παπούτσια", "el"),
        ("حقيبة سفر", "ar"),
        ("מזוודה לטיסה", "he"),
        ("กระเป๋าเดินทาง", "th"),
        ("सूती साड़ी", "hi"),
        ("ჩემოდანი", "ka"),
    ] {
        check(text, expected);
    }
}

#[test]
fn names_in_latin_letters_do_not_hide_the_language() {
    for (text, expected) in [
        ("iPhone 15 手机壳", "zh"),
        ("Samsonite 行李箱 20寸", "zh"),
        ("ASUS VivoBook X515 笔记本电脑", "zh"),
        ("Let it go男式纯棉免洗内裤", "zh"),
        ("Nintendo Switch 本体 ケース", "ja"),
        ("Apple AirPods Pro 케이스", "ko"),
        ("Чехол для Samsung Galaxy S24 Ultra", "ru"),
        // The other way round a few characters are an ornament.
        (
            "Travel mug with a handle and the word 茶 on its side, for the car",
            "en",
        ),
        // One kana for its looks.
        ("植の秘密 保湿面膜", "zh"),
    ] {
        check(text, expected);
    }
}

#[test]
fn latin_letters_decide_only_where_they_are_enough() {
    for (text, expected) in [
        ("OPI Nail Lacquer", ""),
        ("suitcase", ""),
        ("Canon PIXMA TS3450", ""),
        ("XJ-900 24V 3.5mm", ""),
        (
            "This is the towel for those who want to be dry when they are out in the rain",
            "en",
        ),
        (
            "Bequeme Laufschuhe für Damen mit weicher Sohle und guter Dämpfung",
            "de",
        ),
        (
            "Chaussures de course légères pour femmes avec une semelle souple",
            "fr",
        ),
        (
            "Zapatillas ligeras para correr con suela blanda y buena sujeción",
            "es",
        ),
        ("", ""),
        ("   \t\n", ""),
        ("12345 !? 20%", ""),
    ] {
        check(text, expected);
    }
}

#[test]
fn codes_of_both_standards_are_read() {
    for (code, expected) in [
        ("en", "en"),
        ("eng", "en"),
        ("en-US", "en"),
        ("EN_gb", "en"),
        (" de ", "de"),
        ("ger", "de"),
        ("zh-Hant", "zh"),
        ("cmn", "zh"),
        ("zho", "zh"),
        ("jpn", "ja"),
        ("kor", "ko"),
        ("nob", "nb"),
        ("pes", "fa"),
        ("", ""),
        ("-", ""),
        ("e", ""),
        ("english", ""),
        ("xx", ""),
    ] {
        let found = Language::parse(code).map_or("", Language::code);
        assert_eq!(found, expected, "{code}");
    }
}

#[test]
fn the_lists_of_codes_are_sorted_and_point_at_each_other() {
    assert!(CODES.is_sorted_by(|a, b| a.0 < b.0));
    assert!(ALIASES.is_sorted_by(|a, b| a.0 < b.0));
    for (alias, code) in ALIASES {
        assert!(CODES.iter().any(|(two, _)| *two == code), "{alias}");
    }
    for lang in Lang::all() {
        assert!(Language::parse(lang.code()).is_some(), "{lang:?}");
    }
}

fn languages(texts: &[&str]) -> Languages {
    let mut sample = LanguageSample::default();
    for text in texts {
        sample.add(text);
    }
    sample.finish()
}

const ENGLISH: [&str; 12] = [
    "White hanging heart candle holder",
    "Red woolly hot water bottle",
    "Nail polish, deep red, quick dry",
    "Wireless optical mouse with USB receiver",
    "HP 301 black ink cartridge",
    "Set of 3 cake tins with roses",
    "Men's running shoes, blue",
    "Canon PIXMA photo printer",
    "Wooden picture frame, white finish",
    "Stainless steel water bottle 750 ml",
    "Eau de Parfum Spray for Women",
    "Knitted scarf with stripes",
];

const GERMAN: [&str; 12] = [
    "Herren Laufschuhe schwarz",
    "Wasserkocher aus Edelstahl",
    "Kissenbezug mit Blumen",
    "Schreibtischlampe weiß",
    "Damen Winterjacke mit Kapuze",
    "Kaffeemaschine mit Mahlwerk",
    "Hundefutter für kleine Rassen",
    "Samsung Fernseher 55 Zoll",
    "Bettwäsche aus Baumwolle",
    "Rucksack für die Schule",
    "Holzspielzeug ab 3 Jahren",
    "Gartenstuhl klappbar, grün",
];

const CHINESE: [&str; 4] = [
    "轻奢纯棉刺绣水洗四件套",
    "可水洗舒柔丝羽绒枕",
    "Carat钻石炒锅30cm",
    "20寸 铝镁合金登机箱",
];

#[test]
fn titles_that_tell_nothing_alone_tell_it_together() {
    let english = languages(&ENGLISH);
    assert_eq!(english.main(), Some(Language::ENGLISH));
    assert!(english.is_english());

    let german = languages(&GERMAN);
    assert_eq!(german.main().map(Language::code), Some("de"));
    assert!(!german.is_english());
    assert_eq!(german.of("Bosch Akku").code(), "de");

    let chinese = languages(&CHINESE);
    assert_eq!(chinese.main(), Some(Language::CHINESE));
    assert_eq!(chinese.share(Language::CHINESE), 1.0);
    assert!(!chinese.is_english());
}

#[test]
fn a_catalogue_of_two_languages_is_not_english() {
    let mut sample = LanguageSample::default();
    for _ in 0..10 {
        for text in ENGLISH.iter().chain(&CHINESE) {
            sample.add(text);
        }
    }
    let mixed = sample.finish();
    assert_eq!(mixed.main(), Some(Language::ENGLISH));
    assert_eq!(mixed.share(Language::CHINESE), 0.25);
    assert!(!mixed.is_english());
    assert_eq!(mixed.of("suitcase"), Language::ENGLISH);
    assert_eq!(mixed.of("行李箱"), Language::CHINESE);
}

#[test]
fn japanese_titles_without_kana_are_japanese_in_a_japanese_catalogue() {
    let japanese = languages(&[
        "旅行鞄",
        "メンズ スニーカー",
        "やかん 2L",
        "純米大吟醸 日本酒",
        "収納ボックス",
    ]);
    assert_eq!(japanese.share(Language::JAPANESE), 1.0);
    assert_eq!(japanese.of("日本酒"), Language::JAPANESE);

    let chinese = languages(&[CHINESE.as_slice(), &["ソニー ヘッドホン"]].concat());
    assert_eq!(chinese.share(Language::CHINESE), 0.8);
    assert_eq!(chinese.of("日本酒"), Language::CHINESE);
}

#[test]
fn two_latin_languages_are_told_apart_by_the_texts_that_are_sure() {
    let mut sample = LanguageSample::default();
    for number in 0..60 {
        sample.add(ENGLISH[number % ENGLISH.len()]);
        sample.add("This is the towel for those who want to be dry when they are out in the rain");
        if number % 2 == 0 {
            sample.add("Bequeme Laufschuhe für Damen mit weicher Sohle und guter Dämpfung");
        }
    }
    let both = sample.finish();
    assert_eq!(both.main(), Some(Language::ENGLISH));
    assert!(!both.is_english(), "{both:?}");
}

#[test]
fn the_catalogue_decides_what_a_text_leaves_open() {
    let counts = |counts: &[(&str, u64)]| -> Languages {
        let parse = |&(code, texts): &(&str, u64)| Some((Language::parse(code)?, texts));
        counts.iter().filter_map(parse).collect()
    };
    for (catalogue, text, expected) in [
        (counts(&[]), "suitcase", "en"),
        (counts(&[]), "12345", "en"),
        (counts(&[("zh", 100)]), "suitcase", "en"),
        (counts(&[("zh", 100)]), "12345", "zh"),
        (counts(&[("zh", 100)]), "Nintendo Switch OLED 主机", "zh"),
        (counts(&[("de", 9), ("fr", 5)]), "sac", "de"),
        (counts(&[("ja", 100)]), "旅行鞄", "ja"),
        (counts(&[("ja", 100), ("zh", 3)]), "旅行鞄", "zh"),
        (counts(&[("en", 100)]), "旅行鞄", "zh"),
        (counts(&[("bg", 100)]), "чайник", "bg"),
        (counts(&[("en", 100)]), "чайник", "ru"),
    ] {
        assert_eq!(catalogue.of(text).code(), expected, "{text} {catalogue:?}");
    }
}

#[test]
fn no_text_is_no_language() {
    let nothing = languages(&["", "  ", "123", "!?"]);
    assert_eq!(nothing, Languages::default());
    assert_eq!(nothing.main(), None);
    assert_eq!(nothing.share(Language::ENGLISH), 0.0);
    assert!(!nothing.is_english());
}

#[test]
fn counts_make_the_same_languages_again() {
    let mixed = languages(&[ENGLISH.as_slice(), CHINESE.as_slice()].concat());
    assert_eq!(mixed.counts().collect::<Languages>(), mixed);
}

proptest! {
    #[test]
    fn any_text_is_read(text in any::<String>()) {
        let found = language(&text);
        let has_letters = text.chars().any(char::is_alphabetic);
        prop_assert!(found.is_none() || has_letters);
    }

    #[test]
    fn any_letters_of_any_scripts_are_read(text in "[a-zß-ſа-яα-ωا-يא-תก-ฮअ-हა-ჰ一-丿あ-んア-ン가-깋の0-9 -]{0,80}") {
        language(&text);
        if Script::main(&text) == Some(Script::Han) {
            prop_assert_eq!(language(&text), Some(Language::CHINESE));
        }
    }

    #[test]
    fn any_texts_have_shares_that_sum_to_one(texts in prop::collection::vec(any::<String>(), 0..20)) {
        let mut sample = LanguageSample::default();
        for text in &texts {
            sample.add(text);
        }
        let languages = sample.finish();
        let shares: f32 = languages.counts().map(|(language, _)| languages.share(language)).sum();
        prop_assert!(languages.main().is_none() || (shares - 1.0).abs() < 1e-5);
        for text in &texts {
            languages.of(text);
        }
    }

    #[test]
    fn any_code_is_read(code in any::<String>()) {
        if let Some(language) = Language::parse(&code) {
            prop_assert_eq!(Language::parse(language.code()), Some(language));
        }
    }
}
