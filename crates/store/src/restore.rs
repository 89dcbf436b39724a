//! A log folder from a backup, and the files that came along, whole or not at all.
//!
//! The records and the files are written into folders beside their targets, which take the
//! targets' names only when the backup has been read to its last byte and found
//! good. A damaged backup leaves nothing behind.

use crate::backup::{HEAD, MOST_NAME, SALT, VERSION, WITHOUT_FILES, encode_head_of_file};
use crate::disk::{create_dirs, parent, sync_dir};
use crate::error::{Damage, LogError};
use crate::frame::NewRecord;
use crate::log::{Log, LogOptions};
use crate::scan::{Frames, Step};
use crc32fast::Hasher;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Component, Path, PathBuf};

/// Records are appended in groups of about this many bytes.
const GROUP: usize = 4 << 20;

/// What a restored log holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestoreReport {
    pub records: u64,
    pub files: u64,
    /// The bytes of the backup.
    pub bytes: u64,
    pub last_seq: Option<u64>,
}

/// Why a backup was not restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    #[error(
        "{} is not empty: restore into a new folder, or move the old one away first",
        path.display()
    )]
    NotEmpty { path: PathBuf },
    #[error("this is no backup: it does not begin with the mark of one")]
    Foreign,
    #[error(
        "the backup has format version {found}, newer than version {supported}, which this program knows: use the program that wrote it, or a newer one"
    )]
    Newer { found: u32, supported: u32 },
    #[error(
        "the backup is damaged at byte {offset}, where record {seq} should stand: {what}; nothing was restored, use another copy"
    )]
    Damaged { offset: u64, seq: u64, what: Damage },
    #[error("the backup is damaged: {0}; nothing was restored, use another copy")]
    Unsound(&'static str),
    #[error("the backup cannot be read")]
    Read(#[source] io::Error),
    #[error("the restored log cannot be written")]
    Write(#[from] LogError),
}

/// Makes the log folder `log`, which must be missing or empty, from a backup. The files that
/// came along go to their names below `files`.
pub fn restore(
    input: &mut dyn Read,
    log: &Path,
    files: &Path,
) -> Result<RestoreReport, RestoreError> {
    let failed = |error| RestoreError::Write(LogError::io(log, error));
    match fs::read_dir(log) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                let path = log.to_path_buf();
                return Err(RestoreError::NotEmpty { path });
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let beside = Beside::create(log).map_err(failed)?;
    let mut beside_files = None;
    let report = fill(input, &beside.path, || {
        let beside = Beside::create(&files.join("files"))?;
        Ok(beside_files.insert(beside).path.clone())
    })?;
    // The log comes last: without one, nothing was restored.
    if let Some(beside) = beside_files {
        beside.take_places(files)?;
    }
    beside.take_place(log).map_err(failed)?;
    Ok(report)
}

/// Reads a backup to its end. `place` makes the folder of its files.
fn fill(
    input: &mut dyn Read,
    dir: &Path,
    place: impl FnOnce() -> io::Result<PathBuf>,
) -> Result<RestoreReport, RestoreError> {
    let mut input = Summed {
        inner: BufReader::with_capacity(1 << 16, input),
        hasher: Hasher::new(),
    };
    let (version, count) = read_head(&mut input)?;
    let (log, _) = Log::open(dir, LogOptions::default())?;
    let mut frames = Frames::new(&mut input, SALT, 0, HEAD as u64, u64::MAX);
    let mut group = Vec::new();
    let mut group_bytes = 0;
    while frames.next_seq < count {
        let record = match frames.step().map_err(RestoreError::Read)? {
            Step::Record(record) => record,
            Step::Bad(what) => {
                let (offset, seq) = (frames.offset, frames.next_seq);
                return Err(RestoreError::Damaged { offset, seq, what });
            }
            Step::End => return Err(RestoreError::Unsound("it ends before its last record")),
        };
        group_bytes += record.payload.len();
        group.push(NewRecord {
            kind: record.kind,
            version: record.version,
            payload: record.payload,
        });
        if group_bytes >= GROUP {
            log.append_unchecked(&group)?;
            group.clear();
            group_bytes = 0;
        }
    }
    log.append_unchecked(&group)?;
    let mut bytes = frames.offset + 4;
    let mut files = 0;
    if version > WITHOUT_FILES {
        let found = read_files(&mut input, place)?;
        files = found.files;
        bytes += found.bytes;
    }
    check_trailer(&mut input)?;
    Ok(RestoreReport {
        records: count,
        files,
        bytes,
        last_seq: log.last_seq(),
    })
}

/// Reads the head of the file: its version, and how many records follow.
fn read_head(input: &mut impl Read) -> Result<(u32, u64), RestoreError> {
    let mut head = [0; HEAD];
    input
        .read_exact(&mut head)
        .map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => RestoreError::Foreign,
            _ => RestoreError::Read(error),
        })?;
    let [m @ .., c0, c1, c2, c3, c4, c5, c6, c7, _, _, _, _] = head;
    let count = u64::from_le_bytes([c0, c1, c2, c3, c4, c5, c6, c7]);
    let [magic @ .., v0, v1, v2, v3] = m;
    let found = u32::from_le_bytes([v0, v1, v2, v3]);
    let expected = encode_head_of_file(found, count);
    if !expected.starts_with(&magic) {
        return Err(RestoreError::Foreign);
    }
    match head == expected {
        true if (WITHOUT_FILES..=VERSION).contains(&found) => Ok((found, count)),
        true if found > VERSION => Err(RestoreError::Newer {
            found,
            supported: VERSION,
        }),
        _ => Err(RestoreError::Unsound(
            "its head does not match its checksum",
        )),
    }
}

