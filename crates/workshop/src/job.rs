//! One training, step by step.

use crate::error::WorkshopError;
use crate::folder::Folder;
use domain::IndexUid;
use engine::{Engine, EngineError, ModelEntry, ModelState};
use std::path::{Path, PathBuf};
use train::Observer;
use train::pipeline::{Counts, Input, Model, Prepared, Report, Settings};

/// The kind of model that is trained.
const AFFINITY: &str = "affinity";

/// A training that has its data, in the workshop of its index.
#[derive(Debug)]
pub struct Job {
    folder: Folder,
    input: Input,
    settings: Settings,
}

/// A training whose data are clean and cut by time.
#[derive(Debug)]
pub struct Ready {
    folder: Folder,
    prepared: Prepared,
    settings: Settings,
}

/// A trained model, written into the workshop.
#[derive(Debug)]
pub struct Done {
    folder: Folder,
    model: Model,
}

/// What became of a model.
#[derive(Debug)]
pub struct Shelved {
    pub entry: ModelEntry,
    /// The one that answered before.
    pub live: Option<ModelEntry>,
    /// Why it does not answer although it should.
    pub held_back: Option<String>,
}

impl Job {
    /// Begins a training; what an older one left is removed.
    ///
    /// # Errors
    /// When the index is being trained for already, or the workshop cannot be written.
    pub fn new(
        data: &Path,
        uid: &IndexUid,
        input: Input,
        settings: Settings,
    ) -> Result<Self, WorkshopError> {
        let folder = Folder::enter(data, uid)?;
        folder.keep(&input, settings)?;
        Ok(Self {
            folder,
            input,
            settings,
        })
    }

    /// Goes on with a training that was interrupted, on its data and with its settings.
    ///
    /// # Errors
    /// When there is none, it is damaged, or the index is being trained for already.
    pub fn resumed(data: &Path, uid: &IndexUid) -> Result<Self, WorkshopError> {
        let folder = Folder::enter(data, uid)?;
        let (input, settings) = folder.kept()?;
        Ok(Self {
            folder,
            input,
            settings,
        })
    }

    /// Cleans the data and cuts them by time.
    ///
    /// # Errors
    /// When nothing can be learned or measured.
    pub fn prepare(self) -> Result<Ready, WorkshopError> {
        Ok(Ready {
            prepared: Prepared::new(&self.input, self.settings)?,
            folder: self.folder,
            settings: self.settings,
        })
    }
}

impl Ready {
    /// What there is, and what was left out.
    pub fn counts(&self) -> &Counts {
        self.prepared.counts()
    }

    /// How it is trained.
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// Trains, measures and writes the model. A state of an interrupted run is gone on from.
    ///
    /// # Errors
    /// When the observer ends the run, the loss is no number, or a file cannot be written.
    pub fn train(self, observer: &mut dyn Observer) -> Result<Done, WorkshopError> {
        let now = engine::now().millis();
        let checkpoint = self.folder.checkpoint();
        let model = self.prepared.train(Some(&checkpoint), now, observer)?;
        model.write(&self.folder.model())?;
        Ok(Done {
            folder: self.folder,
            model,
        })
    }
}

impl Done {
    /// What was measured.
    pub fn report(&self) -> &Report {
        &self.model.report
    }

    /// Where the model is, with its plots.
    pub fn folder(&self) -> PathBuf {
        self.folder.model()
    }

    /// Adds the model to the index, lets it answer where that is wanted, it adds something to
    /// counting and is not worse than the one that does, and forgets the state of the run.
    ///
    /// # Errors
    /// When the index cannot take it. The state stays, so that resuming comes back here.
    pub fn shelve(
        &self,
        engine: &Engine,
        uid: &IndexUid,
        promote: bool,
    ) -> Result<Shelved, WorkshopError> {
        let uid = uid.as_str();
        let is_live =
            |entry: &ModelEntry| entry.kind == AFFINITY && entry.state == ModelState::Live;
        let live = engine.models(uid)?.into_iter().find(is_live);
        let mut entry = engine.add_model(uid, AFFINITY, &self.folder())?;
        let mut held_back = None;
        if promote && self.adds_nothing() {
            held_back = Some(format!(
                "{} stays a candidate: counted pairs alone rank next items as well; collect more events, or train for more epochs",
                entry.id
            ));
        } else if promote {
            match engine.promote_model(uid, &entry.id, false) {
                Ok(promoted) => entry = promoted,
                Err(refused @ EngineError::WorseModel { .. }) => {
                    held_back = Some(refused.to_string());
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.folder.clear()?;
        Ok(Shelved {
            entry,
            live,
            held_back,
        })
    }

    /// Whether recommendations are best without it.
    fn adds_nothing(&self) -> bool {
        self.report().blend.is_some_and(|blend| blend.share == 0.0)
    }
}
