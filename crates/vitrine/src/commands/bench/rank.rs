//! `vitrine bench rank`: how long the affinity Transformer takes to score candidates.
//!
//! The time does not depend on what the weights say, so without a model they are random ones
//! of the usual shape. It is measured from scratch, the history included, and with the history
//! kept from an earlier answer. Scores are compared with those of floats on the way.

use crate::commands::encode::PrecisionName;
use crate::outcome::Outcome;
use crate::output::Format;
use crate::quantiles::Quantiles;
use anyhow::{Context as _, ensure};
use models::affinity::{
    self, ActionScores, Affinity, AffinityConfig, AffinityFiles, AffinityRoom, AffinityWeights,
    Cpu, EventInput, GAP_BANDS, History, KINDS, QUANTITY_BANDS,
};
use serde::Serialize;
use std::path::PathBuf;
use std::time::Instant;

/// Answers before the first that is timed, in each thread.
const WARM_UP: usize = 20;
/// The seed of the weights; that of the candidates is the next one, and so on.
const SEED: u64 = 1;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder of a trained model; without it, random weights.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["width", "layers"])]
    model: Option<PathBuf>,
    /// Items that are scored.
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    candidates: u32,
    /// Events of the history; of a model at most as many as it sees.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=4096))]
    history: u16,
    /// Numbers of a token, a multiple of four.
    #[arg(long, value_name = "N", default_value_t = 128)]
    width: usize,
    /// Blocks.
    #[arg(long, value_name = "N", default_value_t = 2)]
    layers: usize,
    /// How the weights are kept.
    #[arg(long, value_name = "PRECISION", default_value = "f32")]
    precision: PrecisionName,
    /// Threads that answer at the same time, each a shopper of its own.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: u16,
    /// Answers that are timed in each thread, of either kind.
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    repeat: u32,
    #[command(flatten)]
    format: Format,
}

#[derive(Serialize)]
struct Answer {
    candidates: usize,
    history: usize,
    width: usize,
    layers: usize,
    threads: usize,
    precision: &'static str,
    /// The set of instructions.
    cpu: &'static str,
    /// The history and all candidates.
    scratch_ms: Quantiles,
    /// All candidates, the history being kept.
    kept_ms: Quantiles,
    /// The largest difference of a probability from that in floats.
    largest_difference: f32,
}

/// Prints the figures.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let cpu = Cpu::detect()?;
    let weights = weights(&args)?;
    let config = weights.config();
    let (precision, format) = match args.precision {
        PrecisionName::F32 => ("f32", affinity::Format::Float),
        PrecisionName::Bf16 => ("bf16", affinity::Format::two_bytes(cpu)),
        PrecisionName::Int8 => ("int8", affinity::Format::Byte),
    };
    let model = Affinity::new(&weights, cpu, format);
    let floats = Affinity::new(&weights, cpu, affinity::Format::Float);
    let asked = Asked {
        events: usize::from(args.history).min(config.max_history),
        candidates: vectors(config, args.candidates as usize, SEED + 1)?,
        items: vectors(config, usize::from(args.history), SEED + 2)?,
    };
    let (scratch, kept) = measure(&model, &asked, &args)?;
    let answer = Answer {
        candidates: args.candidates as usize,
        history: asked.events,
        width: config.width,
        layers: config.layers,
        threads: usize::from(args.threads),
        precision,
        cpu: cpu.name(),
        scratch_ms: Quantiles::of(scratch),
        kept_ms: Quantiles::of(kept),
        largest_difference: difference(&asked.scores(&model), &asked.scores(&floats)),
    };
    args.format.print(&answer, render)?;
    Ok(Outcome::Fine)
}

fn weights(args: &Args) -> anyhow::Result<AffinityWeights> {
    if let Some(folder) = &args.model {
        let files = AffinityFiles::read(folder)
            .with_context(|| format!("cannot use the model in {}", folder.display()))?;
        return Ok(files.weights);
    }
    let config = AffinityConfig {
        width: args.width,
        layers: args.layers,
        max_history: usize::from(args.history),
        ..AffinityConfig::new(0, 0, Vec::new())
    };
    Ok(AffinityWeights::random(config, SEED)?)
}

