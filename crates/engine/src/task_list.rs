//! Asking for tasks and batches, and choosing those that are to be canceled or deleted.
//!
//! Finished tasks stand in the tasks view, the others wait in memory; a list has both. A
//! batch is the tasks that the applier committed together, and has the uid of the first.

use crate::outcome::object;
use crate::record::{Body, ChosenTasks};
use crate::shared::Shared;
use crate::task::TaskPaging;
use crate::writer::Done;
use crate::{
    ChosenBy, Engine, EngineError, RowNote, Task, TaskKind, TaskQuery, TaskStatus, shared, tables,
};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// A page of tasks or batches.
#[derive(Clone, Debug)]
pub struct Page<T> {
    pub results: Vec<T>,
    /// How many the query matches in all.
    pub total: u64,
    /// Uid of the first one of this page.
    pub from: Option<u64>,
    /// Uid to ask for as `from` to get the next page.
    pub next: Option<u64>,
    pub limit: usize,
}

/// Tasks that were applied together, oldest first.
#[derive(Clone, Debug)]
pub struct Batch {
    pub uid: u64,
    pub tasks: Vec<Task>,
}

impl Engine {
    /// The task once it is finished, or as it stands when the time is up.
    pub fn wait(&self, task_uid: u64, timeout: Duration) -> Result<Task, EngineError> {
        self.shared().wait(task_uid, timeout);
        self.task(task_uid)
    }

    /// One task.
    pub fn task(&self, uid: u64) -> Result<Task, EngineError> {
        let shared = self.shared();
        if let Some(pending) = shared.pending_task(uid) {
            return Ok(pending);
        }
        if let Some(task) = Task::get(&shared.views.snapshot(), uid)? {
            return Ok(task);
        }
        // Events are applied before they are answered and need no task of their own.
        let entry = shared::entry(&shared.log, uid)?;
        let Body::Events(events) = &entry.body else {
            return Err(EngineError::TaskNotFound(uid));
        };
        Ok(Task {
            uid,
            batch_uid: Some(uid),
            index_uid: entry.index_uid(),
            status: TaskStatus::Succeeded,
            kind: TaskKind::EventAddition,
            details: object(json!({ "acceptedEvents": events.len() })),
            canceled_by: None,
            custom_metadata: None,
            error: None,
            enqueued_at: entry.at,
            started_at: Some(entry.at),
            finished_at: Some(entry.at),
        })
    }

    /// Tasks of the catalogue, newest first unless asked otherwise.
    pub fn tasks(&self, query: &TaskQuery, paging: TaskPaging) -> Result<Page<Task>, EngineError> {
        if query.is_open() {
            return self.page_of_all(paging);
        }
        let mut found = if query.uids.is_empty() && !query.batch_uids.is_empty() {
            self.tasks_of_batches(&query.batch_uids)?
        } else {
            self.known_tasks(query)?
        };
        found.retain(|task| query.matches(task));
        Ok(page(found, paging, |task| task.uid))
    }

    /// A page of all tasks. Of the others nothing but the uid is read.
    fn page_of_all(&self, paging: TaskPaging) -> Result<Page<Task>, EngineError> {
        // In this order, as in `known_tasks`.
        let pending = self.shared().pending_tasks();
        let views = self.shared().views.snapshot();
        let mut pending: BTreeMap<u64, Task> =
            pending.into_iter().map(|task| (task.uid, task)).collect();
        let mut uids: BTreeSet<u64> = pending.keys().copied().collect();
        for entry in views.prefix(tables::TASKS, &[])? {
            let (key, _) = entry?;
            uids.extend(tables::be_u64(&key));
        }
        let uids = page(uids.into_iter().collect(), paging, |uid| *uid);
        let mut results = Vec::with_capacity(uids.results.len());
        for uid in uids.results {
            let finished = Task::get(&views, uid)?;
            results.extend(finished.or_else(|| pending.remove(&uid)));
        }
        Ok(Page {
            results,
            total: uids.total,
            from: uids.from,
            next: uids.next,
            limit: uids.limit,
        })
    }

    /// Batches with a task that the query means.
    pub fn batches(
        &self,
        query: &TaskQuery,
        paging: TaskPaging,
    ) -> Result<Page<Batch>, EngineError> {
        let mut batches: BTreeMap<u64, Vec<Task>> = BTreeMap::new();
        let known = match query.batch_uids.as_slice() {
            [] => self.known_tasks(&TaskQuery::default())?,
            uids => self.tasks_of_batches(uids)?,
        };
        for task in known {
            if let Some(uid) = task.batch_uid.filter(|_| query.sees(&task)) {
                batches.entry(uid).or_default().push(task);
            }
        }
        batches.retain(|_, tasks| tasks.iter().any(|task| query.matches(task)));
        let batches = batches.into_iter();
        let batches = batches.map(|(uid, tasks)| Batch { uid, tasks }).collect();
        Ok(page(batches, paging, |batch| batch.uid))
    }

