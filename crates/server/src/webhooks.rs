//! `/webhooks`: addresses to which finished tasks are reported.
//!
//! What is sent, and how, is in `courier`. The values of headers may be secrets, so they
//! are never shown again.

use crate::app::App;
use crate::error::{ApiError, json_response};
use crate::fields::{Fields, Table, listed, shortened};
use crate::keys::as_uuid;
use crate::metadata::unique_id;
use crate::path::At;
use crate::payload::JsonBody;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get as reading;
use engine::{RegistryChange, Webhook};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const FIELDS: Table = &[
    ("url", "invalid_webhook_url"),
    ("headers", "invalid_webhook_headers"),
    ("uuid", "immutable_webhook_uuid"),
    ("isEditable", "immutable_webhook_is_editable"),
];
const CHANGEABLE: usize = 2;

const MOST_WEBHOOKS: usize = 20;
const MOST_HEADERS: usize = 200;
const LONGEST_URL: usize = 2000;
const LONGEST_VALUE: usize = 8000;
/// What is shown in the place of a value.
const REDACTED: &str = "XXX...";

/// The routes.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/webhooks", reading(list).post(create))
        .route(
            "/webhooks/{uuid}",
            reading(get).patch(update).delete(delete),
        )
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WebhookJson {
    uuid: String,
    is_editable: bool,
    url: String,
    headers: Map<String, Value>,
}

impl WebhookJson {
    fn new(uuid: &str, hook: &Webhook) -> Self {
        let headers = hook.headers.keys();
        Self {
            uuid: uuid.to_owned(),
            is_editable: true,
            url: hook.url.clone(),
            headers: headers
                .map(|name| (name.clone(), json!(REDACTED)))
                .collect(),
        }
    }
}

/// `GET /webhooks`
async fn list(State(app): State<App>) -> Response {
    let registry = app.engine().registry();
    let hooks = registry.webhooks.iter();
    let results: Vec<WebhookJson> = hooks
        .map(|(uuid, hook)| WebhookJson::new(uuid, hook))
        .collect();
    json_response(StatusCode::OK, &json!({ "results": results }))
}

/// `GET /webhooks/{uuid}`
async fn get(State(app): State<App>, At(uuid): At<String>) -> Result<Response, ApiError> {
    let (uuid, hook) = find(&app, &uuid)?;
    Ok(json_response(
        StatusCode::OK,
        &WebhookJson::new(&uuid, &hook),
    ))
}

/// `POST /webhooks`
async fn create(State(app): State<App>, JsonBody(body): JsonBody) -> Result<Response, ApiError> {
    let mut hook = Webhook {
        url: String::new(),
        headers: BTreeMap::new(),
    };
    lay_over(&mut hook, body)?;
    let _turn = app.registry_turn().await;
    if app.engine().registry().webhooks.len() >= MOST_WEBHOOKS {
        return Err(ApiError::invalid(
            "invalid_webhooks",
            format!(
                "Defining too many webhooks would crush the server. Please limit the number of webhooks to {MOST_WEBHOOKS}. You may use a third-party proxy server to dispatch events to more than {MOST_WEBHOOKS} endpoints."
            ),
        ));
    }
    let uuid = unique_id();
    let shown = WebhookJson::new(&uuid, &hook);
    app.change(RegistryChange::Webhook {
        uid: uuid,
        hook: Some(hook),
    })
    .await?;
    Ok(json_response(StatusCode::CREATED, &shown))
}

/// `PATCH /webhooks/{uuid}`
async fn update(
    State(app): State<App>,
    At(uuid): At<String>,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let _turn = app.registry_turn().await;
    let (uuid, mut hook) = find(&app, &uuid)?;
    lay_over(&mut hook, body)?;
    let shown = WebhookJson::new(&uuid, &hook);
    app.change(RegistryChange::Webhook {
        uid: uuid,
        hook: Some(hook),
    })
    .await?;
    Ok(json_response(StatusCode::OK, &shown))
}

