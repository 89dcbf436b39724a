//! Enhancing the encoder: BERT itself is trained further on pairs of a shop's own texts, so that
//! what belongs together in this shop lies nearer together.
//!
//! The gradients are written by hand over packed texts, as those of the affinity Transformer
//! are, and held against differences of the loss and against the vectors of `encode`. A trained
//! model is mixed with the one it came from, and takes its place only where it finds more of
//! the pairs that were kept apart, and has not unlearnt what is in no shop.

mod attention;
mod bert;
mod checkpoint;
mod gelu;
mod general;
mod loss;
mod measure;
mod neighbours;
mod options;
mod pairs;
mod pool;
mod run;
mod trainer;

pub use checkpoint::EncoderInput;
pub use general::Ability;
pub use measure::Retrieval;
pub use options::{EncoderOptions, Words};
pub use pairs::{PairKind, TextPair};
pub use run::{EncoderEpoch, EncoderObserver, EncoderReport, EncoderRun, Enhanced, Gain, Mixture};
