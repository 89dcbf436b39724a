//! The thread that keeps vectors up to date, part by part: it wakes when documents were
//! written, and looks by itself now and then.

use super::embedder::{Embedder, Item, Surroundings};
use super::embedders::{self, Plan};
use super::notes::{self, Kept, Note};
use super::{Meaning, Published, Work};
use crate::EngineError;
use crate::shared::Shared;
use crate::snapshot::{IndexReader, IndexState};
use crate::tables::{Document, from_json};
use parking_lot::{Condvar, Mutex};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use store::ViewSnapshot;

/// Documents of one part: a second of encoding at most, so that closing need not wait long.
const PART: usize = 512;
/// How often the worker looks when nobody wakes it.
const EVERY: Duration = Duration::from_secs(2);

/// When an embedder that could not be opened is tried again: choosing a model reads documents.
const AGAIN: Duration = Duration::from_secs(30);

/// Embedders that could not be opened, and why.
pub(super) struct Tried {
    at: Instant,
    plans: BTreeMap<String, Plan>,
    faults: BTreeMap<String, String>,
}

/// What the worker is told.
#[derive(Default)]
struct Signal {
    stop: bool,
    due: bool,
}

/// The worker's thread.
#[derive(Default)]
pub(crate) struct Worker {
    signal: Arc<(Mutex<Signal>, Condvar)>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Worker {
    /// Starts the thread. Without `encoders` only vectors that shops give are taken in.
    pub(crate) fn start(&self, shared: Arc<Shared>) -> Result<(), EngineError> {
        let signal = self.signal.clone();
        let dir = shared.dir.clone();
        let thread = thread::Builder::new()
            .name("vitrine-meaning".to_owned())
            .spawn(move || work_until(&shared, &signal))
            .map_err(|source| EngineError::Folder { path: dir, source })?;
        *self.thread.lock() = Some(thread);
        Ok(())
    }

    /// Documents were written.
    pub(crate) fn wake(&self) {
        self.signal.0.lock().due = true;
        self.signal.1.notify_all();
    }

    pub(crate) fn stop(&self) {
        self.signal.0.lock().stop = true;
        self.signal.1.notify_all();
        if let Some(thread) = self.thread.lock().take() {
            // A panic in the worker has been reported; the folder still closes.
            let _ = thread.join();
        }
    }

    fn is_stopped(&self) -> bool {
        self.signal.0.lock().stop
    }
}

fn work_until(shared: &Arc<Shared>, (signal, woken): &(Mutex<Signal>, Condvar)) {
    loop {
        let mut told = signal.lock();
        if !told.stop && !told.due {
            woken.wait_for(&mut told, EVERY);
        }
        if told.stop {
            break;
        }
        told.due = false;
        drop(told);
        let published = shared.published.load_full();
        for state in published.indexes.values() {
            if let Err(err) = tend(shared, state) {
                tracing::error!(
                    index = state.meta.uid,
                    error = &err as &dyn std::error::Error,
                    "vectors were not made"
                );
            }
        }
    }
    for meaning in shared.all_meanings() {
        // Graphs in the making are broken off.
        meaning.work.lock().embedders.clear();
    }
}

/// Makes the vectors that wait, and lets the live model of the index know of them. Where many
/// wait, a model that is not open yet need not wait for all.
fn tend(shared: &Arc<Shared>, state: &IndexState) -> Result<(), EngineError> {
    let meaning = shared.meaning(state.meta.no);
    let renew = || {
        // The uid may lead nowhere by now, or to another index, which has a shelf of its own.
        if let Ok(reader) = IndexReader::new(shared, &state.meta.uid) {
            reader.state.behaviour.shelf.renew(&reader);
        }
    };
    while !shared.worker.is_stopped() && meaning.work_a_part(shared)? {
        if state.behaviour.shelf.live().is_none() {
            renew();
        }
    }
    renew();
    Ok(())
}

impl Meaning {
    /// The same, and looks for models that were missing a moment ago.
    pub(crate) fn catch_up_now(&self, shared: &Shared) -> Result<(), EngineError> {
        self.work.lock().tried = None;
        self.catch_up(shared)
    }