/// `DELETE /webhooks/{uuid}`
async fn delete(State(app): State<App>, At(uuid): At<String>) -> Result<Response, ApiError> {
    let _turn = app.registry_turn().await;
    let (uuid, _) = find(&app, &uuid)?;
    app.change(RegistryChange::Webhook {
        uid: uuid,
        hook: None,
    })
    .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn find(app: &App, text: &str) -> Result<(String, Webhook), ApiError> {
    let uuid = as_uuid(text).ok_or_else(|| {
        let message = format!("Invalid UUID: `{}`.", shortened(text));
        ApiError::invalid("invalid_webhook_uuid", message)
    })?;
    let registry = app.engine().registry();
    match registry.webhooks.get(&uuid) {
        Some(hook) => Ok((uuid, hook.clone())),
        None => Err(ApiError::not_found(
            "webhook_not_found",
            format!("Webhook `{uuid}` not found."),
        )),
    }
}

/// Changes what a body names: a header with `null` goes, `null` for all of them lets all go.
fn lay_over(hook: &mut Webhook, body: Value) -> Result<(), ApiError> {
    let without_headers = body.get("headers").is_some_and(Value::is_null);
    let without_url = body.get("url").is_some_and(Value::is_null);
    let mut fields = Fields::body(body, FIELDS)?;
    let (changeable, fixed) = FIELDS.split_at(CHANGEABLE);
    for (name, _) in fixed {
        if fields.has(name) {
            let expected = listed(changeable.iter().map(|(name, _)| name));
            let message = format!("Immutable field `{name}`: expected one of {expected}");
            return Err(fields.refuse(name, message));
        }
    }
    if let Some(url) = fields.text("url")? {
        hook.url = url;
    }
    if without_url || hook.url.is_empty() {
        return Err(fields.refuse("url", "The URL for the webhook is missing."));
    }
    check_url(&hook.url).map_err(|reason| {
        let message = format!("Invalid URL `{}`: {reason}.", shortened(&hook.url));
        fields.refuse("url", message)
    })?;
    if without_headers {
        hook.headers.clear();
    }
    lay_over_headers(hook, &mut fields)
}

fn lay_over_headers(hook: &mut Webhook, fields: &mut Fields) -> Result<(), ApiError> {
    let given = match fields.value("headers") {
        None => return Ok(()),
        Some(Value::Object(given)) => given,
        Some(other) => return Err(fields.mistyped("headers", "an object", &other)),
    };
    for (name, value) in given {
        let text = match value {
            Value::Null => {
                hook.headers.remove(&name);
                continue;
            }
            Value::String(text) => text,
            _ => {
                let message = format!("The header `{}` must be a string.", shortened(&name));
                return Err(fields.refuse("headers", message));
            }
        };
        let known = HeaderName::from_bytes(name.as_bytes()).is_ok();
        if !known || text.len() > LONGEST_VALUE || HeaderValue::from_str(&text).is_err() {
            // The value may be a secret: it has no place in a message.
            let message = format!("Invalid header `{}`.", shortened(&name));
            return Err(fields.refuse("headers", message));
        }
        hook.headers.insert(name, text);
    }
    if hook.headers.len() > MOST_HEADERS {
        let message = format!(
            "Too many headers for the webhook. Please limit the number of headers to {MOST_HEADERS}. Hint: To remove an already defined header set its value to `null`"
        );
        return Err(fields.refuse("headers", message));
    }
    Ok(())
}

fn check_url(url: &str) -> Result<(), &'static str> {
    if url.len() > LONGEST_URL {
        return Err("it is too long");
    }
    let uri: Uri = url.parse().map_err(|_| "it is no URL")?;
    let authority = uri.authority().ok_or("it has no host")?;
    if authority.as_str().contains('@') {
        return Err("it holds a password, which belongs in a header");
    }
    match uri.scheme_str() {
        Some("http" | "https") => Ok(()),
        _ => Err("it must begin with `http://` or `https://`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_that_cannot_be_called_are_refused() {
        for good in ["http://127.0.0.1:9000/hook?x=1", "https://example.com"] {
            assert_eq!(check_url(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "hook",
            "/hook",
            "ftp://a",
            "https://",
            "http://",
            "http://user:secret@a/",
            &format!("http://a/{}", "x".repeat(2000)),
        ] {
            assert!(check_url(bad).is_err(), "{bad}");
        }
    }
}
