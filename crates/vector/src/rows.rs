//! The rows of the first so many slots, whatever file they lie in, and the scan over them.
//! Cheap to clone: readers, graphs and the writer share the maps.

use crate::best::Best;
use crate::chunk::Chunk;
use crate::header::Layout;
use kernels::{Cpu, similarities, similarity_of_rows};
use std::sync::Arc;

/// Rows that are compared in one call of the kernel: enough that the call costs nothing.
const BATCH: usize = 64;
/// Rows that stand for all in [`Rows::fingerprint`].
const SAMPLES: u64 = 64;

#[derive(Clone, Debug)]
pub(crate) struct Rows {
    cpu: Cpu,
    layout: Layout,
    len: u32,
    chunks: Arc<[Arc<Chunk>]>,
}

impl Rows {
    /// # Panics
    /// When the files have no room for so many rows.
    ///
    /// The first `len` rows were written, and will not be written again.
    pub fn new(cpu: Cpu, layout: Layout, len: u32, chunks: Arc<[Arc<Chunk>]>) -> Self {
        let room = chunks.len() as u64 * u64::from(layout.chunk_rows);
        assert!(u64::from(len) <= room, "rows lie in files");
        Self {
            cpu,
            layout,
            len,
            chunks,
        }
    }

    pub fn cpu(&self) -> Cpu {
        self.cpu
    }

    pub fn len(&self) -> u32 {
        self.len
    }

    pub fn dimensions(&self) -> usize {
        self.layout.dimensions
    }

    /// The row of a slot.
    ///
    /// # Panics
    /// When there is no such slot.
    #[expect(unsafe_code, reason = "rows are read where they are mapped")]
    pub fn row(&self, slot: u32) -> &[u16] {
        assert!(slot < self.len, "slot {slot} of {}", self.len);
        let chunk = &self.chunks[(slot / self.layout.chunk_rows) as usize];
        // SAFETY: the slot is below the length, and rows below the length of a `Rows` were
        // written before it was made; the writer writes from its own length on, which never
        // falls.
        unsafe { chunk.row((slot % self.layout.chunk_rows) as usize) }
    }

    pub fn similarity(&self, query: &[f32], slot: u32) -> f32 {
        let mut similarity = [0.0];
        similarities(self.cpu, query, &[self.row(slot)], &mut similarity);
        similarity[0]
    }

    /// The similarities of some slots, to `out`.
    ///
    /// # Panics
    /// When there is no such slot, or `out` has not as many places.
    pub fn similarities(&self, query: &[f32], slots: &[u32], out: &mut [f32]) {
        let mut rows: [&[u16]; BATCH] = [&[]; BATCH];
        for (slots, out) in slots.chunks(BATCH).zip(out.chunks_mut(BATCH)) {
            for (row, &slot) in rows.iter_mut().zip(slots) {
                *row = self.row(slot);
            }
            similarities(self.cpu, query, &rows[..slots.len()], out);
        }
    }

    pub fn similarity_between(&self, a: u32, b: u32) -> f32 {
        similarity_of_rows(self.cpu, self.row(a), self.row(b))
    }

    /// Offers all slots, with their similarity.
    pub fn scan(&self, query: &[f32], slots: impl Iterator<Item = u32>, best: &mut Best) {
        let mut slots = slots.fuse();
        let (mut batch, mut rows) = (Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
        let mut found = [0.0; BATCH];
        loop {
            batch.clear();
            batch.extend(slots.by_ref().take(BATCH));
            if batch.is_empty() {
                return;
            }
            rows.clear();
            rows.extend(batch.iter().map(|&slot| self.row(slot)));
            let found = &mut found[..rows.len()];
            similarities(self.cpu, query, &rows, found);
            for (&slot, &similarity) in batch.iter().zip(found.iter()) {
                best.offer(slot, similarity);
            }
        }
    }

    /// A checksum of some of the first rows: enough to know a graph of other vectors.
    pub fn fingerprint(&self, slots: u32) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        for sample in 0..SAMPLES.min(u64::from(slots)) {
            let slot = sample * u64::from(slots) / SAMPLES.min(u64::from(slots));
            for number in self.row(slot as u32) {
                hasher.update(&number.to_le_bytes());
            }
        }
        hasher.finalize()
    }
}
