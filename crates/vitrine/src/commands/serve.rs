//! `vitrine serve`: serves a data folder over HTTP until it is told to stop.
//!
//! Its address is printed, and written into the folder for the other commands.

use crate::folder::FolderArgs;
use crate::hosted::Hosted;
use crate::outcome::Outcome;
use crate::output::{self, Format};
use domain::{IdError, IndexUid};
use engine::{Learn, ModelFolders};
use serde_json::json;
use server::ServerConfig;
use std::net::SocketAddr;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: FolderArgs,
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7700")]
    listen: SocketAddr,
    /// The index behind `/api`, where the clients of Gorse find their items.
    #[arg(long, value_name = "UID", default_value = "gorse", value_parser = uid)]
    gorse_index: IndexUid,
    #[command(flatten)]
    format: Format,
}

fn uid(text: &str) -> Result<IndexUid, IdError> {
    IndexUid::new(text)
}

/// Ctrl-C and SIGTERM end it after the requests in flight are answered.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let config = ServerConfig::new(args.listen, args.folder.key.key())?
        .with_models(ModelFolders::of_environment(Some(&args.folder.data)))
        .with_gorse_index(args.gorse_index);
    let engine = args.folder.open(Learn::Background)?;
    let hosted = Hosted::start_with(engine, config)?;
    let base = hosted.base();
    if args.format.json {
        // One line, so that a script can read it while the server runs.
        output::text(&json!({"address": base, "data": args.folder.data}).to_string())?;
    } else {
        output::text(&format!("serving {} at {base}", args.folder.data.display()))?;
    }
    hosted.run_until_told()?;
    Ok(Outcome::Fine)
}
