//! `GET /api/health/live` and `/ready`: whether the server answers, and whether it takes writes.

use super::answer;
use crate::app::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

/// `GET /api/health/live`
pub(crate) async fn live(State(app): State<App>) -> Response {
    answer(&status(&app))
}

/// `GET /api/health/ready`
pub(crate) async fn ready(State(app): State<App>) -> Response {
    let mut response = answer(&status(&app));
    if app.engine().stopped().is_some() {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    response
}

/// One store is all there is; it stands for both of the convention.
fn status(app: &App) -> Value {
    let error = app.engine().stopped().map(|why| why.to_string());
    json!({
        "Ready": error.is_none(),
        "DataStoreError": error,
        "CacheStoreError": null,
        "DataStoreConnected": error.is_none(),
        "CacheStoreConnected": true,
    })
}
