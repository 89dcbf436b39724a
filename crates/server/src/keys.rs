//! `/keys`: who may do what on which indexes, until when.
//!
//! A key cannot be used to make or read one that may do more than itself: its value then
//! stays hidden. What a key allows never changes; a name and a description may.

use crate::access::{Access, refusal};
use crate::actions;
use crate::app::App;
use crate::error::{ApiError, json_response};
use crate::fields::{Fields, Params, Table, listed, shortened};
use crate::keyring::{Found, Keyring, MOST_KEYS};
use crate::metadata::unique_id;
use crate::path::At;
use crate::payload::JsonBody;
use crate::task_json::moment;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::{IndexPattern, Timestamp};
use engine::{ApiKey, RegistryChange};
use serde::Serialize;
use serde_json::Value;

const LIST: Table = &[
    ("offset", "invalid_api_key_offset"),
    ("limit", "invalid_api_key_limit"),
];
const CREATE: Table = &[
    ("description", "invalid_api_key_description"),
    ("name", "invalid_api_key_name"),
    ("uid", "invalid_api_key_uid"),
    ("actions", "invalid_api_key_actions"),
    ("indexes", "invalid_api_key_indexes"),
    ("expiresAt", "invalid_api_key_expires_at"),
];
const UPDATE: Table = &[
    ("description", "invalid_api_key_description"),
    ("name", "invalid_api_key_name"),
    ("uid", "immutable_api_key_uid"),
    ("key", "immutable_api_key_key"),
    ("actions", "immutable_api_key_actions"),
    ("indexes", "immutable_api_key_indexes"),
    ("expiresAt", "immutable_api_key_expires_at"),
    ("createdAt", "immutable_api_key_created_at"),
    ("updatedAt", "immutable_api_key_updated_at"),
];
const CHANGEABLE: usize = 2;

const DEFAULT_LIMIT: usize = 20;
/// Characters of a name or description; patterns of one key.
const LONGEST: usize = 1000;
const MOST_PATTERNS: usize = 1000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyJson {
    name: Option<String>,
    description: Option<String>,
    /// `null` where the asking key may not know it.
    key: Option<String>,
    uid: String,
    actions: Vec<String>,
    indexes: Vec<IndexPattern>,
    expires_at: Option<String>,
    created_at: String,
    updated_at: String,
}

#[derive(Serialize)]
struct KeyList {
    results: Vec<KeyJson>,
    offset: usize,
    limit: usize,
    total: usize,
}

impl KeyJson {
    fn new(found: Found, access: &Access) -> Self {
        let Found { uid, value, key } = found;
        Self {
            key: access.includes(&key).then_some(value),
            name: key.name,
            description: key.description,
            uid,
            actions: key.actions,
            indexes: key.indexes,
            expires_at: key.expires_at.map(moment),
            created_at: moment(key.created_at),
            updated_at: moment(key.updated_at),
        }
    }
}

/// `GET /keys`
pub(crate) async fn list(
    State(app): State<App>,
    access: Access,
    params: Params,
) -> Result<Response, ApiError> {
    let mut fields = params.fields(LIST)?;
    let offset = fields.size("offset")?.unwrap_or(0);
    let limit = fields.size("limit")?.unwrap_or(DEFAULT_LIMIT);
    let keys = ring(&app)?.all(&app.engine().registry());
    let total = keys.len();
    let page = keys.into_iter().skip(offset).take(limit);
    let list = KeyList {
        results: page.map(|found| KeyJson::new(found, &access)).collect(),
        offset,
        limit,
        total,
    };
    Ok(json_response(StatusCode::OK, &list))
}

/// `GET /keys/{uid or key}`
pub(crate) async fn get(
    State(app): State<App>,
    access: Access,
    At(name): At<String>,
) -> Result<Response, ApiError> {
    let found = find(&app, &name)?;
    Ok(json_response(StatusCode::OK, &KeyJson::new(found, &access)))
}

