//! `POST /dumps` and `POST /snapshots`: backups written below the data folder, as tasks.
//!
//! Both are files for `vitrine restore`. `GET /backup` sends the same to the client.

use crate::app::App;
use crate::error::ApiError;
use crate::task_json::accepted;
use axum::extract::State;
use axum::response::Response;
use engine::Write;

/// `POST /dumps`
pub(crate) async fn dump(State(app): State<App>) -> Result<Response, ApiError> {
    Ok(accepted(&app.write(Write::Dump).await?))
}

/// `POST /snapshots`
pub(crate) async fn snapshot(State(app): State<App>) -> Result<Response, ApiError> {
    Ok(accepted(&app.write(Write::Snapshot).await?))
}
