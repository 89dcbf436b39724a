//! Reads the packed file of a small multilingual E5 model: a header of sizes, the pieces of
//! its tokeniser, and tensors of four bits a weight. Nothing in it is used before it was
//! compared with the sizes and the end of the file.

use crate::ModelError;
use crate::config::{SizeNames, check_shape};
use crate::folder::{Model, Pooling};
use crate::mapped::{BLOCK, Bytes, Encoding, MappedWeights, Place};
use crate::tokenizer::Tokenizer;
use crate::unigram::Unigram;
use crate::weights::{Part, Shape, Tensor};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// What the file begins with.
pub(crate) const MAGIC: &[u8] = b"E5S1";

const FORMAT: u32 = 1;

/// Most entries of the directory; a network of 256 layers has 4,101.
const TENSOR_LIMIT: i32 = 8192;

const SIZE_NAMES: SizeNames = [
    "hidden",
    "layers",
    "heads",
    "feed-forward",
    "vocabulary",
    "positions",
    "token types",
    "layer-norm epsilon",
];

/// Opens the bytes of a packed file; `path` is for messages only.
pub(crate) fn open(bytes: Bytes, path: &Path) -> Result<Model, ModelError> {
    let mut cursor = Cursor {
        path,
        rest: &bytes,
        length: bytes.len(),
    };
    cursor.take(MAGIC.len(), "magic")?;
    let found = cursor.u32("format")?;
    if found != FORMAT {
        return Err(ModelError::Format {
            path: path.to_owned(),
            found,
            expected: FORMAT,
        });
    }
    let shape = read_shape(&mut cursor)?;
    let tokenizer = read_tokenizer(&mut cursor, &shape)?;
    // The normaliser's table is NFKC with a few rules more, all of which `Unigram` knows.
    cursor.u32("normaliser entries")?;
    let length = cursor.u32("normaliser length")?;
    cursor.take(length as usize, "normaliser")?;
    let mut directory = read_directory(&mut cursor)?;

    let words = vec![shape.vocabulary, shape.hidden];
    let words = directory.take("emb.word", words)?;
    let mut tensors = HashMap::new();
    for tensor in Tensor::all(shape.layers) {
        let place = directory.take(&name(tensor), tensor.dimensions(&shape))?;
        tensors.insert(tensor, place);
    }
    if let Some(tensor) = directory.entries.into_keys().next() {
        return Err(ModelError::UnknownTensor {
            path: path.to_owned(),
            tensor,
            layers: shape.layers,
        });
    }
    Ok(Model {
        max_tokens: shape.positions,
        weights: Box::new(MappedWeights::new(shape, bytes, words, tensors)),
        tokenizer,
        pooling: Pooling::Mean,
        query_prefix: "query: ".to_owned(),
        passage_prefix: "passage: ".to_owned(),
    })
}

fn read_shape(cursor: &mut Cursor) -> Result<Shape, ModelError> {
    let mut sizes = [0; 7];
    for (size, name) in sizes.iter_mut().zip(SIZE_NAMES) {
        // What is negative is far above every bound when taken for a positive number.
        *size = cursor.u32(name)? as usize;
    }
    let [
        hidden,
        layers,
        heads,
        feed_forward,
        vocabulary,
        positions,
        token_types,
    ] = sizes;
    let shape = Shape {
        hidden,
        layers,
        heads,
        feed_forward,
        vocabulary,
        positions,
        token_types,
        epsilon: f32::from_bits(cursor.u32(SIZE_NAMES[7])?),
    };
    check_shape(&shape, cursor.path, &SIZE_NAMES)?;
    let block = cursor.u32("block size")?;
    if block as usize != BLOCK {
        return Err(cursor.wrong("block size", block, BLOCK));
    }
    // Rows are decoded alone, so each must be whole blocks.
    for (name, size) in [("hidden", hidden), ("feed-forward", feed_forward)] {
        if !size.is_multiple_of(BLOCK) {
            return Err(cursor.wrong(name, size, "a multiple of 32"));
        }
    }
    Ok(shape)
}

