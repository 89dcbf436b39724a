//! `POST /v1/embeddings` and `GET /v1/models`, in the OpenAI convention.
//!
//! Existing embedding clients work with nothing but another address. Texts of many requests
//! are encoded together. On these paths errors have the shape of that convention too, which
//! [`convention`] sees to, whoever refused the request.

use crate::app::{App, in_place};
use crate::error::{ApiError, Refusal, json_response};
use crate::fields::{Fields, Table, wrong_type};
use crate::payload::JsonBody;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use engine::{
    Begun, Encoded, EncoderError, ModelName, OpenEncoder, Precision, Prefix, ServiceError,
};
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Where the convention holds.
const PREFIX: &str = "/v1/";

const FIELDS: Table = &[
    ("input", "invalid_input"),
    ("model", "invalid_model"),
    ("dimensions", "invalid_dimensions"),
    ("encoding_format", "invalid_encoding_format"),
    ("input_type", "invalid_input_type"),
    ("user", "invalid_user"),
];

/// A checked request.
#[derive(Debug)]
struct Wanted {
    texts: Vec<String>,
    model: ModelName,
    dimensions: Option<usize>,
    format: Format,
    prefix: Prefix,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Format {
    Float,
    Base64,
}

#[derive(Serialize)]
struct List<'a, T> {
    object: &'static str,
    data: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
}

#[derive(Serialize)]
struct Usage {
    prompt_tokens: usize,
    total_tokens: usize,
}

