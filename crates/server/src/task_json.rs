//! Tasks in the JSON of the conventions, whole and summarised.
//!
//! A write is answered 202 with the summary; the task itself is asked for by its
//! uid.

use crate::error::{ErrorObject, json_response};
use axum::http::StatusCode;
use axum::response::Response;
use domain::{IndexUid, Timestamp};
use engine::{Accepted, Task, TaskKind, TaskStatus};
use serde::Serialize;
use serde_json::{Map, Value};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'a> {
    task_uid: u64,
    index_uid: Option<&'a str>,
    status: TaskStatus,
    #[serde(rename = "type")]
    kind: Option<TaskKind>,
    enqueued_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_metadata: Option<&'a str>,
}

/// 202 with the summarised task.
pub(crate) fn accepted(accepted: &Accepted) -> Response {
    summary(StatusCode::ACCEPTED, accepted)
}

/// The summarised task. The convention answers what is done to tasks with 200.
pub(crate) fn summary(status: StatusCode, accepted: &Accepted) -> Response {
    let summary = Summary {
        task_uid: accepted.task_uid,
        index_uid: accepted.index_uid.as_ref().map(IndexUid::as_str),
        status: TaskStatus::Enqueued,
        kind: accepted.kind,
        enqueued_at: moment(accepted.enqueued_at),
        custom_metadata: accepted.custom_metadata.as_deref(),
    };
    json_response(status, &summary)
}

/// A task as it is shown.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TaskJson<'a> {
    uid: u64,
    batch_uid: Option<u64>,
    index_uid: Option<&'a str>,
    status: TaskStatus,
    #[serde(rename = "type")]
    kind: TaskKind,
    canceled_by: Option<u64>,
    details: Option<&'a Map<String, Value>>,
    error: Option<ErrorObject<'a>>,
    duration: Option<String>,
    enqueued_at: String,
    started_at: Option<String>,
    finished_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_metadata: Option<&'a str>,
}

impl<'a> From<&'a Task> for TaskJson<'a> {
    fn from(task: &'a Task) -> Self {
        let error = task.error.as_ref();
        Self {
            uid: task.uid,
            batch_uid: task.batch_uid,
            index_uid: task.index_uid.as_deref(),
            status: task.status,
            kind: task.kind,
            canceled_by: task.canceled_by,
            details: Some(&task.details).filter(|details| !details.is_empty()),
            error: error.map(|error| ErrorObject::of_task(&error.message, &error.code)),
            duration: task.started_at.zip(task.finished_at).map(duration),
            enqueued_at: moment(task.enqueued_at),
            started_at: task.started_at.map(moment),
            finished_at: task.finished_at.map(moment),
            custom_metadata: task.custom_metadata.as_deref(),
        }
    }
}

/// RFC 3339 with milliseconds, zeros too: the Python client cannot read a whole second.
pub(crate) fn moment(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// ISO 8601, as `PT0.012S`.
pub(crate) fn duration((start, end): (Timestamp, Timestamp)) -> String {
    let millis = (end.millis() - start.millis()).max(0);
    format!("PT{}.{:03}S", millis / 1000, millis % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_always_have_milliseconds() {
        let at = Timestamp::from_millis;
        assert_eq!(moment(at(1_259_653_500_000)), "2009-12-01T07:45:00.000Z");
        assert_eq!(moment(at(1_259_653_500_120)), "2009-12-01T07:45:00.120Z");
    }

    #[test]
    fn durations_are_iso_8601() {
        let at = Timestamp::from_millis;
        assert_eq!(duration((at(1000), at(1012))), "PT0.012S");
        assert_eq!(duration((at(0), at(61_500))), "PT61.500S");
        assert_eq!(duration((at(5), at(4))), "PT0.000S");
    }
}
