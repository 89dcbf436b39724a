//! Opens a model, whichever form it has: a Hugging Face folder, one packed file, or a folder
//! with that file in it, as `vitrine model pull` lays it. What comes out is the same for all
//! of them, so nothing behind this module knows about formats.

use crate::weights::Weights;
use crate::{ModelError, hugging_face, packed};
use std::fs::File;
use std::io::Read;
use std::path::Path;

pub(crate) use crate::tokenizer::Tokenizer;

use crate::mapped::Bytes;

/// The packed file in a folder of its own.
const PACKED_FILE: &str = "e5-small-q4.bin";

/// How the vectors of a text's tokens become one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pooling {
    Mean,
    Cls,
    Max,
}

/// Everything that a model's files say.
#[derive(Debug)]
pub(crate) struct Model {
    pub weights: Box<dyn Weights>,
    pub tokenizer: Tokenizer,
    pub pooling: Pooling,
    /// Written before a query, as `query: `; often empty.
    pub query_prefix: String,
    pub passage_prefix: String,
    /// Most tokens of a text, the two special ones included.
    pub max_tokens: usize,
}

impl Model {
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        if path.is_dir() {
            let packed = path.join(PACKED_FILE);
            if packed.is_file() && !path.join("config.json").exists() {
                return open_packed(&packed);
            }
            return hugging_face::open(path);
        }
        open_packed(path)
    }
}

fn open_packed(path: &Path) -> Result<Model, ModelError> {
    let not_found = || ModelError::NotFound {
        path: path.to_owned(),
    };
    let fail = |source| ModelError::Read {
        path: path.to_owned(),
        source,
    };
    if !path.is_file() {
        return Err(not_found());
    }
    let mut magic = Vec::new();
    File::open(path)
        .and_then(|file| {
            file.take(packed::MAGIC.len() as u64)
                .read_to_end(&mut magic)
        })
        .map_err(fail)?;
    if magic != packed::MAGIC {
        return Err(not_found());
    }
    packed::open(Bytes::map(path).map_err(fail)?, path)
}
