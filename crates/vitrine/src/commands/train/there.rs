//! Training in a server that holds the data folder, watched from here.

use super::lines::line;
use super::{Args, table};
use crate::address::path;
use crate::client::Client;
use crate::interrupt::Interrupt;
use crate::outcome::Outcome;
use crate::output::{self, note};
use crate::progress;
use anyhow::{Context as _, bail};
use domain::IndexUid;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};
use train::pipeline::{Counts, Report};
use train::{Device, EpochReport};

/// How often the server is asked.
const PAUSE: Duration = Duration::from_millis(300);

/// What the server says of a training.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Training {
    pub status: String,
    pub counts: Option<Counts>,
    batches_done: u64,
    batches: u64,
    pub epochs: Vec<EpochReport>,
    /// The model that came of it.
    pub model: Option<String>,
    pub message: Option<String>,
}

/// A model on the server.
#[derive(Debug, Deserialize)]
struct Model {
    id: String,
    state: String,
    metrics: Value,
}

/// What `--json` prints.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    index: &'a str,
    id: &'a str,
    state: &'a str,
    /// Where the plots are.
    folder: PathBuf,
    /// The model that answered before.
    live_before: Option<&'a str>,
    seconds: f64,
    metrics: &'a Value,
}

/// Asks for a training and watches it to its end. Ctrl-C stops it.
pub fn train(args: &Args, uid: &IndexUid, client: &Client) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let live = live(client, uid)?;
    let device = args.device.device();
    let order = order(
        args.epochs,
        args.seed,
        device,
        args.resume,
        !args.no_promote,
    );
    client.post(&Training::route(uid), &order)?;
    note(&format!("the server at {} trains", client.base()));
    let interrupt = Interrupt::listen().context("cannot listen for Ctrl-C")?;
    let mut has_stopped = false;
    let bar = progress::count("train", 1);
    let mut has_counted = false;
    let end = follow(client, uid, |training, new| {
        if let Some(counts) = training.counts.as_ref().filter(|_| !has_counted) {
            has_counted = true;
            bar.suspend(|| note(&table::counts(counts)));
        }
        bar.set_length(training.batches.max(1));
        bar.set_position(training.batches_done);
        for report in new {
            bar.suspend(|| match args.format.json {
                true => note(&line(report)),
                // When nobody reads it, the model is worth more than the line.
                false => drop(output::text(&line(report))),
            });
        }
        if interrupt.is_asked() && !has_stopped {
            has_stopped = true;
            client.delete(&Training::route(uid))?;
        }
        Ok(())
    });
    bar.finish_and_clear();
    let training = end?;
    match (training.status.as_str(), &training.model) {
        ("succeeded", Some(id)) => finish(args, uid, client, &training, id, live, started),
        ("stopped", _) => bail!(
            "stopped after {} whole epochs: go on with `vitrine train --index {uid} --data {} --resume`",
            training.epochs.len(),
            args.folder.data.display()
        ),
        (status, _) => bail!(
            "{}",
            training
                .message
                .unwrap_or_else(|| format!("the training ended as {status}"))
        ),
    }
}

/// Asks for how a training goes on until it has ended, and tells it with the epochs that are
/// new.
pub fn follow(
    client: &Client,
    uid: &IndexUid,
    mut tell: impl FnMut(&Training, &[EpochReport]) -> anyhow::Result<()>,
) -> anyhow::Result<Training> {
    let mut told = 0;
    loop {
        let answer = client.get(&Training::route(uid))?;
        let has_ended = !answer["endedAt"].is_null();
        let training: Training = serde_json::from_value(answer)
            .context("the server tells of its training in another way than this program reads")?;
        let new = training.epochs.get(told..).unwrap_or_default();
        tell(&training, new)?;
        told = training.epochs.len();
        if has_ended {
            return Ok(training);
        }
        thread::sleep(PAUSE);
    }
}

impl Training {
    /// Where a training is begun, watched and stopped.
    pub fn route(uid: &IndexUid) -> String {
        path(&["indexes", uid.as_str(), "models", "training"])
    }
}

/// What begins one.
pub fn order(
    epochs: Option<u16>,
    seed: Option<u64>,
    device: Device,
    resume: bool,
    promote: bool,
) -> Value {
    let mut order = Map::new();
    if let Some(epochs) = epochs {
        order.insert("epochs".to_owned(), json!(epochs));
    }
    if let Some(seed) = seed {
        order.insert("seed".to_owned(), json!(seed));
    }
    if device != Device::default() {
        order.insert("device".to_owned(), json!(device));
    }
    order.insert("resume".to_owned(), json!(resume));
    order.insert("promote".to_owned(), json!(promote));
    Value::Object(order)
}

/// The model that answers now.
fn live(client: &Client, uid: &IndexUid) -> anyhow::Result<Option<Model>> {
    let answer = client.get(&path(&["indexes", uid.as_str(), "models"]))?;
    let models: Vec<Model> = serde_json::from_value(answer["results"].clone())
        .context("the server lists its models in another way than this program reads")?;
    Ok(models.into_iter().find(|model| model.state == "live"))
}

fn finish(
    args: &Args,
    uid: &IndexUid,
    client: &Client,
    training: &Training,
    id: &str,
    live: Option<Model>,
    started: Instant,
) -> anyhow::Result<Outcome> {
    let answer = client.get(&path(&["indexes", uid.as_str(), "models", id]))?;
    let model: Model = serde_json::from_value(answer)
        .context("the server shows its models in another way than this program reads")?;
    let folder = workshop::training_folder(&args.folder.data, uid).join("model");
    let report: Report = serde_json::from_value(model.metrics.clone())
        .context("the metrics of the model are of another version")?;
    if args.format.json {
        output::json(&Answer {
            index: &args.index,
            id: &model.id,
            state: &model.state,
            folder,
            live_before: live.as_ref().map(|live| live.id.as_str()),
            seconds: started.elapsed().as_secs_f64(),
            metrics: &model.metrics,
        })?;
    } else {
        let live = live.as_ref().map(|live| (live.id.as_str(), &live.metrics));
        let mut text = table::figures(&report, live);
        text.push_str(&format!(
            "{} is {}; its card and plots are in {}\n",
            model.id,
            model.state,
            folder.display()
        ));
        output::text(&text)?;
    }
    if let Some(message) = &training.message {
        note(message);
    }
    // A message beside a success says why the model does not answer.
    Ok(Outcome::of(training.message.is_none()))
}
