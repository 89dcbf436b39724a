//! The one thread that folds catalogue records into views and publishes the result.
//!
//! It follows the log in order. Neighbouring document writes to one index share one
//! commit of the words index and one batch of the views. The words index is committed
//! first: after a crash between the two the records are applied again, which changes
//! nothing, because applying a record twice in a row gives the same state.

use crate::behaviour::Behaviour;
use crate::compact::Compactor;
use crate::documents::{Batch, Changes, apply_deletion, apply_documents};
use crate::outcome::{Failure, Outcome, Refused, details_canceled};
use crate::record::{Body, ChosenTasks, DocumentsBody, Entry, IndexNo};
use crate::shared::{Shared, now};
use crate::snapshot::{IndexState, Published};
use crate::tables::{self, Applied, IndexMeta};
use crate::writer::Apply;
use crate::{EngineError, Registry, RowNote, Task, TaskError, TaskStatus, copies, shared, shelf};
use domain::Timestamp;
use lexical::{QueryPlan, WordsIndex};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
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

impl OpenIndex {
    /// Documents as of the last commit.
    pub(crate) fn documents(&self) -> u64 {
        self.words.words(&QueryPlan::default()).count()
    }
}

pub(crate) struct Applier {
    pub(crate) shared: Arc<Shared>,
    pub(crate) open: BTreeMap<IndexNo, OpenIndex>,
    /// As of the last record applied.
    pub(crate) registry: Registry,
    /// Whether the records are read again after a restart: then files are not written again.
    pub(crate) catching_up: bool,
    /// While catching up: tasks that later records cancel, and which.
    pub(crate) canceled: BTreeMap<u64, u64>,
    compactor: Compactor,
}

