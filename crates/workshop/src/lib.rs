//! Where an index is trained for: from its log to a model on its shelf.
//!
//! A training is a [`Job`] on data that were read from the engine, then [`Ready`], then
//! [`Done`] and put on the shelf. Between reading and shelving it needs no engine, so a
//! command can train while a server holds the folder, and a server can train beside its
//! answers on threads of [`background`] priority.

mod error;
mod folder;
mod job;
mod log;
mod priority;

pub use error::WorkshopError;
pub use folder::{Folder, training_folder};
pub use job::{Done, Job, Ready, Shelved};
pub use log::read;
pub use priority::background;
