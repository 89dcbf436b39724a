//! `vitrine profile`: what the engine knows of a shopper or an item; with `--export` all that is
//! known of a shopper, and with `--erase` its end.
//!
//! The text answer is the JSON as an indented outline, because a profile is for
//! reading and its fields explain themselves.

use crate::address::path;
use crate::client::{Client, Refused};
use crate::folder::FolderArgs;
use crate::outcome::Outcome;
use crate::outline::outline;
use crate::output::{self, Format};
use crate::target::with_server;
use serde_json::Value;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: FolderArgs,
    /// The index the profile belongs to.
    #[arg(long, value_name = "UID")]
    index: String,
    #[command(flatten)]
    whose: Whose,
    /// Show all that is known of the shopper: every event, and the profile.
    #[arg(long, requires = "user", conflicts_with = "erase")]
    export: bool,
    /// Erase the shopper: events, profile, and every count that rests on them.
    #[arg(long, requires = "user")]
    erase: bool,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Whose {
    /// The shopper.
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// The item.
    #[arg(long, value_name = "ID")]
    item: Option<String>,
}

impl Whose {
    fn path(&self, index: &str) -> String {
        match (&self.user, &self.item) {
            (Some(user), _) => path(&["indexes", index, "users", user]),
            (None, item) => path(&[
                "indexes",
                index,
                "items",
                item.as_deref().unwrap_or_default(),
            ]),
        }
    }
}

impl Args {
    fn ask(&self, client: &Client) -> anyhow::Result<Value> {
        let path = self.whose.path(&self.index);
        match (self.erase, self.export) {
            (true, _) => client.delete(&path),
            (_, true) => client.get(&format!("{path}/export")),
            _ => client.get(&format!("{path}/profile")),
        }
    }
}

/// Exit 1 when nothing is known of the shopper or item.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    match with_server(&args.folder, |client| args.ask(client)) {
        Ok(profile) => {
            args.format.print(&profile, outline)?;
            Ok(Outcome::Fine)
        }
        Err(error) => match error.downcast_ref::<Refused>() {
            Some(refused) if refused.status == 404 && refused.code != "index_not_found" => {
                output::note(&refused.to_string());
                Ok(Outcome::Nothing)
            }
            _ => Err(error),
        },
    }
}
