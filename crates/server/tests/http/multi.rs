//! `POST /multi-search`, separate and federated.

use crate::shop::{Shop, ids, refused};
use serde_json::{Value, json};

/// Products and, in a second index, three books that share words with them.
fn shop() -> Shop {
    let shop = Shop::stocked();
    let books = json!([
        { "id": "b1", "title": "The Running Shoes", "price": 9 },
        { "id": "b2", "title": "Candle Making", "price": 12 },
        { "id": "b3", "title": "A Heart", "price": 15 },
    ]);
    shop.put(
        "/indexes/books/settings/filterable-attributes",
        json!(["price"]),
    )
    .done(&shop);
    shop.post("/indexes/books/documents", books).done(&shop);
    shop
}

#[test]
fn each_query_has_its_own_answer() {
    let shop = shop().header("Meili-Include-Metadata", "true");
    let body = json!({ "queries": [
        { "indexUid": "products", "q": "heart", "limit": 1 },
        { "indexUid": "books", "hitsPerPage": 2, "page": 1, "facets": ["price"] },
    ]});
    let answer = shop.post("/multi-search", body).json();
    let results = answer["results"].as_array().expect("results");
    assert_eq!(results.len(), 2);
    assert_eq!(results[0]["indexUid"], "products");
    assert_eq!(ids(&results[0]["hits"]), ["p07"]);
    assert_eq!(results[1]["totalHits"], 3);
    assert_eq!(
        results[1]["facetStats"]["price"],
        json!({ "min": 9.0, "max": 15.0 })
    );
    assert_eq!(results[1]["metadata"]["indexUid"], "books");
    assert_eq!(
        shop.post("/multi-search", json!({ "queries": [] })).json(),
        json!({ "results": [] })
    );
}

#[test]
fn federated_hits_are_merged_by_weighted_score() {
    let shop = shop();
    let search = |weight: f64| {
        let body = json!({
            "federation": { "limit": 5, "facetsByIndex": { "books": ["price"] } },
            "queries": [
                { "indexUid": "products", "q": "running shoes" },
                { "indexUid": "books", "q": "running shoes", "federationOptions": { "weight": weight } },
            ],
        });
        shop.post("/multi-search", body).json()
    };
    let books_first = search(10.0);
    assert_eq!(
        ids(&books_first["hits"]).first(),
        Some(&"b1"),
        "{books_first}"
    );
    let origin = &books_first["hits"][0]["_federation"];
    assert_eq!(
        (&origin["indexUid"], &origin["queriesPosition"]),
        (&json!("books"), &json!(1))
    );
    assert!(origin["weightedRankingScore"].as_f64() > Some(1.0));
    assert!(books_first["hits"][0].get("_rankingScore").is_none());
    assert_eq!(
        (&books_first["limit"], &books_first["offset"]),
        (&json!(5), &json!(0))
    );
    assert!(books_first["facetsByIndex"]["books"]["distribution"]["price"].is_object());
    let products_first = search(0.0);
    assert!(ids(&products_first["hits"])[0].starts_with('p'));
    assert_eq!(
        products_first["estimatedTotalHits"],
        books_first["estimatedTotalHits"]
    );
}

#[test]
fn federated_paging_reaches_every_document_once() {
    let shop = shop();
    let page = |offset: usize| {
        let body = json!({
            "federation": { "limit": 7, "offset": offset },
            "queries": [
                { "indexUid": "products", "q": "" },
                { "indexUid": "products", "filter": "brand = Adidas", "attributesToRetrieve": ["title"] },
                { "indexUid": "books" },
            ],
        });
        shop.post("/multi-search", body).json()
    };
    let mut reached = Vec::new();
    for offset in (0..50).step_by(7) {
        let answer = page(offset);
        assert_eq!(answer["estimatedTotalHits"], 43, "{answer}");
        reached.extend(ids(&answer["hits"]).into_iter().map(str::to_owned));
    }
    assert_eq!(reached.len(), 43);
    reached.sort();
    reached.dedup();
    assert_eq!(reached.len(), 43);
}

