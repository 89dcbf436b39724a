//! Search by meaning over HTTP, with vectors that the shop gives: hybrid search, similar
//! documents, vectors in answers, and what is refused.

use crate::shop::Shop;
use serde_json::{Value, json};
use std::thread;
use std::time::{Duration, Instant};

/// Six documents whose vectors say whether they are about animals (x) or plants (y).
fn garden() -> Shop {
    let shop = Shop::empty();
    let embedders = json!({ "own": { "source": "userProvided", "dimensions": 2 } });
    let settings = json!({ "embedders": embedders, "filterableAttributes": ["kind", "size"] });
    shop.patch("/indexes/garden/settings", settings).done(&shop);
    let document = |id: u32, name: &str, kind: &str, vector: [f64; 2]| json!({ "id": id, "name": name, "kind": kind, "size": id * 10, "_vectors": { "own": vector } });
    let documents = json!([
        document(1, "cat", "animal", [1.0, 0.0]),
        document(2, "dog", "animal", [0.98, 0.2]),
        document(3, "spider plant", "plant", [0.4, 0.9]),
        document(4, "rose", "plant", [0.0, 1.0]),
        document(5, "catnip", "plant", [0.3, 0.95]),
        { "id": 6, "name": "gnome", "kind": "thing", "size": 60 },
    ]);
    shop.post("/indexes/garden/documents", documents)
        .done(&shop);
    shop
}

fn ids(answer: &Value) -> Vec<u64> {
    let hits = answer["hits"].as_array().expect("hits");
    hits.iter()
        .map(|hit| hit["id"].as_u64().expect("an id"))
        .collect()
}

fn search(shop: &Shop, body: Value) -> Value {
    shop.post("/indexes/garden/search", body).json()
}

#[test]
fn a_vector_finds_what_is_near() {
    let shop = garden();
    let answer = search(
        &shop,
        json!({
            "vector": [0.1, 5.0], "hybrid": { "embedder": "own", "semanticRatio": 1.0 },
            "showRankingScore": true, "facets": ["kind"],
        }),
    );
    assert_eq!(ids(&answer), [4, 5, 3, 2, 1], "{answer}");
    assert_eq!(answer["estimatedTotalHits"], 5);
    assert_eq!(answer["semanticHitCount"], 5);
    let kinds = json!({ "kind": { "animal": 2, "plant": 3 } });
    assert_eq!(answer["facetDistribution"], kinds);
    let best = answer["hits"][0]["_rankingScore"]
        .as_f64()
        .expect("a score");
    assert!(best > 0.99, "{best}");
    let filtered = json!({
        "vector": [0.1, 5.0], "hybrid": { "embedder": "own", "semanticRatio": 1.0 },
        "filter": "kind = animal OR size > 45", "limit": 2,
    });
    let answer = search(&shop, filtered);
    assert_eq!(ids(&answer), [5, 2]);
    assert_eq!(answer["estimatedTotalHits"], 3);
}

#[test]
fn words_and_a_vector_are_joined() {
    let shop = garden();
    let body = |ratio: f64| {
        json!({
            "q": "cat", "vector": [0.0, 1.0], "relevanceCutoff": 0.9,
            "hybrid": { "embedder": "own", "semanticRatio": ratio },
        })
    };
    let words = search(&shop, body(0.0));
    assert_eq!(ids(&words), [1, 5], "{words}");
    assert_eq!(words["semanticHitCount"], Value::Null);
    let both = search(&shop, body(0.5));
    assert_eq!(both["estimatedTotalHits"], 4, "{both}");
    assert_eq!(ids(&both)[0], 5, "a word and the meaning: {both}");
    assert_eq!(both["semanticHitCount"], 2);
    // Over a URL as well.
    let path = "/indexes/garden/search?q=cat&vector=0,1&hybridEmbedder=own&hybridSemanticRatio=0.5&relevanceCutoff=0.9";
    assert_eq!(ids(&shop.get(path).json()), ids(&both));
}

#[test]
fn similar_documents_leave_out_their_own() {
    let shop = garden();
    let answer = shop
        .post(
            "/indexes/garden/similar",
            json!({ "id": 4, "embedder": "own", "filter": "kind = plant", "showRankingScore": true }),
        )
        .json();
    assert_eq!(ids(&answer), [5, 3]);
    assert_eq!(
        (&answer["id"], &answer["estimatedTotalHits"]),
        (&json!("4"), &json!(2))
    );
    let answer = shop
        .get("/indexes/garden/similar?id=1&embedder=own&limit=1")
        .json();
    assert_eq!(ids(&answer), [2]);
    // A document without a vector is like nothing.
    let answer = shop
        .post(
            "/indexes/garden/similar",
            json!({ "id": 6, "embedder": "own" }),
        )
        .json();
    assert_eq!(ids(&answer), [] as [u64; 0]);
}

