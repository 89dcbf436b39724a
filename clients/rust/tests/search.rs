//! Searches: filters, order, facets, what is shown, and several at once.

use meilisearch_sdk::errors::ErrorCode;
use meilisearch_sdk::indexes::Index;
use meilisearch_sdk::search::{
    FederationOptions, MatchingStrategies, SearchQuery, SearchResults, Selectors,
};
use serde_json::Value;
use vitrine_clients::{
    client, ids, ids_where, products, refused, search_settings, sorted_ids, stocked,
};

async fn found(
    query: &SearchQuery<'_, meilisearch_sdk::DefaultHttpClient>,
) -> SearchResults<Value> {
    query.execute().await.expect("an answer")
}

#[tokio::test]
async fn words_filters_and_order() {
    let index = stocked("rs-searched", Some(search_settings())).await;
    let candle = found(index.search().with_query("beeswax")).await;
    assert_eq!(candle.hits[0].result, products()[20]);
    assert_eq!(
        (candle.query.as_str(), candle.estimated_total_hits),
        ("beeswax", Some(1))
    );
    check_filter(&index, "brand = Kaito", |one| one["brand"] == "Kaito").await;
    check_filter(&index, "price > 50 AND NOT brand = Bramble", |one| {
        one["price"].as_f64() > Some(50.0) && one["brand"] != "Bramble"
    })
    .await;
    check_filter(&index, "_geoRadius(52.52, 13.405, 5000)", |one| {
        one["_geo"]["lat"] == 52.52
    })
    .await;
    let both = vec!["brand = Kaito", "price > 40"];
    let listed = found(index.search().with_array_filter(both)).await;
    assert_eq!(ids(&listed), [5]);
    let dearest = found(index.search().with_sort(&["price:desc"]).with_limit(3)).await;
    assert_eq!(ids(&dearest), [15, 24, 13]);
    let near = found(
        index
            .search()
            .with_sort(&["_geoPoint(48.2, 16.3):asc"])
            .with_limit(1),
    )
    .await;
    assert!(near.hits[0].result["_geoDistance"].as_u64() < Some(10_000));
    refused(
        index
            .search()
            .with_filter("nonsense = 1")
            .execute::<Value>()
            .await,
        ErrorCode::InvalidSearchFilter,
    );
    refused(
        index
            .search()
            .with_sort(&["title:asc"])
            .execute::<Value>()
            .await,
        ErrorCode::InvalidSearchSort,
    );
}

async fn check_filter(index: &Index, filter: &str, expect: impl Fn(&Value) -> bool) {
    let results = found(index.search().with_filter(filter).with_limit(100)).await;
    assert_eq!(sorted_ids(&results), ids_where(expect), "{filter}");
}

#[tokio::test]
async fn what_is_shown_of_a_hit() {
    let index = stocked("rs-shown", Some(search_settings())).await;
    let mut query = index.search();
    query
        .with_query("honey")
        .with_attributes_to_retrieve(Selectors::Some(&["title"]))
        .with_attributes_to_highlight(Selectors::All)
        .with_highlight_pre_tag("[")
        .with_highlight_post_tag("]")
        .with_attributes_to_crop(Selectors::Some(&[("description", Some(3))]))
        .with_crop_marker("…")
        .with_show_matches_position(true)
        .with_show_ranking_score(true)
        .with_show_ranking_score_details(true);
    let results = found(&query).await;
    let hit = &results.hits[0];
    assert_eq!(hit.result, serde_json::json!({"title": "Beeswax candle"}));
    let formatted = hit.formatted_result.as_ref().expect("asked for");
    assert_eq!(formatted["description"], "…smells of [honey].");
    let places = hit.matches_position.as_ref().expect("asked for");
    assert_eq!(places["description"][0].length, 5);
    assert!(hit.ranking_score > Some(0.0) && hit.ranking_score <= Some(1.0));
    assert!(hit.ranking_score_details.is_some());
}

#[tokio::test]
async fn how_is_searched_and_paged() {
    let index = stocked("rs-paged", Some(search_settings())).await;
    let mut strict = index.search();
    strict
        .with_query("storm teapot")
        .with_matching_strategy(MatchingStrategies::ALL);
    assert!(ids(&found(&strict).await).is_empty());
    let mut titles = index.search();
    titles
        .with_query("honey")
        .with_attributes_to_search_on(&["title"]);
    assert!(ids(&found(&titles).await).is_empty());
    let brands = found(index.search().with_distinct("brand").with_limit(100)).await;
    assert_eq!(brands.hits.len(), 6);
    let high = found(
        index
            .search()
            .with_query("lamp")
            .with_ranking_score_threshold(1.0),
    )
    .await;
    assert!(high.hits.iter().all(|hit| hit.ranking_score.is_none()));
    let page = found(index.search().with_page(3).with_hits_per_page(10)).await;
    assert_eq!(
        (page.hits.len(), page.total_hits, page.total_pages),
        (4, Some(24), Some(3))
    );
    assert_eq!((page.page, page.estimated_total_hits), (Some(3), None));
    let offset = found(index.search().with_offset(20).with_limit(10)).await;
    assert_eq!(
        (offset.hits.len(), offset.offset, offset.limit),
        (4, Some(20), Some(10))
    );
    let english = found(index.search().with_query("beeswax").with_locales(&["eng"])).await;
    assert_eq!(ids(&english), [21]);
}

#[tokio::test]
async fn facets_and_their_values() {
    let index = stocked("rs-facets", Some(search_settings())).await;
    let mut query = index.search();
    let results = found(query.with_facets(Selectors::Some(&["brand", "price"]))).await;
    let counts = results.facet_distribution.expect("asked for");
    assert_eq!(counts["brand"]["Kaito"], 3);
    let price = &results.facet_stats.expect("asked for")["price"];
    assert_eq!((price.min, price.max), (6.5, 219.0));
    let mut query = index.search();
    let every = found(query.with_facets(Selectors::All)).await;
    assert!(
        every
            .facet_distribution
            .expect("asked for")
            .contains_key("tags")
    );
    let mut values = index.facet_search("brand");
    let found = values
        .with_facet_query("lum")
        .with_filter("price > 50")
        .execute()
        .await;
    let hits = found.expect("an answer").facet_hits;
    assert_eq!(
        (hits.len(), hits[0].value.as_str(), hits[0].count),
        (1, "Lumen & Co", 3)
    );
}

#[tokio::test]
async fn several_at_once() {
    let client = client();
    let index = stocked("rs-multi", Some(search_settings())).await;
    let kettles = index.search().with_query("kettle").build();
    let candles = index.search().with_query("honey").build();
    let mut multi = client.multi_search();
    multi
        .with_search_query(kettles.clone())
        .with_search_query(candles.clone());
    let answers = multi.execute::<Value>().await.expect("an answer").results;
    assert_eq!(
        (sorted_ids(&answers[0]), ids(&answers[1])),
        (vec![7, 8], vec![21])
    );
    assert_eq!(answers[0].index_uid.as_deref(), Some("rs-multi"));
    let mut multi = client.multi_search();
    multi
        .with_search_query(kettles)
        .with_search_query_and_weight(candles, 5.0);
    let federated = multi.with_federation(FederationOptions {
        limit: Some(2),
        ..Default::default()
    });
    let joined = federated.execute::<Value>().await.expect("an answer");
    assert_eq!(
        (joined.hits.len(), joined.limit, joined.estimated_total_hits),
        (2, 2, 3)
    );
    let first = joined.hits[0].federation.as_ref().expect("told");
    assert_eq!(
        (first.index_uid.as_str(), first.queries_position),
        ("rs-multi", 1)
    );
}