    /// Works until nothing waits, or the worker is told to stop.
    pub(crate) fn catch_up(&self, shared: &Shared) -> Result<(), EngineError> {
        while !shared.worker.is_stopped() && self.work_a_part(shared)? {}
        Ok(())
    }

    /// Does a part of what waits; true when there may be more.
    fn work_a_part(&self, shared: &Shared) -> Result<bool, EngineError> {
        let mut work = self.work.lock();
        if work.is_stopped {
            return Ok(false);
        }
        let published = shared.published.load_full();
        let Some(state) = published.by_no(self.no) else {
            work.embedders.clear();
            return Ok(false);
        };
        let views = shared.views.snapshot();
        let around = Surroundings {
            shared,
            state,
            views: &views,
            encoders: shared.encoders.as_deref(),
        };
        let faults = work.open(&around)?;
        let notes = Note::oldest(&views, self.no, PART)?;
        let waiting = match notes.len() < PART {
            true => notes.len() as u64,
            false => Note::count(&views, self.no)?,
        };
        if work.embedders.is_empty() && notes.is_empty() {
            self.publish(&mut work, faults, 0);
            return Ok(false);
        }
        let (backlog, is_more) = match self.absorb(&mut work, &around, &notes) {
            Ok(left) => left,
            Err(err) => {
                // In memory these items count as done, in the views they do not: going on would
                // forget them. What is durable has the notes, so a restart catches up.
                work.is_stopped = true;
                tracing::error!(
                    index = state.meta.uid,
                    "vectors stay as they are; restart to make the others"
                );
                return Err(err);
            }
        };
        for embedder in work.embedders.values_mut() {
            embedder.tend_graph(is_more)?;
        }
        let waiting = waiting - notes.len() as u64 + backlog;
        self.publish(&mut work, faults, waiting);
        Ok(is_more)
    }

    /// Lets every embedder take in what the notes are about and a part of its backlog, in one
    /// batch; how much backlog is left, and whether there may be more to do.
    fn absorb(
        &self,
        work: &mut Work,
        around: &Surroundings<'_>,
        notes: &[Note],
    ) -> Result<(u64, bool), EngineError> {
        let (views, state) = (around.views, around.state);
        let mut batch = around.shared.views.batch();
        let items = items_of(views, state, notes)?;
        let noted: BTreeSet<u64> = notes.iter().map(|note| note.number).collect();
        let mut is_more = notes.len() == PART;
        let mut backlog = 0;
        for embedder in work.embedders.values_mut() {
            let older = embedder.take_backlog(PART - notes.len().min(PART - 1));
            let mut all = named(views, state, &older)?;
            // A document of the backlog may have been written again since.
            all.retain(|item| !noted.contains(&item.number));
            all.extend(items.iter().cloned());
            if !all.is_empty() {
                embedder.absorb(&all, &mut batch)?;
            }
            backlog += embedder.backlog();
            is_more |= embedder.backlog() > 0;
        }
        for note in notes {
            note.delete(&mut batch, self.no);
        }
        if !batch.is_empty() {
            batch.commit()?;
        }
        Ok((backlog, is_more))
    }