/// Vectors of items that are not of any catalogue, `[count, vector_size]`.
fn vectors(config: &AffinityConfig, count: usize, seed: u64) -> anyhow::Result<Vec<f32>> {
    // The table of ids is the first tensor of a model without texts.
    let items = AffinityConfig {
        width: config.vector_size(),
        heads: 1,
        layers: 1,
        ..AffinityConfig::new(0, count, Vec::new())
    };
    let mut numbers = AffinityWeights::random(items, seed)?.numbers().to_vec();
    numbers.truncate(count * config.vector_size());
    Ok(numbers)
}

/// What is asked again and again.
struct Asked {
    events: usize,
    /// `[candidates, vector_size]`
    candidates: Vec<f32>,
    /// `[events, vector_size]`
    items: Vec<f32>,
}

impl Asked {
    fn history(&self, model: &Affinity, room: &mut AffinityRoom) -> History {
        let rows = self.items.chunks_exact(model.config().vector_size());
        let band = |at: usize, bands: usize| (at % bands) as u32;
        let events = rows.take(self.events).enumerate();
        let events: Vec<EventInput<'_>> = events
            .map(|(at, item)| EventInput {
                item: Some(item),
                // The last kind is a search, which has no item.
                kind: band(at, KINDS - 1),
                gap: band(at, GAP_BANDS),
                quantity: band(at, QUANTITY_BANDS),
            })
            .collect();
        model.history(None, &events, room)
    }

    fn scores(&self, model: &Affinity) -> Vec<ActionScores> {
        let (mut room, mut scores) = (AffinityRoom::default(), Vec::new());
        let history = self.history(model, &mut room);
        model.score(&history, None, &self.candidates, &mut room, &mut scores);
        scores
    }

    /// The milliseconds of answers from scratch and with the history kept, in turns.
    fn times(&self, model: &Affinity, repeat: usize) -> (Vec<f64>, Vec<f64>) {
        let (mut room, mut scores) = (AffinityRoom::default(), Vec::new());
        let (mut scratch, mut kept) = (Vec::new(), Vec::new());
        for _ in 0..WARM_UP + repeat {
            let started = Instant::now();
            let history = self.history(model, &mut room);
            model.score(&history, None, &self.candidates, &mut room, &mut scores);
            scratch.push(started.elapsed().as_secs_f64() * 1e3);
            let started = Instant::now();
            model.score(&history, None, &self.candidates, &mut room, &mut scores);
            kept.push(started.elapsed().as_secs_f64() * 1e3);
        }
        (scratch.split_off(WARM_UP), kept.split_off(WARM_UP))
    }
}

/// The times of all threads.
fn measure(model: &Affinity, asked: &Asked, args: &Args) -> anyhow::Result<(Vec<f64>, Vec<f64>)> {
    let (mut scratch, mut kept) = (Vec::new(), Vec::new());
    std::thread::scope(|scope| {
        let times = || asked.times(model, args.repeat as usize);
        let threads: Vec<_> = (0..args.threads).map(|_| scope.spawn(times)).collect();
        for thread in threads {
            let (more_scratch, more_kept) = thread.join().ok().context("a thread panicked")?;
            scratch.extend(more_scratch);
            kept.extend(more_kept);
        }
        ensure!(!kept.is_empty(), "nothing was timed");
        Ok((scratch, kept))
    })
}

fn difference(found: &[ActionScores], expected: &[ActionScores]) -> f32 {
    let of = |scores: &ActionScores| [scores.view, scores.cart, scores.purchase];
    let pairs = found.iter().flat_map(of).zip(expected.iter().flat_map(of));
    pairs
        .map(|(found, expected)| (found - expected).abs())
        .fold(0.0, f32::max)
}

fn render(answer: &Answer) -> String {
    format!(
        "{} candidates, {} events, width {}, {} layers; {} threads, {}, {}\n\
         from scratch       {}\n\
         with the history   {}\n\
         at most {:.1e} from the scores in floats",
        answer.candidates,
        answer.history,
        answer.width,
        answer.layers,
        answer.threads,
        answer.precision,
        answer.cpu,
        answer.scratch_ms,
        answer.kept_ms,
        answer.largest_difference,
    )
}
