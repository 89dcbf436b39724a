//! `localizedAttributes` and `locales`: in which languages texts are.

use crate::shop::{Shop, refused};
use serde_json::{Value, json};

fn found(shop: &Shop, body: Value) -> Vec<u64> {
    let answer = shop.post("/indexes/a/search", body).json();
    let hits = answer["hits"].as_array().cloned().unwrap_or_default();
    let mut ids: Vec<u64> = hits.iter().filter_map(|hit| hit["id"].as_u64()).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn plurals_are_english_where_no_other_language_is_named() {
    let shop = Shop::empty();
    let documents = json!([
        { "id": 1, "fr": "le bra", "en": "thing" },
        { "id": 2, "fr": "deux bras", "en": "thing" },
        { "id": 3, "fr": "rien", "en": "two bras" },
    ]);
    shop.post("/indexes/a/documents", documents).done(&shop);
    // White space behind the word, so that no more letters may follow.
    let search = |q: &str, locales: Value| found(&shop, json!({ "q": q, "locales": locales }));
    assert_eq!(search("bras ", Value::Null), [1, 2, 3]);

    let path = "/indexes/a/settings/localized-attributes";
    let french = json!([{ "attributePatterns": ["fr*"], "locales": ["fra"] }]);
    shop.put(path, french).done(&shop);
    assert_eq!(search("bras ", json!(["fra"])), [2]);
    assert_eq!(search("\"deux bras\"", json!(["fr"])), [2]);
    assert_eq!(search("bra ", json!(["fra"])), [1, 3]);
    assert_eq!(search("bra ", json!(["eng"])), [1, 3]);
    // In whichever language it is.
    assert_eq!(search("bras ", Value::Null), [1, 2, 3]);
    let body = json!({ "q": "bras ", "locales": ["fra"], "attributesToHighlight": ["fr"] });
    let shown = shop.post("/indexes/a/search", body).json();
    assert_eq!(shown["hits"][0]["_formatted"]["fr"], "deux <em>bras</em>");

    shop.delete(path).done(&shop);
    assert_eq!(search("bras ", json!(["fra"])), [1, 2, 3]);
}

#[test]
fn languages_are_checked() {
    let shop = Shop::empty();
    shop.post("/indexes/a/documents", json!([{ "id": 1 }]))
        .done(&shop);
    let path = "/indexes/a/settings/localized-attributes";
    let unknown = json!([{ "attributePatterns": ["*"], "locales": ["eng", "klingon"] }]);
    assert_eq!(
        shop.put(path, unknown).error(),
        refused(400, "invalid_settings_localized_attributes")
    );
    let search = shop.post("/indexes/a/search", json!({ "locales": ["eng", "xx"] }));
    assert_eq!(search.error(), refused(400, "invalid_search_locales"));
    assert!(search.json()["message"].as_str().is_some_and(|text| {
        text.starts_with("Unknown value `xx` at `.locales[1]`: expected one of `af`,")
    }));
    let facets = json!({ "facetName": "id", "locales": ["xx"] });
    assert_eq!(
        shop.post("/indexes/a/facet-search", facets).error(),
        refused(400, "invalid_search_locales")
    );
}
