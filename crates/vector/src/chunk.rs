//! One file of rows: as many as fit, from some slot on. The file has its full size from the
//! start, with a hole where nothing was written, so that one map serves it for good.

use crate::error::VectorError;
use crate::files::write_all_at;
use crate::header::{HEADER, Header, Layout};
use memmap2::{MmapOptions, MmapRaw};
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The rows of one file, as readers see them.
#[derive(Debug)]
pub(crate) struct Chunk {
    map: MmapRaw,
    layout: Layout,
}

impl Chunk {
    fn map(file: &File, layout: Layout, path: &Path) -> Result<Self, VectorError> {
        let map = MmapOptions::new().map_raw_read_only(file);
        let map = map.map_err(VectorError::io("map", path))?;
        // Slices are made of raw pointers below, so the size has to be what they count on.
        if map.len() != layout.file_bytes() {
            return Err(wrong_size(path));
        }
        Ok(Self { map, layout })
    }

    /// A row of the file.
    ///
    /// # Safety
    /// The row was written, and nobody writes it again while the result lives.
    pub unsafe fn row(&self, row: usize) -> &[u16] {
        assert!(row < self.layout.chunk_rows as usize, "a row of the file");
        // SAFETY: the map is as long as the layout says, so the row lies within. It is
        // aligned, because a map begins on a page and the header is of even length. Every
        // bit pattern is a number, and the caller says that this one does not change. Others
        // write other rows, so nothing is said of the rest of the map.
        unsafe {
            let start = self.map.as_ptr().add(self.layout.offset(row)).cast();
            std::slice::from_raw_parts(start, self.layout.dimensions)
        }
    }
}

/// The same file for the one who writes it.
#[derive(Debug)]
pub(crate) struct ChunkFile {
    file: File,
    path: PathBuf,
    layout: Layout,
    first: u32,
}

impl ChunkFile {
    /// Makes a file without rows, in place of what may be there.
    pub fn create(path: PathBuf, layout: Layout, first: u32) -> Result<(Self, Chunk), VectorError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true);
        let file = options
            .open(&path)
            .map_err(VectorError::io("create", &path))?;
        file.set_len(layout.file_bytes() as u64)
            .map_err(VectorError::io("make room in", &path))?;
        let created = Self {
            file,
            path,
            layout,
            first,
        };
        created.write_header(0)?;
        let chunk = Chunk::map(&created.file, layout, &created.path)?;
        Ok((created, chunk))
    }

    /// Opens a file that is there, and says how many rows of it are durable.
    pub fn open(
        path: PathBuf,
        layout: Layout,
        first: u32,
    ) -> Result<(Self, Chunk, u32), VectorError> {
        let opened = OpenOptions::new().read(true).write(true).open(&path);
        let mut file = opened.map_err(VectorError::io("open", &path))?;
        let metadata = file.metadata();
        let size = metadata.map_err(VectorError::io("measure", &path))?.len();
        let mut bytes = [0; HEADER];
        if size >= HEADER as u64 {
            file.read_exact(&mut bytes)
                .map_err(VectorError::io("read", &path))?;
        }
        let header = Header::parse(&bytes, &path)?;
        check(header, layout, first, &path)?;
        if size != layout.file_bytes() as u64 {
            return Err(wrong_size(&path));
        }
        let chunk = Chunk::map(&file, layout, &path)?;
        let opened = Self {
            file,
            path,
            layout,
            first,
        };
        Ok((opened, chunk, header.rows))
    }

    /// Writes rows from a row of this file on; they fit.
    pub fn write(&self, row: usize, bytes: &[u8]) -> Result<(), VectorError> {
        let offset = self.layout.offset(row);
        assert!(offset + bytes.len() <= self.layout.file_bytes(), "rows fit");
        write_all_at(&self.file, bytes, offset as u64).map_err(VectorError::io("write", &self.path))
    }

    /// Makes the first rows durable.
    pub fn flush(&self, rows: u32) -> Result<(), VectorError> {
        self.write_header(rows)?;
        self.file
            .sync_all()
            .map_err(VectorError::io("sync", &self.path))
    }

    fn write_header(&self, rows: u32) -> Result<(), VectorError> {
        let header = Header {
            layout: self.layout,
            first: self.first,
            rows,
        };
        write_all_at(&self.file, &header.bytes(), 0).map_err(VectorError::io("write", &self.path))
    }
}

fn check(header: Header, layout: Layout, first: u32, path: &Path) -> Result<(), VectorError> {
    let damaged = |what| {
        let path = path.to_owned();
        Err(VectorError::Damaged { path, what })
    };
    if header.layout.dimensions != layout.dimensions {
        return Err(VectorError::OtherDimensions {
            path: path.to_owned(),
            expected: layout.dimensions,
            found: header.layout.dimensions,
        });
    }
    if header.layout.chunk_rows != layout.chunk_rows || header.first != first {
        return damaged("it holds other slots than its name says");
    }
    if header.rows > layout.chunk_rows {
        return damaged("it claims more rows than fit");
    }
    Ok(())
}

fn wrong_size(path: &Path) -> VectorError {
    VectorError::Damaged {
        path: path.to_owned(),
        what: "it has not the size that its header says",
    }
}
