//! `vitrine eval search`: searches a temporary index and compares with judgements.
//!
//! One mode has its figures, two also have their difference and whether it is more than
//! chance. The worst queries are named, because they say what to mend.

mod catalogue;
mod judged;

use crate::outcome::Outcome;
use crate::output::Format;
use crate::progress;
use crate::quantiles::Quantiles;
use crate::table::Table;
use anyhow::{Context as _, bail};
use catalogue::{Catalogue, Found};
use engine::Hybrid;
use eval::{Difference, Qrels, QueryLine, paired_bootstrap, read_qrels, read_queries};
use judged::{Judged, Worst};
use serde::Serialize;
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// Samples of the bootstrap: enough that the third digit of an interval stays.
const RESAMPLES: usize = 10_000;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The catalogue: JSON, NDJSON or CSV, also gzipped.
    #[arg(long, value_name = "FILE")]
    products: String,
    /// Tab-separated with the header `query_id query`.
    #[arg(long, value_name = "FILE")]
    queries: PathBuf,
    /// Tab-separated with the header `query_id product_id rating` (or `gain`).
    #[arg(long, value_name = "FILE")]
    qrels: PathBuf,
    /// What finds the products.
    #[arg(long, default_value = "words")]
    mode: Mode,
    /// Compare with this mode, on the same queries and the same index.
    #[arg(long, value_name = "MODE")]
    against: Option<Mode>,
    /// The model that makes the vectors, by name or folder; without it, the one that suits the
    /// languages of the catalogue.
    #[arg(long, value_name = "NAME_OR_FOLDER")]
    model: Option<String>,
    /// Chooses the samples by which the difference of two modes is judged.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Write what came of every query to this file, a line of JSON each.
    #[arg(long, value_name = "FILE")]
    per_query: Option<PathBuf>,
    /// How many of the worst queries are shown.
    #[arg(long, value_name = "N", default_value_t = 10)]
    worst: usize,
    /// Only the first so many queries.
    #[arg(long, value_name = "N")]
    limit_queries: Option<usize>,
    #[command(flatten)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
enum Mode {
    /// Words alone.
    Words,
    /// Vectors alone.
    Meaning,
    /// Both, with the weight that is derived from the query.
    Hybrid,
}

impl Mode {
    fn hybrid(self) -> Option<Hybrid> {
        let ratio = match self {
            Self::Words => return None,
            Self::Meaning => Some(1.0),
            Self::Hybrid => None,
        };
        let embedder = None;
        Some(Hybrid { embedder, ratio })
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Words => "words",
            Self::Meaning => "meaning",
            Self::Hybrid => "hybrid",
        })
    }
}

/// One mode over all queries.
struct Run {
    mode: Mode,
    judged: Vec<Judged>,
    millis: Vec<f64>,
}

#[derive(Serialize)]
struct Figures {
    mode: Mode,
    #[serde(rename = "ndcg@10")]
    ndcg_10: f64,
    #[serde(rename = "ndcg_judged@10")]
    ndcg_judged_10: f64,
    #[serde(rename = "recall@100")]
    recall_100: f64,
    /// Milliseconds of one search in the engine.
    latency_ms: Quantiles,
}

/// How far the mode is from the one it is compared with, in nDCG of the first ten.
#[derive(Serialize)]
struct Comparison {
    metric: &'static str,
    #[serde(flatten)]
    difference: Difference,
    /// The interval holds zero.
    inside_noise: bool,
    resamples: usize,
    seed: u64,
}

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    figures: Figures,
    products: u64,
    /// Queries that were run.
    queries: usize,
    /// Those among them with a positive judgement: the means are over these.
    queries_with_positive: usize,
    index_seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<Figures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<Comparison>,
    worst: Vec<Worst<'a>>,
}

/// Prints the figures; exit 1 when no query has a positive judgement.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    if args.against == Some(args.mode) {
        bail!("--against must name another mode than --mode");
    }
    let mut queries = read_queries(open(&args.queries)?)
        .with_context(|| format!("cannot use {}", args.queries.display()))?;
    queries.truncate(args.limit_queries.unwrap_or(usize::MAX));
    let qrels = read_qrels(open(&args.qrels)?)
        .with_context(|| format!("cannot use {}", args.qrels.display()))?;
    let modes: Vec<Mode> = [args.mode].into_iter().chain(args.against).collect();
    let catalogue = Catalogue::build(&args.products, &modes, args.model.as_deref())?;
    let found = search_all(&catalogue, &queries, &modes)?;
    let runs: Vec<Run> = modes
        .iter()
        .zip(found)
        .map(|(&mode, found)| Run::new(mode, &catalogue, &queries, &found, &qrels))
        .collect();
    if let Some(path) = &args.per_query {
        judged::write(path, runs.iter().map(|run| (run.mode, &run.judged[..])))?;
    }
    let (products, index_seconds) = (catalogue.products(), catalogue.seconds);
    catalogue.close();
    let (first, second) = match &runs[..] {
        [first, rest @ ..] => (first, rest.first()),
        [] => bail!("no mode was run"),
    };
    let positive = first.measured().count();
    let answer = Answer {
        figures: first.figures(),
        products,
        queries: queries.len(),
        queries_with_positive: positive,
        index_seconds,
        against: second.map(Run::figures),
        difference: second.and_then(|second| first.compare(second, args.seed)),
        worst: judged::worst(
            &first.judged,
            second.map(|second| &second.judged[..]),
            args.worst,
        ),
    };
    args.format.print(&answer, render)?;
    Ok(Outcome::of(positive > 0))
}

