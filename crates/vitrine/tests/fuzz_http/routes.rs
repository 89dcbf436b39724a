//! Every route with a good request for it. What is sent is made from these.

use serde_json::{Value, json};

/// A good request. `{uid}`, `{id}` and the like stand for parts of the path.
pub struct Route {
    pub method: &'static str,
    pub path: &'static str,
    /// Names of parameters with good values.
    pub query: &'static [(&'static str, &'static str)],
    pub body: Option<Value>,
}

const NONE: &[(&str, &str)] = &[];

fn get(path: &'static str, query: &'static [(&'static str, &'static str)]) -> Route {
    let (method, body) = ("GET", None);
    Route {
        method,
        path,
        query,
        body,
    }
}

fn delete(path: &'static str) -> Route {
    let (method, query, body) = ("DELETE", NONE, None);
    Route {
        method,
        path,
        query,
        body,
    }
}

fn with(method: &'static str, path: &'static str, body: Value) -> Route {
    let (query, body) = (NONE, Some(body));
    Route {
        method,
        path,
        query,
        body,
    }
}

fn post(path: &'static str, body: Value) -> Route {
    with("POST", path, body)
}

/// All of them; those behind which most of the code lies stand there more than once.
pub fn all() -> Vec<Route> {
    let mut routes = Vec::new();
    for _ in 0..4 {
        routes.extend(searches());
        routes.extend(writes());
    }
    routes.extend(administration());
    routes.extend(settings());
    routes
}

const SEARCH: &[(&str, &str)] = &[
    ("q", "red"),
    ("offset", "1"),
    ("limit", "3"),
    ("page", "1"),
    ("hitsPerPage", "2"),
    ("filter", "price > 3"),
    ("facets", "brand,price"),
    ("sort", "price:asc"),
    ("distinct", "brand"),
    ("attributesToRetrieve", "title"),
    ("attributesToHighlight", "*"),
    ("attributesToCrop", "description:3"),
    ("cropLength", "4"),
    ("matchingStrategy", "all"),
    ("attributesToSearchOn", "title"),
    ("rankingScoreThreshold", "0.2"),
    ("showRankingScore", "true"),
    ("showMatchesPosition", "true"),
    ("vector", "0.1,0.2,0.3,0.4"),
    ("hybridEmbedder", "mine"),
    ("hybridSemanticRatio", "0.5"),
    ("retrieveVectors", "true"),
    ("locales", "en"),
];
const SIMILAR: &[(&str, &str)] = &[
    ("id", "p07"),
    ("embedder", "mine"),
    ("offset", "0"),
    ("limit", "3"),
    ("filter", "price > 3"),
    ("showRankingScore", "true"),
    ("rankingScoreThreshold", "0.1"),
];

fn search() -> Value {
    json!({
        "q": "red holder", "offset": 0, "limit": 5, "filter": "price > 2", "sort": ["price:asc"],
        "facets": ["brand", "price"], "distinct": "brand", "attributesToRetrieve": ["*"],
        "attributesToHighlight": ["*"], "attributesToCrop": ["description:3"], "cropLength": 5,
        "cropMarker": "…", "highlightPreTag": "<b>", "highlightPostTag": "</b>",
        "matchingStrategy": "last", "attributesToSearchOn": ["title"], "showMatchesPosition": true,
        "showRankingScore": true, "showRankingScoreDetails": true, "showUnderstood": true,
        "rankingScoreThreshold": 0.1, "locales": ["en"],
    })
}

fn by_meaning(embedder: &str) -> Value {
    json!({
        "q": "red holder", "limit": 5, "hybrid": { "embedder": embedder, "semanticRatio": 0.5 },
        "vector": [0.1, 0.2, 0.3, 0.4], "relevanceCutoff": 0.1, "retrieveVectors": true,
        "filter": "price > 2", "showRankingScoreDetails": true,
    })
}

