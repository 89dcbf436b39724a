//! Why an affinity model was refused. A message names what to look at: the file, and in it the
//! setting or the tensor, with what was expected there.

use std::io;
use std::path::PathBuf;

/// Why the files of a model cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AffinityError {
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
    #[error("{path} cannot be used")]
    File {
        path: PathBuf,
        #[source]
        source: Box<AffinityError>,
    },
    #[error("this is no JSON of the expected form")]
    Json(#[source] serde_json::Error),
    #[error(
        "the affinity model has format {found}, this build reads format {expected}: train it anew"
    )]
    Format { found: u32, expected: u32 },
    #[error("the setting {field} must be {rule}, not {found}")]
    Setting {
        field: String,
        rule: String,
        found: String,
    },
    #[error("this is no safetensors file, or only the beginning of one")]
    Safetensors(#[source] safetensors::SafeTensorError),
    #[error("the tensor {name} is missing, expected {expected:?}")]
    Missing { name: String, expected: Vec<usize> },
    #[error("the tensor {name} is not one of this model")]
    Extra { name: String },
    #[error("the tensor {name} is {found:?}, expected {expected:?}")]
    Shape {
        name: String,
        found: Vec<usize>,
        expected: Vec<usize>,
    },
    #[error("the tensor {name} holds {found}, expected F32 of {expected:?}")]
    Type {
        name: String,
        found: String,
        expected: Vec<usize>,
    },
    #[error("the tensor {name} has {found} at {at}, expected numbers of at most {most}")]
    Number {
        name: String,
        at: usize,
        found: f32,
        most: f32,
    },
    #[error("{found} numbers are not the {expected} of the model's tensors")]
    Numbers { found: usize, expected: usize },
    #[error("{found} ids for {expected} rows of the table")]
    Items { found: usize, expected: usize },
    #[error("the id {id:?} stands in rows {first} and {second}")]
    SameItem {
        id: String,
        first: usize,
        second: usize,
    },
}
