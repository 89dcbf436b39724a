//! Reads `model.safetensors`: eight bytes of length, a JSON object that places each tensor,
//! and the data. The header is believed only after every place was compared with the shape
//! and the file; then the tensors of the network are looked up under the names that BERT
//! models use.

use crate::ModelError;
use crate::mapped::{Bytes, Encoding, MappedWeights, Place};
use crate::weights::{Part, Shape, Tensor};
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};

/// Most bytes of the JSON header; a network of 24 layers has 50 kilobytes.
const HEADER_LIMIT: u64 = 1 << 24;

/// The tensors of a file, each inside it and as long as its shape says.
#[derive(Debug)]
pub(crate) struct Safetensors {
    path: PathBuf,
    bytes: Bytes,
    entries: BTreeMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    kind: String,
    shape: Vec<usize>,
    start: usize,
    end: usize,
}

/// One tensor as the header writes it.
#[derive(Debug, Deserialize)]
struct RawEntry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (u64, u64),
}

/// The header with names in the order given, since a map would hide a name given twice.
struct Header(Vec<(String, RawEntry)>);

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Header;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str("an object of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
                let mut entries = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        map.next_value::<IgnoredAny>()?;
                    } else {
                        entries.push((name, map.next_value()?));
                    }
                }
                Ok(Header(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

impl Safetensors {
    /// `path` is for messages only.
    pub fn parse(bytes: Bytes, path: &Path) -> Result<Self, ModelError> {
        let cut = |field: &str| ModelError::Cut {
            path: path.to_owned(),
            field: field.to_owned(),
        };
        let (length, rest) = bytes
            .split_first_chunk()
            .ok_or_else(|| cut("header length"))?;
        let length = u64::from_le_bytes(*length);
        if length > HEADER_LIMIT {
            return Err(ModelError::Field {
                path: path.to_owned(),
                field: "header length".to_owned(),
                found: length.to_string(),
                expected: format!("{HEADER_LIMIT} or less"),
            });
        }
        let (header, data) = rest
            .split_at_checked(length as usize)
            .ok_or_else(|| cut("header"))?;
        let Header(entries) =
            serde_json::from_slice(header).map_err(|source| ModelError::Json {
                path: path.to_owned(),
                source,
            })?;
        let data_start = bytes.len() - data.len();
        let entries = place(entries, data_start, data.len() as u64, path)?;
        Ok(Self {
            path: path.to_owned(),
            bytes,
            entries,
        })
    }

    /// The tensors of a BERT network of these sizes, and no others but heads for training.
    pub fn network(self, shape: &Shape) -> Result<MappedWeights, ModelError> {
        let prefix = if self.entries.contains_key(&format!("bert.{WORDS}")) {
            "bert."
        } else {
            ""
        };
        let mut known = Vec::new();
        let words = vec![shape.vocabulary, shape.hidden];
        let words = self.find(format!("{prefix}{WORDS}"), None, words, &mut known)?;
        let mut tensors = HashMap::new();
        for tensor in Tensor::all(shape.layers) {
            let (name, old_name) = names(tensor);
            let name = format!("{prefix}{name}");
            let old_name = old_name.map(|name| format!("{prefix}{name}"));
            let place = self.find(name, old_name, tensor.dimensions(shape), &mut known)?;
            tensors.insert(tensor, place);
        }
        known.sort_unstable();
        for name in self.entries.keys() {
            if known.binary_search(name).is_err() && !is_ignored(name, prefix) {
                return Err(ModelError::UnknownTensor {
                    path: self.path,
                    tensor: name.clone(),
                    layers: shape.layers,
                });
            }
        }
        Ok(MappedWeights::new(
            shape.clone(),
            self.bytes,
            words,
            tensors,
        ))
    }

    fn find(
        &self,
        name: String,
        old_name: Option<String>,
        expected: Vec<usize>,
        known: &mut Vec<String>,
    ) -> Result<Place, ModelError> {
        let old = old_name.and_then(|name| self.entries.get_key_value(&name));
        let Some((name, entry)) = self.entries.get_key_value(&name).or(old) else {
            return Err(ModelError::MissingTensor {
                path: self.path.clone(),
                tensor: name,
                expected,
            });
        };
        if entry.shape != expected {
            return Err(ModelError::TensorShape {
                path: self.path.clone(),
                tensor: name.clone(),
                found: entry.shape.clone(),
                expected,
            });
        }
        let encoding = match entry.kind.as_str() {
            "F32" => Encoding::F32,
            "F16" => Encoding::F16,
            "BF16" => Encoding::Bf16,
            other => {
                return Err(ModelError::TensorType {
                    path: self.path.clone(),
                    tensor: name.clone(),
                    found: other.to_owned(),
                    expected: "F32, F16 or BF16",
                });
            }
        };
        known.push(name.clone());
        Ok(Place {
            bytes: entry.start..entry.end,
            encoding,
        })
    }
}

/// Compares what each entry says with its shape and the data. Tensors lie one behind the
/// other and fill the file, as the format asks.
fn place(
    mut entries: Vec<(String, RawEntry)>,
    data_start: usize,
    data_length: u64,
    path: &Path,
) -> Result<BTreeMap<String, Entry>, ModelError> {
    entries.sort_by_key(|(_, entry)| entry.data_offsets);
    let mut placed = BTreeMap::new();
    let mut due = 0;
    for (name, raw) in entries {
        let path = path.to_owned();
        let (start, end) = raw.data_offsets;
        if start != due {
            return Err(ModelError::TensorPlace {
                path,
                tensor: name,
                found: start,
                expected: due,
            });
        }
        let found = end.saturating_sub(start);
        if let Some(expected) = byte_length(&raw)
            && expected != found
        {
            return Err(ModelError::TensorBytes {
                path,
                tensor: name,
                shape: raw.shape,
                expected,
                found,
            });
        }
        if end > data_length || end < start {
            return Err(ModelError::TensorCut {
                path,
                tensor: name,
                shape: raw.shape,
                start,
                end,
                length: data_length,
            });
        }
        due = end;
        // Both fit into the file, so they are no longer than an address.
        let entry = Entry {
            kind: raw.dtype,
            shape: raw.shape,
            start: data_start + start as usize,
            end: data_start + end as usize,
        };
        if placed.insert(name.clone(), entry).is_some() {
            return Err(ModelError::TensorTwice { path, tensor: name });
        }
    }
    if due != data_length {
        return Err(ModelError::Trailing {
            path: path.to_owned(),
            found: data_length - due,
        });
    }
    Ok(placed)
}

/// The bytes an entry must have; nothing for a type we do not know, which may stand in a
/// tensor we do not read. A size beyond all files stands for one that cannot be counted.
fn byte_length(entry: &RawEntry) -> Option<u64> {
    let width = match entry.dtype.as_str() {
        "F64" | "I64" | "U64" => 8,
        "F32" | "I32" | "U32" => 4,
        "F16" | "BF16" | "I16" | "U16" => 2,
        "I8" | "U8" | "BOOL" => 1,
        _ => return None,
    };
    let length = entry.shape.iter().try_fold(width, |product: u64, &side| {
        product.checked_mul(u64::try_from(side).ok()?)
    });
    Some(length.unwrap_or(u64::MAX))
}

pub(crate) const WORDS: &str = "embeddings.word_embeddings.weight";

/// What a BERT model calls a tensor, and what models of before 2019 called it.
pub(crate) fn names(tensor: Tensor) -> (String, Option<String>) {
    let linear = |layer: usize, name: &str, part: Part| {
        let part = match part {
            Part::Weight => "weight",
            Part::Bias => "bias",
        };
        (format!("encoder.layer.{layer}.{name}.{part}"), None)
    };
    let norm = |name: String, part: Part| {
        let (part, old_part) = match part {
            Part::Weight => ("weight", "gamma"),
            Part::Bias => ("bias", "beta"),
        };
        let old_name = format!("{name}.LayerNorm.{old_part}");
        (format!("{name}.LayerNorm.{part}"), Some(old_name))
    };
    match tensor {
        Tensor::Positions => ("embeddings.position_embeddings.weight".to_owned(), None),
        Tensor::TokenTypes => ("embeddings.token_type_embeddings.weight".to_owned(), None),
        Tensor::EmbeddingNorm(part) => norm("embeddings".to_owned(), part),
        Tensor::Query(layer, part) => linear(layer, "attention.self.query", part),
        Tensor::Key(layer, part) => linear(layer, "attention.self.key", part),
        Tensor::Value(layer, part) => linear(layer, "attention.self.value", part),
        Tensor::AttentionOutput(layer, part) => linear(layer, "attention.output.dense", part),
        Tensor::AttentionNorm(layer, part) => {
            norm(format!("encoder.layer.{layer}.attention.output"), part)
        }
        Tensor::FeedForwardIn(layer, part) => linear(layer, "intermediate.dense", part),
        Tensor::FeedForwardOut(layer, part) => linear(layer, "output.dense", part),
        Tensor::OutputNorm(layer, part) => norm(format!("encoder.layer.{layer}.output"), part),
    }
}

/// Heads for training, which say nothing about a text's vector.
fn is_ignored(name: &str, prefix: &str) -> bool {
    let inner = name.strip_prefix(prefix).unwrap_or_default();
    name.starts_with("cls.")
        || inner.starts_with("cls.")
        || inner.starts_with("pooler.")
        || inner == "embeddings.position_ids"
}

#[cfg(test)]
mod tests;
