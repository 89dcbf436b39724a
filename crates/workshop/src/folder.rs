//! The folder `training/UID` in the data folder: what a run that is interrupted goes on from,
//! and the trained model. One training at a time works there.

use crate::error::WorkshopError;
use domain::IndexUid;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use train::encoder::EncoderInput;
use train::pipeline::{Input, Settings};

/// File names have 255 bytes at most; a uid may be longer.
const LONGEST_NAME: usize = 200;

/// The folder in which models of an index are trained. Of a uid that is too long for a file
/// name the beginning stands there, and a hash that tells it from others.
pub fn training_folder(data: &Path, uid: &IndexUid) -> PathBuf {
    let uid = uid.as_str();
    let training = data.join("training");
    match uid.get(..LONGEST_NAME) {
        // A uid is made of plain letters, so it can be cut anywhere.
        Some(start) if uid.len() > LONGEST_NAME => {
            let hash = xxhash_rust::xxh3::xxh3_64(uid.as_bytes());
            training.join(format!("{start}-{hash:016x}"))
        }
        _ => training.join(uid),
    }
}

/// The folder, locked.
#[derive(Debug)]
pub struct Folder {
    dir: PathBuf,
    /// Held as long as the file is open, so that no crash leaves it behind.
    _lock: File,
}

impl Folder {
    /// Enters the folder of an index, unless another training is in it.
    ///
    /// # Errors
    /// When there is one, or the folder cannot be made.
    pub fn enter(data: &Path, uid: &IndexUid) -> Result<Self, WorkshopError> {
        let dir = training_folder(data, uid);
        fs::create_dir_all(&dir).map_err(failed("make", &dir))?;
        let path = dir.join("lock");
        let lock = File::create(&path).map_err(failed("make", &path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { dir, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(WorkshopError::Busy(uid.clone())),
            Err(TryLockError::Error(source)) => Err(failed("lock", &path)(source)),
        }
    }

    /// Begins anew: an older state is removed, and what is trained on is kept.
    pub(crate) fn keep(&self, input: &Input, settings: Settings) -> Result<(), WorkshopError> {
        self.clear()?;
        input.save(&self.input())?;
        let path = self.settings();
        let text = serde_json::to_vec(&settings).map_err(|source| WorkshopError::Damaged {
            path: path.clone(),
            source,
        })?;
        fs::write(&path, text).map_err(failed("write", &path))
    }

    /// What an interrupted run was trained on, and how.
    pub(crate) fn kept(&self) -> Result<(Input, Settings), WorkshopError> {
        let path = self.settings();
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(WorkshopError::NothingToResume);
            }
            read => read.map_err(failed("read", &path))?,
        };
        let settings = serde_json::from_slice(&bytes)
            .map_err(|source| WorkshopError::Damaged { path, source })?;
        Ok((Input::load(&self.input())?, settings))
    }

    /// Removes the state of a run.
    pub(crate) fn clear(&self) -> Result<(), WorkshopError> {
        remove([self.settings(), self.checkpoint(), self.input()])
    }

    /// Begins to train an encoder anew: an older state is removed, and what it is made of kept.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn keep_encoder(&self, input: &EncoderInput) -> Result<(), WorkshopError> {
        self.clear_encoder()?;
        Ok(input.save(&self.encoder_input())?)
    }

    /// What an interrupted training of an encoder was made of.
    ///
    /// # Errors
    /// When there is none, or it is damaged.
    pub fn kept_encoder(&self) -> Result<EncoderInput, WorkshopError> {
        let path = self.encoder_input();
        match path.exists() {
            true => Ok(EncoderInput::load(&path)?),
            false => Err(WorkshopError::NothingToResume),
        }
    }

    /// Removes the state of an encoder's training.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn clear_encoder(&self) -> Result<(), WorkshopError> {
        remove([self.encoder_input(), self.encoder_checkpoint()])
    }

    /// The state of an encoder's training.
    pub fn encoder_checkpoint(&self) -> PathBuf {
        self.dir.join("encoder-checkpoint")
    }

    /// The trained encoder.
    pub fn encoder(&self) -> PathBuf {
        self.dir.join("encoder")
    }

    fn encoder_input(&self) -> PathBuf {
        self.dir.join("encoder-input")
    }

    /// The state of the run.
    pub(crate) fn checkpoint(&self) -> PathBuf {
        self.dir.join("checkpoint")
    }

    /// The trained model.
    pub(crate) fn model(&self) -> PathBuf {
        self.dir.join("model")
    }

    fn input(&self) -> PathBuf {
        self.dir.join("input")
    }

    /// Written last, so that where it is the rest is too.
    fn settings(&self) -> PathBuf {
        self.dir.join("settings.json")
    }
}

/// Removes files that may be there.
fn remove<const N: usize>(paths: [PathBuf; N]) -> Result<(), WorkshopError> {
    for path in paths {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed("remove", &path)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> WorkshopError {
    let path = path.to_owned();
    move |source| WorkshopError::Folder { what, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_of_any_length_has_a_folder_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let long = "u".repeat(399);
        let uids = ["shop".to_owned(), format!("{long}a"), format!("{long}b")];
        let entered: Vec<Folder> = uids
            .iter()
            .map(|uid| Folder::enter(dir.path(), &IndexUid::new(uid).unwrap()).unwrap())
            .collect();
        assert_eq!(entered.len(), uids.len());
        assert!(dir.path().join("training/shop/lock").exists());
    }
}
