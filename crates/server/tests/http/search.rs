//! `GET|POST /indexes/{uid}/search` and facet search.

use crate::shop::{Shop, ids, refused};
use serde_json::{Value, json};

const PATH: &str = "/indexes/products/search";

#[test]
fn a_search_answers_in_the_shape_of_the_convention() {
    let shop = Shop::stocked();
    let found = shop
        .post(PATH, json!({ "q": "heart t-light holder" }))
        .json();
    assert_eq!(ids(&found["hits"]).first(), Some(&"p07"), "{found}");
    let hit = found["hits"][0].as_object().expect("a document");
    assert_eq!(hit.keys().filter(|key| key.starts_with('_')).count(), 0);
    assert_eq!(found["query"], "heart t-light holder");
    assert_eq!((&found["limit"], &found["offset"]), (&json!(20), &json!(0)));
    assert!(found["processingTimeMs"].is_u64());
    assert!(found["estimatedTotalHits"].as_u64() >= Some(2));
    for absent in [
        "facetDistribution",
        "facetStats",
        "page",
        "metadata",
        "requestUid",
    ] {
        assert!(found.get(absent).is_none(), "{absent}");
    }
}

#[test]
fn a_search_without_a_query_finds_everything_and_paging_adds_up() {
    let shop = Shop::stocked();
    let search = |body| shop.post(PATH, body).json();
    assert_eq!(search(json!({}))["estimatedTotalHits"], 40);
    assert_eq!(search(json!({ "q": null }))["query"], "");
    let none = search(json!({ "limit": 0 }));
    assert_eq!(
        (&none["hits"], &none["estimatedTotalHits"]),
        (&json!([]), &json!(40))
    );

    let pages = search(json!({ "hitsPerPage": 15, "page": 3 }));
    assert_eq!(pages["hits"].as_array().map(Vec::len), Some(10));
    assert_eq!(
        (&pages["page"], &pages["hitsPerPage"]),
        (&json!(3), &json!(15))
    );
    assert_eq!(
        (&pages["totalPages"], &pages["totalHits"]),
        (&json!(3), &json!(40))
    );
    assert!(pages.get("estimatedTotalHits").is_none());
    let none = search(json!({ "hitsPerPage": 0 }));
    assert_eq!(
        (&none["totalPages"], &none["totalHits"]),
        (&json!(0), &json!(40))
    );

    shop.patch(
        "/indexes/products/settings/pagination",
        json!({ "maxTotalHits": 12 }),
    )
    .done(&shop);
    let last = search(json!({ "offset": 10, "limit": 10 }));
    assert_eq!(last["hits"].as_array().map(Vec::len), Some(2));
    assert_eq!(last["estimatedTotalHits"], 12);
}

#[test]
fn filters_sorts_and_facets() {
    let shop = Shop::stocked();
    let found = shop
        .post(
            PATH,
            json!({
                "filter": ["price > 1", ["brand = Adidas", "brand = Nike"]],
                "sort": ["id:desc"],
                "facets": ["brand", "price"],
                "attributesToRetrieve": ["id"],
            }),
        )
        .json();
    assert_eq!(
        found["hits"],
        json!([{ "id": "p40" }, { "id": "p04" }, { "id": "p03" }, { "id": "p02" }, { "id": "p01" }])
    );
    assert_eq!(
        found["facetDistribution"]["brand"],
        json!({ "Adidas": 4, "Nike": 1 })
    );
    let price = &found["facetStats"]["price"];
    assert!(price["min"].as_f64() < price["max"].as_f64(), "{price}");
    assert!(found["facetStats"].get("brand").is_none());
}

#[test]
fn extras_are_added_on_request() {
    let shop = Shop::stocked();
    let body = json!({
        "q": "heart",
        "limit": 1,
        "attributesToHighlight": ["title"],
        "highlightPreTag": "<b>",
        "highlightPostTag": "</b>",
        "attributesToCrop": ["description:3"],
        "showMatchesPosition": true,
        "showRankingScore": true,
        "showRankingScoreDetails": true,
    });
    let found = shop.post(PATH, body).json();
    let hit = &found["hits"][0];
    assert_eq!(hit["title"], "White Hanging Heart T-Light Holder");
    assert_eq!(
        hit["_formatted"]["title"],
        "White Hanging <b>Heart</b> T-Light Holder"
    );
    assert!(
        hit["_formatted"]["description"]
            .as_str()
            .is_some_and(|text| text.contains('…')),
        "{hit}"
    );
    assert_eq!(
        hit["_matchesPosition"]["title"],
        json!([{ "start": 14, "length": 5 }])
    );
    assert!(
        hit["_rankingScore"]
            .as_f64()
            .is_some_and(|score| (0.0..=1.0).contains(&score))
    );
    let details = &hit["_rankingScoreDetails"];
    let words = json!({ "order": 0, "matchingWords": 1, "maxMatchingWords": 1, "score": 1.0 });
    assert_eq!(details["words"], words);
    let typo = json!({ "order": 1, "typoCount": 0, "maxTypoCount": 3, "score": 1.0 });
    assert_eq!(details["typo"], typo);
    let share = details["bm25"]["score"].as_f64();
    assert!(share.is_some_and(|share| share > 0.0 && share <= 1.0));
}

