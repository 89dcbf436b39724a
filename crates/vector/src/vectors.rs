//! What readers see: the vectors appended until some moment, with the graph of that moment.
//! It never changes, costs nothing to clone, and any number of threads may ask it.

use crate::best::{Best, Neighbour};
use crate::error::VectorError;
use crate::graph::{self, BuiltGraph, Graph, GraphOptions};
use crate::rows::Rows;
use kernels::{Cpu, dot};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

/// Slots that are scanned rather than put into a graph: see decision 008 for what a scan of so
/// many takes.
const SCANNED: u32 = 20_000;
/// Rows that a scan of all reads in the time in which a search of the graph finds one of the
/// candidates that it keeps, measured: see decision 008. The graph reads fewer, but here and there.
const READS: usize = 40;
/// So many times as long takes a row that does not follow the one before.
const SCATTERED: usize = 3;
/// How far the length of a vector may be from one. Rounding to brain floats takes less.
const LENGTH_TOLERANCE: f32 = 0.01;

/// The vectors of one moment.
#[derive(Clone, Debug)]
pub struct Vectors {
    folder: Arc<Path>,
    rows: Rows,
    graph: Option<Arc<Graph>>,
}

impl Vectors {
    pub(crate) fn new(folder: Arc<Path>, rows: Rows, graph: Option<Arc<Graph>>) -> Self {
        Self {
            folder,
            rows,
            graph,
        }
    }

