//! `vitrine eval recommend`: recommends as of one moment of a log, and looks at what came.
//!
//! The engine gets the events before the moment and nothing else. What shoppers bought after
//! it is foretold by every kind that can, beside what is popular and what is bought together,
//! on the same cases, so that differences can be told from chance.

mod cases;
mod catalogue;
mod rankings;

use crate::logged::{ShopArgs, fold};
use crate::outcome::Outcome;
use crate::output::Format;
use crate::progress;
use crate::table::Table;
use anyhow::{Context as _, bail};
use cases::{Case, Log, Task};
use catalogue::Catalogue;
use domain::{Event, Timestamp};
use eval::{Ranked, RecommendationDifference, RecommendationReport, Recommended, Shopper};
use rankings::{Knobs, Ranking};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Instant;

/// Samples of the bootstrap.
const RESAMPLES: usize = 10_000;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    shop: ShopArgs,
    /// The moment: what happened before is known, what comes after is foretold.
    #[arg(long, value_name = "TIME")]
    split_at: String,
    /// Look at nothing that was bought from this moment on.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Most cases of one task; others are left out by an even draw.
    #[arg(long, value_name = "N", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(1..))]
    cases: u64,
    /// Ask for so much diversity, from 0 to 1.
    #[arg(long, value_name = "D", default_value_t = 0.0)]
    diversity: f64,
    /// The share of places for new items.
    #[arg(long, value_name = "SHARE", default_value_t = engine::EXPLORATION)]
    exploration: f64,
    /// Chooses the held-out items and the samples of the bootstrap.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    format: Format,
}

#[derive(Serialize)]
struct Answer {
    split_at: String,
    events_before: usize,
    events_after: usize,
    refused: u64,
    products: usize,
    tasks: BTreeMap<&'static str, TaskAnswer>,
    seed: u64,
    resamples: usize,
    seconds: f64,
}

#[derive(Serialize)]
struct TaskAnswer {
    cases: usize,
    rankings: BTreeMap<&'static str, RankingAnswer>,
}

#[derive(Serialize)]
struct RankingAnswer {
    #[serde(flatten)]
    report: RecommendationReport,
    by_activity: BTreeMap<&'static str, RecommendationReport>,
    /// Against the baselines on the same cases.
    against: BTreeMap<&'static str, RecommendationDifference>,
}

/// Exit 1 when nothing was bought after the moment.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let moment =
        |text: &String| Timestamp::parse(text).with_context(|| format!("cannot use {text}"));
    let split_at = moment(&args.split_at)?;
    let until = args.until.as_ref().map(moment).transpose()?;
    let (events, refused) = args.shop.events()?;
    let (before, after) = events.split_at(events.partition_point(|event| event.time < split_at));
    if before.is_empty() {
        bail!("no event happened before {split_at}");
    }
    let trial = args.shop.shop()?;
    fold(&trial, before)?;
    trial.engine.learn()?;
    let catalogue = Catalogue::read(&trial.engine)?;
    let log = Log::new(before, after, until, &catalogue);
    let tasks = foretell(&args, &catalogue, &log, before)?;
    trial.engine.close();
    let answer = Answer {
        split_at: split_at.to_string(),
        events_before: before.len(),
        events_after: after.len(),
        refused,
        products: catalogue.len(),
        tasks,
        seed: args.seed,
        resamples: RESAMPLES,
        seconds: (started.elapsed().as_secs_f64() * 1e3).round() / 1e3,
    };
    args.format.print(&answer, render)?;
    Ok(Outcome::of(!answer.tasks.is_empty()))
}

