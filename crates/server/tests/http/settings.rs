//! Settings as a whole and one by one.

use crate::shop::{Shop, refused};
use serde_json::{Value, json};

/// Every sub-setting with its verb, a value, and a value of the wrong type.
fn table() -> Vec<(&'static str, &'static str, Value, Value, &'static str)> {
    vec![
        (
            "ranking-rules",
            "PUT",
            json!(["words", "price:asc"]),
            json!(["nonsense"]),
            "invalid_settings_ranking_rules",
        ),
        (
            "searchable-attributes",
            "PUT",
            json!(["title"]),
            json!(5),
            "invalid_settings_searchable_attributes",
        ),
        (
            "displayed-attributes",
            "PUT",
            json!(["title", "id"]),
            json!(5),
            "invalid_settings_displayed_attributes",
        ),
        (
            "filterable-attributes",
            "PUT",
            json!(["brand"]),
            json!("brand"),
            "invalid_settings_filterable_attributes",
        ),
        (
            "sortable-attributes",
            "PUT",
            json!(["price"]),
            json!({}),
            "invalid_settings_sortable_attributes",
        ),
        (
            "distinct-attribute",
            "PUT",
            json!("brand"),
            json!(5),
            "invalid_settings_distinct_attribute",
        ),
        (
            "stop-words",
            "PUT",
            json!(["a", "the"]),
            json!("the"),
            "invalid_settings_stop_words",
        ),
        (
            "synonyms",
            "PUT",
            json!({ "trainers": ["sneakers"] }),
            json!([]),
            "invalid_settings_synonyms",
        ),
        (
            "dictionary",
            "PUT",
            json!(["t-light"]),
            json!(5),
            "invalid_settings_dictionary",
        ),
        (
            "separator-tokens",
            "PUT",
            json!(["|"]),
            json!(5),
            "invalid_settings_separator_tokens",
        ),
        (
            "non-separator-tokens",
            "PUT",
            json!(["@"]),
            json!(5),
            "invalid_settings_non_separator_tokens",
        ),
        (
            "proximity-precision",
            "PUT",
            json!("byAttribute"),
            json!("far"),
            "invalid_settings_proximity_precision",
        ),
        (
            "prefix-search",
            "PUT",
            json!("disabled"),
            json!("often"),
            "invalid_settings_prefix_search",
        ),
        (
            "facet-search",
            "PUT",
            json!(false),
            json!("no"),
            "invalid_settings_facet_search",
        ),
        (
            "search-cutoff-ms",
            "PUT",
            json!(150),
            json!("fast"),
            "invalid_settings_search_cutoff_ms",
        ),
        (
            "localized-attributes",
            "PUT",
            json!([{ "attributePatterns": ["*_ja"], "locales": ["jpn"] }]),
            json!(5),
            "invalid_settings_localized_attributes",
        ),
        (
            "foreign-keys",
            "PUT",
            json!([]),
            json!(5),
            "invalid_settings_foreign_keys",
        ),
        (
            "typo-tolerance",
            "PATCH",
            json!({ "enabled": false }),
            json!({ "enabled": 5 }),
            "invalid_settings_typo_tolerance",
        ),
        (
            "faceting",
            "PATCH",
            json!({ "maxValuesPerFacet": 7 }),
            json!({ "maxValuesPerFacet": "a" }),
            "invalid_settings_faceting",
        ),
        (
            "pagination",
            "PATCH",
            json!({ "maxTotalHits": 7 }),
            json!({ "max": 7 }),
            "invalid_settings_pagination",
        ),
        (
            "embedders",
            "PATCH",
            json!({ "default": { "source": "userProvided", "dimensions": 3 } }),
            json!(5),
            "invalid_settings_embedders",
        ),
    ]
}

/// Whether the answer holds everything that was set.
fn holds(shown: &Value, set: &Value) -> bool {
    match (shown, set) {
        (Value::Object(shown), Value::Object(set)) => set
            .iter()
            .all(|(key, value)| shown.get(key).is_some_and(|own| holds(own, value))),
        _ => shown == set,
    }
}

#[test]
fn every_setting_is_shown_set_and_reset_by_its_own_route() {
    let shop = Shop::empty();
    shop.post("/indexes", json!({ "uid": "products" }))
        .done(&shop);
    for (name, verb, value, wrong, code) in table() {
        let path = format!("/indexes/products/settings/{name}");
        let send = |value: &Value| {
            shop.send(
                verb,
                &path,
                Some("application/json"),
                Some(value.to_string().into_bytes()),
            )
        };
        let default = shop.get(&path);
        assert_eq!(default.status, 200, "{name}");
        assert_eq!(send(&wrong).error(), refused(400, code), "{name}");
        let task = send(&value).done(&shop);
        assert_eq!(task["type"], "settingsUpdate");
        let shown = shop.get(&path).json();
        assert!(holds(&shown, &value), "{name}: {shown}");
        shop.delete(&path).done(&shop);
        assert_eq!(shop.get(&path).json(), default.json(), "{name}");
        let other = if verb == "PUT" { "PATCH" } else { "PUT" };
        let refusal = shop.send(other, &path, Some("application/json"), Some(b"[]".to_vec()));
        assert_eq!(
            refusal.error(),
            refused(405, "method_not_allowed"),
            "{name}"
        );
    }
}

