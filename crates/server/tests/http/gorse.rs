//! `/api`: odd input, limits and keys. What its clients send and read is tested with them.

use crate::shop::{Answer, Shop};
use serde_json::{Value, json};
use server::Limits;

const TIME: &str = "2022-11-20T13:55:27Z";

/// A server with a few films.
fn cinema() -> Shop {
    let shop = Shop::empty();
    let films = json!([
        { "ItemId": "1", "Timestamp": "1995-01-01", "Categories": ["Comedy"], "Comment": "Toy Story" },
        { "ItemId": "2", "Timestamp": "1996-01-22T08:00:00+08:00", "Categories": ["War", "Drama"] },
        { "ItemId": "a/b:c 电影", "Timestamp": "852076800", "IsHidden": null, "Labels": "a word" },
        { "ItemId": "4", "Timestamp": "1998-01-01", "IsHidden": true, "Categories": ["Drama"] },
    ]);
    affected(&shop.post("/api/items", films), 4);
    shop
}

#[track_caller]
fn affected(answer: &Answer, rows: u64) {
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json(), json!({ "RowAffected": rows }));
}

/// A refusal is a sentence in plain text.
#[track_caller]
fn refused(answer: &Answer, status: u16, sentence: &str) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert!(answer.text.contains(sentence), "{}", answer.text);
    let media = answer.headers["content-type"].to_str().expect("text");
    assert!(media.starts_with("text/plain"), "{media}");
}

fn feedback(kind: &str, user: &str, item: &str) -> Value {
    json!({ "FeedbackType": kind, "UserId": user, "ItemId": item, "Timestamp": TIME })
}

#[test]
fn before_the_first_write_everything_is_empty() {
    let shop = Shop::empty();
    for path in ["/api/health/live", "/api/health/ready"] {
        let answer = shop.get(path);
        assert_eq!(
            (answer.status, &answer.json()["Ready"]),
            (200, &json!(true))
        );
    }
    for path in [
        "/api/recommend/nobody",
        "/api/recommend/nobody/",
        "/api/latest",
        "/api/popular",
        "/api/non-personalized/trending",
        "/api/item/1/neighbors",
        "/api/item-to-item/neighbors/1",
        "/api/dashboard/tasks",
        "/api/user/1/neighbors/",
        "/api/user-to-user/neighbors/1",
        "/api/collaborative-filtering/1",
        "/api/user/1/feedback",
        "/api/item/1/feedback/",
        "/api/feedback/1/2",
    ] {
        let answer = shop.get(path);
        assert_eq!((answer.status, answer.json()), (200, json!([])), "{path}");
    }
    for (path, name) in [
        ("/api/users", "Users"),
        ("/api/items?q=a", "Items"),
        ("/api/feedback", "Feedback"),
    ] {
        assert_eq!(shop.get(path).json(), json!({ "Cursor": "", name: [] }));
    }
    refused(&shop.get("/api/user/1"), 404, "1: user not found");
    refused(&shop.get("/api/item/1"), 404, "1: item not found");
    refused(
        &shop.get("/api/feedback/like/1/2"),
        404,
        "feedback not found",
    );
    refused(
        &shop.get("/api/dashboard/config"),
        404,
        "/api/dashboard/config",
    );
    assert_eq!(
        shop.get("/indexes/gorse").status,
        404,
        "reading makes no index"
    );
}

#[test]
fn items_are_documents_that_searches_find() {
    let shop = cinema();
    let odd = "/api/item/a%2Fb:c%20%E7%94%B5%E5%BD%B1";
    let item = shop.get(odd).json();
    assert_eq!(item["ItemId"], "a/b:c 电影");
    assert_eq!(item["Timestamp"], "1997-01-01T00:00:00Z");
    assert_eq!(
        shop.get("/api/item/2").json()["Timestamp"],
        "1996-01-22T00:00:00Z"
    );
    let found = shop
        .post("/indexes/gorse/search", json!({ "q": "toy storry" }))
        .json();
    assert_eq!(found["hits"][0]["ItemId"], "1", "{found}");
    affected(&shop.put("/api/item/1/category/Family", json!(null)), 1);
    affected(&shop.put("/api/item/1/category/Family", json!(null)), 1);
    affected(&shop.delete("/api/item/1/category/Comedy"), 1);
    assert_eq!(
        shop.get("/api/item/1").json()["Categories"],
        json!(["Family"])
    );
    refused(
        &shop.put("/api/item/5/category/x", json!(null)),
        404,
        "not found",
    );
    affected(&shop.delete(odd), 1);
    refused(&shop.get(odd), 404, "item not found");
    let items = shop.get("/api/items?n=2").json();
    assert_eq!(items["Items"].as_array().map(Vec::len), Some(2));
    let rest = format!(
        "/api/items?n=2&cursor={}",
        items["Cursor"].as_str().expect("a cursor")
    );
    assert_eq!(shop.get(&rest).json()["Items"][0]["ItemId"], "4");
}

