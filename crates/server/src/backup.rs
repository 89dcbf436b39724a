//! `GET /backup`: every durable record as one file, streamed while serving goes on.
//!
//! A backup that fails midway breaks the connection off, and its trailer is missing: no client
//! and no `vitrine restore` can take it for a whole one.

use crate::app::App;
use crate::download;
use axum::extract::State;
use axum::response::Response;
use std::io;

/// `GET /backup`
pub(crate) async fn get(State(app): State<App>) -> Response {
    let engine = app.engine().clone();
    download::file("vitrine.backup", move |out| {
        engine.backup(out).map(|_| ()).map_err(io::Error::other)
    })
}
