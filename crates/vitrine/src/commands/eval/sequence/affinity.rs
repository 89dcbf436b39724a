//! The affinity Transformer under the protocols of sequential recommendation: trained on the
//! sequences, with the texts of the items where they are given, then asked for what came last.

use super::{Args, Bench, Chosen, Evaluated};
use crate::progress;
use anyhow::{Context as _, bail};
use encode::{Encoder, LongText, Precision, Prefix};
use engine::ModelFolders;
use eval::{SequenceProtocol, SequenceReport, Sequences, Split};
use indicatif::ProgressBar;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;
use train::{Case, Dataset, EpochReport, Observer, Options, Run, Validation};

/// The encoder of the items' texts.
const ENCODER: &str = "minilm";
/// Cases of the inner split that are looked at after every epoch.
const WATCHED: usize = 2_000;
/// Bytes of an item's text; an encoder reads about as much.
const TEXT_BYTES: usize = 1_000;
/// Texts that are encoded at once.
const BLOCK: usize = 1_024;

pub(super) fn run(args: &Args, sequences: &Sequences, bench: &Bench) -> anyhow::Result<Evaluated> {
    let options = Options {
        seed: args.seed,
        device: args.device.usable()?,
        ..Options::default()
    };
    let texts = match &args.items {
        Some(path) => Some(texts_of(path, &sequences.items, bench.threads)?),
        None => None,
    };
    let chosen = match &bench.inner {
        Some(inner) => look_within(inner, sequences, texts.as_ref(), &options)?,
        None => Chosen::Published,
    };
    let started = Instant::now();
    let data = dataset(&bench.test, texts.as_ref());
    let mut watched = Watched::new("affinity", &options);
    let trained = Run {
        data: &data,
        options: &options,
        validation: None,
        checkpoint: None,
    }
    .train(&mut watched)?;
    let fit_seconds = started.elapsed().as_secs_f64();
    let report = SequenceReport::of(bench.test.protocol, &ranks(&trained, &data, &bench.test));
    let seconds = started.elapsed().as_secs_f64();
    Ok(Evaluated {
        model: "affinity",
        report,
        seconds,
        fit_seconds,
        rank_seconds: seconds - fit_seconds,
        chosen,
        settings: serde_json::to_value(&options)?,
    })
}

/// Trains on the inner split and watches how well it does there. There is one setting: the
/// default, which was found on such a split.
fn look_within(
    inner: &Split,
    sequences: &Sequences,
    texts: Option<&Texts>,
    options: &Options,
) -> anyhow::Result<Chosen> {
    let started = Instant::now();
    // The inner split numbers its items anew.
    let known = sequences.without_last();
    let texts = texts.map(|texts| texts.renumbered(&sequences.items, &known.items));
    let data = dataset(inner, texts.as_ref());
    let step = inner.cases.len().div_ceil(WATCHED).max(1);
    let validation = Validation {
        cases: inner.cases.iter().step_by(step).filter_map(case).collect(),
        repeats: repeats(inner, &data),
        seed: options.seed,
    };
    let mut watched = Watched::new("inner split", options);
    let trained = Run {
        data: &data,
        options,
        validation: Some(&validation),
        checkpoint: None,
    }
    .train(&mut watched)?;
    let report = SequenceReport::of(inner.protocol, &ranks(&trained, &data, inner));
    Ok(Chosen::Tuned {
        tune_seconds: started.elapsed().as_secs_f64(),
        tried: 1,
        inner_ndcg_10: report.ndcg_10,
    })
}

fn case(case: &eval::Case) -> Option<Case> {
    let mut history = Dataset::of_sequences(std::slice::from_ref(&case.history), 0)
        .histories
        .pop()?;
    let next = Dataset::of_sequences(&[vec![case.target]], 0)
        .histories
        .pop()?
        .pop()?;
    history.shrink_to_fit();
    Some(Case { history, next })
}

fn dataset(split: &Split, texts: Option<&Texts>) -> Dataset {
    let mut data = Dataset::of_sequences(&split.training, split.items);
    if let Some(texts) = texts {
        data.text_dimensions = texts.dimensions;
        data.texts.clone_from(&texts.vectors);
    }
    data
}

/// Whether items of a history are proposed. P2 forbids it; under P1 the model knows from what
/// it is trained on whether that ever happens.
fn repeats(split: &Split, data: &Dataset) -> bool {
    split.protocol == SequenceProtocol::P1 && data.repeats()
}

/// The rank of each target among the first ten.
fn ranks(trained: &train::Trained, data: &Dataset, split: &Split) -> Vec<Option<usize>> {
    let histories: Vec<Vec<u32>> = split
        .cases
        .iter()
        .map(|case| case.history.clone())
        .collect();
    let histories = Dataset::of_sequences(&histories, split.items).histories;
    let ranks = Mutex::new(vec![None; histories.len()]);
    let repeats = repeats(split, data);
    trained.scores(data, &histories, &|at, scores| {
        let case = &split.cases[at];
        let rank = train::rank_of(scores, &case.history, case.target, repeats);
        ranks
            .lock()
            .expect("no thread panics while it writes a rank")[at] = rank.map(|rank| rank + 1);
    });
    ranks
        .into_inner()
        .expect("no thread panics while it writes a rank")
}

