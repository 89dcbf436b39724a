//! The one thread that folds catalogue records into views and publishes the result.
//!
//! It follows the log in order. Neighbouring document writes to one index share one
//! commit of the words index and one batch of the views. The words index is committed
//! first: after a crash between the two the records are applied again, which changes
//! nothing, because applying a record twice in a row gives the same state.

use crate::behaviour::Behaviour;
use crate::compact::Compactor;
use crate::documents::{Changes, apply_deletion, apply_documents};
use crate::record::{Body, DocumentsBody, Entry, IndexNo, SelectionBody};
use crate::settings::SettingsPatch;
use crate::shared::{Shared, now};
use crate::snapshot::{IndexState, Published, roles_in_force};
use crate::tables::{self, Applied, IndexMeta};
use crate::writer::Apply;
use crate::{EngineError, RowNote, Task, TaskError, TaskStatus, folder, plan, shared};
use domain::Timestamp;
use lexical::WordsIndex;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use store::ViewBatch;

/// Bytes of documents after which a group is committed.
const GROUP_BYTES: usize = 32 << 20;

/// An index as the applier holds it.
pub(crate) struct OpenIndex {
    pub meta: IndexMeta,
    pub words: WordsIndex,
}

pub(crate) struct Applier {
    pub(crate) shared: Arc<Shared>,
    pub(crate) open: BTreeMap<IndexNo, OpenIndex>,
    compactor: Compactor,
}

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

