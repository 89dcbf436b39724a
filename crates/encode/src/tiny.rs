//! Writes tiny models for tests, in both formats. It follows the formats as they are
//! described and shares no code with the readers.

use crate::probe::probe_shape;
use crate::weights::Shape;
use std::fs;
use std::path::Path;

/// Numbers from -0.5 to 0.5, the same on every machine.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        // SplitMix64 (Steele, Lea and Flood 2014).
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub fn floats(&mut self, count: usize) -> Vec<f32> {
        (0..count)
            .map(|_| (self.next() >> 40) as f32 / (1 << 24) as f32 - 0.5)
            .collect()
    }
}

/// One tensor of a safetensors file.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub name: String,
    pub kind: &'static str,
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

impl Entry {
    pub fn floats(name: &str, shape: &[usize], numbers: &mut Numbers) -> Self {
        let floats = numbers.floats(shape.iter().product());
        Self {
            name: name.to_owned(),
            kind: "F32",
            shape: shape.to_vec(),
            bytes: floats
                .iter()
                .flat_map(|float| float.to_le_bytes())
                .collect(),
        }
    }
}

/// Every tensor of a network as a BERT model saves it, in the order of their names.
pub(crate) fn entries(shape: &Shape) -> Vec<Entry> {
    let numbers = &mut Numbers::new(7);
    let (hidden, inner) = (shape.hidden, shape.feed_forward);
    let mut named = vec![
        ("embeddings.LayerNorm.bias".to_owned(), vec![hidden]),
        ("embeddings.LayerNorm.weight".to_owned(), vec![hidden]),
        (
            "embeddings.position_embeddings.weight".to_owned(),
            vec![shape.positions, hidden],
        ),
        (
            "embeddings.token_type_embeddings.weight".to_owned(),
            vec![shape.token_types, hidden],
        ),
        (
            "embeddings.word_embeddings.weight".to_owned(),
            vec![shape.vocabulary, hidden],
        ),
    ];
    for layer in 0..shape.layers {
        for (name, outputs, inputs) in [
            ("attention.self.query", hidden, hidden),
            ("attention.self.key", hidden, hidden),
            ("attention.self.value", hidden, hidden),
            ("attention.output.dense", hidden, hidden),
            ("intermediate.dense", inner, hidden),
            ("output.dense", hidden, inner),
        ] {
            let name = format!("encoder.layer.{layer}.{name}");
            named.push((format!("{name}.bias"), vec![outputs]));
            named.push((format!("{name}.weight"), vec![outputs, inputs]));
        }
        for name in ["attention.output.LayerNorm", "output.LayerNorm"] {
            for part in ["weight", "bias"] {
                named.push((format!("encoder.layer.{layer}.{name}.{part}"), vec![hidden]));
            }
        }
    }
    named.sort();
    named
        .iter()
        .map(|(name, shape)| Entry::floats(name, shape, numbers))
        .collect()
}

/// A file of these tensors, one behind the other.
pub(crate) fn safetensors(entries: &[Entry]) -> Vec<u8> {
    let mut header = vec![r#""__metadata__":{"format":"pt"}"#.to_owned()];
    let mut data = Vec::new();
    for entry in entries {
        let start = data.len();
        data.extend(&entry.bytes);
        header.push(format!(
            r#""{}":{{"dtype":"{}","shape":{:?},"data_offsets":[{start},{}]}}"#,
            entry.name,
            entry.kind,
            entry.shape,
            data.len()
        ));
    }
    with_header(&format!("{{{}}}", header.join(",")), &data)
}

pub(crate) fn with_header(header: &str, data: &[u8]) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend(data);
    file
}

/// The tokens of the tiny folder, by number.
pub(crate) const TOKENS: [&str; 16] = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "##a", "##b", "red", "shoe", "##s",
    ",", "手", "机", "!",
];