#[derive(Serialize)]
struct Embedding {
    object: &'static str,
    index: usize,
    embedding: Numbers,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Numbers {
    Floats(Vec<f32>),
    Base64(String),
}

#[derive(Serialize)]
struct Model {
    id: String,
    object: &'static str,
    created: u64,
    owned_by: &'static str,
}

/// `POST /v1/embeddings`
pub(crate) async fn post(
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let Wanted {
        texts,
        model,
        dimensions,
        format,
        prefix,
    } = wanted(body, &app)?;
    let open = in_place(|| app.encoders().get(&model, Precision::Int8)).map_err(model_error)?;
    let width = open.encoder.dimensions();
    let kept = dimensions.unwrap_or(width);
    if kept > width {
        return Err(about(
            "dimensions",
            ApiError::invalid(
                "invalid_dimensions",
                format!("`dimensions` is {kept}, but model `{model}` has {width}."),
            ),
        ));
    }
    let encoded = encode(&open, texts, prefix).await?;
    let tokens = encoded.tokens.iter().sum();
    let data = in_place(|| rows(&encoded, width, kept, format));
    let answer = List {
        object: "list",
        data,
        model: Some(model.as_str()),
        usage: Some(Usage {
            prompt_tokens: tokens,
            total_tokens: tokens,
        }),
    };
    Ok(json_response(StatusCode::OK, &answer))
}

/// `GET /v1/models`
pub(crate) async fn models(State(app): State<App>) -> Response {
    let installed = in_place(|| app.encoders().folders().installed());
    let mut data: Vec<Model> = installed
        .into_iter()
        .map(|model| Model {
            id: model.name.to_string(),
            object: "model",
            created: created(&model.path),
            owned_by: "vitrine",
        })
        .collect();
    // A model in the data folder hides the shared one of the same name.
    data.dedup_by(|later, earlier| later.id == earlier.id);
    let answer = List {
        object: "list",
        data,
        model: None,
        usage: None,
    };
    json_response(StatusCode::OK, &answer)
}

/// Seconds since 1970 at which a model was installed; 0 when the disk does not say.
fn created(path: &std::path::Path) -> u64 {
    let time = path.metadata().and_then(|meta| meta.modified()).ok();
    time.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
        .map_or(0, |since| since.as_secs())
}

fn wanted(body: Value, app: &App) -> Result<Wanted, ApiError> {
    // Clients send fields of other engines as well; those are passed over.
    let mut fields = Fields::lenient_body(body, FIELDS)?;
    let input = fields.value("input");
    let model = named("model", fields.text("model"))?.ok_or_else(|| {
        about(
            "model",
            ApiError::invalid("missing_model", "`model` is missing: name a model."),
        )
    })?;
    let model = ModelName::new(&model).map_err(|_| {
        about(
            "model",
            ApiError::not_found(
                "model_not_found",
                format!("There is no model `{}`: give the name of an installed model; `GET /v1/models` lists them.", crate::fields::shortened(&model)),
            ),
        )
    })?;
    let dimensions = named("dimensions", fields.size("dimensions"))?;
    if dimensions == Some(0) {
        return Err(about(
            "dimensions",
            ApiError::invalid("invalid_dimensions", "`dimensions` must be 1 or more."),
        ));
    }
    let format = one_of(
        &mut fields,
        "encoding_format",
        &[("float", Format::Float), ("base64", Format::Base64)],
    )?;
    let prefix = one_of(
        &mut fields,
        "input_type",
        &[("query", Prefix::Query), ("passage", Prefix::Passage)],
    )?;
    Ok(Wanted {
        texts: texts(input, app)?,
        model,
        dimensions,
        format: format.unwrap_or(Format::Float),
        prefix: prefix.unwrap_or_default(),
    })
}

/// The texts of the field `input`, within their limits.
fn texts(input: Option<Value>, app: &App) -> Result<Vec<String>, ApiError> {
    let refuse = |message: String| about("input", ApiError::invalid("invalid_input", message));
    let values = match input {
        Some(Value::String(text)) => vec![Value::String(text)],
        Some(Value::Array(values)) => values,
        Some(other) => {
            return Err(refuse(wrong_type(
                ".input",
                "a string or an array of strings",
                &other,
            )));
        }
        None => {
            let error = ApiError::invalid("missing_input", "`input` is missing: give texts.");
            return Err(about("input", error));
        }
    };
    let limits = app.limits();
    if values.is_empty() {
        return Err(refuse("`input` has no text.".to_owned()));
    }
    if values.len() > limits.embedding_texts && !values.iter().all(Value::is_number) {
        return Err(refuse(format!(
            "`input` has {} texts, but one request may have {} at most.",
            values.len(),
            limits.embedding_texts
        )));
    }
    let mut texts = Vec::with_capacity(values.len());
    let mut characters = 0;
    for (place, value) in values.into_iter().enumerate() {
        match value {
            Value::String(text) => {
                characters += text.chars().count();
                texts.push(text);
            }
            Value::Number(_) | Value::Array(_) => {
                return Err(refuse(
                    "`input` has token ids, which mean something to one tokenizer only: give texts."
                        .to_owned(),
                ));
            }
            other => {
                let path = format!(".input[{place}]");
                return Err(refuse(wrong_type(&path, "a string", &other)));
            }
        }
    }
    if characters > limits.embedding_characters {
        return Err(refuse(format!(
            "`input` has {characters} characters, but one request may have {} at most.",
            limits.embedding_characters
        )));
    }
    Ok(texts)
}

/// A field with few values.
fn one_of<T: Copy>(
    fields: &mut Fields,
    name: &str,
    values: &[(&str, T)],
) -> Result<Option<T>, ApiError> {
    let Some(given) = named(name, fields.text(name))? else {
        return Ok(None);
    };
    if let Some((_, value)) = values.iter().find(|(known, _)| *known == given) {
        return Ok(Some(*value));
    }
    let known = crate::fields::listed(values.iter().map(|(known, _)| known));
    let message = format!(
        "`{name}` is `{}`, but must be one of {known}.",
        crate::fields::shortened(&given)
    );
    Err(about(name, fields.refuse(name, message)))
}

/// An error about a field says which.
fn named<T>(name: &str, result: Result<T, ApiError>) -> Result<T, ApiError> {
    result.map_err(|error| about(name, error))
}

fn about(name: &str, error: ApiError) -> ApiError {
    error.with(PARAM, json!(name))
}

fn model_error(error: EncoderError) -> ApiError {
    match &error {
        EncoderError::NotInstalled(name) => about(
            "model",
            ApiError::not_found(
                "model_not_found",
                format!(
                    "Model `{name}` is not installed: run `vitrine model pull {name}`; `GET /v1/models` lists those that are."
                ),
            ),
        ),
        _ => ApiError::internal(crate::engine_error::with_causes(&error)),
    }
}

/// Encodes at once when the encoder is free, else waits for the batch that has these texts.
async fn encode(
    open: &Arc<OpenEncoder>,
    texts: Vec<String>,
    prefix: Prefix,
) -> Result<Encoded, ApiError> {
    let answer = match open.service.begin(texts, prefix) {
        Ok(Begun::Turn(turn)) => in_place(|| turn.run()),
        Ok(Begun::Queued(reply)) => reply.await,
        Err(error) => Err(error),
    };
    answer.map_err(|error| match &error {
        ServiceError::Full => ApiError::system(
            StatusCode::SERVICE_UNAVAILABLE,
            "too_many_embedding_requests",
            error.to_string(),
        ),
        ServiceError::Deadline { .. } => ApiError::system(
            StatusCode::SERVICE_UNAVAILABLE,
            "embedding_deadline_exceeded",
            error.to_string(),
        ),
        ServiceError::Stopped => ApiError::system(
            StatusCode::SERVICE_UNAVAILABLE,
            "server_is_stopping",
            error.to_string(),
        ),
        _ => ApiError::internal(crate::engine_error::with_causes(&error)),
    })
}

fn rows(encoded: &Encoded, width: usize, kept: usize, format: Format) -> Vec<Embedding> {
    let rows = encoded.vectors.chunks_exact(width.max(1));
    rows.enumerate()
        .map(|(index, row)| {
            let floats = shortened_vector(row, kept);
            Embedding {
                object: "embedding",
                index,
                embedding: match format {
                    Format::Float => Numbers::Floats(floats),
                    Format::Base64 => Numbers::Base64(base64(&floats)),
                },
            }
        })
        .collect()
}

/// The first numbers of a vector, made as long as one again.
fn shortened_vector(row: &[f32], kept: usize) -> Vec<f32> {
    let mut floats = row.get(..kept).unwrap_or(row).to_vec();
    if floats.len() < row.len() {
        let length = floats.iter().map(|x| x * x).sum::<f32>().sqrt();
        if length > 0.0 {
            for float in &mut floats {
                *float /= length;
            }
        }
    }
    floats
}

/// Little-endian floats in base 64 (RFC 4648, with padding).
fn base64(floats: &[f32]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes: Vec<u8> = floats
        .iter()
        .flat_map(|float| float.to_le_bytes())
        .collect();
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |place: usize| u32::from(group.get(place).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            if place > group.len() {
                text.push('=');
            } else {
                let letter = bits >> (18 - 6 * place) & 63;
                text.push(char::from(LETTERS[letter as usize]));
            }
        }
    }
    text
}

