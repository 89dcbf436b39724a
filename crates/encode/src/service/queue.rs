//! What waits to be encoded, and how batches are taken from it.
//!
//! A request may need several batches. It then goes to the end of the queue after each, so
//! that those behind it wait for one share of it and not for all.

use super::reply::{Reply, Sender, reply};
use super::{ServiceError, ServiceOptions};
use crate::{Encoded, Prefix};
use std::collections::VecDeque;
use std::ops::Range;
use std::time::{Duration, Instant};

/// More of a text does not count: a model reads a few hundred tokens of it.
const COUNTED_BYTES: usize = 2048;
/// What a text costs beside its bytes.
const TEXT_COST: usize = 8;

/// What texts cost, in bytes that a model would read.
pub(super) fn cost(texts: &[String]) -> usize {
    texts.iter().map(|text| text_cost(text)).sum()
}

fn text_cost(text: &str) -> usize {
    text.len().min(COUNTED_BYTES) + TEXT_COST
}

/// One request and what is done of it.
pub(super) struct Job {
    texts: Vec<String>,
    prefix: Prefix,
    queued: Instant,
    encoded: Encoded,
    reply: Option<Sender>,
}

impl Job {
    pub fn new(texts: Vec<String>, prefix: Prefix, queued: Instant) -> (Self, Reply) {
        let (sender, receiver) = reply();
        let job = Self {
            texts,
            prefix,
            queued,
            encoded: Encoded::default(),
            reply: Some(sender),
        };
        (job, receiver)
    }

    fn done(&self) -> usize {
        self.encoded.tokens.len()
    }

    fn bytes(&self) -> usize {
        self.texts.iter().map(String::len).sum()
    }

    fn is_abandoned(&self) -> bool {
        self.reply.as_ref().is_none_or(Sender::is_abandoned)
    }

    fn answer(&mut self, answer: Result<Encoded, ServiceError>) {
        if let Some(reply) = self.reply.take() {
            reply.send(answer);
        }
    }
}

/// Requests in the order in which they are served.
#[derive(Default)]
pub(super) struct Queue {
    jobs: VecDeque<Job>,
    bytes: usize,
}

impl Queue {
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Whether a request may wait too. One request alone always may.
    pub fn has_room_for(&self, texts: &[String], options: &ServiceOptions) -> bool {
        let bytes: usize = texts.iter().map(String::len).sum();
        self.jobs.is_empty()
            || self.jobs.len() < options.waiting_requests
                && self.bytes.saturating_add(bytes) <= options.waiting_bytes
    }

    pub fn push(&mut self, job: Job) {
        self.bytes += job.bytes();
        self.jobs.push_back(job);
    }

    /// Answers the requests that waited too long for their first text, and drops those whose
    /// caller has gone.
    pub fn expire(&mut self, now: Instant, deadline: Duration) {
        for _ in 0..self.jobs.len() {
            let Some(mut job) = self.pop() else {
                return;
            };
            let waited = now.saturating_duration_since(job.queued);
            if job.is_abandoned() {
                continue;
            }
            if job.done() == 0 && waited > deadline {
                job.answer(Err(ServiceError::Deadline { deadline }));
            } else {
                self.push(job);
            }
        }
    }

    /// The next batch: a share of every request with the prefix of the first one.
    pub fn take(&mut self, options: &ServiceOptions) -> Option<Batch> {
        let prefix = self.jobs.front()?.prefix;
        let share = (options.batch_texts / self.jobs.len()).max(1);
        let mut batch = Batch { parts: Vec::new() };
        let (mut texts, mut bytes) = (0, 0);
        for _ in 0..self.jobs.len() {
            let Some(job) = self.pop() else {
                break;
            };
            let room = options.batch_texts.saturating_sub(texts).min(share);
            let part = Part::of(job, room, options.batch_bytes.saturating_sub(bytes));
            let fits = part.job.prefix == prefix && (!part.range.is_empty() || texts == 0);
            if !fits {
                // Keeps its place: everything is moved once around.
                self.push(part.job);
                continue;
            }
            // A batch has at least one text, however long that is.
            let part = part.with_one();
            texts += part.range.len();
            bytes += cost(part.slice());
            batch.parts.push(part);
        }
        Some(batch)
    }