#[test]
fn facets_can_be_counted_over_all_indexes() {
    let shop = shop();
    let body = json!({
        "federation": {
            "limit": 0,
            "facetsByIndex": { "products": ["price"], "books": ["price"] },
            "mergeFacets": { "maxValuesPerFacet": 1000 },
        },
        "queries": [{ "indexUid": "products" }, { "indexUid": "books" }],
    });
    let answer = shop.post("/multi-search", body).json();
    let counts = answer["facetDistribution"]["price"]
        .as_object()
        .expect("counts");
    assert_eq!(counts.values().filter_map(Value::as_u64).sum::<u64>(), 43);
    assert!(answer["facetStats"]["price"]["max"].as_f64() > Some(100.0));
    assert!(answer.get("facetsByIndex").is_none());
}

#[test]
fn faults_name_the_query() {
    let shop = shop();
    let search = |body: Value| shop.post("/multi-search", body);
    for (body, code) in [
        (json!({}), "bad_request"),
        (json!({ "queries": 5 }), "invalid_multi_search_queries"),
        (json!({ "queries": [5] }), "bad_request"),
        (json!({ "queries": [{}] }), "missing_index_uid"),
        (
            json!({ "queries": [{ "indexUid": "a b" }] }),
            "invalid_index_uid",
        ),
        (
            json!({ "queries": [{ "indexUid": "nope" }] }),
            "index_not_found",
        ),
        (
            json!({ "queries": [{ "indexUid": "books", "limit": "a" }] }),
            "invalid_search_limit",
        ),
        (
            json!({ "queries": [{ "indexUid": "books", "x": 1 }] }),
            "bad_request",
        ),
        (
            json!({ "queries": [{ "indexUid": "books", "federationOptions": {} }] }),
            "invalid_multi_search_federation_options",
        ),
        (json!({ "federation": 5, "queries": [] }), "bad_request"),
        (
            json!({ "federation": { "limit": "a" }, "queries": [] }),
            "invalid_multi_search_limit",
        ),
        (
            json!({ "federation": { "facetsByIndex": { "a": 5 } }, "queries": [] }),
            "invalid_multi_search_facets_by_index",
        ),
        (
            json!({ "federation": { "facetsByIndex": { "books": [] } }, "queries": [] }),
            "invalid_multi_search_facets_by_index",
        ),
        (
            json!({ "federation": { "mergeFacets": { "maxValuesPerFacet": "a" } }, "queries": [] }),
            "invalid_multi_search_max_values_per_facet",
        ),
        (
            json!({ "federation": {}, "queries": [{ "indexUid": "books", "limit": 1 }] }),
            "invalid_multi_search_query_pagination",
        ),
        (
            json!({ "federation": {}, "queries": [{ "indexUid": "books", "facets": ["a"] }] }),
            "invalid_multi_search_query_facets",
        ),
        (
            json!({ "federation": {}, "queries": [{ "indexUid": "books", "federationOptions": { "weight": -1 } }] }),
            "invalid_multi_search_weight",
        ),
        (
            json!({ "federation": {}, "queries": [{ "indexUid": "books", "federationOptions": { "remote": "x" } }] }),
            "invalid_multi_search_remote",
        ),
    ] {
        assert_eq!(search(body.clone()).error(), refused(400, code), "{body}");
    }
    let missing =
        search(json!({ "queries": [{ "indexUid": "books" }, { "indexUid": "nope" }] })).json();
    assert_eq!(
        missing["message"],
        "Inside `.queries[1]`: Index `nope` not found."
    );
    let many: Vec<Value> = (0..101).map(|_| json!({ "indexUid": "books" })).collect();
    assert_eq!(
        search(json!({ "queries": many })).error(),
        refused(400, "invalid_multi_search_queries")
    );
}
