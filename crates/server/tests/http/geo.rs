//! `_geo`: filters by area, and order by distance.

use crate::shop::{Shop, ids, refused};
use serde_json::{Value, json};

/// Four shops of one town, one of them without a place.
fn town() -> Shop {
    let shop = Shop::empty();
    let settings = json!({ "filterableAttributes": ["_geo"], "sortableAttributes": ["_geo", "n"] });
    shop.patch("/indexes/shops/settings", settings).done(&shop);
    let documents = json!([
        { "id": "near", "n": 1, "_geo": { "lat": 45.4777599, "lng": 9.1967508 } },
        { "id": "text", "n": 1, "_geo": { "lat": "45.4632046", "lng": "9.1719421" } },
        { "id": "far", "n": 2, "_geo": { "lat": 48.8826517, "lng": 2.3352748 } },
        { "id": "nowhere", "n": 3, "_geo": null },
        { "id": "wrong", "n": 4, "_geo": { "lat": 95, "lng": 2 } },
    ]);
    shop.post("/indexes/shops/documents", documents).done(&shop);
    shop
}

#[track_caller]
fn check(shop: &Shop, body: Value, expected: &[&str]) {
    let answer = shop.post("/indexes/shops/search", body.clone()).json();
    assert_eq!(ids(&answer["hits"]), expected, "{body}");
}

#[test]
fn areas_filter() {
    let shop = town();
    for (filter, expected) in [
        (
            "_geoRadius(45.472735, 9.184019, 10000)",
            &["near", "text"][..],
        ),
        ("_geoRadius(45.472735, 9.184019, 1200)", &["near"]),
        (
            "_geoBoundingBox([45.494181, 9.214024], [45.449484, 9.179175])",
            &["near"],
        ),
        (
            "_geoPolygon([45, 9], [45, 10], [46, 10], [46, 9])",
            &["near", "text"],
        ),
        (
            "NOT _geoRadius(45.472735, 9.184019, 10000)",
            &["far", "nowhere", "wrong"],
        ),
        (
            "_geoRadius(48.88, 2.33, 10000) OR _geoRadius(45.472735, 9.184019, 1200)",
            &["near", "far"],
        ),
        ("_geo.lat > 46", &["far"]),
    ] {
        check(&shop, json!({ "filter": filter }), expected);
    }
}

#[test]
fn points_sort_and_tell_the_distance() {
    let shop = town();
    let near = "_geoPoint(45.4777599, 9.1967508)";
    let all = ["near", "text", "far", "nowhere", "wrong"];
    check(&shop, json!({ "sort": [format!("{near}:asc")] }), &all);
    let backwards = ["far", "text", "near", "nowhere", "wrong"];
    check(
        &shop,
        json!({ "sort": [format!("{near}:desc")] }),
        &backwards,
    );
    let both = json!({ "sort": ["n:desc", format!("{near}:asc")] });
    check(&shop, both, &["wrong", "nowhere", "far", "near", "text"]);
    let query = "_geoPoint(45.4777599,9.1967508):asc,n:asc";
    let answer = shop
        .get(&format!("/indexes/shops/search?sort={query}"))
        .json();
    assert_eq!(ids(&answer["hits"]), all);
    let distances: Vec<&Value> = (0..4)
        .map(|place| &answer["hits"][place]["_geoDistance"])
        .collect();
    assert_eq!(distances[0], 0);
    assert!(
        distances[1]
            .as_u64()
            .is_some_and(|metres| (2500..2550).contains(&metres)),
        "{distances:?}"
    );
    assert_eq!(distances[3], &Value::Null);
    let listed = shop
        .get(&format!("/indexes/shops/documents?sort={query}"))
        .json();
    assert_eq!(ids(&listed["results"]), all);
    // Without a point there is no distance, and a cut document has one all the same.
    let plain = shop.get("/indexes/shops/search").json();
    assert_eq!(plain["hits"][0]["_geoDistance"], Value::Null);
    let cut =
        json!({ "sort": [format!("{near}:asc")], "attributesToRetrieve": ["id"], "limit": 1 });
    let cut = shop.post("/indexes/shops/search", cut).json();
    assert_eq!(cut["hits"], json!([{ "id": "near", "_geoDistance": 0 }]));
}

#[test]
fn what_is_no_place_is_refused() {
    let shop = town();
    for (body, code) in [
        (
            json!({ "filter": "_geoRadius(95, 9, 1)" }),
            "invalid_search_filter",
        ),
        (
            json!({ "filter": "_geoRadius(5, 9)" }),
            "invalid_search_filter",
        ),
        (
            json!({ "filter": "_geoPoint(5, 9)" }),
            "invalid_search_filter",
        ),
        (
            json!({ "sort": ["_geoPoint(95, 9):asc"] }),
            "invalid_search_sort",
        ),
        (
            json!({ "sort": ["_geoPoint(5):asc"] }),
            "invalid_search_sort",
        ),
        (
            json!({ "sort": ["_geoRadius(5, 9, 1):asc"] }),
            "invalid_search_sort",
        ),
    ] {
        let answer = shop.post("/indexes/shops/search", body.clone());
        assert_eq!(answer.error(), refused(400, code), "{body}");
    }
    let rule = shop.put(
        "/indexes/shops/settings/ranking-rules",
        json!(["words", "_geoPoint(1, 2):asc"]),
    );
    assert_eq!(rule.error(), refused(400, "invalid_settings_ranking_rules"));
    shop.post(
        "/indexes/plain/documents",
        json!([{ "id": 1, "_geo": { "lat": 1, "lng": 2 } }]),
    )
    .done(&shop);
    for (body, code) in [
        (
            json!({ "filter": "_geoRadius(5, 9, 1)" }),
            "invalid_search_filter",
        ),
        (
            json!({ "sort": ["_geoPoint(5, 9):asc"] }),
            "invalid_search_sort",
        ),
    ] {
        let answer = shop.post("/indexes/plain/search", body);
        assert_eq!(answer.error(), refused(400, code));
    }
}
