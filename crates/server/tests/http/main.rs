//! The HTTP interface from outside: each route and each error code, over a real socket.
//!
//! Every test has a server of its own on a free port and a data folder of its own.

mod copies;
mod documents;
mod embeddings;
mod events;
mod federation;
mod geo;
mod gorse;
mod gorse_dumps;
mod indexes;
mod keys;
mod languages;
mod limits;
mod meaning;
mod models;
mod multi;
mod profiles;
mod recommend;
mod search;
mod settings;
mod shop;
mod shoppers;
mod swap;
mod system;
mod tasks;
mod tenants;
mod training;
mod webhooks;
