//! Files that a run goes on from: a mark, the contents, a check sum behind them.

use crate::error::TrainError;
use std::fs;
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
