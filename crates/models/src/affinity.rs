//! The affinity Transformer: how probable is a view, a cart, a purchase of an item, given what
//! a shopper did and what was asked. `docs/affinity.md` defines its maths; this module reads
//! the files of a trained model and computes its answers on [`kernels`]. Training is elsewhere
//! and meets this module in [`AffinityConfig`], [`tensors`] and [`AffinityWeights`].

mod bands;
mod config;
mod error;
mod fields;
mod folder;
mod likeness;
mod network;
mod serve;
#[cfg(test)]
mod tests;
mod weights;

pub use bands::{GAP_BANDS, QUANTITY_BANDS, gap_band, quantity_band};
pub use config::{
    ACTIONS, AffinityConfig, Calibration, DISLIKE, FieldConfig, KINDS, LikenessConfig,
    PROFILE_EVENTS,
};
pub use error::AffinityError;
pub use fields::{Fields, ItemTraits};
pub use folder::AffinityFiles;
pub use likeness::Likeness;
pub use serve::{ActionScores, Affinity, AffinityRoom, EventInput, History, ItemInput};
pub use weights::{AffinityWeights, TensorSpec, tensors};
// What a model is packed for, which its users must name.
pub use kernels::{Cpu, Format};
