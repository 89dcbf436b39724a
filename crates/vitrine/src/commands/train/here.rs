//! Training in this process.

use super::watch::Watch;
use super::{Args, table};
use crate::folder::Access;
use crate::interrupt::Interrupt;
use crate::outcome::Outcome;
use crate::output::{self, note};
use crate::progress;
use anyhow::{Context as _, bail};
use domain::IndexUid;
use engine::Engine;
use serde::Serialize;
use std::path::Path;
use std::time::Instant;
use train::TrainError;
use train::pipeline::{DEFAULT_EPOCHS, Report, Settings};
use workshop::{Done, Job, Shelved, WorkshopError};

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

/// Reads, gives the folder back, trains, and adds the model.
pub fn train(args: &Args, uid: &IndexUid, engine: Engine) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let job = job(args, uid, engine)?;
    let ready = job.prepare()?;
    note(&table::counts(ready.counts()));
    let interrupt = Interrupt::listen().context("cannot listen for Ctrl-C")?;
    let mut watch = Watch::new(&interrupt, ready.settings().epochs, args.format);
    let trained = ready.train(&mut watch);
    watch.end();
    let done = match trained {
        Err(WorkshopError::Train(TrainError::Interrupted { epochs })) => bail!(
            "interrupted after {epochs} whole epochs: go on with `vitrine train --index {uid} --data {} --resume`",
            args.folder.data.display()
        ),
        trained => trained?,
    };
    let shelved = shelve(args, uid, &done)?;
    finish(args, &done, &shelved, started)
}

/// What is trained on and how; the folder is given back.
fn job(args: &Args, uid: &IndexUid, engine: Engine) -> anyhow::Result<Job> {
    if args.resume {
        engine.close();
        return Ok(Job::resumed(&args.folder.data, uid)?);
    }
    let settings = Settings {
        epochs: args.epochs.map_or(DEFAULT_EPOCHS, usize::from),
        seed: args.seed.unwrap_or(1),
        device: args.device.usable()?,
    };
    let bar = progress::wait("encode the texts and read the events");
    let input = workshop::read(&engine, uid.as_str());
    engine.close();
    bar.finish_and_clear();
    Ok(Job::new(&args.folder.data, uid, input?, settings)?)
}

/// Adds the model to the index, and lets it answer where it may.
fn shelve(args: &Args, uid: &IndexUid, done: &Done) -> anyhow::Result<Shelved> {
    let bar = progress::wait("add the model");
    let engine = match args.folder.access()? {
        Access::Folder(engine) => engine,
        Access::Server(_) => bail!(
            "the model is trained, but a server has taken the data folder meanwhile: let it add the model with `vitrine train --index {uid} --data {} --resume`",
            args.folder.data.display()
        ),
    };
    let shelved = done.shelve(&engine, uid, !args.no_promote);
    engine.close();
    bar.finish_and_clear();
    Ok(shelved?)
}

fn finish(
    args: &Args,
    done: &Done,
    shelved: &Shelved,
    started: Instant,
) -> anyhow::Result<Outcome> {
    let Shelved {
        entry,
        live,
        held_back,
    } = shelved;
    let (folder, report) = (done.folder(), done.report());
    if args.format.json {
        output::json(&Answer {
            index: &args.index,
            id: &entry.id,
            state: entry.state.as_str(),
            folder: &folder,
            live_before: live.as_ref().map(|live| live.id.as_str()),
            seconds: started.elapsed().as_secs_f64(),
            metrics: report,
        })?;
    } else {
        let live = live.as_ref().map(|live| (live.id.as_str(), &live.metrics));
        let mut text = table::figures(report, live);
        text.push_str(&format!(
            "{} is {}; its card and plots are in {}\n",
            entry.id,
            entry.state.as_str(),
            folder.display()
        ));
        output::text(&text)?;
    }
    if let Some(why) = held_back {
        note(why);
    }
    Ok(Outcome::of(held_back.is_none()))
}
