//! `vitrine model`: fetches, lists and removes encoder models.
//!
//! A model is fetched once for all data folders of a user. It is checked before it gets its
//! name, so that what has a name is whole.

mod download;
mod install;
mod known;
mod list;
mod manifest;
mod package;
mod pull;
mod remove;
mod sha256;

use crate::outcome::Outcome;
use anyhow::Context as _;
use clap::Subcommand;
use engine::ModelFolders;
use std::path::Path;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Fetch a model by its name, or take one from a folder or file.
    Pull(pull::Args),
    /// List the models that can be fetched and those that are there.
    List(list::Args),
    /// Remove a model.
    Remove(remove::Args),
}

/// Runs what was named.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    match args.what {
        What::Pull(args) => pull::run(args),
        What::List(args) => list::run(args),
        What::Remove(args) => remove::run(args),
    }
}

/// The folder of the models that all data folders share.
fn shared(folders: &ModelFolders) -> anyhow::Result<&Path> {
    folders.shared().context(
        "there is no folder for models, because this user has no home folder: name one in VITRINE_MODELS",
    )
}