fn read_tokenizer(cursor: &mut Cursor, shape: &Shape) -> Result<Tokenizer, ModelError> {
    let count = cursor.u32("pieces")? as usize;
    if count == 0 || count > shape.vocabulary {
        let expected = format!("a number from 1 to {}, the vocabulary", shape.vocabulary);
        return Err(cursor.wrong("pieces", count, expected));
    }
    let mut special = [0; 4];
    for (id, name) in special.iter_mut().zip(["<s>", "</s>", "<pad>", "<unk>"]) {
        *id = cursor.u32(name)?;
        if *id as usize >= count {
            let expected = format!("the number of one of {count} pieces");
            return Err(cursor.wrong(name, *id, expected));
        }
    }
    let [start, end, _, unknown] = special;
    let length = cursor.u64("piece text length")?;
    let offsets = cursor.take((count + 1) * 4, "piece offsets")?;
    let scores = cursor.take(count * 4, "piece scores")?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let text = cursor.take(length, "piece text")?;

    let text = std::str::from_utf8(text).map_err(|error| {
        let found = format!("no UTF-8 at byte {}", error.valid_up_to());
        cursor.wrong("piece text", found, "UTF-8")
    })?;
    let offsets: Vec<usize> = offsets
        .as_chunks()
        .0
        .iter()
        .map(|&bytes| u32::from_le_bytes(bytes) as usize)
        .collect();
    let mut pieces = Vec::with_capacity(count);
    for (number, range) in offsets.windows(2).enumerate() {
        let piece = text.get(range[0]..range[1]).ok_or_else(|| {
            let found = format!("{} to {} at piece {number}", range[0], range[1]);
            let expected = format!("rising offsets of whole characters up to {}", text.len());
            cursor.wrong("piece offsets", found, expected)
        })?;
        pieces.push(piece);
    }
    let scores: Vec<f32> = scores
        .as_chunks()
        .0
        .iter()
        .map(|&bytes| f32::from_le_bytes(bytes))
        .collect();
    if let Some(number) = scores.iter().position(|score| !score.is_finite()) {
        let found = format!("{} at piece {number}", scores[number]);
        return Err(cursor.wrong("piece scores", found, "a finite number"));
    }
    Ok(Tokenizer::unigram(
        start,
        end,
        Unigram::new(&pieces, scores, unknown),
    ))
}

/// The tensors a file has, by name.
struct Directory {
    path: PathBuf,
    entries: BTreeMap<String, (usize, Place)>,
}

fn read_directory(cursor: &mut Cursor) -> Result<Directory, ModelError> {
    let count = cursor.u32("tensor count")? as i32;
    if !(0..=TENSOR_LIMIT).contains(&count) {
        let expected = format!("a number from 0 to {TENSOR_LIMIT}");
        return Err(cursor.wrong("tensor count", count, expected));
    }
    let mut entries = BTreeMap::new();
    for _ in 0..count {
        let length = cursor.u16("tensor name length")?;
        let name = cursor.take(usize::from(length), "tensor name")?;
        let tensor = String::from_utf8_lossy(name).into_owned();
        let encoding = cursor.take(1, "tensor type")?[0];
        let weights = cursor.u32("tensor weights")? as usize;
        let start = cursor.u64("tensor offset")?;
        let bytes = cursor.u64("tensor bytes")?;

        let path = cursor.path.to_owned();
        let encoding = match encoding {
            0 => Encoding::F32,
            1 => Encoding::Q4,
            other => {
                return Err(ModelError::TensorType {
                    path,
                    tensor,
                    found: other.to_string(),
                    expected: "0 (f32) or 1 (four bits)",
                });
            }
        };
        let expected = encoding.bytes(weights).map(|bytes| bytes as u64);
        if expected != Some(bytes) {
            return Err(ModelError::TensorBytes {
                path,
                tensor,
                shape: vec![weights],
                expected: expected.unwrap_or_default(),
                found: bytes,
            });
        }
        let length = cursor.length as u64;
        let end = start.saturating_add(bytes);
        if end > length {
            return Err(ModelError::TensorCut {
                path,
                tensor,
                shape: vec![weights],
                start,
                end,
                length,
            });
        }
        let place = Place {
            bytes: start as usize..end as usize,
            encoding,
        };
        if entries.insert(tensor.clone(), (weights, place)).is_some() {
            return Err(ModelError::TensorTwice { path, tensor });
        }
    }
    Ok(Directory {
        path: cursor.path.to_owned(),
        entries,
    })
}

