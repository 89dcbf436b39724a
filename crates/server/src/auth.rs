//! The master key: with one, every route but `/health` asks for it.
//!
//! Keys with fewer rights come later; until then a request has the master key
//! or nothing. The key is compared without an early exit and never logged.

use crate::app::App;
use crate::error::ApiError;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Lets a request through or answers 401 or 403.
pub(crate) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    if let Some(key) = &app.config().master_key
        && request.uri().path() != "/health"
        && let Err(refusal) = check(request.headers(), &key.0)
    {
        return refusal.into_response();
    }
    next.run(request).await
}

fn check(headers: &HeaderMap, key: &str) -> Result<(), ApiError> {
    let Some(given) = headers.get(header::AUTHORIZATION) else {
        return Err(ApiError::auth(
            StatusCode::UNAUTHORIZED,
            "missing_authorization_header",
            "The Authorization header is missing. It must use the bearer authorization method.",
        ));
    };
    let refusal = || {
        ApiError::auth(
            StatusCode::FORBIDDEN,
            "invalid_api_key",
            "The provided API key is invalid.",
        )
    };
    let (scheme, token) = given
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .ok_or_else(refusal)?;
    if scheme.eq_ignore_ascii_case("bearer") && is_same(token.trim().as_bytes(), key.as_bytes()) {
        Ok(())
    } else {
        Err(refusal())
    }
}

/// Compares in a time that depends on the length of what was given only.
fn is_same(given: &[u8], key: &[u8]) -> bool {
    let mut difference = given.len() ^ key.len();
    for (place, byte) in given.iter().enumerate() {
        // A key is never empty; the remainder keeps the index inside it.
        let expected = key
            .get(place % key.len().max(1))
            .copied()
            .unwrap_or_default();
        difference |= usize::from(byte ^ expected);
    }
    std::hint::black_box(difference) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_itself_is_the_same() {
        let key = b"0123456789abcdef";
        assert!(is_same(key, key));
        for other in [
            &b""[..],
            b"0",
            b"0123456789abcdeF",
            b"0123456789abcdef0123456789abcdef",
            b"x123456789abcdef",
        ] {
            assert!(!is_same(other, key));
        }
    }

    #[track_caller]
    fn refused(header: Option<&str>) -> &'static str {
        let mut headers = HeaderMap::new();
        if let Some(value) = header {
            headers.insert(header::AUTHORIZATION, value.parse().expect("a header"));
        }
        check(&headers, "0123456789abcdef")
            .err()
            .map_or("let through", |error| error.code())
    }

    #[test]
    fn the_header_must_be_a_bearer_with_the_key() {
        assert_eq!(refused(None), "missing_authorization_header");
        assert_eq!(refused(Some("Bearer 0123456789abcdef")), "let through");
        assert_eq!(refused(Some("bearer 0123456789abcdef")), "let through");
        assert_eq!(refused(Some("Basic 0123456789abcdef")), "invalid_api_key");
        assert_eq!(refused(Some("0123456789abcdef")), "invalid_api_key");
        assert_eq!(refused(Some("Bearer ")), "invalid_api_key");
    }
}