    /// Slots that were given, those of deleted items included.
    pub fn len(&self) -> u32 {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Numbers of a vector.
    pub fn dimensions(&self) -> usize {
        self.rows.dimensions()
    }

    /// Slots that the graph covers; 0 without one.
    pub fn graph_slots(&self) -> u32 {
        self.graph.as_ref().map_or(0, |graph| graph.slots())
    }

    /// The vector of a slot, as it is kept.
    ///
    /// # Panics
    /// When there is no such slot.
    pub fn vector(&self, slot: u32) -> Vec<f32> {
        let widen = |&number: &u16| f32::from_bits(u32::from(number) << 16);
        self.rows.row(slot).iter().map(widen).collect()
    }

    /// How similar the vector of a slot is to a query.
    ///
    /// # Errors
    /// When the query has other dimensions or another length than one.
    ///
    /// # Panics
    /// When there is no such slot.
    pub fn similarity(&self, slot: u32, query: &[f32]) -> Result<f32, VectorError> {
        self.check_query(query)?;
        Ok(self.rows.similarity(query, slot))
    }

    /// How similar the vectors of some slots are to a query, in their order: for many this is
    /// far faster than one by one.
    ///
    /// # Errors
    /// When the query has other dimensions or another length than one.
    ///
    /// # Panics
    /// When there is no such slot.
    pub fn similarities(&self, slots: &[u32], query: &[f32]) -> Result<Vec<f32>, VectorError> {
        self.check_query(query)?;
        let mut found = vec![0.0; slots.len()];
        self.rows.similarities(query, slots, &mut found);
        Ok(found)
    }

    /// The `count` most similar of some slots that are at least so similar, most similar first
    /// and equals by slot. Exact: every one is looked at.
    ///
    /// # Errors
    /// When the query has other dimensions or another length than one.
    ///
    /// # Panics
    /// When there is no such slot.
    pub fn scan(
        &self,
        query: &[f32],
        slots: impl Iterator<Item = u32>,
        count: usize,
        at_least: f32,
    ) -> Result<Vec<Neighbour>, VectorError> {
        self.check_query(query)?;
        let mut best = Best::new(count, at_least);
        self.rows.scan(query, slots, &mut best);
        Ok(best.into_sorted())
    }

    /// The same of all slots that are alive. Slots that the graph covers are searched through
    /// it, so that a few of the nearest may be missing; later ones are scanned. Similarities
    /// are exact either way, and the same vectors and query give the same answer.
    ///
    /// Where `alive` holds for few slots, ask [`Vectors::is_scan_cheaper`] first.
    ///
    /// # Errors
    /// When the query has other dimensions or another length than one.
    pub fn nearest(
        &self,
        query: &[f32],
        count: usize,
        at_least: f32,
        alive: impl Fn(u32) -> bool,
    ) -> Result<Vec<Neighbour>, VectorError> {
        self.nearest_among(query, count, at_least, self.len() as usize, alive)
    }

    /// The same of slots that pass a filter, about `matching` in all.
    ///
    /// # Errors
    /// As [`Vectors::nearest`].
    pub fn nearest_among(
        &self,
        query: &[f32],
        count: usize,
        at_least: f32,
        matching: usize,
        passes: impl Fn(u32) -> bool,
    ) -> Result<Vec<Neighbour>, VectorError> {
        self.check_query(query)?;
        let mut best = Best::new(count, at_least);
        let mut scanned = 0;
        if let Some(graph) = &self.graph
            && count > 0
            && !self.is_scan_cheaper(graph.slots() as usize, count)
        {
            for Neighbour { slot, similarity } in
                graph.search(query, count, at_least, matching, &passes)
            {
                best.offer(slot, similarity);
            }
            scanned = graph.slots();
        }
        let rest = (scanned..self.len()).filter(|&slot| passes(slot));
        self.rows.scan(query, rest, &mut best);
        Ok(best.into_sorted())
    }

    /// Whether [`Vectors::scan`] of so many slots that match a filter takes less time than
    /// [`Vectors::nearest_among`] with the filter as predicate.
    ///
    /// A search takes the time of about `READS` rows of a scan for each candidate it keeps.
    /// Only slots that match become candidates, so with one of `p` matching it goes `p` times
    /// as far. Of `n` slots with `m` matching that is `READS · candidates · n / m`, against
    /// the `m` of the scan, each of which counts `SCATTERED` times where few match.
    pub fn is_scan_cheaper(&self, matching: usize, count: usize) -> bool {
        let slots = u128::from(self.graph_slots());
        let reads = READS.saturating_mul(graph::candidates(count, matching)) as u128;
        let matching = matching as u128;
        let each = match 2 * matching < slots {
            true => SCATTERED as u128,
            false => 1,
        };
        slots == 0 || matching * matching * each <= reads * slots
    }

    /// Whether so many slots are beyond the graph that another should be built.
    pub fn wants_graph(&self) -> bool {
        let beyond = self.len() - self.graph_slots();
        beyond > SCANNED.max(self.len() / 10)
    }

    /// Builds a graph over the slots that are alive, for [`crate::VectorStore::publish`]. It
    /// takes minutes for a million vectors, and readers and the writer go on meanwhile. A slot
    /// that is not alive now will not be found through this graph. One build at a time.
    ///
    /// `go_on` is told now and then how many slots are done; when it breaks, there is no graph.
    ///
    /// # Errors
    /// When there is not enough memory or disk.
    pub fn build_graph(
        &self,
        options: &GraphOptions,
        alive: impl Fn(u32) -> bool + Sync,
        go_on: impl Fn(u32) -> ControlFlow<()> + Sync,
    ) -> Result<Option<BuiltGraph>, VectorError> {
        graph::build(&self.folder, &self.rows, options, alive, go_on)
    }

    fn check_query(&self, query: &[f32]) -> Result<(), VectorError> {
        let dimensions = self.dimensions();
        if query.len() != dimensions {
            let found = query.len();
            return Err(VectorError::Length { dimensions, found });
        }
        check_rows(self.rows.cpu(), dimensions, query)
    }
}

/// Refuses what is not made of vectors of length one or zero.
pub(crate) fn check_rows(cpu: Cpu, dimensions: usize, rows: &[f32]) -> Result<(), VectorError> {
    if !rows.len().is_multiple_of(dimensions) {
        let found = rows.len();
        return Err(VectorError::Length { dimensions, found });
    }
    for (row, vector) in rows.chunks_exact(dimensions).enumerate() {
        let length = dot(cpu, vector, vector).sqrt();
        // What is not a number is not within anything.
        let is_unit = (length - 1.0).abs() <= LENGTH_TOLERANCE;
        if !is_unit && vector.iter().any(|&number| number != 0.0) {
            return Err(VectorError::NotUnit { row, length });
        }
    }
    Ok(())
}
