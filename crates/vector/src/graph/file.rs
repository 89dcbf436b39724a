//! The file of a graph: a header, then what [`super::links`] reads. Nothing is used whose
//! checksum is wrong, and a graph of other rows is refused too.

use crate::error::VectorError;
use crate::header::{numbers, write_numbers};
use crate::rows::Rows;
use memmap2::Mmap;
use std::fs::File;
use std::io::Write;
use std::path::Path;

/// Bytes before the graph.
pub(crate) const HEADER: usize = 64;
const MAGIC: [u8; 8] = *b"VTRNGRF1";
/// The first held what the library writes.
const VERSION: u32 = 2;
/// Bytes of the header under its checksum, which follows them.
const CHECKED: usize = 28;

/// Writes the graph over the first slots of some rows.
pub(crate) fn write(path: &Path, slots: u32, rows: &Rows, graph: &[u8]) -> Result<(), VectorError> {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(&MAGIC);
    let fields = [
        VERSION,
        rows.dimensions() as u32,
        slots,
        rows.fingerprint(slots),
        crc32fast::hash(graph),
    ];
    write_numbers(&mut header[8..CHECKED], &fields);
    let checksum = crc32fast::hash(&header[..CHECKED]);
    write_numbers(&mut header[CHECKED..CHECKED + 4], &[checksum]);
    let written = File::create(path).and_then(|mut file| {
        file.write_all(&header)?;
        file.write_all(graph)?;
        file.sync_all()
    });
    written.map_err(VectorError::io("write", path))
}

/// Maps the file of a graph if it is whole and was built on these rows.
#[expect(unsafe_code, reason = "mapping a file is unsafe")]
pub(crate) fn open(path: &Path, slots: u32, rows: &Rows) -> Result<Mmap, VectorError> {
    let file = File::open(path).map_err(VectorError::io("open", path))?;
    // SAFETY: a graph is written under another name and never again once it has this one, so
    // its bytes change only if somebody else writes into our folder.
    let map = unsafe { Mmap::map(&file) }.map_err(VectorError::io("map", path))?;
    check(&map, path, slots, rows)?;
    Ok(map)
}

fn check(bytes: &[u8], path: &Path, slots: u32, rows: &Rows) -> Result<(), VectorError> {
    let path = || path.to_owned();
    let damaged = |what| Err(VectorError::Damaged { path: path(), what });
    let Some((header, graph)) = bytes.split_at_checked(HEADER) else {
        return damaged("it is shorter than its header");
    };
    if header[..8] != MAGIC {
        return Err(VectorError::Foreign {
            path: path(),
            what: "a graph of neighbours",
        });
    }
    let [
        version,
        dimensions,
        built_on,
        fingerprint,
        graph_sum,
        header_sum,
    ] = numbers(&header[8..]);
    if version > VERSION {
        return Err(VectorError::Newer {
            path: path(),
            found: version,
            known: VERSION,
        });
    }
    if version < VERSION {
        return damaged("it was laid out by an earlier version");
    }
    if header_sum != crc32fast::hash(&header[..CHECKED]) {
        return damaged("the checksum of its header is wrong");
    }
    if dimensions as usize != rows.dimensions() || built_on != slots || slots > rows.len() {
        return damaged("it was built on other slots");
    }
    if fingerprint != rows.fingerprint(slots) {
        return damaged("it was built on other vectors");
    }
    if graph_sum != crc32fast::hash(graph) {
        return damaged("its checksum is wrong");
    }
    Ok(())
}
