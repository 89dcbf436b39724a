//! A Chinese shop is found as its shoppers type: in words of either script, in pinyin, with a
//! wrong character, with full-width letters, with units in any spelling; and by meaning.

use domain::IndexUid;
use engine::{
    DocumentsWrite, Encoders, Engine, Hybrid, IndexReader, Learn, ModelFolders, OpenOptions,
    SearchRequest, ServiceOptions, WordKind, Write, WriteMode,
};
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;

const PRODUCTS: &str = include_str!("data/litemall.jsonl");
const SHOP: &str = "shop";

/// What the first three hits have to be.
enum Expected {
    /// These are among them.
    Ids(&'static [&'static str]),
    /// The title of each has this in it.
    Titles(&'static str),
}

use Expected::{Ids, Titles};

const PURE_COTTON: Expected = Ids(&["lm1006002", "lm1023032", "lm1030006"]);
const TROLLEYS: Expected = Ids(&["lm1114011", "lm1143016", "lm1152101"]);

const PAIRS: [(&str, Expected); 54] = [
    // Words as the catalogue has them.
    ("四件套", Titles("四件套")),
    ("四件套 纯棉", PURE_COTTON),
    ("登机箱 20寸", Titles("登机箱")),
    ("拉杆箱", TROLLEYS),
    ("枕套", Ids(&["lm1100000"])),
    ("雨伞", Ids(&["lm1152097"])),
    ("双肩包", Ids(&["lm1152004"])),
    ("绿豆糕", Ids(&["lm1155015"])),
    ("曲奇", Ids(&["lm1111007", "lm1116011"])),
    ("猫砂盆", Ids(&["lm1071004", "lm1135050"])),
    ("牵引绳", Titles("牵引绳")),
    ("麻将", Ids(&["lm1153006"])),
    ("carat 炒锅", Ids(&["lm1051000"])),
    ("AB面 四件套", Ids(&["lm1135000"])),
    // It has no word for these, but for what kind they are.
    ("行李箱", Titles("箱")),
    ("行李箱 20寸", Titles("20寸")),
    // English.
    ("suitcase", Titles("箱")),
    ("bedding set", Titles("件套")),
    ("umbrella", Ids(&["lm1152097"])),
    ("green tea", Ids(&["lm1045000"])),
    ("curtains", Titles("窗帘")),
    ("20 inch suitcase", Titles("20寸")),
    // Traditional characters and full-width letters.
    ("純棉四件套", PURE_COTTON),
    ("綠茶", Ids(&["lm1045000"])),
    ("雙肩包", Ids(&["lm1152004"])),
    ("拉桿箱", TROLLEYS),
    ("２０寸", Titles("20寸")),
    ("Ｃａｒａｔ", Titles("Carat")),
    // Pinyin, in one go and by syllables.
    ("sijiantao", Titles("四件套")),
    ("si jian tao", Titles("四件套")),
    ("chunmian sijiantao", PURE_COTTON),
    ("laganxiang", TROLLEYS),
    ("dengjixiang", Titles("登机箱")),
    ("yusan", Ids(&["lm1152097"])),
    ("lvdougao", Ids(&["lm1155015"])),
    ("chuanglian", Titles("窗帘")),
    ("majiang", Ids(&["lm1153006"])),
    ("maojin", Titles("毛巾")),
    ("xinglixiang", Titles("箱")),
    ("shuangjianbao", Ids(&["lm1152004"])),
    ("carat chaoguo", Ids(&["lm1051000"])),
    // One wrong character.
    ("四件陶", Titles("四件套")),
    ("四见套", Titles("四件套")),
    ("双尖包", Ids(&["lm1152004"])),
    ("绿豆高", Ids(&["lm1155015"])),
    ("麻酱", Ids(&["lm1153006"])),
    // Units.
    ("20 inch", Titles("20寸")),
    ("520克", Ids(&["lm1111007"])),
    ("520 g", Ids(&["lm1111007"])),
    ("112l", Ids(&["lm1143016"])),
    ("104升 拉杆箱", Ids(&["lm1114011"])),
    ("炒锅 30厘米", Ids(&["lm1051000"])),
    // What is not wanted.
    ("四件套 不要纯棉", Titles("四件套")),
    ("登机箱 -铝框", Titles("登机箱")),
];

struct Shop {
    engine: Engine,
    _folder: tempfile::TempDir,
}

impl Shop {
    fn open() -> Self {
        Self::open_with(None)
    }

