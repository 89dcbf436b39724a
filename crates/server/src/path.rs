//! The variable parts of a path, with the error object instead of axum's text.
//!
//! `/indexes/{uid}` gives `At<String>`, `/indexes/{uid}/documents/{id}` gives
//! `At<(String, String)>`; both are percent-decoded.

use crate::error::ApiError;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

/// The decoded parts of the path.
pub(crate) struct At<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for At<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(decoded)) => Ok(Self(decoded)),
            Err(error) => Err(ApiError::invalid("bad_request", error.body_text())),
        }
    }
}
