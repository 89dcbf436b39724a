//! Serving until told to stop, and stopping without losing a request.
//!
//! On the signal no new connection is accepted; requests in flight have a few
//! seconds to finish; then the engine is closed.

use crate::app::App;
use crate::config::{ConfigError, ServerConfig};
use crate::connection::{PatientListener, Phase};
use crate::keyring::make_default_keys;
use crate::router;
use axum::extract::connect_info::IntoMakeServiceWithConnectInfo;
use engine::{Engine, EngineError};
use std::future::IntoFuture;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::sleep;

/// Why the server could not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    #[error("cannot listen on the given socket")]
    Listen(#[source] io::Error),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("cannot write the server's address into the data folder")]
    Address(#[source] Box<EngineError>),
    #[error("cannot start the thread that reports to webhooks")]
    Webhooks(#[source] io::Error),
    #[error("the server ended before it was told to")]
    Ended(#[source] io::Error),
}

/// Serves an engine on a bound socket until `shutdown` is ready, then closes the engine.
///
/// Needs tokio's multi-thread runtime. The address is written into the data folder, so
/// that commands which find the folder in use can go through this server.
pub async fn serve(
    engine: Engine,
    config: ServerConfig,
    listener: std::net::TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    listener
        .set_nonblocking(NONBLOCKING)
        .map_err(ServeError::Listen)?;
    let listener = TcpListener::from_std(listener).map_err(ServeError::Listen)?;
    let address = listener.local_addr().map_err(ServeError::Listen)?;
    config.check_address(address)?;
    let url = format!("http://{}", reachable(address));
    engine
        .describe_holder(&url)
        .map_err(|error| ServeError::Address(Box::new(error)))?;
    let has_key = config.master_key.is_some();
    if has_key && let Err(error) = make_default_keys(&engine, engine::now()) {
        // The master key opens everything all the same, and the next start tries again.
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the default API keys were not made"
        );
    }
    crate::courier::start(&engine).map_err(ServeError::Webhooks)?;
    let stop_time = config.limits.stop_time;
    let listener = PatientListener::new(listener, config.limits.clone());
    let app = App::new(engine.clone(), config);
    let service: IntoMakeServiceWithConnectInfo<_, Phase> =
        router::over(app.clone()).into_make_service_with_connect_info();

    let (stopping, stopped) = oneshot::channel();
    let server = axum::serve(listener, service).with_graceful_shutdown(async move {
        shutdown.await;
        tracing::info!("stopping; requests in flight are finished");
        // The receiver lives as long as the server is waited for.
        let _ = stopping.send(());
    });
    tracing::info!(url, master_key = has_key, "serving");
    let outcome = tokio::select! {
        outcome = server.into_future() => outcome.map_err(ServeError::Ended),
        () = async { match stopped.await {
            Ok(()) => sleep(stop_time).await,
            Err(_) => std::future::pending().await,
        } } => {
            tracing::warn!(?stop_time, "some requests were not finished in time");
            Ok(())
        }
    };
    let closed = tokio::task::spawn_blocking(move || {
        app.trainings().end(stop_time);
        engine.close();
    })
    .await;
    if let Err(error) = closed {
        tracing::error!(%error, "the engine was not closed cleanly");
    }
    tracing::info!("stopped");
    outcome
}

/// What tokio needs of a socket.
const NONBLOCKING: bool = true;

/// An address that a client on this machine can use.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unspecified_address_is_reached_on_this_machine() {
        for (address, expected) in [
            ("0.0.0.0:7700", "127.0.0.1:7700"),
            ("[::]:7700", "[::1]:7700"),
            ("192.168.1.5:80", "192.168.1.5:80"),
        ] {
            let address = address.parse().expect("an address");
            assert_eq!(reachable(address).to_string(), expected);
        }
    }
}