impl Applier {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            open: BTreeMap::new(),
            compactor: Compactor::default(),
        }
    }

    /// Follows what the writer appends until the writer is gone.
    pub(crate) fn run(mut self, records: &Receiver<Apply>) {
        while let Ok(first) = records.recv() {
            let mut seqs = Vec::new();
            let mut advance = None;
            for message in std::iter::once(first).chain(records.try_iter()) {
                match message {
                    Apply::Record(seq) => seqs.push(seq),
                    Apply::Advance(next) => advance = Some(next),
                }
                if seqs.len() >= 1000 {
                    break;
                }
            }
            if let Err(err) = self.apply_all(&seqs, advance) {
                // The views stay as they were; the log has the records, so a restart catches up.
                tracing::error!(
                    error = &err as &dyn std::error::Error,
                    "the catalogue cannot be updated; restart to try again"
                );
                self.shared.stop(err.to_string());
                break;
            }
        }
        self.compactor.finish();
        for index in self.open.values_mut() {
            index.words.release_writer();
        }
    }

    fn apply_all(&mut self, seqs: &[u64], advance: Option<u64>) -> Result<(), EngineError> {
        let mut group = Group::default();
        for &seq in seqs {
            self.apply_record(seq, &mut group)?;
        }
        self.commit(&mut group)?;
        if let Some(next) = advance {
            let mut batch = self.shared.views.batch();
            Applied::Catalogue.write(&mut batch, next);
            batch.commit()?;
        }
        if seqs.len() < 10 {
            self.release_idle_writers();
        }
        let documents = self.shared.published.load().documents();
        self.compactor.start_if_due(&self.shared, documents);
        Ok(())
    }

    /// Writers hold memory and a thread; only a busy index keeps its own.
    fn release_idle_writers(&mut self) {
        if self.open.len() > 4 {
            for index in self.open.values_mut() {
                index.words.release_writer();
            }
        }
    }

    pub(crate) fn apply_record(&mut self, seq: u64, group: &mut Group) -> Result<(), EngineError> {
        let entry = shared::entry(&self.shared.log, seq)?;
        let joins = matches!(entry.body, Body::Documents(_) | Body::DeleteDocuments(_))
            && group.index.is_none_or(|index| index == entry.index)
            && group.changes.bytes < GROUP_BYTES;
        if !joins {
            self.commit(group)?;
        }
        self.shared.mark_processing(&[seq], now());
        let started = now();
        let result = self.apply_body(seq, &entry, group);
        let (status, error, outcome) = match result {
            Ok(outcome) => (TaskStatus::Succeeded, None, outcome),
            Err(Failure::Refused(Refused { code, message })) => {
                let error = TaskError {
                    message,
                    code: code.to_owned(),
                };
                let details = details_before(&entry.body);
                let notes = refused_before(&entry.body);
                (TaskStatus::Failed, Some(error), Outcome { details, notes })
            }
            Err(Failure::Engine(err)) => return Err(err),
        };
        let Some(kind) = entry.body.task_kind() else {
            return Ok(());
        };
        group.tasks.push((
            Task {
                uid: seq,
                index_uid: Some(entry.uid.clone()),
                status,
                kind,
                details: outcome.details,
                error,
                enqueued_at: entry.at,
                started_at: Some(started),
                finished_at: None,
            },
            outcome.notes,
        ));
        group.next = seq + 1;
        if !matches!(entry.body, Body::Documents(_) | Body::DeleteDocuments(_)) {
            self.commit(group)?;
        }
        Ok(())
    }

    fn apply_body(
        &mut self,
        seq: u64,
        entry: &Entry,
        group: &mut Group,
    ) -> Result<Outcome, Failure> {
        match &entry.body {
            Body::CreateIndex { primary_key } => {
                if entry.index.0 != seq {
                    return Err(Refused::new(
                        "index_already_exists",
                        format!("Index `{}` already exists.", entry.uid),
                    )
                    .into());
                }
                self.create(seq, entry, primary_key.clone())?;
                group.touch(entry.index);
                Ok(Outcome {
                    details: details_before(&entry.body),
                    notes: Vec::new(),
                })
            }
            Body::UpdateIndex { primary_key } => {
                let index = self.existing(entry)?;
                if let Some(key) = primary_key {
                    if index.words.words(&Default::default()).count() > 0
                        && index
                            .meta
                            .primary_key
                            .as_ref()
                            .is_some_and(|known| known != key)
                    {
                        return Err(Refused::new(
                            "index_primary_key_already_exists",
                            format!(
                                "Index `{}`: The primary key cannot be changed while the index holds documents.",
                                entry.uid
                            ),
                        )
                        .into());
                    }
                    index.meta.primary_key = Some(key.clone());
                }
                group.touch(entry.index);
                Ok(Outcome {
                    details: details_before(&entry.body),
                    notes: Vec::new(),
                })
            }
            Body::DeleteIndex => {
                let count = self
                    .existing(entry)?
                    .words
                    .words(&Default::default())
                    .count();
                self.delete(entry.index, group)?;
                let details = object(json!({ "deletedDocuments": count }));
                Ok(Outcome {
                    details,
                    notes: Vec::new(),
                })
            }
            Body::Settings(text) => {
                self.open_or_create(seq, entry)?;
                let outcome = self.change_settings(seq, entry, text)?;
                group.touch(entry.index);
                Ok(outcome)
            }
            Body::Documents(body) => {
                self.open_or_create(seq, entry)?;
                group.touch(entry.index);
                self.add_documents(seq, entry, body, group)
            }
            Body::DeleteDocuments(selection) => {
                self.existing(entry)?;
                group.touch(entry.index);
                let shared = self.shared.clone();
                let index = self.existing(entry)?;
                apply_deletion(&shared, index, selection, &mut group.changes)
            }
            Body::Events(_) | Body::Compacted => Ok(Outcome::default()),
        }
    }

    fn existing(&mut self, entry: &Entry) -> Result<&mut OpenIndex, Refused> {
        self.open.get_mut(&entry.index).ok_or_else(|| {
            Refused::new(
                "index_not_found",
                format!("Index `{}` not found.", entry.uid),
            )
        })
    }

    fn open_or_create(&mut self, seq: u64, entry: &Entry) -> Result<(), Failure> {
        if self.open.contains_key(&entry.index) {
            return Ok(());
        }
        self.create(seq, entry, None)?;
        Ok(())
    }

    fn create(
        &mut self,
        seq: u64,
        entry: &Entry,
        primary_key: Option<String>,
    ) -> Result<(), EngineError> {
        let meta = IndexMeta {
            no: entry.index,
            uid: entry.uid.clone(),
            primary_key,
            created_at: entry.at,
            updated_at: entry.at,
            settings: Default::default(),
            guessed: Default::default(),
            reasons: Vec::new(),
            guessed_at: 0,
            cleaned_with: Default::default(),
            fields: BTreeMap::new(),
            words: format!("words-{seq}"),
            next_order: 0,
            last_seq: seq,
        };
        let words = self.new_words(&meta)?;
        self.open.insert(entry.index, OpenIndex { meta, words });
        Ok(())
    }

    /// An empty words index for these settings; whatever a crash left there is removed.
    fn new_words(&self, meta: &IndexMeta) -> Result<WordsIndex, EngineError> {
        let dir = folder::words(&self.shared.dir, meta);
        let io = |source| EngineError::Folder {
            path: dir.clone(),
            source,
        };
        if dir.exists() {
            fs::remove_dir_all(&dir).map_err(io)?;
        }
        fs::create_dir_all(&dir).map_err(io)?;
        Ok(WordsIndex::create(
            &dir,
            plan::index_plan(&meta.settings, &roles_in_force(meta)),
        )?)
    }

    fn delete(&mut self, no: IndexNo, group: &mut Group) -> Result<(), EngineError> {
        if let Some(index) = self.open.remove(&no) {
            group.remove_after = Some(folder::index(&self.shared.dir, &index.meta));
        }
        self.shared.behaviours.write().remove(&no);
        tables::delete_index(&self.shared.views.snapshot(), group.batch(&self.shared), no)?;
        Ok(())
    }

    fn change_settings(&mut self, seq: u64, entry: &Entry, text: &str) -> Result<Outcome, Failure> {
        let wrong = |reason: String| Refused::new("bad_request", reason);
        let changes: Map<String, Value> =
            serde_json::from_str(text).map_err(|err| wrong(err.to_string()))?;
        let patch = SettingsPatch::new(changes).map_err(|err| wrong(err.to_string()))?;
        let index = self.existing(entry)?;
        index.meta.settings = index
            .meta
            .settings
            .patched(&patch)
            .map_err(|err| wrong(err.to_string()))?;
        self.rebuild_if_planned_otherwise(seq, entry.index)?;
        Ok(Outcome {
            details: details_before(&entry.body),
            notes: Vec::new(),
        })
    }

    /// Builds the words index anew from the documents when its plan or the roles have changed.
    pub(crate) fn rebuild_if_planned_otherwise(
        &mut self,
        seq: u64,
        no: IndexNo,
    ) -> Result<(), EngineError> {
        let Some(index) = self.open.get(&no) else {
            return Ok(());
        };
        let roles = roles_in_force(&index.meta);
        let planned = plan::index_plan(&index.meta.settings, &roles);
        if *index.words.plan() == planned && index.meta.cleaned_with == roles {
            return Ok(());
        }
        let mut name = format!("words-{seq}");
        if index.meta.words == name {
            name.push('b');
        }
        let meta = IndexMeta {
            words: name,
            cleaned_with: roles,
            ..index.meta.clone()
        };
        self.rebuild(meta)
    }

    /// Replaces the words index of this index by a new one from the documents view.
    pub(crate) fn rebuild(&mut self, meta: IndexMeta) -> Result<(), EngineError> {
        let mut words = self.new_words(&meta)?;
        crate::documents::index_all(&self.shared.views.snapshot(), &meta, &mut words)?;
        words.commit(meta.last_seq + 1)?;
        let old = self.open.insert(
            meta.no,
            OpenIndex {
                words,
                meta: meta.clone(),
            },
        );
        if let Some(old) = old
            && old.meta.words != meta.words
        {
            // Readers may still map the files; on Unix they stay until the last one is gone.
            let _ = fs::remove_dir_all(folder::words(&self.shared.dir, &old.meta));
        }
        Ok(())
    }

    fn add_documents(
        &mut self,
        seq: u64,
        entry: &Entry,
        body: &DocumentsBody,
        group: &mut Group,
    ) -> Result<Outcome, Failure> {
        if crate::documents::guess_roles_again(self.existing(entry)?, body) {
            // Building anew reads the documents view, so what the group holds goes there first.
            self.commit_changes(group)?;
            self.rebuild_if_planned_otherwise(seq, entry.index)?;
        }
        let shared = self.shared.clone();
        apply_documents(
            &shared,
            self.existing(entry)?,
            seq,
            body,
            &mut group.changes,
        )
    }

    /// Makes the words and documents of the group durable, without finishing its tasks.
    fn commit_changes(&mut self, group: &mut Group) -> Result<(), EngineError> {
        let mut batch = group
            .batch
            .take()
            .unwrap_or_else(|| self.shared.views.batch());
        let changes = std::mem::take(&mut group.changes);
        self.compactor.note(changes.superseded);
        changes.write(&mut batch);
        batch.commit()?;
        Ok(())
    }

    /// Commits the group: words, then views with the tasks and the sequence, then publishes.
    pub(crate) fn commit(&mut self, group: &mut Group) -> Result<(), EngineError> {
        let mut group = std::mem::take(group);
        if group.tasks.is_empty() {
            return Ok(());
        }
        let finished_at = now();
        let mut batch = group
            .batch
            .take()
            .unwrap_or_else(|| self.shared.views.batch());
        self.compactor.note(group.changes.superseded);
        std::mem::take(&mut group.changes).write(&mut batch);
        if let Some(no) = group.index
            && let Some(index) = self.open.get_mut(&no)
        {
            index.meta.last_seq = group.next - 1;
            index.meta.updated_at = finished_at;
            index.words.commit(group.next)?;
            index.meta.put(&mut batch)?;
        }
        let mut uids = Vec::new();
        for (mut task, notes) in group.tasks {
            task.finished_at = Some(finished_at);
            uids.push(task.uid);
            task.put(&mut batch)?;
            tables::put_notes(&mut batch, task.uid, &notes)?;
        }
        Applied::Catalogue.write(&mut batch, group.next);
        batch.commit()?;
        self.publish(group.index, finished_at);
        if let Some(dir) = group.remove_after {
            let _ = fs::remove_dir_all(dir);
        }
        self.shared.finish(uids);
        Ok(())
    }

    /// Exchanges what readers see; only the touched index is made anew.
    pub(crate) fn publish(&self, touched: Option<IndexNo>, as_of: Timestamp) {
        let before = self.shared.published.load_full();
        let mut indexes = BTreeMap::new();
        for (no, index) in &self.open {
            let kept = before.by_no(*no).filter(|_| touched != Some(*no));
            let state = match kept {
                Some(state) => state.clone(),
                None => {
                    let behaviour: Arc<Behaviour> = self.shared.behaviour(*no);
                    Arc::new(IndexState::new(index.meta.clone(), &index.words, behaviour))
                }
            };
            indexes.insert(index.meta.uid.clone(), state);
        }
        let views = self.shared.views.snapshot();
        self.shared.published.store(Arc::new(Published {
            views,
            indexes,
            as_of,
        }));
    }
}