#[test]
fn of_a_beginning_only_the_beginning_is_marked() {
    let shop = Shop::empty();
    let document =
        json!({ "id": 1, "title": "Beeswax candle", "tags": ["wax", "beeswax", "bees"] });
    shop.post("/indexes/a/documents", document).done(&shop);
    let search = |q: &str| {
        let body = json!({ "q": q, "attributesToHighlight": ["*"], "showMatchesPosition": true });
        shop.post("/indexes/a/search", body).json()["hits"][0].clone()
    };
    let hit = search("bees");
    assert_eq!(
        (&hit["_formatted"]["title"], &hit["_formatted"]["tags"]),
        (
            &json!("<em>Bees</em>wax candle"),
            &json!(["wax", "<em>bees</em>wax", "<em>bees</em>"])
        )
    );
    assert_eq!(
        hit["_matchesPosition"],
        json!({
            "title": [{ "start": 0, "length": 4 }],
            "tags": [
                { "start": 0, "length": 4, "indices": [1] },
                { "start": 0, "length": 4, "indices": [2] },
            ],
        })
    );
    let whole = search("beeswax cand");
    assert_eq!(
        whole["_formatted"]["title"],
        "<em>Beeswax</em> <em>cand</em>le"
    );
    // No more letters may follow, so the words are whole.
    let closed = search("beeswax candles ");
    assert_eq!(
        closed["_formatted"]["title"],
        "<em>Beeswax</em> <em>candle</em>"
    );
}

#[test]
fn the_answer_says_what_was_understood() {
    let shop = Shop::stocked();
    let body = json!({ "q": "adidas shoos -red \"t-light\"", "showUnderstood": true });
    let found = shop.post(PATH, body).json();
    let words = found["understood"]["words"].as_array().expect("words");
    assert_eq!(
        words[0],
        json!({ "text": "adidas", "kind": "brand", "as": "Adidas", "attribute": "brand" })
    );
    let kinds: Vec<&str> = words
        .iter()
        .filter_map(|word| word["kind"].as_str())
        .collect();
    assert_eq!(kinds, ["brand", "typo", "phrase", "excluded"], "{found}");
    assert_eq!(found["understood"]["language"], Value::Null);
    let url = shop
        .get(&format!("{PATH}?q=20%20inch&showUnderstood=true"))
        .json();
    assert_eq!(
        url["understood"]["words"],
        json!([{ "text": "20 inch", "kind": "unit", "as": "20in" }])
    );
    let plain = shop.post(PATH, json!({ "q": "adidas" })).json();
    assert!(plain.get("understood").is_none());
    let answer = shop.post(PATH, json!({ "showUnderstood": "yes" }));
    assert_eq!(
        answer.error(),
        refused(400, "invalid_search_show_understood")
    );
}

#[test]
fn a_search_url_asks_the_same_as_a_body() {
    let shop = Shop::stocked();
    let query = "?q=shoes&limit=3&offset=1&sort=id:asc&filter=brand%20%3D%20Adidas%20OR%20brand%20%3D%20Nike\
                 &attributesToRetrieve=id,title&facets=brand&showRankingScore=true&matchingStrategy=all";
    let by_url = shop.get(&format!("{PATH}{query}")).json();
    let body = json!({
        "q": "shoes", "limit": 3, "offset": 1, "sort": ["id:asc"],
        "filter": "brand = Adidas OR brand = Nike",
        "attributesToRetrieve": ["id", "title"], "facets": ["brand"],
        "showRankingScore": true, "matchingStrategy": "all",
    });
    let by_body = shop.post(PATH, body).json();
    assert_eq!(by_url["hits"], by_body["hits"]);
    assert!(
        by_url["hits"]
            .as_array()
            .is_some_and(|hits| !hits.is_empty()),
        "{by_url}"
    );
    assert_eq!(by_url["facetDistribution"], by_body["facetDistribution"]);
    let list = shop.get(&format!(
        "{PATH}?filter=%5B%22brand%20%3D%20Adidas%22%2C%5B%22id%20%3D%20p01%22%5D%5D"
    ));
    assert_eq!(list.json()["estimatedTotalHits"], 1);
}

