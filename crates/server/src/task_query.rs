//! Which tasks or batches a request means, and which page of them it wants.
//!
//! Listing, canceling and deleting share their filters. What a key may see is one more
//! filter, which no parameter widens.

use crate::access::Access;
use crate::error::ApiError;
use crate::fields::{Fields, Row, Table, joined, listed, shortened};
use domain::{IndexUid, Timestamp};
use engine::{EngineError, Period, TaskKind, TaskPaging, TaskQuery, TaskStatus};
use serde::Serialize;
use serde_json::Value;

const PAGING: Table = &[
    ("limit", "invalid_task_limit"),
    ("from", "invalid_task_from"),
    ("reverse", "invalid_task_reverse"),
];
/// The filters.
pub(crate) const CHOOSE: Table = &[
    ("uids", "invalid_task_uids"),
    ("batchUids", "invalid_batch_uids"),
    ("canceledBy", "invalid_task_canceled_by"),
    ("indexUids", "invalid_index_uid"),
    ("statuses", "invalid_task_statuses"),
    ("types", "invalid_task_types"),
    ("afterEnqueuedAt", "invalid_task_after_enqueued_at"),
    ("beforeEnqueuedAt", "invalid_task_before_enqueued_at"),
    ("afterStartedAt", "invalid_task_after_started_at"),
    ("beforeStartedAt", "invalid_task_before_started_at"),
    ("afterFinishedAt", "invalid_task_after_finished_at"),
    ("beforeFinishedAt", "invalid_task_before_finished_at"),
];
const ROWS: [Row; PAGING.len() + CHOOSE.len()] = joined(PAGING, CHOOSE);
/// The filters and what cuts a page.
pub(crate) const LIST: Table = &ROWS;

pub(crate) const DEFAULT_LIMIT: usize = 20;
/// Rows or tasks in one answer at most.
pub(crate) const MOST: usize = 1000;
/// Names in one list.
const MOST_NAMES: usize = 1000;

const STATUSES: [TaskStatus; 5] = [
    TaskStatus::Enqueued,
    TaskStatus::Processing,
    TaskStatus::Succeeded,
    TaskStatus::Failed,
    TaskStatus::Canceled,
];
const KINDS: [TaskKind; 12] = [
    TaskKind::IndexCreation,
    TaskKind::IndexUpdate,
    TaskKind::IndexDeletion,
    TaskKind::DocumentAdditionOrUpdate,
    TaskKind::DocumentDeletion,
    TaskKind::SettingsUpdate,
    TaskKind::EventAddition,
    TaskKind::TaskCancelation,
    TaskKind::TaskDeletion,
    TaskKind::IndexSwap,
    TaskKind::DumpCreation,
    TaskKind::SnapshotCreation,
];

/// Takes what cuts a page.
pub(crate) fn take_paging(fields: &mut Fields) -> Result<TaskPaging, ApiError> {
    Ok(TaskPaging {
        limit: fields.size("limit")?.unwrap_or(DEFAULT_LIMIT).min(MOST),
        from: fields.integer("from")?,
        reverse: fields.boolean("reverse")?.unwrap_or_default(),
    })
}

/// Takes the filters.
pub(crate) fn take(fields: &mut Fields, access: &Access) -> Result<TaskQuery, ApiError> {
    Ok(TaskQuery {
        uids: uids(fields, "uids")?,
        batch_uids: uids(fields, "batchUids")?,
        canceled_by: uids(fields, "canceledBy")?,
        index_uids: index_uids(fields)?,
        statuses: words(fields, "statuses", "task status", &STATUSES)?,
        kinds: words(fields, "types", "task type", &KINDS)?,
        enqueued: Period {
            after: moment(fields, "afterEnqueuedAt", DayEnds::Last)?,
            before: moment(fields, "beforeEnqueuedAt", DayEnds::First)?,
        },
        started: Period {
            after: moment(fields, "afterStartedAt", DayEnds::Last)?,
            before: moment(fields, "beforeStartedAt", DayEnds::First)?,
        },
        finished: Period {
            after: moment(fields, "afterFinishedAt", DayEnds::Last)?,
            before: moment(fields, "beforeFinishedAt", DayEnds::First)?,
        },
        within: access.within(),
    })
}

/// Which moment of a day stands for a date: after a day means after all of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum DayEnds {
    First,
    Last,
}

const DAY_MILLIS: i64 = 86_400_000;

/// A date or a date with a time in RFC 3339; `*` does not restrict.
fn moment(fields: &mut Fields, name: &str, day: DayEnds) -> Result<Option<Timestamp>, ApiError> {
    let Some(text) = fields.text(name)? else {
        return Ok(None);
    };
    let text = text.trim();
    if text == "*" {
        return Ok(None);
    }
    // A number would be read as a Unix time, which is not the convention's.
    let parsed = Timestamp::parse(text).ok();
    match parsed.filter(|_| text.parse::<f64>().is_err()) {
        Some(start) if day == DayEnds::Last && text.len() == "2026-01-31".len() => Ok(Some(
            Timestamp::from_millis(start.millis() + DAY_MILLIS - 1),
        )),
        Some(at) => Ok(Some(at)),
        None => {
            let message = format!(
                "Invalid value in parameter `{name}`: `{}` is an invalid date-time. It should follow the YYYY-MM-DD or RFC 3339 date-time format.",
                shortened(text)
            );
            Err(fields.refuse(name, message))
        }
    }
}

/// `*` and an absent list mean all.
fn names(fields: &mut Fields, name: &str) -> Result<Vec<String>, ApiError> {
    let given = fields.texts(name)?.unwrap_or_default();
    if given.len() > MOST_NAMES {
        let message = format!(
            "`{name}` may name {MOST_NAMES} things, but {} came.",
            given.len()
        );
        return Err(fields.refuse(name, message));
    }
    Ok(if given.iter().any(|name| name == "*") {
        Vec::new()
    } else {
        given
    })
}

fn uids(fields: &mut Fields, name: &str) -> Result<Vec<u64>, ApiError> {
    let mut uids = Vec::new();
    for text in names(fields, name)? {
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
    let names = names(fields, "indexUids")?;
    for name in &names {
        IndexUid::new(name.as_str()).map_err(EngineError::from)?;
    }
    Ok(names)
}

/// Words of an enum, by the names it has in JSON and without regard to case.
fn words<T: Serialize + Copy>(
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
    for text in names(fields, name)? {
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
