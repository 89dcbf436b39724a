//! What a federated search can be asked beside its queries: facets over several queries of one
//! index, one hit for each value of an attribute, metadata, and how long it took.

use crate::shop::{Shop, ids, refused};
use serde_json::{Value, json};

/// Seven shoes of two indexes in three colours.
fn shop() -> Shop {
    let shop = Shop::empty();
    for (uid, documents) in [
        (
            "new",
            json!([
                { "id": "n1", "title": "red running shoes", "colour": "red", "size": 40 },
                { "id": "n2", "title": "blue running shoes", "colour": "blue", "size": 41 },
                { "id": "n3", "title": "red walking shoes", "colour": "red", "size": 42 },
                { "id": "n4", "title": "green boots", "colour": ["green", "red"], "size": 43 },
            ]),
        ),
        (
            "used",
            json!([
                { "id": "u1", "title": "running shoes", "colour": "blue" },
                { "id": "u2", "title": "old shoes", "colour": "white" },
                { "id": "u3", "title": "shoes" },
            ]),
        ),
    ] {
        let settings = json!({ "filterableAttributes": ["colour", "size"] });
        shop.patch(&format!("/indexes/{uid}/settings"), settings)
            .done(&shop);
        shop.post(&format!("/indexes/{uid}/documents"), documents)
            .done(&shop);
    }
    shop
}

fn search(shop: &Shop, federation: Value, queries: Value) -> Value {
    let body = json!({ "federation": federation, "queries": queries });
    shop.post("/multi-search", body).json()
}

#[test]
fn facets_count_what_any_query_of_an_index_finds_once() {
    let shop = shop();
    let queries = json!([
        { "indexUid": "new", "q": "running" },
        { "indexUid": "new", "filter": "colour = red" },
        { "indexUid": "used", "q": "shoes" },
    ]);
    let facets = json!({ "new": ["colour", "size"], "used": ["colour"] });
    let answer = search(&shop, json!({ "facetsByIndex": facets }), queries.clone());
    assert_eq!(
        answer["facetsByIndex"]["new"],
        json!({
            "distribution": {
                "colour": { "blue": 1, "green": 1, "red": 3 },
                "size": { "40": 1, "41": 1, "42": 1, "43": 1 },
            },
            "stats": { "size": { "min": 40.0, "max": 43.0 } },
        }),
        "{answer}"
    );
    let federation = json!({ "facetsByIndex": facets, "mergeFacets": {} });
    let merged = search(&shop, federation, queries);
    assert_eq!(
        merged["facetDistribution"]["colour"],
        json!({ "blue": 2, "green": 1, "red": 3, "white": 1 })
    );
    let federation = json!({ "facetsByIndex": { "new": ["title"] } });
    let twice = json!([{ "indexUid": "new" }, { "indexUid": "new" }]);
    let body = json!({ "federation": federation, "queries": twice });
    assert_eq!(
        shop.post("/multi-search", body).error(),
        refused(400, "invalid_search_facets")
    );
}

#[test]
fn of_hits_with_one_value_the_best_is_shown() {
    let shop = shop();
    let queries = json!([
        { "indexUid": "new", "attributesToRetrieve": ["id"] },
        { "indexUid": "used", "federationOptions": { "weight": 0.5 } },
    ]);
    let page = |offset: usize| {
        let federation = json!({ "distinct": "colour", "limit": 2, "offset": offset });
        search(&shop, federation, queries.clone())
    };
    let (first, second) = (page(0), page(2));
    assert_eq!(ids(&first["hits"]), ["n1", "n2"], "{first}");
    // The boots are red too, blue is there already, and no colour is like no other.
    assert_eq!(ids(&second["hits"]), ["u2", "u3"], "{second}");
    assert_eq!(first["estimatedTotalHits"], 4);
    assert_eq!(second["estimatedTotalHits"], 4);
    let body = json!({ "federation": { "distinct": "title" }, "queries": [{ "indexUid": "new" }] });
    assert_eq!(
        shop.post("/multi-search", body).error(),
        refused(400, "invalid_search_distinct")
    );
    let body = json!({ "federation": { "distinct": 5 }, "queries": [] });
    assert_eq!(
        shop.post("/multi-search", body).error(),
        refused(400, "invalid_multi_search_distinct")
    );
}

#[test]
fn metadata_and_times_are_told_on_request() {
    let shop = shop();
    let queries = json!([{ "indexUid": "used" }, { "indexUid": "new" }]);
    let plain = search(&shop, json!({}), queries.clone());
    for name in ["metadata", "requestUid", "performanceDetails"] {
        assert!(plain.get(name).is_none(), "{plain}");
    }
    let shop = shop.header("Meili-Include-Metadata", "true");
    let answer = search(&shop, json!({ "showPerformanceDetails": true }), queries);
    assert!(answer["requestUid"].is_string());
    assert!(answer["performanceDetails"]["search"].is_string());
    assert_eq!(answer["metadata"][1]["indexUid"], "new");
    assert_eq!(answer["metadata"][1]["primaryKey"], "id");
    let body = json!({ "showPerformanceDetails": true });
    let one = shop.post("/indexes/new/search", body).json();
    assert!(one["performanceDetails"]["search"].is_string(), "{one}");
}