    fn publish(&self, work: &mut Work, faults: BTreeMap<String, String>, waiting: u64) {
        let mut embedders = BTreeMap::new();
        for (name, embedder) in &work.embedders {
            let now = embedder.space();
            let before = work.before.get(name);
            let is_whole = embedder.backlog() == 0;
            let space = match before.filter(|before| !is_whole && before.model != now.model) {
                Some(before) => before.clone(),
                None => {
                    work.before.remove(name);
                    Arc::new(now)
                }
            };
            embedders.insert(name.clone(), Ok(space));
        }
        embedders.extend(faults.into_iter().map(|(name, why)| (name, Err(why))));
        self.published
            .store(Arc::new(Published { embedders, waiting }));
    }
}

impl Work {
    /// Opens the embedders that are wanted and closes the others; says which cannot work.
    fn open(&mut self, around: &Surroundings<'_>) -> Result<BTreeMap<String, String>, EngineError> {
        let plans: BTreeMap<String, Plan> = embedders::plans(&around.state.meta.settings);
        let before = &mut self.before;
        before.retain(|name, _| plans.contains_key(name));
        self.embedders.retain(|name, embedder| {
            let Some(plan) = plans.get(name) else {
                return false;
            };
            let stays = embedder.suits(plan, around.state) || embedder.is_building();
            if !stays && embedder.backlog() == 0 {
                before.insert(name.clone(), Arc::new(embedder.space()));
            }
            stays
        });
        self.drop_unwanted(around, &plans)?;
        let mut faults = BTreeMap::new();
        if plans.keys().all(|name| self.embedders.contains_key(name)) {
            return Ok(faults);
        }
        if let Some(tried) = &self.tried
            && tried.at.elapsed() < AGAIN
            && tried.plans == plans
            && plans
                .keys()
                .all(|name| self.embedders.contains_key(name) || tried.faults.contains_key(name))
        {
            return Ok(tried.faults.clone());
        }
        let kept = Kept::all(around.views, around.state.meta.no)?;
        for (name, plan) in &plans {
            if self.embedders.contains_key(name) {
                continue;
            }
            match Embedder::open(around, name, plan, kept.get(name))? {
                Ok(Some(embedder)) => {
                    self.embedders.insert(name.clone(), embedder);
                }
                Ok(None) => {}
                Err(why) => {
                    faults.insert(name.clone(), why);
                    if let Some(kept) = kept.get(name).filter(|kept| kept.complete) {
                        // Notes are not kept for it, so it must look at everything when it is back.
                        let mut batch = around.shared.views.batch();
                        let incomplete = Kept {
                            complete: false,
                            ..kept.clone()
                        };
                        incomplete.put(&mut batch, around.state.meta.no, name)?;
                        batch.commit()?;
                    }
                }
            }
        }
        self.tried = (!faults.is_empty()).then(|| Tried {
            at: Instant::now(),
            plans,
            faults: faults.clone(),
        });
        Ok(faults)
    }
}

impl Work {
    /// Removes what is kept of embedders that the settings no longer name.
    fn drop_unwanted(
        &mut self,
        around: &Surroundings<'_>,
        plans: &BTreeMap<String, Plan>,
    ) -> Result<(), EngineError> {
        let no = around.state.meta.no;
        for (name, kept) in Kept::all(around.views, no)? {
            if !plans.contains_key(&name) {
                let mut batch = around.shared.views.batch();
                notes::delete_epoch(around.views, &mut batch, no, kept.epoch)?;
                Kept::delete(&mut batch, no, &name);
                batch.commit()?;
                // Readers may still map the files; on Unix they stay until the last one is gone.
                let _ = fs::remove_dir_all(around.folder(&name, kept.epoch));
            }
        }
        Ok(())
    }
}

/// What the notes are about.
fn items_of(
    views: &ViewSnapshot,
    state: &IndexState,
    notes: &[Note],
) -> Result<Vec<Item>, EngineError> {
    let named_by: Vec<(u64, String)> = notes
        .iter()
        .map(|note| (note.number, note.id.clone()))
        .collect();
    named(views, state, &named_by)
}

/// Items by number and id, each once, with the document if it is still the same item's.
fn named(
    views: &ViewSnapshot,
    state: &IndexState,
    named: &[(u64, String)],
) -> Result<Vec<Item>, EngineError> {
    let mut items = BTreeMap::new();
    for (number, id) in named {
        let found = Document::get(views, state.meta.no, id)?;
        let document = match found.filter(|document| document.order == *number) {
            Some(document) => Some(from_json(document.json.as_bytes())?),
            None => None,
        };
        items.insert(*number, document);
    }
    let items = items.into_iter();
    Ok(items
        .map(|(number, document)| Item { number, document })
        .collect())
}