/// A `tokenizer.json` as BERT models have it.
pub(crate) fn tokenizer_json(tokens: &[&str]) -> serde_json::Value {
    let vocabulary: serde_json::Map<String, serde_json::Value> = tokens
        .iter()
        .enumerate()
        .map(|(id, token)| ((*token).to_owned(), id.into()))
        .collect();
    let added: Vec<_> = tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| token.starts_with('['))
        .map(|(id, token)| {
            serde_json::json!({
                "id": id, "content": token, "special": true, "normalized": false,
                "single_word": false, "lstrip": false, "rstrip": false,
            })
        })
        .collect();
    serde_json::json!({
        "version": "1.0",
        "truncation": {"max_length": 4, "strategy": "LongestFirst", "stride": 0},
        "padding": {
            "strategy": {"Fixed": 4}, "direction": "Right", "pad_to_multiple_of": null,
            "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]",
        },
        "added_tokens": added,
        "normalizer": {
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
            "strip_accents": null, "lowercase": true,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": null,
        "decoder": null,
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocabulary,
        },
    })
}

pub(crate) fn config_json(shape: &Shape) -> serde_json::Value {
    serde_json::json!({
        "model_type": "bert",
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.feed_forward,
        "vocab_size": shape.vocabulary,
        "max_position_embeddings": shape.positions,
        "type_vocab_size": shape.token_types,
        "layer_norm_eps": shape.epsilon,
        "hidden_act": "gelu",
        "position_embedding_type": "absolute",
    })
}

/// A whole Hugging Face folder of [`probe_shape`].
pub(crate) fn write_folder(folder: &Path) {
    let shape = probe_shape();
    let json = |name: &str, value: serde_json::Value| {
        fs::write(folder.join(name), value.to_string()).expect("the test folder is ours");
    };
    json("config.json", config_json(&shape));
    json("tokenizer.json", tokenizer_json(&TOKENS));
    let weights = safetensors(&entries(&shape));
    fs::write(folder.join("model.safetensors"), weights).expect("the test folder is ours");
}

/// One tensor of a packed file.
#[derive(Clone, Debug)]
pub(crate) struct PackedTensor {
    pub name: String,
    pub kind: u8,
    pub weights: u32,
    pub bytes: Vec<u8>,
}

/// What a packed file is made of.
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    pub shape: Shape,
    pub block: u32,
    pub pieces: Vec<(&'static str, f32)>,
    /// The numbers of `<s>`, `</s>`, `<pad>` and `<unk>`.
    pub special: [u32; 4],
    pub tensors: Vec<PackedTensor>,
}

impl Packed {
    pub fn new() -> Self {
        let shape = Shape {
            hidden: 32,
            layers: 1,
            heads: 4,
            feed_forward: 64,
            vocabulary: 20,
            positions: 8,
            token_types: 2,
            epsilon: 1e-12,
        };
        Self {
            tensors: packed_tensors(&shape),
            shape,
            block: 32,
            pieces: vec![
                ("<s>", 0.0),
                ("<pad>", 0.0),
                ("</s>", 0.0),
                ("<unk>", 0.0),
                ("\u{2581}", -2.0),
                ("\u{2581}red", -3.5),
                ("red", -4.0),
                ("r", -5.0),
                ("e", -5.0),
                ("d", -5.0),
                ("\u{2581}手机", -4.5),
                ("手", -6.0),
                ("机", -6.5),
                ("s", -3.0),
                (":", -3.0),
            ],
            special: [0, 2, 1, 3],
        }
    }