#[test]
fn vectors_are_shown_when_they_are_asked_for() {
    let shop = garden();
    let plain = shop.get("/indexes/garden/documents/1").json();
    assert_eq!(plain["_vectors"], Value::Null);
    let shown = shop
        .get("/indexes/garden/documents/1?retrieveVectors=true")
        .json();
    let own = &shown["_vectors"]["own"];
    assert_eq!(
        own,
        &json!({ "embeddings": [[1.0, 0.0]], "regenerate": false })
    );
    let answer = search(&shop, json!({ "q": "rose", "retrieveVectors": true }));
    assert_eq!(
        answer["hits"][0]["_vectors"]["own"]["embeddings"],
        json!([[0.0, 1.0]])
    );
    let listed = shop
        .get("/indexes/garden/documents?retrieveVectors=true")
        .json();
    assert_eq!(listed["results"][5]["_vectors"], json!({}));
    let stats = shop.get("/indexes/garden/stats").json();
    assert_eq!(stats["numberOfEmbeddedDocuments"], 5);
}

#[test]
fn a_change_of_vectors_shows_at_once() {
    let shop = garden();
    let turned = json!([{ "id": 1, "_vectors": { "own": [0.0, 1.0] } }]);
    shop.put("/indexes/garden/documents", turned).done(&shop);
    shop.delete("/indexes/garden/documents/4").done(&shop);
    let near = json!({ "vector": [0.0, 1.0], "hybrid": { "embedder": "own", "semanticRatio": 1 }, "limit": 2 });
    assert_eq!(ids(&search(&shop, near)), [1, 5]);
}

#[test]
fn what_cannot_be_searched_is_refused_with_its_code() {
    let shop = garden();
    let own = json!({ "embedder": "own" });
    for (body, code) in [
        (json!({ "vector": [1.0] }), "missing_search_hybrid"),
        (
            json!({ "vector": [1.0], "hybrid": own }),
            "invalid_vector_dimensions",
        ),
        (
            json!({ "vector": [0, 0], "hybrid": own }),
            "invalid_search_vector",
        ),
        (
            json!({ "vector": ["a"], "hybrid": own }),
            "invalid_search_vector",
        ),
        (
            json!({ "vector": vec![0.5; 5_000], "hybrid": own }),
            "invalid_search_vector",
        ),
        (
            json!({ "q": "a", "hybrid": { "embedder": "other" } }),
            "invalid_search_embedder",
        ),
        (
            json!({ "hybrid": { "embedder": 3 } }),
            "invalid_search_embedder",
        ),
        (
            json!({ "hybrid": { "semanticRatio": 1.5 } }),
            "invalid_search_semantic_ratio",
        ),
        (json!({ "hybrid": "own" }), "invalid_search_hybrid_query"),
        (
            json!({ "relevanceCutoff": -1 }),
            "invalid_search_relevance_cutoff",
        ),
    ] {
        let (status, found) = shop.post("/indexes/garden/search", body.clone()).error();
        assert_eq!((status, found.as_str()), (400, code), "{body}");
    }
    for (body, expected) in [
        (json!({ "embedder": "own" }), (400, "missing_similar_id")),
        (
            json!({ "id": 99, "embedder": "own" }),
            (404, "not_found_similar_id"),
        ),
        (
            json!({ "id": 1, "embedder": "other" }),
            (400, "invalid_search_embedder"),
        ),
        (
            json!({ "id": 1, "embedder": "own", "filter": "a b" }),
            (400, "invalid_similar_filter"),
        ),
    ] {
        let (status, found) = shop.post("/indexes/garden/similar", body.clone()).error();
        assert_eq!((status, found.as_str()), expected, "{body}");
    }
    let wrong = json!({ "embedders": { "x": { "source": "userProvided" } } });
    let (status, code) = shop.patch("/indexes/garden/settings", wrong).error();
    assert_eq!((status, code.as_str()), (400, "invalid_settings_embedders"));
}

#[test]
fn an_answer_that_lacks_nothing_does_not_say_so() {
    let shop = garden();
    let hybrid = json!({ "embedder": "own", "semanticRatio": 0.5 });
    let body = json!({ "q": "cat", "vector": [1.0, 0.0], "hybrid": hybrid });
    let whole = search(&shop, body);
    assert!(whole.get("degraded").is_none(), "{whole}");
}

#[test]
fn vectors_are_no_values_to_filter_or_count() {
    let shop = garden();
    let all = json!({ "filterableAttributes": ["*"] });
    shop.patch("/indexes/garden/settings", all).done(&shop);
    let answer = search(&shop, json!({ "q": "", "facets": ["*"] }));
    let counted = answer["facetDistribution"].as_object().expect("facets");
    let names: Vec<&String> = counted.keys().collect();
    assert_eq!(names, ["id", "kind", "name", "size"]);
    let stats = &answer["facetStats"];
    assert_eq!(stats["size"], json!({ "min": 10.0, "max": 60.0 }));
}

