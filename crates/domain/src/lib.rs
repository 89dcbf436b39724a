//! The words every other crate speaks: ids, times, events, filters and scores.
//!
//! `domain` knows no file, no clock and no JSON wire format. Values are parsed
//! once at the edge into these types and passed on as they are.

mod event;
mod filter;
mod geo;
mod id;
mod pattern;
mod score;
mod time;

pub use event::{Event, EventKind, ROBOT_EVENTS_OF_A_DAY, UnknownEventKind};
pub use filter::{Comparison, Filter, FilterError, FilterUse, FilterValue, GEO, VECTORS};
pub use geo::{GeoArea, GeoError, GeoPoint};
pub use id::{IdError, IndexUid, ItemId, UserId};
pub use pattern::IndexPattern;
pub use score::Score;
pub use time::{Timestamp, TimestampError};
