//! Small seeded shops for tests: a catalogue, what its shoppers did, and large made-up
//! catalogues. Everything is plain data and the same on every machine for the same seed.
//!
//! `testkit` knows `domain` only, so every other crate can use it in its tests. The
//! products stand in a data file; the seed changes prices, stock, ratings and dates, never
//! ids or titles, so that a test may name them.
//!
//! ```
//! let catalogue = testkit::catalogue(7);
//! let events = testkit::events(7, 500);
//!
//! assert_eq!(catalogue.len(), 40);
//! assert_eq!(catalogue[6]["title"], "White Hanging Heart T-Light Holder");
//! assert_eq!(events.len(), 500);
//! assert_eq!(events, testkit::events(7, 500));
//! ```

mod bulk;
mod catalogue;
mod encoder;
mod events;
mod random;

pub use bulk::{BulkItems, bulk_items, bulk_items_from};
pub use catalogue::catalogue;
pub use encoder::{ENCODER_DIMENSIONS, ENCODER_TOKENS, tiny_encoder};
pub use events::{SHOPPERS, events};
pub use random::SplitMix64;
