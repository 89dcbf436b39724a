//! What the tests of the Rust client share: the client, the products, and an index for each
//! test. It knows the server by two variables only, which `cargo xtask clients` sets.

use meilisearch_sdk::client::Client;
use meilisearch_sdk::errors::{Error, ErrorCode};
use meilisearch_sdk::indexes::Index;
use meilisearch_sdk::search::SearchResults;
use meilisearch_sdk::settings::Settings;
use meilisearch_sdk::task_info::TaskInfo;
use meilisearch_sdk::tasks::{SucceededTask, Task};
use serde_json::Value;
use std::time::Duration;

/// A client that may do everything.
pub fn client() -> Client {
    client_with(&variable("VITRINE_MASTER_KEY"))
}

/// A client with another key.
pub fn client_with(key: &str) -> Client {
    Client::new(variable("VITRINE_URL"), Some(key)).expect("a client")
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; run `cargo xtask clients`"))
}

/// The products that all suites have.
pub fn products() -> Vec<Value> {
    serde_json::from_str(include_str!("../../products.json")).expect("a list of products")
}

/// What an index needs for the tests of searches.
pub fn search_settings() -> Settings {
    Settings::new()
        .with_searchable_attributes(["title", "description", "brand", "category"])
        .with_filterable_attributes(["brand", "category", "tags", "price", "warehouse", "_geo"])
        .with_sortable_attributes(["price", "rating", "_geo"])
}

/// Waits for a task and expects it to have succeeded.
pub async fn done(task: Result<TaskInfo, Error>) -> SucceededTask {
    match finished(task).await {
        Task::Succeeded { content } => content,
        other => panic!("not done: {other:?}"),
    }
}

/// Waits for a task and expects it to have failed with a code.
pub async fn fails(task: Result<TaskInfo, Error>, code: ErrorCode) {
    let error = finished(task).await.unwrap_failure();
    assert_eq!(error.error_code, code, "{error}");
}

async fn finished(task: Result<TaskInfo, Error>) -> Task {
    let (step, patience) = (Duration::from_millis(20), Duration::from_secs(30));
    task.expect("the server takes it")
        .wait_for_completion(&client(), Some(step), Some(patience))
        .await
        .expect("the task ends")
}

/// Expects the server to refuse a request with a code.
#[track_caller]
pub fn refused<T: std::fmt::Debug>(outcome: Result<T, Error>, code: ErrorCode) {
    match outcome {
        Err(Error::Meilisearch(error)) => assert_eq!(error.error_code, code, "{error}"),
        other => panic!("not refused: {other:?}"),
    }
}

/// A fresh index with all products.
pub async fn stocked(uid: &str, settings: Option<Settings>) -> Index {
    let index = empty(uid, settings).await;
    done(index.add_or_replace(&products(), None).await).await;
    index
}

/// A fresh index.
pub async fn empty(uid: &str, settings: Option<Settings>) -> Index {
    let client = client();
    done(client.create_index(uid, Some("id")).await).await;
    let index = client.index(uid);
    if let Some(settings) = settings {
        done(index.set_settings(&settings).await).await;
    }
    index
}

/// The ids of hits, in their order.
pub fn ids(results: &SearchResults<Value>) -> Vec<u64> {
    results.hits.iter().map(|hit| id(&hit.result)).collect()
}

/// The same, ascending.
pub fn sorted_ids(results: &SearchResults<Value>) -> Vec<u64> {
    let mut ids = ids(results);
    ids.sort_unstable();
    ids
}

/// The ids of the products that a plain predicate picks, ascending.
pub fn ids_where(predicate: impl Fn(&Value) -> bool) -> Vec<u64> {
    products()
        .iter()
        .filter(|one| predicate(one))
        .map(id)
        .collect()
}

fn id(document: &Value) -> u64 {
    document["id"].as_u64().unwrap_or_default()
}
