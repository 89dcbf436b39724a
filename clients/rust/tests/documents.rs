//! Documents: added in three formats, changed, listed and deleted.

use meilisearch_sdk::documents::{DocumentDeletionQuery, DocumentQuery, DocumentsQuery};
use meilisearch_sdk::errors::ErrorCode;
use meilisearch_sdk::tasks::TaskType;
use serde_json::{Value, json};
use vitrine_clients::{done, empty, fails, ids_where, products, refused, search_settings, stocked};

#[tokio::test]
async fn documents_come_back_as_they_were_given() {
    let index = empty("rs-given", None).await;
    let task = done(index.add_or_replace(&products(), Some("id")).await).await;
    let TaskType::DocumentAdditionOrUpdate {
        details: Some(details),
    } = task.update_type
    else {
        panic!("{task:?}");
    };
    assert_eq!(details.received_documents, products().len());
    assert_eq!(details.indexed_documents, Some(products().len()));
    let teapot: Value = index.get_document("5").await.expect("it is there");
    assert_eq!(teapot, products()[4]);
    let mut query = DocumentQuery::new(&index);
    let some: Value = query
        .with_fields(["title"])
        .execute("5")
        .await
        .expect("it is there");
    assert_eq!(some, json!({"title": "Cast iron teapot"}));
    refused(
        index.get_document::<Value>("999").await,
        ErrorCode::DocumentNotFound,
    );
}

#[tokio::test]
async fn additions_replace_and_updates_keep() {
    let index = stocked("rs-changed", None).await;
    done(
        index
            .add_or_replace(&[json!({"id": 1, "title": "Only"})], None)
            .await,
    )
    .await;
    done(
        index
            .add_or_update(&[json!({"id": 2, "price": 1})], None)
            .await,
    )
    .await;
    let replaced: Value = index.get_document("1").await.expect("it is there");
    assert_eq!(replaced, json!({"id": 1, "title": "Only"}));
    let kept: Value = index.get_document("2").await.expect("it is there");
    assert_eq!(
        (&kept["title"], &kept["price"]),
        (&json!("Blue enamel mug"), &json!(1))
    );
    let tasks = index
        .add_documents_in_batches(&products(), Some(10), None)
        .await;
    for task in tasks.expect("taken") {
        done(Ok(task)).await;
    }
    assert_eq!(
        index.get_document::<Value>("1").await.expect("it is there"),
        products()[0]
    );
}

#[tokio::test]
async fn ndjson_and_csv_are_read() {
    let index = empty("rs-formats", None).await;
    let lines: &[u8] = b"{\"id\": 1, \"a\": 1}\n{\"id\": 2, \"a\": 2}\n";
    done(index.add_documents_ndjson(lines, Some("id")).await).await;
    let rows: &[u8] = b"id,b:number\n1,3\n";
    done(index.update_documents_csv(rows, Some("id")).await).await;
    let both: Value = index.get_document("1").await.expect("it is there");
    assert_eq!((&both["a"], &both["b"]), (&json!(1), &json!(3)));
    done(
        index
            .add_documents_csv(b"id,c\n9,x\n".as_slice(), None)
            .await,
    )
    .await;
    done(
        index
            .update_documents_ndjson(b"{\"id\": 2, \"b\": 4}".as_slice(), None)
            .await,
    )
    .await;
    let updated: Value = index.get_document("2").await.expect("it is there");
    assert_eq!((&updated["a"], &updated["b"]), (&json!(2), &json!(4)));
    fails(
        index
            .add_or_replace(&[json!({"id": "no spaces"})], None)
            .await,
        ErrorCode::InvalidDocumentId,
    )
    .await;
}

#[tokio::test]
async fn documents_are_listed() {
    let index = stocked("rs-listed", Some(search_settings())).await;
    let mut query = DocumentsQuery::new(&index);
    let query = query.with_limit(2).with_offset(1).with_fields(["id"]);
    let page = query.execute::<Value>().await.expect("a page");
    assert_eq!(page.results, [json!({"id": 2}), json!({"id": 3})]);
    assert_eq!((page.limit, page.offset, page.total), (2, 1, 24));
    let mut query = DocumentsQuery::new(&index);
    let query = query.with_filter("brand = Kaito").with_sort(["price:desc"]);
    let kaito = query.execute::<Value>().await.expect("a page");
    let prices: Vec<&Value> = kaito.results.iter().map(|one| &one["price"]).collect();
    assert_eq!(prices, [&json!(49.0), &json!(32.0), &json!(12.0)]);
    let usual = index.get_documents::<Value>().await.expect("a page");
    assert_eq!(usual.results.len(), 20);
}

#[tokio::test]
async fn documents_are_deleted() {
    let index = stocked("rs-emptied", Some(search_settings())).await;
    done(index.delete_document(1).await).await;
    let task = done(index.delete_documents(&[2, 3]).await).await;
    let TaskType::DocumentDeletion {
        details: Some(details),
    } = task.update_type
    else {
        panic!("{task:?}");
    };
    assert_eq!(details.deleted_documents, Some(2));
    let mut query = DocumentDeletionQuery::new(&index);
    query.with_filter("brand = Kaito");
    done(index.delete_documents_with(&query).await).await;
    let kaito = ids_where(|product| product["brand"] == "Kaito").len();
    let stats = index.get_stats().await.expect("told");
    assert_eq!(stats.number_of_documents, products().len() - 3 - kaito);
    done(index.delete_all_documents().await).await;
    assert_eq!(
        index.get_stats().await.expect("told").number_of_documents,
        0
    );
}
