//! The names of the files in a folder of vectors, and the operations on them that durability
//! rests on.

use crate::error::VectorError;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// What stands before the first slot in the name of a file of rows.
const ROWS: &str = "rows.";
/// What stands before the number of slots in the name of a graph.
const GRAPH: &str = "graph.";
/// The end of the name of a graph that is not published.
const UNFINISHED: &str = ".new";

/// The file of rows that begins with a slot.
pub(crate) fn rows_path(folder: &Path, first: u32) -> PathBuf {
    folder.join(format!("{ROWS}{first:010}"))
}

/// The graph over so many slots.
pub(crate) fn graph_path(folder: &Path, slots: u32) -> PathBuf {
    folder.join(format!("{GRAPH}{slots:010}"))
}

/// The same while it is written.
pub(crate) fn unfinished_graph_path(folder: &Path, slots: u32) -> PathBuf {
    folder.join(format!("{GRAPH}{slots:010}{UNFINISHED}"))
}

/// What a file of the folder is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Found {
    /// Rows from a slot on.
    Rows(u32),
    /// A graph over so many slots.
    Graph(u32),
    Unfinished,
}

/// The files of ours in a folder.
pub(crate) fn list(folder: &Path) -> Result<Vec<(PathBuf, Found)>, VectorError> {
    let entries = fs::read_dir(folder).map_err(VectorError::io("list", folder))?;
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.map_err(VectorError::io("list", folder))?;
        let name = entry.file_name();
        if let Some(found) = name.to_str().and_then(parse) {
            files.push((entry.path(), found));
        }
    }
    Ok(files)
}

fn parse(name: &str) -> Option<Found> {
    if let Some(first) = name.strip_prefix(ROWS) {
        return first.parse().ok().map(Found::Rows);
    }
    let slots = name.strip_prefix(GRAPH)?;
    if slots.ends_with(UNFINISHED) {
        return Some(Found::Unfinished);
    }
    slots.parse().ok().map(Found::Graph)
}

/// Writes all bytes at a place of the file.
#[cfg(unix)]
pub(crate) fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

/// Writes all bytes at a place of the file.
#[cfg(not(unix))]
pub(crate) fn write_all_at(mut file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    use io::{Seek, Write};
    // Only the writer has this handle, so nobody else moves its position.
    file.seek(io::SeekFrom::Start(offset))?;
    file.write_all(bytes)
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), VectorError> {
    // Elsewhere a folder cannot be opened, and names are durable with their files.
    if cfg!(unix) {
        let opened = File::open(folder).and_then(|folder| folder.sync_all());
        opened.map_err(VectorError::io("sync", folder))?;
    }
    Ok(())
}