impl Directory {
    /// The place of a tensor, which is known from now on.
    fn take(&mut self, name: &str, expected: Vec<usize>) -> Result<Place, ModelError> {
        let Some((found, place)) = self.entries.remove(name) else {
            return Err(ModelError::MissingTensor {
                path: self.path.clone(),
                tensor: name.to_owned(),
                expected,
            });
        };
        if found != expected.iter().product::<usize>() {
            return Err(ModelError::TensorCount {
                path: self.path.clone(),
                tensor: name.to_owned(),
                found,
                expected,
            });
        }
        Ok(place)
    }
}

/// What the file calls a tensor.
fn name(tensor: Tensor) -> String {
    let of_layer = |layer: usize, name: &str, part: Part| {
        let part = match part {
            Part::Weight => "w",
            Part::Bias => "b",
        };
        format!("l{layer}.{name}.{part}")
    };
    match tensor {
        Tensor::Positions => "emb.pos".to_owned(),
        Tensor::TokenTypes => "emb.type".to_owned(),
        Tensor::EmbeddingNorm(Part::Weight) => "emb.ln.w".to_owned(),
        Tensor::EmbeddingNorm(Part::Bias) => "emb.ln.b".to_owned(),
        Tensor::Query(layer, part) => of_layer(layer, "q", part),
        Tensor::Key(layer, part) => of_layer(layer, "k", part),
        Tensor::Value(layer, part) => of_layer(layer, "v", part),
        Tensor::AttentionOutput(layer, part) => of_layer(layer, "ao", part),
        Tensor::AttentionNorm(layer, part) => of_layer(layer, "aln", part),
        Tensor::FeedForwardIn(layer, part) => of_layer(layer, "fi", part),
        Tensor::FeedForwardOut(layer, part) => of_layer(layer, "fo", part),
        Tensor::OutputNorm(layer, part) => of_layer(layer, "oln", part),
    }
}

/// The part of the header that was not read yet.
struct Cursor<'a> {
    path: &'a Path,
    rest: &'a [u8],
    /// Bytes of the whole file.
    length: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize, field: &str) -> Result<&'a [u8], ModelError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or_else(|| ModelError::Cut {
                path: self.path.to_owned(),
                field: field.to_owned(),
            })?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, field: &str) -> Result<[u8; N], ModelError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N, field)?);
        Ok(array)
    }

    fn u16(&mut self, field: &str) -> Result<u16, ModelError> {
        self.array(field).map(u16::from_le_bytes)
    }

    fn u32(&mut self, field: &str) -> Result<u32, ModelError> {
        self.array(field).map(u32::from_le_bytes)
    }

    fn u64(&mut self, field: &str) -> Result<u64, ModelError> {
        self.array(field).map(u64::from_le_bytes)
    }

    fn wrong(&self, field: &str, found: impl ToString, expected: impl ToString) -> ModelError {
        ModelError::Field {
            path: self.path.to_owned(),
            field: field.to_owned(),
            found: found.to_string(),
            expected: expected.to_string(),
        }
    }
}

#[cfg(test)]
mod tests;
