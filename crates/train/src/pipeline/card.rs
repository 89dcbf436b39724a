//! `card.md`: what a model is made of and how good it is, for people.

use super::Model;
use super::report::AskedSlices;
use crate::validation::Telling;
use std::fmt::Write as _;

/// The card, with the hash of `model.safetensors`.
pub(crate) fn card(model: &Model, sha256: &str) -> String {
    let mut card = String::from("# Affinity model\n\n");
    data(&mut card, model);
    quality(&mut card, model);
    settings(&mut card, model, sha256);
    card
}

fn data(card: &mut String, model: &Model) {
    let report = &model.report;
    let (counts, dates) = (&report.counts, &report.dates);
    let cleaning = &counts.cleaning;
    let _ = write!(
        card,
        "Trained {} on {} events of {} shoppers with {} of {} items, {} of them with a text. {} of the events were led to by one of {} queries.

| slice | from | to |
|---|---|---|
| training | {} | {} |
| validation | {} | {} |
| test | {} | {} |

Left out of {} events of {} shoppers: {} robots with {} events, {} duplicates, {} returns with {} purchases, {} shoppers of fewer than two events, {} events of items that came after training.

",
        date(report.created),
        counts.training_events,
        counts.shoppers,
        counts.items,
        counts.items_in_catalogue,
        counts.items_with_text,
        counts.asked_events,
        counts.queries,
        date(dates.first),
        date(dates.validation),
        date(dates.validation),
        date(dates.test),
        date(dates.test),
        date(dates.last),
        cleaning.events,
        cleaning.shoppers,
        cleaning.robots,
        cleaning.events_of_robots,
        cleaning.duplicates,
        cleaning.returns,
        cleaning.taken_back,
        cleaning.too_short,
        counts.events_of_new_items,
    );
}

fn quality(card: &mut String, model: &Model) {
    let report = &model.report;
    let again = if report.repeats {
        "items of the history may come next again"
    } else {
        "items of the history are not ranked"
    };
    let _ = write!(
        card,
        "## Quality

The next item among all, {again}: {} cases of the validation, {} of the test. `bce` and `auc` are of a {}, with one item drawn at random for each that came next; expected calibration error {:.4}.

| model | validation ndcg@10 | recall@10 | bce | auc | test ndcg@10 | recall@10 | bce | auc |
|---|---|---|---|---|---|---|---|---|
",
        report.validation.cases, report.test.cases, report.action, report.ece
    );
    let (validation, test) = (&report.validation, &report.test);
    row(
        card,
        "affinity",
        [
            Some(validation.ndcg_10),
            Some(validation.recall_10),
            Some(validation.bce),
            Some(validation.auc),
            Some(test.ndcg_10),
            Some(test.recall_10),
            Some(test.bce),
            Some(test.auc),
        ],
    );
    for baseline in &report.baselines {
        let (validation, test) = (baseline.validation, baseline.test);
        row(
            card,
            &baseline.name,
            [
                Some(validation.ndcg_10),
                Some(validation.recall_10),
                None,
                None,
                Some(test.ndcg_10),
                Some(test.recall_10),
                None,
                None,
            ],
        );
    }
    if let Some(logistic) = &report.logistic {
        telling(
            card,
            "logistic regression",
            logistic.validation,
            logistic.test,
        );
    }
    if let Some(AskedSlices { validation, test }) = report.asked {
        let cases = format!("of {} and {} cases", validation.cases, test.cases);
        let name = format!("affinity, with the query {cases}");
        telling(card, &name, validation.with, test.with);
        let name = "affinity, the same cases without it";
        telling(card, name, validation.without, test.without);
    }
}

/// A row of what tells actions alone.
fn telling(card: &mut String, name: &str, validation: Telling, test: Telling) {
    row(
        card,
        name,
        [
            None,
            None,
            Some(validation.bce),
            Some(validation.auc),
            None,
            None,
            Some(test.bce),
            Some(test.auc),
        ],
    );
}

fn row(card: &mut String, name: &str, figures: [Option<f64>; 8]) {
    let _ = write!(card, "| {name} |");
    for figure in figures {
        let _ = match figure {
            Some(figure) => write!(card, " {figure:.4} |"),
            None => write!(card, " |"),
        };
    }
    card.push('\n');
}

fn settings(card: &mut String, model: &Model, sha256: &str) {
    let config = model.weights.config();
    let options = &model.report.settings;
    let _ = write!(
        card,
        "
## Settings

Width {}, {} heads, {} layers, {} events of history, {} numbers of a text. {} epochs of batches of {}, rate {}, dropout {}, seed {}, trained on {}; all of them stand in `metrics.json`.

SHA-256 of `model.safetensors`: `{sha256}`
",
        config.width,
        config.heads,
        config.layers,
        config.max_history,
        config.text_dimensions,
        options.epochs,
        options.batch,
        options.rate,
        options.dropout,
        options.seed,
        options.device,
    );
}

/// A day and a minute; a time that no calendar has stays a number.
fn date(milliseconds: i64) -> String {
    match jiff::Timestamp::from_millisecond(milliseconds) {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => milliseconds.to_string(),
    }
}
