//! The HTTP front door: routes and JSON in the Meilisearch conventions, and ours beside them.
//!
//! `server` reads requests into the engine's own structs, runs them, and writes
//! the answers; it holds no data and ranks nothing. Everything a stranger can
//! send has a limit ([`Limits`]), and with a master key every route but
//! `/health` asks for a key that allows it. Engine calls block, so they run where blocking is
//! allowed: [`serve`] needs tokio's multi-thread runtime.

mod absent;
mod access;
mod actions;
mod app;
mod auth;
mod backup;
mod batches;
mod config;
mod connection;
mod copies;
mod courier;
mod custom_metadata;
mod documents;
mod download;
mod embeddings;
mod engine_error;
mod error;
mod events;
mod facet_search;
mod features;
mod federated_facets;
mod federation;
mod fields;
mod filter;
mod gorse;
mod hits;
mod indexes;
mod keyring;
mod keys;
mod meaning;
mod merge;
mod metadata;
mod metrics;
mod models;
mod multi;
mod paging;
mod path;
mod payload;
mod profiles;
mod recommend;
mod router;
mod search;
mod search_params;
mod secret;
mod serve;
mod settings;
mod settings_table;
mod shoppers;
mod swap;
mod system;
mod task_json;
mod task_query;
mod tasks;
mod tenant;
mod training;
mod understood;
mod upload;
mod webhooks;

pub use config::{ConfigError, Limits, ServerConfig};
pub use router::router;
pub use serve::{ServeError, serve};
