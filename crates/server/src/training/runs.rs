//! Trainings beside the answers: one at a time, on threads that yield to requests.
//!
//! What is told of a training lives in memory. What it can go on from is in the workshop of
//! its index, so a training that a stop of the server ends is resumed by asking for that.

use crate::engine_error::with_causes;
use domain::{IndexUid, Timestamp};
use engine::Engine;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use train::pipeline::{Counts, Settings};
use train::{EpochReport, Observer, TrainError};
use workshop::{Job, Shelved, WorkshopError};

/// What a training is asked to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    /// None goes on with what was interrupted.
    pub settings: Option<Settings>,
    /// Whether the model may become live.
    pub promote: bool,
}

/// The trainings of a server, the newest of each index.
#[derive(Default)]
pub(crate) struct Trainings {
    runs: Mutex<BTreeMap<IndexUid, Arc<Run>>>,
}

/// One training.
pub(crate) struct Run {
    uid: IndexUid,
    is_to_stop: AtomicBool,
    progress: Mutex<Progress>,
}

/// How far a training is.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    pub status: Status,
    pub started: Timestamp,
    pub ended: Option<Timestamp>,
    pub settings: Option<Settings>,
    pub counts: Option<Counts>,
    /// Batches that are done in all epochs, and how many there are.
    pub batches: (usize, usize),
    pub seconds_left: Option<f64>,
    pub epochs: Vec<EpochReport>,
    /// The model that came of it.
    pub model: Option<String>,
    /// Why it failed, or why the model does not answer.
    pub message: Option<String>,
}

/// What a training does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Status {
    /// It reads the events.
    Reading,
    Training,
    /// It measures the model on the final test, and simpler ones beside it.
    Measuring,
    Succeeded,
    Failed,
    /// It was told to stop, and can be resumed.
    Stopped,
}

/// Why a training does not begin: this index is being trained for.
#[derive(Debug)]
pub(crate) struct Occupied(pub IndexUid);

impl Trainings {
    /// Begins a training on a thread of its own.
    pub(crate) fn start(
        &self,
        engine: &Engine,
        uid: IndexUid,
        order: Order,
    ) -> Result<Progress, Occupied> {
        let mut runs = locked(&self.runs);
        if let Some(busy) = runs.values().find(|run| !run.has_ended()) {
            return Err(Occupied(busy.uid.clone()));
        }
        let run = Arc::new(Run {
            uid: uid.clone(),
            is_to_stop: AtomicBool::new(false),
            progress: Mutex::new(Progress::begun(order)),
        });
        runs.insert(uid, Arc::clone(&run));
        let begun = run.progress();
        let engine = engine.clone();
        let worker = thread::Builder::new().name("training".to_owned());
        let trained = Arc::clone(&run);
        if let Err(error) = worker.spawn(move || trained.train(&engine, order)) {
            run.end(Status::Failed, Some(error.to_string()));
        }
        Ok(begun)
    }

    /// The newest training of an index since the server was started.
    pub(crate) fn of(&self, uid: &IndexUid) -> Option<Progress> {
        locked(&self.runs).get(uid).map(|run| run.progress())
    }

    /// Tells the training of an index to stop after the batch it is at. Whether there was one.
    pub(crate) fn stop(&self, uid: &IndexUid) -> bool {
        let runs = locked(&self.runs);
        let run = runs.get(uid).filter(|run| !run.has_ended());
        if let Some(run) = run {
            run.is_to_stop.store(true, Ordering::Relaxed);
        }
        run.is_some()
    }

    /// Stops all and waits for them, at most so long.
    pub(crate) fn end(&self, patience: Duration) {
        let runs: Vec<Arc<Run>> = locked(&self.runs).values().cloned().collect();
        let deadline = Instant::now() + patience;
        for run in runs {
            run.is_to_stop.store(true, Ordering::Relaxed);
            while !run.has_ended() && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

impl Progress {
    fn begun(order: Order) -> Self {
        Self {
            status: Status::Reading,
            started: engine::now(),
            ended: None,
            settings: order.settings,
            counts: None,
            batches: (0, 0),
            seconds_left: None,
            epochs: Vec::new(),
            model: None,
            message: None,
        }
    }
}

impl Run {
    fn progress(&self) -> Progress {
        locked(&self.progress).clone()
    }

    fn has_ended(&self) -> bool {
        locked(&self.progress).ended.is_some()
    }

    fn end(&self, status: Status, message: Option<String>) {
        let mut progress = locked(&self.progress);
        progress.status = status;
        progress.message = message;
        progress.seconds_left = None;
        progress.ended = Some(engine::now());
    }

    fn train(&self, engine: &Engine, order: Order) {
        // A panic must not leave a training that never ends and keeps others from beginning.
        let work = std::panic::AssertUnwindSafe(|| self.model(engine, order));
        match std::panic::catch_unwind(work) {
            Ok(Ok(shelved)) => {
                locked(&self.progress).model = Some(shelved.entry.id);
                self.end(Status::Succeeded, shelved.held_back);
            }
            Ok(Err(WorkshopError::Train(TrainError::Interrupted { .. }))) => {
                self.end(Status::Stopped, None);
            }
            Ok(Err(error)) => {
                tracing::warn!(index = %self.uid, error = &error as &dyn std::error::Error, "a training failed");
                self.end(Status::Failed, Some(with_causes(&error)));
            }
            Err(_) => self.end(Status::Failed, Some("the training panicked".to_owned())),
        }
    }

    fn model(&self, engine: &Engine, order: Order) -> Result<Shelved, WorkshopError> {
        let (data, uid) = (engine.dir(), &self.uid);
        let job = match order.settings {
            Some(settings) => Job::new(data, uid, workshop::read(engine, uid.as_str())?, settings)?,
            None => Job::resumed(data, uid)?,
        };
        let ready = job.prepare()?;
        {
            let mut progress = locked(&self.progress);
            progress.settings = Some(ready.settings());
            progress.counts = Some(ready.counts().clone());
            progress.status = Status::Training;
        }
        let mut watch = Watch {
            run: self,
            epochs: ready.settings().epochs,
            begun: None,
        };
        let done = match workshop::background() {
            Ok(threads) => threads.install(|| ready.train(&mut watch))?,
            // Without threads of its own it takes those that there are.
            Err(_) => ready.train(&mut watch)?,
        };
        done.shelve(engine, uid, order.promote)
    }
}

/// Tells of a training, and ends it when it is asked to.
struct Watch<'a> {
    run: &'a Run,
    epochs: usize,
    /// When the first batch was done, and how many were then.
    begun: Option<(Instant, usize)>,
}

impl Observer for Watch<'_> {
    fn batch(&mut self, epoch: usize, done: usize, batches: usize) -> bool {
        let (all, done) = (self.epochs * batches, (epoch - 1) * batches + done);
        let (since, before) = *self.begun.get_or_insert_with(|| (Instant::now(), done));
        let mut progress = locked(&self.run.progress);
        progress.batches = (done, all);
        if done > before {
            let rate = since.elapsed().as_secs_f64() / (done - before) as f64;
            progress.seconds_left = Some(rate * (all - done) as f64);
        }
        if done == all {
            progress.status = Status::Measuring;
        }
        !self.run.is_to_stop.load(Ordering::Relaxed)
    }

    fn epoch(&mut self, report: &EpochReport) {
        locked(&self.run.progress).epochs.push(report.clone());
    }
}

/// Nothing that holds these locks can leave half of a change behind.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