fn open(path: &Path) -> anyhow::Result<impl BufRead> {
    Ok(BufReader::new(File::open(path).with_context(|| {
        format!("cannot open {}", path.display())
    })?))
}

/// What every query finds in each mode.
fn search_all(
    catalogue: &Catalogue,
    queries: &[QueryLine],
    modes: &[Mode],
) -> anyhow::Result<Vec<Vec<Found>>> {
    let bar = progress::count("search", queries.len() as u64);
    let mut found: Vec<Vec<Found>> = modes.iter().map(|_| Vec::new()).collect();
    for (place, query) in queries.iter().enumerate() {
        // In turns each mode is the first, which finds the words of the query cold.
        for turn in 0..modes.len() {
            let number = (place + turn) % modes.len();
            if let (Some(&mode), Some(found)) = (modes.get(number), found.get_mut(number)) {
                found.push(catalogue.ask(&query.text, mode)?);
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(found)
}

impl Run {
    fn new(
        mode: Mode,
        catalogue: &Catalogue,
        queries: &[QueryLine],
        found: &[Found],
        qrels: &Qrels,
    ) -> Self {
        let pairs = queries.iter().zip(found);
        Self {
            mode,
            judged: pairs
                .map(|(query, found)| Judged::new(catalogue, query, found, qrels))
                .collect(),
            millis: found.iter().map(|found| found.millis).collect(),
        }
    }

    /// Of the queries with a positive judgement, which are the same in every mode.
    fn measured(&self) -> impl Iterator<Item = eval::QueryRelevance> {
        self.judged.iter().filter_map(|judged| judged.relevance)
    }

    fn figures(&self) -> Figures {
        let report = eval::relevance(self.measured());
        Figures {
            mode: self.mode,
            ndcg_10: report.ndcg_10,
            ndcg_judged_10: report.ndcg_judged_10,
            recall_100: report.recall_100,
            latency_ms: Quantiles::of(self.millis.clone()),
        }
    }

    fn compare(&self, other: &Self, seed: u64) -> Option<Comparison> {
        let ndcg = |run: &Self| -> Vec<f64> { run.measured().map(|query| query.ndcg_10).collect() };
        let difference = paired_bootstrap(&ndcg(self), &ndcg(other), RESAMPLES, seed)?;
        Some(Comparison {
            metric: "ndcg@10",
            inside_noise: difference.low <= 0.0 && difference.high >= 0.0,
            difference,
            resamples: RESAMPLES,
            seed,
        })
    }
}

fn render(answer: &Answer) -> String {
    let mut table = Table::new(&[
        "mode",
        "ndcg@10",
        "ndcg_judged@10",
        "recall@100",
        "p50 ms",
        "p95 ms",
        "p99 ms",
    ]);
    for figures in [&answer.figures].into_iter().chain(&answer.against) {
        let part = |value: f64| format!("{value:.4}");
        let millis = |value: f64| format!("{value:.3}");
        table.row(vec![
            figures.mode.to_string(),
            part(figures.ndcg_10),
            part(figures.ndcg_judged_10),
            part(figures.recall_100),
            millis(figures.latency_ms.p50),
            millis(figures.latency_ms.p95),
            millis(figures.latency_ms.p99),
        ]);
    }
    let mut text = format!(
        "{} products, {} queries, {} of them with a positive judgement\n{}",
        answer.products,
        answer.queries,
        answer.queries_with_positive,
        table.render()
    );
    let mode = answer.figures.mode;
    let against = answer.against.as_ref().map(|figures| figures.mode);
    if let (Some(against), Some(comparison)) = (against, &answer.difference) {
        text.push_str(&format!("{mode} against {against}: {comparison}\n"));
    }
    text + &judged::render(&answer.worst, mode, against)
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference {
            mean,
            low,
            high,
            p,
            cases,
        } = self.difference;
        let verdict = match self.inside_noise {
            true => "inside the noise",
            false => "more than noise",
        };
        write!(
            f,
            "{} {mean:+.4}, 95 % interval {low:+.4} to {high:+.4}, p {p:.4} over {cases} queries: {verdict}",
            self.metric
        )
    }
}
