//! The stock Rust client against the server that `cargo xtask clients` has started.

mod access;
mod documents;
mod indexes;
mod search;
mod settings;
