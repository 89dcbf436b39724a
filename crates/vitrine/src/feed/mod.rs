//! Brings rows from files into an index.
//!
//! Files are streamed in chunks, so a catalogue may be larger than memory. What
//! was refused is kept by row and field, and the good rows go on.

mod documents;
mod events;
mod faults;
mod input;
mod sink;

pub use documents::{DocumentsFeed, DocumentsReport};
pub use events::{EventsFeed, EventsReport};
pub use faults::{Refusal, Refusals};
pub use input::{FormatName, Input};
pub use sink::{Failure, Sink, rows_path};