    /// Requests that are not finished go to the end.
    pub fn put_back(&mut self, batch: Batch) {
        for part in batch.parts {
            if part.job.reply.is_some() {
                self.push(part.job);
            }
        }
    }

    fn pop(&mut self) -> Option<Job> {
        let job = self.jobs.pop_front()?;
        self.bytes = self.bytes.saturating_sub(job.bytes());
        Some(job)
    }
}

/// The texts of one request that are in a batch.
pub(super) struct Part {
    job: Job,
    range: Range<usize>,
}

impl Part {
    /// As many of the next texts as there is room for.
    fn of(job: Job, texts: usize, bytes: usize) -> Self {
        let start = job.done();
        let mut end = start;
        let mut used = 0;
        for text in job.texts.iter().skip(start).take(texts) {
            used += text_cost(text);
            if used > bytes {
                break;
            }
            end += 1;
        }
        Self {
            job,
            range: start..end,
        }
    }

    /// At least one text, if there is one left.
    fn with_one(mut self) -> Self {
        if self.range.is_empty() && self.range.end < self.job.texts.len() {
            self.range.end += 1;
        }
        self
    }

    fn slice(&self) -> &[String] {
        self.job.texts.get(self.range.clone()).unwrap_or_default()
    }

    pub fn texts(&self) -> Vec<&str> {
        self.slice().iter().map(String::as_str).collect()
    }

    pub fn prefix(&self) -> Prefix {
        self.job.prefix
    }

    /// Takes the vectors of this part; answers when they were the last.
    pub fn hand_out(&mut self, encoded: &Encoded) {
        self.take(encoded, 0, encoded.tokens.len());
    }

    pub fn fail(&mut self, error: ServiceError) {
        self.job.answer(Err(error));
    }

    fn take(&mut self, encoded: &Encoded, first: usize, texts_in_all: usize) {
        let width = encoded.vectors.len() / texts_in_all.max(1);
        let rows = first..first + self.range.len();
        let vectors = encoded.vectors.get(rows.start * width..rows.end * width);
        let tokens = encoded.tokens.get(rows);
        let (Some(vectors), Some(tokens)) = (vectors, tokens) else {
            let reason = "it gave fewer vectors than it was given texts".to_owned();
            return self.fail(ServiceError::Failed { reason });
        };
        self.job.encoded.vectors.extend_from_slice(vectors);
        self.job.encoded.tokens.extend_from_slice(tokens);
        if self.job.done() >= self.job.texts.len() {
            let encoded = std::mem::take(&mut self.job.encoded);
            self.job.answer(Ok(encoded));
        }
    }
}

/// Texts of one or more requests, encoded in one call.
pub(super) struct Batch {
    parts: Vec<Part>,
}

impl Batch {
    pub fn texts(&self) -> Vec<&str> {
        self.parts.iter().flat_map(Part::texts).collect()
    }

    /// The prefix that all parts share.
    pub fn prefix(&self) -> Prefix {
        self.parts.first().map(Part::prefix).unwrap_or_default()
    }

    pub fn is_single(&self) -> bool {
        self.parts.len() == 1
    }

    pub fn parts(&mut self) -> &mut [Part] {
        &mut self.parts
    }

    /// Gives every part its vectors.
    pub fn hand_out(&mut self, encoded: &Encoded) {
        let mut first = 0;
        let texts = encoded.tokens.len();
        for part in &mut self.parts {
            let next = first + part.range.len();
            part.take(encoded, first, texts);
            first = next;
        }
    }

    pub fn fail(&mut self, error: ServiceError) {
        if let Some(part) = self.parts.first_mut() {
            part.fail(error);
        }
    }
}
