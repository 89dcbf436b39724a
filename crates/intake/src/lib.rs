//! Reads what shops give: rows of documents and events.
//!
//! `intake` turns bytes (JSON, NDJSON or CSV, gzipped or not) into rows, finds
//! the primary key, guesses which attribute plays which role, cleans what will
//! be indexed, and maps foreign columns to events. It does not know indexes,
//! logs or HTTP. A bad row costs that row and is reported with its number and
//! field; the good rows are kept.

mod clean;
mod error;
mod events;
mod format;
mod key;
mod moment;
mod names;
mod read;
mod roles;

pub use clean::{Change, ChangeKind, Cleaner, PriceFault, parse_price};
pub use error::{IntakeError, Rejected};
pub use events::{EventMapping, EventRows, FileIds, MappingSyntax, MissingColumns, row_digest};
pub use format::Format;
pub use key::{DocumentIdError, PrimaryKeyError, document_id, infer_primary_key};
pub use names::Names;
pub use read::{Limits, Row, Rows, open};
pub use roles::{Guess, Role, RoleReason, Roles, guess_roles};

/// A JSON object, in the order in which it was given.
pub type Map = serde_json::Map<String, serde_json::Value>;
