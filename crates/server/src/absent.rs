//! Routes of the convention whose features are not here.
//!
//! Clients have calls for them. They are answered as a server of the convention answers
//! where a feature is switched off, so that nobody takes them for a wrong address.

use crate::app::App;
use crate::error::ApiError;
use crate::path::At;
use crate::system;
use axum::Router;
use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::any;

/// Paths, and what they are for.
const ABSENT: [(&str, &str); 15] = [
    ("/network", "Searching other servers"),
    ("/export", "Exporting to another server"),
    ("/chats", "Chat"),
    ("/chats/{workspace}", "Chat"),
    ("/chats/{workspace}/settings", "Chat"),
    ("/chats/{workspace}/chat/completions", "Chat"),
    ("/logs/stream", "Reading the log"),
    ("/logs/stderr", "Changing what is logged"),
    ("/dynamic-search-rules", "Dynamic search rules"),
    ("/dynamic-search-rules/{rule}", "Dynamic search rules"),
    ("/render-template", "Rendering templates"),
    ("/indexes/{uid}/fields", "Listing fields"),
    ("/indexes/{uid}/compact", "Compacting an index"),
    ("/indexes/{uid}/settings/chat", "Chat"),
    ("/tasks/{uid}/documents", "Reading the payload of a task"),
];

/// A route for each of them.
pub(crate) fn routes() -> Router<App> {
    let mut router = Router::new();
    for (path, what) in ABSENT {
        router = router.route(path, any(move || async move { refusal(what) }));
    }
    router
}

/// `POST /indexes/{uid}/documents/edit`; other ids than `edit` take no `POST`.
pub(crate) async fn edit(At((_, id)): At<(String, String)>, method: Method, uri: Uri) -> Response {
    match id.as_str() {
        "edit" => refusal("Editing documents by a function").into_response(),
        _ => system::wrong_method(method, uri).await,
    }
}

fn refusal(what: &str) -> ApiError {
    ApiError::invalid(
        "feature_not_enabled",
        format!("{what} is not available on this server."),
    )
}
