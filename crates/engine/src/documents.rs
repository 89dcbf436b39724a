//! Applying document writes: primary key, merging, cleaning, field roles.
//!
//! The document view keeps the JSON that was given. The words index gets the cleaned
//! document. Every refused or changed row becomes a note of the task.

use crate::apply::OpenIndex;
use crate::meaning::{GivenVectors, Note};
use crate::outcome::{Failure, Outcome, Refused, object};
use crate::record::{DocumentsBody, IndexNo, SelectionBody};
use crate::shared::Shared;
use crate::snapshot::roles_in_force;
use crate::tables::{DOCUMENTS, Document, IndexMeta};
use crate::{EngineError, RowNote, plan};
use domain::Filter;
use intake::{Cleaner, PrimaryKeyError};
use lexical::WordsIndex;
use rustc_hash::FxHashMap;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use store::{ViewBatch, ViewSnapshot};

/// Notes kept of one task; the counts go on.
const MAX_NOTES: usize = 10_000;
/// Rows looked at to guess roles and the primary key.
const SAMPLE: usize = 500;
/// Roles are guessed again when there are this many times more documents than at the last guess …
const GUESS_GROWTH: u64 = 4;
/// … until the guess rests on this many.
const GUESS_ENOUGH: u64 = 1000;

/// Documents changed by a group and not yet written to the view. `None` is a deletion.
#[derive(Default)]
pub(crate) struct Changes {
    documents: FxHashMap<(IndexNo, String), Option<Document>>,
    pub bytes: usize,
    /// Versions in the log that nobody needs any more.
    pub superseded: u64,
    /// Numbers of deleted items.
    deleted: Vec<(IndexNo, u64)>,
}

impl Changes {
    fn set(&mut self, index: IndexNo, id: String, version: Option<Document>) {
        self.bytes += version
            .as_ref()
            .map_or(64, |version| version.json.len() + 64);
        self.documents.insert((index, id), version);
    }

    /// The document as of the group so far.
    fn current(
        &self,
        views: &ViewSnapshot,
        index: IndexNo,
        id: &str,
    ) -> Result<Option<Document>, EngineError> {
        if let Some(changed) = self.documents.get(&(index, id.to_owned())) {
            return Ok(changed.clone());
        }
        Document::get(views, index, id)
    }

    /// Writes the documents, and notes for their vectors under the sequence number `seq`.
    pub(crate) fn write(self, batch: &mut ViewBatch, seq: u64) {
        for ((index, id), version) in self.documents {
            match version {
                Some(document) => {
                    document.put(batch, index, &id);
                    let number = document.order;
                    Note { seq, number, id }.put(batch, index);
                }
                None => Document::delete(batch, index, &id),
            }
        }
        for (index, number) in self.deleted {
            let id = String::new();
            Note { seq, number, id }.put(batch, index);
        }
    }
}

/// The documents of one record.
pub(crate) struct Batch<'a> {
    pub seq: u64,
    pub body: &'a DocumentsBody,
    /// Documents that are not known are passed over.
    pub known_only: bool,
}

