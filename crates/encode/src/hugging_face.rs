//! Opens a folder as Hugging Face lays it: descriptions in JSON, `tokenizer.json` and
//! `model.safetensors`. Descriptions are read first, since they say which tensors the
//! network must have and how many tokens it knows.

use crate::ModelError;
use crate::config::{
    Config, check_modules, read_limited, read_max_tokens, read_pooling, read_prefixes,
};
use crate::folder::Model;
use crate::mapped::Bytes;
use crate::safetensors::Safetensors;
use crate::tokenizer::Tokenizer;
use std::path::{Path, PathBuf};

/// Most bytes of a `tokenizer.json`; those of 250,000 tokens have 17 million.
const TOKENIZER_LIMIT: u64 = 1 << 27;

pub(crate) fn open(folder: &Path) -> Result<Model, ModelError> {
    let config = Config::read(folder)?;
    check_modules(folder)?;
    let pooling = read_pooling(folder)?;
    let (query_prefix, passage_prefix) = read_prefixes(folder, &config)?;
    let max_tokens = read_max_tokens(folder, &config.shape)?;

    let path = existing(folder, "tokenizer.json")?;
    let json = read_limited(&path, TOKENIZER_LIMIT)?;
    let tokenizer = Tokenizer::from_json(&json, &path, config.shape.vocabulary)?;

    let path = existing(folder, "model.safetensors")?;
    let bytes = Bytes::map(&path).map_err(|source| ModelError::Read {
        path: path.clone(),
        source,
    })?;
    let weights = Safetensors::parse(bytes, &path)?.network(&config.shape)?;
    Ok(Model {
        weights: Box::new(weights),
        tokenizer,
        pooling,
        query_prefix,
        passage_prefix,
        max_tokens,
    })
}

fn existing(folder: &Path, file: &'static str) -> Result<PathBuf, ModelError> {
    let path = folder.join(file);
    if path.is_file() {
        Ok(path)
    } else {
        Err(ModelError::MissingFile {
            folder: folder.to_owned(),
            file,
        })
    }
}

#[cfg(test)]
mod tests;
