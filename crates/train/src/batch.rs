//! What one step of training is about: windows of histories, the items in them, and what was
//! drawn to tell them apart from.

use crate::items::Rows;
use crate::losses::Targets;
use crate::share::Task;
use crate::text_tokens::Given;
use rustc_hash::FxHashMap;

/// What one step is computed from.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    pub tasks: Vec<Task<'a>>,
    /// The items that tasks are about, behind those that next items are told apart from.
    pub rows: Rows,
    /// Texts of profiles and queries.
    pub given: Given,
    /// How often each item that is drawn is expected, as a logarithm; nothing where next items
    /// are told apart from all.
    pub log_expected: Option<Vec<f32>>,
    pub nexts: usize,
    pub asks: usize,
    /// What a next item and an answer weigh in the loss.
    pub retrieval_weight: f32,
    pub actions_weight: f32,
}

impl Batch<'_> {
    /// What next items are told apart from.
    pub fn targets(&self) -> Targets<'_> {
        match &self.log_expected {
            None => Targets::All,
            Some(log_expected) => Targets::Drawn {
                log_expected,
                items: &self.rows.items,
            },
        }
    }
}

/// Which rows of item vectors a batch needs.
#[derive(Debug)]
pub(crate) struct Plan {
    pub rows: Vec<u32>,
    full: bool,
    known: FxHashMap<u32, u32>,
}

impl Plan {
    /// Begins with the items that next items are told apart from, `full` when they are all.
    pub fn new(rows: Vec<u32>, full: bool) -> Self {
        Self {
            rows,
            full,
            known: FxHashMap::default(),
        }
    }

    /// The row of an item.
    pub fn row(&mut self, item: u32) -> u32 {
        if self.full {
            return item;
        }
        let next = self.rows.len() as u32;
        let row = *self.known.entry(item).or_insert(next);
        if row == next {
            self.rows.push(item);
        }
        row
    }
}
