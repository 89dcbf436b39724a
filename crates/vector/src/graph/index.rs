//! The library that builds a graph, behind an interface that is safe to use. What the library
//! calls a vector is here four bytes, the number of a slot; its measure looks up the rows.

use super::build::GraphOptions;
use crate::error::VectorError;
use crate::rows::Rows;
use usearch::{Index, IndexOptions, MetricKind, ScalarKind};

/// A graph in the making.
pub(crate) struct SlotIndex {
    index: Index,
}

impl SlotIndex {
    /// An empty graph with room for every slot, to which so many threads may add at a time as
    /// the options say.
    pub fn new(rows: Rows, options: &GraphOptions) -> Result<Self, VectorError> {
        let mut index = empty(options.connectivity, options.expansion_add)?;
        index
            .reserve_capacity_and_threads(rows.len() as usize, options.threads.max(1))
            .map_err(VectorError::graph)?;
        measure_by_rows(&mut index, rows);
        Ok(Self { index })
    }

    /// Adds a slot that is not there yet.
    pub fn add(&self, slot: u32) -> Result<(), VectorError> {
        let added = self.index.add(u64::from(slot), &as_vector(slot));
        added.map_err(VectorError::graph)
    }

    /// The bytes that [`super::exported::Exported`] reads.
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
        // It is not searched.
        expansion_search: 1,
        multi: false,
    };
    Index::new(&options).map_err(VectorError::graph)
}

/// Makes the index compare the rows of slots. It is called once for an index.
fn measure_by_rows(index: &mut Index, rows: Rows) {
    let measure = move |a: *const i8, b: *const i8| {
        // SAFETY: the library passes two of its vectors: four readable
        // bytes each, as the dimensions of the index say, wherever they lie.
        let (a, b) = unsafe {
            (
                a.cast::<u32>().read_unaligned(),
                b.cast::<u32>().read_unaligned(),
            )
        };
        // Less is nearer. It is the similarity with another sign, so that nothing of it is lost.
        -rows.similarity_between(a, b)
    };
    index.change_metric::<i8>(Box::new(measure));
}

fn as_vector(slot: u32) -> [i8; size_of::<u32>()] {
    slot.to_ne_bytes().map(|byte| byte as i8)
}
