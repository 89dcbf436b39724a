//! `/indexes/{uid}/models`: which trained models an index has, which one is live, and the
//! change of it.

use crate::app::App;
use crate::error::{ApiError, json_response};
use crate::fields::{Fields, Table};
use crate::path::At;
use crate::payload::JsonBody;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use domain::IndexUid;
use engine::{Comparison, Engine, EngineError, ModelEntry, ModelState, SawErased};
use serde::Serialize;
use serde_json::Value;

const PROMOTION: Table = &[
    ("force", "invalid_model_force"),
    ("state", "invalid_model_state"),
];
const ROLLBACK: Table = &[("kind", "invalid_model_kind")];

/// The routes below `/indexes/{uid}/models`.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/indexes/{uid}/models", get(list))
        .route("/indexes/{uid}/models/rollback", post(rollback))
        .route("/indexes/{uid}/models/{id}", get(one))
        .route("/indexes/{uid}/models/{id}/promote", post(promote))
}

#[derive(Serialize)]
struct List {
    results: Vec<ModelJson>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ModelJson {
    id: String,
    kind: String,
    state: &'static str,
    /// Whether it answers; a live model that is damaged does not.
    in_use: bool,
    created_at: String,
    metrics: Value,
    sha256: String,
    /// Present where it may have learnt from shoppers who were erased since.
    #[serde(skip_serializing_if = "Option::is_none")]
    saw_erased: Option<SawErased>,
    /// How it did beside the live model, once it has been the shadow.
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<Comparison>,
    /// Shown with a single model.
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<String>,
}

impl ModelJson {
    fn new(entry: ModelEntry, in_use: Option<&str>) -> Self {
        Self {
            in_use: in_use == Some(entry.id.as_str()),
            id: entry.id,
            kind: entry.kind,
            state: entry.state.as_str(),
            created_at: entry.created_at.to_string(),
            metrics: entry.metrics,
            sha256: entry.sha256,
            saw_erased: entry.saw_erased,
            comparison: entry.comparison,
            card: None,
        }
    }
}

/// `GET /indexes/{uid}/models`
async fn list(State(app): State<App>, At(uid): At<String>) -> Result<Response, ApiError> {
    let results = on_index(&app, &uid, |engine| {
        let in_use = engine.model_in_use(&uid)?;
        let models = engine.models(&uid)?.into_iter();
        Ok(models
            .map(|entry| ModelJson::new(entry, in_use.as_deref()))
            .collect())
    })
    .await?;
    Ok(json_response(StatusCode::OK, &List { results }))
}

/// `GET /indexes/{uid}/models/{id}`
async fn one(
    State(app): State<App>,
    At((uid, id)): At<(String, String)>,
) -> Result<Response, ApiError> {
    let model = on_index(&app, &uid, |engine| {
        let (entry, card) = engine.model(&uid, &id)?;
        let in_use = engine.model_in_use(&uid)?;
        Ok(ModelJson {
            card,
            ..ModelJson::new(entry, in_use.as_deref())
        })
    })
    .await?;
    Ok(json_response(StatusCode::OK, &model))
}

/// `POST /indexes/{uid}/models/{id}/promote`
async fn promote(
    State(app): State<App>,
    At((uid, id)): At<(String, String)>,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let mut fields = Fields::body(body, PROMOTION)?;
    let force = fields.boolean("force")?.unwrap_or_default();
    let state = match fields.text("state")?.as_deref() {
        None | Some("live") => ModelState::Live,
        Some("shadow") => ModelState::Shadow,
        Some("candidate") => ModelState::Candidate,
        Some(other) => {
            let states = ["live", "shadow", "candidate"];
            return Err(fields.unknown_word("state", other, &states));
        }
    };
    changed(&app, &uid, |engine| match state {
        ModelState::Shadow => engine.shadow_model(&uid, &id),
        ModelState::Candidate => engine.withdraw_model(&uid, &id),
        ModelState::Live | ModelState::Retired => engine.promote_model(&uid, &id, force),
    })
    .await
}

/// `POST /indexes/{uid}/models/rollback`
async fn rollback(
    State(app): State<App>,
    At(uid): At<String>,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let mut fields = Fields::body(body, ROLLBACK)?;
    let kind = fields
        .text("kind")?
        .ok_or_else(|| fields.missing("kind", "missing_model_kind"))?;
    changed(&app, &uid, |engine| engine.rollback_model(&uid, &kind)).await
}

async fn changed(
    app: &App,
    uid: &str,
    change: impl FnOnce(&Engine) -> Result<ModelEntry, EngineError>,
) -> Result<Response, ApiError> {
    let model = on_index(app, uid, |engine| {
        let entry = change(engine)?;
        let in_use = engine.model_in_use(uid)?;
        Ok(ModelJson::new(entry, in_use.as_deref()))
    })
    .await?;
    Ok(json_response(StatusCode::OK, &model))
}

/// Opening a model takes its time, so a change waits for its turn like a search.
async fn on_index<T>(
    app: &App,
    uid: &str,
    work: impl FnOnce(&Engine) -> Result<T, EngineError>,
) -> Result<T, ApiError> {
    IndexUid::new(uid).map_err(EngineError::from)?;
    app.read(|engine| Ok(work(engine)?)).await
}
