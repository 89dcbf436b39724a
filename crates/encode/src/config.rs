//! The JSON files of a Hugging Face folder that describe a model: the sizes of its network,
//! how token vectors become one, what is written before a text and how long a text may be.
//! What this build cannot compute is refused by the name of the field.

use crate::ModelError;
use crate::folder::Pooling;
use crate::weights::Shape;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Most bytes of a description; those in use have a few kilobytes.
const DESCRIPTION_LIMIT: u64 = 1 << 20;

/// The whole file, unless it is longer than `limit`.
pub(crate) fn read_limited(path: &Path, limit: u64) -> Result<Vec<u8>, ModelError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
        .map_err(|source| ModelError::Read {
            path: path.to_owned(),
            source,
        })?;
    if bytes.len() as u64 > limit {
        return Err(ModelError::TooLong {
            path: path.to_owned(),
            limit,
        });
    }
    Ok(bytes)
}

/// A description that need not be there.
fn read_optional<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, ModelError> {
    match read_limited(path, DESCRIPTION_LIMIT) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|source| ModelError::Json {
                path: path.to_owned(),
                source,
            }),
        Err(ModelError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// `config.json`, as far as it matters. Defaults are those of the library that writes it.
#[derive(Debug, Deserialize)]
struct RawConfig {
    model_type: String,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    vocab_size: usize,
    max_position_embeddings: usize,
    #[serde(default = "two")]
    type_vocab_size: usize,
    #[serde(default = "default_epsilon")]
    layer_norm_eps: f32,
    #[serde(default = "default_activation")]
    hidden_act: String,
    #[serde(default = "default_positions")]
    position_embedding_type: String,
    #[serde(default)]
    _name_or_path: String,
}

fn two() -> usize {
    2
}

fn default_epsilon() -> f32 {
    1e-12
}

fn default_activation() -> String {
    "gelu".to_owned()
}

fn default_positions() -> String {
    "absolute".to_owned()
}

/// What `config.json` says.
#[derive(Debug)]
pub(crate) struct Config {
    pub shape: Shape,
    /// Where the model was made from; often empty.
    name: String,
}

impl Config {
    pub fn read(folder: &Path) -> Result<Self, ModelError> {
        let path = folder.join("config.json");
        let raw: RawConfig = read_optional(&path)?.ok_or_else(|| ModelError::MissingFile {
            folder: folder.to_owned(),
            file: "config.json",
        })?;
        let only = |field: &str, found: &str, expected: &str| {
            (found == expected)
                .then_some(())
                .ok_or_else(|| ModelError::Field {
                    path: path.clone(),
                    field: field.to_owned(),
                    found: format!("`{found}`"),
                    expected: format!("`{expected}`"),
                })
        };
        only("model_type", &raw.model_type, "bert")?;
        only("hidden_act", &raw.hidden_act, "gelu")?;
        only(
            "position_embedding_type",
            &raw.position_embedding_type,
            "absolute",
        )?;
        let shape = Shape {
            hidden: raw.hidden_size,
            layers: raw.num_hidden_layers,
            heads: raw.num_attention_heads,
            feed_forward: raw.intermediate_size,
            vocabulary: raw.vocab_size,
            positions: raw.max_position_embeddings,
            token_types: raw.type_vocab_size,
            epsilon: raw.layer_norm_eps,
        };
        check_shape(&shape, &path, &HUGGING_FACE_NAMES)?;
        Ok(Self {
            shape,
            name: raw._name_or_path,
        })
    }

    /// Whether the folder or what it was made from calls itself an E5 model.
    fn is_e5(&self, folder: &Path) -> bool {
        let folder_name = folder.file_name().unwrap_or_default().to_string_lossy();
        [&*folder_name, self.name.as_str()].iter().any(|name| {
            name.split(|c: char| !c.is_ascii_alphanumeric())
                .any(|word| word.eq_ignore_ascii_case("e5"))
        })
    }
}

/// What a file calls the sizes, in the order of [`Shape`].
pub(crate) type SizeNames = [&'static str; 8];

const HUGGING_FACE_NAMES: SizeNames = [
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "vocab_size",
    "max_position_embeddings",
    "type_vocab_size",
    "layer_norm_eps",
];

/// Refuses sizes no BERT network has, before anything is computed from them. The bounds are
/// several times those of the largest models in use.
pub(crate) fn check_shape(shape: &Shape, path: &Path, names: &SizeNames) -> Result<(), ModelError> {
    let wrong = |index: usize, found: String, expected: String| ModelError::Field {
        path: path.to_owned(),
        field: names[index].to_owned(),
        found,
        expected,
    };
    let bounded = [
        (shape.hidden, 1 << 13),
        (shape.layers, 1 << 8),
        (shape.heads, 1 << 8),
        (shape.feed_forward, 1 << 15),
        (shape.vocabulary, 1 << 21),
        (shape.positions, 1 << 15),
        (shape.token_types, 1 << 8),
    ];
    for (index, (found, most)) in bounded.into_iter().enumerate() {
        if found == 0 || found > most {
            return Err(wrong(
                index,
                found.to_string(),
                format!("a number from 1 to {most}"),
            ));
        }
    }
    if !shape.hidden.is_multiple_of(shape.heads) {
        return Err(wrong(
            2,
            shape.heads.to_string(),
            format!("a divisor of {}, the {}", shape.hidden, names[0]),
        ));
    }
    if shape.positions < 3 {
        return Err(wrong(
            5,
            shape.positions.to_string(),
            "room for a token between the two special ones".to_owned(),
        ));
    }
    if !(shape.epsilon > 0.0 && shape.epsilon < 1.0) {
        return Err(wrong(
            7,
            shape.epsilon.to_string(),
            "a number above 0 and below 1".to_owned(),
        ));
    }
    Ok(())
}

/// `1_Pooling/config.json`: a switch for each way, or in newer folders the name of one.
#[derive(Debug, Deserialize)]
struct RawPooling {
    #[serde(default)]
    pooling_mode: Option<String>,
    #[serde(default)]
    include_prompt: Option<bool>,
    #[serde(flatten)]
    others: BTreeMap<String, serde_json::Value>,
}

/// How token vectors become one; the mean where the folder does not say.
pub(crate) fn read_pooling(folder: &Path) -> Result<Pooling, ModelError> {
    let path = folder.join("1_Pooling").join("config.json");
    let Some(raw) = read_optional::<RawPooling>(&path)? else {
        return Ok(Pooling::Mean);
    };
    let wrong = |field: &str, found: String, expected: &str| ModelError::Field {
        path: path.clone(),
        field: field.to_owned(),
        found,
        expected: expected.to_owned(),
    };
    if raw.include_prompt == Some(false) {
        let found = "false".to_owned();
        return Err(wrong("include_prompt", found, "true"));
    }
    let modes: Vec<String> = match raw.pooling_mode {
        Some(mode) => vec![mode],
        None => raw
            .others
            .iter()
            .filter(|(_, on)| **on == true)
            .filter_map(|(key, _)| key.strip_prefix("pooling_mode_"))
            .map(|mode| mode.trim_end_matches("_tokens").trim_end_matches("_token"))
            .map(str::to_owned)
            .collect(),
    };
    match modes.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["mean"] => Ok(Pooling::Mean),
        ["cls"] => Ok(Pooling::Cls),
        ["max"] => Ok(Pooling::Max),
        _ => Err(wrong(
            "pooling_mode",
            format!("`{}`", modes.join("` and `")),
            "one of `mean`, `cls` and `max`",
        )),
    }
}

#[derive(Debug, Default, Deserialize)]
struct RawSentence {
    #[serde(default)]
    prompts: Option<BTreeMap<String, String>>,
}

/// What is written before a query and before a passage. E5 models are of no use without
/// their two words, which most of their folders do not name.
pub(crate) fn read_prefixes(
    folder: &Path,
    config: &Config,
) -> Result<(String, String), ModelError> {
    let path = folder.join("config_sentence_transformers.json");
    let raw: RawSentence = read_optional(&path)?.unwrap_or_default();
    let mut prompts = raw.prompts.unwrap_or_default();
    let query = prompts.remove("query").unwrap_or_default();
    let passage = prompts
        .remove("passage")
        .or_else(|| prompts.remove("document"))
        .unwrap_or_default();
    if query.is_empty() && passage.is_empty() && config.is_e5(folder) {
        return Ok(("query: ".to_owned(), "passage: ".to_owned()));
    }
    Ok((query, passage))
}

/// Most tokens of a text: the least that any file of the folder says.
pub(crate) fn read_max_tokens(folder: &Path, shape: &Shape) -> Result<usize, ModelError> {
    let mut tokens = shape.positions;
    for (file, field) in [
        ("sentence_bert_config.json", "max_seq_length"),
        ("tokenizer_config.json", "model_max_length"),
    ] {
        let path = folder.join(file);
        let description: serde_json::Value = read_optional(&path)?.unwrap_or_default();
        let length = &description[field];
        if length.is_null() {
            continue;
        }
        // A float, since "no limit" is written as 1e30; as an integer it is the largest one.
        match length.as_f64() {
            Some(number) if number >= 3.0 => tokens = tokens.min(number as usize),
            _ => {
                return Err(ModelError::Field {
                    path,
                    field: field.to_owned(),
                    found: length.to_string(),
                    expected: "a number from 3".to_owned(),
                });
            }
        }
    }
    Ok(tokens)
}

#[derive(Debug, Deserialize)]
struct RawModule {
    #[serde(rename = "type")]
    kind: String,
}

/// Refuses a folder whose vectors go through more than pooling and the norm, such as
/// another dense layer, because without it they would mean nothing.
pub(crate) fn check_modules(folder: &Path) -> Result<(), ModelError> {
    let path = folder.join("modules.json");
    let modules: Vec<RawModule> = read_optional(&path)?.unwrap_or_default();
    for module in modules {
        let name = module.kind.rsplit('.').next().unwrap_or_default();
        if !matches!(name, "Transformer" | "Pooling" | "Normalize") {
            return Err(ModelError::Field {
                path,
                field: "type".to_owned(),
                found: format!("`{}`", module.kind),
                expected: "a Transformer, Pooling or Normalize".to_owned(),
            });
        }
    }
    Ok(())
}
