//! What the server runs on, checked once.
//!
//! An address that other machines can reach is refused without a master key, so
//! that nothing is open by accident. The key never appears in `Debug` output.

use domain::{IdError, IndexUid};
use engine::{ModelFolders, ServiceOptions};
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// The shortest master key that is not guessed quickly.
const SHORTEST_KEY: usize = 16;
/// The index behind `/api` unless told.
const GORSE_INDEX: &str = "gorse";

/// A checked configuration.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    pub(crate) listen: SocketAddr,
    pub(crate) master_key: Option<MasterKey>,
    pub(crate) limits: Limits,
    pub(crate) models: ModelFolders,
    pub(crate) gorse_index: IndexUid,
}

/// The secret that opens every route.
#[derive(Clone)]
pub(crate) struct MasterKey(pub(crate) String);

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// Why a configuration was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    #[error(
        "{0} can be reached from other machines, so it needs a master key; give one, or listen on 127.0.0.1"
    )]
    OpenToTheWorld(SocketAddr),
    #[error(
        "the master key has {0} bytes; use at least 16, such as the output of `openssl rand -hex 24`"
    )]
    ShortKey(usize),
    #[error(
        "the master key must be visible ASCII characters, because it travels in an HTTP header"
    )]
    UnprintableKey,
    #[error(transparent)]
    Index(#[from] IdError),
}

impl ServerConfig {
    /// Checks an address and a key, with the default limits.
    pub fn new(listen: SocketAddr, master_key: Option<String>) -> Result<Self, ConfigError> {
        if let Some(key) = &master_key {
            if key.len() < SHORTEST_KEY {
                return Err(ConfigError::ShortKey(key.len()));
            }
            if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(ConfigError::UnprintableKey);
            }
        }
        let config = Self {
            listen,
            master_key: master_key.map(MasterKey),
            limits: Limits::default(),
            models: ModelFolders::default(),
            gorse_index: IndexUid::new(GORSE_INDEX)?,
        };
        config.check_address(listen)?;
        Ok(config)
    }

    /// The same with other limits.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same with encoder models out of these folders; without, there are none.
    pub fn with_models(mut self, models: ModelFolders) -> Self {
        self.models = models;
        self
    }

    /// The same with another index behind `/api`.
    pub fn with_gorse_index(mut self, index: IndexUid) -> Self {
        self.gorse_index = index;
        self
    }

    /// The address to bind.
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// Whether this address may be served with this configuration.
    pub(crate) fn check_address(&self, address: SocketAddr) -> Result<(), ConfigError> {
        if self.master_key.is_none() && !address.ip().to_canonical().is_loopback() {
            return Err(ConfigError::OpenToTheWorld(address));
        }
        Ok(())
    }
}

/// What a stranger may send, and how long it may take.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of documents or events in one request, after inflating.
    pub payload_bytes: usize,
    /// Bytes of any other JSON body, after inflating.
    pub request_bytes: usize,
    /// Bytes of one query text.
    pub query_bytes: usize,
    /// Queries in one multi-search.
    pub queries: usize,
    /// Texts in one request for embeddings.
    pub embedding_texts: usize,
    /// Characters of all texts in one request for embeddings.
    pub embedding_characters: usize,
    /// What is encoded at once, and how long a request may wait for it.
    pub encoding: ServiceOptions,
    /// Documents in one listing.
    pub documents: usize,
    /// Open connections; further ones wait to be accepted.
    pub connections: usize,
    /// Reading requests that compute at the same time.
    pub computing: usize,
    /// Requests that may wait for their turn to compute; the next is answered 503.
    pub waiting: usize,
    /// Bodies over a megabyte that are received and parsed at the same time.
    pub large_bodies: usize,
    /// For the head of a request, from its first byte.
    pub head_time: Duration,
    /// For the next request on an open connection.
    pub idle_time: Duration,
    /// For a client that does not take its answer.
    pub write_time: Duration,
    /// For a body: this long, and one second more for each `body_bytes_per_second`.
    pub body_time: Duration,
    pub body_bytes_per_second: usize,
    /// For requests in flight when the server stops.
    pub stop_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            payload_bytes: 100_000_000,
            request_bytes: 10_000_000,
            query_bytes: 10_000,
            queries: 100,
            embedding_texts: 2048,
            embedding_characters: 2_000_000,
            encoding: ServiceOptions::default(),
            documents: 10_000,
            connections: 10_000,
            computing: (2 * cores).max(4),
            waiting: 1000,
            large_bodies: 4,
            head_time: Duration::from_secs(15),
            idle_time: Duration::from_secs(75),
            write_time: Duration::from_secs(30),
            body_time: Duration::from_secs(30),
            body_bytes_per_second: 65_536,
            stop_time: Duration::from_secs(10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(listen: &str, key: Option<&str>, expected: Option<&str>) {
        let listen = listen.parse().expect("an address");
        let refusal = ServerConfig::new(listen, key.map(str::to_owned)).err();
        let text = refusal.map(|error| error.to_string());
        match expected {
            None => assert_eq!(text, None),
            Some(part) => assert!(
                text.as_ref().is_some_and(|text| text.contains(part)),
                "{text:?}"
            ),
        }
    }

    #[test]
    fn an_open_address_needs_a_good_key() {
        let good = Some("0123456789abcdef");
        check("127.0.0.1:7700", None, None);
        check("[::1]:7700", None, None);
        check("[::ffff:127.0.0.1]:7700", None, None);
        check("0.0.0.0:7700", None, Some("needs a master key"));
        check("[::]:7700", None, Some("needs a master key"));
        check("192.168.1.5:7700", None, Some("needs a master key"));
        check("0.0.0.0:7700", good, None);
        check("127.0.0.1:7700", Some("short"), Some("5 bytes"));
        check(
            "127.0.0.1:7700",
            Some("0123456789 abcdef"),
            Some("visible ASCII"),
        );
    }

    #[test]
    fn the_key_is_not_printed() {
        let key = "0123456789abcdef".to_owned();
        let listen = "127.0.0.1:0".parse().expect("an address");
        let config = ServerConfig::new(listen, Some(key.clone())).expect("a good key");
        assert!(!format!("{config:?}").contains(&key));
    }
}