/// Every task that has cases.
fn foretell(
    args: &Args,
    catalogue: &Catalogue,
    log: &Log,
    before: &[Event],
) -> anyhow::Result<BTreeMap<&'static str, TaskAnswer>> {
    let popularity = catalogue.popularity(before);
    let items = Ranked {
        popularity: &popularity,
        distance: &|one, other| catalogue.distance(one, other),
    };
    let mut tasks = BTreeMap::new();
    for (task, name) in Task::ALL {
        let cases = drawn(log.cases(task, catalogue, args.seed), args.cases as usize);
        if cases.is_empty() {
            continue;
        }
        let bar = progress::count(name, (cases.len() * task.rankings().len()) as u64);
        let mut rankings: BTreeMap<&'static str, Vec<Recommended>> = BTreeMap::new();
        for ranking in task.rankings() {
            let mut ranked = Vec::with_capacity(cases.len());
            for case in &cases {
                ranked.push(ask(args, catalogue, &ranking, case)?);
                bar.inc(1);
            }
            rankings.insert(ranking.name, ranked);
        }
        bar.finish_and_clear();
        let answer = TaskAnswer {
            cases: cases.len(),
            rankings: measured(&rankings, &items, args.seed),
        };
        tasks.insert(name, answer);
    }
    Ok(tasks)
}

fn ask(
    args: &Args,
    catalogue: &Catalogue,
    ranking: &Ranking,
    case: &Case,
) -> anyhow::Result<Recommended> {
    let knobs = Knobs {
        diversity: args.diversity,
        exploration: args.exploration,
    };
    let answer = catalogue.reader.recommend(&ranking.request(case, knobs))?;
    Ok(Recommended {
        shopper: case.shopper,
        ranked: catalogue.numbers_of(&answer),
        taken: case.taken.clone(),
    })
}

/// So many cases at most, evenly over the list.
fn drawn(cases: Vec<Case>, most: usize) -> Vec<Case> {
    let all = cases.len();
    let is_drawn = |place: usize| all <= most || place * most / all != (place + 1) * most / all;
    let cases = cases.into_iter().enumerate();
    cases
        .filter(|(place, _)| is_drawn(*place))
        .map(|(_, case)| case)
        .collect()
}

fn measured(
    rankings: &BTreeMap<&'static str, Vec<Recommended>>,
    items: &Ranked<'_>,
    seed: u64,
) -> BTreeMap<&'static str, RankingAnswer> {
    let mut answers = BTreeMap::new();
    for (name, ranked) in rankings {
        let mut by_activity = BTreeMap::new();
        for (group, word) in Shopper::ALL {
            let of_group = ranked.iter().filter(|case| case.shopper == group);
            let report = RecommendationReport::of(of_group, items);
            if report.cases > 0 {
                by_activity.insert(word, report);
            }
        }
        let mut against = BTreeMap::new();
        for baseline in ["popular", "bought-with"] {
            let Some(other) = rankings.get(baseline).filter(|_| baseline != *name) else {
                continue;
            };
            let difference = RecommendationDifference::of(ranked, other, RESAMPLES, seed);
            against.extend(difference.map(|difference| (baseline, difference)));
        }
        let answer = RankingAnswer {
            report: RecommendationReport::of(ranked, items),
            by_activity,
            against,
        };
        answers.insert(*name, answer);
    }
    answers
}

fn render(answer: &Answer) -> String {
    let mut text = format!(
        "{} events before {}, {} after; {} products\n",
        answer.events_before, answer.split_at, answer.events_after, answer.products
    );
    for (task, found) in &answer.tasks {
        let mut table = Table::new(&[
            "kind",
            "recall@10",
            "ndcg@10",
            "hit rate",
            "precision",
            "coverage",
            "novelty",
            "diversity",
            "times popular",
        ]);
        for (name, ranking) in &found.rankings {
            let report = &ranking.report;
            let popular = ranking.against.get("popular");
            table.row(vec![
                (*name).to_owned(),
                format!("{:.4}", report.recall_10),
                format!("{:.4}", report.ndcg_10),
                format!("{:.4}", report.hit_rate_10),
                format!("{:.4}", report.precision_10),
                format!("{:.3}", report.coverage_10),
                format!("{:.2}", report.novelty_10),
                format!("{:.3}", report.diversity_10),
                popular.map_or_else(String::new, |times| {
                    format!("{:.2} / {:.2}", times.recall_times, times.ndcg_times)
                }),
            ]);
        }
        text.push_str(&format!(
            "\n{task}: {} cases\n{}",
            found.cases,
            table.render()
        ));
    }
    text
}