/// `POST /keys`
pub(crate) async fn create(
    State(app): State<App>,
    access: Access,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let (uid, key) = read_new(body)?;
    if !access.includes(&key) {
        return Err(refusal(
            "A key cannot make another one that may do more than itself.",
        ));
    }
    let _turn = app.registry_turn().await;
    let registry = app.engine().registry();
    if registry.keys.contains_key(&uid) {
        return Err(ApiError::refused(
            StatusCode::CONFLICT,
            "api_key_already_exists",
            format!("`uid` field value `{uid}` is already an existing API key."),
        ));
    }
    if registry.keys.len() >= MOST_KEYS {
        return Err(ApiError::invalid(
            "too_many_api_keys",
            format!("There may be {MOST_KEYS} API keys; delete one that is not used."),
        ));
    }
    store(&app, &uid, Some(key.clone())).await?;
    let found = ring(&app)?.with_value(uid, key);
    let shown = KeyJson::new(found, &access);
    Ok(json_response(StatusCode::CREATED, &shown))
}

/// `PATCH /keys/{uid or key}`
pub(crate) async fn update(
    State(app): State<App>,
    access: Access,
    At(name): At<String>,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let given = |field: &str| body.get(field).is_some();
    let (names, descriptions) = (given("name"), given("description"));
    let mut fields = Fields::body(body, UPDATE)?;
    let (changeable, fixed) = UPDATE.split_at(CHANGEABLE);
    for (field, _) in fixed {
        if fields.has(field) {
            let expected = listed(changeable.iter().map(|(name, _)| name));
            let message = format!("Immutable field `{field}`: expected one of {expected}");
            return Err(fields.refuse(field, message));
        }
    }
    let (name_now, description) = (
        label(&mut fields, "name")?,
        label(&mut fields, "description")?,
    );
    let _turn = app.registry_turn().await;
    let mut found = find(&app, &name)?;
    if names {
        found.key.name = name_now;
    }
    if descriptions {
        found.key.description = description;
    }
    found.key.updated_at = engine::now();
    store(&app, &found.uid, Some(found.key.clone())).await?;
    Ok(json_response(StatusCode::OK, &KeyJson::new(found, &access)))
}

