//! `vitrine train --model encoder`: trains BERT itself further on the texts of an index and on
//! what its shoppers asked for and bought together.
//!
//! The data folder is held only while the texts are read. What comes out is a model folder like
//! any other; the index goes over to it when its `embedders` name it.

use super::{Args, KindName};
use crate::folder::{Access, FolderArgs};
use crate::interrupt::Interrupt;
use crate::outcome::Outcome;
use crate::output::{self, Format, note};
use crate::progress;
use crate::table::Table;
use anyhow::{Context as _, bail};
use domain::IndexUid;
use encode::Parts;
use engine::{ModelFolders, TrainingTexts};
use indicatif::ProgressBar;
use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;
use train::TrainError;
use train::encoder::{
    EncoderEpoch, EncoderInput, EncoderObserver, EncoderOptions, EncoderReport, EncoderRun,
    Retrieval,
};
use train::pipeline::{ItemTexts, ShopTexts, text_pairs};
use workshop::Folder as Workshop;

/// Pairs of one run, unless told otherwise.
const PAIRS: usize = 12_000;
/// The model that is trained further where the index has none yet.
const BASE: &str = "minilm";

/// The flags of an encoder only.
#[derive(Debug, clap::Args)]
pub struct EncoderArgs {
    /// With an encoder: the model that is trained further, by name or folder; without it,
    /// the one that the index uses.
    #[arg(long, value_name = "NAME_OR_FOLDER", conflicts_with = "resume")]
    base: Option<String>,
    /// With an encoder: pairs of texts at most; 12000 unless told.
    #[arg(long, value_name = "N", conflicts_with = "resume",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pairs: Option<u32>,
}

impl EncoderArgs {
    /// Whether one of them is given.
    pub fn are_given(&self) -> bool {
        self.base.is_some() || self.pairs.is_some()
    }
}

/// What `--json` prints.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    index: &'a str,
    /// The model that was trained further.
    base: String,
    /// Where the better model is; nothing where it is not better.
    folder: Option<&'a Path>,
    /// A name by which it may be installed.
    name: Option<&'a str>,
    seconds: f64,
    metrics: &'a EncoderReport,
}

/// Exit 1 when the trained model is not better, and none is written.
pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    args.folder.must_exist()?;
    let uid = IndexUid::new(args.index.clone())?;
    let (workshop, input) = enter(args, &uid)?;
    let parts = Parts::open(&input.base).with_context(|| {
        format!(
            "cannot train the model {} further: name a folder of a BERT model with --base",
            input.base.display()
        )
    })?;
    note(&format!("{} pairs of texts", input.pairs.len()));
    let interrupt = Interrupt::listen().context("cannot listen for Ctrl-C")?;
    let mut watch = Watch::new(&interrupt, input.options.epochs, args.format);
    let run = EncoderRun {
        parts: &parts,
        pairs: &input.pairs,
        options: &input.options,
        checkpoint: Some(&workshop.encoder_checkpoint()),
    };
    let enhanced = run.train(&mut watch);
    watch.end();
    let enhanced = match enhanced {
        Err(TrainError::Stopped) => bail!(
            "interrupted: go on with `vitrine train --model encoder --index {uid} --data {} --resume`",
            args.folder.data.display()
        ),
        enhanced => enhanced?,
    };
    let folder = workshop.encoder();
    let mut name = None;
    if let Some(numbers) = &enhanced.numbers {
        parts.write(numbers, &folder)?;
        write_card(&folder, &enhanced.report)?;
        name = Some(name_of(&uid, numbers));
    }
    workshop.clear_encoder()?;
    let answer = Answer {
        index: &args.index,
        base: input.base.display().to_string(),
        folder: enhanced.numbers.as_ref().map(|_| folder.as_path()),
        name: name.as_deref(),
        seconds: started.elapsed().as_secs_f64(),
        metrics: &enhanced.report,
    };
    let data = &args.folder.data;
    args.format.print(&answer, |answer| render(answer, data))?;
    Ok(Outcome::of(enhanced.numbers.is_some()))
}

/// Enters the workshop of an index with what is trained there: what an interrupted run was made
/// of, or the texts of now.
fn enter(args: &Args, uid: &IndexUid) -> anyhow::Result<(Workshop, EncoderInput)> {
    let data = &args.folder.data;
    if args.resume {
        let workshop = Workshop::enter(data, uid)?;
        let input = workshop.kept_encoder()?;
        return Ok((workshop, input));
    }
    let texts = read(&args.folder, uid)?;
    let workshop = Workshop::enter(data, uid)?;
    // Where both are trained they are those of the Transformer.
    let epochs = args.epochs.filter(|_| args.model == KindName::Encoder);
    let options = EncoderOptions {
        epochs: epochs.map_or(1, usize::from),
        seed: args.seed.unwrap_or(1),
        ..EncoderOptions::default()
    };
    let most = args.encoder.pairs.map_or(PAIRS, |pairs| pairs as usize);
    let input = EncoderInput {
        base: base(args, texts.model.as_deref())?,
        pairs: text_pairs(&shop(texts), most, options.seed),
        options,
    };
    workshop.keep_encoder(&input)?;
    Ok((workshop, input))
}

