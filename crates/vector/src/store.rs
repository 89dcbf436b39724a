//! The writer of a folder of vectors: appends rows, makes them durable and publishes graphs.
//! There is one at a time; whoever holds the folder sees to that.

use crate::chunk::{Chunk, ChunkFile};
use crate::error::VectorError;
use crate::files::{self, Found};
use crate::graph::{BuiltGraph, Graph};
use crate::header::Layout;
use crate::rows::Rows;
use crate::vectors::{Vectors, check_rows};
use kernels::{Cpu, round_to_brain};
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use tracing::{info, warn};

/// Rows of one file: 50 MB of 384 numbers, so that a small shop has one file and a million
/// vectors have sixteen.
const CHUNK_ROWS: u32 = 1 << 16;
/// The most numbers of a vector.
const MOST_DIMENSIONS: usize = 4096;

/// The vectors of one index in a folder of their own.
#[derive(Debug)]
pub struct VectorStore {
    folder: Arc<Path>,
    cpu: Cpu,
    layout: Layout,
    files: Vec<ChunkFile>,
    chunks: Arc<[Arc<Chunk>]>,
    len: u32,
    /// Rows before this one are durable.
    flushed: u32,
    graph: Option<Arc<Graph>>,
}

impl VectorStore {
    /// Opens a folder, or makes it. Its first `known` slots are those that the caller knows to
    /// be durable; what lies behind, as after a crash, is dropped and written over. So no
    /// reader of an earlier store over the folder may be left that has more.
    ///
    /// # Errors
    /// When known vectors are not there, when files are foreign, damaged, newer or of other
    /// dimensions, and when the disk refuses. A graph that cannot be used is no error: it is
    /// dropped, with a warning in the log, and [`Vectors::wants_graph`] asks for another.
    pub fn open(folder: &Path, dimensions: usize, known: u32) -> Result<Self, VectorError> {
        let layout = Layout {
            dimensions,
            chunk_rows: CHUNK_ROWS,
        };
        Self::open_with(folder, layout, known)
    }

    pub(crate) fn open_with(
        folder: &Path,
        layout: Layout,
        known: u32,
    ) -> Result<Self, VectorError> {
        if !(1..=MOST_DIMENSIONS).contains(&layout.dimensions) {
            return Err(VectorError::Unsupported {
                found: layout.dimensions,
                most: MOST_DIMENSIONS,
            });
        }
        fs::create_dir_all(folder).map_err(VectorError::io("make", folder))?;
        let mut store = Self {
            folder: folder.into(),
            cpu: Cpu::detect()?,
            layout,
            files: Vec::new(),
            chunks: Arc::new([]),
            len: 0,
            flushed: known,
            graph: None,
        };
        store.open_chunks(known)?;
        store.len = known;
        store.open_graph()?;
        Ok(store)
    }

    fn open_chunks(&mut self, known: u32) -> Result<(), VectorError> {
        let mut chunks = Vec::new();
        let mut found = 0;
        while found < known {
            let path = files::rows_path(&self.folder, found);
            if !path.exists() {
                break;
            }
            let (file, chunk, rows) = ChunkFile::open(path, self.layout, found)?;
            self.files.push(file);
            chunks.push(Arc::new(chunk));
            found = found.saturating_add(rows);
            if rows < self.layout.chunk_rows {
                break;
            }
        }
        if found < known {
            return Err(VectorError::Missing {
                folder: self.folder.to_path_buf(),
                known,
                found,
            });
        }
        self.chunks = chunks.into();
        Ok(())
    }

    /// Takes the graph over the most slots that fits the rows, and removes what is left over.
    fn open_graph(&mut self) -> Result<(), VectorError> {
        let mut graphs = Vec::new();
        for (path, found) in files::list(&self.folder)? {
            match found {
                Found::Rows(first) if first < self.len => {}
                Found::Graph(slots) => graphs.push((slots, path)),
                Found::Rows(_) | Found::Unfinished => remove(&path)?,
            }
        }
        graphs.sort();
        let rows = self.rows();
        for (slots, path) in graphs.into_iter().rev() {
            if self.graph.is_none() {
                match Graph::open(&path, slots, &rows) {
                    Ok(graph) => {
                        self.graph = Some(Arc::new(graph));
                        continue;
                    }
                    Err(error) => {
                        let error = &error as &dyn std::error::Error;
                        warn!(error, "a graph of neighbours is dropped");
                    }
                }
            }
            remove(&path)?;
        }
        Ok(())
    }

