//! `vitrine eval sequence`: predicts the last item of every shopper.
//!
//! Models are fitted with their published settings; `--tune` chooses others on an
//! inner split, and only then looks at the last items.

mod affinity;

use crate::device::DeviceName;
use crate::outcome::Outcome;
use crate::output::Format;
use crate::progress;
use anyhow::{Context as _, bail};
use eval::{SequenceProtocol, SequenceReport, Sequences, Split};
use models::{ModelError, Pctm, PctmConfig, Rules, RulesConfig, SequenceModel};
use serde::Serialize;
use serde_json::{Value, json};
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::time::Instant;

/// Places that are ranked for each shopper.
const DEPTH: usize = 10;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// One shopper a line: `user item item …` in the order of time.
    #[arg(long, value_name = "FILE")]
    sequences: PathBuf,
    /// The items with their titles, JSON lines or JSON. The counting models work from ids alone
    /// and do not read it; affinity works from ids alone without it.
    #[arg(long, value_name = "FILE")]
    items: Option<PathBuf>,
    /// p1 or p2.
    #[arg(long, default_value = "p2")]
    protocol: SequenceProtocol,
    /// Only this model; both counting models otherwise.
    #[arg(long)]
    model: Option<ModelName>,
    /// Choose the settings on an inner split instead of taking the published ones.
    #[arg(long)]
    tune: bool,
    /// Of affinity. The counting models use no chance.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where affinity is trained.
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    device: DeviceName,
    /// Threads that rank; all cores otherwise.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    #[command(flatten)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum ModelName {
    Rules,
    Pctm,
    Affinity,
}

/// One model's figures.
#[derive(Serialize)]
struct Evaluated {
    model: &'static str,
    #[serde(flatten)]
    report: SequenceReport,
    seconds: f64,
    fit_seconds: f64,
    rank_seconds: f64,
    #[serde(flatten)]
    chosen: Chosen,
    settings: Value,
}

/// Where the settings come from.
#[derive(Clone, Copy, Serialize)]
#[serde(tag = "chosen", rename_all = "lowercase")]
enum Chosen {
    Published,
    /// The best of those tried, by the inner split.
    Tuned {
        tune_seconds: f64,
        tried: usize,
        #[serde(rename = "inner_ndcg@10")]
        inner_ndcg_10: f64,
    },
}

/// Prints one flat object for one model, an object by model for several.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let sequences = read(&args)?;
    let threads = args.threads.unwrap_or_else(cores);
    let test = args.protocol.test(&sequences);
    if test.cases.is_empty() {
        bail!(
            "no shopper in {} has enough items for protocol {}",
            args.sequences.display(),
            args.protocol
        );
    }
    let inner = args.tune.then(|| args.protocol.inner(&sequences));
    if inner.as_ref().is_some_and(|inner| inner.cases.is_empty()) {
        bail!(
            "no shopper in {} has enough items to tune on before the last one: leave out --tune",
            args.sequences.display()
        );
    }
    let bench = Bench {
        test,
        inner,
        threads,
    };
    let mut all = Vec::new();
    if args.model == Some(ModelName::Affinity) {
        all.push(affinity::run(&args, &sequences, &bench)?);
        return finish(&args, &all, &bench);
    }
    if args.model != Some(ModelName::Pctm) {
        all.push(bench.run("rules", &RulesConfig::grid(), Rules::fit)?);
    }
    if args.model != Some(ModelName::Rules) {
        all.push(bench.run("pctm", &PctmConfig::grid(bench.known_items()), Pctm::fit)?);
    }
    finish(&args, &all, &bench)
}

fn finish(args: &Args, all: &[Evaluated], bench: &Bench) -> anyhow::Result<Outcome> {
    let answer = answer(args, all, bench.test.cases.len())?;
    args.format.print(&answer, |_| render(args, all))?;
    Ok(Outcome::Fine)
}

