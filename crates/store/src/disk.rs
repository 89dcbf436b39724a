//! The few file operations that durability rests on.
//!
//! Reads and writes name their place in the file, so that readers and the writer
//! never share a position. A file that takes the place of another is written
//! beside it, made durable, and renamed over it: a crash leaves the old or the new.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The extension of a file that is not finished; such files are removed at start.
pub(crate) const UNFINISHED: &str = "new";

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

/// Writes all bytes at a place of the file.
#[cfg(unix)]
pub(crate) fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

/// Writes all bytes at a place of the file.
#[cfg(windows)]
pub(crate) fn write_all_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_write(file, bytes, offset)? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            written => {
                bytes = bytes.get(written..).unwrap_or_default();
                offset += written as u64;
            }
        }
    }
    Ok(())
}

/// Reads a part of a file without moving anybody's position in it.
#[derive(Debug)]
pub(crate) struct Section {
    file: Arc<File>,
    offset: u64,
    end: u64,
}

impl Section {
    pub fn new(file: Arc<File>, offset: u64, end: u64) -> Self {
        Self { file, offset, end }
    }
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let count = read_at(&self.file, &mut buffer[..wanted], self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}

/// Makes the names in a folder durable.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(dir)?.sync_all()
    } else {
        Ok(()) // elsewhere a folder cannot be opened as a file; names are journalled
    }
}

/// Makes a folder and those above it, and makes the names of new ones durable.
pub(crate) fn create_dirs(dir: &Path) -> io::Result<()> {
    let missing: Vec<_> = dir
        .ancestors()
        .take_while(|path| !path.as_os_str().is_empty() && !path.exists())
        .collect();
    std::fs::create_dir_all(dir)?;
    missing
        .into_iter()
        .try_for_each(|path| sync_dir(parent(path)))
}

/// The folder that holds a path.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A file in the making that will take its name when it is whole and durable.
#[derive(Debug)]
pub(crate) struct Unfinished {
    target: PathBuf,
    path: PathBuf,
    writer: Option<BufWriter<File>>,
}

impl Unfinished {
    /// Begins the file that is to be called `target`.
    pub fn create(target: &Path) -> io::Result<Self> {
        let path = target.with_extension(UNFINISHED);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)?;
        Ok(Self {
            target: target.to_path_buf(),
            path,
            writer: Some(BufWriter::with_capacity(1 << 16, file)),
        })
    }

    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.writer {
            Some(writer) => writer.write_all(bytes),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Makes the file durable and gives it its name, over any older file.
    pub fn finish(mut self) -> io::Result<()> {
        if let Some(writer) = self.writer.take() {
            let file = writer
                .into_inner()
                .map_err(io::IntoInnerError::into_error)?;
            file.sync_all()?;
        }
        std::fs::rename(&self.path, &self.target)?;
        sync_dir(parent(&self.target))
    }
}

impl Drop for Unfinished {
    /// Takes away what was not finished; after `finish` no such file is left.
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take() {
            drop(writer.into_parts());
        }
        let _ = std::fs::remove_file(&self.path);
    }
}
