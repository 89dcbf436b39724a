//! The graph of neighbours over the first slots: a hierarchical navigable small world (Malkov
//! and Yashunin 2016, <https://arxiv.org/abs/1603.09320>). It is built once, written to one
//! file, and from then on read where it is mapped.
//!
//! The graph keeps slots instead of vectors: its distances are computed from the rows, which
//! are mapped in any case. So a million vectors cost 150 MB beside their rows, and what a
//! search returns needs no second look.

mod build;
mod exported;
mod file;
#[expect(
    unsafe_code,
    reason = "graphs are built by a library in C++ that calls back"
)]
mod index;
mod links;
mod walk;

pub(crate) use build::build;
pub use build::{BuiltGraph, GraphOptions};

use crate::best::Neighbour;
use crate::error::VectorError;
use crate::rows::Rows;
use links::Links;
use std::path::Path;
use walk::Keep;

/// Candidates that a search keeps at least among so many vectors …
const CANDIDATES: usize = 128;
const FEW: usize = 20_000;
/// … and by which power of their number it keeps more: the denser they lie, the more are about as
/// near as the nearest. Measured with `examples/recall.rs`: see decision 008.
const GROWTH: f64 = 0.6;

/// Candidates that a search for so many keeps, where so many match. The last of those it wants
/// are as hard to find as the first, so it needs more than it wants.
pub(crate) fn candidates(count: usize, matching: usize) -> usize {
    least(matching).max(count.saturating_mul(2))
}

fn least(matching: usize) -> usize {
    let times = matching.max(FEW) as f64 / FEW as f64;
    (CANDIDATES as f64 * times.powf(GROWTH)) as usize
}

/// A graph that can be searched.
pub(crate) struct Graph {
    rows: Rows,
    links: Links,
    slots: u32,
}

impl Graph {
    /// Maps the graph over so many slots, if it was built on these rows.
    pub fn open(path: &Path, slots: u32, rows: &Rows) -> Result<Self, VectorError> {
        let map = file::open(path, slots, rows)?;
        let links = Links::of(map).ok_or_else(|| VectorError::Damaged {
            path: path.to_owned(),
            what: "its parts do not fill it",
        })?;
        let rows = rows.clone();
        Ok(Self { rows, links, slots })
    }

    /// Slots that were considered: the graph knows no later one, and none that was dead then.
    pub fn slots(&self) -> u32 {
        self.slots
    }

    /// Vectors in the graph.
    pub fn nodes(&self) -> usize {
        self.links.nodes()
    }

    /// Slots that pass, about so many, among which are, most likely, the `count` most similar of
    /// those that are at least so similar; in any order.
    pub fn search(
        &self,
        query: &[f32],
        count: usize,
        at_least: f32,
        matching: usize,
        passes: impl Fn(u32) -> bool,
    ) -> Vec<Neighbour> {
        let keep = Keep {
            least: least(matching),
            most: candidates(count, matching),
            at_least,
        };
        walk::walk(&self.links, &self.rows, query, keep, passes)
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
