//! `GET /tasks`, `GET /tasks/{uid}` and, ours, `GET /tasks/{uid}/rows`.
//!
//! The rows are what a task refused or changed of its payload, so that a shop
//! can repair its feed.

use crate::app::App;
use crate::error::{ApiError, json_response};
use crate::fields::{Fields, Params, Table, listed, shortened};
use crate::path::At;
use crate::task_json::TaskJson;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::IndexUid;
use engine::{EngineError, TaskKind, TaskQuery, TaskStatus};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const LIST: Table = &[
    ("limit", "invalid_task_limit"),
    ("from", "invalid_task_from"),
    ("reverse", "invalid_task_reverse"),
    ("uids", "invalid_task_uids"),
    ("batchUids", "invalid_batch_uids"),
    ("indexUids", "invalid_index_uid"),
    ("statuses", "invalid_task_statuses"),
    ("types", "invalid_task_types"),
];
const ROWS: Table = &[
    ("offset", "invalid_task_offset"),
    ("limit", "invalid_task_limit"),
];

const DEFAULT_LIMIT: usize = 20;
/// Rows or tasks in one answer at most.
const MOST: usize = 1000;

const STATUSES: [TaskStatus; 5] = [
    TaskStatus::Enqueued,
    TaskStatus::Processing,
    TaskStatus::Succeeded,
    TaskStatus::Failed,
    TaskStatus::Canceled,
];
const KINDS: [TaskKind; 7] = [
    TaskKind::IndexCreation,
    TaskKind::IndexUpdate,
    TaskKind::IndexDeletion,
    TaskKind::DocumentAdditionOrUpdate,
    TaskKind::DocumentDeletion,
    TaskKind::SettingsUpdate,
    TaskKind::EventAddition,
];

#[derive(Serialize)]
struct TaskList<'a> {
    results: Vec<TaskJson<'a>>,
    total: u64,
    limit: usize,
    from: Option<u64>,
    next: Option<u64>,
}

/// `GET /tasks`
pub(crate) async fn list(State(app): State<App>, params: Params) -> Result<Response, ApiError> {
    let mut fields = params.fields(LIST)?;
    let mut uids = uids(&mut fields, "uids")?;
    uids.extend(self::uids(&mut fields, "batchUids")?);
    let query = TaskQuery {
        limit: fields.size("limit")?.unwrap_or(DEFAULT_LIMIT).min(MOST),
        from: fields.integer("from")?,
        uids,
        index_uids: index_uids(&mut fields)?,
        statuses: words(&mut fields, "statuses", "task status", &STATUSES)?,
        kinds: words(&mut fields, "types", "task type", &KINDS)?,
        reverse: fields.boolean("reverse")?.unwrap_or_default(),
    };
    let page = app.read(|engine| Ok(engine.tasks(&query)?)).await?;
    let list = TaskList {
        results: page.tasks.iter().map(TaskJson::from).collect(),
        total: page.total,
        limit: page.limit,
        from: page.from,
        next: page.next,
    };
    Ok(json_response(StatusCode::OK, &list))
}

/// `GET /tasks/{uid}`
pub(crate) async fn get(State(app): State<App>, At(uid): At<String>) -> Result<Response, ApiError> {
    let uid = task_uid(&uid)?;
    let task = app.read(|engine| Ok(engine.task(uid)?)).await?;
    Ok(json_response(StatusCode::OK, &TaskJson::from(&task)))
}

/// `GET /tasks/{uid}/rows`
pub(crate) async fn rows(
    State(app): State<App>,
    At(uid): At<String>,
    params: Params,
) -> Result<Response, ApiError> {
    let uid = task_uid(&uid)?;
    let mut fields = params.fields(ROWS)?;
    let offset = fields.size("offset")?.unwrap_or(0);
    let limit = fields.size("limit")?.unwrap_or(DEFAULT_LIMIT).min(MOST);
    let (notes, total) = app
        .read(|engine| Ok(engine.task_rows(uid, offset, limit)?))
        .await?;
    let results: Vec<Value> = notes
        .iter()
        .map(|note| {
            json!({
                "row": note.row,
                "field": note.field,
                "refused": note.refused,
                "reason": note.what,
            })
        })
        .collect();
    let body = json!({ "results": results, "offset": offset, "limit": limit, "total": total });
    Ok(json_response(StatusCode::OK, &body))
}

fn task_uid(text: &str) -> Result<u64, ApiError> {
    text.parse().map_err(|_| {
        ApiError::invalid(
            "invalid_task_uid",
            format!(
                "`{}` is not a task uid: expected a positive integer.",
                shortened(text)
            ),
        )
    })
}

/// `*` and an absent list mean all.
fn chosen(fields: &mut Fields, name: &str) -> Result<Vec<String>, ApiError> {
    let names = fields.texts(name)?.unwrap_or_default();
    Ok(if names.iter().any(|name| name == "*") {
        Vec::new()
    } else {
        names
    })
}

fn uids(fields: &mut Fields, name: &str) -> Result<Vec<u64>, ApiError> {
    let mut uids = Vec::new();
    for text in chosen(fields, name)? {
        match text.parse() {
            Ok(uid) => uids.push(uid),
            Err(_) => {
                return Err(fields.mistyped(name, "a positive integer", &Value::String(text)));
            }
        }
    }
    Ok(uids)
}

fn index_uids(fields: &mut Fields) -> Result<Vec<String>, ApiError> {
    let names = chosen(fields, "indexUids")?;
    for name in &names {
        IndexUid::new(name.as_str()).map_err(EngineError::from)?;
    }
    Ok(names)
}

/// Words of an enum, by the names it has in JSON and without regard to case.
fn words<T: DeserializeOwned + Serialize + Copy>(
    fields: &mut Fields,
    name: &str,
    what: &str,
    known: &[T],
) -> Result<Vec<T>, ApiError> {
    let spelt = |value: &T| match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    };
    let mut found = Vec::new();
    for text in chosen(fields, name)? {
        match known
            .iter()
            .find(|value| spelt(value).eq_ignore_ascii_case(&text))
        {
            Some(value) => found.push(*value),
            None => {
                let message = format!(
                    "Invalid value in parameter `{name}`: `{}` is not a valid {what}. Available are {}.",
                    shortened(&text),
                    listed(known.iter().map(spelt))
                );
                return Err(fields.refuse(name, message));
            }
        }
    }
    Ok(found)
}
