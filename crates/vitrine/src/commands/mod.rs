//! One module for each command: its flags, its work, and how its answer reads.
//!
//! A command fills a request from its flags and prints the answer; it decides
//! nothing about search, recommendation or storage.

pub mod backup;
pub mod bench;
pub mod compact;
pub mod demo;
pub mod encode;
pub mod eval;
pub mod events;
pub mod ingest;
pub mod model;
pub mod profile;
pub mod recommend;
pub mod repair;
pub mod restore;
pub mod rows;
pub mod search;
pub mod serve;
pub mod settings;
pub mod shelf;
pub mod train;
pub mod verify;
