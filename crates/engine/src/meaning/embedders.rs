//! The setting `embedders`: by name, where the vectors of the items come from.
//!
//! The sources of the convention that ask a paid service are kept as they are written and do
//! nothing here: an embedder with such a source says so when it is asked.

use super::DEFAULT_EMBEDDER;
use super::describe::Template;
use crate::encoders::ModelName;
use crate::settings::Settings;
use encode::Precision;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Most embedders of an index.
const MOST_EMBEDDERS: usize = 8;
/// Most bytes of the name of one: it is part of keys.
const LONGEST_NAME: usize = 511;
/// Most numbers of a vector.
const MOST_DIMENSIONS: u64 = 4_096;
/// Models as the hub of Hugging Face calls them, and as they are called here.
const KNOWN: [(&str, &str); 2] = [
    ("sentence-transformers/all-MiniLM-L6-v2", "minilm"),
    ("intfloat/multilingual-e5-small", "e5"),
];

/// Where vectors come from.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Source {
    /// The model that suits the languages of the catalogue.
    Auto,
    /// An installed model.
    Model(ModelName),
    /// The shop's documents have them in `_vectors`.
    Given { dimensions: usize },
    /// A source that only the setting knows.
    Foreign(String),
}

/// One embedder as it is wanted.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plan {
    pub source: Source,
    pub precision: Precision,
    /// What of a document is encoded; nothing: what its roles say.
    pub template: Option<Template>,
}

impl Plan {
    fn standard() -> Self {
        Self {
            source: Source::Auto,
            precision: Precision::Int8,
            template: None,
        }
    }
}

/// The embedders of an index: those it names, or the standard one.
pub(super) fn plans(settings: &Settings) -> BTreeMap<String, Plan> {
    let Some(embedders) = &settings.embedders else {
        return BTreeMap::from([(DEFAULT_EMBEDDER.to_owned(), Plan::standard())]);
    };
    let plans = embedders.iter().filter_map(|(name, value)| {
        // Settings were checked when they came.
        Some((name.clone(), plan(value).ok()??))
    });
    plans.collect()
}

/// Whether the shop gives vectors itself.
pub(crate) fn has_given(settings: &Settings) -> bool {
    !given_dimensions(settings).is_empty()
}

/// The embedders whose vectors the shop gives itself, and how many numbers those have.
pub(super) fn given_dimensions(settings: &Settings) -> Vec<(String, usize)> {
    let given = |(name, plan): (String, Plan)| match plan.source {
        Source::Given { dimensions } => Some((name, dimensions)),
        _ => None,
    };
    plans(settings).into_iter().filter_map(given).collect()
}

/// Checks the setting; the error says which embedder is wrong and why.
pub(crate) fn check_embedders(embedders: &Map<String, Value>) -> Result<(), String> {
    if embedders.len() > MOST_EMBEDDERS {
        return Err(format!("at most {MOST_EMBEDDERS} embedders are possible"));
    }
    for (name, value) in embedders {
        if name.len() > LONGEST_NAME {
            return Err(format!(
                "the name of an embedder has at most {LONGEST_NAME} bytes"
            ));
        }
        plan(value).map_err(|why| format!("`{name}`: {why}"))?;
    }
    Ok(())
}

/// Reads one embedder; `None` stands for one that was reset with `null`.
fn plan(value: &Value) -> Result<Option<Plan>, String> {
    let object = match value {
        Value::Null => return Ok(None),
        Value::Object(object) => object,
        _ => return Err("an embedder is an object or `null`".to_owned()),
    };
    let text = |field: &str| match object.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(format!("`{field}` must be a string")),
    };
    let model = text("model")?;
    let source = match text("source")?.unwrap_or("vitrine") {
        "vitrine" if model.is_none_or(|model| model == "auto") => Source::Auto,
        "vitrine" | "huggingFace" => Source::Model(name_of(model.unwrap_or("minilm"))?),
        "userProvided" => Source::Given {
            dimensions: dimensions(object)?,
        },
        foreign @ ("openAi" | "ollama" | "rest" | "composite") => {
            Source::Foreign(foreign.to_owned())
        }
        other => {
            return Err(format!(
                "unknown source `{other}`: use `vitrine`, `userProvided`, `huggingFace`, or keep one of `openAi`, `ollama`, `rest`, `composite`"
            ));
        }
    };
    let precision = match text("precision")?.unwrap_or("int8") {
        "int8" => Precision::Int8,
        "bf16" => Precision::Bf16,
        "f32" => Precision::F32,
        other => {
            return Err(format!(
                "unknown precision `{other}`: use int8, bf16 or f32"
            ));
        }
    };
    let is_ours = !matches!(source, Source::Foreign(_));
    let template = match text("documentTemplate")?.filter(|_| is_ours) {
        Some(template) => Some(Template::new(template)?),
        None => None,
    };
    Ok(Some(Plan {
        source,
        precision,
        template,
    }))
}

fn name_of(model: &str) -> Result<ModelName, String> {
    let known = KNOWN.iter().find(|(hub, _)| *hub == model);
    let last = model.rsplit('/').next().unwrap_or(model);
    ModelName::new(known.map_or(last, |(_, name)| name)).map_err(|err| err.to_string())
}

fn dimensions(object: &Map<String, Value>) -> Result<usize, String> {
    let given = object.get("dimensions").and_then(Value::as_u64);
    match given {
        Some(dimensions @ 1..=MOST_DIMENSIONS) => Ok(dimensions as usize),
        _ => Err(format!(
            "`dimensions` must be a number from 1 to {MOST_DIMENSIONS}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_name_has_a_limit() {
        let named = |length: usize| Map::from_iter([("a".repeat(length), json!({}))]);
        assert_eq!(check_embedders(&named(511)), Ok(()));
        let why = check_embedders(&named(512)).expect_err("refused");
        assert!(why.contains("511"), "{why}");
    }

    #[test]
    fn embedders_are_read_or_refused_with_a_reason() {
        let read = |value: Value| plan(&value).map(|plan| plan.map(|plan| plan.source));
        assert_eq!(read(json!(null)), Ok(None));
        assert_eq!(read(json!({})), Ok(Some(Source::Auto)));
        assert_eq!(
            read(json!({"source": "userProvided", "dimensions": 3})),
            Ok(Some(Source::Given { dimensions: 3 }))
        );
        let hub = json!({"source": "huggingFace", "model": "intfloat/multilingual-e5-small"});
        let e5 = ModelName::new("e5").expect("a good name");
        assert_eq!(read(hub), Ok(Some(Source::Model(e5))));
        for (wrong, word) in [
            (json!([]), "object"),
            (json!({"source": "userProvided"}), "dimensions"),
            (
                json!({"source": "userProvided", "dimensions": 5000}),
                "4096",
            ),
            (json!({"source": "tea"}), "unknown source"),
            (json!({"model": "../x/"}), "no name of a model"),
            (json!({"model": 3}), "must be a string"),
            (
                json!({"documentTemplate": "{{ doc.title"}),
                "documentTemplate",
            ),
            (json!({"precision": "f8"}), "unknown precision"),
        ] {
            let why = read(wrong.clone()).expect_err("refused");
            assert!(why.contains(word), "{wrong}: {why}");
        }
    }
}