/// Applies one batch of documents to the words index and to `changes`.
pub(crate) fn apply_documents(
    shared: &Shared,
    index: &mut OpenIndex,
    batch: Batch<'_>,
    changes: &mut Changes,
) -> Result<Outcome, Failure> {
    let Batch {
        seq,
        body,
        known_only,
    } = batch;
    let mut rows = Rows {
        notes: body.refused.clone(),
        refused: body.refused.len(),
        changed: 0,
    };
    let received = body.documents.len() + rows.refused;
    let documents = rows.parse(body);
    choose_primary_key(index, body, &documents)?;
    let key = index.meta.primary_key.clone().unwrap_or_default();
    let cleaner = Cleaner::new(roles_in_force(&index.meta));
    let vectors = GivenVectors::of(&index.meta.settings);
    let views = shared.views.snapshot();
    let mut indexed = 0;
    for (row, given) in documents {
        let id = match intake::document_id(&given, &key) {
            Ok(id) => id.as_str().to_owned(),
            Err(err) => {
                rows.refuse(row, Some(key.clone()), err.to_string());
                continue;
            }
        };
        let old = changes.current(&views, index.meta.no, &id)?;
        if known_only && old.is_none() {
            continue;
        }
        let order = match &old {
            Some(old) => old.order,
            None => index.meta.take_order(),
        };
        // Of what was given now: a fault that was there before was noted then.
        let faults = vectors.faults(&given);
        let (base, document) = match &old {
            Some(old) if body.update => (old.base, merged(&old.json, given)?),
            // It rests on the version before: without that one it would not be known.
            Some(old) if known_only => (old.base, given),
            _ => (seq, given),
        };
        changes.superseded += u64::from(old.is_some() && base == seq);
        let mut cleanings = Vec::new();
        let cleaned = cleaner.clean(&document, &mut cleanings);
        rows.changed(row, &cleanings, faults);
        index.words.put(&id, order, &cleaned)?;
        count_fields(&mut index.meta.fields, old.as_ref(), &document)?;
        let json = serde_json::to_string(&document).map_err(|err| EngineError::View {
            what: "a document",
            reason: err.to_string(),
        })?;
        changes.set(index.meta.no, id, Some(Document { base, order, json }));
        indexed += 1;
    }
    if indexed == 0 && rows.refused > 0 {
        return Err(rows.all_refused(&key).into());
    }
    let details = object(json!({
        "receivedDocuments": received,
        "indexedDocuments": indexed,
        "refusedRows": rows.refused,
        "changedRows": rows.changed,
    }));
    Ok(Outcome {
        details,
        notes: rows.notes,
    })
}

/// Bookkeeping of what happened to the rows of one batch.
struct Rows {
    notes: Vec<RowNote>,
    refused: usize,
    changed: usize,
}

impl Rows {
    fn parse(&mut self, body: &DocumentsBody) -> Vec<(u64, Map<String, Value>)> {
        let mut parsed = Vec::with_capacity(body.documents.len());
        for (number, text) in body.documents.iter().enumerate() {
            let row = body.rows.get(number).copied().unwrap_or(number as u64 + 1);
            let Some(text) = text else { continue };
            match serde_json::from_str(text) {
                Ok(document) => parsed.push((row, document)),
                Err(err) => self.refuse(row, None, err.to_string()),
            }
        }
        parsed
    }

    fn refuse(&mut self, row: u64, field: Option<String>, what: String) {
        self.refused += 1;
        self.note(RowNote {
            row,
            field,
            refused: true,
            what,
        });
    }

    /// Notes what was cleaned, and what was passed over.
    fn changed(&mut self, row: u64, cleanings: &[intake::Change], faults: Vec<(String, String)>) {
        self.changed += usize::from(!cleanings.is_empty() || !faults.is_empty());
        let cleaned = cleanings
            .iter()
            .map(|change| (change.field.clone(), change.what.to_string()));
        for (field, what) in cleaned.chain(faults) {
            self.note(RowNote {
                row,
                field: Some(field),
                refused: false,
                what,
            });
        }
    }

    fn note(&mut self, note: RowNote) {
        if self.notes.len() < MAX_NOTES {
            self.notes.push(note);
        }
    }

    fn all_refused(&self, key: &str) -> Refused {
        match self.notes.iter().find(|note| note.refused) {
            Some(note) if note.field.as_deref() == Some(key) => {
                let code = if note.what.contains("missing") {
                    "missing_document_id"
                } else {
                    "invalid_document_id"
                };
                Refused::new(code, format!("row {}: {}", note.row, note.what))
            }
            Some(note) => Refused::new(
                "malformed_payload",
                format!("row {}: {}", note.row, note.what),
            ),
            None => Refused::new("malformed_payload", "no row could be read"),
        }
    }
}

