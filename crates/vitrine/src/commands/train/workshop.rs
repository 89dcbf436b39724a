//! The folder `training/UID` in the data folder: what a run that is interrupted goes on from,
//! and the trained model. One training at a time works there.

use anyhow::{Context as _, bail};
use domain::IndexUid;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use train::pipeline::{Input, Settings};

/// The folder, locked.
pub struct Workshop {
    dir: PathBuf,
    /// Held as long as the file is open, so that no crash leaves it behind.
    _lock: File,
}

impl Workshop {
    /// Enters the workshop of an index, unless another training is in it.
    pub fn enter(data: &Path, uid: &IndexUid) -> anyhow::Result<Self> {
        let dir = data.join("training").join(uid.as_str());
        fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let path = dir.join("lock");
        let lock =
            File::create(&path).with_context(|| format!("cannot make {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { dir, _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                bail!("the index {uid} is being trained for already: wait until that ends")
            }
            Err(TryLockError::Error(source)) => {
                Err(source).with_context(|| format!("cannot lock {}", path.display()))
            }
        }
    }

    /// Begins anew: an older state is removed, and what is trained on is kept.
    pub fn keep(&self, input: &Input, settings: Settings) -> anyhow::Result<()> {
        self.clear()?;
        input.save(&self.input())?;
        let path = self.settings();
        fs::write(&path, serde_json::to_vec(&settings)?)
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// What an interrupted run was trained on, and how.
    pub fn kept(&self) -> anyhow::Result<(Input, Settings)> {
        let path = self.settings();
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                bail!("there is no training to go on with: leave out --resume")
            }
            read => read.with_context(|| format!("cannot read {}", path.display()))?,
        };
        let damaged = || format!("{} is damaged: begin anew without --resume", path.display());
        let settings = serde_json::from_slice(&bytes).with_context(damaged)?;
        Ok((Input::load(&self.input())?, settings))
    }

    /// Removes the state of a run.
    pub fn clear(&self) -> anyhow::Result<()> {
        for path in [self.settings(), self.checkpoint(), self.input()] {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot remove {}", path.display()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The state of the run.
    pub fn checkpoint(&self) -> PathBuf {
        self.dir.join("checkpoint")
    }

    /// The trained model.
    pub fn model(&self) -> PathBuf {
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
