//! One answer for one request, which a thread or a task can wait for.
//!
//! `encode` knows no runtime, so this is a small oneshot over a lock: [`Reply::wait`] blocks,
//! and a `Reply` is a future as well.

use super::ServiceError;
use crate::Encoded;
use parking_lot::{Condvar, Mutex};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

type Answer = Result<Encoded, ServiceError>;

#[derive(Default)]
struct Slot {
    state: Mutex<Waiting>,
    answered: Condvar,
}

#[derive(Default)]
struct Waiting {
    answer: Option<Answer>,
    waker: Option<Waker>,
}

/// The answer that comes.
pub struct Reply(Arc<Slot>);

/// Where the answer goes; dropped without one, it answers that the service was stopped.
pub(super) struct Sender(Option<Arc<Slot>>);

/// Both ends.
pub(super) fn reply() -> (Sender, Reply) {
    let slot = Arc::new(Slot::default());
    (Sender(Some(slot.clone())), Reply(slot))
}

impl Sender {
    /// Answers. Nobody may listen any more.
    pub fn send(mut self, answer: Answer) {
        self.answer(answer);
    }

    /// Whether nobody waits any more.
    pub fn is_abandoned(&self) -> bool {
        self.0
            .as_ref()
            .is_none_or(|slot| Arc::strong_count(slot) == 1)
    }

    fn answer(&mut self, answer: Answer) {
        let Some(slot) = self.0.take() else {
            return;
        };
        let mut state = slot.state.lock();
        state.answer = Some(answer);
        let waker = state.waker.take();
        drop(state);
        slot.answered.notify_one();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.answer(Err(ServiceError::Stopped));
    }
}

impl Reply {
    /// Blocks until the answer is there.
    pub fn wait(self) -> Answer {
        let mut state = self.0.state.lock();
        loop {
            if let Some(answer) = state.answer.take() {
                return answer;
            }
            self.0.answered.wait(&mut state);
        }
    }
}

impl Future for Reply {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        let mut state = self.0.state.lock();
        match state.answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}