#[test]
fn unset_settings_show_the_defaults_of_the_convention() {
    let shop = Shop::empty();
    shop.post("/indexes", json!({ "uid": "products" }))
        .done(&shop);
    let expected = json!({
        "displayedAttributes": ["*"],
        "searchableAttributes": ["*"],
        "filterableAttributes": [],
        "sortableAttributes": [],
        "foreignKeys": [],
        "rankingRules": ["words", "typo", "proximity", "attribute", "sort", "exactness"],
        "stopWords": [],
        "nonSeparatorTokens": [],
        "separatorTokens": [],
        "dictionary": [],
        "synonyms": {},
        "distinctAttribute": null,
        "proximityPrecision": "byWord",
        "typoTolerance": {
            "enabled": true,
            "minWordSizeForTypos": { "oneTypo": 5, "twoTypos": 9 },
            "disableOnWords": [],
            "disableOnAttributes": [],
            "disableOnNumbers": false,
        },
        "faceting": { "maxValuesPerFacet": 100, "sortFacetValuesBy": { "*": "alpha" } },
        "pagination": { "maxTotalHits": 1000 },
        "embedders": {},
        "searchCutoffMs": null,
        "localizedAttributes": null,
        "facetSearch": true,
        "prefixSearch": "indexingTime",
    });
    assert_eq!(shop.get("/indexes/products/settings").json(), expected);
}

#[test]
fn settings_change_and_reset_together() {
    let shop = Shop::empty();
    let path = "/indexes/products/settings";
    let default = {
        shop.post("/indexes", json!({ "uid": "products" }))
            .done(&shop);
        shop.get(path).json()
    };
    shop.patch(
        path,
        json!({
            "stopWords": ["the"],
            "typoTolerance": { "minWordSizeForTypos": { "oneTypo": 4 } },
            "synonyms": null,
        }),
    )
    .done(&shop);
    let shown = shop.get(path).json();
    assert_eq!(shown["stopWords"], json!(["the"]));
    assert_eq!(
        shown["typoTolerance"]["minWordSizeForTypos"],
        json!({ "oneTypo": 4, "twoTypos": 9 })
    );
    shop.delete(path).done(&shop);
    assert_eq!(shop.get(path).json(), default);
    assert_eq!(
        shop.patch(path, json!({ "colour": 5 })).error(),
        refused(400, "bad_request")
    );
    assert_eq!(
        shop.patch(path, json!([])).error(),
        refused(400, "bad_request")
    );
    for path in [
        "/indexes/other/settings",
        "/indexes/other/settings/stop-words",
    ] {
        let reset = shop.delete(path).finished(&shop);
        assert_eq!(reset["error"]["code"], "index_not_found", "{path}: {reset}");
        assert_eq!(shop.get(path).error(), refused(404, "index_not_found"));
    }
}

#[test]
fn guessed_roles_come_with_their_reasons_and_can_be_set() {
    let shop = Shop::stocked();
    let path = "/indexes/products/settings/roles";
    let guessed = shop.get(path).json();
    assert_eq!(guessed["source"], "guessed");
    assert_eq!(guessed["roles"]["title"], "title", "{guessed}");
    assert!(
        guessed["reasons"]
            .as_array()
            .is_some_and(|list| !list.is_empty())
    );
    shop.put(path, json!({ "title": "description" }))
        .done(&shop);
    let set = shop.get(path).json();
    assert_eq!(
        (&set["source"], &set["roles"]["title"]),
        (&json!("set"), &json!("description"))
    );
    assert_eq!(
        shop.put(path, json!({ "colour": "x" })).error(),
        refused(400, "invalid_settings_roles")
    );
    shop.delete(path).done(&shop);
    assert_eq!(shop.get(path).json(), guessed);
}

#[test]
fn facet_values_are_listed_in_the_order_set_for_their_attribute() {
    let shop = Shop::empty();
    let settings = json!({
        "filterableAttributes": ["brand", "colour"],
        "faceting": { "sortFacetValuesBy": { "*": "alpha", "brand": "count" } },
    });
    shop.patch("/indexes/a/settings", settings).done(&shop);
    let documents = json!([
        { "id": 1, "brand": "Acme", "colour": "blue" },
        { "id": 2, "brand": "Zig", "colour": "red" },
        { "id": 3, "brand": "Zig", "colour": "red" },
    ]);
    shop.post("/indexes/a/documents", documents).done(&shop);
    let order = |facet: &str| -> Vec<String> {
        let body = json!({ "facets": ["brand", "colour"] });
        let answer = shop.post("/indexes/a/search", body).json();
        let values = answer["facetDistribution"][facet].as_object();
        values.expect("a facet").keys().cloned().collect()
    };
    assert_eq!(order("brand"), ["Zig", "Acme"]);
    assert_eq!(order("colour"), ["blue", "red"]);
    let other = json!({ "sortFacetValuesBy": { "*": "count", "brand": "alpha" } });
    shop.patch("/indexes/a/settings/faceting", other)
        .done(&shop);
    assert_eq!(order("brand"), ["Acme", "Zig"]);
    assert_eq!(order("colour"), ["red", "blue"]);
}

