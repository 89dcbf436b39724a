//! Item and shopper profiles as a fold over events.
//!
//! Every accepted event is folded, in the order of the log, into [`Profiles`]:
//! counters with decay, what is bought together, what is viewed together, and
//! what each shopper did lately. The fold is deterministic, so profiles can be kept incrementally,
//! written to a key-value view, or rebuilt from the log, with the same result
//! to the last bit. Every structure kept for one shopper or one item is
//! bounded, so that a bot costs no more memory than a very good customer.
//!
//! ```
//! use domain::{Event, EventKind, ItemId, Timestamp, UserId};
//! use profiles::Profiles;
//!
//! let mut profiles = Profiles::new();
//! for item in ["lantern", "candle"] {
//!     profiles.fold(&Event {
//!         id: None,
//!         user: UserId::new("ann")?,
//!         kind: EventKind::Purchase,
//!         item: Some(ItemId::new(item)?),
//!         query: None,
//!         time: Timestamp::from_millis(1_300_000_000_000),
//!         value: None,
//!         price: Some(2.5),
//!         quantity: Some(4.0),
//!         basket: Some("536365".into()),
//!         query_id: None,
//!     });
//! }
//! let lantern = profiles.item("lantern").expect("it was bought");
//! assert_eq!(lantern.units, 4.0);
//! let (other, times) = lantern.bought_with(10)[0];
//! assert_eq!((profiles.item_id(other), times), ("candle", 1));
//! # Ok::<(), domain::IdError>(())
//! ```

mod baskets;
mod decay;
mod fold;
mod item;
mod line;
mod neighbours;
mod persist;
mod prices;
mod queries;
mod records;
mod reorder;
mod sessions;
mod shopper;
mod sorted_map;
mod trending;

#[cfg(test)]
mod tests;

pub use fold::{ItemNo, Profiles};
pub use item::{Activity, ItemStats};
pub use neighbours::Neighbours;
pub use persist::ProfilesError;
pub use prices::PriceBand;
pub use queries::PastQuery;
pub use records::ItemRecord;
pub use reorder::Reorder;
pub use sessions::{Session, SessionTotals};
pub use shopper::{Recent, Shopper};
