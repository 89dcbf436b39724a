//! `/indexes/{uid}/settings` and a route for every single setting.
//!
//! `GET` shows what is in force, defaults included; `PATCH` and `PUT` are
//! settings tasks, and `DELETE` puts the default back.

use crate::app::App;
use crate::engine_error::settings_error;
use crate::error::{ApiError, json_response};
use crate::path::At;
use crate::payload::JsonBody;
use crate::settings_table::{self, OURS, ROLES, SETTINGS, Setting, Verb};
use crate::task_json::accepted;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{MethodRouter, get, patch, put};
use domain::IndexUid;
use engine::{EngineError, SettingsPatch, Write};
use serde_json::{Map, Value, json};

/// The routes of all settings.
pub(crate) fn routes() -> Router<App> {
    let mut router = Router::new()
        .route(
            "/indexes/{uid}/settings",
            get(show_all).patch(update_all).delete(reset_all),
        )
        .route(&path(&ROLES), get(show_roles).merge(writing(ROLES)));
    for setting in SETTINGS.into_iter().chain(OURS) {
        let show = move |State(app): State<App>, At(uid): At<String>| show_one(app, uid, setting);
        router = router.route(&path(&setting), get(show).merge(writing(setting)));
    }
    router
}

fn path(setting: &Setting) -> String {
    format!("/indexes/{{uid}}/settings/{}", setting.path)
}

fn writing(setting: Setting) -> MethodRouter<App> {
    let update = move |State(app): State<App>, At(uid): At<String>, JsonBody(value): JsonBody| {
        change(app, uid, Map::from_iter([(setting.name.to_owned(), value)]))
    };
    let reset = move |State(app): State<App>, At(uid): At<String>| {
        change(
            app,
            uid,
            Map::from_iter([(setting.name.to_owned(), Value::Null)]),
        )
    };
    match setting.verb {
        Verb::Put => put(update).delete(reset),
        Verb::Patch => patch(update).delete(reset),
    }
}

/// `GET /indexes/{uid}/settings`
async fn show_all(State(app): State<App>, At(uid): At<String>) -> Result<Response, ApiError> {
    let shown = app
        .read_index(&uid, |reader| {
            settings_table::shown(reader.settings()).map_err(ApiError::internal)
        })
        .await?;
    Ok(json_response(StatusCode::OK, &shown))
}

async fn show_one(app: App, uid: String, setting: Setting) -> Result<Response, ApiError> {
    let value = app
        .read_index(&uid, |reader| {
            let shown = settings_table::shown(reader.settings()).map_err(ApiError::internal)?;
            Ok(shown.get(setting.name).cloned().unwrap_or_default())
        })
        .await?;
    Ok(json_response(StatusCode::OK, &value))
}

/// `GET /indexes/{uid}/settings/roles`: the roles in force, and why those that were guessed.
async fn show_roles(State(app): State<App>, At(uid): At<String>) -> Result<Response, ApiError> {
    let shown = app
        .read_index(&uid, |reader| {
            let (roles, reasons) = reader.roles();
            let set = reader.settings().roles.is_some();
            Ok(json!({
                "roles": roles,
                "source": if set { "set" } else { "guessed" },
                "reasons": if set { &[] } else { reasons },
            }))
        })
        .await?;
    Ok(json_response(StatusCode::OK, &shown))
}

/// `PATCH /indexes/{uid}/settings`
async fn update_all(
    State(app): State<App>,
    At(uid): At<String>,
    JsonBody(value): JsonBody,
) -> Result<Response, ApiError> {
    match value {
        Value::Object(changes) => change(app, uid, changes).await,
        other => Err(ApiError::invalid(
            "bad_request",
            crate::fields::wrong_type("", "an object", &other),
        )),
    }
}

/// `DELETE /indexes/{uid}/settings`
async fn reset_all(State(app): State<App>, At(uid): At<String>) -> Result<Response, ApiError> {
    write(app, uid, SettingsPatch::reset_all()).await
}

async fn change(app: App, uid: String, changes: Map<String, Value>) -> Result<Response, ApiError> {
    if let Some(name) = changes
        .keys()
        .find(|name| settings_table::code(name).is_none())
    {
        return Err(settings_table::unknown(name));
    }
    let patch = SettingsPatch::new(changes).map_err(|error| settings_error(&error))?;
    write(app, uid, patch).await
}

async fn write(app: App, uid: String, patch: SettingsPatch) -> Result<Response, ApiError> {
    let uid = IndexUid::new(uid).map_err(EngineError::from)?;
    Ok(accepted(&app.write(Write::Settings { uid, patch }).await?))
}