fn searches() -> Vec<Route> {
    let query = json!({ "indexUid": "products", "q": "red", "filter": "price > 2", "limit": 2,
        "facets": ["brand"], "federationOptions": { "weight": 0.5, "queryPosition": 0 } });
    vec![
        get("/indexes/{uid}/search", SEARCH),
        get("/indexes/{uid}/similar", SIMILAR),
        post("/indexes/{uid}/search", search()),
        post("/indexes/{uid}/search", by_meaning("mine")),
        post(
            "/indexes/{uid}/search",
            json!({ "q": "red holder", "hybrid": {}, "limit": 3 }),
        ),
        post(
            "/indexes/{uid}/search",
            json!({ "q": "", "page": 1, "hitsPerPage": 3, "sort": ["_geoPoint(1,2):asc"] }),
        ),
        post(
            "/indexes/{uid}/similar",
            json!({ "id": "p07", "embedder": "mine", "limit": 2, "filter": "price > 2", "relevanceCutoff": 0.1 }),
        ),
        post(
            "/indexes/{uid}/facet-search",
            json!({ "facetName": "brand", "facetQuery": "a", "q": "red", "filter": "price > 2", "hybrid": {} }),
        ),
        post(
            "/multi-search",
            json!({ "queries": [query.clone(), { "indexUid": "{uid}", "q": "shoe" }] }),
        ),
        post(
            "/multi-search",
            json!({ "queries": [query.clone(), query],
            "federation": { "limit": 3, "offset": 0, "facetsByIndex": { "products": ["brand"] }, "mergeFacets": { "maxValuesPerFacet": 3 } } }),
        ),
        post(
            "/indexes/{uid}/recommend",
            json!({ "kind": "for-you", "userId": "u1", "limit": 3, "filter": "price > 2", "explain": true, "exclude": ["p01"] }),
        ),
        post(
            "/indexes/{uid}/recommend",
            json!({ "kind": "basket", "basket": ["p07", "p08"], "itemId": "p07", "itemIds": ["p01"], "offset": 1 }),
        ),
        get(
            "/indexes/{uid}/users/{user}/profile",
            &[("vectors", "true")],
        ),
        get("/indexes/{uid}/users/{user}/export", &[]),
        get("/indexes/{uid}/items/{id}/profile", &[]),
        post(
            "/v1/embeddings",
            json!({ "model": "minilm", "input": ["red mug", "lamp"], "dimensions": 8, "encoding_format": "base64", "input_type": "query" }),
        ),
    ]
}

fn writes() -> Vec<Route> {
    let document = json!({ "id": "p07", "title": "Red mug", "description": "It is <b>red</b> &amp; small.",
        "brand": "Acme", "categories": ["Home > Kitchen", "Mugs"], "price": "£2.50", "rating": 4.5, "stock": 3,
        "created": "2026-01-31T12:00:00Z", "_geo": { "lat": 45.4, "lng": 9.1 },
        "_vectors": { "mine": [0.1, 0.2, 0.3, 0.4] }, "nested": { "deep": [{ "er": 1 }] } });
    let event = json!({ "eventId": "e1", "userId": "u1", "kind": "purchase", "itemId": "p07", "price": 2.5,
        "quantity": 2, "basket": "o1", "value": 1.0, "query": "red", "time": "2026-01-31T12:00:00Z" });
    vec![
        Route {
            query: &[("primaryKey", "id"), ("csvDelimiter", ";")],
            ..post(
                "/indexes/{uid}/documents",
                json!([document, { "id": 8, "title": "Lamp" }]),
            )
        },
        with("PUT", "/indexes/{uid}/documents", json!([document])),
        post(
            "/indexes/{uid}/documents/fetch",
            json!({ "offset": 0, "limit": 3, "fields": ["title"], "filter": "price > 2", "ids": ["p07"], "sort": ["price:asc"], "retrieveVectors": true }),
        ),
        get(
            "/indexes/{uid}/documents",
            &[
                ("offset", "1"),
                ("limit", "2"),
                ("fields", "title"),
                ("filter", "price > 2"),
                ("ids", "p07,p08"),
                ("sort", "price:asc"),
                ("retrieveVectors", "true"),
            ],
        ),
        get(
            "/indexes/{uid}/documents/{id}",
            &[("fields", "title"), ("retrieveVectors", "true")],
        ),
        delete("/indexes/{uid}/documents/{id}"),
        delete("/indexes/{uid}/users/{user}"),
        post(
            "/indexes/{uid}/documents/delete",
            json!({ "filter": "price > 100" }),
        ),
        post("/indexes/{uid}/documents/delete-batch", json!(["p01", 2])),
        Route {
            query: &[
                ("map", "user=userId,item=itemId,kind:=view"),
                ("csvDelimiter", ","),
            ],
            ..post(
                "/indexes/{uid}/events",
                json!([event, { "userId": 2, "kind": "view", "itemId": "p01" }]),
            )
        },
    ]
}