fn read(args: &Args) -> anyhow::Result<Sequences> {
    let path = args.sequences.display();
    if let Some(items) = args.items.as_ref().filter(|items| !items.is_file()) {
        bail!("cannot open {}", items.display());
    }
    let file = File::open(&args.sequences).with_context(|| format!("cannot open {path}"))?;
    Sequences::read(BufReader::new(file)).with_context(|| format!("cannot use {path}"))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Everything but the model.
struct Bench {
    test: Split,
    inner: Option<Split>,
    threads: usize,
}

impl Bench {
    /// How many items settings may be chosen for.
    fn known_items(&self) -> usize {
        self.inner.as_ref().unwrap_or(&self.test).items
    }

    /// Evaluates one model. The first settings of the grid are the published ones.
    fn run<C: Clone + Serialize, M: SequenceModel>(
        &self,
        name: &'static str,
        grid: &[C],
        fit: impl Fn(&[Vec<u32>], usize, &C) -> Result<M, ModelError>,
    ) -> anyhow::Result<Evaluated> {
        let (config, chosen) = self.choose(name, grid, &fit)?;
        let bar = progress::wait(name);
        let started = Instant::now();
        let model = fit(&self.test.training, self.test.items, &config)?;
        let fitted = started.elapsed().as_secs_f64();
        let report = self.rank(&self.test, &model);
        let total = started.elapsed().as_secs_f64();
        bar.finish_and_clear();
        Ok(Evaluated {
            model: name,
            report,
            seconds: total,
            fit_seconds: fitted,
            rank_seconds: total - fitted,
            chosen,
            settings: serde_json::to_value(&config)?,
        })
    }

    /// The published settings, or the best on the inner split. The test split is not looked at.
    fn choose<C: Clone, M: SequenceModel>(
        &self,
        name: &'static str,
        grid: &[C],
        fit: impl Fn(&[Vec<u32>], usize, &C) -> Result<M, ModelError>,
    ) -> anyhow::Result<(C, Chosen)> {
        let published = grid.first().context("the grid is never empty")?.clone();
        let Some(inner) = &self.inner else {
            return Ok((published, Chosen::Published));
        };
        let bar = progress::count(&format!("tune {name}"), grid.len() as u64);
        let started = Instant::now();
        let tuning = eval::tune(grid, |config| {
            let model = fit(&inner.training, inner.items, config)?;
            let score = self.rank(inner, &model).ndcg_10;
            bar.inc(1);
            Ok::<_, ModelError>(score)
        })?
        .context("the grid is never empty")?;
        bar.finish_and_clear();
        let chosen = Chosen::Tuned {
            tune_seconds: started.elapsed().as_secs_f64(),
            tried: tuning.tried.len(),
            inner_ndcg_10: tuning.score,
        };
        Ok((tuning.best, chosen))
    }

    fn rank(&self, split: &Split, model: &impl SequenceModel) -> SequenceReport {
        split.evaluate(self.threads, |history, keep| {
            model
                .top(history, DEPTH, keep)
                .into_iter()
                .map(|(item, _)| item)
                .collect()
        })
    }
}

fn answer(args: &Args, all: &[Evaluated], users: usize) -> anyhow::Result<Value> {
    if let [one] = all {
        return Ok(serde_json::to_value(one)?);
    }
    let mut answer = json!({"protocol": args.protocol, "users": users, "seed": args.seed});
    for one in all {
        answer[one.model] = serde_json::to_value(one)?;
    }
    Ok(answer)
}

fn render(args: &Args, all: &[Evaluated]) -> String {
    let mut table = crate::table::Table::new(&[
        "model",
        "recall@5",
        "ndcg@5",
        "recall@10",
        "ndcg@10",
        "users",
        "seconds",
    ]);
    for one in all {
        let figure = |value: f64| format!("{value:.4}");
        table.row(vec![
            one.model.to_owned(),
            figure(one.report.recall_5),
            figure(one.report.ndcg_5),
            figure(one.report.recall_10),
            figure(one.report.ndcg_10),
            one.report.users.to_string(),
            format!("{:.2}", one.seconds),
        ]);
    }
    let mut text = format!("protocol {}\n{}", args.protocol, table.render());
    for one in all {
        let (model, settings) = (one.model, &one.settings);
        text.push_str(&match one.chosen {
            Chosen::Published => format!("{model} with published settings {settings}\n"),
            Chosen::Tuned { tried, inner_ndcg_10, .. } => format!(
                "{model} with the best of {tried} settings, ndcg@10 {inner_ndcg_10:.4} on the inner split: {settings}\n"
            ),
        });
    }
    text
}