    /// Appends vectors, one after the other, each of length one or all zeros. They are kept
    /// as brain floats. Returns their slots. Durable after [`VectorStore::flush`] only.
    ///
    /// # Errors
    /// When the numbers do not make whole vectors or one has another length; then nothing was
    /// appended. When the disk refuses.
    pub fn append(&mut self, vectors: &[f32]) -> Result<Range<u32>, VectorError> {
        check_rows(self.cpu, self.layout.dimensions, vectors)?;
        let count = vectors.len() / self.layout.dimensions;
        let end = u32::try_from(count).ok();
        let end = end.and_then(|count| self.len.checked_add(count));
        // The last number is no slot, so that a graph can use it for the query.
        let end = end.ok_or_else(|| VectorError::Full {
            folder: self.folder.to_path_buf(),
        })?;
        let mut rest = vectors;
        let mut at = self.len;
        while at < end {
            let row = at % self.layout.chunk_rows;
            let fitting = (self.layout.chunk_rows - row).min(end - at);
            let (part, behind) = rest.split_at(fitting as usize * self.layout.dimensions);
            let file = self.file_of(at)?;
            let bytes = self.rounded(part);
            self.files[file].write(row as usize, &bytes)?;
            (rest, at) = (behind, at + fitting);
        }
        let start = std::mem::replace(&mut self.len, end);
        Ok(start..end)
    }

    /// The number of the file of a slot, which is made if it is the next.
    fn file_of(&mut self, slot: u32) -> Result<usize, VectorError> {
        let number = (slot / self.layout.chunk_rows) as usize;
        if number == self.files.len() {
            let first = slot - slot % self.layout.chunk_rows;
            let path = files::rows_path(&self.folder, first);
            let (file, chunk) = ChunkFile::create(path, self.layout, first)?;
            self.files.push(file);
            let chunks = self.chunks.iter().cloned().chain([Arc::new(chunk)]);
            self.chunks = chunks.collect();
        }
        Ok(number)
    }

    fn rounded(&self, vectors: &[f32]) -> Vec<u8> {
        let mut row = vec![0; self.layout.dimensions];
        let mut bytes = Vec::with_capacity(vectors.len() * size_of::<u16>());
        for vector in vectors.chunks_exact(self.layout.dimensions) {
            round_to_brain(self.cpu, vector, &mut row);
            bytes.extend(row.iter().flat_map(|number| number.to_le_bytes()));
        }
        bytes
    }

    /// Makes all that was appended durable.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn flush(&mut self) -> Result<(), VectorError> {
        if self.flushed == self.len {
            return Ok(());
        }
        let rows = self.layout.chunk_rows;
        let first = self.flushed / rows;
        for (file, number) in self.files.iter().zip(0..).skip(first as usize) {
            file.flush((self.len - number * rows).min(rows))?;
        }
        files::sync_folder(&self.folder)?;
        self.flushed = self.len;
        Ok(())
    }

    /// What was appended until now, with the current graph.
    pub fn reader(&self) -> Vectors {
        Vectors::new(self.folder.clone(), self.rows(), self.graph.clone())
    }

    fn rows(&self) -> Rows {
        Rows::new(self.cpu, self.layout, self.len, self.chunks.clone())
    }

    /// Makes a graph the current one for readers from now on, durably. The file of the former
    /// is removed; readers that still use it keep it mapped.
    ///
    /// # Errors
    /// When the graph has slots that this store lacks, and when the disk refuses.
    pub fn publish(&mut self, built: BuiltGraph) -> Result<(), VectorError> {
        let slots = built.slots();
        if slots > self.len {
            let len = self.len;
            return Err(VectorError::Ahead { slots, len });
        }
        // A graph over slots that a crash would take back must not survive them.
        self.flush()?;
        let graph = built.finish(&files::graph_path(&self.folder, slots))?;
        files::sync_folder(&self.folder)?;
        info!(
            slots,
            vectors = graph.nodes(),
            "graph of neighbours published"
        );
        self.graph = Some(Arc::new(graph));
        for (path, found) in files::list(&self.folder)? {
            if matches!(found, Found::Graph(other) if other != slots) {
                remove(&path)?;
            }
        }
        Ok(())
    }
}

fn remove(path: &Path) -> Result<(), VectorError> {
    fs::remove_file(path).map_err(VectorError::io("remove", path))
}
