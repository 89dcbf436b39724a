//! `vitrine shelf`: the trained models of an index, which one answers, and the change of it.

use crate::address::path;
use crate::client::Refused;
use crate::folder::FolderArgs;
use crate::outcome::Outcome;
use crate::outline::outline;
use crate::output::{self, Format};
use crate::table::Table;
use crate::target::with_server;
use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the models.
    List(Shelf),
    /// Show one model with its card.
    Show(One),
    /// Make a model live, or the shadow that is compared with the live one.
    Promote(Promotion),
    /// Make the model live again that was before the one that is.
    Rollback(Shelf),
}

/// Whose models.
#[derive(Debug, clap::Args)]
struct Shelf {
    #[command(flatten)]
    folder: FolderArgs,
    /// The index.
    #[arg(long, value_name = "UID")]
    index: String,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, clap::Args)]
struct One {
    #[command(flatten)]
    shelf: Shelf,
    /// The model, such as affinity-1.
    #[arg(value_name = "MODEL")]
    id: String,
}

#[derive(Debug, clap::Args)]
struct Promotion {
    #[command(flatten)]
    one: One,
    /// What becomes of it: `candidate` takes the shadow back.
    #[arg(long, value_enum, default_value = "live")]
    to: State,
    /// Make it live even if its validation was worse than that of the live one.
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum State {
    Live,
    Shadow,
    Candidate,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Shadow => "shadow",
            Self::Candidate => "candidate",
        }
    }
}

impl Shelf {
    /// An address below the models of the index.
    fn path(&self, more: &[&str]) -> String {
        path(&[&["indexes", &self.index, "models"], more].concat())
    }
}

/// Exit 1 when there is no model to show, or the change is refused.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let told = match &args.what {
        What::List(shelf) => {
            let list = with_server(&shelf.folder, |client| client.get(&shelf.path(&[])));
            list.and_then(|list| shelf.format.print(&list, table))
        }
        What::Show(One { shelf, id }) => {
            let model = with_server(&shelf.folder, |client| client.get(&shelf.path(&[id])));
            model.and_then(|model| shelf.format.print(&model, shown))
        }
        What::Promote(Promotion { one, to, force }) => {
            let One { shelf, id } = one;
            let order = json!({"state": to.as_str(), "force": force});
            let route = shelf.path(&[id, "promote"]);
            let model = with_server(&shelf.folder, |client| client.post(&route, &order));
            model.and_then(|model| shelf.format.print(&model, changed))
        }
        What::Rollback(shelf) => {
            let order = json!({"kind": "affinity"});
            let route = shelf.path(&["rollback"]);
            let model = with_server(&shelf.folder, |client| client.post(&route, &order));
            model.and_then(|model| shelf.format.print(&model, changed))
        }
    };
    match told {
        Ok(()) => Ok(Outcome::Fine),
        Err(error) => match error.downcast_ref::<Refused>() {
            Some(refused) if refused.status == 409 || refused.code == "model_not_found" => {
                output::note(&refused.to_string());
                Ok(Outcome::Nothing)
            }
            _ => Err(error),
        },
    }
}

/// One line a model.
fn table(list: &Value) -> String {
    let mut table = Table::new(&[
        "model",
        "state",
        "created",
        "ndcg@10",
        "beside",
        "requests",
        "agreement",
        "won",
        "tied",
        "lost",
        "mrr",
        "mrr beside",
    ]);
    let models = list["results"].as_array().map_or(&[][..], Vec::as_slice);
    for model in models {
        let is_idle = model["state"] == "live" && model["inUse"] == false;
        let state = text(&model["state"]);
        let beside = &model["comparison"];
        table.row(vec![
            text(&model["id"]),
            if is_idle {
                format!("{state}, damaged")
            } else {
                state
            },
            text(&model["createdAt"]),
            share(&model["metrics"]["validation"]["ndcg@10"]),
            text(&beside["beside"]),
            text(&beside["requests"]),
            share(&beside["agreement"]),
            text(&beside["wins"]),
            text(&beside["ties"]),
            text(&beside["losses"]),
            share(&beside["mrr"]),
            share(&beside["liveMrr"]),
        ]);
    }
    table.render()
}

/// The card; a model without one as an outline.
fn shown(model: &Value) -> String {
    match model["card"].as_str() {
        Some(card) => format!(
            "{} is {}\n\n{card}",
            text(&model["id"]),
            text(&model["state"])
        ),
        None => outline(model),
    }
}

fn changed(model: &Value) -> String {
    format!("{} is {}\n", text(&model["id"]), text(&model["state"]))
}

/// A value as it stands in a cell; nothing for none.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn share(value: &Value) -> String {
    value
        .as_f64()
        .map_or_else(String::new, |share| format!("{share:.4}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_the_numbers_of_the_shadow() {
        let list = json!({"results": [
            {"id": "affinity-1", "state": "live", "inUse": false, "createdAt": "2026-01-31",
             "metrics": {"validation": {"ndcg@10": 0.25}}},
            {"id": "affinity-2", "state": "shadow", "inUse": false, "createdAt": "2026-02-01",
             "metrics": null, "comparison": {"beside": "affinity-1", "requests": 7,
             "agreement": 0.5, "wins": 2, "ties": 0, "losses": 1, "mrr": 0.5, "liveMrr": 0.25}},
        ]});
        let told = table(&list);
        let lines: Vec<Vec<&str>> = told
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(
            lines[1],
            ["affinity-1", "live,", "damaged", "2026-01-31", "0.2500"]
        );
        assert_eq!(
            lines[2],
            [
                "affinity-2",
                "shadow",
                "2026-02-01",
                "affinity-1",
                "7",
                "0.5000",
                "2",
                "0",
                "1",
                "0.5000",
                "0.2500"
            ]
        );
    }
}
