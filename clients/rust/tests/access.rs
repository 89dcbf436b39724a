//! Keys, tenant tokens, tasks, batches, copies, features and webhooks.

use meilisearch_sdk::batches::BatchesQuery;
use meilisearch_sdk::errors::ErrorCode;
use meilisearch_sdk::features::ExperimentalFeatures;
use meilisearch_sdk::key::{Action, KeyBuilder, KeyUpdater, KeysQuery};
use meilisearch_sdk::tasks::{TaskType, TasksCancelQuery, TasksDeleteQuery, TasksSearchQuery};
use meilisearch_sdk::webhooks::{WebhookCreate, WebhookUpdate};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use vitrine_clients::{
    client, client_with, done, ids_where, refused, search_settings, sorted_ids, stocked,
};

#[tokio::test]
async fn keys_are_made_shown_changed_and_deleted() {
    let client = client();
    let until = OffsetDateTime::now_utc() + Duration::hours(1);
    let mut builder = KeyBuilder::new();
    builder
        .with_name("window")
        .with_description("for the window")
        .with_action(Action::Search)
        .with_index("rs-*")
        .with_expires_at(until);
    let key = client.create_key(&builder).await.expect("made");
    assert_eq!(
        (&key.actions, &key.indexes),
        (&vec![Action::Search], &vec!["rs-*".to_owned()])
    );
    assert!(
        key.expires_at
            .is_some_and(|at| (at - until).abs() < Duration::SECOND)
    );
    assert_eq!(client.get_key(&key).await.expect("shown").uid, key.uid);
    let mut query = KeysQuery::new();
    let listed = client
        .get_keys_with(query.with_limit(1000))
        .await
        .expect("listed");
    assert!(listed.results.iter().any(|other| other.uid == key.uid));
    let mut change = KeyUpdater::new(&key.uid);
    let changed = client
        .update_key(change.with_name("door"))
        .await
        .expect("changed");
    assert_eq!(changed.name.as_deref(), Some("door"));
    client.delete_key(&key).await.expect("deleted");
    refused(client.get_key(&key).await, ErrorCode::ApiKeyNotFound);
}

#[tokio::test]
async fn keys_and_tenant_tokens_open_what_they_are_for() {
    let client = client();
    stocked("rs-tenants", Some(search_settings())).await;
    let mut builder = KeyBuilder::new();
    let builder = builder.with_action(Action::Search).with_index("rs-tenants");
    let key = client.create_key(&builder).await.expect("made");
    let limited = client_with(&key.key).index("rs-tenants");
    let every = limited
        .search()
        .with_limit(100)
        .execute::<Value>()
        .await
        .expect("an answer");
    assert_eq!(every.hits.len(), 24);
    refused(
        limited.get_documents::<Value>().await,
        ErrorCode::InvalidApiKey,
    );
    let rules = json!({"rs-tenants": {"filter": "warehouse = north"}});
    let soon = OffsetDateTime::now_utc() + Duration::minutes(5);
    for expires_at in [None, Some(soon)] {
        let token = client
            .generate_tenant_token(key.uid.clone(), rules.clone(), Some(&key.key), expires_at)
            .expect("a token");
        let visitor = client_with(&token).index("rs-tenants");
        let seen = visitor
            .search()
            .with_limit(100)
            .execute::<Value>()
            .await
            .expect("an answer");
        assert_eq!(
            sorted_ids(&seen),
            ids_where(|one| one["warehouse"] == "north")
        );
    }
    let foreign = client
        .generate_tenant_token(key.uid.clone(), json!(["*"]), Some(&"0".repeat(64)), None)
        .expect("a token");
    let visitor = client_with(&foreign).index("rs-tenants");
    refused(
        visitor.search().execute::<Value>().await,
        ErrorCode::InvalidApiKey,
    );
    client.delete_key(&key).await.expect("deleted");
    refused(
        limited.search().execute::<Value>().await,
        ErrorCode::InvalidApiKey,
    );
}

#[tokio::test]
async fn tasks_are_listed_canceled_and_deleted() {
    let client = client();
    let index = stocked("rs-tasks", None).await;
    let mut query = TasksSearchQuery::new(&client);
    query
        .with_index_uids(["rs-tasks"])
        .with_statuses(["succeeded"]);
    query.with_types(["documentAdditionOrUpdate"]).with_limit(5);
    let listed = query.execute().await.expect("a list");
    assert_eq!((listed.results.len(), listed.limit), (1, 5));
    let task = done(index.add_or_replace(&[json!({"id": 1})], None).await).await;
    let shown = index.get_task(&task).await.expect("shown");
    assert!(shown.is_success() && shown.get_uid() == task.uid);
    let mut batches = BatchesQuery::new(&client);
    let batches = batches.with_limit(1).execute().await.expect("a list");
    assert_eq!(batches.results.len(), 1);
    let batch = client
        .get_batch(batches.results[0].uid)
        .await
        .expect("shown");
    assert_eq!(batch.uid, batches.results[0].uid);
    let mut cancel = TasksCancelQuery::new(&client);
    cancel.with_index_uids(["rs-tasks"]);
    let canceling = done(client.cancel_tasks_with(&cancel).await).await;
    let TaskType::TaskCancelation {
        details: Some(details),
    } = canceling.update_type
    else {
        panic!("{canceling:?}");
    };
    assert_eq!(details.canceled_tasks, Some(0));
    let mut delete = TasksDeleteQuery::new(&client);
    delete.with_index_uids(["rs-tasks"]);
    let deleting = done(client.delete_tasks_with(&delete).await).await;
    let TaskType::TaskDeletion {
        details: Some(details),
    } = deleting.update_type
    else {
        panic!("{deleting:?}");
    };
    assert_eq!(details.deleted_tasks, Some(details.matched_tasks));
    refused(client.get_task(&task).await, ErrorCode::TaskNotFound);
}

#[tokio::test]
async fn dumps_snapshots_and_features() {
    let client = client();
    let dump = done(client.create_dump().await).await;
    let TaskType::DumpCreation {
        details: Some(details),
    } = dump.update_type
    else {
        panic!("{dump:?}");
    };
    assert!(details.dump_uid.is_some());
    done(client.create_snapshot().await).await;
    let mut features = ExperimentalFeatures::new(&client);
    let after = features
        .set_contains_filter(true)
        .update()
        .await
        .expect("switched");
    assert!(after.contains_filter);
    let shown = ExperimentalFeatures::new(&client)
        .get()
        .await
        .expect("shown");
    assert!(shown.contains_filter);
}

#[tokio::test]
async fn webhooks_are_made_shown_changed_and_deleted() {
    let client = client();
    let wanted = WebhookCreate::new("http://127.0.0.1:9/hook").with_header("X-A", "b");
    let made = client.create_webhook(&wanted).await.expect("made");
    assert!(made.is_editable && made.webhook.headers.len() == 1);
    let uuid = made.uuid.to_string();
    assert_eq!(
        client.get_webhook(&uuid).await.expect("shown").webhook.url,
        wanted.url
    );
    let listed = client.get_webhooks().await.expect("listed");
    assert!(listed.results.iter().any(|one| one.uuid == made.uuid));
    let mut change = WebhookUpdate::new();
    change
        .with_url("http://127.0.0.1:9/other")
        .remove_header("X-A");
    let changed = client
        .update_webhook(&uuid, &change)
        .await
        .expect("changed");
    assert_eq!(changed.webhook.url, "http://127.0.0.1:9/other");
    assert!(changed.webhook.headers.is_empty());
    client.delete_webhook(&uuid).await.expect("deleted");
    assert!(client.get_webhook(&uuid).await.is_err());
}