#[test]
fn without_a_model_words_answer_and_say_so() {
    let shop = Shop::stocked();
    // The worker looks for a model by itself; from then on nothing changes any more.
    let deadline = Instant::now() + Duration::from_secs(20);
    let faults = || shop.get("/indexes/products/stats").json()["embedderFaults"].clone();
    while faults().as_object().is_none_or(|faults| faults.is_empty()) {
        assert!(Instant::now() < deadline, "{}", faults());
        thread::sleep(Duration::from_millis(10));
    }
    let ask = |hybrid: Value| {
        let body = json!({ "q": "heart", "hybrid": hybrid });
        shop.post("/indexes/products/search", body)
    };
    let says_why = |answer: &Value| {
        let why = answer["degraded"]["meaning"].as_str();
        why.is_some_and(|why| why.contains("not installed"))
    };
    let words = ask(json!({ "semanticRatio": 0.0 })).json();
    assert!(words.get("degraded").is_none(), "{words}");
    let answer = ask(json!({ "semanticRatio": 0.5 })).json();
    assert!(says_why(&answer), "{answer}");
    assert_eq!(answer["hits"], words["hits"]);
    assert_ne!(answer["hits"], json!([]));
    let queries = json!([{ "indexUid": "products", "q": "heart", "hybrid": {} }]);
    let body = json!({ "federation": {}, "queries": queries });
    let merged = shop.post("/multi-search", body).json();
    assert!(says_why(&merged), "{merged}");
    // Meaning alone has nothing to answer with.
    let refused = ask(json!({ "semanticRatio": 1.0 })).error();
    assert_eq!(refused, (400, "invalid_search_embedder".to_owned()));
}

#[test]
fn the_two_parts_of_a_score_sum_to_it() {
    let shop = garden();
    let answer = search(
        &shop,
        json!({
            "q": "cat", "vector": [0.0, 1.0], "relevanceCutoff": 0.9, "showRankingScore": true,
            "hybrid": { "embedder": "own", "semanticRatio": 0.5 },
            "showRankingScoreDetails": true,
        }),
    );
    let hits = answer["hits"].as_array().expect("hits");
    assert_eq!(hits.len(), 4, "{answer}");
    for hit in hits {
        let number = |value: &Value| value.as_f64().expect("a number");
        let details = &hit["_rankingScoreDetails"];
        let parts = [&details["bm25"], &details["semantic"]].map(|part| number(&part["score"]));
        let sum = parts[0] + parts[1];
        assert!((sum - number(&hit["_rankingScore"])).abs() < 1e-6, "{hit}");
        assert!(parts[1] > 0.0 || parts[0] > 0.0, "{hit}");
    }
}

#[test]
fn a_vector_that_cannot_be_used_is_listed_with_its_row() {
    let shop = garden();
    let documents = json!([
        { "id": 7, "name": "tulip", "_vectors": { "own": [0.1, 0.2, 0.3] } },
        { "id": 8, "name": "daisy", "_vectors": { "own": [0.0, 1.0], "another": [1] } },
        { "id": 9, "name": "lily", "_vectors": { "own": ["0", "1"] } },
        { "id": 10, "name": "aster", "_vectors": [0.0, 1.0] },
    ]);
    let task = shop
        .post("/indexes/garden/documents", documents)
        .done(&shop);
    assert_eq!(task["details"]["indexedDocuments"], 4, "{task}");
    assert_eq!(task["details"]["changedRows"], 3, "{task}");
    let listed = shop.get(&format!("/tasks/{}/rows", task["uid"])).json();
    let rows: Vec<_> = listed["results"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| {
            (
                &row["row"],
                &row["field"],
                row["reason"].as_str().expect("a text"),
            )
        })
        .collect();
    let [length, numbers, object] = rows[..] else {
        panic!("{listed}");
    };
    assert_eq!((length.0, length.1), (&json!(1), &json!("_vectors.own")));
    assert!(length.2.contains("3 numbers instead of 2"), "{listed}");
    assert_eq!((numbers.0, numbers.1), (&json!(3), &json!("_vectors.own")));
    assert_eq!((object.0, object.1), (&json!(4), &json!("_vectors")));

    // The documents can be found, those without a vector by their words alone.
    assert_eq!(ids(&search(&shop, json!({ "q": "tulip" }))), [7]);
    let near = json!({
        "vector": [0.0, 1.0], "hybrid": { "embedder": "own", "semanticRatio": 1.0 },
    });
    let near = ids(&search(&shop, near));
    assert!(near.contains(&8), "{near:?}");
    assert!(![7, 9, 10].iter().any(|id| near.contains(id)), "{near:?}");
}
