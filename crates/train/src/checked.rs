//! Files that a run goes on from: a mark, the contents, a check sum behind them.

use crate::error::TrainError;
use crc32fast::Hasher;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// The contents of such a file.
///
/// # Errors
/// When it cannot be read, begins with another mark, or does not agree with its sum.
pub(crate) fn read(path: &Path, mark: &[u8]) -> Result<Vec<u8>, TrainError> {
    let damaged = || TrainError::Damaged {
        path: path.to_owned(),
    };
    let mut bytes = fs::read(path).map_err(|source| TrainError::Read {
        path: path.to_owned(),
        source,
    })?;
    let (rest, sum) = bytes.split_last_chunk::<4>().ok_or_else(damaged)?;
    if crc32fast::hash(rest) != u32::from_le_bytes(*sum) || !rest.starts_with(mark) {
        return Err(damaged());
    }
    bytes.truncate(rest.len());
    bytes.drain(..mark.len());
    Ok(bytes)
}

/// Writes a file of a head and of numbers, which may be many. A crash leaves the old file or the
/// new one.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write(
    path: &Path,
    mark: &[u8],
    head: &impl Serialize,
    numbers: &[&[f32]],
) -> Result<(), TrainError> {
    let head = postcard::to_stdvec(head).map_err(TrainError::Encode)?;
    let beside = path.with_extension("new");
    let written = File::create(&beside).and_then(|file| {
        let mut out = Summed {
            out: BufWriter::new(file),
            sum: Hasher::new(),
        };
        out.write(mark)?;
        out.write(&(head.len() as u64).to_le_bytes())?;
        out.write(&head)?;
        for number in numbers.iter().copied().flatten() {
            out.write(&number.to_le_bytes())?;
        }
        let sum = out.sum.finalize();
        out.out.write_all(&sum.to_le_bytes())?;
        out.out.into_inner()?.sync_all()
    });
    written
        .and_then(|()| fs::rename(&beside, path))
        .map_err(|source| {
            // What is left of a full disk's half file would only take more of it.
            let _ = fs::remove_file(&beside);
            TrainError::Write {
                path: path.to_owned(),
                source,
            }
        })
}

/// What [`write`] wrote.
///
/// # Errors
/// When the file cannot be read, or is damaged or another one.
pub(crate) fn parts<H: DeserializeOwned>(
    path: &Path,
    mark: &[u8],
) -> Result<(H, Vec<f32>), TrainError> {
    let damaged = || TrainError::Damaged {
        path: path.to_owned(),
    };
    let contents = read(path, mark)?;
    let (length, rest) = contents.split_first_chunk::<8>().ok_or_else(damaged)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| damaged())?;
    let (head, numbers) = rest.split_at_checked(length).ok_or_else(damaged)?;
    let head = postcard::from_bytes(head).map_err(|_| damaged())?;
    let (words, []) = numbers.as_chunks::<4>() else {
        return Err(damaged());
    };
    let numbers = words.iter().map(|word| f32::from_le_bytes(*word));
    Ok((head, numbers.collect()))
}

/// Sums what is written.
struct Summed {
    out: BufWriter<File>,
    sum: Hasher,
}

impl Summed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sum.update(bytes);
        self.out.write_all(bytes)
    }
}
