//! The thread on which shadows rank: beside the answers, never before one.
//!
//! A request leaves what it was about, if there is room, and goes on. The thread takes one after
//! the other and rests after each, so that it takes a tenth of one core at most.

use crate::EngineError;
use crate::behaviour::Behaviour;
use crate::recommend::Asked;
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

/// Requests that wait; further ones are passed over.
const WAITING: usize = 16;
/// The thread rests so many times as long as it worked.
const REST: u32 = 9;

#[derive(Default)]
struct Queue {
    stop: bool,
    asked: VecDeque<(Arc<Behaviour>, Asked)>,
}

/// The thread, and what waits for it.
#[derive(Default)]
pub(crate) struct Shadows {
    queue: Arc<(Mutex<Queue>, Condvar)>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Shadows {
    /// Starts the thread.
    pub fn start(&self, dir: &Path) -> Result<(), EngineError> {
        let queue = self.queue.clone();
        let thread = thread::Builder::new()
            .name("vitrine-shadow".to_owned())
            .spawn(move || rank_until(&queue))
            .map_err(|source| EngineError::Folder {
                path: dir.to_owned(),
                source,
            })?;
        *self.thread.lock() = Some(thread);
        Ok(())
    }

    /// Leaves a request for the shadow of its index, unless that would make it wait.
    pub fn leave(&self, behaviour: &Arc<Behaviour>, asked: impl FnOnce() -> Asked) {
        let Some(mut queue) = self.queue.0.try_lock() else {
            return;
        };
        if queue.asked.len() < WAITING && !queue.stop {
            queue.asked.push_back((behaviour.clone(), asked()));
            self.queue.1.notify_one();
        }
    }

    pub fn stop(&self) {
        self.queue.0.lock().stop = true;
        self.queue.1.notify_all();
        if let Some(thread) = self.thread.lock().take() {
            // A panic there has been reported, and nothing but the numbers rests on it.
            let _ = thread.join();
        }
    }
}

fn rank_until((queue, woken): &(Mutex<Queue>, Condvar)) {
    loop {
        let (behaviour, asked) = {
            let mut queue = queue.lock();
            loop {
                if queue.stop {
                    return;
                }
                if let Some(next) = queue.asked.pop_front() {
                    break next;
                }
                woken.wait(&mut queue);
            }
        };
        let started = Instant::now();
        let shelf = &behaviour.shelf;
        if let Some(shadow) = shelf.shadow() {
            let pair = (shadow.id.clone(), asked.live().to_owned());
            let look = asked.look(&behaviour, &shadow);
            shelf.trial.add((&pair.0, &pair.1), asked.user(), look);
        }
        let until = Instant::now() + started.elapsed() * REST;
        let mut queue = queue.lock();
        while !queue.stop && !woken.wait_until(&mut queue, until).timed_out() {}
    }
}