    /// Rows that a task refused or changed, and how many are noted in all.
    pub fn task_rows(
        &self,
        uid: u64,
        offset: usize,
        limit: usize,
    ) -> Result<(Vec<RowNote>, u64), EngineError> {
        self.task(uid)?;
        let notes = tables::notes(&self.shared().views.snapshot(), uid)?;
        let total = notes.len() as u64;
        Ok((notes.into_iter().skip(offset).take(limit).collect(), total))
    }

    /// Finished and waiting tasks that the query may mean, oldest first: those with its uids if
    /// it has any, and no finished ones if it asks for others, which is what clients do all day.
    fn known_tasks(&self, query: &TaskQuery) -> Result<Vec<Task>, EngineError> {
        // Tasks that finish meanwhile are then seen twice, and not missed.
        let pending = self.shared().pending_tasks();
        let views = self.shared().views.snapshot();
        let mut known = BTreeMap::new();
        known.extend(pending.into_iter().map(|task| (task.uid, task)));
        if !query.uids.is_empty() {
            for uid in &query.uids {
                let task = Task::get(&views, *uid)?;
                known.extend(task.map(|task| (*uid, task)));
            }
        } else if query.may_be_finished() {
            for entry in views.prefix(tables::TASKS, &[])? {
                let (_, value) = entry?;
                let task: Task = tables::from_json(&value)?;
                if query.matches(&task) {
                    known.insert(task.uid, task);
                } else {
                    // It has finished since the waiting ones were listed.
                    known.remove(&task.uid);
                }
            }
        }
        Ok(known.into_values().collect())
    }

    /// The tasks of some batches. Those of one stand side by side, the first of them first.
    fn tasks_of_batches(&self, batches: &[u64]) -> Result<Vec<Task>, EngineError> {
        // In this order, as in `known_tasks`.
        let pending = self.shared().pending_tasks();
        let views = self.shared().views.snapshot();
        let mut known = BTreeMap::new();
        for task in pending {
            if task.batch_uid.is_some_and(|uid| batches.contains(&uid)) {
                known.insert(task.uid, task);
            }
        }
        for batch in batches {
            for entry in views.range(tables::TASKS, batch.to_be_bytes()..)? {
                let (_, value) = entry?;
                let task: Task = tables::from_json(&value)?;
                if task.batch_uid != Some(*batch) {
                    break;
                }
                known.insert(task.uid, task);
            }
        }
        Ok(known.into_values().collect())
    }

    /// Reserves the tasks that a cancelation means; `deciding` gives them free or not.
    pub(crate) fn prepare_cancelation(&self, chosen: ChosenBy) -> Result<Body, EngineError> {
        let mut matched = self.known_tasks(&chosen.query)?;
        matched.retain(|task| chosen.query.matches(task));
        Ok(Body::CancelTasks(ChosenTasks {
            filter: chosen.filter,
            matched: matched.len() as u64,
            uids: self.shared().waiting.reserve(&chosen.query),
        }))
    }

    /// Chooses the finished tasks that a deletion means.
    pub(crate) fn prepare_deletion(&self, chosen: ChosenBy) -> Result<Body, EngineError> {
        let mut matched = self.known_tasks(&chosen.query)?;
        matched.retain(|task| chosen.query.matches(task));
        let finished = matched.iter().filter(|task| task.status.is_final());
        Ok(Body::DeleteTasks(ChosenTasks {
            filter: chosen.filter,
            matched: matched.len() as u64,
            uids: finished.map(|task| task.uid).collect(),
        }))
    }

    /// What is called when a write is durable or refused: a cancelation first settles what
    /// becomes of the tasks it has reserved.
    pub(crate) fn deciding(&self, body: &Body, done: Done) -> Done {
        let Body::CancelTasks(chosen) = body else {
            return done;
        };
        let mut reserved = Reserved {
            shared: self.shared().clone(),
            uids: chosen.uids.clone(),
            by: None,
        };
        Box::new(move |result| {
            reserved.by = result.as_ref().ok().map(|accepted| accepted.task_uid);
            drop(reserved);
            done(result);
        })
    }
}

/// Tasks that a cancelation holds until it is known whether it is durable. Whatever happens
/// to the write, the applier that waits for the word gets it.
struct Reserved {
    shared: Arc<Shared>,
    uids: Vec<u64>,
    by: Option<u64>,
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.shared.waiting.decide(&self.uids, self.by);
    }
}

/// Cuts a page out of everything that matches, which is given oldest first.
fn page<T>(mut all: Vec<T>, paging: TaskPaging, uid: impl Fn(&T) -> u64) -> Page<T> {
    let TaskPaging {
        limit,
        from,
        reverse,
    } = paging;
    if !reverse {
        all.reverse();
    }
    let total = all.len() as u64;
    if let Some(from) = from {
        all.retain(|one| {
            if reverse {
                uid(one) >= from
            } else {
                uid(one) <= from
            }
        });
    }
    let next = all.get(limit).map(&uid);
    all.truncate(limit);
    let from = all.first().map(&uid);
    Page {
        results: all,
        total,
        from,
        next,
        limit,
    }
}
