//! What the index sees of a document, and that it is told what changed.

use super::*;
use proptest::prelude::*;
use serde_json::json;

fn roles() -> Roles {
    let mut roles = Roles::default();
    for (role, path) in [
        (Role::Title, "title"),
        (Role::Text, "text"),
        (Role::Categories, "categories"),
        (Role::Price, "price"),
        (Role::Image, "image"),
        (Role::Rating, "rating.average"),
        (Role::Stock, "stock"),
        (Role::Created, "created"),
    ] {
        roles.set(role, vec![path.to_owned()]);
    }
    roles
}

#[track_caller]
fn check(given: Value, expected: Value, changed: &[&str]) {
    let given = given.as_object().expect("an object").clone();
    let mut changes = Vec::new();
    let cleaned = Cleaner::new(roles())
        .clean(&given, &mut changes)
        .into_owned();
    assert_eq!(Value::Object(cleaned), expected);
    let told: Vec<String> = changes
        .iter()
        .map(|change| format!("{}: {}", change.field, change.what))
        .collect();
    assert_eq!(told, changed);
    for change in changes {
        assert_eq!(
            serde_json::to_value(change.what).expect("serializes"),
            json!(change.what.as_str())
        );
    }
}

#[test]
fn a_clean_document_is_borrowed() {
    let given = json!({
        "id": "1", "title": "Xerox 006R90321 (17\")", "price": 4995, "categories": ["a", "b"], "weight": 3460.0,
        "created": "2009-12-10T00:00:00Z", "image": "http://x/ a.jpg", "stock": true, "other": {"材质": "100%棉"},
    });
    let mut changes = Vec::new();
    let cleaned = Cleaner::new(roles());
    assert!(matches!(
        cleaned.clean(given.as_object().expect("an object"), &mut changes),
        Cow::Borrowed(_)
    ));
    assert_eq!(changes, []);
}

#[test]
fn each_role_is_cleaned_in_its_way() {
    check(
        json!({
            "id": 1, "title": "<b>Tea</b> &amp; Milk", "text": "  two  words ", "price": "1.299,00 €", "stock": "3 in stock",
            "rating": {"average": "4,5/5", "count": "12 "}, "created": "2009/12/1", "categories": "A > B",
            "image": " http://x/ａ.jpg", "link": "https://x/ａ  b", "material": "ＡＢＳ\u{0}", "snippet": "<b>kept</b>",
        }),
        json!({
            "id": 1, "title": "Tea & Milk", "text": "two words", "price": 1299, "stock": 3,
            "rating": {"average": 4.5, "count": "12"}, "created": "2009-12-01T00:00:00Z", "categories": ["A", "B"],
            "image": " http://x/ａ.jpg", "link": "https://x/ａ  b", "material": "ABS", "snippet": "<b>kept</b>",
        }),
        &[
            "title: html stripped",
            "text: text normalised",
            "price: price parsed",
            "stock: number parsed",
            "rating.average: number parsed",
            "rating.count: text normalised",
            "created: date parsed",
            "categories: list flattened",
            "material: text normalised",
        ],
    );
}

#[test]
fn a_number_in_quotes_is_no_change() {
    check(
        json!({"price": "145.0", "stock": "7", "rating": {"average": "3"}}),
        json!({"price": 145, "stock": 7, "rating": {"average": 3}}),
        &[],
    );
}

#[test]
fn what_cannot_be_read_costs_the_field_alone() {
    check(
        json!({"id": 1, "price": "call us", "stock": "maybe", "created": "soon", "rating": {"average": "NaN"}}),
        json!({"id": 1, "rating": {}}),
        &[
            "price: unreadable value dropped",
            "stock: unreadable value dropped",
            "created: unreadable value dropped",
            "rating.average: unreadable value dropped",
        ],
    );
    check(
        json!({"price": -5, "id": 1}),
        json!({"id": 1}),
        &["price: negative price dropped"],
    );
    check(
        json!({"price": "-£5.00", "id": 1}),
        json!({"id": 1}),
        &["price: negative price dropped"],
    );
    check(
        json!({"price": "", "created": null, "id": 1}),
        json!({"created": null, "id": 1}),
        &[],
    );
}

#[test]
fn lists_and_languages_are_cleaned_inside() {
    check(
        json!({"title": {"en": "<i>Tea</i>", "de": "Tee"}, "text": ["a ", "b ", "c"], "price": ["£1", "x", 2]}),
        json!({"title": {"en": "Tea", "de": "Tee"}, "text": ["a", "b", "c"], "price": [1, 2]}),
        &[
            "title.en: html stripped",
            "text: text normalised",
            "price: price parsed",
            "price: unreadable value dropped",
        ],
    );
}

#[test]
fn changes_are_counted_per_document_and_once_per_list() {
    let given = json!({"text": ["a ", "<b>b</b>", "c "], "title": "x"});
    let given = given.as_object().expect("an object");
    let mut changes = Vec::new();
    for documents in 1..4 {
        Cleaner::new(roles()).clean(given, &mut changes);
        assert_eq!(changes.len(), 2 * documents);
    }
}

fn hostile_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[<>/&;#'\"=| ,\\[\\]a-c1-9.-]{0,6}",
        "\\PC{0,4}",
        prop::sample::select(vec![
            "<b>",
            "</b>",
            "&amp;",
            "&lt;",
            "&gt;",
            "lt;",
            "<script>",
            "<!--",
            "-->",
            "＜b＞",
            "＆amp;",
            "\u{301}",
            "\u{ad}",
            "¨",
            "½",
            "™",
            " > ",
            " / ",
            "['",
            "']",
            "&#62;",
            "&quot;",
            "<![CDATA[",
            "]]>",
            "£",
            "1,299",
            "2009年1月",
            "★",
            "in stock",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn cleaning_is_idempotent(texts in prop::collection::vec(hostile_text(), 9)) {
        let nested = json!([[&texts[0], &texts[1]], {"name": &texts[2]}]);
        let given = json!({
            "title": &texts[0], "text": [&texts[1], {"x": &texts[2]}], "categories": &texts[3], "price": &texts[4],
            "rating": {"average": &texts[5]}, "stock": &texts[6], "created": &texts[7], "other": &texts[8],
        });
        for given in [given, json!({"categories": nested}), json!({"categories": [&texts[7], &texts[8]]})] {
            let cleaner = Cleaner::new(roles());
            let given = given.as_object().expect("an object");
            let mut changes = Vec::new();
            let once = cleaner.clean(given, &mut changes).into_owned();
            changes.clear();
            let twice = cleaner.clean(&once, &mut changes);
            prop_assert_eq!(twice.as_ref(), &once);
            prop_assert_eq!(&changes, &vec![]);
        }
    }
}
