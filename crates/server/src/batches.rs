//! `GET /batches`: the tasks that were applied together.
//!
//! A batch has the uid of its first task. Its details add up those of its tasks.

use crate::access::Access;
use crate::app::App;
use crate::error::{ApiError, json_response};
use crate::fields::Params;
use crate::path::At;
use crate::task_json::{duration, moment};
use crate::task_query::{self, LIST};
use crate::tasks::PageJson;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use engine::{Batch, Task, TaskPaging, TaskQuery};
use serde::Serialize;
use serde_json::{Map, Value, json};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchJson {
    uid: u64,
    /// What is being done is told by the tasks.
    progress: Option<Value>,
    details: Map<String, Value>,
    stats: Stats,
    duration: Option<String>,
    started_at: Option<String>,
    finished_at: Option<String>,
    batch_strategy: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stats {
    total_nb_tasks: usize,
    status: Map<String, Value>,
    types: Map<String, Value>,
    index_uids: Map<String, Value>,
}

/// `GET /batches`
pub(crate) async fn list(
    State(app): State<App>,
    access: Access,
    params: Params,
) -> Result<Response, ApiError> {
    let mut fields = params.fields(LIST)?;
    let paging = task_query::take_paging(&mut fields)?;
    let query = task_query::take(&mut fields, &access)?;
    let page = app
        .read(|engine| Ok(engine.batches(&query, paging)?))
        .await?;
    let list = PageJson::new(&page, BatchJson::from);
    Ok(json_response(StatusCode::OK, &list))
}

/// `GET /batches/{uid}`
pub(crate) async fn get(
    State(app): State<App>,
    access: Access,
    At(text): At<String>,
) -> Result<Response, ApiError> {
    let uid = text.parse().map_err(|_| {
        let text = crate::fields::shortened(&text);
        ApiError::invalid(
            "invalid_batch_uid",
            format!("`{text}` is not a batch uid: expected a positive integer."),
        )
    })?;
    let query = TaskQuery {
        batch_uids: vec![uid],
        within: access.within(),
        ..TaskQuery::default()
    };
    let paging = TaskPaging {
        limit: 1,
        ..TaskPaging::default()
    };
    let page = app
        .read(|engine| Ok(engine.batches(&query, paging)?))
        .await?;
    let batch = page.results.first().ok_or_else(|| {
        ApiError::not_found("batch_not_found", format!("Batch `{uid}` not found."))
    })?;
    Ok(json_response(StatusCode::OK, &BatchJson::from(batch)))
}

impl From<&Batch> for BatchJson {
    fn from(batch: &Batch) -> Self {
        let tasks = &batch.tasks;
        let started = tasks.iter().filter_map(|task| task.started_at).min();
        let all_finished = tasks.iter().all(|task| task.status.is_final());
        let finished = tasks.iter().filter_map(|task| task.finished_at).max();
        let finished = finished.filter(|_| all_finished);
        Self {
            uid: batch.uid,
            progress: None,
            details: added_up(tasks),
            stats: Stats {
                total_nb_tasks: tasks.len(),
                status: counted(tasks, |task| Some(json!(task.status))),
                types: counted(tasks, |task| Some(json!(task.kind))),
                index_uids: counted(tasks, |task| task.index_uid.as_ref().map(|uid| json!(uid))),
            },
            duration: started.zip(finished).map(duration),
            started_at: started.map(moment),
            finished_at: finished.map(moment),
            batch_strategy: "writes to one index that wait together are applied together",
        }
    }
}

/// How many tasks have each value.
fn counted(tasks: &[Task], of: impl Fn(&Task) -> Option<Value>) -> Map<String, Value> {
    let mut counts = Map::new();
    for task in tasks {
        if let Some(Value::String(name)) = of(task) {
            let count = counts.get(&name).and_then(Value::as_u64).unwrap_or(0);
            counts.insert(name, json!(count + 1));
        }
    }
    counts
}

/// The details of all tasks: numbers are added, the last of other values counts.
fn added_up(tasks: &[Task]) -> Map<String, Value> {
    let mut sums: Map<String, Value> = Map::new();
    for (name, value) in tasks.iter().flat_map(|task| &task.details) {
        let before = sums.get(name).and_then(Value::as_u64);
        let sum = match (before, value.as_u64()) {
            (Some(before), Some(more)) => json!(before + more),
            (Some(_), None) if value.is_null() => continue,
            _ => value.clone(),
        };
        sums.insert(name.clone(), sum);
    }
    sums
}