#[test]
fn lists_show_what_is_not_hidden_in_every_form_of_the_route() {
    let shop = cinema();
    let newest = json!(["a/b:c 电影", "2", "1"]);
    for path in [
        "/api/recommend/ann",
        "/api/recommend/ann/",
        "/api/recommend/ann?n=3&offset=",
    ] {
        assert_eq!(shop.get(path).json(), newest, "{path}");
    }
    for path in [
        "/api/recommend/ann/Drama",
        "/api/recommend/ann?category=Drama",
        "/api/recommend/ann?category=War&category=Drama",
        "/api/recommend/ann/Comedy?category=War",
    ] {
        assert_eq!(shop.get(path).json(), json!(["2"]), "{path}");
    }
    let latest = shop.get("/api/latest?n=1").json();
    let seconds = 852_076_800.0;
    assert_eq!(latest, json!([{ "Id": "a/b:c 电影", "Score": seconds }]));
    assert_eq!(shop.get("/api/latest/Drama").json()[0]["Id"], "2");
    affected(
        &shop.post("/api/feedback", json!([feedback("buy", "ann", "2")])),
        1,
    );
    assert_eq!(
        shop.get("/api/recommend/ann").json(),
        json!(["a/b:c 电影", "1"])
    );
    assert_eq!(shop.get("/api/popular").json()[0]["Id"], "2");
    assert_eq!(shop.get("/api/popular?user-id=ann").json(), json!([]));
    assert_eq!(
        shop.get("/api/non-personalized/popular").json()[0]["Id"],
        "2"
    );
    assert_eq!(shop.get("/api/latest?n=0").json(), json!([]));
    let shop = shop.header("X-API-Version", "2");
    let scored = shop.get("/api/recommend/ann").json();
    assert_eq!(scored[1]["Id"], "1");
    assert!(scored[1]["Score"].is_number());
}

#[test]
fn feedback_is_kept_in_its_words_and_becomes_events() {
    let shop = cinema();
    let given = json!([
        feedback("add-to-cart", "ann", "1"),
        feedback("fork", "ann", "1"),
        { "FeedbackType": "rating", "UserId": "ann", "ItemId": "2", "Value": 4, "Timestamp": TIME },
    ]);
    affected(&shop.post("/api/feedback", given.clone()), 3);
    affected(&shop.post("/api/feedback", given.clone()), 3);
    let profile = shop.get("/indexes/gorse/users/ann/profile").json();
    assert_eq!(
        profile["events"],
        json!({ "cart": 1, "rate": 1 }),
        "sent twice, counted once"
    );
    let rating = shop.get("/api/feedback/rating/ann/2").json();
    assert_eq!(rating["Value"], 8.0, "values add up");
    affected(&shop.put("/api/feedback", given), 3);
    let both = shop.get("/api/feedback/ann/2").json();
    assert_eq!(both[0]["Value"], 4.0, "a value takes the place of another");
    assert_eq!(
        shop.get("/api/item/1/feedback/fork").json()[0]["UserId"],
        "ann"
    );
    assert_eq!(
        shop.get("/api/feedback/fork?n=1").json()["Feedback"][0]["ItemId"],
        "1"
    );
    affected(&shop.delete("/api/feedback/fork/ann/1"), 1);
    affected(&shop.delete("/api/feedback/ann/1"), 1);
    affected(&shop.delete("/api/feedback/ann/1"), 0);
    let kinds = json!({ "fork": "like" });
    shop.put("/indexes/gorse/settings/feedback-kinds", kinds)
        .done(&shop);
    affected(
        &shop.post("/api/feedback", json!([feedback("fork", "ann", "2")])),
        1,
    );
    let profile = shop.get("/indexes/gorse/users/ann/profile").json();
    assert_eq!(profile["events"]["like"], 1);
    affected(&shop.delete("/api/item/2"), 1);
    assert_eq!(shop.get("/api/user/ann/feedback").json(), json!([]));
}

