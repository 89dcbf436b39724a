//! Indexes, and what is told of the server.

use meilisearch_sdk::client::SwapIndexes;
use meilisearch_sdk::errors::ErrorCode;
use meilisearch_sdk::indexes::{IndexUpdater, IndexesQuery};
use meilisearch_sdk::tasks::TaskType;
use vitrine_clients::{client, done, empty, fails, products, refused, stocked};

#[tokio::test]
async fn an_index_is_made_shown_changed_and_deleted() {
    let client = client();
    let task = done(client.create_index("rs-made", None).await).await;
    assert!(matches!(task.update_type, TaskType::IndexCreation { .. }));
    assert!(task.finished_at >= task.started_at);
    let mut index = client.get_index("rs-made").await.expect("it is there");
    assert_eq!(index.primary_key, None);
    let mut change = IndexUpdater::new("rs-made", &client);
    done(change.with_primary_key("sku").execute().await).await;
    assert_eq!(index.get_primary_key().await.expect("shown"), Some("sku"));
    index.primary_key = Some("id".to_owned());
    done(index.update().await).await;
    index.fetch_info().await.expect("shown");
    assert_eq!(index.primary_key.as_deref(), Some("id"));
    assert!(index.created_at <= index.updated_at);
    done(index.delete().await).await;
    refused(client.get_index("rs-made").await, ErrorCode::IndexNotFound);
    fails(
        client.delete_index("rs-made").await,
        ErrorCode::IndexNotFound,
    )
    .await;
    refused(
        client.create_index("no spaces", None).await,
        ErrorCode::InvalidIndexUid,
    );
}

#[tokio::test]
async fn indexes_are_listed() {
    let client = client();
    for uid in ["rs-list-b", "rs-list-a"] {
        empty(uid, None).await;
    }
    let mut query = IndexesQuery::new(&client);
    let listed = client
        .list_all_indexes_with(query.with_limit(1000))
        .await
        .expect("a list");
    let uids: Vec<&str> = listed
        .results
        .iter()
        .map(|index| index.uid.as_str())
        .collect();
    let ours: Vec<&&str> = uids
        .iter()
        .filter(|uid| uid.starts_with("rs-list-"))
        .collect();
    assert_eq!(ours, [&"rs-list-a", &"rs-list-b"]);
    let mut query = IndexesQuery::new(&client);
    let page = query
        .with_limit(1)
        .with_offset(1)
        .execute()
        .await
        .expect("a page");
    assert_eq!((page.results.len(), page.limit, page.offset), (1, 1, 1));
}

#[tokio::test]
async fn indexes_are_swapped_and_renamed() {
    let client = client();
    let (a, b) = (empty("rs-a", None).await, empty("rs-b", None).await);
    done(a.add_or_replace(&products()[..1], None).await).await;
    let mut swap = SwapIndexes {
        indexes: ("rs-a".to_owned(), "rs-b".to_owned()),
        rename: None,
    };
    done(client.swap_indexes([&swap]).await).await;
    assert_eq!(b.get_stats().await.expect("told").number_of_documents, 1);
    swap = SwapIndexes {
        indexes: ("rs-b".to_owned(), "rs-c".to_owned()),
        rename: Some(true),
    };
    done(client.swap_indexes([&swap]).await).await;
    let renamed = client.index("rs-c").get_stats().await.expect("told");
    assert_eq!(renamed.number_of_documents, 1);
}

#[tokio::test]
async fn an_index_is_renamed_by_its_update() {
    let client = client();
    stocked("rs-old", None).await;
    let mut change = IndexUpdater::new("rs-old", &client);
    done(change.with_uid("rs-new").execute().await).await;
    refused(client.get_index("rs-old").await, ErrorCode::IndexNotFound);
    let stats = client.index("rs-new").get_stats().await.expect("told");
    assert_eq!(stats.number_of_documents, products().len());
}

#[tokio::test]
async fn statistics_health_and_version() {
    let client = client();
    let index = stocked("rs-counted", None).await;
    let stats = index.get_stats().await.expect("told");
    assert_eq!(stats.number_of_documents, products().len());
    assert!(!stats.is_indexing);
    assert_eq!(
        stats.field_distribution.get("title"),
        Some(&products().len())
    );
    let all = client.get_stats().await.expect("told");
    assert!(all.indexes.contains_key("rs-counted") && all.database_size > 0);
    assert_eq!(client.health().await.expect("told").status, "available");
    assert!(client.is_healthy().await);
    assert!(
        !client
            .get_version()
            .await
            .expect("told")
            .pkg_version
            .is_empty()
    );
}
