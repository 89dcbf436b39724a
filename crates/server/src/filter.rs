//! Filters as they come in JSON: a string, or a list whose inner lists are alternatives.
//!
//! `["a = 1", ["b = 2", "b = 3"]]` means `a = 1 AND (b = 2 OR b = 3)`. Each
//! string is parsed by itself, so that none can close the bracket around another.

use crate::error::ApiError;
use crate::fields::{Fields, wrong_type};
use domain::Filter;
use serde_json::Value;

const SHAPE: &str = "a string, an array of strings, or an array of arrays of strings";

/// Takes the field `filter` of a request.
pub(crate) fn take(fields: &mut Fields) -> Result<Option<Filter>, ApiError> {
    let code = fields.code("filter");
    let Some(mut value) = fields.value("filter") else {
        return Ok(None);
    };
    // A query string may carry the list form as JSON text.
    if let Value::String(text) = &value
        && text.trim_start().starts_with('[')
        && let Ok(list @ Value::Array(_)) = serde_json::from_str(text)
    {
        value = list;
    }
    read(value, &format!("{}.filter", fields.path()), code)
}

/// Reads a filter that stands at this path, with the code of its errors.
pub(crate) fn read(
    value: Value,
    path: &str,
    code: &'static str,
) -> Result<Option<Filter>, ApiError> {
    let groups = groups(value)
        .map_err(|stranger| ApiError::invalid(code, wrong_type(path, SHAPE, &stranger)))?;
    let mut filters = Vec::with_capacity(groups.len());
    for group in groups {
        let mut alternatives = Vec::with_capacity(group.len());
        for text in &group {
            let parsed = Filter::parse(text);
            alternatives.push(parsed.map_err(|error| ApiError::invalid(code, error.to_string()))?);
        }
        filters.push(Filter::or(alternatives));
    }
    Ok((!filters.is_empty()).then(|| Filter::and(filters)))
}

/// Lists of alternatives that must all hold; the value at fault when it has another shape.
fn groups(value: Value) -> Result<Vec<Vec<String>>, Value> {
    let elements = match value {
        Value::Array(elements) => elements,
        other => vec![other],
    };
    let mut groups = Vec::with_capacity(elements.len());
    for element in elements {
        let alternatives = match element {
            Value::Array(alternatives) => alternatives,
            other => vec![other],
        };
        let mut group = Vec::with_capacity(alternatives.len());
        for alternative in alternatives {
            match alternative {
                Value::String(text) if text.trim().is_empty() => (),
                Value::String(text) => group.push(text),
                other => return Err(other),
            }
        }
        if !group.is_empty() {
            groups.push(group);
        }
    }
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(filter: Value) -> Result<Option<String>, ApiError> {
        const TABLE: crate::fields::Table = &[("filter", "invalid_search_filter")];
        let mut fields = Fields::body(json!({"filter": filter}), TABLE)?;
        Ok(take(&mut fields)?.map(|filter| filter.to_string()))
    }

    #[test]
    fn inner_lists_are_alternatives() {
        for (filter, expected) in [
            (json!("a = 1 OR b = 2"), Some("a = 1 OR b = 2")),
            (
                json!(["a = 1", ["b = 2", "b = 3"]]),
                Some("a = 1 AND (b = 2 OR b = 3)"),
            ),
            (json!([["a = 1"]]), Some("a = 1")),
            (json!("[\"a = 1\", \"b = 2\"]"), Some("a = 1 AND b = 2")),
            (json!(["", []]), None),
            (json!([]), None),
            (json!("  "), None),
        ] {
            let text = read(filter.clone()).expect("a good filter");
            assert_eq!(text.as_deref(), expected, "{filter}");
        }
    }

    #[test]
    fn other_shapes_and_broken_texts_are_refused() {
        for filter in [
            json!(5),
            json!(["a = 1", [["b = 2"]]]),
            json!([null]),
            json!("a ="),
            json!(["tenant = 1", "x = 1) OR (y = 2"]),
        ] {
            let refusal = read(filter.clone()).err().map(|error| error.code());
            assert_eq!(refusal, Some("invalid_search_filter"), "{filter}");
        }
    }
}