#[test]
fn metadata_comes_with_its_header_only() {
    let shop = Shop::stocked().header("Meili-Include-Metadata", "true");
    let found = shop.post(PATH, json!({ "limit": 0 })).json();
    let metadata = &found["metadata"];
    assert_eq!(
        (&metadata["indexUid"], &metadata["primaryKey"]),
        (&json!("products"), &json!("id"))
    );
    assert_eq!(metadata["queryUid"].as_str().map(str::len), Some(36));
    assert_eq!(found["requestUid"].as_str().map(str::len), Some(36));
}

#[test]
fn every_parameter_has_its_own_error_code() {
    let shop = Shop::stocked();
    let search = |body: Value| shop.post(PATH, body).error();
    for (body, code) in [
        (json!({ "q": 5 }), "invalid_search_q"),
        (json!({ "offset": -1 }), "invalid_search_offset"),
        (json!({ "limit": "a" }), "invalid_search_limit"),
        (json!({ "limit": 1.5 }), "invalid_search_limit"),
        (json!({ "page": true }), "invalid_search_page"),
        (json!({ "hitsPerPage": [] }), "invalid_search_hits_per_page"),
        (
            json!({ "attributesToRetrieve": "id" }),
            "invalid_search_attributes_to_retrieve",
        ),
        (
            json!({ "attributesToCrop": [1] }),
            "invalid_search_attributes_to_crop",
        ),
        (json!({ "cropLength": "a" }), "invalid_search_crop_length"),
        (json!({ "cropMarker": 1 }), "invalid_search_crop_marker"),
        (
            json!({ "attributesToHighlight": 1 }),
            "invalid_search_attributes_to_highlight",
        ),
        (
            json!({ "highlightPreTag": 1 }),
            "invalid_search_highlight_pre_tag",
        ),
        (
            json!({ "highlightPostTag": 1 }),
            "invalid_search_highlight_post_tag",
        ),
        (
            json!({ "showMatchesPosition": "a" }),
            "invalid_search_show_matches_position",
        ),
        (
            json!({ "showRankingScore": "a" }),
            "invalid_search_show_ranking_score",
        ),
        (
            json!({ "showRankingScoreDetails": 1 }),
            "invalid_search_show_ranking_score_details",
        ),
        (json!({ "filter": 5 }), "invalid_search_filter"),
        (json!({ "filter": "brand =" }), "invalid_search_filter"),
        (
            json!({ "filter": ["brand = a", "x = 1) OR (y = 2"] }),
            "invalid_search_filter",
        ),
        (json!({ "sort": "price:asc" }), "invalid_search_sort"),
        (json!({ "sort": ["price"] }), "invalid_search_sort"),
        (
            json!({ "sort": ["_geoPoint(1,2):asc"] }),
            "invalid_search_sort",
        ),
        (json!({ "distinct": 1 }), "invalid_search_distinct"),
        (json!({ "facets": {} }), "invalid_search_facets"),
        (
            json!({ "matchingStrategy": "some" }),
            "invalid_search_matching_strategy",
        ),
        (
            json!({ "attributesToSearchOn": 1 }),
            "invalid_search_attributes_to_search_on",
        ),
        (
            json!({ "rankingScoreThreshold": 1.5 }),
            "invalid_search_ranking_score_threshold",
        ),
        (json!({ "locales": "en" }), "invalid_search_locales"),
        (
            json!({ "hybrid": { "embedder": "other" } }),
            "invalid_search_embedder",
        ),
        (json!({ "vector": [1.0] }), "missing_search_hybrid"),
        (
            json!({ "personalize": { "userContext": "x" } }),
            "feature_not_enabled",
        ),
        (json!({ "useNetwork": true }), "feature_not_enabled"),
        (json!({ "colour": 1 }), "bad_request"),
        (json!([]), "bad_request"),
    ] {
        assert_eq!(search(body.clone()), refused(400, code), "{body}");
    }
    let message = shop.post(PATH, json!({ "limit": "a" })).json()["message"].clone();
    assert_eq!(
        message,
        "Invalid value type at `.limit`: expected a positive integer, but found a string: `\"a\"`"
    );
    for accepted in [
        json!({ "hybrid": null }),
        json!({ "locales": ["en"], "useNetwork": false, "retrieveVectors": true }),
    ] {
        assert_eq!(shop.post(PATH, accepted).status, 200);
    }
}

