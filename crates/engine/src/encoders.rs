//! Encoder models by name: where they lie, and each opened once.
//!
//! A model is a folder named after it, in the data folder (`models/encoder/NAME`) or in a
//! folder that all data folders of a user share. [`ModelFolders`] finds it, and [`Encoders`]
//! opens it when it is first asked for and shares it from then on.

use encode::{Encoder, LongText, ModelError, Options, Precision, Service, ServiceOptions};
use parking_lot::Mutex;
use std::fmt;
use std::io;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::sync::Arc;

/// The variable that names the shared folder.
const MODELS_VARIABLE: &str = "VITRINE_MODELS";
/// Where a data folder keeps its encoders.
const IN_DATA: &[&str] = &["models", "encoder"];
/// The longest name of a model.
const LONGEST_NAME: usize = 64;

/// The name of a model: letters, digits, `-`, `_` and `.`, a letter or digit first, so that
/// it is the name of one folder and cannot lead anywhere else.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ModelName(String);

/// Why there is no encoder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncoderError {
    #[error(
        "`{0}` is no name of a model: use up to 64 letters, digits, `-`, `_` and `.`, and begin with a letter or digit"
    )]
    Name(String),
    #[error("model `{0}` is not installed: run `vitrine model pull {0}`")]
    NotInstalled(ModelName),
    #[error("there is no model at {0}: name a model folder, a model file, or an installed model")]
    NoSuchPath(PathBuf),
    #[error("cannot open the model at {path}")]
    Open {
        path: PathBuf,
        #[source]
        source: Box<ModelError>,
    },
    #[error("cannot start a thread for the model at {path}")]
    Thread {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl ModelName {
    /// Checks a name.
    pub fn new(name: &str) -> Result<Self, EncoderError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let begins_well = name
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphanumeric());
        // A dot at the end is dropped by some file systems, which makes two names of one.
        let is_good = begins_well
            && name.len() <= LONGEST_NAME
            && name.bytes().all(is_plain)
            && !name.ends_with('.');
        if is_good {
            Ok(Self(name.to_owned()))
        } else {
            Err(EncoderError::Name(name.chars().take(100).collect()))
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where an installed model was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ModelPlace {
    /// In the data folder; it comes before a shared one of the same name.
    Data,
    /// In the folder that all data folders share.
    Shared,
}

/// A model folder that is there.
#[derive(Clone, Debug)]
pub struct InstalledModel {
    pub name: ModelName,
    pub place: ModelPlace,
    pub path: PathBuf,
}

/// The folders in which models are looked for.
#[derive(Clone, Debug, Default)]
pub struct ModelFolders {
    data: Option<PathBuf>,
    shared: Option<PathBuf>,
}

impl ModelFolders {
    /// The folders of a data folder, if one is named, and of a shared models folder.
    pub fn new(data: Option<&Path>, shared: Option<PathBuf>) -> Self {
        let inside = |dir: &Path| {
            IN_DATA
                .iter()
                .fold(dir.to_owned(), |path, name| path.join(name))
        };
        Self {
            data: data.map(inside),
            shared,
        }
    }

    /// The same with the shared folder of this user: `$VITRINE_MODELS`, or `vitrine/models` in
    /// the user's cache folder.
    pub fn of_environment(data: Option<&Path>) -> Self {
        let variable = |name: &str| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let cache = || {
            variable("XDG_CACHE_HOME")
                .filter(|path| path.is_absolute())
                .or_else(|| Some(std::env::home_dir()?.join(".cache")))
        };
        let shared =
            variable(MODELS_VARIABLE).or_else(|| Some(cache()?.join("vitrine").join("models")));
        Self::new(data, shared)
    }

    /// Where the data folder keeps its models.
    pub fn data(&self) -> Option<&Path> {
        self.data.as_deref()
    }

    /// Where all data folders share models; there is none when the user has no home folder.
    pub fn shared(&self) -> Option<&Path> {
        self.shared.as_deref()
    }

    /// The folder of an installed model.
    pub fn find(&self, name: &ModelName) -> Result<PathBuf, EncoderError> {
        self.places()
            .map(|(_, folder)| folder.join(name.as_str()))
            .find(|path| path.is_dir())
            .ok_or_else(|| EncoderError::NotInstalled(name.clone()))
    }

    /// A path that exists, or the folder of an installed model.
    pub fn resolve(&self, name_or_path: &str) -> Result<PathBuf, EncoderError> {
        let path = Path::new(name_or_path);
        if !name_or_path.is_empty() && path.exists() {
            return Ok(path.to_owned());
        }
        if name_or_path.contains(['/', MAIN_SEPARATOR]) {
            return Err(EncoderError::NoSuchPath(path.to_owned()));
        }
        self.find(&ModelName::new(name_or_path)?)
    }

    /// Every model that is there, by name; what the data folder has comes first.
    pub fn installed(&self) -> Vec<InstalledModel> {
        let mut models = Vec::new();
        for (place, folder) in self.places() {
            // A folder that is not there or cannot be read has no models to offer.
            for entry in folder.read_dir().into_iter().flatten().flatten() {
                let name = entry.file_name();
                let path = entry.path();
                let Some(Ok(name)) = name.to_str().map(ModelName::new) else {
                    continue;
                };
                if path.is_dir() {
                    models.push(InstalledModel { name, place, path });
                }
            }
        }
        models.sort_by(|one, other| one.name.cmp(&other.name));
        models
    }

    fn places(&self) -> impl Iterator<Item = (ModelPlace, &PathBuf)> {
        let data = self.data.iter().map(|path| (ModelPlace::Data, path));
        let shared = self.shared.iter().map(|path| (ModelPlace::Shared, path));
        data.chain(shared)
    }
}

/// A model in memory.
#[derive(Debug)]
pub struct OpenEncoder {
    /// For whoever encodes much and can wait.
    pub encoder: Arc<Encoder>,
    /// For many callers with a few texts each.
    pub service: Service,
}

/// Models by name, each opened once.
#[derive(Debug)]
pub struct Encoders {
    folders: ModelFolders,
    threads: usize,
    options: ServiceOptions,
    slots: Mutex<Vec<(ModelName, Precision, Slot)>>,
}

/// One model, locked while it is being opened, so that nobody opens it twice.
type Slot = Arc<Mutex<Option<Arc<OpenEncoder>>>>;

impl Encoders {
    /// Models of these folders, none open yet; each encodes on `threads` threads.
    pub fn new(folders: ModelFolders, threads: usize, options: ServiceOptions) -> Self {
        Self {
            folders,
            threads: threads.max(1),
            options,
            slots: Mutex::new(Vec::new()),
        }
    }

    /// Where the models are looked for.
    pub fn folders(&self) -> &ModelFolders {
        &self.folders
    }

    /// The model of this name. The first call opens it, which takes a while; others wait.
    pub fn get(
        &self,
        name: &ModelName,
        precision: Precision,
    ) -> Result<Arc<OpenEncoder>, EncoderError> {
        let slot = self.slot(name, precision);
        let mut place = slot.lock();
        if let Some(open) = &*place {
            return Ok(open.clone());
        }
        let path = self.folders.find(name)?;
        let open = Arc::new(self.open(path, precision)?);
        *place = Some(open.clone());
        Ok(open)
    }

    fn slot(&self, name: &ModelName, precision: Precision) -> Slot {
        let mut slots = self.slots.lock();
        // What could not be opened leaves nothing behind: names come from outside.
        slots.retain(|(_, _, slot)| {
            Arc::strong_count(slot) > 1 || slot.try_lock().is_none_or(|place| place.is_some())
        });
        let known = slots
            .iter()
            .find(|(known, kept, _)| known == name && *kept == precision);
        if let Some((_, _, slot)) = known {
            return slot.clone();
        }
        let slot = Slot::default();
        slots.push((name.clone(), precision, slot.clone()));
        slot
    }

    fn open(&self, path: PathBuf, precision: Precision) -> Result<OpenEncoder, EncoderError> {
        let options = Options {
            precision,
            threads: self.threads,
            long_text: LongText::Cut,
        };
        let encoder = match Encoder::open(&path, options) {
            Ok(encoder) => Arc::new(encoder),
            Err(source) => {
                let source = Box::new(source);
                return Err(EncoderError::Open { path, source });
            }
        };
        let service = Service::start(encoder.clone(), self.options)
            .map_err(|source| EncoderError::Thread { path, source })?;
        Ok(OpenEncoder { encoder, service })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_name_leads_nowhere_else() {
        for good in ["minilm", "e5", "BGE-small_en.v1.5", "7b"] {
            assert_eq!(ModelName::new(good).expect("a good name").as_str(), good);
        }
        let long = "a".repeat(65);
        for bad in [
            "", ".", "..", "../e5", "a/b", "a\\b", ".hidden", "-x", "a b", "é", "e5.", "a\0", &long,
        ] {
            assert!(ModelName::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_data_folder_comes_before_the_shared_one() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (data, shared) = (dir.path().join("data"), dir.path().join("shared"));
        let folders = ModelFolders::new(Some(&data), Some(shared.clone()));
        let name = ModelName::new("minilm").expect("a good name");
        assert_eq!(
            folders.find(&name).expect_err("nothing there").to_string(),
            "model `minilm` is not installed: run `vitrine model pull minilm`"
        );
        fs::create_dir_all(shared.join("minilm")).expect("made");
        fs::create_dir_all(shared.join(".e5.part")).expect("made");
        assert_eq!(folders.find(&name).expect("found"), shared.join("minilm"));
        let own = data.join("models/encoder/minilm");
        fs::create_dir_all(&own).expect("made");
        assert_eq!(folders.find(&name).expect("found"), own);
        let places: Vec<ModelPlace> = folders
            .installed()
            .into_iter()
            .map(|model| model.place)
            .collect();
        assert_eq!(places, [ModelPlace::Data, ModelPlace::Shared]);
    }

    #[test]
    fn a_path_is_taken_as_it_is_and_must_exist() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let folders = ModelFolders::new(None, Some(dir.path().to_owned()));
        let here = dir.path().to_str().expect("a plain path");
        assert_eq!(folders.resolve(here).expect("it exists"), dir.path());
        for (missing, words) in [
            ("./nowhere/at-all", "there is no model at ./nowhere/at-all"),
            ("../e5-nowhere", "there is no model at"),
            ("none-such", "run `vitrine model pull none-such`"),
            ("", "is no name of a model"),
        ] {
            let message = folders.resolve(missing).expect_err("not there").to_string();
            assert!(message.contains(words), "{message}");
        }
    }

    #[test]
    fn a_folder_that_is_no_model_is_refused_each_time_it_is_asked_for() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let folders = ModelFolders::new(None, Some(dir.path().to_owned()));
        let encoders = Encoders::new(folders, 1, ServiceOptions::default());
        let name = ModelName::new("empty").expect("a good name");
        let ask = || encoders.get(&name, Precision::Int8).expect_err("no model");
        assert!(matches!(ask(), EncoderError::NotInstalled(_)));
        fs::create_dir(dir.path().join("empty")).expect("made");
        assert!(matches!(ask(), EncoderError::Open { .. }));
        assert!(matches!(ask(), EncoderError::Open { .. }));
        assert!(encoders.slots.lock().len() <= 1);
    }
}
