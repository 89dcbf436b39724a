//! Ranking all items for histories, many at once, with the parameters in training.

use crate::data::Event;
use crate::items::Rows;
use crate::network::Trace;
use crate::product::{self, Into};
use crate::share::{Share, Task};
use crate::trainer::Trainer;
use rayon::prelude::*;

/// Histories whose scores are in memory at once.
const CHUNK: usize = 64;

impl Trainer<'_> {
    /// The vectors of all items, `[items, width]`.
    pub fn item_vectors(&self) -> Vec<f32> {
        let mut vectors = Vec::new();
        let items = (0..self.data.items as u32).collect();
        let rows = Rows::new(items, 0.0, &mut fastrand::Rng::with_seed(0));
        self.items
            .forward(&self.parameters, self.data, &rows, &mut vectors);
        vectors
    }

    /// Calls `each` with the place of a history and the scores of all items for it.
    pub fn scores(&self, histories: &[Vec<Event>], each: &(dyn Fn(usize, &[f32]) + Sync)) {
        let vectors = self.item_vectors();
        histories
            .par_chunks(CHUNK)
            .enumerate()
            .for_each(|(chunk, histories)| {
                let hidden = self.newest(histories, &vectors);
                let mut scores = vec![0.0; histories.len() * self.data.items];
                product::by_transposed(&hidden, &vectors, self.width, &mut scores, Into::Replace);
                if let Some(likes) = &self.likes {
                    let wanted = histories.iter().flat_map(|events| likes.wanted(events));
                    let wanted: Vec<f32> = wanted.collect();
                    let size = likes.dimensions();
                    product::by_transposed(&wanted, likes.all(), size, &mut scores, Into::Add);
                }
                for (at, scores) in scores.chunks_exact(self.data.items).enumerate() {
                    each(chunk * CHUNK + at, scores);
                }
            });
    }

    /// The output at the newest event of each history, `[histories, width]`.
    fn newest(&self, histories: &[Vec<Event>], vectors: &[f32]) -> Vec<f32> {
        let mut share = Share::default();
        let mut given = self.nothing_given();
        let contexts: Vec<Vec<Event>> = histories
            .iter()
            .map(|events| self.context(events))
            .collect();
        let tasks: Vec<Task<'_>> = contexts
            .iter()
            .zip(histories)
            .map(|(events, history)| Task {
                profile: self.profile(self.older(history), &mut given),
                events,
                rows: events.iter().map(|event| event.item).collect(),
                queries: Vec::new(),
                asks: Vec::new(),
            })
            .collect();
        let tokens = self.given_tokens(&given);
        let pass = self.pass(vectors, &tokens, given.profiles.rows());
        let mut trace = Trace::default();
        let (nexts, _) = share.look(&pass, &tasks, &mut trace);
        let mut hidden = Vec::new();
        let mut end = 0;
        for task in &tasks {
            end += task.events.len() - 1;
            let token = nexts[end - 1].token;
            hidden.extend_from_slice(&trace.output[token * self.width..][..self.width]);
        }
        hidden
    }

    /// The events of a history that are older than what the model sees.
    pub fn older<'h>(&self, history: &'h [Event]) -> &'h [Event] {
        &history[..history.len().saturating_sub(self.max_history)]
    }

    /// The newest events of a history, as a window whose last event is no context.
    pub fn context(&self, history: &[Event]) -> Vec<Event> {
        let start = history.len().saturating_sub(self.max_history);
        let newest = history.last().copied();
        history[start..].iter().copied().chain(newest).collect()
    }
}