/// Records applied but not yet committed: of one index, or one record of another kind.
#[derive(Default)]
pub(crate) struct Group {
    index: Option<IndexNo>,
    changes: Changes,
    batch: Option<ViewBatch>,
    tasks: Vec<(Task, Vec<RowNote>)>,
    next: u64,
    remove_after: Option<std::path::PathBuf>,
}

impl Group {
    fn touch(&mut self, index: IndexNo) {
        self.index = Some(index);
    }

    fn batch(&mut self, shared: &Shared) -> &mut ViewBatch {
        self.batch.get_or_insert_with(|| shared.views.batch())
    }
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// The details of a task before it has run.
pub(crate) fn details_before(body: &Body) -> Map<String, Value> {
    object(match body {
        Body::CreateIndex { primary_key } | Body::UpdateIndex { primary_key } => {
            json!({ "primaryKey": primary_key })
        }
        Body::DeleteIndex => json!({ "deletedDocuments": null }),
        Body::Documents(documents) => json!({
            "receivedDocuments": documents.documents.len() + documents.refused.len(),
            "indexedDocuments": null,
        }),
        Body::DeleteDocuments(SelectionBody::Ids(ids)) => json!({
            "providedIds": ids.len(), "originalFilter": null, "deletedDocuments": null,
        }),
        Body::DeleteDocuments(SelectionBody::Filter(filter)) => json!({
            "providedIds": 0, "originalFilter": format!("{filter:?}"), "deletedDocuments": null,
        }),
        Body::DeleteDocuments(SelectionBody::All) => {
            json!({ "providedIds": 0, "originalFilter": null, "deletedDocuments": null })
        }
        Body::Settings(text) => serde_json::from_str(text).unwrap_or_default(),
        Body::Events(events) => json!({ "acceptedEvents": events.len() }),
        Body::Compacted => json!({}),
    })
}

fn refused_before(body: &Body) -> Vec<RowNote> {
    match body {
        Body::Documents(documents) => documents.refused.clone(),
        _ => Vec::new(),
    }
}