#[test]
fn a_filterable_attribute_may_be_allowed_for_some_conditions_only() {
    let shop = Shop::empty();
    let filterable = json!([
        { "attributePatterns": ["price"], "features": { "filter": { "comparison": true, "equality": false } } },
        { "attributePatterns": ["br*"] },
        "*",
    ]);
    let path = "/indexes/a/settings/filterable-attributes";
    shop.put(path, filterable).done(&shop);
    assert_eq!(
        shop.get(path).json()[1],
        json!({
            "attributePatterns": ["br*"],
            "features": { "facetSearch": false, "filter": { "equality": true, "comparison": false } },
        })
    );
    let documents = json!([{ "id": 1, "price": 5, "brand": "Acme", "colour": "red" }]);
    shop.post("/indexes/a/documents", documents).done(&shop);
    let filter = |text: &str| shop.post("/indexes/a/search", json!({ "filter": text }));
    for good in [
        "price > 1",
        "price 1 TO 9",
        "price EXISTS",
        "brand = acme",
        "brand IN [acme]",
        "colour = red AND colour >= 0 OR id > 0",
    ] {
        assert_eq!(filter(good).status, 200, "{good}");
    }
    for bad in [
        "price = 5",
        "NOT price IN [5]",
        "brand > 5",
        "brand = acme AND brand < 5",
    ] {
        assert_eq!(
            filter(bad).error(),
            refused(400, "invalid_search_filter"),
            "{bad}"
        );
    }
    let search = |facet: &str| shop.post("/indexes/a/facet-search", json!({ "facetName": facet }));
    assert_eq!(
        search("brand").error(),
        refused(400, "invalid_facet_search_facet_name")
    );
    assert_eq!(search("colour").status, 200);
    let unknown = json!([{ "attributePatterns": ["a"], "features": { "sort": true } }]);
    assert_eq!(
        shop.put(path, unknown).error(),
        refused(400, "invalid_settings_filterable_attributes")
    );
}

#[test]
fn a_search_out_of_time_finds_exact_forms_only() {
    let shop = Shop::empty();
    shop.post(
        "/indexes/a/documents",
        json!([{ "id": "1", "title": "leather shoes" }]),
    )
    .done(&shop);
    let found = |q: &str| {
        let answer = shop.post("/indexes/a/search", json!({ "q": q })).json();
        answer["hits"].as_array().map(Vec::len)
    };
    assert_eq!((found("leathr"), found("leather")), (Some(1), Some(1)));
    let path = "/indexes/a/settings/search-cutoff-ms";
    shop.put(path, json!(0)).done(&shop);
    assert_eq!((found("leathr"), found("leather")), (Some(0), Some(1)));
    shop.delete(path).done(&shop);
    assert_eq!(found("leathr"), Some(1));
}

#[test]
fn nearness_counts_by_word_unless_told_otherwise() {
    let shop = Shop::empty();
    let documents = json!([
        { "id": "a", "title": "red cotton summer dress" },
        { "id": "b", "title": "cotton red dress summer" },
    ]);
    shop.post("/indexes/a/documents", documents).done(&shop);
    let scores = || -> Vec<f64> {
        let body = json!({ "q": "red dress", "showRankingScore": true });
        let answer = shop.post("/indexes/a/search", body).json();
        assert_eq!(answer["hits"].as_array().map(Vec::len), Some(2));
        let score = |place: usize| answer["hits"][place]["_rankingScore"].as_f64();
        (0..2).filter_map(score).collect()
    };
    let near = scores();
    assert!(near[0] > near[1], "{near:?}");
    let path = "/indexes/a/settings/proximity-precision";
    shop.put(path, json!("byAttribute")).done(&shop);
    let apart = scores();
    assert_eq!(apart[0], apart[1]);
}

#[test]
fn an_attribute_can_be_kept_from_typos_although_none_is_named_to_be_searched() {
    let shop = Shop::empty();
    let documents =
        json!([{ "id": "1", "title": "lamp", "maker": "lumenworks", "note": "lumenworks" }]);
    shop.post("/indexes/a/documents", documents).done(&shop);
    let found = |attribute: &str| {
        let body = json!({ "q": "lumenwerks", "attributesToSearchOn": [attribute] });
        let answer = shop.post("/indexes/a/search", body).json();
        answer["hits"].as_array().map(Vec::len)
    };
    assert_eq!(found("maker"), Some(1));
    let path = "/indexes/a/settings/typo-tolerance";
    shop.patch(path, json!({ "disableOnAttributes": ["maker"] }))
        .done(&shop);
    assert_eq!((found("maker"), found("note")), (Some(0), Some(1)));
    shop.patch(path, json!({ "disableOnWords": ["lumenwerks"] }))
        .done(&shop);
    assert_eq!(found("note"), Some(0));
    shop.delete(path).done(&shop);
    assert_eq!((found("maker"), found("note")), (Some(1), Some(1)));
}
