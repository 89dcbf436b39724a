//! The graph of neighbours over the first slots: a hierarchical navigable small world (Malkov
//! and Yashunin 2016, <https://arxiv.org/abs/1603.09320>). It is built once, written to one
//! file, and from then on read where it is mapped.
//!
//! The graph keeps slots instead of vectors: its distances are computed from the rows, which
//! are mapped in any case. So a million vectors cost 150 MB beside their rows, and what a
//! search returns needs no second look.

mod build;
mod file;
#[expect(unsafe_code, reason = "the graph is a library in C++ that calls back")]
mod index;

pub(crate) use build::build;
pub use build::{BuiltGraph, GraphOptions};
#[cfg(test)]
pub(crate) use index::SEARCHES;

use crate::best::Neighbour;
use crate::error::VectorError;
use crate::rows::Rows;
use index::SlotIndex;
use std::path::Path;

/// Candidates that a search keeps at least, chosen with `examples/recall.rs`: see decision 008.
const CANDIDATES: usize = 128;

/// Candidates that a search for so many keeps. The last of those it wants are as hard to find
/// as the first, so it needs more than it wants.
pub(crate) fn candidates(count: usize) -> usize {
    CANDIDATES.max(count.saturating_mul(2))
}

/// A graph that can be searched.
pub(crate) struct Graph {
    index: SlotIndex,
    slots: u32,
}

impl Graph {
    /// Maps the graph over so many slots, if it was built on these rows.
    pub fn open(path: &Path, slots: u32, rows: &Rows) -> Result<Self, VectorError> {
        let map = file::open(path, slots, rows)?;
        let index = SlotIndex::view(rows.clone(), map, file::HEADER)?;
        Ok(Self { index, slots })
    }

    /// Slots that were considered: the graph knows no later one, and none that was dead then.
    pub fn slots(&self) -> u32 {
        self.slots
    }

    /// Vectors in the graph.
    pub fn nodes(&self) -> usize {
        self.index.len()
    }

    /// Those of the slots that are kept among which are, most likely, the `count` most similar;
    /// in any order.
    pub fn search(
        &self,
        query: &[f32],
        count: usize,
        keep: impl Fn(u32) -> bool,
    ) -> Result<Vec<Neighbour>, VectorError> {
        self.index.search(query, candidates(count), keep)
    }
}

impl std::fmt::Debug for Graph {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(
            formatter,
            "{} vectors of {} slots",
            self.nodes(),
            self.slots
        )
    }
}
