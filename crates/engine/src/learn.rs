//! Fitting the sequence model of each index from its shoppers' histories.
//!
//! A fit counts; it takes seconds where training takes minutes. It is due when the
//! events have grown by a tenth since the last one. Until the first fit is done,
//! recommendations rest on what needs no model.

use crate::behaviour::{Behaviour, SequenceModel};
use crate::fitting::LastFit;
use crate::shared::{Shared, moment, now};
use crate::tables::be_u64;
use crate::{EngineError, folder};
use models::{Pctm, PctmConfig};
use parking_lot::{Condvar, Mutex};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Fewer events than this teach nothing.
const ENOUGH_EVENTS: u64 = 50;
/// A fit is due when there are this share more events.
const GROWTH: f64 = 0.1;
/// Mark and version at the start of a model file; the event count and the model follow.
const MAGIC: &[u8; 8] = b"VTRNSEQ1";
/// How often the learner looks.
const EVERY: Duration = Duration::from_secs(2);

/// The learner's thread, or its absence.
pub(crate) struct Learner {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: Mutex<Option<JoinHandle<()>>>,
    at_close: bool,
}

impl Learner {
    pub(crate) fn at_close() -> Self {
        Self {
            stop: Arc::default(),
            thread: Mutex::new(None),
            at_close: true,
        }
    }

    pub(crate) fn start(shared: Arc<Shared>) -> Result<Self, EngineError> {
        let stop: Arc<(Mutex<bool>, Condvar)> = Arc::default();
        let stopped = stop.clone();
        let dir = shared.dir.clone();
        let thread = thread::Builder::new()
            .name("vitrine-learner".to_owned())
            .spawn(move || learn_until(&shared, &stopped))
            .map_err(|source| EngineError::Folder { path: dir, source })?;
        Ok(Self {
            stop,
            thread: Mutex::new(Some(thread)),
            at_close: false,
        })
    }

    pub(crate) fn is_at_close(&self) -> bool {
        self.at_close
    }

    pub(crate) fn stop(&self) {
        *self.stop.0.lock() = true;
        self.stop.1.notify_all();
        if let Some(thread) = self.thread.lock().take() {
            // A panic in the learner has been reported; the folder still closes.
            let _ = thread.join();
        }
    }
}

fn learn_until(shared: &Shared, (stop, woken): &(Mutex<bool>, Condvar)) {
    loop {
        let mut stopped = stop.lock();
        if !*stopped {
            woken.wait_for(&mut stopped, EVERY);
        }
        if *stopped {
            return;
        }
        drop(stopped);
        if let Err(err) = fit_all(shared) {
            tracing::error!(
                error = &err as &dyn std::error::Error,
                "a model was not fitted"
            );
        }
    }
}

/// Fits the model of every index where it is due. One that fails is no reason to leave out the
/// others; the first failure is told.
pub(crate) fn fit_all(shared: &Shared) -> Result<(), EngineError> {
    let published = shared.published.load_full();
    let mut outcome = Ok(());
    for state in published.indexes.values() {
        if is_due(&state.behaviour) {
            let fitted = fit(&state.behaviour, &folder::model(&shared.dir, &state.meta));
            outcome = outcome.and(fitted);
        }
    }
    outcome
}

/// Whether a fit would take in enough that the model does not know.
pub(crate) fn is_due(behaviour: &Behaviour) -> bool {
    let events = behaviour.profiles().events();
    let fitted = behaviour.model().map_or(0, |model| model.events);
    events >= ENOUGH_EVENTS && events as f64 >= fitted as f64 * (1.0 + GROWTH)
}

/// Fits the model of an index anew, if it has one, whatever it rests on has changed.
pub(crate) fn refit(behaviour: &Behaviour, path: &Path) -> Result<(), EngineError> {
    if behaviour.profiles().events() < ENOUGH_EVENTS {
        let _fitting = behaviour.fitting.lock();
        behaviour.clear_model();
        *behaviour.last_fit.lock() = LastFit::default();
        return remove(path);
    }
    match behaviour.model() {
        Some(_) => fit(behaviour, path),
        None => Ok(()),
    }
}

/// Removes the model in a file, if there is one.
pub(crate) fn remove(path: &Path) -> Result<(), EngineError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(EngineError::Folder {
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

fn fit(behaviour: &Behaviour, path: &Path) -> Result<(), EngineError> {
    // Whoever comes second fits what there is by then.
    let _fitting = behaviour.fitting.lock();
    let started = Some(now());
    *behaviour.last_fit.lock() = LastFit {
        started,
        ..LastFit::default()
    };
    let outcome = fit_now(behaviour, path);
    *behaviour.last_fit.lock() = LastFit {
        started,
        ended: Some(now()),
        error: outcome.as_ref().err().map(ToString::to_string),
    };
    outcome
}

fn fit_now(behaviour: &Behaviour, path: &Path) -> Result<(), EngineError> {
    let started = Instant::now();
    let (sequences, items, events) = {
        let profiles = behaviour.profiles();
        let mut sequences: Vec<Vec<u32>> = Vec::with_capacity(profiles.shoppers());
        for shopper in profiles.iter_shoppers() {
            if shopper.robot_since().is_none() {
                sequences.push(shopper.sequence());
            }
        }
        (sequences, profiles.items(), profiles.events())
    };
    let pctm = Pctm::fit(&sequences, items, &PctmConfig::default())?;
    save(path, events, &pctm)?;
    behaviour.set_model(SequenceModel { events, pctm });
    tracing::info!(
        shoppers = sequences.len(),
        items,
        elapsed_ms = started.elapsed().as_millis() as u64,
        "sequence model fitted"
    );
    Ok(())
}

/// Writes beside and renames, so that a crash leaves the old model or the new one.
fn save(path: &Path, events: u64, pctm: &Pctm) -> Result<(), EngineError> {
    let io = |source| EngineError::Folder {
        path: path.to_owned(),
        source,
    };
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&events.to_be_bytes());
    bytes.extend_from_slice(&pctm.to_bytes());
    let beside = path.with_extension("new");
    fs::write(&beside, bytes).map_err(io)?;
    fs::rename(&beside, path).map_err(io)
}

/// Reads the model of an index, if it has one.
pub(crate) fn load(behaviour: &Behaviour, path: &Path) -> Result<(), EngineError> {
    let io = |source| EngineError::Folder {
        path: path.to_owned(),
        source,
    };
    if !path.exists() {
        return Ok(());
    }
    let bytes = fs::read(path).map_err(io)?;
    let foreign = || {
        io(std::io::Error::other(
            "it is no sequence model this build can read",
        ))
    };
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(foreign)?;
    let (events, pctm) = rest.split_at_checked(8).ok_or_else(foreign)?;
    let events = be_u64(events).ok_or_else(foreign)?;
    behaviour.set_model(SequenceModel {
        events,
        pctm: Pctm::from_bytes(pctm)?,
    });
    // The file is as old as the fit. Where that cannot be told the model is as good.
    let written = fs::metadata(path).and_then(|file| file.modified()).ok();
    let ended = written.map(moment);
    *behaviour.last_fit.lock() = LastFit {
        started: ended,
        ended,
        error: None,
    };
    Ok(())
}