fn administration() -> Vec<Route> {
    const TASKS: &[(&str, &str)] = &[
        ("limit", "3"),
        ("from", "9"),
        ("reverse", "true"),
        ("uids", "1,2"),
        ("batchUids", "1"),
        ("canceledBy", "1"),
        ("indexUids", "products"),
        ("statuses", "failed,succeeded"),
        ("types", "settingsUpdate"),
        ("afterEnqueuedAt", "2026-01-31T12:00:00Z"),
        ("beforeFinishedAt", "2026-01-31"),
    ];
    vec![
        get("/", &[]),
        get("/health", &[]),
        get("/version", &[]),
        get("/stats", &[]),
        get("/metrics", &[]),
        get("/backup", &[]),
        get("/v1/models", &[]),
        get("/indexes", &[("offset", "0"), ("limit", "2")]),
        post("/indexes", json!({ "uid": "articles", "primaryKey": "id" })),
        get("/indexes/{uid}", &[]),
        get("/indexes/{uid}/stats", &[]),
        with(
            "PATCH",
            "/indexes/{uid}",
            json!({ "primaryKey": "id", "uid": "articles" }),
        ),
        delete("/indexes/{uid}"),
        delete("/indexes/{uid}/documents"),
        post(
            "/swap-indexes",
            json!([{ "indexes": ["products", "articles"], "rename": false }]),
        ),
        get("/tasks", TASKS),
        get("/tasks/{number}", &[]),
        get("/tasks/{number}/rows", &[("offset", "0"), ("limit", "3")]),
        Route {
            query: TASKS,
            ..delete("/tasks")
        },
        Route {
            query: TASKS,
            ..post("/tasks/cancel", Value::Null)
        },
        get("/batches", TASKS),
        get("/batches/{number}", &[]),
        // Not `/dumps`, which takes the same way and keeps a file of every one.
        post("/snapshots", Value::Null),
        get("/experimental-features", &[]),
        with(
            "PATCH",
            "/experimental-features",
            json!({ "metrics": true, "containsFilter": false }),
        ),
        get("/keys", &[("offset", "0"), ("limit", "2")]),
        post(
            "/keys",
            json!({ "uid": "6062abda-a5aa-4414-ac91-ecd7944c0f8d", "name": "x", "description": "y",
            "actions": ["search", "documents.*"], "indexes": ["prod*"], "expiresAt": "2036-01-31T12:00:00Z" }),
        ),
        get("/keys/{key}", &[]),
        with(
            "PATCH",
            "/keys/{key}",
            json!({ "name": "x", "description": null }),
        ),
        delete("/keys/{key}"),
        get("/webhooks", &[]),
        // Nobody listens there.
        post(
            "/webhooks",
            json!({ "url": "http://127.0.0.1:9/hook", "headers": { "Authorization": "x" } }),
        ),
        get("/webhooks/{key}", &[]),
        with(
            "PATCH",
            "/webhooks/{key}",
            json!({ "headers": { "x": null } }),
        ),
        delete("/webhooks/{key}"),
        get("/no/such/route", &[]),
    ]
}

/// Part of the path, how it is written, and a good value.
fn each_setting() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("displayed-attributes", "PUT", json!(["*"])),
        (
            "searchable-attributes",
            "PUT",
            json!(["title", "description"]),
        ),
        (
            "filterable-attributes",
            "PUT",
            json!(["*", { "attributePatterns": ["brand"], "features": { "facetSearch": true, "filter": { "equality": true, "comparison": false } } }]),
        ),
        ("sortable-attributes", "PUT", json!(["price", "_geo"])),
        ("foreign-keys", "PUT", json!([])),
        (
            "ranking-rules",
            "PUT",
            json!(["words", "typo", "price:asc"]),
        ),
        ("stop-words", "PUT", json!(["the"])),
        ("non-separator-tokens", "PUT", json!(["@"])),
        ("separator-tokens", "PUT", json!(["|"])),
        ("dictionary", "PUT", json!(["J. R. R."])),
        ("synonyms", "PUT", json!({ "mug": ["cup", "red beaker"] })),
        ("distinct-attribute", "PUT", json!("brand")),
        ("proximity-precision", "PUT", json!("byWord")),
        (
            "typo-tolerance",
            "PATCH",
            json!({ "enabled": true, "minWordSizeForTypos": { "oneTypo": 4, "twoTypos": 9 }, "disableOnWords": ["mug"], "disableOnAttributes": ["title"] }),
        ),
        (
            "faceting",
            "PATCH",
            json!({ "maxValuesPerFacet": 5, "sortFacetValuesBy": { "*": "count" } }),
        ),
        ("pagination", "PATCH", json!({ "maxTotalHits": 50 })),
        (
            "embedders",
            "PATCH",
            json!({ "mine": { "source": "userProvided", "dimensions": 4 },
            "default": { "source": "vitrine", "model": "auto", "documentTemplate": "{{ doc.title }}" } }),
        ),
        ("search-cutoff-ms", "PUT", json!(100)),
        (
            "localized-attributes",
            "PUT",
            json!([{ "attributePatterns": ["title"], "locales": ["en"] }]),
        ),
        ("facet-search", "PUT", json!(true)),
        ("prefix-search", "PUT", json!("indexingTime")),
        (
            "roles",
            "PUT",
            json!({ "title": ["title"], "price": ["price"] }),
        ),
    ]
}

fn settings() -> Vec<Route> {
    let mut whole = json!({});
    let mut routes = Vec::new();
    for (path, method, value) in each_setting() {
        let mut words = path.split('-');
        let mut name = words.next().unwrap_or_default().to_owned();
        for word in words {
            let (first, rest) = word.split_at(1);
            name.push_str(&(first.to_ascii_uppercase() + rest));
        }
        whole[name] = value.clone();
        let path: &'static str = format!("/indexes/{{uid}}/settings/{path}").leak();
        routes.extend([get(path, &[]), with(method, path, value), delete(path)]);
    }
    routes.extend([
        get("/indexes/{uid}/settings", &[]),
        with("PATCH", "/indexes/{uid}/settings", whole.clone()),
        with("PATCH", "/indexes/{uid}/settings", whole),
        delete("/indexes/{uid}/settings"),
    ]);
    routes
}