/// The field of an [`ApiError`] that says which parameter is wrong.
const PARAM: &str = "param";

/// Gives refusals on paths of this convention its shape.
///
/// A wrong key is 401 there, and the type says whose fault it was.
pub(crate) async fn convention(request: Request, next: Next) -> Response {
    let is_ours = request.uri().path().starts_with(PREFIX);
    let mut response = next.run(request).await;
    if !is_ours {
        return response;
    }
    let Some(refusal) = response.extensions_mut().remove::<Refusal>() else {
        return response;
    };
    let mut status = response.status();
    if refusal.code == "invalid_api_key" {
        status = StatusCode::UNAUTHORIZED;
    }
    let kind = match status {
        StatusCode::UNAUTHORIZED => "authentication_error",
        status if status.is_server_error() => "server_error",
        _ => "invalid_request_error",
    };
    let body = json!({ "error": {
        "message": refusal.message,
        "type": kind,
        "param": refusal.extra.get(PARAM),
        "code": refusal.code,
    }});
    let mut shaped = json_response(status, &body);
    for name in [header::RETRY_AFTER, header::WWW_AUTHENTICATE] {
        if let Some(value) = response.headers().get(&name) {
            shaped.headers_mut().insert(name, value.clone());
        }
    }
    shaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_in_base64() {
        assert_eq!(base64(&[]), "");
        // The bytes 00 00 80 3f, and 00 00 80 3f 00 00 00 c0, and twelve of them.
        assert_eq!(base64(&[1.0]), "AACAPw==");
        assert_eq!(base64(&[1.0, -2.0]), "AACAPwAAAMA=");
        assert_eq!(base64(&[1.0, -2.0, 0.5]), "AACAPwAAAMAAAAA/");
    }

    #[test]
    fn a_shortened_vector_is_as_long_as_one() {
        assert_eq!(shortened_vector(&[0.6, 0.8], 2), [0.6, 0.8]);
        let short = shortened_vector(&[3.0, 4.0, 12.0], 2);
        assert!((short[0] - 0.6).abs() < 1e-6 && (short[1] - 0.8).abs() < 1e-6);
        assert_eq!(shortened_vector(&[0.0, 1.0], 1), [0.0]);
    }
}