    /// The file, its tensors in order behind the directory.
    pub fn bytes(&self) -> Vec<u8> {
        let shape = &self.shape;
        let mut file = b"E5S1\x01\0\0\0".to_vec();
        for size in [
            shape.hidden,
            shape.layers,
            shape.heads,
            shape.feed_forward,
            shape.vocabulary,
            shape.positions,
            shape.token_types,
        ] {
            file.extend((size as u32).to_le_bytes());
        }
        file.extend(shape.epsilon.to_le_bytes());
        file.extend(self.block.to_le_bytes());
        file.extend((self.pieces.len() as u32).to_le_bytes());
        file.extend(self.special.iter().flat_map(|id| id.to_le_bytes()));
        let text: String = self.pieces.iter().map(|(piece, _)| *piece).collect();
        file.extend((text.len() as u64).to_le_bytes());
        let mut offset = 0u32;
        file.extend(offset.to_le_bytes());
        for (piece, _) in &self.pieces {
            offset += piece.len() as u32;
            file.extend(offset.to_le_bytes());
        }
        for (_, score) in &self.pieces {
            file.extend(score.to_le_bytes());
        }
        file.extend(text.as_bytes());
        // One entry of the normaliser: U+00A0 becomes one space.
        file.extend(1u32.to_le_bytes());
        file.extend(9u32.to_le_bytes());
        file.extend([0xa0, 0, 0, 0, 1, 0x20, 0, 0, 0]);
        file.extend((self.tensors.len() as u32).to_le_bytes());
        let directory: usize = self
            .tensors
            .iter()
            .map(|tensor| tensor.name.len() + 23)
            .sum();
        let mut offset = file.len() + directory;
        for tensor in &self.tensors {
            file.extend((tensor.name.len() as u16).to_le_bytes());
            file.extend(tensor.name.as_bytes());
            file.push(tensor.kind);
            file.extend(tensor.weights.to_le_bytes());
            file.extend((offset as u64).to_le_bytes());
            file.extend((tensor.bytes.len() as u64).to_le_bytes());
            offset += tensor.bytes.len();
        }
        for tensor in &self.tensors {
            file.extend(&tensor.bytes);
        }
        file
    }
}

fn packed_tensors(shape: &Shape) -> Vec<PackedTensor> {
    let (hidden, inner) = (shape.hidden, shape.feed_forward);
    let mut named = vec![
        ("emb.word".to_owned(), 1, shape.vocabulary * hidden),
        ("emb.pos".to_owned(), 0, shape.positions * hidden),
        ("emb.type".to_owned(), 0, shape.token_types * hidden),
        ("emb.ln.w".to_owned(), 0, hidden),
        ("emb.ln.b".to_owned(), 0, hidden),
    ];
    for layer in 0..shape.layers {
        for (name, outputs, inputs) in [
            ("q", hidden, hidden),
            ("k", hidden, hidden),
            ("v", hidden, hidden),
            ("ao", hidden, hidden),
            ("fi", inner, hidden),
            ("fo", hidden, inner),
        ] {
            named.push((format!("l{layer}.{name}.w"), 1, outputs * inputs));
            named.push((format!("l{layer}.{name}.b"), 0, outputs));
        }
        for name in ["aln", "oln"] {
            named.push((format!("l{layer}.{name}.w"), 0, hidden));
            named.push((format!("l{layer}.{name}.b"), 0, hidden));
        }
    }
    let numbers = &mut Numbers::new(11);
    named
        .into_iter()
        .map(|(name, kind, weights)| {
            let bytes = match kind {
                0 => floats(weights, numbers),
                _ => blocks(weights / 32, numbers),
            };
            PackedTensor {
                name,
                kind,
                weights: weights as u32,
                bytes,
            }
        })
        .collect()
}

fn floats(count: usize, numbers: &mut Numbers) -> Vec<u8> {
    let floats = numbers.floats(count);
    floats
        .iter()
        .flat_map(|float| float.to_le_bytes())
        .collect()
}

/// Blocks of four bits, each with a scale of 1/16.
fn blocks(count: usize, numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..count {
        bytes.extend([0x00, 0x2c]);
        bytes.extend(numbers.next().to_le_bytes());
        bytes.extend(numbers.next().to_le_bytes());
    }
    bytes
}
