//! A tiny encoder model as the files of its folder: two layers of BERT with made-up weights.
//!
//! It knows no language. Its vectors differ from text to text and are the same on every
//! machine for the same seed, which is all that tests of the plumbing need.

use crate::SplitMix64;
use serde_json::{Map, Value, json};

const HIDDEN: usize = 32;
const HEADS: usize = 4;
const LAYERS: usize = 2;
const FEED_FORWARD: usize = 64;
const POSITIONS: usize = 64;

/// Numbers of a vector of the tiny encoder.
pub const ENCODER_DIMENSIONS: usize = HIDDEN;
/// Most tokens of a text, the two special ones included.
pub const ENCODER_TOKENS: usize = POSITIONS;

const WORDS: &[&str] = &[
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "red", "blue", "mug", "lamp", "shoe", "##s",
    "query", "passage", ":", "!",
];

/// Paths relative to the folder, and what each file holds.
///
/// ```
/// let files = testkit::tiny_encoder(7);
/// assert!(files.iter().any(|(path, _)| *path == "model.safetensors"));
/// assert_eq!(files, testkit::tiny_encoder(7));
/// ```
pub fn tiny_encoder(seed: u64) -> Vec<(&'static str, Vec<u8>)> {
    let vocabulary = vocabulary();
    let text = |value: Value| value.to_string().into_bytes();
    vec![
        ("config.json", text(config(vocabulary.len()))),
        ("tokenizer.json", text(tokenizer(&vocabulary))),
        ("model.safetensors", weights(seed, vocabulary.len())),
        (
            "config_sentence_transformers.json",
            text(json!({"prompts": {"query": "query: ", "passage": "passage: "}})),
        ),
    ]
}

/// The words, then every lower-case letter alone and inside a word.
fn vocabulary() -> Vec<String> {
    let words = WORDS.iter().map(|word| (*word).to_owned());
    let letters = ('a'..='z').flat_map(|letter| [letter.to_string(), format!("##{letter}")]);
    words.chain(letters).collect()
}

fn config(vocabulary: usize) -> Value {
    json!({
        "model_type": "bert",
        "hidden_size": HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "intermediate_size": FEED_FORWARD,
        "vocab_size": vocabulary,
        "max_position_embeddings": POSITIONS,
        "type_vocab_size": 2,
        "layer_norm_eps": 1e-12,
        "hidden_act": "gelu",
        "position_embedding_type": "absolute",
    })
}

fn tokenizer(vocabulary: &[String]) -> Value {
    let ids: Map<String, Value> = vocabulary
        .iter()
        .enumerate()
        .map(|(id, token)| (token.clone(), id.into()))
        .collect();
    let special = vocabulary.iter().enumerate();
    let added: Vec<Value> = special
        .filter(|(_, token)| token.starts_with('['))
        .map(|(id, token)| {
            json!({
                "id": id, "content": token, "special": true, "normalized": false,
                "single_word": false, "lstrip": false, "rstrip": false,
            })
        })
        .collect();
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
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
            "max_input_chars_per_word": 100, "vocab": ids,
        },
    })
}

/// A file of named tensors: the length of the header, the header, and the floats.
fn weights(seed: u64, vocabulary: usize) -> Vec<u8> {
    let mut random = SplitMix64::new(seed);
    let mut header = Map::new();
    let mut data: Vec<u8> = Vec::new();
    for (name, shape) in tensors(vocabulary) {
        let start = data.len();
        let middle = if name.ends_with("LayerNorm.weight") {
            1.0
        } else {
            0.0
        };
        for _ in 0..shape.iter().product() {
            let float = (middle + (random.unit() - 0.5) * 0.8) as f32;
            data.extend_from_slice(&float.to_le_bytes());
        }
        let entry = json!({"dtype": "F32", "shape": shape, "data_offsets": [start, data.len()]});
        header.insert(name, entry);
    }
    let header = Value::Object(header).to_string();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    file.extend_from_slice(&data);
    file
}

fn tensors(vocabulary: usize) -> Vec<(String, Vec<usize>)> {
    let mut list = vec![
        (
            "embeddings.word_embeddings.weight".to_owned(),
            vec![vocabulary, HIDDEN],
        ),
        (
            "embeddings.position_embeddings.weight".to_owned(),
            vec![POSITIONS, HIDDEN],
        ),
        (
            "embeddings.token_type_embeddings.weight".to_owned(),
            vec![2, HIDDEN],
        ),
        ("embeddings.LayerNorm.weight".to_owned(), vec![HIDDEN]),
        ("embeddings.LayerNorm.bias".to_owned(), vec![HIDDEN]),
    ];
    for layer in 0..LAYERS {
        for (name, outputs, inputs) in [
            ("attention.self.query", HIDDEN, HIDDEN),
            ("attention.self.key", HIDDEN, HIDDEN),
            ("attention.self.value", HIDDEN, HIDDEN),
            ("attention.output.dense", HIDDEN, HIDDEN),
            ("intermediate.dense", FEED_FORWARD, HIDDEN),
            ("output.dense", HIDDEN, FEED_FORWARD),
        ] {
            let name = format!("encoder.layer.{layer}.{name}");
            list.push((format!("{name}.weight"), vec![outputs, inputs]));
            list.push((format!("{name}.bias"), vec![outputs]));
        }
        for name in ["attention.output.LayerNorm", "output.LayerNorm"] {
            for part in ["weight", "bias"] {
                list.push((format!("encoder.layer.{layer}.{name}.{part}"), vec![HIDDEN]));
            }
        }
    }
    list
}
