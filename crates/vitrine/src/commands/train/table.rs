//! What a training found, for people.

use crate::table::Table;
use serde_json::Value;
use std::fmt::Write as _;
use train::Telling;
use train::pipeline::{Counts, Report};

/// What is trained on, and what was left out.
pub fn counts(counts: &Counts) -> String {
    let cleaning = &counts.cleaning;
    let mut text = format!(
        "{} events of {} shoppers with {} of {} items ({} with a vector)",
        counts.training_events,
        counts.shoppers,
        counts.items,
        counts.items_in_catalogue,
        counts.items_with_text
    );
    if counts.asked_events > 0 {
        let _ = write!(
            text,
            ", {} of them led to by one of {} queries",
            counts.asked_events, counts.queries
        );
    }
    let left_out = [
        (cleaning.robots, "robots"),
        (cleaning.duplicates, "duplicates"),
        (cleaning.returns, "returns"),
        (cleaning.taken_back, "purchases that were taken back"),
        (cleaning.too_short, "shoppers of fewer than two events"),
    ];
    let left_out: Vec<String> = left_out
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if !left_out.is_empty() {
        let _ = write!(text, "; left out: {}", left_out.join(", "));
    }
    text
}

/// The model beside the others, on the final test; `live` is the one that answered before,
/// with its own metrics.
pub fn figures(report: &Report, live: Option<(&str, &Value)>) -> String {
    let mut table = Table::new(&["model", "ndcg@10", "recall@10", "bce", "auc"]);
    let figure = |value: f64| format!("{value:.4}");
    let test = &report.test;
    table.row(vec![
        "affinity".to_owned(),
        figure(test.ndcg_10),
        figure(test.recall_10),
        figure(test.bce),
        figure(test.auc),
    ]);
    for baseline in &report.baselines {
        table.row(vec![
            baseline.name.clone(),
            figure(baseline.test.ndcg_10),
            figure(baseline.test.recall_10),
        ]);
    }
    if let Some(blend) = &report.blend {
        table.row(vec![
            format!("affinity and pctm, {:.0} % affinity", 100.0 * blend.share),
            figure(blend.test.ndcg_10),
            figure(blend.test.recall_10),
        ]);
    }
    let mut telling = |name: &str, told: Telling| {
        let mut row = vec![name.to_owned(), String::new(), String::new()];
        row.extend([told.bce, told.auc].map(figure));
        table.row(row);
    };
    if let Some(logistic) = &report.logistic {
        telling("logistic regression", logistic.test);
    }
    if let Some(asked) = &report.asked {
        let name = format!("affinity, with the query of {} cases", asked.test.cases);
        telling(&name, asked.test.with);
        telling("affinity, the same without it", asked.test.without);
    }
    if let Some((id, metrics)) = live {
        let found = |name: &str| {
            let value = metrics["test"][name].as_f64();
            value.map(figure).unwrap_or_default()
        };
        let mut row = vec![format!("{id}, live, on its own test")];
        row.extend(["ndcg@10", "recall@10", "bce", "auc"].map(found));
        table.row(row);
    }
    format!(
        "{} cases of the final test, probabilities of a {}, calibration error {:.4}\n{}",
        test.cases,
        report.action,
        report.ece,
        table.render()
    )
}
