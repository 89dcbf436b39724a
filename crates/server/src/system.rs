//! `/`, `/health`, `/version`, `/stats`, and what is answered where nothing is.
//!
//! `/health` is the only route that never asks for a key.

use crate::access::Access;
use crate::app::App;
use crate::error::{ApiError, json_response};
use crate::indexes::StatsJson;
use crate::task_json::moment;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use engine::EngineError;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;

const ROUTES: [&str; 28] = [
    "GET /health",
    "GET /version",
    "GET /stats",
    "GET /backup",
    "GET|POST /indexes",
    "GET|POST|PUT|DELETE /indexes/{uid}/documents",
    "GET|POST /indexes/{uid}/search",
    "POST /indexes/{uid}/facet-search",
    "POST /multi-search",
    "GET|PATCH|DELETE /indexes/{uid}/settings",
    "POST /indexes/{uid}/events",
    "POST /indexes/{uid}/recommend",
    "GET|PUT|PATCH /indexes/{uid}/users/{id}",
    "GET /indexes/{uid}/users/{id}/profile",
    "GET /indexes/{uid}/items/{id}/profile",
    "GET|POST|PUT|PATCH|DELETE /api/…",
    "POST /v1/embeddings",
    "GET /v1/models",
    "GET|POST /keys",
    "GET|DELETE /tasks",
    "POST /tasks/cancel",
    "GET /batches",
    "POST /swap-indexes",
    "POST /dumps",
    "POST /snapshots",
    "GET|PATCH /experimental-features",
    "GET /metrics",
    "GET|POST /webhooks",
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stats {
    database_size: u64,
    used_database_size: u64,
    last_update: Option<String>,
    indexes: BTreeMap<String, StatsJson>,
    log_records: u64,
}

/// `GET /`
pub(crate) async fn root() -> Response {
    let body = json!({
        "message": "This is Vitrine, a search and recommendation engine for shops.",
        "routes": ROUTES,
    });
    json_response(StatusCode::OK, &body)
}

/// `GET /health`: not available once a fault has stopped the catalogue and a restart would mend
/// it, although searches are still answered. A full disk is no such fault: a supervisor that
/// restarts for it would only take the searches away. Nobody needs a key for this, so the reason
/// is told to those who write only.
pub(crate) async fn health(State(app): State<App>) -> Response {
    match app.engine().stopped() {
        None | Some(EngineError::Full { .. }) => {
            json_response(StatusCode::OK, &json!({ "status": "available" }))
        }
        Some(why) => {
            let refused = ApiError::from(why);
            let body = json!({ "status": "unavailable", "code": refused.code() });
            json_response(refused.status(), &body)
        }
    }
}

/// `GET /version`
pub(crate) async fn version() -> Response {
    let body = json!({
        "commitSha": option_env!("VITRINE_COMMIT_SHA").unwrap_or("unknown"),
        "commitDate": option_env!("VITRINE_COMMIT_DATE").unwrap_or("unknown"),
        "pkgVersion": env!("CARGO_PKG_VERSION"),
    });
    json_response(StatusCode::OK, &body)
}

/// `GET /stats`
pub(crate) async fn stats(State(app): State<App>, access: Access) -> Result<Response, ApiError> {
    let stats = app.read(|engine| Ok(engine.stats()?)).await?;
    let indexes = stats
        .indexes
        .into_iter()
        .filter(|(uid, _)| access.sees(uid))
        .map(|(uid, stats)| (uid, StatsJson::from(stats)));
    let body = Stats {
        database_size: stats.database_size,
        used_database_size: stats.database_size,
        last_update: stats.last_update.map(moment),
        indexes: indexes.collect(),
        log_records: stats.log_records,
    };
    Ok(json_response(StatusCode::OK, &body))
}

/// Where no route is.
pub(crate) async fn not_found(method: Method, uri: Uri) -> Response {
    let path = crate::fields::shortened(uri.path());
    ApiError::not_found(
        "not_found",
        format!("There is no route `{method} {path}`; `GET /` names them."),
    )
    .into_response()
}

/// Where a route has other methods.
pub(crate) async fn wrong_method(method: Method, uri: Uri) -> Response {
    let path = crate::fields::shortened(uri.path());
    ApiError::refused(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        format!("The route `{path}` has no method `{method}`; `GET /` names those it has."),
    )
    .into_response()
}
