//! `/indexes/{uid}/users/{id}`: what the shop states of a shopper, as free JSON.
//!
//! A record is the shop's own word, such as a class of suitability; what shoppers did is in
//! their [profiles](crate::profiles).

use crate::app::App;
use crate::error::{ApiError, json_response};
use crate::fields::wrong_type;
use crate::path::At;
use crate::payload::JsonBody;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use domain::{IndexUid, UserId};
use engine::{EngineError, LedgerChange, Write};
use serde_json::{Map, Value};

/// Bytes of one record as JSON.
pub(crate) const LARGEST_RECORD: usize = 1_000_000;

pub(crate) fn routes() -> Router<App> {
    let record = get(show).put(put).patch(patch);
    Router::new().route("/indexes/{uid}/users/{id}", record)
}

/// A shopper's id out of a request.
pub(crate) fn shopper(id: String) -> Result<UserId, ApiError> {
    Ok(UserId::new(id).map_err(EngineError::from)?)
}

/// `GET /indexes/{uid}/users/{id}`
async fn show(
    State(app): State<App>,
    At((uid, id)): At<(String, String)>,
) -> Result<Response, ApiError> {
    let unknown = || {
        let message = format!("nothing is stated of shopper `{id}` in this index");
        ApiError::not_found("user_not_found", message)
    };
    let record = app
        .read_index(&uid, |reader| Ok(reader.shopper_record(&id)?))
        .await?;
    Ok(json_response(StatusCode::OK, &record.ok_or_else(unknown)?))
}

/// `PUT /indexes/{uid}/users/{id}`: the record takes the place of the one before.
async fn put(
    State(app): State<App>,
    At((uid, id)): At<(String, String)>,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let user = shopper(id)?;
    let change = LedgerChange::PutShopper(user.clone(), record(body)?);
    write(&app, uid, user, change).await
}

/// `PATCH /indexes/{uid}/users/{id}`: attributes are laid over the record; `null` takes one out.
async fn patch(
    State(app): State<App>,
    At((uid, id)): At<(String, String)>,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let user = shopper(id)?;
    let change = LedgerChange::PatchShopper(user.clone(), record(body)?);
    write(&app, uid, user, change).await
}

fn record(body: Value) -> Result<Map<String, Value>, ApiError> {
    let bytes = body.to_string().len();
    match body {
        Value::Object(_) if bytes > LARGEST_RECORD => Err(ApiError::refused(
            StatusCode::PAYLOAD_TOO_LARGE,
            "payload_too_large",
            format!("the record of a shopper has at most {LARGEST_RECORD} bytes"),
        )),
        Value::Object(record) => Ok(record),
        other => Err(ApiError::invalid(
            "bad_request",
            wrong_type("", "an object", &other),
        )),
    }
}

/// Answered when it is durable, with the record as it then is.
async fn write(
    app: &App,
    uid: String,
    user: UserId,
    change: LedgerChange,
) -> Result<Response, ApiError> {
    let uid = IndexUid::new(uid).map_err(EngineError::from)?;
    let changes = vec![change];
    app.write(Write::Ledger {
        uid: uid.clone(),
        changes,
    })
    .await?;
    let record = app
        .read_index(uid.as_str(), |reader| {
            Ok(reader.shopper_record(user.as_str())?)
        })
        .await?;
    Ok(json_response(StatusCode::OK, &record.unwrap_or_default()))
}
