//! Building a graph, in the background of whoever asks. With one thread the same rows give
//! the same graph; with more the order in which vectors meet is left to chance.

use super::exported::Exported;
use super::index::SlotIndex;
use super::{Graph, file, links};
use crate::error::VectorError;
use crate::files;
use crate::rows::Rows;
use std::fs;
use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// Slots that a thread takes at a time.
const BLOCK: u32 = 256;

/// How a graph is built.
#[derive(Clone, Copy, Debug)]
pub struct GraphOptions {
    /// Threads that build; one for a graph that is the same every time.
    pub threads: usize,
    /// Neighbours of a vector; twice as many on the lowest level.
    pub connectivity: usize,
    /// Candidates from which they are chosen.
    pub expansion_add: usize,
}

impl GraphOptions {
    /// What served titles of products best: see decision 008.
    pub fn new(threads: usize) -> Self {
        Self {
            threads,
            connectivity: 16,
            expansion_add: 256,
        }
    }
}

/// A graph that is written, but not yet used. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub struct BuiltGraph {
    graph: Graph,
    file: Unfinished,
}

impl BuiltGraph {
    /// Slots that it covers.
    pub fn slots(&self) -> u32 {
        self.graph.slots()
    }

    /// Gives the file its name for good.
    pub(crate) fn finish(self, path: &Path) -> Result<Graph, VectorError> {
        let Self { graph, file } = self;
        fs::rename(&file.0, path).map_err(VectorError::io("rename", &file.0))?;
        Ok(graph)
    }
}

/// The file of a graph that is not published; removed when dropped.
#[derive(Debug)]
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After publishing there is no such file, and what cannot be removed now is when the
        // folder is opened again.
        let _ = fs::remove_file(&self.0);
    }
}

/// Builds the graph over all slots that are alive; none if `go_on` breaks off.
pub(crate) fn build(
    folder: &Path,
    rows: &Rows,
    options: &GraphOptions,
    alive: impl Fn(u32) -> bool + Sync,
    go_on: impl Fn(u32) -> ControlFlow<()> + Sync,
) -> Result<Option<BuiltGraph>, VectorError> {
    let index = SlotIndex::new(rows.clone(), options)?;
    let next = AtomicU64::new(0);
    let fill = || {
        let filled = fill(&index, rows.len(), &next, &alive, &go_on);
        if !matches!(filled, Ok(ControlFlow::Continue(()))) {
            // The others find no more to do.
            next.store(u64::from(rows.len()), Ordering::Relaxed);
        }
        filled
    };
    let filled = thread::scope(|scope| {
        let others: Vec<_> = (1..options.threads).map(|_| scope.spawn(fill)).collect();
        let own = fill();
        let others = others.into_iter().map(|thread| match thread.join() {
            Ok(filled) => filled,
            Err(panic) => resume_unwind(panic),
        });
        // Every thread is waited for, whatever the first says.
        others.fold(own, |all, one| {
            Ok(match (all?, one?) {
                (ControlFlow::Continue(()), ControlFlow::Continue(())) => ControlFlow::Continue(()),
                _ => ControlFlow::Break(()),
            })
        })
    });
    if filled?.is_break() {
        return Ok(None);
    }
    let file = Unfinished(files::unfinished_graph_path(folder, rows.len()));
    let exported = index.bytes()?;
    // Each form goes before the next comes, so that the graph is not more than twice in memory.
    drop(index);
    let written = links::written(&Exported::of(&exported).map_err(VectorError::graph)?);
    drop(exported);
    file::write(&file.0, rows.len(), rows, &written)?;
    drop(written);
    let graph = Graph::open(&file.0, rows.len(), rows)?;
    Ok(Some(BuiltGraph { graph, file }))
}

/// What one thread does: adds block after block until none is left.
fn fill(
    index: &SlotIndex,
    slots: u32,
    next: &AtomicU64,
    alive: &(impl Fn(u32) -> bool + Sync),
    go_on: &(impl Fn(u32) -> ControlFlow<()> + Sync),
) -> Result<ControlFlow<()>, VectorError> {
    loop {
        let start = next.fetch_add(u64::from(BLOCK), Ordering::Relaxed);
        // Beyond the last slot, whatever does not fit.
        let start = u32::try_from(start).unwrap_or(slots);
        if start >= slots {
            return Ok(ControlFlow::Continue(()));
        }
        if go_on(start).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        for slot in start..slots.min(start.saturating_add(BLOCK)) {
            if alive(slot) {
                index.add(slot)?;
            }
        }
    }
}
