//! `vitrine model remove`: removes a model from the shared folder or from a data folder.
//!
//! A server that has the model open goes on with it until it is started again.

use super::install::Site;
use super::shared;
use crate::outcome::Outcome;
use crate::output::Format;
use anyhow::Context as _;
use engine::{ModelFolders, ModelName};
use serde_json::json;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The model.
    name: String,
    /// Remove it from this data folder; the shared one stays.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(flatten)]
    format: Format,
}

/// Exit 1 when there was no such model.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let name = ModelName::new(&args.name)?;
    let folders = ModelFolders::of_environment(args.data.as_deref());
    let models = match folders.data() {
        Some(models) => models,
        None => shared(&folders)?,
    };
    let removed = if models.is_dir() {
        let site = Site::take(models, &name, || ())
            .with_context(|| format!("cannot remove model `{name}`"))?;
        site.clear()?
    } else {
        false
    };
    let answer = json!({"name": name.as_str(), "removed": removed});
    args.format.print(&answer, |_| {
        if removed {
            format!("model `{name}` was removed from {}", models.display())
        } else {
            format!("there is no model `{name}` in {}", models.display())
        }
    })?;
    Ok(Outcome::of(removed))
}
