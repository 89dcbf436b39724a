//! Why a model is refused or a text cannot be encoded. Each message names the file and
//! what in it is wrong: the tensor or the field, what was found and what belongs there.

use std::io;
use std::path::PathBuf;

/// The error of a library below us, whose type is no promise of ours.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a model cannot be opened or a text not encoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    #[error("{path} is neither a model folder nor a model file")]
    NotFound { path: PathBuf },
    #[error("cannot read {path}")]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot write {path}")]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{folder} is no model folder: it has no {file}")]
    MissingFile { folder: PathBuf, file: &'static str },
    #[error("{path} is longer than {limit} bytes")]
    TooLong { path: PathBuf, limit: u64 },
    #[error("{path} is not the JSON that belongs there")]
    Json {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error("{path}: `{field}` is {found}, but this build needs {expected}")]
    Field {
        path: PathBuf,
        field: String,
        found: String,
        expected: String,
    },
    #[error("{path} is format {found}, but this build reads format {expected}")]
    Format {
        path: PathBuf,
        found: u32,
        expected: u32,
    },
    #[error("{path} ends inside its `{field}`; copy the file again")]
    Cut { path: PathBuf, field: String },
    #[error("{path} has no tensor `{tensor}`, expected with shape {expected:?}")]
    MissingTensor {
        path: PathBuf,
        tensor: String,
        expected: Vec<usize>,
    },
    #[error("{path}: tensor `{tensor}` has shape {found:?}, expected {expected:?}")]
    TensorShape {
        path: PathBuf,
        tensor: String,
        found: Vec<usize>,
        expected: Vec<usize>,
    },
    #[error("{path}: tensor `{tensor}` has {found} weights, expected {expected:?}")]
    TensorCount {
        path: PathBuf,
        tensor: String,
        found: usize,
        expected: Vec<usize>,
    },
    #[error("{path}: tensor `{tensor}` is of type {found}, expected {expected}")]
    TensorType {
        path: PathBuf,
        tensor: String,
        found: String,
        expected: &'static str,
    },
    #[error(
        "{path}: tensor `{tensor}` of shape {shape:?} needs {expected} bytes, but the file gives it {found}"
    )]
    TensorBytes {
        path: PathBuf,
        tensor: String,
        shape: Vec<usize>,
        expected: u64,
        found: u64,
    },
    #[error(
        "{path}: tensor `{tensor}` of shape {shape:?} lies at bytes {start} to {end}, but the file ends at {length}; copy the file again"
    )]
    TensorCut {
        path: PathBuf,
        tensor: String,
        shape: Vec<usize>,
        start: u64,
        end: u64,
        length: u64,
    },
    #[error(
        "{path}: the data of tensor `{tensor}` begins at byte {found}, where {expected} is due"
    )]
    TensorPlace {
        path: PathBuf,
        tensor: String,
        found: u64,
        expected: u64,
    },
    #[error("{path} names tensor `{tensor}` twice")]
    TensorTwice { path: PathBuf, tensor: String },
    #[error("{path}: tensor `{tensor}` belongs to no BERT network of {layers} layers")]
    UnknownTensor {
        path: PathBuf,
        tensor: String,
        layers: usize,
    },
    #[error("{path} has {found} bytes behind its last tensor")]
    Trailing { path: PathBuf, found: u64 },
    #[error(
        "{path} is a tokenizer of another vocabulary: it has {tokenizer} tokens, the model {model}"
    )]
    Vocabulary {
        path: PathBuf,
        tokenizer: usize,
        model: usize,
    },
    #[error("{path} has neither the tokens [CLS] and [SEP] nor <s> and </s>")]
    SpecialTokens { path: PathBuf },
    #[error("{path} is no tokenizer that this build understands")]
    Tokenizer {
        path: PathBuf,
        #[source]
        source: Cause,
    },
    #[error("cannot cut the text into tokens")]
    Tokenise {
        #[source]
        source: Cause,
    },
    #[error("the model's numbers make no vector for text {text}; are its weights damaged?")]
    NotFinite {
        /// The place of the text in the request, from 0.
        text: usize,
    },
    #[error(transparent)]
    Cpu { source: kernels::CpuError },
    #[error("cannot start the threads of the encoder")]
    Threads {
        #[source]
        source: Cause,
    },
}
