//! `vitrine profile`: what the engine knows of a shopper or an item.
//!
//! The text answer is the JSON as an indented outline, because a profile is for
//! reading and its fields explain themselves.

use crate::address::path;
use crate::client::Refused;
use crate::folder::FolderArgs;
use crate::outcome::Outcome;
use crate::outline::outline;
use crate::output::{self, Format};
use crate::target::with_server;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: FolderArgs,
    /// The index the profile belongs to.
    #[arg(long, value_name = "UID")]
    index: String,
    #[command(flatten)]
    whose: Whose,
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
            (Some(user), _) => path(&["indexes", index, "users", user, "profile"]),
            (None, item) => path(&[
                "indexes",
                index,
                "items",
                item.as_deref().unwrap_or_default(),
                "profile",
            ]),
        }
    }
}

/// Exit 1 when nothing is known of the shopper or item.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let answer = with_server(&args.folder, |client| {
        client.get(&args.whose.path(&args.index))
    });
    match answer {
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