/// Sets the primary key on the first documents: given, or inferred from their names.
fn choose_primary_key(
    index: &mut OpenIndex,
    body: &DocumentsBody,
    documents: &[(u64, Map<String, Value>)],
) -> Result<(), Refused> {
    let uid = &index.meta.uid;
    match (&index.meta.primary_key, &body.primary_key) {
        (Some(known), Some(given)) if known != given && index.documents() > 0 => Err(Refused::new(
            "index_primary_key_already_exists",
            format!("Index `{uid}` already has a primary key: `{known}`."),
        )),
        (_, Some(given)) => {
            index.meta.primary_key = Some(given.clone());
            Ok(())
        }
        (Some(_), None) => Ok(()),
        (None, None) if documents.is_empty() => Ok(()),
        (None, None) => {
            let sample: Vec<_> = documents.iter().take(SAMPLE).map(|(_, row)| row).collect();
            let key = intake::infer_primary_key(&sample).map_err(|err| {
                let code = match err {
                    PrimaryKeyError::Several { .. } => {
                        "index_primary_key_multiple_candidates_found"
                    }
                    _ => "index_primary_key_no_candidate_found",
                };
                Refused::new(code, format!("Index `{uid}`: {err}"))
            })?;
            index.meta.primary_key = Some(key);
            Ok(())
        }
    }
}

/// The old document with the new attributes laid over it.
fn merged(old: &str, new: Map<String, Value>) -> Result<Map<String, Value>, EngineError> {
    let mut merged: Map<String, Value> = crate::tables::from_json(old.as_bytes())?;
    merged.extend(new);
    Ok(merged)
}

/// Keeps the field distribution right when a document replaces another.
fn count_fields(
    fields: &mut BTreeMap<String, u64>,
    old: Option<&Document>,
    new: &Map<String, Value>,
) -> Result<(), EngineError> {
    if let Some(old) = old {
        uncount_fields(fields, &old.json)?;
    }
    for name in new.keys() {
        match fields.get_mut(name) {
            Some(count) => *count += 1,
            None => {
                fields.insert(name.clone(), 1);
            }
        }
    }
    Ok(())
}

fn uncount_fields(fields: &mut BTreeMap<String, u64>, old: &str) -> Result<(), EngineError> {
    let old: Map<String, Value> = crate::tables::from_json(old.as_bytes())?;
    for name in old.keys() {
        if let Some(count) = fields.get_mut(name) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                fields.remove(name);
            }
        }
    }
    Ok(())
}

/// Applies a deletion to the words index and to `changes`; gives the number of documents.
pub(crate) fn apply_deletion(
    shared: &Shared,
    index: &mut OpenIndex,
    selection: &SelectionBody,
    changes: &mut Changes,
) -> Result<u64, Failure> {
    let no = index.meta.no;
    let ids = match selection {
        SelectionBody::Ids(ids) => ids.clone(),
        SelectionBody::All => all_ids(shared, no, changes)?,
        SelectionBody::Filter(text) => {
            // The filter reads the words index, so it must see the group so far.
            index.words.commit(index.words.applied())?;
            let refuse = |err: String| Refused::new("invalid_document_filter", err);
            let filter = Filter::parse(text).map_err(|err| refuse(err.to_string()))?;
            crate::allowed::check_filterable(&index.meta, &filter)
                .map_err(|err| refuse(err.to_string()))?;
            let words = index.words.words(&plan::query_plan(&index.meta));
            words
                .ids(Some(&filter))
                .map_err(|err| refuse(err.to_string()))?
        }
    };
    if matches!(selection, SelectionBody::All) {
        index.words.clear()?;
    }
    let views = shared.views.snapshot();
    let mut deleted = 0;
    for id in ids {
        let Some(old) = changes.current(&views, no, &id)? else {
            continue;
        };
        uncount_fields(&mut index.meta.fields, &old.json)?;
        index.words.delete(&id)?;
        changes.set(no, id, None);
        changes.deleted.push((no, old.order));
        changes.superseded += 1;
        deleted += 1;
    }
    Ok(deleted)
}

