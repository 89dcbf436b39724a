//! How one task ended: what it did, or why it failed while everything else went on.

use crate::record::{Body, Entry, SelectionBody};
use crate::{EngineError, RowNote};
use serde_json::{Map, Value, json};

/// Why one task failed, without anything else being wrong.
pub(crate) struct Refused {
    pub code: &'static str,
    pub message: String,
}

impl Refused {
    pub(crate) fn new(code: &'static str, message: impl ToString) -> Self {
        Self {
            code,
            message: message.to_string(),
        }
    }
}

/// Either the task's own failure or one of the machine.
pub(crate) enum Failure {
    Refused(Refused),
    Engine(EngineError),
}

impl<E: Into<EngineError>> From<E> for Failure {
    fn from(err: E) -> Self {
        Self::Engine(err.into())
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

/// What a task did, to be shown with it.
#[derive(Default)]
pub(crate) struct Outcome {
    pub details: Map<String, Value>,
    pub notes: Vec<RowNote>,
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

impl Outcome {
    /// What is known of a write without having applied it.
    pub(crate) fn of(entry: &Entry) -> Self {
        Self {
            details: details_before(entry),
            notes: refused_before(&entry.body),
        }
    }

    /// The same with one more detail.
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.details.insert(name.to_owned(), value);
        self
    }
}

/// The details of a task before it has run.
pub(crate) fn details_before(entry: &Entry) -> Map<String, Value> {
    object(match &entry.body {
        Body::CreateIndex { primary_key } | Body::UpdateIndex { primary_key } => {
            json!({ "primaryKey": primary_key })
        }
        Body::RenameIndex(rename) => json!({
            "primaryKey": rename.primary_key,
            "oldIndexUid": rename.names.0,
            "newIndexUid": rename.names.1,
        }),
        Body::DeleteIndex => json!({ "deletedDocuments": null }),
        Body::Documents(documents) => json!({
            "receivedDocuments": documents.documents.len() + documents.refused.len(),
            "indexedDocuments": null,
        }),
        Body::DeleteDocuments(SelectionBody::Ids(ids)) => json!({
            "providedIds": ids.len(), "originalFilter": null, "deletedDocuments": null,
        }),
        Body::DeleteDocuments(SelectionBody::Filter(filter)) => json!({
            "providedIds": 0,
            "originalFilter": original_filter(entry, filter),
            "deletedDocuments": null,
        }),
        Body::DeleteDocuments(SelectionBody::All) => {
            json!({ "deletedDocuments": null })
        }
        Body::Settings(text) => serde_json::from_str(text).unwrap_or_default(),
        Body::Events(events) => json!({ "acceptedEvents": events.len() }),
        Body::CancelTasks(chosen) => json!({
            "matchedTasks": chosen.matched, "canceledTasks": null, "originalFilter": chosen.filter,
        }),
        Body::DeleteTasks(chosen) => json!({
            "matchedTasks": chosen.matched, "deletedTasks": null, "originalFilter": chosen.filter,
        }),
        Body::SwapIndexes(swaps) => {
            let swaps: Vec<Value> = swaps
                .iter()
                .map(|swap| json!({ "indexes": swap.names, "rename": swap.rename }))
                .collect();
            json!({ "swaps": swaps })
        }
        Body::Dump => json!({ "dumpUid": null }),
        Body::Compacted
        | Body::Registry(_)
        | Body::Models(_)
        | Body::EraseShopper(_)
        | Body::Ledger(_)
        | Body::Snapshot => json!({}),
    })
}

/// A filter as JSON text: as it was given, where that is known.
fn original_filter(entry: &Entry, filter: &str) -> String {
    let given = entry.asked.given_filter.clone();
    given.unwrap_or_else(|| Value::from(filter).to_string())
}

/// The details of a task that was canceled: nothing was done.
pub(crate) fn details_canceled(entry: &Entry) -> Map<String, Value> {
    let mut details = details_before(entry);
    for counted in ["indexedDocuments", "deletedDocuments"] {
        if let Some(count) = details.get_mut(counted) {
            *count = json!(0);
        }
    }
    details
}

fn refused_before(body: &Body) -> Vec<RowNote> {
    match body {
        Body::Documents(documents) => documents.refused.clone(),
        _ => Vec::new(),
    }
}
