//! `vitrine train`: fits a model to what the shoppers of an index did, measures it beside
//! simpler ones, and lets it answer where it is not worse than the one that does.
//!
//! The data folder is held only while the events are read and when the model is added, so a
//! shop can be served while it is trained for.

mod encoder;
mod log;
mod table;
mod watch;
mod workshop;

use crate::folder::{Access, FolderArgs};
use crate::interrupt::Interrupt;
use crate::outcome::Outcome;
use crate::output::{self, Format, note};
use crate::progress;
use anyhow::{Context as _, bail};
use domain::IndexUid;
use engine::{Engine, EngineError, ModelEntry, ModelState};
use serde::Serialize;
use std::path::Path;
use std::time::Instant;
use train::TrainError;
use train::pipeline::{Input, Model, Prepared, Report, Settings};
use watch::Watch;
use workshop::Workshop;

/// Epochs of a run, unless told otherwise.
const EPOCHS: usize = 24;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: FolderArgs,
    /// The index whose shoppers are learned from.
    #[arg(long, value_name = "UID")]
    index: String,
    /// What is trained.
    #[arg(long, value_name = "KIND", default_value = "affinity")]
    model: KindName,
    /// Times that all events are gone through, 24 unless told, or all pairs of texts, once.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=200))]
    epochs: Option<u16>,
    /// Where it is computed; this build trains on the processor only.
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    device: DeviceName,
    /// The same seed and data give the same model; 1 unless told.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Go on with a training that was interrupted, on the same data and with the same settings.
    #[arg(long, conflicts_with_all = ["epochs", "seed"])]
    resume: bool,
    /// Leave the model a candidate, also where it is better than the one that answers.
    #[arg(long)]
    no_promote: bool,
    #[command(flatten)]
    encoder: encoder::EncoderArgs,
    #[command(flatten)]
    format: Format,
}

/// A kind of model by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum KindName {
    /// The Transformer that knows what a shopper will do next.
    Affinity,
    /// The model that makes vectors of texts.
    Encoder,
}

/// A device by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum DeviceName {
    Cpu,
    Cuda,
}

/// What `--json` prints.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    index: &'a str,
    id: &'a str,
    state: &'static str,
    /// Where the plots are.
    folder: &'a Path,
    /// The model that answered before.
    live_before: Option<&'a str>,
    seconds: f64,
    metrics: &'a Report,
}

/// Exit 1 when the model is worse than the live one and stays a candidate.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    if args.device == DeviceName::Cuda {
        bail!("this build trains on the processor only: leave out --device cuda");
    }
    if args.model == KindName::Encoder {
        return encoder::run(&args);
    }
    args.folder.must_exist()?;
    let uid = IndexUid::new(args.index.clone())?;
    let (workshop, input, settings) = begin(&args, &uid)?;
    let prepared = Prepared::new(&input, settings)?;
    drop(input);
    note(&table::counts(prepared.counts()));
    let interrupt = Interrupt::listen().context("cannot listen for Ctrl-C")?;
    let mut watch = Watch::new(&interrupt, settings.epochs, args.format);
    let now = engine::now().millis();
    let trained = prepared.train(Some(&workshop.checkpoint()), now, &mut watch);
    watch.end();
    let model = match trained {
        Err(TrainError::Interrupted { epochs }) => bail!(
            "interrupted after {epochs} whole epochs: go on with `vitrine train --index {uid} --data {} --resume`",
            args.folder.data.display()
        ),
        trained => trained?,
    };
    let folder = workshop.model();
    model.write(&folder)?;
    let shelved = shelve(&args, &uid, &folder)?;
    workshop.clear()?;
    finish(&args, &model, &folder, &shelved, started)
}

/// What is trained on and how, in a workshop of its own.
fn begin(args: &Args, uid: &IndexUid) -> anyhow::Result<(Workshop, Input, Settings)> {
    if args.resume {
        let workshop = Workshop::enter(&args.folder.data, uid)?;
        let (input, settings) = workshop.kept()?;
        return Ok((workshop, input, settings));
    }
    let settings = Settings {
        epochs: args.epochs.map_or(EPOCHS, usize::from),
        seed: args.seed.unwrap_or(1),
    };
    // Before the workshop, so that an index that is not there gets none.
    let input = log::read(&args.folder, uid)?;
    let workshop = Workshop::enter(&args.folder.data, uid)?;
    workshop.keep(&input, settings)?;
    Ok((workshop, input, settings))
}

/// What became of a model.
struct Shelved {
    entry: ModelEntry,
    /// The one that answered before.
    live: Option<ModelEntry>,
    /// Why it does not answer although it should.
    worse: Option<EngineError>,
}

/// Adds the model to the index, and lets it answer where it may.
fn shelve(args: &Args, uid: &IndexUid, folder: &Path) -> anyhow::Result<Shelved> {
    let bar = progress::wait("add the model");
    let engine = match args.folder.access()? {
        Access::Folder(engine) => engine,
        Access::Server(_) => bail!(
            "the model is trained, but a server holds the data folder: stop it and add the model with `vitrine train --index {uid} --data {} --resume`",
            args.folder.data.display()
        ),
    };
    let shelved = add(&engine, args, uid.as_str(), folder);
    engine.close();
    bar.finish_and_clear();
    Ok(shelved?)
}

fn add(engine: &Engine, args: &Args, uid: &str, folder: &Path) -> Result<Shelved, EngineError> {
    let models = engine.models(uid)?;
    let live = models
        .into_iter()
        .find(|entry| entry.kind == AFFINITY && entry.state == ModelState::Live);
    let mut entry = engine.add_model(uid, AFFINITY, folder)?;
    let mut worse = None;
    if !args.no_promote {
        match engine.promote_model(uid, &entry.id, false) {
            Ok(promoted) => entry = promoted,
            Err(refused @ EngineError::WorseModel { .. }) => worse = Some(refused),
            Err(error) => return Err(error),
        }
    }
    Ok(Shelved { entry, live, worse })
}

const AFFINITY: &str = "affinity";

fn finish(
    args: &Args,
    model: &Model,
    folder: &Path,
    shelved: &Shelved,
    started: Instant,
) -> anyhow::Result<Outcome> {
    let Shelved { entry, live, worse } = shelved;
    if args.format.json {
        output::json(&Answer {
            index: &args.index,
            id: &entry.id,
            state: entry.state.as_str(),
            folder,
            live_before: live.as_ref().map(|live| live.id.as_str()),
            seconds: started.elapsed().as_secs_f64(),
            metrics: &model.report,
        })?;
    } else {
        let mut text = table::figures(&model.report, live.as_ref());
        text.push_str(&format!(
            "{} is {}; its card and plots are in {}\n",
            entry.id,
            entry.state.as_str(),
            folder.display()
        ));
        output::text(&text)?;
    }
    if let Some(warning) = table::warning(&model.report) {
        note(&warning);
    }
    if let Some(worse) = worse {
        note(&worse.to_string());
    }
    Ok(Outcome::of(worse.is_none()))
}
