//! The first bytes of a file of rows: what it holds, how far it is durable, and a checksum of
//! both. Little-endian, 64 bytes, so that rows of whole cache lines stay on cache lines.

use crate::error::VectorError;
use std::path::Path;

/// Bytes before the first row.
pub(crate) const HEADER: usize = 64;
const MAGIC: [u8; 8] = *b"VTRNVEC1";
const VERSION: u32 = 1;
/// Bytes under the checksum, which follows them.
const CHECKED: usize = 28;

// Rows are read in place as numbers of two bytes.
const _: () = assert!(
    cfg!(target_endian = "little"),
    "files of vectors are little-endian"
);

/// How rows lie in files.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Layout {
    pub dimensions: usize,
    /// Rows of one file.
    pub chunk_rows: u32,
}

impl Layout {
    pub fn row_bytes(self) -> usize {
        self.dimensions * size_of::<u16>()
    }

    /// Where a row begins in its file.
    pub fn offset(self, row: usize) -> usize {
        HEADER + row * self.row_bytes()
    }

    /// The bytes of a file.
    pub fn file_bytes(self) -> usize {
        self.offset(self.chunk_rows as usize)
    }
}

/// The header of a file of rows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Header {
    pub layout: Layout,
    /// The slot of the first row.
    pub first: u32,
    /// Rows that are durable.
    pub rows: u32,
}

impl Header {
    pub fn bytes(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(&MAGIC);
        let fields = [
            VERSION,
            self.layout.dimensions as u32,
            self.layout.chunk_rows,
            self.first,
            self.rows,
        ];
        write_numbers(&mut bytes[8..CHECKED], &fields);
        let checksum = crc32fast::hash(&bytes[..CHECKED]);
        write_numbers(&mut bytes[CHECKED..CHECKED + 4], &[checksum]);
        bytes
    }

    pub fn parse(bytes: &[u8; HEADER], path: &Path) -> Result<Self, VectorError> {
        let path = || path.to_owned();
        if bytes[..8] != MAGIC {
            return Err(VectorError::Foreign {
                path: path(),
                what: "vectors",
            });
        }
        let [version, dimensions, chunk_rows, first, rows, checksum] = numbers(&bytes[8..]);
        if version > VERSION {
            return Err(VectorError::Newer {
                path: path(),
                found: version,
                known: VERSION,
            });
        }
        if version == 0 || checksum != crc32fast::hash(&bytes[..CHECKED]) {
            return Err(VectorError::Damaged {
                path: path(),
                what: "the checksum of its header is wrong",
            });
        }
        let layout = Layout {
            dimensions: dimensions as usize,
            chunk_rows,
        };
        Ok(Self {
            layout,
            first,
            rows,
        })
    }
}

/// Writes numbers one after the other.
pub(crate) fn write_numbers(to: &mut [u8], numbers: &[u32]) {
    for (place, number) in to.as_chunks_mut().0.iter_mut().zip(numbers) {
        *place = number.to_le_bytes();
    }
}

/// The first numbers of bytes that hold so many.
pub(crate) fn numbers<const N: usize>(bytes: &[u8]) -> [u32; N] {
    let numbers = bytes.as_chunks().0;
    std::array::from_fn(|place| u32::from_le_bytes(numbers[place]))
}
