//! The plots of a model folder: what is drawn from what was measured.

use super::Model;
use super::map::map;
use super::plots::{Mark, Plot};
use super::report::Report;
use std::collections::BTreeMap;

/// Items on the map at most; more only cover each other.
const MAPPED: usize = 2000;
/// Categories with a colour of their own, the largest.
const COLOURED: usize = 7;

/// File names and contents.
pub(crate) fn figures(model: &Model) -> Vec<(&'static str, String)> {
    let report = &model.report;
    vec![
        ("loss.svg", loss(report)),
        ("retrieval.svg", retrieval(report)),
        ("metrics.svg", metrics(report)),
        ("reliability.svg", reliability(report)),
        ("roc.svg", roc(report)),
        ("precision-recall.svg", precision_recall(report)),
        ("history.svg", history(report)),
        ("items.svg", items(model)),
    ]
}

fn loss(report: &Report) -> String {
    let trained = report.epochs.iter();
    let trained = trained.map(|epoch| (epoch.epoch as f64, epoch.actions_loss));
    Plot::new("Loss of the actions", "epoch", "binary cross-entropy")
        .add("training", Mark::Line, trained)
        .add(
            "validation",
            Mark::Line,
            by_epoch(report, |report| report.bce),
        )
        .svg()
}

fn retrieval(report: &Report) -> String {
    let values = report.epochs.iter();
    let values = values.map(|epoch| (epoch.epoch as f64, epoch.loss));
    Plot::new("Loss of the next item", "epoch", "cross-entropy")
        .add("training", Mark::Line, values)
        .svg()
}

fn metrics(report: &Report) -> String {
    let plot = Plot::new("Next items of the validation", "epoch", "share")
        .with_zero()
        .add(
            "ndcg@10",
            Mark::Line,
            by_epoch(report, |report| report.ndcg_10),
        )
        .add(
            "recall@10",
            Mark::Line,
            by_epoch(report, |report| report.recall_10),
        );
    let ends = [1.0, report.epochs.len() as f64];
    let guides = report.baselines.iter().fold(plot, |plot, baseline| {
        let height = baseline.validation.ndcg_10;
        let name = format!("ndcg@10 of {}", baseline.name);
        plot.add(&name, Mark::Guide, ends.map(|end| (end, height)))
    });
    guides.svg()
}

fn by_epoch(report: &Report, figure: impl Fn(&crate::ValidationReport) -> f64) -> Vec<(f64, f64)> {
    let epochs = report.epochs.iter();
    let value = |epoch: &crate::EpochReport| {
        let validation = epoch.validation.as_ref()?;
        Some((epoch.epoch as f64, figure(validation)))
    };
    epochs.filter_map(value).collect()
}

fn reliability(report: &Report) -> String {
    let bins: Vec<(f64, f64)> = report
        .reliability
        .iter()
        .map(|bin| (bin.predicted, bin.happened))
        .collect();
    let title = format!("Probability of a {} and what happened", report.action);
    Plot::new(&title, "predicted", "happened")
        .of_shares()
        .add("model", Mark::Line, bins.clone())
        .add("exact", Mark::Guide, [(0.0, 0.0), (1.0, 1.0)])
        .add("", Mark::Points, bins)
        .svg()
}

fn roc(report: &Report) -> String {
    let points = report.thresholds.iter();
    let points = points.map(|point| (point.false_positive_rate, point.true_positive_rate));
    let title = format!("ROC, area {:.3}", report.test.auc);
    Plot::new(&title, "false positive rate", "true positive rate")
        .of_shares()
        .add("model", Mark::Line, [(0.0, 0.0)].into_iter().chain(points))
        .add("chance", Mark::Guide, [(0.0, 0.0), (1.0, 1.0)])
        .svg()
}

fn precision_recall(report: &Report) -> String {
    let points = report.thresholds.iter();
    let points = points.map(|point| (point.true_positive_rate, point.precision));
    Plot::new("Precision and recall", "recall", "precision")
        .of_shares()
        .add("model", Mark::Line, points)
        .svg()
}

fn history(report: &Report) -> String {
    let groups = &report.by_history;
    let values = |figure: fn(&super::ByHistory) -> f64| -> Vec<(f64, f64)> {
        (0..)
            .map(f64::from)
            .zip(groups.iter().map(figure))
            .collect()
    };
    Plot::new(
        "Next items by length of the history",
        "events before",
        "share",
    )
    .with_zero()
    .named(groups.iter().map(|group| group.events.clone()).collect())
    .add("ndcg@10", Mark::Line, values(|group| group.ranking.ndcg_10))
    .add(
        "recall@10",
        Mark::Line,
        values(|group| group.ranking.recall_10),
    )
    .svg()
}

/// Items by their vectors, each category in a colour; the first rows stand for all.
fn items(model: &Model) -> String {
    let width = model.weights.config().width;
    let places = map(&model.vectors, width);
    let values = model.fields.rows().iter().map(|row| row[0]);
    let mut groups: BTreeMap<u32, Vec<(f64, f64)>> = BTreeMap::new();
    for (place, category) in places.into_iter().zip(values).take(MAPPED) {
        groups.entry(category).or_default().push(place);
    }
    let unknown = groups.remove(&0).unwrap_or_default();
    let mut groups: Vec<(u32, Vec<(f64, f64)>)> = groups.into_iter().collect();
    groups.sort_by_key(|(_, places)| std::cmp::Reverse(places.len()));
    let others = groups.split_off(groups.len().min(COLOURED));
    let others = others.into_iter().flat_map(|(_, places)| places);
    let plot = Plot::new(
        "Items by their vectors",
        "first component",
        "second component",
    );
    let plot = groups.into_iter().fold(plot, |plot, (category, places)| {
        let name = model.fields.category(category).unwrap_or_default();
        plot.add(&short(name), Mark::Points, places)
    });
    plot.add("others", Mark::Points, others.chain(unknown))
        .svg()
}

/// A category's name as a legend can show it.
fn short(name: &str) -> String {
    const LONGEST: usize = 28;
    if name.chars().count() <= LONGEST {
        return name.to_owned();
    }
    let start: String = name.chars().take(LONGEST - 1).collect();
    format!("{start}…")
}
