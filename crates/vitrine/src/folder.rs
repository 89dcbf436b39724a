//! The data folder that a command works on, and who holds it.
//!
//! Only one process may open a folder. When that is a server, its address stands
//! in the folder and commands go through it.

use crate::client::Client;
use anyhow::{Context as _, bail};
use engine::{
    Encoders, Engine, EngineError, Learn, LockError, ModelFolders, OpenOptions, ServiceOptions,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Where the key is looked for when no flag gives it.
const KEY_VARIABLE: &str = "VITRINE_MASTER_KEY";

/// How long a command waits for another one to give the folder back …
const PATIENCE: Duration = Duration::from_secs(3);
/// … and how often it looks.
const PAUSE: Duration = Duration::from_millis(50);

/// How a command gets at its data.
pub enum Access {
    Server(Client),
    Folder(Engine),
}

/// The flags by which a command finds its data.
#[derive(Debug, clap::Args)]
pub struct FolderArgs {
    /// The data folder.
    #[arg(long, value_name = "DIR", default_value = "vitrine-data")]
    pub data: PathBuf,
    #[command(flatten)]
    pub key: KeyArgs,
}

/// The flag for the key of a server.
#[derive(Debug, clap::Args)]
pub struct KeyArgs {
    /// The key of the server; without it, VITRINE_MASTER_KEY of the environment.
    #[arg(long, value_name = "KEY")]
    master_key: Option<String>,
}

impl KeyArgs {
    /// The key from the flag or the environment; an empty one is none.
    pub fn key(&self) -> Option<String> {
        self.master_key
            .clone()
            .or_else(|| std::env::var(KEY_VARIABLE).ok())
            .filter(|key| !key.is_empty())
    }
}

impl FolderArgs {
    /// A client of the server that holds the folder, if one does.
    pub fn server(&self) -> Option<Client> {
        let address = Engine::holder(&self.data)?;
        address
            .starts_with("http://")
            .then(|| Client::new(&address, self.key.key()))
    }

    /// The server that holds the folder, or else the folder itself, which is made when it is
    /// missing. A command that is about to end, or a server that is about to say where it
    /// listens, is waited for.
    pub fn access(&self) -> anyhow::Result<Access> {
        let started = Instant::now();
        loop {
            if let Some(client) = self.server() {
                return Ok(Access::Server(client));
            }
            match self.open(Learn::AtClose) {
                Err(error) if is_in_use(&error) && started.elapsed() < PATIENCE => {
                    std::thread::sleep(PAUSE);
                }
                opened => return opened.map(Access::Folder),
            }
        }
    }

    /// Opens the folder; it is made when it is missing.
    pub fn open(&self, learn: Learn) -> anyhow::Result<Engine> {
        let options = OpenOptions {
            learn,
            encoders: Some(encoders(Some(&self.data))),
        };
        Engine::open(&self.data, options)
            .with_context(|| format!("cannot open the data folder {}", self.data.display()))
    }

    /// Refuses a folder that is not there, before anything makes it.
    pub fn must_exist(&self) -> anyhow::Result<()> {
        if !self.data.is_dir() {
            bail!(
                "there is no data folder {}: make one with `vitrine ingest` or `vitrine demo`, or name another with --data",
                self.data.display()
            );
        }
        Ok(())
    }
}

/// The models of a data folder and of this user, on all processors.
pub fn encoders(data: Option<&Path>) -> Arc<Encoders> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let folders = ModelFolders::of_environment(data);
    Arc::new(Encoders::new(folders, threads, ServiceOptions::default()))
}

fn is_in_use(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref(),
        Some(EngineError::Lock(LockError::InUse { .. }))
    )
}
