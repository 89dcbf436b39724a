//! The file of a graph: a header of ours, then what the library writes. The library follows
//! pointers it finds in there, so nothing is mapped whose checksum is wrong, and a graph of
//! other rows is refused too.

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
const VERSION: u32 = 1;
/// Bytes of the header under its checksum, which follows them.
const CHECKED: usize = 32;

/// Writes the graph over the first slots of some rows.
pub(crate) fn write(path: &Path, slots: u32, rows: &Rows, graph: &[u8]) -> Result<(), VectorError> {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(&MAGIC);
    let fields = [
        VERSION,
        rows.dimensions() as u32,
        slots,
        rows.fingerprint(slots),
        // Damage that keeps the checksum does not keep the length as well.
        graph.len() as u32,
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
    let damaged = |what| VectorError::Damaged {
        path: path.to_owned(),
        what,
    };
    let Some((header, graph)) = map.split_at_checked(HEADER) else {
        return Err(damaged("it is shorter than its header"));
    };
    if header[..8] != MAGIC {
        return Err(VectorError::Foreign {
            path: path.to_owned(),
            what: "a graph of neighbours",
        });
    }
    let [
        version,
        dimensions,
        built_on,
        fingerprint,
        length,
        checksum,
        header_checksum,
    ] = numbers(&header[8..]);
    if version > VERSION {
        return Err(VectorError::Newer {
            path: path.to_owned(),
            found: version,
            known: VERSION,
        });
    }
    if header_checksum != crc32fast::hash(&header[..CHECKED]) {
        return Err(damaged("the checksum of its header is wrong"));
    }
    if dimensions as usize != rows.dimensions() || built_on != slots || slots > rows.len() {
        return Err(damaged("it was built on other slots"));
    }
    if fingerprint != rows.fingerprint(slots) {
        return Err(damaged("it was built on other vectors"));
    }
    if length != graph.len() as u32 || checksum != crc32fast::hash(graph) {
        return Err(damaged("its checksum is wrong"));
    }
    Ok(map)
}
