//! Odd values: texts, numbers, filters, sorts and vectors that somebody might send, or that
//! look as if they were right.

use serde_json::{Map, Value, json};
use testkit::SplitMix64;

const TEXTS: &[&str] = &[
    "",
    " ",
    "\u{0}",
    "a\u{0}b",
    "*",
    "-",
    "--",
    "\"",
    "\"\"",
    "\"red",
    "-\"red mug\"",
    "'",
    "\\",
    "\\\"",
    "null",
    "NaN",
    "-0",
    "1e999",
    "0x10",
    "..",
    "../../etc/passwd",
    "{{ doc.title }}",
    "{% for x in y %}{{",
    "{{ doc[\"a\" }}",
    "$ref",
    "_geo",
    "_vectors",
    "_geoPoint(0,0):asc",
    "price:asc",
    "price:",
    ":asc",
    "title:-5",
    "title:99999999999999999999",
    "a.b.c",
    ".",
    "a..b",
    "products",
    "p07",
    "red",
    "t-light",
    "runing shose",
    "xinglixiang",
    "不要",
    "without",
    "without without",
    "红色 运动鞋",
    "行李箱行李箱行李箱行李箱行李箱",
    "55\"",
    "55 inch 55寸 5e5 ml",
    "５５寸ＡＢ",
    "İstanbul ß ﬀ ǅ ŉ",
    "🙂👩‍👩‍👧‍👦🏳️‍🌈",
    "\u{202e}gnp.exe",
    "\u{feff}bom",
    "\u{fffd}",
    "\u{10ffff}",
    "e\u{301}\u{301}\u{301}\u{301}",
    "1970-01-01T00:00:00Z",
    "9999-99-99T99:99:99Z",
    "2026-02-30",
    "-271821-04-20T00:00:00Z",
    "vitrine",
    "minilm",
    "userProvided",
    "default",
    "mine",
    "words",
    "asc",
];

/// A text, now and then a long one.
pub fn text(random: &mut SplitMix64) -> String {
    let piece = (*random.pick(TEXTS).unwrap_or(&"")).to_owned();
    match random.below(40) {
        0 => piece.repeat(1 + random.below(4_000)),
        1 => "a".repeat(random.below(30_000)),
        2 => "e\u{301}".repeat(random.below(3_000)),
        3 => (0..random.below(300)).map(|_| character(random)).collect(),
        4..=8 => {
            let other = random.pick(TEXTS).unwrap_or(&"");
            format!("{piece} {other}")
        }
        _ => piece,
    }
}

fn character(random: &mut SplitMix64) -> char {
    loop {
        let most = match random.below(3) {
            0 => 0x80,
            1 => 0x1_0000,
            _ => 0x11_0000,
        };
        if let Some(found) = char::from_u32(random.below(most) as u32) {
            return found;
        }
    }
}

fn number(random: &mut SplitMix64) -> Value {
    match random.below(14) {
        0 => json!(0),
        1 => json!(-1),
        2 => json!(1),
        3 => json!(u64::MAX),
        4 => json!(i64::MIN),
        5 => json!(i64::MAX),
        6 => json!(1e308),
        7 => json!(-1e308),
        8 => json!(5e-324),
        9 => json!(0.5),
        10 => json!(u64::from(u32::MAX) + 1),
        11 => json!(1e39),
        12 => json!(random.next()),
        _ => json!(random.below(1_000)),
    }
}