    fn open_with(encoders: Option<Arc<Encoders>>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let options = OpenOptions {
            learn: Learn::AtClose,
            encoders,
        };
        let engine = Engine::open(folder.path(), options).expect("the folder opens");
        let rows = PRODUCTS.lines().map(serde_json::from_str);
        let rows: Result<Vec<Map<String, Value>>, _> = rows.collect();
        let write = Write::Documents(DocumentsWrite {
            uid: IndexUid::new(SHOP).expect("a valid uid"),
            primary_key: Some("id".to_owned()),
            mode: WriteMode::Replace,
            documents: rows.expect("JSON"),
            rows: Vec::new(),
            rejected: Vec::new(),
        });
        let accepted = engine.write(write).expect("the write is accepted");
        let done = engine.wait(accepted.task_uid, Duration::from_secs(60));
        done.expect("the task exists");
        Self {
            engine,
            _folder: folder,
        }
    }

    fn reader(&self) -> IndexReader {
        self.engine.index(SHOP).expect("the index")
    }
}

/// Number and title of the first three.
fn first_three(reader: &IndexReader, query: &str) -> Vec<(String, String)> {
    let request = SearchRequest {
        q: query.to_owned(),
        limit: 3,
        ..SearchRequest::default()
    };
    let answer = reader.search(&request).expect("an answer");
    let text = |document: &Value, name: &str| document[name].as_str().unwrap_or("").to_owned();
    let documents = answer.hits.iter().map(|hit| {
        let document: Value = serde_json::from_str(hit.document.get()).expect("JSON");
        (text(&document, "id"), text(&document, "title"))
    });
    documents.collect()
}

#[test]
fn shoppers_find_what_they_mean() {
    let shop = Shop::open();
    let reader = shop.reader();
    let mut wrong = Vec::new();
    for (query, expected) in &PAIRS {
        let found = first_three(&reader, query);
        let is_right = match expected {
            Ids(ids) => ids
                .iter()
                .all(|id| found.iter().any(|(found, _)| found == id)),
            Titles(part) => {
                !found.is_empty() && found.iter().all(|(_, title)| title.contains(part))
            }
        };
        if !is_right {
            wrong.push(format!("{query}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let cotton = first_three(&reader, "四件套 不要纯棉");
    assert!(cotton.iter().all(|(_, title)| !title.contains("纯棉")));
}

#[test]
fn the_answer_says_what_was_understood() {
    let shop = Shop::open();
    let understood = |query: &str| {
        let request = SearchRequest {
            q: query.to_owned(),
            show_understood: true,
            ..SearchRequest::default()
        };
        let answer = shop.reader().search(&request).expect("an answer");
        let understood = answer.understood.expect("it was asked for");
        let words = understood.words.into_iter();
        let words = words.map(|word| (word.text, word.kind, word.meant));
        (understood.language, words.collect::<Vec<_>>())
    };
    let word =
        |text: &str, kind, meant: Option<&str>| (text.to_owned(), kind, meant.map(str::to_owned));
    assert_eq!(
        understood("si jian tao 20 inch -纯棉"),
        (
            // Letters of a few words are of any language.
            None,
            vec![
                word("si jian tao", WordKind::Pinyin, Some("四件套")),
                word("20 inch", WordKind::Unit, Some("20in")),
                word("纯棉", WordKind::Excluded, None),
            ]
        )
    );
    assert_eq!(
        understood("毛巾 四件陶"),
        (
            Some("zh"),
            vec![
                word("毛巾", WordKind::Category, Some("毛巾")),
                word("四件陶", WordKind::Typo, Some("四件套")),
            ]
        )
    );
    assert_eq!(understood("").1, vec![]);
}

/// With real weights: `cargo xtask check` pulls them and names their folder.
#[test]
fn a_chinese_catalogue_is_encoded_by_e5_and_found_by_meaning() {
    let Some(models) = std::env::var_os("VITRINE_MODELS") else {
        eprintln!("skipped: run `cargo xtask check`, which pulls the weights");
        return;
    };
    let folders = ModelFolders::new(None, Some(models.into()));
    let encoders = Encoders::new(folders, 2, ServiceOptions::default());
    let shop = Shop::open_with(Some(Arc::new(encoders)));
    shop.engine.catch_up_meaning(SHOP).expect("vectors");
    let reader = shop.reader();
    let meaning = reader.stats().expect("stats").meaning;
    assert_eq!(meaning.models["default"], "e5", "{meaning:?}");
    assert_eq!(meaning.documents, reader.stats().expect("stats").documents);
    for (query, word) in [
        ("towel", "巾"),
        ("毛巾", "毛巾"),
        ("登机箱", "箱"),
        ("浴巾", "巾"),
    ] {
        let request = SearchRequest {
            q: query.to_owned(),
            limit: 3,
            hybrid: Some(Hybrid::default()),
            ..SearchRequest::default()
        };
        let answer = reader.search(&request).expect("an answer");
        assert!(!answer.hits.is_empty(), "{query}");
        for hit in &answer.hits {
            let text = hit.document.get();
            assert!(text.contains(word), "{query}: {text}");
        }
    }
}
