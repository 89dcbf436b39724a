//! Requests of many callers, encoded together.
//!
//! A request that finds the encoder free is run by its caller, at no cost but a lock. What
//! comes meanwhile waits in a bounded queue, and a thread of the service encodes everything
//! that waits, batch after batch, as soon as the encoder is free. A large request gives way
//! to small ones: each batch takes a share of every request that waits. A text that makes a
//! batch fail fails its own request only.

mod queue;
mod reply;

use crate::{Encoded, Encoder, ModelError, Prefix};
use parking_lot::{Condvar, Mutex};
use queue::{Batch, Job, Queue};
pub use reply::Reply;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What a service takes at once, and how long a request may wait.
#[derive(Clone, Copy, Debug)]
pub struct ServiceOptions {
    /// Texts of one batch.
    pub batch_texts: usize,
    /// Bytes of one batch; a text counts as much of itself as a model would read.
    pub batch_bytes: usize,
    /// Requests that may wait.
    pub waiting_requests: usize,
    /// Bytes of text that may wait.
    pub waiting_bytes: usize,
    /// How long a request may wait for its first text to be encoded.
    pub deadline: Duration,
}

impl Default for ServiceOptions {
    fn default() -> Self {
        Self {
            batch_texts: 64,
            batch_bytes: 16_384,
            waiting_requests: 1000,
            waiting_bytes: 64_000_000,
            deadline: Duration::from_secs(10),
        }
    }
}

/// Why a request was not answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    #[error("too many texts wait to be encoded already; try again in a moment")]
    Full,
    #[error("the texts were not encoded within {} s; try again in a moment", deadline.as_secs_f64())]
    Deadline { deadline: Duration },
    #[error("the encoder was stopped before the texts were encoded")]
    Stopped,
    #[error("the encoder failed on these texts: {reason}")]
    Failed { reason: String },
    #[error(transparent)]
    Model(#[from] ModelError),
}

type Work = dyn Fn(&[&str], Prefix) -> Result<Encoded, ModelError> + Send + Sync;

/// One encoder, shared by many callers.
pub struct Service {
    shared: Arc<Shared>,
    worker: Option<JoinHandle<()>>,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("options", &self.shared.options)
            .finish_non_exhaustive()
    }
}

struct Shared {
    work: Box<Work>,
    options: ServiceOptions,
    state: Mutex<State>,
    /// Told when there is something for the thread to do.
    changed: Condvar,
}

struct State {
    queue: Queue,
    /// Somebody is encoding.
    is_busy: bool,
    is_closed: bool,
}

/// How a request goes on.
#[must_use = "a request that is dropped is not answered"]
pub enum Begun {
    /// The encoder was free: the caller runs the request itself.
    Turn(Turn),
    /// The encoder is busy: the answer comes.
    Queued(Reply),
}

/// The right to encode at once; given back when dropped.
pub struct Turn {
    shared: Arc<Shared>,
    texts: Vec<String>,
    prefix: Prefix,
}

impl Service {
    /// Serves an encoder.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(encoder: Arc<Encoder>, options: ServiceOptions) -> io::Result<Self> {
        Self::over(
            Box::new(move |texts, prefix| encoder.encode(texts, prefix)),
            options,
        )
    }

    fn over(work: Box<Work>, options: ServiceOptions) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            work,
            options,
            state: Mutex::new(State {
                queue: Queue::default(),
                is_busy: false,
                is_closed: false,
            }),
            changed: Condvar::new(),
        });
        let own = shared.clone();
        let worker = thread::Builder::new()
            .name("encode".to_owned())
            .spawn(move || own.serve())?;
        Ok(Self {
            shared,
            worker: Some(worker),
        })
    }

    /// Encodes texts and waits for the answer.
    pub fn encode(&self, texts: Vec<String>, prefix: Prefix) -> Result<Encoded, ServiceError> {
        match self.begin(texts, prefix)? {
            Begun::Turn(turn) => turn.run(),
            Begun::Queued(reply) => reply.wait(),
        }
    }

    /// Begins a request without waiting for the encoder.
    pub fn begin(&self, texts: Vec<String>, prefix: Prefix) -> Result<Begun, ServiceError> {
        let options = &self.shared.options;
        let is_small =
            texts.len() <= options.batch_texts && queue::cost(&texts) <= options.batch_bytes;
        let mut state = self.shared.state.lock();
        if is_small && !state.is_busy && state.queue.is_empty() {
            state.is_busy = true;
            let shared = self.shared.clone();
            return Ok(Begun::Turn(Turn {
                shared,
                texts,
                prefix,
            }));
        }
        if !state.queue.has_room_for(&texts, options) {
            return Err(ServiceError::Full);
        }
        let (job, reply) = Job::new(texts, prefix, Instant::now());
        state.queue.push(job);
        if !state.is_busy {
            self.shared.changed.notify_one();
        }
        Ok(Begun::Queued(reply))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.shared.state.lock().is_closed = true;
        self.shared.changed.notify_one();
        if let Some(worker) = self.worker.take() {
            // The thread catches every panic of the encoder; a panic of its own has been printed.
            let _ = worker.join();
        }
    }
}

impl Turn {
    /// Encodes the texts on this thread.
    pub fn run(self) -> Result<Encoded, ServiceError> {
        let texts: Vec<&str> = self.texts.iter().map(String::as_str).collect();
        self.shared.call(&texts, self.prefix)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.is_busy = false;
        if !state.queue.is_empty() {
            self.shared.changed.notify_one();
        }
    }
}

impl Shared {
    /// Encodes what waits, until the service is dropped.
    fn serve(&self) {
        loop {
            let mut state = self.state.lock();
            while !state.is_closed && (state.is_busy || state.queue.is_empty()) {
                self.changed.wait(&mut state);
            }
            if state.is_closed {
                // Dropping a job answers it with `Stopped`.
                state.queue = Queue::default();
                return;
            }
            state.queue.expire(Instant::now(), self.options.deadline);
            let Some(mut batch) = state.queue.take(&self.options) else {
                continue;
            };
            state.is_busy = true;
            drop(state);
            self.run(&mut batch);
            let mut state = self.state.lock();
            state.is_busy = false;
            state.queue.put_back(batch);
        }
    }

    /// Encodes a batch; when it fails, every request in it on its own.
    fn run(&self, batch: &mut Batch) {
        let outcome = self.call(&batch.texts(), batch.prefix());
        match outcome {
            Ok(encoded) => batch.hand_out(&encoded),
            Err(error) if batch.is_single() => batch.fail(error),
            Err(_) => {
                for part in batch.parts() {
                    let outcome = self.call(&part.texts(), part.prefix());
                    match outcome {
                        Ok(encoded) => part.hand_out(&encoded),
                        Err(error) => part.fail(error),
                    }
                }
            }
        }
    }

    /// Calls the encoder; a panic becomes an error.
    fn call(&self, texts: &[&str], prefix: Prefix) -> Result<Encoded, ServiceError> {
        match catch_unwind(AssertUnwindSafe(|| (self.work)(texts, prefix))) {
            Ok(outcome) => Ok(outcome?),
            Err(panic) => {
                let reason = panic
                    .downcast_ref::<&str>()
                    .map(|text| (*text).to_owned())
                    .or_else(|| panic.downcast_ref::<String>().cloned());
                Err(ServiceError::Failed {
                    reason: reason.unwrap_or_else(|| "it panicked".to_owned()),
                })
            }
        }
    }
}

#[cfg(test)]
mod tests;