#[test]
fn feedback_of_a_time_to_come_is_not_there_yet() {
    let shop = cinema();
    let mut later = feedback("read", "ann", "1");
    later["Timestamp"] = json!("2999-01-01T00:00:00Z");
    affected(&shop.post("/api/feedback", json!([later])), 1);
    assert_eq!(shop.get("/api/user/ann/feedback").json(), json!([]));
    assert_eq!(
        shop.get("/api/feedback/ann/1").json()[0]["FeedbackType"],
        "read"
    );
    let recommended = shop.get("/api/recommend/ann").json();
    assert!(
        recommended
            .as_array()
            .is_some_and(|list| list.contains(&json!("1")))
    );
}

#[test]
fn vectors_of_another_length_cost_nothing_but_themselves() {
    let shop = Shop::empty();
    let item = |id: &str, vector: Value| json!({ "ItemId": id, "Labels": { "embedding": vector } });
    let items = json!([
        item("a", json!([0, 0, 1])),
        item("b", json!([0, 0.5, 1])),
        item("c", json!([1, 2])),
        item("d", json!([0, 0, 9])),
        item("e", json!(["x"])),
        item("f", json!([0, 0, 0])),
    ]);
    affected(&shop.post("/api/items", items.clone()), 6);
    for (place, id) in ["a", "b", "c", "d", "e", "f"].iter().enumerate() {
        let shown = shop.get(&format!("/api/item/{id}")).json();
        assert_eq!(shown["Labels"], items[place]["Labels"], "{id}");
    }
    let near = shop.get("/api/item/a/neighbors/").json();
    let ids: Vec<&Value> = near
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| &one["Id"])
        .collect();
    assert_eq!(ids, ["b", "d"], "{near}");
    let changed = json!({ "Labels": { "embedding": [0, 0, 1.25] } });
    affected(&shop.patch("/api/item/d", changed), 1);
    assert_eq!(shop.get("/api/item/a/neighbors").json()[0]["Id"], "d");
    assert_eq!(shop.get("/api/item/c/neighbors").json(), json!([]));
}

#[test]
fn what_cannot_be_understood_is_refused_in_plain_text() {
    let shop = cinema();
    for (path, sentence) in [
        ("/api/items?n=-1", "whole number"),
        ("/api/recommend/ann?n=ten", "whole number"),
        ("/api/latest?offset=1.5", "whole number"),
        ("/api/users?cursor=x", "cursor"),
        ("/api/feedback?cursor=6162", "cursor"),
        (
            "/api/recommend/ann?write-back-type=read&write-back-delay=soon",
            "duration",
        ),
        ("/api/item/%00/neighbors", "item id"),
        ("/api/recommend/%0A", "user id"),
        ("/api/recommend/%FF", "UTF-8"),
    ] {
        refused(&shop.get(path), 400, sentence);
    }
    refused(&shop.get("/api/non-personalized/mine"), 404, "trending");
    refused(&shop.get("/api/item-to-item/mine/1"), 404, "neighbors");
    for (path, body, sentence) in [
        ("/api/user", json!([]), "user id"),
        ("/api/user", json!({ "UserId": "" }), "user id"),
        (
            "/api/user",
            json!({ "UserId": "u".repeat(10_000) }),
            "user id",
        ),
        ("/api/item", json!({ "ItemId": 5 }), "invalid type"),
        ("/api/item", json!({ "ItemId": "" }), "item id"),
        (
            "/api/item",
            json!({ "ItemId": ":".repeat(300) }),
            "253 bytes",
        ),
        (
            "/api/item",
            json!({ "ItemId": "9", "Timestamp": "soon" }),
            "not a time",
        ),
        ("/api/items", json!({}), "invalid type"),
        (
            "/api/feedback",
            json!([{ "UserId": "a", "ItemId": "1" }]),
            "FeedbackType",
        ),
        (
            "/api/feedback",
            json!([feedback("x".repeat(300).as_str(), "a", "1")]),
            "256 bytes",
        ),
        (
            "/api/session/recommend",
            json!([feedback("read", "", "1")]),
            "user id",
        ),
    ] {
        refused(&shop.post(path, body), 400, sentence);
    }
    let broken = shop.send("POST", "/api/feedback", None, Some(b"[{".to_vec()));
    refused(&broken, 400, "EOF");
    let none = shop.send("POST", "/api/feedback", None, Some(Vec::new()));
    refused(&none, 400, "EOF");
    affected(&shop.post("/api/feedback", json!([])), 0);
    affected(&shop.post("/api/items", json!([])), 0);
    // A bad one costs all of them, as the convention has it.
    let mixed = json!([feedback("read", "bob", "1"), feedback("read", "bob", "")]);
    refused(&shop.post("/api/feedback", mixed), 400, "item id");
    assert_eq!(shop.get("/api/user/bob/feedback").json(), json!([]));
}