impl Applier {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            open: BTreeMap::new(),
            registry: Registry::default(),
            catching_up: false,
            canceled: BTreeMap::new(),
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
                self.shared.stop(err);
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
        let started = now();
        let batch = group.tasks.first().map_or(seq, |(task, _)| task.uid);
        let canceled = self.canceled.remove(&seq);
        if let Some(by) = canceled.or_else(|| self.shared.waiting.claim(seq, batch, started)) {
            group.next = seq + 1;
            group.tasks.extend(canceled_task(seq, &entry, by));
            return Ok(());
        }
        let result = self.apply_body(seq, &entry, group);
        let (status, error, outcome) = match result {
            Ok(outcome) => (TaskStatus::Succeeded, None, outcome),
            Err(Failure::Refused(Refused { code, message })) => {
                let code = code.to_owned();
                let error = TaskError { message, code };
                (TaskStatus::Failed, Some(error), Outcome::of(&entry))
            }
            Err(Failure::Engine(err)) => return Err(err),
        };
        group.next = seq + 1;
        let Some(kind) = entry.body.task_kind() else {
            return match entry.body {
                Body::Registry(_) | Body::Models(_) => self.commit(group),
                _ => Ok(()),
            };
        };
        group.tasks.push((
            Task {
                uid: seq,
                batch_uid: None,
                index_uid: entry.index_uid(),
                status,
                kind,
                details: outcome.details,
                canceled_by: None,
                custom_metadata: entry.asked.custom_metadata,
                error,
                enqueued_at: entry.at,
                started_at: Some(started),
                finished_at: None,
            },
            outcome.notes,
        ));
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
                self.create_index(seq, entry, primary_key.as_deref())?;
                group.touch(entry.index);
                Ok(Outcome::of(entry))
            }
            Body::UpdateIndex { primary_key } => {
                self.set_primary_key(entry, primary_key.as_deref())?;
                group.touch(entry.index);
                Ok(Outcome::of(entry))
            }
            Body::RenameIndex(rename) => self.rename_index(entry, rename, group),
            Body::DeleteIndex => self.delete_index(entry, group),
            Body::Settings(text) => {
                if entry.index == IndexNo::NONE {
                    self.existing(entry)?;
                }
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
                let deleted = apply_deletion(&shared, index, selection, &mut group.changes)?;
                Ok(Outcome::of(entry).with("deletedDocuments", json!(deleted)))
            }
            Body::Registry(change) => {
                self.registry.apply(tables::from_json(change.as_bytes())?);
                self.registry.put(group.batch(&self.shared))?;
                Ok(Outcome::default())
            }
            // Whoever asked for it does it, or the next start.
            Body::EraseShopper(_) => Ok(Outcome::default()),
            // The tasks it names stand before it and were passed over.
            Body::CancelTasks(chosen) => {
                let done = json!(chosen.uids.len());
                Ok(Outcome::of(entry).with("canceledTasks", done))
            }
            Body::DeleteTasks(chosen) => {
                let deleted = self.delete_tasks(chosen, group)?;
                Ok(Outcome::of(entry).with("deletedTasks", json!(deleted)))
            }
            Body::SwapIndexes(swaps) => self.swap_indexes(entry, swaps, group),
            Body::Dump => copies::dump(&self.shared, seq, entry, self.catching_up),
            Body::Snapshot => copies::snapshot(&self.shared, entry, self.catching_up),
            Body::Models(models) => {
                if self.open.contains_key(&models.index) {
                    shelf::put(group.batch(&self.shared), models.index, &models.list);
                }
                // The writer lists what is new; only what the views had not seen is listed here.
                if self.catching_up {
                    self.shared
                        .behaviour(models.index)
                        .shelf
                        .set(&models.list)?;
                }
                Ok(Outcome::default())
            }
            Body::Events(_) | Body::Ledger(_) | Body::Compacted => Ok(Outcome::default()),
        }
    }

    fn add_documents(
        &mut self,
        seq: u64,
        entry: &Entry,
        body: &DocumentsBody,
        group: &mut Group,
    ) -> Result<Outcome, Failure> {
        if crate::documents::is_guess_due(self.existing(entry)?, body) {
            // Building anew reads the documents view, so what the group holds goes there first,
            // and as a whole: documents without their counts would be counted wrongly when a
            // crash makes this record be applied again, and the next guess would come at
            // another record than in a rebuild.
            self.commit(group)?;
            group.touch(entry.index);
            if crate::documents::guess_roles_again(self.existing(entry)?, body) {
                self.rebuild_if_planned_otherwise(seq, entry.index)?;
            }
        }
        let shared = self.shared.clone();
        apply_documents(
            &shared,
            self.existing(entry)?,
            Batch {
                seq,
                body,
                known_only: entry.asked.known_only,
            },
            &mut group.changes,
        )
    }

    /// Takes finished tasks out of the view, with the notes on their rows.
    fn delete_tasks(&self, chosen: &ChosenTasks, group: &mut Group) -> Result<u64, EngineError> {
        let views = self.shared.views.snapshot();
        let mut deleted = 0;
        for uid in &chosen.uids {
            if Task::get(&views, *uid)?.is_some() {
                Task::delete(*uid, group.batch(&self.shared));
                deleted += 1;
            }
        }
        Ok(deleted)
    }

    /// Commits the group: words, then views with the tasks and the sequence, then publishes.
    pub(crate) fn commit(&mut self, group: &mut Group) -> Result<(), EngineError> {
        let mut group = std::mem::take(group);
        if group.next == 0 {
            return Ok(());
        }
        let finished_at = now();
        let mut batch = group
            .batch
            .take()
            .unwrap_or_else(|| self.shared.views.batch());
        self.compactor.note(group.changes.superseded);
        std::mem::take(&mut group.changes).write(&mut batch, group.next);
        if let Some(no) = group.index
            && let Some(index) = self.open.get_mut(&no)
        {
            index.meta.last_seq = group.next - 1;
            index.meta.updated_at = finished_at;
            index.words.commit(group.next)?;
            index.meta.put(&mut batch)?;
        }
        let mut finished = Vec::with_capacity(group.tasks.len());
        let batch_uid = group.tasks.first().map(|(task, _)| task.uid);
        for (mut task, notes) in group.tasks {
            task.batch_uid = batch_uid;
            task.finished_at = Some(finished_at);
            task.put(&mut batch)?;
            tables::put_notes(&mut batch, task.uid, &notes)?;
            finished.push(task);
        }
        Applied::Catalogue.write(&mut batch, group.next);
        batch.commit()?;
        self.publish(group.index, finished_at);
        self.make_given_vectors(group.index);
        if let Some(dir) = group.remove_after {
            let _ = fs::remove_dir_all(dir);
        }
        let uids = finished.iter().map(|task| task.uid);
        self.shared.waiting.finish(uids);
        let registry = self.shared.registry.load_full();
        self.shared.announcer.announce(finished, &registry);
        Ok(())
    }

    /// Vectors that the shop gives are there when the task is done; those that an encoder makes
    /// come later, so that words and prices need not wait.
    fn make_given_vectors(&self, touched: Option<IndexNo>) {
        let index = touched.and_then(|no| self.open.get(&no));
        if let Some(index) = index
            && crate::meaning::has_given(&index.meta.settings)
        {
            // The notes stay, so the worker tries again.
            if let Err(err) = self.shared.meaning(index.meta.no).catch_up(&self.shared) {
                tracing::error!(
                    index = index.meta.uid,
                    error = &err as &dyn std::error::Error,
                    "vectors were not taken in"
                );
            }
        }
        self.shared.worker.wake();
    }

    /// Exchanges what readers see; only the touched index is made anew.
    pub(crate) fn publish(&self, touched: Option<IndexNo>, as_of: Timestamp) {
        let before = self.shared.published.load_full();
        let mut indexes = BTreeMap::new();
        for (no, index) in &self.open {
            let kept = before
                .by_no(*no)
                .filter(|state| touched != Some(*no) && state.meta.uid == index.meta.uid);
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

/// The task of a write that was canceled before its turn came.
fn canceled_task(uid: u64, entry: &Entry, by: u64) -> Option<(Task, Vec<RowNote>)> {
    let task = Task {
        uid,
        batch_uid: None,
        index_uid: entry.index_uid(),
        status: TaskStatus::Canceled,
        kind: entry.body.task_kind()?,
        details: details_canceled(entry),
        canceled_by: Some(by),
        custom_metadata: entry.asked.custom_metadata.clone(),
        error: None,
        enqueued_at: entry.at,
        started_at: None,
        finished_at: None,
    };
    Some((task, Vec::new()))
}

/// Records applied but not yet committed: of one index, or one record of another kind.
#[derive(Default)]
pub(crate) struct Group {
    index: Option<IndexNo>,
    changes: Changes,
    batch: Option<ViewBatch>,
    tasks: Vec<(Task, Vec<RowNote>)>,
    next: u64,
    /// Folder of a deleted index; it goes once nobody is sent to it any more.
    pub(crate) remove_after: Option<PathBuf>,
}

impl Group {
    pub(crate) fn touch(&mut self, index: IndexNo) {
        self.index = Some(index);
    }

    pub(crate) fn batch(&mut self, shared: &Shared) -> &mut ViewBatch {
        self.batch.get_or_insert_with(|| shared.views.batch())
    }
}
