//! `vitrine settings`: shows the settings of an index, or changes some of them.
//!
//! A change is JSON in the words of the HTTP interface; `null` resets a setting.

use crate::address::path;
use crate::feed::Sink;
use crate::folder::FolderArgs;
use crate::outcome::Outcome;
use crate::outline::outline;
use crate::output::Format;
use crate::target::with_server;
use anyhow::Context as _;
use domain::IndexUid;
use serde_json::Value;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: FolderArgs,
    /// The index.
    #[arg(long, value_name = "UID")]
    index: String,
    /// What to change, e.g. `{"synonyms": {"mug": ["cup"]}}`.
    #[arg(value_name = "JSON")]
    change: Option<String>,
    #[command(flatten)]
    format: Format,
}

/// Prints the settings as they are after the change.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    if let Some(change) = &args.change {
        let change: Value = serde_json::from_str(change).context("the change is not JSON")?;
        args.folder.must_exist()?;
        let uid = IndexUid::new(args.index.clone())?;
        let sink = Sink::open(&args.folder)?;
        let changed = sink.change_settings(&uid, change);
        sink.close();
        changed?;
    }
    let address = path(&["indexes", &args.index, "settings"]);
    let settings = with_server(&args.folder, |client| client.get(&address))?;
    args.format.print(&settings, outline)?;
    Ok(Outcome::Fine)
}
