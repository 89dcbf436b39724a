//! Turns rows of any shop into events.
//!
//! An [`EventMapping`] says which column is which part of an event; it is
//! native, written by hand, or guessed from a header. [`EventRows`] applies it
//! to a whole input and, for CSV, never builds an object on the way.

mod draft;
mod file_ids;
mod known;
mod mapping;
mod part;
mod rows;

#[cfg(test)]
mod tests;

pub use file_ids::{FileIds, row_digest};
pub use known::MissingColumns;
pub use mapping::{EventMapping, MappingSyntax};
pub use rows::EventRows;
