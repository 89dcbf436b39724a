//! What every handler shares: the engine, the encoders, the configuration and the turnstiles.
//!
//! Engine calls block. Reads take a turn (so that a crowd queues instead of
//! thrashing) and run in place on the worker thread, after telling tokio to move
//! its other tasks elsewhere. Measured against running without that word: alone a
//! search takes as long, a crowd of searches about a tenth longer, and events that
//! come meanwhile wait a third less. Writes hand over to the writer thread and
//! await its word.

use crate::config::{Limits, ServerConfig};
use crate::error::ApiError;
use crate::keyring::Keyring;
use crate::metrics::Requests;
use crate::training::Trainings;
use axum::http::StatusCode;
use domain::IndexUid;
use engine::{Accepted, Encoders, Engine, EngineError, IndexReader, RegistryChange, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{Mutex, MutexGuard, Semaphore, SemaphorePermit, oneshot};

/// The state of the router; a cheap clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Inner>);

struct Inner {
    engine: Engine,
    encoders: Arc<Encoders>,
    config: ServerConfig,
    keyring: Option<Keyring>,
    registry_turn: Mutex<()>,
    requests: Requests,
    computing: Semaphore,
    waiting: AtomicUsize,
    large_bodies: Semaphore,
    restoring: Semaphore,
    trainings: Trainings,
}

impl App {
    pub(crate) fn new(engine: Engine, config: ServerConfig) -> Self {
        let limits = &config.limits;
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        // A model that the engine has open is not opened twice.
        let encoders = engine.encoders().cloned().unwrap_or_else(|| {
            let encoders = Encoders::new(config.models.clone(), threads, limits.encoding);
            Arc::new(encoders)
        });
        let master_key = config.master_key.as_ref();
        Self(Arc::new(Inner {
            keyring: master_key.map(|key| Keyring::new(&key.0)),
            registry_turn: Mutex::new(()),
            requests: Requests::default(),
            trainings: Trainings::default(),
            encoders,
            computing: Semaphore::new(limits.computing.max(1)),
            waiting: AtomicUsize::new(0),
            large_bodies: Semaphore::new(limits.large_bodies.max(1)),
            restoring: Semaphore::new(1),
            engine,
            config,
        }))
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.config.limits
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// The index behind `/api`.
    pub(crate) fn gorse_index(&self) -> &IndexUid {
        &self.0.config.gorse_index
    }

    /// The API keys, if there is a master key.
    pub(crate) fn keyring(&self) -> Option<&Keyring> {
        self.0.keyring.as_ref()
    }

    /// Trainings of this server.
    pub(crate) fn trainings(&self) -> &Trainings {
        &self.0.trainings
    }

    /// Counts of answered requests.
    pub(crate) fn requests(&self) -> &Requests {
        &self.0.requests
    }

    /// The right to look at the registry and change it before anybody else does.
    pub(crate) async fn registry_turn(&self) -> MutexGuard<'_, ()> {
        self.0.registry_turn.lock().await
    }

    /// Changes the registry; answered when the change is durable and in force.
    pub(crate) async fn change(&self, change: RegistryChange) -> Result<(), ApiError> {
        self.write(Write::Registry(change)).await.map(|_| ())
    }

    /// Encoder models by name.
    pub(crate) fn encoders(&self) -> &Encoders {
        &self.0.encoders
    }

    /// Runs a read when its turn comes.
    pub(crate) async fn read<T>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let _turn = self.turn().await?;
        in_place(|| work(&self.0.engine))
    }

    /// Runs a read on one snapshot of an index.
    pub(crate) async fn read_index<T>(
        &self,
        uid: &str,
        work: impl FnOnce(&IndexReader) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        IndexUid::new(uid).map_err(EngineError::from)?;
        self.read(|engine| work(&engine.index(uid)?)).await
    }

    /// Hands a write to the writer thread; answered when it is durable.
    pub(crate) async fn write(&self, write: Write) -> Result<Accepted, ApiError> {
        outcome(self.send(write)).await
    }

    /// Hands a write over without waiting. It is prepared on this thread, which takes its
    /// time for many documents.
    pub(crate) fn send(&self, write: Write) -> Sent {
        let (done, outcome) = oneshot::channel();
        self.0.engine.submit(write, move |result| {
            // The client may have gone; the write stands all the same.
            let _ = done.send(result);
        });
        outcome
    }

    /// A place among the large bodies; waits for one.
    pub(crate) async fn large_body(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed, so there is always a permit in the end.
        self.0.large_bodies.acquire().await.ok()
    }

    /// The right to write out of a dump, which takes as long as its sender likes: one at a time.
    pub(crate) fn restore_turn(&self) -> Result<SemaphorePermit<'_>, ApiError> {
        self.0.restoring.try_acquire().map_err(|_| {
            ApiError::system(
                StatusCode::SERVICE_UNAVAILABLE,
                "restore_running",
                "another restore is running; try again when it has ended",
            )
        })
    }

    async fn turn(&self) -> Result<SemaphorePermit<'_>, ApiError> {
        if let Ok(permit) = self.0.computing.try_acquire() {
            return Ok(permit);
        }
        let place = Place::take(&self.0.waiting);
        if place.ahead >= self.limits().waiting {
            return Err(ApiError::system(
                StatusCode::SERVICE_UNAVAILABLE,
                "too_many_search_requests",
                format!(
                    "{} requests are waiting already; try again in a moment.",
                    self.limits().waiting
                ),
            ));
        }
        match self.0.computing.acquire().await {
            Ok(permit) => Ok(permit),
            Err(closed) => Err(ApiError::internal(closed)),
        }
    }
}

/// A write on its way to the disk.
pub(crate) type Sent = oneshot::Receiver<Result<Accepted, EngineError>>;

/// Waits until a write is durable.
pub(crate) async fn outcome(sent: Sent) -> Result<Accepted, ApiError> {
    match sent.await {
        Ok(result) => Ok(result?),
        Err(_) => Err(EngineError::Closing.into()),
    }
}

/// A place in the queue, given back when dropped (also when the client has gone).
struct Place<'a> {
    waiting: &'a AtomicUsize,
    ahead: usize,
}

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize) -> Self {
        Self {
            waiting,
            ahead: waiting.fetch_add(1, Ordering::Relaxed),
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Runs blocking work on this thread without holding up the tasks queued behind it.
pub(crate) fn in_place<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}