fn all_ids(shared: &Shared, no: IndexNo, changes: &Changes) -> Result<Vec<String>, EngineError> {
    let mut ids = Vec::new();
    for entry in shared.views.prefix(DOCUMENTS, &no.0.to_be_bytes())? {
        let (key, _) = entry?;
        ids.push(Document::id_of(&key)?.to_owned());
    }
    let added = changes
        .documents
        .iter()
        .filter(|((index, _), version)| *index == no && version.is_some());
    ids.extend(added.map(|((_, id), _)| id.clone()));
    ids.sort();
    ids.dedup();
    Ok(ids)
}

/// Puts every stored document of an index into an empty words index.
pub(crate) fn index_all(
    views: &ViewSnapshot,
    meta: &IndexMeta,
    words: &mut WordsIndex,
) -> Result<(), EngineError> {
    let mut ids = Vec::new();
    for entry in views.prefix(DOCUMENTS, &meta.no.0.to_be_bytes())? {
        let (key, value) = entry?;
        ids.push((
            Document::decode(&value)?.order,
            Document::id_of(&key)?.to_owned(),
        ));
    }
    // In the order in which they first came, which is the order of a search without words.
    ids.sort_unstable();
    let cleaner = Cleaner::new(roles_in_force(meta));
    let mut cleanings = Vec::new();
    for (order, id) in ids {
        let Some(document) = Document::get(views, meta.no, &id)? else {
            continue;
        };
        let object: Map<String, Value> = crate::tables::from_json(document.json.as_bytes())?;
        cleanings.clear();
        words.put(&id, order, &cleaner.clean(&object, &mut cleanings))?;
    }
    Ok(())
}

/// Whether the last guess rests on too little for what there is with this batch.
pub(crate) fn is_guess_due(index: &OpenIndex, body: &DocumentsBody) -> bool {
    let documents = documents_with(index, body);
    let guessed_at = index.meta.guessed_at;
    let grown = guessed_at < GUESS_ENOUGH && documents >= guessed_at * GUESS_GROWTH;
    documents > 0 && (guessed_at == 0 || grown)
}

fn documents_with(index: &OpenIndex, body: &DocumentsBody) -> u64 {
    let stored = index.meta.fields.values().copied().max().unwrap_or(0);
    stored + body.documents.iter().flatten().count() as u64
}

/// Guesses the field roles and identifiers from this batch; true when they came out different.
pub(crate) fn guess_roles_again(index: &mut OpenIndex, body: &DocumentsBody) -> bool {
    let documents = documents_with(index, body);
    let meta = &mut index.meta;
    let parsed: Vec<Map<String, Value>> = body
        .documents
        .iter()
        .flatten()
        .take(SAMPLE)
        .filter_map(|text| serde_json::from_str(text).ok())
        .collect();
    let sample: Vec<&Map<String, Value>> = parsed.iter().collect();
    let guess = intake::guess_roles(&sample);
    // The first batch chooses the key only when it is applied; here it is looked ahead.
    let key = meta
        .primary_key
        .clone()
        .or_else(|| body.primary_key.clone());
    let key = key.or_else(|| intake::infer_primary_key(&sample).ok());
    let mut identifiers = Vec::new();
    for document in &parsed {
        identifiers.extend(plan::identifiers(key.as_deref(), document));
    }
    identifiers.sort();
    identifiers.dedup();
    meta.guessed_at = documents;
    let changed = guess.roles != meta.guessed || identifiers != meta.identifiers;
    meta.identifiers = identifiers;
    meta.guessed = guess.roles;
    meta.reasons = guess.reasons;
    changed
}