/// `DELETE /keys/{uid or key}`
pub(crate) async fn delete(
    State(app): State<App>,
    At(name): At<String>,
) -> Result<Response, ApiError> {
    let _turn = app.registry_turn().await;
    let found = find(&app, &name)?;
    store(&app, &found.uid, None).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn store(app: &App, uid: &str, key: Option<ApiKey>) -> Result<(), ApiError> {
    let uid = uid.to_owned();
    app.change(RegistryChange::Key { uid, key }).await
}

fn ring(app: &App) -> Result<&Keyring, ApiError> {
    // The guard lets nobody here without a master key.
    app.keyring()
        .ok_or_else(|| ApiError::internal("there is no master key"))
}

fn find(app: &App, name: &str) -> Result<Found, ApiError> {
    let (ring, registry) = (ring(app)?, app.engine().registry());
    let found = ring
        .by_uid(&registry, &name.to_ascii_lowercase())
        .or_else(|| ring.by_value(&registry, name));
    found.ok_or_else(|| {
        ApiError::not_found(
            "api_key_not_found",
            // It may be a value, which has no place in an answer or a log.
            "The API key was not found.",
        )
    })
}

fn read_new(body: Value) -> Result<(String, ApiKey), ApiError> {
    let has_expiry = body.get("expiresAt").is_some();
    let mut fields = Fields::body(body, CREATE)?;
    let uid = match fields.text("uid")? {
        Some(text) => as_uuid(&text).ok_or_else(|| {
            let message = format!(
                "Invalid value at `.uid`: `{}` is not a UUID.",
                shortened(&text)
            );
            fields.refuse("uid", message)
        })?,
        None => unique_id(),
    };
    let actions = take_actions(&mut fields)?;
    let indexes = take_indexes(&mut fields)?;
    if !has_expiry {
        return Err(fields.missing("expiresAt", "missing_api_key_expires_at"));
    }
    let now = engine::now();
    let key = ApiKey {
        name: label(&mut fields, "name")?,
        description: label(&mut fields, "description")?,
        actions,
        indexes,
        expires_at: take_expiry(&mut fields, now)?,
        created_at: now,
        updated_at: now,
    };
    Ok((uid, key))
}

fn label(fields: &mut Fields, name: &str) -> Result<Option<String>, ApiError> {
    let text = fields.text(name)?;
    if text
        .as_ref()
        .is_some_and(|text| text.chars().count() > LONGEST)
    {
        let message = format!("`{name}` may have {LONGEST} characters.");
        return Err(fields.refuse(name, message));
    }
    Ok(text)
}

fn take_actions(fields: &mut Fields) -> Result<Vec<String>, ApiError> {
    let given = fields
        .texts("actions")?
        .ok_or_else(|| fields.missing("actions", "missing_api_key_actions"))?;
    let mut taken = Vec::new();
    for (place, name) in given.into_iter().enumerate() {
        if !actions::names().any(|known| known == name) {
            let message = format!(
                "Unknown value `{}` at `.actions[{place}]`: expected one of {}",
                shortened(&name),
                listed(actions::names())
            );
            return Err(fields.refuse("actions", message));
        }
        if !taken.contains(&name) {
            taken.push(name);
        }
    }
    Ok(taken)
}

fn take_indexes(fields: &mut Fields) -> Result<Vec<IndexPattern>, ApiError> {
    let given = fields
        .texts("indexes")?
        .ok_or_else(|| fields.missing("indexes", "missing_api_key_indexes"))?;
    if given.len() > MOST_PATTERNS {
        let message = format!("`indexes` may have {MOST_PATTERNS} entries.");
        return Err(fields.refuse("indexes", message));
    }
    let mut patterns = Vec::with_capacity(given.len());
    for (place, name) in given.into_iter().enumerate() {
        let pattern = IndexPattern::new(name).map_err(|error| {
            let message = format!("Invalid value at `.indexes[{place}]`: {error}.");
            fields.refuse("indexes", message)
        })?;
        patterns.push(pattern);
    }
    Ok(patterns)
}

fn take_expiry(fields: &mut Fields, now: Timestamp) -> Result<Option<Timestamp>, ApiError> {
    let Some(text) = fields.text("expiresAt")? else {
        return Ok(None);
    };
    // A number would be read as a Unix time, which is not the convention's.
    let is_number = text.trim().parse::<f64>().is_ok();
    match Timestamp::parse(&text) {
        Ok(at) if at > now && !is_number => Ok(Some(at)),
        _ => {
            let message = format!(
                "`{}` is not a valid date. It should follow the RFC 3339 format to represents a date or datetime in the future or specified as a null value. e.g. 'YYYY-MM-DD' or 'YYYY-MM-DD HH:MM:SS'.",
                shortened(&text)
            );
            Err(fields.refuse("expiresAt", message))
        }
    }
}

/// A UUID in its usual form of 36 characters, in lower case.
pub(crate) fn as_uuid(text: &str) -> Option<String> {
    let lengths = text.split('-').map(str::len);
    let shaped = lengths.eq([8, 4, 4, 4, 12]);
    let plain = text
        .bytes()
        .all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    (shaped && plain).then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_have_one_form() {
        let uid = "6062ABDA-A5AA-4414-AC91-ECD7944C0F8D";
        assert_eq!(as_uuid(uid), Some(uid.to_ascii_lowercase()));
        for bad in [
            "",
            "6062abda",
            "6062abdaa5aa4414ac91ecd7944c0f8d",
            "../../../../x",
        ] {
            assert_eq!(as_uuid(bad), None, "{bad}");
        }
    }
}
