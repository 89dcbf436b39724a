//! Doors for fuzzing: bytes are read as a model file, and then everything a forward pass
//! would read from it is read, so that a wrong bound shows at once.

use crate::mapped::Bytes;
use crate::safetensors::Safetensors;
use crate::weights::{Shape, Tensor, Weights};
use crate::{ModelError, packed};
use std::path::Path;

/// The network that [`probe_safetensors`] looks for.
pub(crate) fn probe_shape() -> Shape {
    Shape {
        hidden: 4,
        layers: 2,
        heads: 2,
        feed_forward: 8,
        vocabulary: 16,
        positions: 8,
        token_types: 2,
        epsilon: 1e-12,
    }
}

/// Reads `bytes` as the `model.safetensors` of a network of two small layers.
pub fn probe_safetensors(bytes: &[u8]) -> Result<(), ModelError> {
    let file = Safetensors::parse(Bytes::Held(bytes.to_vec()), Path::new("probe"))?;
    read_all(&file.network(&probe_shape())?);
    Ok(())
}

/// Reads `bytes` as a packed file and cuts `text` with its tokeniser.
pub fn probe_packed(bytes: &[u8], text: &str) -> Result<Vec<u32>, ModelError> {
    let model = packed::open(Bytes::Held(bytes.to_vec()), Path::new("probe"))?;
    read_all(&*model.weights);
    let tokens = model.tokenizer.content(text)?;
    let vocabulary = model.weights.shape().vocabulary;
    for &token in [model.tokenizer.start, model.tokenizer.end]
        .iter()
        .chain(&tokens)
    {
        assert!((token as usize) < vocabulary, "token {token} has no row");
    }
    Ok(tokens)
}

fn read_all(weights: &dyn Weights) {
    let shape = weights.shape();
    for tensor in Tensor::all(shape.layers) {
        let length: usize = tensor.dimensions(shape).iter().product();
        assert_eq!(weights.read(tensor).len(), length, "{tensor:?}");
    }
    let mut row = vec![0.0; shape.hidden];
    for token in [0, shape.vocabulary - 1] {
        weights.word(token as u32, &mut row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::PathBuf;

    /// A model that the fuzz targets edit.
    fn fuzzed(name: &str) -> Vec<u8> {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/models");
        fs::read(root.join(name)).expect("the models of the fuzz targets are in the repository")
    }

    #[test]
    fn the_models_of_the_fuzz_targets_open() {
        probe_safetensors(&fuzzed("tiny.safetensors")).expect("the file is whole");
        let tokens = probe_packed(&fuzzed("tiny-packed.bin"), "red").expect("the file is whole");
        assert_eq!(tokens, [5]);
    }
}
