//! The index of the convention: made with the first write, with settings that fit its items.

use crate::app::App;
use crate::error::ApiError;
use axum::http::StatusCode;
use engine::{EngineError, LedgerChange, SettingsPatch, Task, TaskStatus, Write};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// The primary key of its documents.
pub(super) const KEY: &str = "id";
/// The embedder of the vectors that items bring.
pub(super) const EMBEDDER: &str = "embedding";
/// How long a write waits to be seen by readers.
const PATIENCE: Duration = Duration::from_secs(60);

/// Makes the index, or gives one that was made without settings those that lists need.
pub(super) async fn ensure_index(app: &App) -> Result<(), ApiError> {
    let uid = app.gorse_index();
    match app.engine().index(uid.as_str()) {
        Ok(reader) if reader.settings().filterable_attributes.is_some() => return Ok(()),
        Ok(_) => {}
        Err(EngineError::IndexNotFound(_)) => {
            // Another request may make it at the same time; then this one's task fails.
            app.write(Write::CreateIndex {
                uid: uid.clone(),
                primary_key: Some(KEY.to_owned()),
            })
            .await?;
        }
        Err(error) => return Err(error.into()),
    }
    patch(
        app,
        json!({
            "searchableAttributes": ["Comment", "ItemId", "Categories", "Labels"],
            "filterableAttributes": ["IsHidden", "Categories", "Labels", "Timestamp"],
            "sortableAttributes": ["Timestamp"],
            "roles": { "title": "Comment", "categories": "Categories", "created": "Timestamp" },
        }),
    )
    .await
}

/// Writes to the ledger if there is an index, and says how many statements that made or took
/// back: nothing can be taken back from an index that is not there.
pub(super) async fn take_back(app: &App, changes: Vec<LedgerChange>) -> Result<u64, ApiError> {
    let uid = app.gorse_index().clone();
    match app.engine().index(uid.as_str()) {
        Err(EngineError::IndexNotFound(_)) => return Ok(0),
        found => found?,
    };
    Ok(app.write(Write::Ledger { uid, changes }).await?.statements)
}

/// Makes room for the vectors that items bring; those of another length are passed over.
pub(super) async fn ensure_embedder(app: &App, dimensions: usize) -> Result<(), ApiError> {
    let reader = app.engine().index(app.gorse_index().as_str())?;
    let known = reader.settings().embedders.as_ref();
    if known.is_some_and(|known| known.contains_key(EMBEDDER)) {
        return Ok(());
    }
    let embedder = json!({ "source": "userProvided", "dimensions": dimensions });
    patch(app, json!({ "embedders": { EMBEDDER: embedder } })).await
}

async fn patch(app: &App, changes: Value) -> Result<(), ApiError> {
    let changes: Map<String, Value> = match changes {
        Value::Object(changes) => changes,
        _ => Map::new(),
    };
    let patch = SettingsPatch::new(changes).map_err(EngineError::from)?;
    let uid = app.gorse_index().clone();
    write(app, Write::Settings { uid, patch }).await
}

/// Writes, and waits until readers see it.
pub(super) async fn write(app: &App, write: Write) -> Result<(), ApiError> {
    let accepted = app.write(write).await?;
    seen(app, accepted.task_uid).await
}

/// Waits until readers see what a task did.
pub(super) async fn seen(app: &App, task_uid: u64) -> Result<(), ApiError> {
    let engine = app.engine().clone();
    let task = tokio::task::spawn_blocking(move || engine.wait(task_uid, PATIENCE)).await;
    let Task { status, error, .. } = task.map_err(ApiError::internal)??;
    match (status, error) {
        (TaskStatus::Failed, Some(error)) => {
            Err(ApiError::invalid("invalid_document", error.message))
        }
        // It waits for a restart.
        (TaskStatus::Enqueued | TaskStatus::Processing, Some(error)) => Err(ApiError::system(
            StatusCode::SERVICE_UNAVAILABLE,
            "catalogue_stopped",
            error.message,
        )),
        // Canceled by somebody, or on disk and applied when its turn comes.
        _ => Ok(()),
    }
}
