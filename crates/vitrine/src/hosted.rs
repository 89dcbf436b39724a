//! The HTTP server in this process: for `serve`, and for commands that ask it themselves.
//!
//! It runs on threads of its own, so that the command can block on its answers, and closes
//! the engine at its end.

use crate::client::Client;
use anyhow::Context as _;
use engine::Engine;
use server::{ServeError, ServerConfig};
use std::net::{SocketAddr, TcpListener};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A running server.
pub struct Hosted {
    runtime: Runtime,
    server: JoinHandle<Result<(), ServeError>>,
    stop: oneshot::Sender<()>,
    address: SocketAddr,
}

impl Hosted {
    /// Serves on a free loopback port, for one command only: the address does not stay in the
    /// folder, because nobody else can count on it.
    pub fn start(engine: Engine) -> anyhow::Result<Self> {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let hosted = Self::start_with(engine.clone(), ServerConfig::new(loopback, None)?)?;
        hosted.client().get("/health")?;
        engine.describe_holder("a vitrine command that ends soon")?;
        Ok(hosted)
    }

    /// Serves as configured. The port is open when this returns.
    pub fn start_with(engine: Engine, config: ServerConfig) -> anyhow::Result<Self> {
        let listen = config.listen();
        let listener = TcpListener::bind(listen).with_context(|| {
            format!("cannot listen on {listen}: stop what listens there, or choose another with --listen")
        })?;
        let address = listener.local_addr()?;
        // The server does so too, but only in a moment; whoever is told the address may look now.
        engine.describe_holder(&format!("http://{address}"))?;
        let runtime = Runtime::new().context("cannot start the threads of the server")?;
        let (stop, told) = oneshot::channel();
        let shutdown = async move {
            // A dropped sender tells the server to stop as well.
            let _ = told.await;
        };
        let server = runtime.spawn(server::serve(engine, config, listener, shutdown));
        Ok(Self {
            runtime,
            server,
            stop,
            address,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same as a URL.
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A client without a key.
    pub fn client(&self) -> Client {
        self.client_with(None)
    }

    /// A client with the key of the configuration.
    pub fn client_with(&self, key: Option<String>) -> Client {
        Client::new(&self.base(), key)
    }

    /// Serves until Ctrl-C or SIGTERM, or until the server fails.
    pub fn run_until_told(self) -> anyhow::Result<()> {
        let Self {
            runtime,
            mut server,
            stop,
            ..
        } = self;
        runtime.block_on(async {
            tokio::select! {
                told = signal() => {
                    told.context("cannot listen for signals")?;
                    let _ = stop.send(());
                    Ok(server.await??)
                }
                ended = &mut server => Ok(ended??),
            }
        })
    }

    /// Answers what is in flight, stops, and closes the engine.
    pub fn stop(self) -> anyhow::Result<()> {
        let Self {
            runtime,
            server,
            stop,
            ..
        } = self;
        let _ = stop.send(());
        Ok(runtime.block_on(server)??)
    }
}

/// The first of Ctrl-C and SIGTERM.
pub async fn signal() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
