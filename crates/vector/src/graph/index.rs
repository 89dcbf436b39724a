//! The library of the graph, behind an interface that is safe to use. What the library calls
//! a vector is here four bytes, the number of a slot; its measure looks up the rows.

use super::build::GraphOptions;
use crate::best::Neighbour;
use crate::error::VectorError;
use crate::gate::Gate;
use crate::rows::Rows;
use memmap2::Mmap;
use std::cell::RefCell;
use usearch::{Index, IndexOptions, MetricKind, ScalarKind};

/// Searches at a time; more wait. Each keeps some hundred kilobytes once it was used.
pub(crate) const SEARCHES: usize = 64;
/// The slot that stands for the query. It is never given to a vector.
const QUERY: u32 = u32::MAX;

thread_local! {
    /// The query of the search that this thread is in.
    static ASKED: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// A graph over slots. The library may be used by as many threads as it keeps room for, which
/// the gate sees to.
pub(crate) struct SlotIndex {
    // Before what it reads from, so that it is dropped first.
    index: Index,
    /// The bytes of a graph that was mapped; none for one that is being built.
    _map: Option<Mmap>,
    gate: Gate,
}

impl SlotIndex {
    /// An empty graph with room for every slot.
    pub fn new(rows: Rows, options: &GraphOptions) -> Result<Self, VectorError> {
        let mut index = empty(options.connectivity, options.expansion_add)?;
        let threads = options.threads.max(1);
        index
            .reserve_capacity_and_threads(rows.len() as usize, threads)
            .map_err(VectorError::graph)?;
        measure_by_rows(&mut index, rows);
        Ok(Self {
            index,
            _map: None,
            gate: Gate::new(threads),
        })
    }

    /// The graph that lies in a map behind so many bytes. Whoever made the map has compared
    /// its checksum.
    pub fn view(rows: Rows, map: Mmap, offset: usize) -> Result<Self, VectorError> {
        let mut index = empty(0, 0)?;
        // Before the view, which keeps the number of threads.
        index
            .reserve_capacity_and_threads(0, SEARCHES)
            .map_err(VectorError::graph)?;
        let bytes = map.get(offset..).unwrap_or_default();
        // SAFETY: the bytes stay where they are until the map is dropped, which happens
        // after the index is, and the file is never written once it has its name.
        unsafe { index.view_from_buffer(bytes) }.map_err(VectorError::graph)?;
        // After the view, which chooses a measure of its own.
        measure_by_rows(&mut index, rows);
        Ok(Self {
            index,
            _map: Some(map),
            gate: Gate::new(SEARCHES),
        })
    }

    pub fn len(&self) -> usize {
        self.index.size()
    }

    /// Adds a slot that is not there yet.
    pub fn add(&self, slot: u32) -> Result<(), VectorError> {
        let _place = self.gate.enter();
        let added = self.index.add(u64::from(slot), &as_vector(slot));
        added.map_err(VectorError::graph)
    }

    /// The `count` slots that are about the most similar of those that are kept, in any order.
    pub fn search(
        &self,
        query: &[f32],
        count: usize,
        keep: impl Fn(u32) -> bool,
    ) -> Result<Vec<Neighbour>, VectorError> {
        let count = count.min(self.len());
        ASKED.with_borrow_mut(|asked| {
            asked.clear();
            asked.extend_from_slice(query);
        });
        let _place = self.gate.enter();
        let keep = |key: u64| u32::try_from(key).is_ok_and(&keep);
        let found = self.index.filtered_search(&as_vector(QUERY), count, keep);
        let found = found.map_err(VectorError::graph)?;
        let pairs = found.keys.into_iter().zip(found.distances);
        let neighbours = pairs.map(|(key, distance)| Neighbour {
            slot: key as u32,
            similarity: -distance,
        });
        Ok(neighbours.collect())
    }

    /// The bytes that [`SlotIndex::view`] reads.
    pub fn bytes(&self) -> Result<Vec<u8>, VectorError> {
        let mut bytes = vec![0; self.index.serialized_length()];
        let saved = self.index.save_to_buffer(&mut bytes);
        saved.map_err(VectorError::graph)?;
        Ok(bytes)
    }
}

fn empty(connectivity: usize, expansion_add: usize) -> Result<Index, VectorError> {
    let options = IndexOptions {
        dimensions: size_of::<u32>(),
        metric: MetricKind::IP,
        quantization: ScalarKind::I8,
        connectivity,
        expansion_add,
        // Less than any search asks for, which is then what it keeps.
        expansion_search: 1,
        multi: false,
    };
    Index::new(&options).map_err(VectorError::graph)
}

/// Makes the index compare the rows of slots. It is called once for an index.
fn measure_by_rows(index: &mut Index, rows: Rows) {
    let measure = move |a: *const i8, b: *const i8| {
        // SAFETY: the library passes two of its vectors, or one and the query: four readable
        // bytes each, as the dimensions of the index say, wherever they lie.
        let (a, b) = unsafe {
            (
                a.cast::<u32>().read_unaligned(),
                b.cast::<u32>().read_unaligned(),
            )
        };
        distance(&rows, a, b)
    };
    index.change_metric::<i8>(Box::new(measure));
}

/// Less is nearer. It is the similarity with another sign, so that nothing of it is lost.
fn distance(rows: &Rows, a: u32, b: u32) -> f32 {
    -match (a, b) {
        (QUERY, slot) | (slot, QUERY) => ASKED.with_borrow(|query| rows.similarity(query, slot)),
        (a, b) => rows.similarity_between(a, b),
    }
}

fn as_vector(slot: u32) -> [i8; size_of::<u32>()] {
    slot.to_ne_bytes().map(|byte| byte as i8)
}