/// What stood behind the records.
#[derive(Default)]
struct Files {
    files: u64,
    bytes: u64,
}

/// Writes the files into a folder that is made with the first.
fn read_files(
    input: &mut impl Read,
    place: impl FnOnce() -> io::Result<PathBuf>,
) -> Result<Files, RestoreError> {
    let mut found = Files::default();
    let mut place = Some(place);
    let mut dir = PathBuf::new();
    loop {
        let mut length = [0; 2];
        read_part(input, &mut length)?;
        let length = usize::from(u16::from_le_bytes(length));
        found.bytes += 2;
        if length == 0 {
            return Ok(found);
        }
        if length > MOST_NAME {
            return Err(RestoreError::Unsound("the name of a file is too long"));
        }
        let mut name = vec![0; length];
        read_part(input, &mut name)?;
        let mut size = [0; 8];
        read_part(input, &mut size)?;
        let size = u64::from_le_bytes(size);
        let inside = inside(&name)?;
        if let Some(make) = place.take() {
            dir = make().map_err(|source| written(&dir, source))?;
        }
        write_file(input, &dir.join(inside), size)?;
        found.files += 1;
        found.bytes += (length + 8) as u64 + size;
    }
}

fn read_part(input: &mut impl Read, part: &mut [u8]) -> Result<(), RestoreError> {
    input.read_exact(part).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => RestoreError::Unsound("it ends before its last file"),
        _ => RestoreError::Read(error),
    })
}

/// The path that a name says, which must not lead out of the folder that is restored.
fn inside(name: &[u8]) -> Result<&Path, RestoreError> {
    let path = std::str::from_utf8(name).map(Path::new);
    let path = path.map_err(|_| RestoreError::Unsound("the name of a file is no text"))?;
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    match path.components().all(is_plain) {
        true => Ok(path),
        false => Err(RestoreError::Unsound("the name of a file leads elsewhere")),
    }
}

fn write_file(input: &mut impl Read, path: &Path, size: u64) -> Result<(), RestoreError> {
    create_dirs(parent(path)).map_err(|source| written(path, source))?;
    let mut file = File::create_new(path).map_err(|source| written(path, source))?;
    let copied = io::copy(&mut input.by_ref().take(size), &mut file);
    // A backup that cannot be read is rarer than a full disk.
    if copied.map_err(|source| written(path, source))? < size {
        return Err(RestoreError::Unsound("it ends before its last file"));
    }
    file.sync_all().map_err(|source| written(path, source))?;
    sync_dir(parent(path)).map_err(|source| written(path, source))
}

fn written(path: &Path, source: io::Error) -> RestoreError {
    RestoreError::Write(LogError::io(path, source))
}

fn check_trailer<R: Read>(input: &mut Summed<R>) -> Result<(), RestoreError> {
    let sum = input.hasher.clone().finalize();
    let mut trailer = [0; 4];
    input
        .read_exact(&mut trailer)
        .map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => RestoreError::Unsound("its checksum is missing"),
            _ => RestoreError::Read(error),
        })?;
    if u32::from_le_bytes(trailer) != sum {
        return Err(RestoreError::Unsound("it does not match its checksum"));
    }
    match input.read(&mut [0]).map_err(RestoreError::Read)? {
        0 => Ok(()),
        _ => Err(RestoreError::Unsound("bytes follow its end")),
    }
}

/// Sums what is read.
struct Summed<R> {
    inner: R,
    hasher: Hasher,
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        Ok(count)
    }
}

/// The folder in the making; gone unless it took the target's place.
struct Beside {
    path: PathBuf,
}

impl Beside {
    fn create(target: &Path) -> io::Result<Self> {
        let mut name = target.file_name().unwrap_or_default().to_os_string();
        name.push(".restoring");
        let path = target.with_file_name(name);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        create_dirs(&path)?;
        Ok(Self { path })
    }

    fn take_place(self, target: &Path) -> io::Result<()> {
        sync_dir(&self.path)?;
        match fs::remove_dir(target) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::rename(&self.path, target)?;
        sync_dir(parent(target))
    }

    /// Moves what is in the folder to `target`, where nothing of these names may be.
    fn take_places(self, target: &Path) -> Result<(), RestoreError> {
        let failed = |source| written(target, source);
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = target.join(entry.file_name());
            if path.exists() {
                return Err(RestoreError::NotEmpty { path });
            }
            fs::rename(entry.path(), &path).map_err(failed)?;
        }
        sync_dir(target).map_err(failed)
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}
