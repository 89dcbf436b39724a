//! Models of what comes next: two learned by counting, and the [`affinity`] Transformer.
//!
//! [`Rules`] (sequential rules) and [`Pctm`] (pairwise counts with smoothing)
//! are fitted on sequences of dense item numbers and answer through
//! [`SequenceModel`]: the best next items for a history, and which part of the
//! history speaks for which item. Both are exact, need no seed, and give the
//! same answer on any number of threads. Equal scores are ordered by item number.
//!
//! ```
//! use models::{Rules, RulesConfig, SequenceModel};
//!
//! // Who bought 0 then bought 1, twice; once 2 followed.
//! let sequences = [vec![0, 1], vec![0, 1, 2]];
//! let rules = Rules::fit(&sequences, 3, &RulesConfig::default())?;
//! let top = rules.top(&[0], 2, &|item| item != 0);
//! assert_eq!(top[0].0, 1);
//! # Ok::<(), models::ModelError>(())
//! ```

pub mod affinity;
mod best;
mod blend;
mod bytes;
mod model;
mod pctm;
mod rows;
mod rules;
mod sums;

#[cfg(test)]
mod tests;

pub use blend::{Blend, Scale};
pub use model::{ModelError, SequenceModel};
pub use pctm::{Pctm, PctmConfig};
pub use rules::{Rules, RulesConfig};
