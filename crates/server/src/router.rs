//! The table of routes, and the layers around them.
//!
//! From the outside in: tracing, CORS (so that a browser can read refusals),
//! compression, the shape of errors, the key, then the route.

use crate::app::App;
use crate::config::ServerConfig;
use crate::connection::Phase;
use crate::{
    absent, auth, backup, batches, copies, documents, embeddings, events, facet_search, features,
    gorse, indexes, keys, meaning, metrics, models, multi, profiles, recommend, search, settings,
    shoppers, swap, system, tasks, training, upload, webhooks,
};
use axum::Router;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{delete, get, post};
use engine::Engine;
use std::time::{Duration, Instant};
use tower_http::compression::predicate::{Predicate, SizeAbove};
use tower_http::compression::{CompressionLayer, CompressionLevel};
use tower_http::cors::CorsLayer;
use tracing::Instrument;

/// Smaller answers cost more to compress than to send.
const COMPRESS_FROM: u64 = 16_384;
/// How long a browser may remember the answer to a preflight.
const PREFLIGHT_AGE: Duration = Duration::from_secs(86_400);

/// All routes over an engine. [`crate::serve`] adds the limits on connections.
pub fn router(engine: Engine, config: ServerConfig) -> Router {
    over(App::new(engine, config))
}

/// All routes over what they share.
pub(crate) fn over(app: App) -> Router {
    let compression = CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(SizeAbove::new(COMPRESS_FROM).and(is_json));
    routes()
        .fallback(system::not_found)
        .method_not_allowed_fallback(system::wrong_method)
        .layer(from_fn_with_state(app.clone(), auth::guard))
        .layer(from_fn(embeddings::convention))
        .layer(from_fn(gorse::convention))
        .layer(compression)
        .layer(CorsLayer::permissive().max_age(PREFLIGHT_AGE))
        .layer(from_fn_with_state(app.clone(), traced))
        .with_state(app)
}

fn routes() -> Router<App> {
    Router::new()
        .route("/", get(system::root))
        .route("/health", get(system::health))
        .route("/version", get(system::version))
        .route("/stats", get(system::stats))
        .route("/backup", get(backup::get))
        .route("/indexes", get(indexes::list).post(indexes::create))
        .route(
            "/indexes/{uid}",
            get(indexes::get)
                .patch(indexes::update)
                .delete(indexes::delete),
        )
        .route("/indexes/{uid}/stats", get(indexes::stats))
        .route(
            "/indexes/{uid}/documents",
            get(documents::list)
                .post(upload::replace)
                .put(upload::update)
                .delete(documents::delete_all),
        )
        .route("/indexes/{uid}/documents/fetch", post(documents::fetch))
        .route(
            "/indexes/{uid}/documents/delete",
            post(documents::delete_by_filter),
        )
        .route(
            "/indexes/{uid}/documents/delete-batch",
            post(documents::delete_batch),
        )
        .route(
            "/indexes/{uid}/documents/{id}",
            get(documents::get)
                .post(absent::edit)
                .delete(documents::delete_one),
        )
        .route("/indexes/{uid}/search", get(search::get).post(search::post))
        .route("/indexes/{uid}/facet-search", post(facet_search::post))
        .route(
            "/indexes/{uid}/similar",
            get(meaning::get).post(meaning::post),
        )
        .route("/multi-search", post(multi::post))
        .route("/indexes/{uid}/events", post(events::post))
        .route("/indexes/{uid}/recommend", post(recommend::post))
        .route("/indexes/{uid}/users/{id}", delete(profiles::erase))
        .route("/indexes/{uid}/users/{id}/profile", get(profiles::shopper))
        .route("/indexes/{uid}/users/{id}/export", get(profiles::export))
        .merge(shoppers::routes())
        .route("/indexes/{uid}/items/{id}/profile", get(profiles::item))
        .route("/v1/embeddings", post(embeddings::post))
        .route("/v1/models", get(embeddings::models))
        .route("/keys", get(keys::list).post(keys::create))
        .route(
            "/keys/{key}",
            get(keys::get).patch(keys::update).delete(keys::delete),
        )
        .route("/tasks", get(tasks::list).delete(tasks::delete))
        .route("/tasks/cancel", post(tasks::cancel))
        .route("/tasks/{uid}", get(tasks::get))
        .route("/tasks/{uid}/rows", get(tasks::rows))
        .route("/swap-indexes", post(swap::post))
        .route("/dumps", post(copies::dump))
        .route("/snapshots", post(copies::snapshot))
        .route(
            "/experimental-features",
            get(features::get).patch(features::update),
        )
        .route("/metrics", get(metrics::get))
        .route("/batches", get(batches::list))
        .route("/batches/{uid}", get(batches::get))
        .merge(gorse::routes())
        .merge(models::routes())
        .merge(training::routes())
        .merge(webhooks::routes())
        .merge(settings::routes())
        .merge(absent::routes())
}

fn is_json(
    _: axum::http::StatusCode,
    _: axum::http::Version,
    headers: &axum::http::HeaderMap,
    _: &axum::http::Extensions,
) -> bool {
    headers
        .get(axum::http::header::CONTENT_TYPE)
        .is_some_and(|media| media.as_bytes().starts_with(b"application/json"))
}

/// One span and one count per request; tells the connection that it is being answered.
///
/// The query string stays out of the log: it may hold what a shopper typed.
async fn traced(State(app): State<App>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let method = request.method().clone();
    let phase = request.extensions().get::<ConnectInfo<Phase>>();
    let _answering = phase.map(|ConnectInfo(phase)| phase.answering());
    let path = match request.uri().path() {
        // What follows may be the value of a key.
        path if path.starts_with("/keys/") => "/keys/…",
        path => path,
    };
    let span = tracing::debug_span!("request", method = %request.method(), path);
    let started = Instant::now();
    let response = next.run(request).instrument(span.clone()).await;
    let took = started.elapsed();
    let route = route.as_ref().map(MatchedPath::as_str);
    app.requests()
        .count(route, &method, response.status(), took);
    span.in_scope(|| {
        tracing::debug!(
            status = response.status().as_u16(),
            elapsed_us = took.as_micros() as u64,
            "answered"
        );
    });
    response
}
