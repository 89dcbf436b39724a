//! The error object of the conventions: message, stable code, type and link.
//!
//! Every refusal of the server is an [`ApiError`]; it alone chooses the HTTP
//! status. What the engine says is turned into one in `engine_error`.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use std::fmt;

/// Where every code is explained; clients show it beside the message.
const LINK: &str = "docs/http-api.md#";

/// Who has to do something about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ErrorKind {
    InvalidRequest,
    Auth,
    System,
    Internal,
}

/// A refused or failed request.
#[derive(Debug)]
pub(crate) struct ApiError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    status: StatusCode,
    kind: ErrorKind,
    code: &'static str,
    message: String,
    /// Further fields of ours, such as `rejected`.
    extra: Map<String, Value>,
}

/// What was refused and why, beside the answer that says so, for those who give it another
/// shape.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub code: &'static str,
    pub message: String,
    pub extra: Map<String, Value>,
}

/// The error object as it is written, in answers and in tasks.
#[derive(Serialize)]
pub(crate) struct ErrorObject<'a> {
    message: &'a str,
    code: &'a str,
    #[serde(rename = "type")]
    kind: ErrorKind,
    link: String,
    #[serde(flatten)]
    extra: Option<&'a Map<String, Value>>,
}

impl ApiError {
    fn new(
        status: StatusCode,
        kind: ErrorKind,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        let message = message.into();
        Self(Box::new(Inner {
            status,
            kind,
            code,
            message,
            extra: Map::new(),
        }))
    }

    /// 400: something in the request is wrong.
    pub(crate) fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            ErrorKind::InvalidRequest,
            code,
            message,
        )
    }

    /// 404.
    pub(crate) fn not_found(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            ErrorKind::InvalidRequest,
            code,
            message,
        )
    }

    /// 401 or 403.
    pub(crate) fn auth(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self::new(status, ErrorKind::Auth, code, message)
    }

    /// Another 4xx.
    pub(crate) fn refused(
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self::new(status, ErrorKind::InvalidRequest, code, message)
    }

    /// The machine cannot do it now.
    pub(crate) fn system(
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self::new(status, ErrorKind::System, code, message)
    }

    /// 500: a fault of ours.
    pub(crate) fn internal(cause: impl fmt::Display) -> Self {
        let message = format!("An internal error has occurred. `{cause}`.");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            ErrorKind::Internal,
            "internal",
            message,
        )
    }

    /// The same error with one more field.
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.0.extra.insert(name.to_owned(), value);
        self
    }

    /// The same error under another code.
    pub(crate) fn coded(mut self, code: &'static str) -> Self {
        self.0.code = code;
        self
    }

    /// The same error, said by a sentence that is made of the one before.
    pub(crate) fn reworded(mut self, word: impl FnOnce(&str) -> String) -> Self {
        self.0.message = word(&self.0.message);
        self
    }

    /// The same error, saying which query of a multi-search it is about.
    ///
    /// A missing index is then a fault of the body and no missing page, so 404 becomes 400.
    pub(crate) fn inside_query(mut self, place: usize) -> Self {
        self.0.message = format!("Inside `.queries[{place}]`: {}", self.0.message);
        if self.0.status == StatusCode::NOT_FOUND {
            self.0.status = StatusCode::BAD_REQUEST;
        }
        self
    }

    /// The stable code.
    pub(crate) fn status(&self) -> StatusCode {
        self.0.status
    }

    /// What it is called.
    pub(crate) fn code(&self) -> &'static str {
        self.0.code
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.message)
    }
}

impl<'a> ErrorObject<'a> {
    /// The error of a task.
    pub(crate) fn of_task(message: &'a str, code: &'a str) -> Self {
        let kind = match code {
            "internal" => ErrorKind::Internal,
            "no_space_left_on_device" | "catalogue_stopped" => ErrorKind::System,
            _ => ErrorKind::InvalidRequest,
        };
        Self {
            message,
            code,
            kind,
            link: format!("{LINK}{code}"),
            extra: None,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Inner {
            status,
            kind,
            code,
            message,
            extra,
        } = *self.0;
        if kind == ErrorKind::Internal {
            tracing::error!(code, message, "request failed");
        }
        let object = ErrorObject {
            message: &message,
            code,
            kind,
            link: format!("{LINK}{code}"),
            extra: Some(&extra),
        };
        let mut response = json_response(status, &object);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
        }
        if status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(Refusal {
            code,
            message,
            extra,
        });
        response
    }
}

/// An answer with a JSON body.
pub(crate) fn json_response(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => json_bytes(status, bytes),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// An answer whose JSON is already written.
pub(crate) fn json_bytes(status: StatusCode, bytes: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}
