//! The guard before every route: who asks, and whether they may.
//!
//! Without a master key everything is open but the keys themselves. With one, a request
//! brings the master key, a key derived from it, or a tenant token signed with one. No
//! secret is ever logged.

use crate::access::{Access, Limited, refusal};
use crate::actions;
use crate::app::App;
use crate::error::ApiError;
use crate::gorse;
use crate::keyring::{Keyring, is_current};
use crate::tenant::{Flaw, Unverified};
use axum::extract::{FromRequestParts, MatchedPath, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::Timestamp;
use engine::Registry;
use std::collections::HashMap;
use std::sync::Arc;

const INVALID: &str = "The provided API key is invalid.";

/// Lets a request through or answers 401 or 403.
pub(crate) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path();
    if path != "/health" && !path.starts_with(gorse::HEALTH) {
        let route = parts.extensions.get::<MatchedPath>().cloned();
        let route = route.as_ref().map(MatchedPath::as_str);
        let action = route.and_then(|route| actions::wanted(&parts.method, route));
        let access = match admit(&app, &parts.headers, route, action) {
            Ok(access) => access,
            Err(refusal) => return refusal.into_response(),
        };
        let reached = match index_of(&app, &mut parts, route).await {
            Ok(Some(uid)) => reach(&app, &access, &uid, action),
            Ok(None) => Ok(()),
            Err(refusal) => Err(refusal),
        };
        if let Err(refusal) = reached {
            return refusal.into_response();
        }
        parts.extensions.insert(access);
    }
    next.run(Request::from_parts(parts, body)).await
}

/// The index that a path names. A path that cannot be decoded is refused here, so that no
/// handler reads another index out of it than the guard has looked at.
async fn index_of(
    app: &App,
    parts: &mut Parts,
    route: Option<&str>,
) -> Result<Option<String>, ApiError> {
    if route.is_some_and(|route| route.starts_with(gorse::PREFIX)) {
        return Ok(Some(app.gorse_index().to_string()));
    }
    if route.and_then(first_part) != Some("/indexes") {
        return Ok(None);
    }
    match Path::<HashMap<String, String>>::from_request_parts(parts, &()).await {
        Ok(Path(mut names)) => Ok(names.remove("uid")),
        Err(error) => Err(ApiError::invalid("bad_request", error.body_text())),
    }
}

/// Whether a request may touch this index, or bring it into being.
fn reach(app: &App, access: &Access, uid: &str, action: Option<&str>) -> Result<(), ApiError> {
    access.require(uid)?;
    let creates = matches!(
        action,
        Some("documents.add" | "settings.update" | "events.add" | "profiles.update")
    );
    if creates && !access.allows("indexes.create") {
        app.engine().index(uid)?;
    }
    Ok(())
}

/// `/indexes` of `/indexes/{uid}/search`.
fn first_part(route: &str) -> Option<&str> {
    let end = route.get(1..)?.find('/')?;
    route.get(..=end)
}

fn admit(
    app: &App,
    headers: &HeaderMap,
    route: Option<&str>,
    action: Option<&str>,
) -> Result<Access, ApiError> {
    let Some(ring) = app.keyring() else {
        return match action {
            Some(action) if action.starts_with("keys.") => Err(no_master_key()),
            _ => Ok(Access::Everything),
        };
    };
    let token = match gorse::key(headers) {
        Some(key) if route.is_some_and(|route| route.starts_with(gorse::PREFIX)) => {
            key.to_str().map_err(|_| refusal(INVALID))?
        }
        _ => bearer(headers)?,
    };
    if ring.is_master(token) {
        return Ok(Access::Everything);
    }
    let registry = app.engine().registry();
    let now = engine::now();
    let limited = match Unverified::read(token) {
        Some(claimed) => tenant(ring, &registry, claimed, now)?,
        None => {
            let found = ring.by_value(&registry, token);
            let key = found.ok_or_else(|| refusal(INVALID))?.key;
            Limited { key, rules: None }
        }
    };
    if !is_current(&limited.key, now) {
        return Err(refusal(INVALID));
    }
    let is_tenant = limited.rules.is_some();
    let access = Access::Limited(Arc::new(limited));
    match (route, action) {
        // Nothing is there: whoever has a key may know.
        (None, _) if !is_tenant => Ok(access),
        (Some(route), Some(action))
            if access.allows(action) && (!is_tenant || actions::heeds_tenants(route)) =>
        {
            Ok(access)
        }
        _ => Err(refusal(INVALID)),
    }
}

fn tenant(
    ring: &Keyring,
    registry: &Arc<Registry>,
    claimed: Unverified<'_>,
    now: Timestamp,
) -> Result<Limited, ApiError> {
    let found = ring.by_uid(registry, &claimed.key_uid());
    let found = found.ok_or_else(|| refusal(INVALID))?;
    let now = now.millis().div_euclid(1000);
    match claimed.verified(&found.value, now) {
        Ok(rules) => Ok(Limited {
            key: found.key,
            rules: Some(rules),
        }),
        Err(Flaw::Forged) => Err(refusal(
            "Could not decode tenant token, its signature is invalid.",
        )),
        Err(Flaw::Expired { until }) => Err(refusal(format!(
            "Tenant token expired. Was valid up to `{until}` and we're now `{now}`."
        ))),
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, ApiError> {
    let missing = || {
        ApiError::auth(
            StatusCode::UNAUTHORIZED,
            "missing_authorization_header",
            "The Authorization header is missing. It must use the bearer authorization method.",
        )
    };
    let given = headers.get(header::AUTHORIZATION).ok_or_else(missing)?;
    let given = given.to_str().map_err(|_| refusal(INVALID))?;
    match given.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(missing()),
    }
}

fn no_master_key() -> ApiError {
    ApiError::auth(
        StatusCode::UNAUTHORIZED,
        "missing_master_key",
        "Vitrine is running without a master key. To access this API endpoint, you must have set a master key at launch.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(header: Option<&str>) -> String {
        let mut headers = HeaderMap::new();
        if let Some(value) = header {
            headers.insert(header::AUTHORIZATION, value.parse().expect("a header"));
        }
        match bearer(&headers) {
            Ok(token) => format!("token {token}"),
            Err(error) => error.code().to_owned(),
        }
    }

    #[test]
    fn the_header_must_be_a_bearer() {
        assert_eq!(refused(None), "missing_authorization_header");
        assert_eq!(refused(Some("Bearer abc")), "token abc");
        assert_eq!(refused(Some("bearer  abc ")), "token abc");
        assert_eq!(refused(Some("Basic abc")), "missing_authorization_header");
        assert_eq!(refused(Some("abc")), "missing_authorization_header");
    }

    #[test]
    fn the_first_part_of_a_route() {
        assert_eq!(first_part("/indexes/{uid}"), Some("/indexes"));
        assert_eq!(first_part("/tasks/{uid}/rows"), Some("/tasks"));
        assert_eq!(first_part("/stats"), None);
    }
}
