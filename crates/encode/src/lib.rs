//! BERT on an ordinary CPU: texts to unit vectors.
//!
//! [`Encoder::open`] loads a model folder of the BERT family (`config.json`, `tokenizer.json`,
//! `model.safetensors`) or the packed file `e5-small-q4.bin`, and [`Encoder::encode`] turns texts
//! into vectors of length one. Batches are packed without padding, so the cost follows the tokens
//! that are really there, and a text has the same vector whatever it is encoded with.

mod batch;
mod bert;
mod centring;
mod config;
mod encoder;
mod error;
mod folder;
mod hugging_face;
mod mapped;
mod packed;
mod parts;
mod probe;
mod safetensors;
mod service;
mod standby;
#[cfg(test)]
mod tiny;
mod tokenizer;
mod trie;
mod unigram;
mod weights;
mod word_piece;

pub use centring::{Centring, CentringError, CentringLearner, common_words, has_common_words};
pub use encoder::{Encoded, Encoder, LongText, Options, Precision, Prefix};
pub use error::ModelError;
pub use folder::Pooling;
pub use parts::Parts;
pub use probe::{probe_packed, probe_safetensors};
pub use service::{Begun, Reply, Service, ServiceError, ServiceOptions, Turn};
pub use weights::Shape;
