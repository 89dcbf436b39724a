//! The affinity Transformer of the demo, trained by the server while it answers.

use super::INDEX;
use crate::client::Client;
use crate::commands::train::{Training, counts, figures, follow, line, order};
use crate::output::{self, Format, note};
use anyhow::Context as _;
use domain::IndexUid;
use std::thread;
use std::time::Instant;
use train::Device;

/// Enough to see it learn, and over in two minutes on two processors.
const EPOCHS: u16 = 2;

/// Trains in the background and tells of it. The server goes on whatever comes of it.
pub fn begin(client: Client, format: Format) -> anyhow::Result<()> {
    let teller = thread::Builder::new().name("demo-training".to_owned());
    teller
        .spawn(move || {
            if let Err(error) = train(&client, format) {
                note(&format!("the demo's model was not trained: {error:#}"));
            }
        })
        .context("cannot start the thread that tells of the training")?;
    Ok(())
}

fn train(client: &Client, format: Format) -> anyhow::Result<()> {
    let uid = IndexUid::new(INDEX)?;
    if has_model(client)? {
        return Ok(());
    }
    let started = Instant::now();
    client.post(
        &Training::route(&uid),
        &order(Some(EPOCHS), None, Device::Cpu, false, true),
    )?;
    // What a program reads from stdout is the one answer of the demo.
    let say = |text: &str| match format.json {
        true => {
            note(text);
            Ok(())
        }
        false => output::text(text),
    };
    say("\ntraining the affinity Transformer beside the answers")?;
    let mut has_counted = false;
    let training = follow(client, &uid, |training, new| {
        if let Some(of_log) = training.counts.as_ref().filter(|_| !has_counted) {
            has_counted = true;
            say(&counts(of_log))?;
        }
        new.iter().try_for_each(|report| say(&line(report)))
    })?;
    let Some(id) = &training.model else {
        anyhow::bail!("{}", training.message.unwrap_or(training.status));
    };
    let model = client.get(&format!("/indexes/{INDEX}/models/{id}"))?;
    let report = serde_json::from_value(model["metrics"].clone())
        .context("the metrics of the model are of another version")?;
    say(&format!(
        "{}{id} is {} after {:.0} s; plots: `curl {}/indexes/{INDEX}/models/{id}`, folder training/{INDEX}/model",
        figures(&report, None),
        model["state"].as_str().unwrap_or_default(),
        started.elapsed().as_secs_f64(),
        client.base(),
    ))
}

/// A folder that was shown before has a model already.
fn has_model(client: &Client) -> anyhow::Result<bool> {
    let models = client.get(&format!("/indexes/{INDEX}/models"))?;
    Ok(models["results"]
        .as_array()
        .is_some_and(|models| !models.is_empty()))
}
