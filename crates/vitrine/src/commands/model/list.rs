//! `vitrine model list`: what can be fetched, what is there, and whether it is whole.
//!
//! Sizes are compared at once; `--verify` reads every byte and compares the hashes.

use super::known;
use super::manifest::{self, Look};
use super::pull::bytes_of;
use crate::outcome::Outcome;
use crate::output::Format;
use crate::progress;
use crate::table::Table;
use engine::{InstalledModel, ModelFolders, ModelPlace};
use serde::Serialize;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// List the models of this data folder as well.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Read every file and compare its hash.
    #[arg(long)]
    verify: bool,
    #[command(flatten)]
    format: Format,
}

#[derive(Serialize)]
struct Row {
    name: String,
    /// What it is, when it can be fetched by its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<&'static str>,
    /// `ok`, `damaged` or `missing`.
    state: &'static str,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    damage: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    /// `data` or `shared`.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<PathBuf>,
}

/// Exit 1 when a model is damaged.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let folders = ModelFolders::of_environment(args.data.as_deref());
    let look = if args.verify {
        Look::Hashes
    } else {
        Look::Sizes
    };
    let bar = progress::wait("look at models");
    let installed = folders.installed();
    let mut rows: Vec<Row> = installed.iter().map(|model| row(model, look)).collect();
    bar.finish_and_clear();
    let missing = known::all().iter().filter(|known| {
        !installed
            .iter()
            .any(|model| model.name.as_str() == known.name)
    });
    rows.extend(missing.map(|known| Row {
        name: known.name.clone(),
        about: Some(&known.about),
        state: "missing",
        damage: None,
        bytes: None,
        place: None,
        path: None,
    }));
    args.format.print(&rows, |rows| render(rows))?;
    Ok(Outcome::of(!rows.iter().any(|row| row.state == "damaged")))
}

fn row(model: &InstalledModel, look: Look) -> Row {
    let damage = manifest::check(&model.name, &model.path, look)
        .err()
        .map(|error| format!("{error:#}"));
    Row {
        name: model.name.to_string(),
        about: known::find(model.name.as_str()).map(|known| known.about.as_str()),
        state: if damage.is_some() { "damaged" } else { "ok" },
        damage,
        bytes: Some(bytes_of(&model.path)),
        place: Some(match model.place {
            ModelPlace::Data => "data",
            ModelPlace::Shared => "shared",
        }),
        path: Some(model.path.clone()),
    }
}

fn render(rows: &[Row]) -> String {
    let mut table = Table::new(&["name", "state", "MB", "where", "what"]);
    for row in rows {
        table.row(vec![
            row.name.clone(),
            row.state.to_owned(),
            row.bytes
                .map_or_else(String::new, |bytes| format!("{:.1}", bytes as f64 / 1e6)),
            row.place.unwrap_or_default().to_owned(),
            row.about.unwrap_or("taken from a folder").to_owned(),
        ]);
    }
    let mut text = table.render();
    for row in rows {
        if let Some(damage) = &row.damage {
            text.push_str(&format!(
                "`{}` is damaged: {damage}; fetch it again with `vitrine model pull {} --force`\n",
                row.name, row.name
            ));
        }
    }
    if let Some(row) = rows.iter().find(|row| row.state == "missing") {
        text.push_str(&format!(
            "fetch a missing one with `vitrine model pull {}`\n",
            row.name
        ));
    }
    text
}
