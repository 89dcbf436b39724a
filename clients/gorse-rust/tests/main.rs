//! The stock Rust client of Gorse, asynchronous and blocking, one test after another.

use gorse_rs::{Feedback, Item, RecommendOptions, User};
use serde_json::json;
use vitrine_clients_gorse::{TIME, client, client_with, films, load};

/// What the client shows of an error, which it keeps to itself.
#[track_caller]
fn refused<T: std::fmt::Debug>(
    outcome: Result<T, Box<dyn std::error::Error>>,
    status: &str,
    sentence: &str,
) {
    let error = outcome.expect_err("a refusal").to_string();
    assert!(error.starts_with(status), "{error}");
    assert!(error.contains(sentence) && !error.contains('{'), "{error}");
}

fn watched(user: &str, item: &str, value: f64) -> Feedback {
    Feedback {
        feedback_type: "watch".into(),
        user_id: user.into(),
        item_id: item.into(),
        value,
        timestamp: TIME.into(),
    }
}

#[tokio::test]
async fn a_user_reads_back_and_goes() {
    let client = client();
    let user = User {
        user_id: "2000".into(),
        labels: json!({ "gender": "M", "occupation": "engineer" }),
        comment: "zhenghaoz".into(),
    };
    let written = client.insert_user(&user).await.expect("a user");
    assert_eq!(written.row_affected, 1);
    assert_eq!(client.get_user("2000").await.expect("the user"), user);
    let deleted = client.delete_user("2000").await.expect("an answer");
    assert_eq!(deleted.row_affected, 1);
    refused(client.get_user("2000").await, "404", "2000: user not found");
    let none = client_with("zhenghaoz").get_user("2000").await;
    refused(none, "401", "key");
}

#[tokio::test]
async fn an_item_reads_back_and_goes() {
    load().await;
    let client = client();
    for item in films().items {
        let found = client.get_item(&item.item_id).await.expect("the item");
        assert_eq!(found, item);
    }
    let item = Item {
        item_id: "2000".into(),
        is_hidden: true,
        labels: json!({ "embedding": [0.1, 0.2, 0.3] }),
        categories: vec!["Comedy".into(), "Animation".into()],
        timestamp: TIME.into(),
        comment: "Minions (2015)".into(),
    };
    let written = client.insert_item(&item).await.expect("an item");
    assert_eq!(written.row_affected, 1);
    assert_eq!(client.get_item("2000").await.expect("the item"), item);
    let deleted = client.delete_item("2000").await.expect("an answer");
    assert_eq!(deleted.row_affected, 1);
    refused(client.get_item("2000").await, "404", "2000: item not found");
}

#[tokio::test]
async fn feedback_reads_back_and_goes() {
    load().await;
    let client = client();
    let given = vec![
        watched("2001", "1", 1.0),
        watched("2001", "1060", 2.0),
        watched("2001", "11", 3.0),
    ];
    let written = client.insert_feedback(&given).await.expect("feedback");
    assert_eq!(written.row_affected, 3);
    let found = client.list_feedback("2001", "watch").await;
    assert_eq!(found.expect("feedback"), given);
    let deleted = client.delete_feedback("2001", "1").await;
    assert_eq!(deleted.expect("an answer").row_affected, 1);
    let found = client.list_feedback("2001", "watch").await;
    assert_eq!(found.expect("feedback"), given[1..]);
    client.delete_user("2001").await.expect("an answer");
}

#[tokio::test]
async fn lists_are_for_whoever_asks() {
    load().await;
    let client = client();
    let neighbours = client.get_item_neighbors("1").await.expect("neighbours");
    let ids: Vec<&str> = neighbours.iter().map(|score| score.id.as_str()).collect();
    assert_eq!(ids[..3], ["1060", "404", "1219"]);
    let recommended = client
        .get_recommend("nobody", RecommendOptions { n: 3 })
        .await;
    assert_eq!(recommended.expect("a list"), ["315", "1432", "918"]);
    let usual = client.get_recommend("nobody", RecommendOptions { n: 0 });
    assert_eq!(usual.await.expect("a list").len(), 10);
}

#[test]
fn the_blocking_client_says_the_same() {
    let user = User {
        user_id: "2002".into(),
        labels: json!(["a", "b"]),
        comment: String::new(),
    };
    let address = std::env::var("VITRINE_URL").expect("run `cargo xtask clients`");
    let key = std::env::var("VITRINE_MASTER_KEY").expect("run `cargo xtask clients`");
    let client = gorse_rs::blocking::Gorse::new(format!("{address}/"), key);
    assert_eq!(client.insert_user(&user).expect("a user").row_affected, 1);
    assert_eq!(client.get_user("2002").expect("the user"), user);
    assert_eq!(
        client.delete_user("2002").expect("an answer").row_affected,
        1
    );
    refused(client.get_user("2002"), "404", "user not found");
}
