//! From a folder that is being filled to a model with a name.
//!
//! Files are gathered in a hidden folder beside their destination, made durable, and get the
//! name by a rename. A program that is killed leaves the old model, or none, or the new one.

use super::manifest;
use anyhow::{Context as _, bail};
use encode::{Encoder, LongText, Options, Precision};
use engine::ModelName;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The files that an encoder reads, where they are there.
pub const READ: &[&str] = &[
    "config.json",
    "tokenizer.json",
    "model.safetensors",
    "tokenizer_config.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "modules.json",
    "1_Pooling/config.json",
    PACKED,
];

/// The name of a model that is one file.
pub const PACKED: &str = "e5-small-q4.bin";

/// The places of a model that is being installed.
pub struct Site {
    /// The folder of all models.
    models: PathBuf,
    name: ModelName,
    /// Held until the model is installed, so that two commands do not fill one folder.
    _lock: Option<File>,
}

impl Site {
    /// Takes hold of a name in a folder of models, which is made when it is missing. `wait` is
    /// called once when another command has it.
    pub fn take(models: &Path, name: &ModelName, wait: impl FnOnce()) -> anyhow::Result<Self> {
        fs::create_dir_all(models)
            .with_context(|| format!("cannot make the folder {}", models.display()))?;
        let path = models.join(format!(".{name}.lock"));
        let lock = File::create(&path)
            .with_context(|| format!("cannot write in the folder {}", models.display()))?;
        let locked = match lock.try_lock() {
            Ok(()) => Ok(()),
            Err(TryLockError::WouldBlock) => {
                wait();
                lock.lock()
            }
            Err(TryLockError::Error(error)) => Err(error),
        };
        // Some network file systems have no locks; there one command at a time must do.
        let lock = match locked {
            Ok(()) => Some(lock),
            Err(error) if error.kind() == io::ErrorKind::Unsupported => None,
            Err(error) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        };
        Ok(Self {
            models: models.to_owned(),
            name: name.clone(),
            _lock: lock,
        })
    }

    /// Where the model will be.
    pub fn target(&self) -> PathBuf {
        self.models.join(self.name.as_str())
    }

    /// Where downloads are kept until the model is whole; they survive a failed pull.
    pub fn downloads(&self) -> PathBuf {
        self.models.join(format!(".{}.part", self.name))
    }

    /// An empty folder to be filled with the model.
    pub fn fresh(&self) -> anyhow::Result<PathBuf> {
        let folder = self.beside("new");
        remove(&folder)?;
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        Ok(folder)
    }

    /// Makes the filled folder durable and gives it its name, in place of what has it now.
    pub fn put_in_place(&self, filled: &Path) -> anyhow::Result<()> {
        sync(filled).with_context(|| format!("cannot make {} durable", filled.display()))?;
        let target = self.target();
        let old = self.beside("old");
        remove(&old)?;
        if target.exists() {
            fs::rename(&target, &old)
                .with_context(|| format!("cannot replace {}", target.display()))?;
        }
        fs::rename(filled, &target)
            .and_then(|()| sync_folder(&self.models))
            .with_context(|| format!("cannot make {}", target.display()))?;
        remove(&old)?;
        remove(&self.downloads())
    }

    /// Removes the model, and what is left of pulling it. Gives whether there was one.
    pub fn clear(&self) -> anyhow::Result<bool> {
        let target = self.target();
        let was_there = target.exists();
        if was_there {
            let old = self.beside("old");
            remove(&old)?;
            fs::rename(&target, &old)
                .with_context(|| format!("cannot remove {}", target.display()))?;
        }
        for folder in [self.beside("old"), self.beside("new"), self.downloads()] {
            remove(&folder)?;
        }
        Ok(was_there)
    }

    fn beside(&self, ending: &str) -> PathBuf {
        self.models.join(format!(".{}.{ending}", self.name))
    }
}

/// Puts a model that is installed into another folder of models as well: as hard links where
/// the file system can, else as copies.
pub fn share(installed: &Path, site: &Site) -> anyhow::Result<()> {
    let filled = site.fresh()?;
    let mut paths: Vec<&str> = READ.to_vec();
    paths.push(manifest::FILE);
    for path in paths {
        let (from, to) = (installed.join(path), filled.join(path));
        if from.is_file() {
            make_parent(&to)?;
            if fs::hard_link(&from, &to).is_err() {
                copy(&from, &to)?;
            }
        }
    }
    site.put_in_place(&filled)
}

/// Copies the files that an encoder reads; gives their paths.
pub fn gather(from: &Path, filled: &Path) -> anyhow::Result<Vec<String>> {
    let mut paths = Vec::new();
    if from.is_file() {
        copy(from, &filled.join(PACKED))?;
        return Ok(vec![PACKED.to_owned()]);
    }
    for path in READ {
        let source = from.join(path);
        if source.is_file() {
            let target = filled.join(path);
            make_parent(&target)?;
            copy(&source, &target)?;
            paths.push((*path).to_owned());
        }
    }
    if paths.is_empty() {
        bail!(
            "{} has none of the files of a model, such as `config.json` with `model.safetensors`, or `{PACKED}`",
            from.display()
        );
    }
    Ok(paths)
}

/// Opens a model as the engine does, to see whether it is one.
pub fn try_open(folder: &Path) -> anyhow::Result<()> {
    let options = Options {
        precision: Precision::Int8,
        threads: 1,
        long_text: LongText::Cut,
    };
    Encoder::open(folder, options)?;
    Ok(())
}

/// Makes the folder in which a file will lie.
pub fn make_parent(file: &Path) -> anyhow::Result<()> {
    match file.parent() {
        Some(parent) => fs::create_dir_all(parent)
            .with_context(|| format!("cannot make the folder {}", parent.display())),
        None => Ok(()),
    }
}

/// Removes a folder and all in it, if it is there.
pub fn remove(folder: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::copy(from, to)
        .map(|_| ())
        .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))
}

/// Makes all files below a folder durable, and their names.
fn sync(folder: &Path) -> io::Result<()> {
    for entry in folder.read_dir()? {
        let path = entry?.path();
        if path.is_dir() {
            sync(&path)?;
        } else {
            File::open(&path)?.sync_all()?;
        }
    }
    sync_folder(folder)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()
    } else {
        Ok(()) // elsewhere a folder cannot be opened as a file; names are journalled
    }
}
