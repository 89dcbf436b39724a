//! `GET …/users/{id}/profile` and `GET …/items/{id}/profile`: what the engine knows.
//!
//! The engine's profile structs are made to be shown, so they are written as
//! they are.

use crate::app::App;
use crate::error::{ApiError, json_response};
use crate::path::At;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

/// `GET /indexes/{uid}/users/{id}/profile`
pub(crate) async fn shopper(
    State(app): State<App>,
    At((uid, id)): At<(String, String)>,
) -> Result<Response, ApiError> {
    let profile = app
        .read_index(&uid, |reader| Ok(reader.shopper_profile(&id)?))
        .await?;
    Ok(json_response(StatusCode::OK, &profile))
}

/// `GET /indexes/{uid}/items/{id}/profile`
pub(crate) async fn item(
    State(app): State<App>,
    At((uid, id)): At<(String, String)>,
) -> Result<Response, ApiError> {
    let profile = app
        .read_index(&uid, |reader| Ok(reader.item_profile(&id)?))
        .await?;
    Ok(json_response(StatusCode::OK, &profile))
}