#[test]
fn attributes_that_are_not_allowed_are_named() {
    let shop = Shop::empty();
    shop.post("/indexes/products/documents", json!(testkit::catalogue(1)))
        .done(&shop);
    shop.put(
        "/indexes/products/settings/filterable-attributes",
        json!(["brand"]),
    )
    .done(&shop);
    for (body, code) in [
        (json!({ "filter": "stock > 1" }), "invalid_search_filter"),
        (json!({ "sort": ["stock:asc"] }), "invalid_search_sort"),
        (json!({ "facets": ["stock"] }), "invalid_search_facets"),
        (json!({ "distinct": "stock" }), "invalid_search_distinct"),
    ] {
        let answer = shop.post(PATH, body.clone());
        assert_eq!(answer.error(), refused(400, code), "{body}");
        assert!(
            answer.json()["message"]
                .as_str()
                .is_some_and(|text| text.contains("`stock`"))
        );
    }
    assert_eq!(
        shop.post("/indexes/other/search", json!({})).error(),
        refused(404, "index_not_found")
    );
    assert_eq!(
        shop.post("/indexes/a%2Fb/search", json!({})).error(),
        refused(400, "invalid_index_uid")
    );
}

#[test]
fn a_search_body_must_be_json() {
    let shop = Shop::stocked();
    let send = |media: Option<&str>, body: &str| {
        shop.send("POST", PATH, media, Some(body.as_bytes().to_vec()))
            .error()
    };
    let json = Some("application/json");
    assert_eq!(send(None, "{}"), refused(415, "missing_content_type"));
    assert_eq!(
        send(Some("text/csv"), "{}"),
        refused(415, "invalid_content_type")
    );
    assert_eq!(send(json, ""), refused(400, "missing_payload"));
    assert_eq!(send(json, "{\"q\":"), refused(400, "malformed_payload"));
}

#[test]
fn facet_search_completes_the_values_of_a_facet() {
    let shop = Shop::stocked();
    let path = "/indexes/products/facet-search";
    let found = shop
        .post(
            path,
            json!({ "facetName": "brand", "facetQuery": "adi", "limit": 3, "sort": ["x"] }),
        )
        .json();
    assert_eq!(
        found["facetHits"],
        json!([{ "value": "Adidas", "count": 4 }])
    );
    assert_eq!(found["facetQuery"], "adi");
    assert!(found["processingTimeMs"].is_u64());
    let filtered = shop
        .post(path, json!({ "facetName": "brand", "filter": "id = p03" }))
        .json();
    assert_eq!(
        filtered["facetHits"],
        json!([{ "value": "Nike", "count": 1 }])
    );
    let misspelt = json!({ "facetName": "brand", "facetQuery": "adibas" });
    assert_eq!(
        shop.post(path, misspelt).json()["facetHits"],
        found["facetHits"]
    );
    let values = || -> Vec<String> {
        let found = shop.post(path, json!({ "facetName": "brand" })).json();
        let hits = found["facetHits"].as_array().cloned().unwrap_or_default();
        let values = hits.iter().filter_map(|hit| hit["value"].as_str());
        values.map(str::to_owned).collect()
    };
    let by_name = values();
    assert!(by_name.is_sorted(), "{by_name:?}");
    let faceting = "/indexes/products/settings/faceting";
    let by_count = json!({ "sortFacetValuesBy": { "brand": "count" }, "maxValuesPerFacet": 2 });
    shop.patch(faceting, by_count).done(&shop);
    let found = shop.post(path, json!({ "facetName": "brand" })).json();
    let counts: Vec<i64> = (0..2)
        .filter_map(|place| found["facetHits"][place]["count"].as_i64())
        .collect();
    assert_eq!(values().len(), 2);
    assert!(
        counts[0] >= counts[1] && values()[0] != by_name[0],
        "{found}"
    );
    let refuse = |body| shop.post(path, body).error();
    assert_eq!(
        refuse(json!({})),
        refused(400, "missing_facet_search_facet_name")
    );
    assert_eq!(
        refuse(json!({ "facetName": 5 })),
        refused(400, "invalid_facet_search_facet_name")
    );
    assert_eq!(
        refuse(json!({ "facetName": "no-such-attribute" })),
        refused(400, "invalid_facet_search_facet_name")
    );
    assert_eq!(
        refuse(json!({ "facetName": "brand", "facetQuery": 5 })),
        refused(400, "invalid_facet_search_facet_query")
    );
    shop.put("/indexes/products/settings/facet-search", json!(false))
        .done(&shop);
    assert_eq!(
        refuse(json!({ "facetName": "brand" })),
        refused(400, "facet_search_disabled")
    );
}
