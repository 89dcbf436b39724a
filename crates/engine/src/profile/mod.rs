//! Profiles as they are shown: the fold over events joined with the catalogue of now.
//!
//! Interests over words, brands, categories and attributes are derived when they are read, so a
//! document that changes, or comes after its events, needs no special case.

mod audience;
mod facts;
mod habits;
mod interests;
mod item;
mod portrait;
mod relations;
mod shopper;
mod vectors;

pub(crate) use facts::FactsCache;
pub use item::ItemProfile;
pub use shopper::ShopperProfile;
pub use vectors::ShopperVectors;
