//! Training the affinity Transformer (`docs/affinity.md`) on ordinary processors, and the way from
//! a shop's plain data to the folder of a measured model ([`pipeline`]); and the further training
//! of the encoder itself ([`encoder`]). It must not know the engine, HTTP or a clock.

mod accelerator;
mod adam;
mod batch;
mod checked;
mod checkpoint;
mod data;
mod device;
mod draw;
pub mod encoder;
mod error;
mod evaluation;
mod items;
mod layout;
mod likeness;
mod losses;
mod network;
mod options;
pub mod pipeline;
mod principal;
mod product;
mod profile;
mod rank;
mod run;
mod share;
mod sums;
#[cfg(test)]
mod tests;
mod text_tokens;
mod texts;
mod trainer;
mod validation;

pub use data::{Dataset, Event, Field};
pub use device::{Device, DeviceError};
pub use error::TrainError;
pub use evaluation::{Asked, Evaluation};
pub use options::Options;
pub use run::{EpochReport, Observer, Run, Trained, Unobserved};
pub use validation::{Case, Telling, Validation, ValidationReport, rank_of};
