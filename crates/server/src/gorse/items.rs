//! Items: documents of the index, in the order of their ids.

use super::item::{Given, Item, dimensions};
use super::params::Asked;
use super::{answer, done, ids, item, setup, with_body};
use crate::app::App;
use crate::error::ApiError;
use crate::path::At;
use axum::extract::{Request, State};
use axum::response::Response;
use domain::ItemId;
use engine::{
    DocumentsWrite, EngineError, FeedbackOf, IndexReader, LedgerChange, SearchRequest, Selection,
    Write, WriteMode,
};
use serde::Serialize;
use serde_json::{Map, Value};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Items {
    cursor: String,
    items: Vec<Item>,
}

/// `POST /api/item`
pub(crate) async fn insert(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    let document = with_body(&app, request, Given::document).await?;
    write(&app, vec![document], WriteMode::Replace).await?;
    Ok(done(1))
}

/// `POST /api/items`
pub(crate) async fn insert_all(
    State(app): State<App>,
    request: Request,
) -> Result<Response, ApiError> {
    let documents = with_body(&app, request, |items: Vec<Given>| {
        items
            .into_iter()
            .map(Given::document)
            .collect::<Result<Vec<_>, _>>()
    })
    .await?;
    let count = documents.len() as u64;
    if count > 0 {
        write(&app, documents, WriteMode::Replace).await?;
    }
    Ok(done(count))
}

/// `PATCH /api/item/{item}`
pub(crate) async fn update(
    State(app): State<App>,
    At(id): At<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let mut document = item::named(&id)?;
    let changes = with_body(&app, request, Given::changes).await?;
    found(&app, &id).await?;
    document.extend(changes);
    write(&app, vec![document], WriteMode::UpdateKnown).await?;
    Ok(done(1))
}

/// `GET /api/item/{item}`
pub(crate) async fn get(State(app): State<App>, At(id): At<String>) -> Result<Response, ApiError> {
    let document = found(&app, &id).await?;
    Ok(answer(&Item::of(ids::document(&id)?.as_str(), document)))
}

/// `GET /api/items`: all of them page by page, or those that a text finds.
pub(crate) async fn list(State(app): State<App>, asked: Asked) -> Result<Response, ApiError> {
    let n = asked.listed()?;
    let page = match asked.text("q") {
        Some(text) => {
            let text = text.to_owned();
            if text.len() > app.limits().query_bytes {
                let message = format!("`q` has more than {} bytes", app.limits().query_bytes);
                return Err(ApiError::invalid("query_too_long", message));
            }
            read(&app, |reader| searched(reader, text, n)).await?
        }
        None => {
            let after = ids::of_cursor(asked.text("cursor").unwrap_or_default())?;
            read(&app, |reader| listed(reader, after.as_deref(), n)).await?
        }
    };
    let (cursor, items) = page.unwrap_or_default();
    Ok(answer(&Items { cursor, items }))
}

/// `DELETE /api/item/{item}`: the document and its feedback.
pub(crate) async fn delete(
    State(app): State<App>,
    At(id): At<String>,
) -> Result<Response, ApiError> {
    let document = ids::document(&id)?;
    let item = ItemId::new(id).map_err(EngineError::from)?;
    let changes = vec![LedgerChange::RemoveFeedback(FeedbackOf::Item(item), None)];
    setup::take_back(&app, changes).await?;
    let known = read(&app, |reader| Ok(reader.contains(document.as_str())?));
    if known.await?.unwrap_or_default() {
        let uid = app.gorse_index().clone();
        let selection = Selection::Ids(vec![document.to_string()]);
        setup::write(&app, Write::DeleteDocuments { uid, selection }).await?;
    }
    Ok(done(1))
}

/// Writes documents, and waits until readers see them.
pub(super) async fn write(
    app: &App,
    documents: Vec<Map<String, Value>>,
    mode: WriteMode,
) -> Result<(), ApiError> {
    setup::ensure_index(app).await?;
    if let Some(dimensions) = documents.iter().find_map(dimensions) {
        setup::ensure_embedder(app, dimensions).await?;
    }
    let write = Write::Documents(DocumentsWrite {
        uid: app.gorse_index().clone(),
        primary_key: Some(setup::KEY.to_owned()),
        mode,
        documents,
        rows: Vec::new(),
        rejected: Vec::new(),
    });
    let sender = app.clone();
    // Making the record of many documents takes its time.
    let sent = tokio::task::spawn_blocking(move || sender.send(write)).await;
    let accepted = crate::app::outcome(sent.map_err(ApiError::internal)?).await?;
    setup::seen(app, accepted.task_uid).await
}

/// The document of an item.
pub(super) async fn found(app: &App, id: &str) -> Result<Map<String, Value>, ApiError> {
    let unknown = || ApiError::not_found("item_not_found", format!("{id}: item not found"));
    let Ok(document) = ids::document(id) else {
        return Err(unknown());
    };
    let found = read(app, |reader| Ok(reader.object(document.as_str())?)).await?;
    found.flatten().ok_or_else(unknown)
}

/// Reads the index; `None` before the first write has made it.
pub(super) async fn read<T>(
    app: &App,
    work: impl FnOnce(&IndexReader) -> Result<T, ApiError>,
) -> Result<Option<T>, ApiError> {
    app.read(|engine| match engine.index(app.gorse_index().as_str()) {
        Ok(reader) => work(&reader).map(Some),
        Err(EngineError::IndexNotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    })
    .await
}

type Page = (String, Vec<Item>);

fn listed(reader: &IndexReader, after: Option<&str>, n: usize) -> Result<Page, ApiError> {
    let mut documents = reader.objects_after(after, n + 1)?;
    let has_more = documents.len() > n;
    documents.truncate(n);
    let last = documents.last().filter(|_| has_more);
    let cursor = last.map_or_else(String::new, |(id, _)| ids::cursor(id));
    let items = documents
        .into_iter()
        .map(|(id, document)| Item::of(&id, document));
    Ok((cursor, items.collect()))
}

fn searched(reader: &IndexReader, text: String, n: usize) -> Result<Page, ApiError> {
    let request = SearchRequest {
        q: text,
        limit: n,
        retrieve: Some(vec![setup::KEY.to_owned()]),
        ..SearchRequest::default()
    };
    let mut items = Vec::new();
    for hit in reader.search(&request)?.hits {
        let id = document_id(hit.document.get())?;
        if let Some(document) = reader.object(&id)? {
            items.push(Item::of(&id, document));
        }
    }
    Ok((String::new(), items))
}

/// The id of a document of which nothing else was asked for.
pub(super) fn document_id(json: &str) -> Result<String, ApiError> {
    #[derive(serde::Deserialize)]
    struct Keyed {
        id: Value,
    }
    let keyed: Keyed = serde_json::from_str(json).map_err(ApiError::internal)?;
    Ok(match keyed.id {
        Value::String(id) => id,
        other => other.to_string(),
    })
}
