//! One way to every answer: through HTTP.
//!
//! A server that holds the data folder answers itself. Otherwise the command hosts
//! the same server on a loopback port for as long as it runs, so that both ways
//! give the same JSON.

use crate::client::Client;
use crate::folder::{Access, FolderArgs};
use crate::hosted::Hosted;

/// Runs `work` with a client of the server for this folder.
pub fn with_server<T>(
    folder: &FolderArgs,
    work: impl FnOnce(&Client) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    folder.must_exist()?;
    match folder.access()? {
        Access::Server(client) => work(&client),
        Access::Folder(engine) => {
            let hosted = Hosted::start(engine)?;
            let result = work(&hosted.client());
            hosted.stop()?;
            result
        }
    }
}
