//! Training the affinity Transformer (`docs/affinity.md`) on ordinary processors.

mod adam;
mod checkpoint;
mod data;
mod draw;
mod error;
mod items;
mod layout;
mod losses;
mod network;
mod options;
mod product;
mod rank;
mod run;
mod share;
mod trainer;
mod validation;

pub use data::{Dataset, Event, Field};
pub use error::TrainError;
pub use options::Options;
pub use run::{EpochReport, Observer, Run, Trained, Unobserved};
pub use validation::{Case, Validation, ValidationReport, rank_of};
