//! What the engine knows of a shopper or an item, and the rights of the shopper to it:
//! `GET …/users/{id}/profile`, `GET …/users/{id}/export`, `DELETE …/users/{id}` and
//! `GET …/items/{id}/profile`.
//!
//! The engine's profile structs are made to be shown, so they are written as they are.

use crate::app::App;
use crate::error::{ApiError, json_response};
use crate::fields::{Params, Table};
use crate::path::At;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{IndexUid, UserId};
use engine::EngineError;

const FIELDS: Table = &[("vectors", "invalid_profile_vectors")];

/// Whether `?vectors=true` asks for the vectors, which most readers of a profile have no use for.
fn wants_vectors(params: Params) -> Result<bool, ApiError> {
    Ok(params.fields(FIELDS)?.boolean("vectors")?.unwrap_or(false))
}

/// `GET /indexes/{uid}/users/{id}/profile`
pub(crate) async fn shopper(
    State(app): State<App>,
    At((uid, id)): At<(String, String)>,
    params: Params,
) -> Result<Response, ApiError> {
    let vectors = wants_vectors(params)?;
    let profile = app
        .read_index(&uid, |reader| {
            let mut profile = reader.shopper_profile(&id)?;
            if vectors {
                profile.vectors = reader.shopper_vectors(&id)?;
            }
            Ok(profile)
        })
        .await?;
    Ok(json_response(StatusCode::OK, &profile))
}

/// `GET /indexes/{uid}/items/{id}/profile`
pub(crate) async fn item(
    State(app): State<App>,
    At((uid, id)): At<(String, String)>,
    params: Params,
) -> Result<Response, ApiError> {
    let vectors = wants_vectors(params)?;
    let profile = app
        .read_index(&uid, |reader| {
            let mut profile = reader.item_profile(&id)?;
            if vectors {
                profile.vector = reader.item_vector(&id)?;
            }
            Ok(profile)
        })
        .await?;
    Ok(json_response(StatusCode::OK, &profile))
}

/// `GET /indexes/{uid}/users/{id}/export`
pub(crate) async fn export(
    State(app): State<App>,
    At((uid, id)): At<(String, String)>,
) -> Result<Response, ApiError> {
    IndexUid::new(uid.as_str()).map_err(EngineError::from)?;
    let export = app
        .read(|engine| Ok(engine.export_shopper(&uid, &id)?))
        .await?;
    Ok(json_response(StatusCode::OK, &export))
}

/// `DELETE /indexes/{uid}/users/{id}`: answered when nothing is left.
pub(crate) async fn erase(
    State(app): State<App>,
    At((uid, id)): At<(String, String)>,
) -> Result<Response, ApiError> {
    IndexUid::new(uid.as_str()).map_err(EngineError::from)?;
    let user = UserId::new(id).map_err(EngineError::from)?;
    let erased = app
        .read(|engine| Ok(engine.erase_shopper(&uid, &user)?))
        .await?;
    Ok(json_response(StatusCode::OK, &erased))
}
