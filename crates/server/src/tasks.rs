//! `/tasks`: listing, canceling and deleting them and, ours, `GET /tasks/{uid}/rows`.
//!
//! The rows are what a task refused or changed of its payload, so that a shop
//! can repair its feed. Which tasks a request means is read in `task_query`.

use crate::access::Access;
use crate::app::App;
use crate::error::{ApiError, json_response};
use crate::fields::{Params, Table, listed, shortened};
use crate::path::At;
use crate::task_json::{TaskJson, summary};
use crate::task_query::{self, CHOOSE, DEFAULT_LIMIT, LIST, MOST};
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use domain::IndexPattern;
use engine::{ChosenBy, Engine, EngineError, Page, Task, Write};
use serde::Serialize;
use serde_json::{Value, json};

/// The text of a choice is kept with its task.
const LONGEST_FILTER: usize = 10_000;

const ROWS: Table = &[
    ("offset", "invalid_task_offset"),
    ("limit", "invalid_task_limit"),
];

/// A page of tasks or batches.
#[derive(Serialize)]
pub(crate) struct PageJson<T> {
    results: Vec<T>,
    total: u64,
    limit: usize,
    from: Option<u64>,
    next: Option<u64>,
}

impl<T> PageJson<T> {
    pub(crate) fn new<'a, S>(page: &'a Page<S>, shown: impl Fn(&'a S) -> T) -> Self {
        Self {
            results: page.results.iter().map(shown).collect(),
            total: page.total,
            limit: page.limit,
            from: page.from,
            next: page.next,
        }
    }
}

/// `GET /tasks`
pub(crate) async fn list(
    State(app): State<App>,
    access: Access,
    params: Params,
) -> Result<Response, ApiError> {
    let mut fields = params.fields(LIST)?;
    let paging = task_query::take_paging(&mut fields)?;
    let query = task_query::take(&mut fields, &access)?;
    let page = app.read(|engine| Ok(engine.tasks(&query, paging)?)).await?;
    let list = PageJson::new(&page, TaskJson::from);
    Ok(json_response(StatusCode::OK, &list))
}

/// `GET /tasks/{uid}`
pub(crate) async fn get(
    State(app): State<App>,
    access: Access,
    At(uid): At<String>,
) -> Result<Response, ApiError> {
    let uid = task_uid(&uid)?;
    let task = app.read(|engine| seen(engine, uid, &access)).await?;
    Ok(json_response(StatusCode::OK, &TaskJson::from(&task)))
}

/// `POST /tasks/cancel`
pub(crate) async fn cancel(
    State(app): State<App>,
    access: Access,
    uri: Uri,
    params: Params,
) -> Result<Response, ApiError> {
    let chosen = chosen(&uri, params, &access, "canceled")?;
    let accepted = app.write(Write::CancelTasks(chosen)).await?;
    Ok(summary(StatusCode::OK, &accepted))
}

/// `DELETE /tasks`
pub(crate) async fn delete(
    State(app): State<App>,
    access: Access,
    uri: Uri,
    params: Params,
) -> Result<Response, ApiError> {
    let chosen = chosen(&uri, params, &access, "deleted")?;
    let accepted = app.write(Write::DeleteTasks(chosen)).await?;
    Ok(summary(StatusCode::OK, &accepted))
}

/// Which tasks to cancel or delete. At least one filter must say so, `*` if need be.
fn chosen(uri: &Uri, params: Params, access: &Access, what: &str) -> Result<ChosenBy, ApiError> {
    let text = uri.query().unwrap_or_default();
    let mut fields = params.fields(CHOOSE)?;
    if !CHOOSE.iter().any(|(name, _)| fields.has(name)) {
        let names = listed(CHOOSE.iter().map(|(name, _)| name));
        return Err(ApiError::invalid(
            "missing_task_filters",
            format!(
                "Query parameters to filter the tasks to be {what} are missing. Available query parameters are: {names}."
            ),
        ));
    }
    if text.len() > LONGEST_FILTER {
        return Err(ApiError::invalid(
            "bad_request",
            format!("The filters may have {LONGEST_FILTER} bytes."),
        ));
    }
    Ok(ChosenBy {
        query: task_query::take(&mut fields, access)?,
        filter: format!("?{text}"),
    })
}

/// A task, unless the sender may not know of it.
fn seen(engine: &Engine, uid: u64, access: &Access) -> Result<Task, ApiError> {
    let task = engine.task(uid)?;
    let is_seen = match (&task.index_uid, access.within()) {
        (Some(index), _) => access.sees(index),
        (None, Some(patterns)) => patterns.iter().any(IndexPattern::is_every),
        (None, None) => true,
    };
    if is_seen {
        return Ok(task);
    }
    Err(EngineError::TaskNotFound(uid).into())
}

/// `GET /tasks/{uid}/rows`
pub(crate) async fn rows(
    State(app): State<App>,
    access: Access,
    At(uid): At<String>,
    params: Params,
) -> Result<Response, ApiError> {
    let uid = task_uid(&uid)?;
    let mut fields = params.fields(ROWS)?;
    let offset = fields.size("offset")?.unwrap_or(0);
    let limit = fields.size("limit")?.unwrap_or(DEFAULT_LIMIT).min(MOST);
    let (notes, total) = app
        .read(|engine| {
            seen(engine, uid, &access)?;
            Ok(engine.task_rows(uid, offset, limit)?)
        })
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

pub(crate) fn task_uid(text: &str) -> Result<u64, ApiError> {
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