/// Reads the texts of an index and gives the folder back.
fn read(folder: &FolderArgs, uid: &IndexUid) -> anyhow::Result<TrainingTexts> {
    let bar = progress::wait("read the texts");
    let engine = match folder.access()? {
        Access::Folder(engine) => engine,
        Access::Server(_) => bail!(
            "a server holds the data folder {}: stop it until the texts are read, which takes seconds; it may serve again while the model is trained",
            folder.data.display()
        ),
    };
    let texts = engine.training_texts(uid.as_str());
    engine.close();
    bar.finish_and_clear();
    Ok(texts?)
}

/// Where the model lies that is trained further.
fn base(args: &Args, of_index: Option<&str>) -> anyhow::Result<PathBuf> {
    let folders = ModelFolders::of_environment(Some(&args.folder.data));
    let name = args.encoder.base.as_deref().or(of_index).unwrap_or(BASE);
    let folder = folders.resolve(name)?;
    // A run may be gone on with from elsewhere.
    std::path::absolute(&folder).with_context(|| format!("cannot find {}", folder.display()))
}

fn shop(texts: TrainingTexts) -> ShopTexts {
    let items = texts.items.into_iter().map(|item| ItemTexts {
        title: item.title,
        description: item.description,
        encoded: item.encoded,
        attributes: item.attributes,
    });
    ShopTexts {
        items: items.collect(),
        asked: texts.asked,
        baskets: texts.baskets,
    }
}

fn write_card(folder: &Path, report: &EncoderReport) -> anyhow::Result<()> {
    let path = folder.join("metrics.json");
    fs::write(&path, serde_json::to_vec_pretty(report)?)
        .with_context(|| format!("cannot write {}", path.display()))
}

/// A name that is another one for other numbers: by its name an index knows whether its vectors
/// are of this model.
fn name_of(uid: &IndexUid, numbers: &[f32]) -> String {
    // FNV-1a (Fowler, Noll and Vo 1991).
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for number in numbers {
        hash = (hash ^ u64::from(number.to_bits())).wrapping_mul(0x0100_0000_01b3);
    }
    let uid: String = uid.as_str().chars().take(40).collect();
    format!("encoder-{uid}-{:08x}", hash >> 32)
}

fn render(answer: &Answer<'_>, data: &Path) -> String {
    let report = answer.metrics;
    let mut table = Table::new(&["model", "cases", "mrr", "recall@10"]);
    let mut row = |name: &str, found: &Retrieval| {
        table.row(vec![
            name.to_owned(),
            found.cases.to_string(),
            format!("{:.4}", found.mrr),
            format!("{:.4}", found.recall_10),
        ]);
    };
    row("before", &report.test_before);
    if let (Some(test), Some(share)) = (&report.test, report.chosen) {
        row(&format!("trained, {} %", (100.0 * share).round()), test);
    }
    let mut text = format!("pairs that were looked at once:\n{}", table.render());
    if let Some(gain) = &report.difference {
        text.push_str(&format!(
            "mrr {:+.4}, 95 % interval {:+.4} to {:+.4}\n",
            gain.mean, gain.low, gain.high
        ));
    }
    match (answer.folder, answer.name) {
        (Some(folder), Some(name)) => text.push_str(&usage(answer.index, folder, name, data)),
        _ => text.push_str(
            "the trained model is not better than the one before by more than chance; nothing was written\n",
        ),
    }
    text
}

/// How an index goes over to the model.
fn usage(index: &str, folder: &Path, name: &str, data: &Path) -> String {
    let setting =
        serde_json::json!({"embedders": {"default": {"source": "vitrine", "model": name}}});
    format!(
        "the model is in {}; let the index use it:\n  vitrine model pull {name} --from {} --data {data}\n  vitrine settings --data {data} --index {index} '{setting}'\n",
        folder.display(),
        folder.display(),
        data = data.display()
    )
}

/// Shows a run, and ends it when it is asked to.
struct Watch<'a> {
    interrupt: &'a Interrupt,
    epochs: usize,
    format: Format,
    bar: Option<ProgressBar>,
}

impl<'a> Watch<'a> {
    fn new(interrupt: &'a Interrupt, epochs: usize, format: Format) -> Self {
        Self {
            interrupt,
            epochs,
            format,
            bar: None,
        }
    }

    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl EncoderObserver for Watch<'_> {
    fn phase(&mut self, what: &str) {
        self.end();
        self.bar = Some(progress::wait(what));
    }

    fn batch(&mut self, epoch: usize, done: usize, batches: usize) -> bool {
        if done == 1 {
            self.end();
            let bar = progress::count("train", (self.epochs * batches) as u64);
            bar.set_position(((epoch - 1) * batches) as u64);
            bar.reset_eta();
            self.bar = Some(bar);
        }
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
        !self.interrupt.is_asked()
    }

    fn epoch(&mut self, report: &EncoderEpoch) {
        self.end();
        let line = line(report);
        if self.format.json {
            note(&line);
        } else {
            // When nobody reads it, the model is worth more than the line.
            let _ = output::text(&line);
        }
    }
}

/// `Loss` is the contrast of a pair.
fn line(report: &EncoderEpoch) -> String {
    format!(
        "Epoch {}, Loss: {:.4}, held-out MRR {:.4}, recall@10 {:.4}, general MRR {:.4}, {:.1} s, {:.0} tokens/s",
        report.epoch,
        report.loss,
        report.validation.mrr,
        report.validation.recall_10,
        report.general.mrr,
        report.seconds,
        report.tokens_per_second
    )
}
