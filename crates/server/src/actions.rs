//! What a key can allow, and which of it each route asks for.
//!
//! The names are the convention's, with a few of ours behind them. A route that is in no
//! line of [`wanted`] is open to the master key alone, so that a new one is closed until
//! somebody has thought about it.

use axum::http::Method;

/// Every action by name, and whether `*.get` covers it.
const ACTIONS: &[(&str, Reach)] = &[
    ("search", Reach::Reads),
    ("documents.add", Reach::Changes),
    ("documents.get", Reach::Reads),
    ("documents.delete", Reach::Changes),
    ("indexes.create", Reach::Changes),
    ("indexes.get", Reach::Reads),
    ("indexes.update", Reach::Changes),
    ("indexes.delete", Reach::Changes),
    ("indexes.swap", Reach::Changes),
    ("indexes.compact", Reach::Changes),
    ("tasks.cancel", Reach::Changes),
    ("tasks.delete", Reach::Changes),
    ("tasks.get", Reach::Reads),
    ("settings.get", Reach::Reads),
    ("settings.update", Reach::Changes),
    ("stats.get", Reach::Reads),
    ("metrics.get", Reach::Reads),
    ("dumps.create", Reach::Changes),
    ("snapshots.create", Reach::Changes),
    ("version", Reach::Reads),
    ("keys.create", Reach::Changes),
    // Whoever reads keys can use them.
    ("keys.get", Reach::Changes),
    ("keys.update", Reach::Changes),
    ("keys.delete", Reach::Changes),
    ("experimental.get", Reach::Reads),
    ("experimental.update", Reach::Changes),
    ("export", Reach::Reads),
    ("network.get", Reach::Reads),
    ("network.update", Reach::Changes),
    ("chatCompletions", Reach::Changes),
    ("chats.get", Reach::Reads),
    ("chats.delete", Reach::Changes),
    ("chatsSettings.get", Reach::Reads),
    ("chatsSettings.update", Reach::Changes),
    ("webhooks.get", Reach::Reads),
    ("webhooks.create", Reach::Changes),
    ("webhooks.update", Reach::Changes),
    ("webhooks.delete", Reach::Changes),
    // Ours.
    ("events.add", Reach::Changes),
    ("recommend", Reach::Reads),
    ("profiles.get", Reach::Reads),
    // All that is known of a person is more than what a reader of profiles needs.
    ("profiles.export", Reach::Changes),
    ("profiles.update", Reach::Changes),
    ("profiles.delete", Reach::Changes),
    ("embeddings", Reach::Reads),
    ("models.get", Reach::Reads),
    ("models.update", Reach::Changes),
];

/// Actions that stand for several; `keys.*` is not among them in the convention.
const FAMILIES: &[&str] = &[
    "*",
    "*.get",
    "documents.*",
    "indexes.*",
    "tasks.*",
    "settings.*",
    "stats.*",
    "metrics.*",
    "dumps.*",
    "snapshots.*",
    "chats.*",
    "chatsSettings.*",
    "webhooks.*",
    "models.*",
    "profiles.*",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Reads,
    Changes,
}

/// The names a key may be given.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    FAMILIES
        .iter()
        .copied()
        .chain(ACTIONS.iter().map(|(name, _)| *name))
}

/// Whether what was granted includes what is wanted, which may be a family itself.
pub(crate) fn covers(granted: &str, wanted: &str) -> bool {
    if granted == "*" || granted == wanted {
        return true;
    }
    if granted == "*.get" {
        let known = ACTIONS.iter().find(|(name, _)| *name == wanted);
        return known.is_some_and(|(_, reach)| *reach == Reach::Reads);
    }
    match (granted.strip_suffix(".*"), wanted.split_once('.')) {
        (Some(family), Some((of, _))) => family == of,
        _ => false,
    }
}

/// The action that a route asks for; `None` leaves it to the master key.
pub(crate) fn wanted(method: &Method, route: &str) -> Option<&'static str> {
    // A question about headers is as good as the question itself.
    let method = if *method == Method::HEAD {
        &Method::GET
    } else {
        method
    };
    if let Some(index) = route.strip_prefix("/indexes/{uid}/") {
        return wanted_of_index(method.as_str(), index);
    }
    if let Some(rest) = route.strip_prefix("/api/") {
        return wanted_of_gorse(method.as_str(), rest);
    }
    Some(match (method.as_str(), route) {
        ("GET", "/" | "/version") => "version",
        ("GET", "/stats") => "stats.get",
        ("GET", "/metrics") => "metrics.get",
        ("GET", "/indexes" | "/indexes/{uid}") => "indexes.get",
        ("POST", "/indexes") => "indexes.create",
        ("PATCH", "/indexes/{uid}") => "indexes.update",
        ("DELETE", "/indexes/{uid}") => "indexes.delete",
        ("POST", "/swap-indexes") => "indexes.swap",
        ("POST", "/multi-search") => "search",
        ("GET", "/tasks" | "/tasks/{uid}" | "/tasks/{uid}/rows") => "tasks.get",
        ("GET", "/batches" | "/batches/{uid}") => "tasks.get",
        ("POST", "/tasks/cancel") => "tasks.cancel",
        ("DELETE", "/tasks") => "tasks.delete",
        ("POST", "/dumps") => "dumps.create",
        ("POST", "/snapshots") | ("GET", "/backup") => "snapshots.create",
        ("GET", "/keys" | "/keys/{key}") => "keys.get",
        ("POST", "/keys") => "keys.create",
        ("PATCH", "/keys/{key}") => "keys.update",
        ("DELETE", "/keys/{key}") => "keys.delete",
        ("GET", "/experimental-features") => "experimental.get",
        ("PATCH", "/experimental-features") => "experimental.update",
        ("GET", "/network") => "network.get",
        ("PATCH", "/network") => "network.update",
        ("POST", "/export") => "export",
        ("GET", "/chats" | "/chats/{workspace}") => "chats.get",
        ("DELETE", "/chats/{workspace}") => "chats.delete",
        ("GET", "/chats/{workspace}/settings") => "chatsSettings.get",
        ("PUT" | "PATCH" | "DELETE", "/chats/{workspace}/settings") => "chatsSettings.update",
        ("POST", "/chats/{workspace}/chat/completions") => "chatCompletions",
        ("GET", "/webhooks" | "/webhooks/{uuid}") => "webhooks.get",
        ("POST", "/webhooks") => "webhooks.create",
        ("PATCH", "/webhooks/{uuid}") => "webhooks.update",
        ("DELETE", "/webhooks/{uuid}") => "webhooks.delete",
        ("POST", "/v1/embeddings") | ("GET", "/v1/models") => "embeddings",
        _ => return None,
    })
}