/// The vectors of the items' texts, `[items, dimensions]`.
struct Texts {
    vectors: Vec<f32>,
    dimensions: usize,
}

impl Texts {
    /// The same vectors in another order of items.
    fn renumbered(&self, from: &[String], to: &[String]) -> Self {
        let places: HashMap<&str, usize> = from
            .iter()
            .enumerate()
            .map(|(at, item)| (item.as_str(), at))
            .collect();
        let mut vectors = Vec::with_capacity(to.len() * self.dimensions);
        for item in to {
            let at = places[item.as_str()] * self.dimensions;
            vectors.extend_from_slice(&self.vectors[at..at + self.dimensions]);
        }
        Self {
            vectors,
            dimensions: self.dimensions,
        }
    }
}

fn texts_of(path: &Path, items: &[String], threads: usize) -> anyhow::Result<Texts> {
    let shown = path.display();
    let file = fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
    let mut by_item: HashMap<String, String> = HashMap::new();
    for (at, line) in file
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let row: Value = serde_json::from_str(line)
            .with_context(|| format!("line {} of {shown} is no JSON", at + 1))?;
        let id = match row.get("item").or_else(|| row.get("id")) {
            Some(Value::String(id)) => id.clone(),
            Some(Value::Number(id)) => id.to_string(),
            _ => bail!("line {} of {shown} has no `item` or `id`", at + 1),
        };
        by_item.insert(id, text_of(&row));
    }
    let texts: Vec<&str> = items
        .iter()
        .map(|item| by_item.get(item).map_or("", String::as_str))
        .collect();
    let known = texts.iter().filter(|text| !text.is_empty()).count();
    if known == 0 {
        bail!("{shown} has none of the items of the sequences");
    }
    encode(&texts, threads)
}

/// The title, then all other words of an item, each once.
fn text_of(row: &Value) -> String {
    let mut words = Vec::new();
    for (name, value) in row.as_object().into_iter().flatten() {
        if name != "item" && name != "id" {
            leaves(value, &mut words);
        }
    }
    let mut text = String::new();
    for (at, word) in words.iter().enumerate() {
        if words[..at].contains(word) || text.len() + word.len() > TEXT_BYTES {
            continue;
        }
        text.push_str(match at {
            0 => "",
            1 => ". ",
            _ => " ",
        });
        text.push_str(word);
    }
    text
}

fn leaves<'v>(value: &'v Value, words: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => words.push(text.trim()),
        Value::Array(values) => values.iter().for_each(|value| leaves(value, words)),
        _ => {}
    }
}

/// An item without a text has zeros: nothing is known of it.
fn encode(texts: &[&str], threads: usize) -> anyhow::Result<Texts> {
    let path = ModelFolders::of_environment(None).resolve(ENCODER)?;
    let options = encode::Options {
        precision: Precision::Int8,
        threads,
        long_text: LongText::Cut,
    };
    let encoder = Encoder::open(&path, options)
        .with_context(|| format!("cannot open the model {}", path.display()))?;
    let dimensions = encoder.dimensions();
    let bar = progress::count("encode the items", texts.len() as u64);
    let mut vectors = Vec::with_capacity(texts.len() * dimensions);
    for texts in texts.chunks(BLOCK) {
        let encoded = encoder.encode(texts, Prefix::None)?;
        for (text, vector) in texts.iter().zip(encoded.vectors.chunks_exact(dimensions)) {
            let known = if text.is_empty() { 0.0 } else { 1.0 };
            vectors.extend(vector.iter().map(|number| known * number));
        }
        bar.inc(texts.len() as u64);
    }
    bar.finish_and_clear();
    Ok(Texts {
        vectors,
        dimensions,
    })
}

/// A bar over the batches of all epochs, and a line for each epoch.
struct Watched {
    bar: ProgressBar,
    epochs: usize,
}

impl Watched {
    fn new(label: &str, options: &Options) -> Self {
        Self {
            bar: progress::count(label, 0),
            epochs: options.epochs,
        }
    }
}

impl Observer for Watched {
    fn batch(&mut self, _: usize, _: usize, batches: usize) -> bool {
        self.bar.set_length((batches * self.epochs) as u64);
        self.bar.inc(1);
        true
    }

    fn epoch(&mut self, report: &EpochReport) {
        let figures = json!(report);
        tracing::info!(%figures, "epoch");
        let validation = report
            .validation
            .as_ref()
            .map_or(String::new(), |validation| {
                format!(", nDCG@10: {:.4}", validation.ndcg_10)
            });
        self.bar.suspend(|| {
            eprintln!(
                "Epoch {}, Loss: {:.4}{validation} ({:.1} s)",
                report.epoch, report.loss, report.seconds
            );
        });
        if report.epoch == self.epochs {
            self.bar.finish_and_clear();
        }
    }
}
