//! `/api`: recommendations in the REST conventions of Gorse, over one index.
//!
//! Its clients work with nothing but another address. Items are documents of the index that
//! the configuration names, users are its shoppers' records, and feedback stands in its ledger
//! and becomes events. Names are in PascalCase, errors are plain text, and whoever writes reads
//! it back with the next request.

mod categories;
mod dashboard;
mod dump;
mod feedback;
mod health;
mod ids;
mod item;
mod items;
mod kinds;
mod lists;
mod neighbours;
mod params;
mod recommend;
mod setup;
mod slate;
mod times;
mod users;

use crate::app::App;
use crate::error::{ApiError, Refusal};
use crate::payload::{self, Received};
use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post, put};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Where the convention holds.
pub(crate) const PREFIX: &str = "/api/";
/// What needs no key.
pub(crate) const HEALTH: &str = "/api/health/";
/// The header with the key.
const KEY: &str = "x-api-key";

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .merge(stored())
        .merge(recommended())
        .route("/api/dashboard/tasks", get(dashboard::tasks))
        // In no line of the actions of keys, so that only the master key may do these.
        .route("/api/dump", get(dump::dump))
        .route("/api/restore", post(dump::restore))
        .route("/api/health/live", get(health::live))
        .route("/api/health/ready", get(health::ready))
}

/// Users, items and feedback.
fn stored() -> Router<App> {
    let user = patch(users::update).get(users::get).delete(users::delete);
    let item = patch(items::update).get(items::get).delete(items::delete);
    let pair = get(feedback::of_pair).delete(feedback::delete_pair);
    let one = get(feedback::one).delete(feedback::delete_one);
    Router::new()
        .route("/api/user", post(users::insert))
        .route("/api/users", post(users::insert_all).get(users::list))
        .route("/api/user/{user}", user)
        .route("/api/item", post(items::insert))
        .route("/api/items", post(items::insert_all).get(items::list))
        .route("/api/item/{item}", item)
        .route(
            "/api/item/{item}/category/{category}",
            put(categories::add).delete(categories::remove),
        )
        .route(
            "/api/feedback",
            post(feedback::add).put(feedback::set).get(feedback::list),
        )
        // A kind of feedback alone, and a user with an item, share their place in the path.
        .route("/api/feedback/{first}", get(feedback::list_kind))
        .route("/api/feedback/{first}/{item}", pair)
        .route("/api/feedback/{first}/{user}/{item}", one)
        .route("/api/user/{user}/feedback", get(feedback::of_user))
        .route("/api/user/{user}/feedback/", get(feedback::of_user))
        .route("/api/user/{user}/feedback/{kind}", get(feedback::of_user))
        .route("/api/item/{item}/feedback", get(feedback::of_item))
        .route("/api/item/{item}/feedback/", get(feedback::of_item))
        .route("/api/item/{item}/feedback/{kind}", get(feedback::of_item))
}

/// Lists of items and users. Clients leave a category empty, with the slash before it.
fn recommended() -> Router<App> {
    Router::new()
        .route("/api/recommend/{user}", get(recommend::for_user))
        .route("/api/recommend/{user}/", get(recommend::for_user))
        .route("/api/recommend/{user}/{category}", get(recommend::for_user))
        .route("/api/session/recommend", post(recommend::for_session))
        .route("/api/session/recommend/", post(recommend::for_session))
        .route(
            "/api/session/recommend/{category}",
            post(recommend::for_session),
        )
        .route(
            "/api/collaborative-filtering/{user}",
            get(recommend::collaborative),
        )
        .route(
            "/api/collaborative-filtering/{user}/{category}",
            get(recommend::collaborative),
        )
        .route("/api/latest", get(lists::latest))
        .route("/api/latest/{category}", get(lists::latest))
        .route("/api/popular", get(lists::popular))
        .route("/api/popular/{category}", get(lists::popular))
        .route("/api/non-personalized/{name}", get(lists::named))
        .route("/api/item/{item}/neighbors", get(lists::item_neighbours))
        .route("/api/item/{item}/neighbors/", get(lists::item_neighbours))
        .route(
            "/api/item/{item}/neighbors/{category}",
            get(lists::item_neighbours),
        )
        .route(
            "/api/item-to-item/{name}/{item}",
            get(lists::named_item_neighbours),
        )
        .route("/api/user/{user}/neighbors", get(lists::user_neighbours))
        .route("/api/user/{user}/neighbors/", get(lists::user_neighbours))
        .route(
            "/api/user-to-user/{name}/{user}",
            get(lists::named_user_neighbours),
        )
}

/// Gives refusals on paths of this convention its shape: the sentence alone, and 401 for a
/// wrong key.
pub(crate) async fn convention(request: Request, next: Next) -> Response {
    let is_ours = request.uri().path().starts_with(PREFIX);
    let mut response = next.run(request).await;
    if !is_ours {
        return response;
    }
    let Some(refusal) = response.extensions_mut().remove::<Refusal>() else {
        return response;
    };
    let status = match refusal.code {
        "invalid_api_key" => StatusCode::UNAUTHORIZED,
        _ => response.status(),
    };
    let mut plain = (status, refusal.message).into_response();
    if let Some(after) = response.headers_mut().remove(header::RETRY_AFTER) {
        plain.headers_mut().insert(header::RETRY_AFTER, after);
    }
    plain
}

/// The key of a request, where its clients put it.
pub(crate) fn key(headers: &HeaderMap) -> Option<&HeaderValue> {
    headers.get(KEY)
}

/// What a write did.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Done {
    row_affected: u64,
}

fn done(row_affected: u64) -> Response {
    answer(&Done { row_affected })
}

fn answer(body: &impl Serialize) -> Response {
    crate::error::json_response(StatusCode::OK, body)
}

/// Reads a body as JSON, whatever its content type says, and works on it where blocking is
/// allowed if it is large.
async fn with_body<T: DeserializeOwned, R: Send + 'static>(
    app: &App,
    request: Request,
    work: impl FnOnce(T) -> Result<R, ApiError> + Send + 'static,
) -> Result<R, ApiError> {
    let limit = app.limits().payload_bytes;
    let Received {
        bytes,
        place: _place,
    } = payload::read(request, app, limit).await?;
    payload::near(bytes, move |bytes| match serde_json::from_slice(&bytes) {
        Ok(body) => work(body),
        Err(error) => Err(ApiError::invalid("malformed_payload", error.to_string())),
    })
    .await
}
