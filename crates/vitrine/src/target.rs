//! One way to every answer: through HTTP.
//!
//! A server that holds the data folder answers itself. Otherwise the command hosts
//! the same server on a loopback port for as long as it runs, so that both ways
//! give the same JSON.

use crate::client::Client;
use crate::folder::FolderArgs;
use crate::hosted::Hosted;
use engine::Learn;

/// Runs `work` with a client of the server for this folder.
pub fn with_server<T>(
    folder: &FolderArgs,
    work: impl FnOnce(&Client) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    folder.must_exist()?;
    if let Some(client) = folder.server() {
        return work(&client);
    }
    let hosted = Hosted::start(folder.open(Learn::AtClose)?)?;
    let result = work(&hosted.client());
    hosted.stop()?;
    result
}
