//! Vectors that documents bring: `_vectors.NAME` is a list of numbers, a list of such lists, of
//! which the first counts, or an object with `embeddings`.
//!
//! A vector that cannot be used costs the item this vector. The rest of the document is taken,
//! and the fault is noted with its row like that of any other field.

use super::embedder::normalised;
use super::embedders::given_dimensions;
use crate::settings::Settings;
use domain::VECTORS;
use serde_json::{Map, Value};

/// What cannot be used of a vector.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(super) enum GivenFault {
    #[error("is no list of numbers, and was passed over")]
    NotNumbers,
    #[error("has {found} numbers instead of {expected}, and was passed over")]
    Length { expected: usize, found: usize },
    #[error("has no direction, and was passed over")]
    NoDirection,
}

/// The vector that a document gives for an embedder, of length one; nothing where it gives none.
pub(super) fn given(
    document: &Map<String, Value>,
    name: &str,
    dimensions: usize,
) -> Result<Option<Vec<f32>>, GivenFault> {
    let value = document.get(VECTORS).and_then(|vectors| vectors.get(name));
    let value = match value {
        Some(Value::Object(object)) => object.get("embeddings"),
        other => other,
    };
    let list = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(GivenFault::NotNumbers),
    };
    let list = match list.first() {
        None => return Ok(None),
        Some(Value::Array(first)) => first,
        Some(_) => list,
    };
    let mut vector = Vec::with_capacity(list.len());
    for number in list {
        vector.push(number.as_f64().ok_or(GivenFault::NotNumbers)? as f32);
    }
    if vector.len() != dimensions {
        return Err(GivenFault::Length {
            expected: dimensions,
            found: vector.len(),
        });
    }
    let vector = normalised(vector).ok_or(GivenFault::NoDirection)?;
    Ok(Some(vector))
}

/// The embedders whose vectors the documents of an index bring.
pub(crate) struct GivenVectors {
    dimensions: Vec<(String, usize)>,
}

impl GivenVectors {
    pub(crate) fn of(settings: &Settings) -> Self {
        Self {
            dimensions: given_dimensions(settings),
        }
    }

    /// The fields of a document that have a vector of no use, each with what is wrong.
    pub(crate) fn faults(&self, document: &Map<String, Value>) -> Vec<(String, String)> {
        if self.dimensions.is_empty() {
            return Vec::new();
        }
        match document.get(VECTORS) {
            None | Some(Value::Null | Value::Object(_)) => {}
            Some(_) => {
                let what = "is no object with a vector for each embedder, and was passed over";
                return vec![(VECTORS.to_owned(), what.to_owned())];
            }
        }
        let mut faults = Vec::new();
        for (name, dimensions) in &self.dimensions {
            if let Err(fault) = given(document, name, *dimensions) {
                faults.push((format!("{VECTORS}.{name}"), fault.to_string()));
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(vectors: Value, expected: Result<Option<Vec<f32>>, GivenFault>) {
        let document = json!({ "id": 1, "_vectors": { "mine": vectors } });
        let document = document.as_object().expect("an object");
        assert_eq!(given(document, "mine", 2), expected);
    }

    #[test]
    fn a_vector_is_read_in_every_form_or_refused_with_a_reason() {
        let good = || Ok(Some(vec![0.6, 0.8]));
        check(json!([3, 4]), good());
        check(json!([[3, 4], [1, 0]]), good());
        check(json!({ "embeddings": [3, 4], "regenerate": false }), good());
        check(json!({ "embeddings": [[3, 4]] }), good());
        for none in [
            json!(null),
            json!([]),
            json!({}),
            json!({ "embeddings": null }),
        ] {
            check(none, Ok(None));
        }
        let (expected, found) = (2, 3);
        check(
            json!([1, 2, 3]),
            Err(GivenFault::Length { expected, found }),
        );
        let found = 0;
        check(json!([[]]), Err(GivenFault::Length { expected, found }));
        check(json!([0, 0]), Err(GivenFault::NoDirection));
        check(json!([1e300, 1]), Err(GivenFault::NoDirection));
        for wrong in [
            json!("1,2"),
            json!([1, "2"]),
            json!([[1, null]]),
            json!(true),
        ] {
            check(wrong, Err(GivenFault::NotNumbers));
        }
    }
}