#[test]
fn what_is_too_large_is_refused() {
    let limits = Limits {
        payload_bytes: 10_000,
        ..Limits::default()
    };
    let shop = Shop::with(None, limits);
    let large = json!({ "UserId": "u", "Comment": "x".repeat(20_000) });
    refused(&shop.post("/api/user", large), 413, "10000 bytes");
    let far = shop.get("/api/latest?n=99999999999999999999999");
    assert_eq!((far.status, far.json()), (200, json!([])));
}

#[test]
fn keys_stand_where_clients_of_the_convention_put_them() {
    let master = "a-master-key-of-the-tests";
    let shop = Shop::with(Some(master), Limits::default());
    assert_eq!(shop.get("/api/health/ready").status, 200);
    refused(&shop.get("/api/users"), 401, "missing");
    let shop = shop.header("X-API-Key", "another key");
    refused(&shop.get("/api/users"), 401, "invalid");
    // The header counts on these paths alone.
    assert_eq!(shop.get("/indexes").status, 401);
    let shop = shop.header("Authorization", &format!("Bearer {master}"));
    let limited = |actions: Value, indexes: Value| {
        let key = json!({ "actions": actions, "indexes": indexes, "expiresAt": null });
        let key = shop.post("/keys", key).json();
        key["key"].as_str().expect("a key").to_owned()
    };
    let reads = limited(json!(["recommend", "documents.get"]), json!(["gorse"]));
    let elsewhere = limited(json!(["*"]), json!(["products"]));
    let writes = limited(json!(["*"]), json!(["gorse"]));
    let with = |key: &str, method: &str, path: &str, body: Value| {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", shop.address))
            .header("X-API-Key", key)
            .header("Content-Type", "application/json");
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build();
        let agent = agent.new_agent();
        let answer = match body {
            Value::Null => agent.run(request.body(()).expect("a request")),
            body => agent.run(request.body(body.to_string()).expect("a request")),
        };
        answer.expect("an answer").status().as_u16()
    };
    let item = json!({ "ItemId": "1" });
    assert_eq!(with(&elsewhere, "POST", "/api/item", item.clone()), 401);
    assert_eq!(with(&reads, "POST", "/api/item", item.clone()), 401);
    assert_eq!(with(&writes, "POST", "/api/item", item.clone()), 200);
    assert_eq!(with(master, "POST", "/api/item", item), 200);
    assert_eq!(with(&reads, "GET", "/api/recommend/ann", json!(null)), 200);
    assert_eq!(with(&reads, "GET", "/api/item/1", json!(null)), 200);
    assert_eq!(with(&reads, "GET", "/api/users", json!(null)), 401);
    assert_eq!(with(&reads, "DELETE", "/api/user/ann", json!(null)), 401);
    let back = "/api/recommend/ann?write-back-type=read";
    assert_eq!(
        with(&reads, "GET", back, json!(null)),
        401,
        "it would write"
    );
    assert_eq!(with(&writes, "GET", back, json!(null)), 200);
    assert_eq!(
        with(&elsewhere, "GET", "/api/recommend/ann", json!(null)),
        401
    );
}

#[test]
fn everything_is_there_after_a_restart() {
    let mut shop = cinema();
    let user = json!({ "UserId": "ann", "Labels": { "age": 24 }, "Comment": "" });
    affected(&shop.post("/api/user", user.clone()), 1);
    affected(
        &shop.post("/api/feedback", json!([feedback("read", "ann", "1")])),
        1,
    );
    shop.restart();
    assert_eq!(shop.get("/api/user/ann").json(), user);
    assert_eq!(
        shop.get("/api/user/ann/feedback/read").json()[0]["ItemId"],
        "1"
    );
    assert_eq!(
        shop.get("/api/recommend/ann").json(),
        json!(["a/b:c 电影", "2"])
    );
}

#[test]
fn users_with_feedback_in_common_are_neighbours() {
    let shop = cinema();
    let given = json!([
        feedback("like", "ann", "1"),
        feedback("like", "bob", "1"),
        feedback("like", "ann", "2"),
        feedback("like", "bob", "2"),
        feedback("like", "cid", "2"),
        feedback("dislike", "dan", "1"),
    ]);
    affected(&shop.post("/api/feedback", given), 6);
    let near = shop.get("/api/user/ann/neighbors/").json();
    let ids: Vec<&Value> = near
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| &one["Id"])
        .collect();
    assert_eq!(ids, ["bob", "cid"], "{near}");
    assert_eq!(shop.get("/api/item/1/neighbors/War").json()[0]["Id"], "2");
    assert_eq!(shop.get("/api/item/1/neighbors/Comedy").json(), json!([]));
}