/// The same for what lies below an index.
fn wanted_of_index(method: &str, route: &str) -> Option<&'static str> {
    if route == "settings" || route.starts_with("settings/") {
        return Some(match method {
            "GET" => "settings.get",
            _ => "settings.update",
        });
    }
    Some(match (method, route) {
        ("GET" | "POST", "search" | "similar") | ("POST", "facet-search") => "search",
        ("GET", "documents" | "documents/{id}") | ("POST", "documents/fetch") => "documents.get",
        ("POST" | "PUT", "documents") | ("POST", "documents/{id}") => "documents.add",
        ("POST", "compact") => "indexes.compact",
        ("DELETE", "documents" | "documents/{id}")
        | ("POST", "documents/delete" | "documents/delete-batch") => "documents.delete",
        ("GET", "stats") => "stats.get",
        ("POST", "events") => "events.add",
        ("POST", "recommend") => "recommend",
        ("GET", "models" | "models/{id}" | "models/training") => "models.get",
        ("POST", "models/rollback" | "models/{id}/promote" | "models/training")
        | ("DELETE", "models/training") => "models.update",
        ("GET", "users/{id}" | "users/{id}/profile" | "items/{id}/profile") => "profiles.get",
        ("GET", "users/{id}/export") => "profiles.export",
        ("DELETE", "users/{id}") => "profiles.delete",
        ("PUT" | "PATCH", "users/{id}") => "profiles.update",
        _ => return None,
    })
}

/// The same for what lies below `/api`.
fn wanted_of_gorse(method: &str, route: &str) -> Option<&'static str> {
    let mut parts = route.split('/');
    let (first, third) = (parts.next()?, parts.nth(1));
    Some(match (method, first, third) {
        ("GET", "item" | "user", Some("neighbors")) => "recommend",
        ("GET", "item", Some("feedback")) => "profiles.get",
        ("GET", "item" | "items", None) => "documents.get",
        ("DELETE", "item", None) => "documents.delete",
        (_, "item" | "items", _) => "documents.add",
        ("GET", "user" | "users" | "feedback", _) => "profiles.get",
        ("DELETE", "user" | "feedback", _) => "profiles.delete",
        ("POST" | "PATCH", "user" | "users", None) => "profiles.update",
        ("POST" | "PUT", "feedback", None) => "events.add",
        ("GET", "dashboard", None) => "tasks.get",
        (
            "GET" | "POST",
            "recommend"
            | "session"
            | "collaborative-filtering"
            | "latest"
            | "popular"
            | "non-personalized"
            | "item-to-item"
            | "user-to-user",
            _,
        ) => "recommend",
        _ => return None,
    })
}

/// Whether a route heeds the search rules of a tenant token. Others refuse such tokens.
pub(crate) fn heeds_tenants(route: &str) -> bool {
    matches!(
        route,
        "/indexes/{uid}/search"
            | "/indexes/{uid}/facet-search"
            | "/indexes/{uid}/similar"
            | "/multi-search"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_cover_their_own() {
        for (granted, wanted, expected) in [
            ("*", "keys.delete", true),
            ("search", "search", true),
            ("search", "documents.get", false),
            ("documents.*", "documents.add", true),
            ("documents.*", "documents.*", true),
            ("documents.*", "settings.get", false),
            ("documents.add", "documents.*", false),
            ("*.get", "documents.get", true),
            ("*.get", "search", true),
            ("*.get", "keys.get", false),
            ("*.get", "documents.add", false),
            ("*.get", "*", false),
            ("chats.*", "chatsSettings.get", false),
        ] {
            assert_eq!(covers(granted, wanted), expected, "{granted} {wanted}");
        }
    }

    #[test]
    fn what_routes_ask_for_can_be_granted() {
        for (method, route) in [
            (Method::GET, "/indexes/{uid}/settings/stop-words"),
            (Method::PUT, "/indexes/{uid}/settings/stop-words"),
            (Method::HEAD, "/indexes/{uid}/documents/{id}"),
            (Method::POST, "/indexes/{uid}/events"),
            (Method::GET, "/indexes/{uid}/users/{id}/export"),
            (Method::DELETE, "/indexes/{uid}/users/{id}"),
        ] {
            let wanted = wanted(&method, route).expect("a known route");
            assert!(names().any(|name| name == wanted), "{wanted}");
        }
        assert_eq!(wanted(&Method::GET, "/new"), None);
        assert_eq!(wanted(&Method::DELETE, "/indexes/{uid}/search"), None);
    }
}