/// A value of any kind.
pub fn value(random: &mut SplitMix64) -> Value {
    match random.below(14) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(false),
        3..=5 => number(random),
        6..=8 => json!(text(random)),
        9 => json!([]),
        10 => json!({}),
        11 => deep(random),
        12 => (0..random.below(6)).map(|_| value(random)).collect(),
        _ => {
            let fields = (0..random.below(4)).map(|_| (text(random), number(random)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
    }
}

/// Nested, within what the JSON library reads and beyond.
fn deep(random: &mut SplitMix64) -> Value {
    let mut value = number(random);
    for _ in 0..random.below(140) {
        value = match random.below(2) {
            0 => json!([value]),
            _ => json!({ "a": value }),
        };
    }
    value
}

/// A filter: a text of the grammar, such a text with a fault, or lists of them.
pub fn filter(random: &mut SplitMix64) -> Value {
    match random.below(12) {
        0 => json!([
            filter_text(random, 2),
            [filter_text(random, 2), filter_text(random, 1)]
        ]),
        1 => json!([[], [[]], [text(random)]]),
        2 => json!("(".repeat(1 + random.below(5_000))),
        3 => json!(format!("{}price > 1", "NOT ".repeat(random.below(5_000)))),
        4 => {
            let depth = random.below(400);
            json!(format!(
                "{}price > 1{}",
                "(".repeat(depth),
                ")".repeat(depth)
            ))
        }
        5 => {
            let list: Vec<String> = (0..random.below(2_000))
                .map(|at| format!("v{at}"))
                .collect();
            json!(format!("brand IN [{}]", list.join(",")))
        }
        6 => value(random),
        7..=8 => json!(cut(&filter_text(random, 3), random)),
        _ => json!(filter_text(random, 3)),
    }
}

fn filter_text(random: &mut SplitMix64, depth: usize) -> String {
    if depth > 0 && random.below(2) == 0 {
        let one = filter_text(random, depth - 1);
        let other = filter_text(random, depth - 1);
        return match random.below(4) {
            0 => format!("{one} AND {other}"),
            1 => format!("({one}) OR ({other})"),
            2 => format!("NOT ({one})"),
            _ => format!("{one} or {other} AND NOT {one}"),
        };
    }
    let attributes = [
        "price",
        "brand",
        "rating",
        "stock",
        "categories",
        "_geo",
        "a.b",
        "id",
        "\"\"",
    ];
    let attribute = *random.pick(&attributes).unwrap_or(&"price");
    let value = match random.below(4) {
        0 => number(random).to_string(),
        1 => format!("\"{}\"", text(random)),
        2 => "Adidas".to_owned(),
        _ => text(random),
    };
    match random.below(12) {
        0 => format!("{attribute} {value} TO {}", number(random)),
        1 => format!("{attribute} IN [{value}, {value}]"),
        2 => format!("{attribute} NOT IN [{value}]"),
        3 => format!("{attribute} EXISTS"),
        4 => format!("{attribute} IS NOT NULL"),
        5 => format!("{attribute} IS EMPTY"),
        6 => format!("{attribute} CONTAINS {value}"),
        7 => format!("{attribute} STARTS WITH {value}"),
        8 => format!(
            "_geoRadius({}, {}, {value})",
            number(random),
            number(random)
        ),
        9 => format!(
            "_geoBoundingBox([{}, {}], [{}, {value}])",
            number(random),
            number(random),
            number(random)
        ),
        10 => format!("_geoPolygon([1,2],[{},4],[5,{value}])", number(random)),
        _ => {
            let operators = ["=", "!=", ">", ">=", "<", "<=", "==", "~"];
            let operator = random.pick(&operators).unwrap_or(&"=");
            format!("{attribute} {operator} {value}")
        }
    }
}

/// The beginning of a text, up to some character.
fn cut(text: &str, random: &mut SplitMix64) -> String {
    let length = random.below(text.chars().count() + 1);
    text.chars().take(length).collect()
}

/// Sort expressions.
pub fn sorts(random: &mut SplitMix64) -> Value {
    let one = |random: &mut SplitMix64| match random.below(6) {
        0 => json!(format!(
            "_geoPoint({}, {}):asc",
            number(random),
            number(random)
        )),
        1 => json!("_geoPoint(1,2"),
        2 => json!(text(random)),
        3 => json!("price:desc"),
        4 => json!("title:asc"),
        _ => value(random),
    };
    (0..random.below(4)).map(|_| one(random)).collect()
}

/// A vector: of right or wrong length, of numbers or not.
pub fn vector(random: &mut SplitMix64) -> Value {
    let length = match random.below(6) {
        0 => 0,
        1 => 3,
        2 => 5,
        3 => testkit::ENCODER_DIMENSIONS,
        4 => 5_000,
        _ => 4,
    };
    match random.below(6) {
        0 => json!(vec![0.0; length]),
        1 => json!(vec![1e39; length]),
        2 => (0..length.min(64)).map(|_| value(random)).collect(),
        3 => json!({ "mine": vec![0.5; length], "default": [[0.5, 0.5], [0.1]], "": null }),
        4 => json!({ "mine": { "embeddings": vec![0.5; length], "regenerate": "no" } }),
        _ => (0..length).map(|_| json!(random.unit() - 0.5)).collect(),
    }
}
