//! Typed fields out of a JSON object or a query string.
//!
//! The conventions give every parameter its own error code, so the fields of a
//! route stand in a table of names and codes. Each field is taken by its type;
//! what is left over or of another type becomes an error that names it.

use crate::error::ApiError;
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde_json::{Map, Value};
use std::fmt::Display;
use std::str::FromStr;

/// A field: name and error code.
pub(crate) type Row = (&'static str, &'static str);
/// The fields of a route.
pub(crate) type Table = &'static [Row];

/// Two tables as one; its length must be given as `N`, or the build fails.
pub(crate) const fn joined<const N: usize>(first: Table, second: Table) -> [Row; N] {
    assert!(
        first.len() + second.len() == N,
        "N must be the sum of the lengths"
    );
    let mut rows = [("", ""); N];
    let mut place = 0;
    while place < N {
        rows[place] = if place < first.len() {
            first[place]
        } else {
            second[place - first.len()]
        };
        place += 1;
    }
    rows
}

/// Fields that are still to be taken.
pub(crate) struct Fields {
    values: Map<String, Value>,
    table: Table,
    place: Place,
}

enum Place {
    /// A JSON object at this path of the body; empty for the whole body.
    Body(String),
    Query,
}

/// The query string as pairs; a repeated name keeps its last value.
pub(crate) struct Params(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        match Query::<Vec<(String, String)>>::try_from_uri(&parts.uri) {
            Ok(Query(pairs)) => Ok(Self(pairs)),
            Err(error) => Err(ApiError::invalid("bad_request", error.body_text())),
        }
    }
}

impl Params {
    /// Refuses names that are not in the table.
    pub(crate) fn fields(self, table: Table) -> Result<Fields, ApiError> {
        let mut values = Map::new();
        for (name, value) in self.0 {
            if code_of(table, &name).is_none() {
                return Err(unknown("parameter", &name, table, ""));
            }
            values.insert(name, Value::String(value));
        }
        Ok(Fields {
            values,
            table,
            place: Place::Query,
        })
    }
}

impl Fields {
    /// A JSON body that must be an object with fields of the table only.
    pub(crate) fn body(value: Value, table: Table) -> Result<Self, ApiError> {
        Self::object(value, table, String::new())
    }

    /// The same, where fields that are not in the table are passed over.
    pub(crate) fn lenient_body(value: Value, table: Table) -> Result<Self, ApiError> {
        let mut fields = Self::new(value, table, String::new())?;
        fields
            .values
            .retain(|name, _| code_of(table, name).is_some());
        Ok(fields)
    }

    /// An object somewhere in the body.
    pub(crate) fn object(value: Value, table: Table, path: String) -> Result<Self, ApiError> {
        let fields = Self::new(value, table, path)?;
        let stranger = fields
            .values
            .keys()
            .find(|name| code_of(table, name).is_none());
        match stranger {
            Some(name) => Err(unknown("field", name, table, fields.path())),
            None => Ok(fields),
        }
    }

    fn new(value: Value, table: Table, path: String) -> Result<Self, ApiError> {
        match value {
            Value::Object(values) => Ok(Self {
                values,
                table,
                place: Place::Body(path),
            }),
            other => Err(ApiError::invalid(
                "bad_request",
                wrong_type(&path, "an object", &other),
            )),
        }
    }

    /// Whether a field was given with another value than `null`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|value| !value.is_null())
    }

    /// Whether the table has a field.
    pub(crate) fn is_known(&self, name: &str) -> bool {
        code_of(self.table, name).is_some()
    }

    /// Any value; `null` is as good as missing.
    pub(crate) fn value(&mut self, name: &str) -> Option<Value> {
        self.values.remove(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, ApiError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.mistyped(name, "a string", &other)),
        }
    }

    /// An id: a string, or an integer in its decimal form.
    pub(crate) fn id(&mut self, name: &str) -> Result<Option<String>, ApiError> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        match id_text(value) {
            Ok(id) => Ok(Some(id)),
            Err(other) => Err(self.mistyped(name, "a string or an integer", &other)),
        }
    }

    pub(crate) fn boolean(&mut self, name: &str) -> Result<Option<bool>, ApiError> {
        self.parsed(name, "a boolean", Value::as_bool)
    }

    pub(crate) fn size(&mut self, name: &str) -> Result<Option<usize>, ApiError> {
        self.parsed(name, "a positive integer", |value| {
            value
                .as_u64()
                .and_then(|number| usize::try_from(number).ok())
        })
    }

    pub(crate) fn integer(&mut self, name: &str) -> Result<Option<u64>, ApiError> {
        self.parsed(name, "a positive integer", Value::as_u64)
    }

    /// A finite number.
    pub(crate) fn number(&mut self, name: &str) -> Result<Option<f64>, ApiError> {
        let number = self.parsed(name, "a number", Value::as_f64)?;
        match number.filter(|number| !number.is_finite()) {
            Some(_) => Err(self.refuse(name, format!("`{name}` must be a finite number."))),
            None => Ok(number),
        }
    }

    /// A list of strings; in a query string they are separated by commas.
    pub(crate) fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, ApiError> {
        self.list(name, "a string", |value| match value {
            Value::String(text) => Ok(text),
            other => Err(other),
        })
    }

    /// A list of ids.
    pub(crate) fn ids(&mut self, name: &str) -> Result<Option<Vec<String>>, ApiError> {
        self.list(name, "a string or an integer", id_text)
    }

    /// An error about a field, under its code.
    pub(crate) fn refuse(&self, name: &str, message: impl Into<String>) -> ApiError {
        ApiError::invalid(self.code(name), message)
    }

    /// A required field that is not there.
    pub(crate) fn missing(&self, name: &str, code: &'static str) -> ApiError {
        let path = self.path();
        let place = if path.is_empty() {
            String::new()
        } else {
            format!(" inside `{path}`")
        };
        let kind = if matches!(self.place, Place::Query) {
            "parameter"
        } else {
            "field"
        };
        ApiError::invalid(code, format!("Missing {kind} `{name}`{place}"))
    }

    /// The error code of a field.
    pub(crate) fn code(&self, name: &str) -> &'static str {
        code_of(self.table, name).unwrap_or("bad_request")
    }

    /// The path of the object in the body.
    pub(crate) fn path(&self) -> &str {
        match &self.place {
            Place::Body(path) => path,
            Place::Query => "",
        }
    }

    /// An error for a value that is not what it should be.
    pub(crate) fn mistyped(&self, name: &str, expected: &str, found: &Value) -> ApiError {
        let message = match (&self.place, found) {
            (Place::Query, Value::String(text)) => {
                let how = match expected {
                    "a boolean" => ", expected either `true` or `false`",
                    _ => "",
                };
                format!(
                    "Invalid value in parameter `{name}`: could not parse `{}` as {expected}{how}",
                    shortened(text)
                )
            }
            _ => wrong_type(&format!("{}.{name}", self.path()), expected, found),
        };
        self.refuse(name, message)
    }

    /// An error for a word that is none of those expected. `name` may end in a place in a list.
    pub(crate) fn unknown_word(&self, name: &str, word: &str, expected: &[&str]) -> ApiError {
        let place = match &self.place {
            Place::Query => format!("for parameter `{name}`"),
            Place::Body(path) => format!("at `{path}.{name}`"),
        };
        let message = format!(
            "Unknown value `{}` {place}: expected one of {}",
            shortened(word),
            listed(expected)
        );
        let field = name.split('[').next().unwrap_or(name);
        self.refuse(field, message)
    }

    /// A value that a query string carries as text.
    fn parsed<T: FromStr>(
        &mut self,
        name: &str,
        expected: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        let parsed = match (&self.place, &value) {
            (Place::Query, Value::String(text)) => text.trim().parse().ok(),
            _ => read(&value),
        };
        match parsed {
            Some(parsed) => Ok(Some(parsed)),
            None => Err(self.mistyped(name, expected, &value)),
        }
    }

    fn list(
        &mut self,
        name: &str,
        expected: &str,
        read: impl Fn(Value) -> Result<String, Value>,
    ) -> Result<Option<Vec<String>>, ApiError> {
        let value = self.value(name);
        let elements = match (&self.place, value) {
            (_, None) => return Ok(None),
            (Place::Query, Some(Value::String(text))) => {
                let parts = text
                    .split(',')
                    .map(str::trim)
                    .filter(|part| !part.is_empty());
                return Ok(Some(parts.map(str::to_owned).collect()));
            }
            (_, Some(Value::Array(elements))) => elements,
            (_, Some(other)) => return Err(self.mistyped(name, "an array", &other)),
        };
        let mut texts = Vec::with_capacity(elements.len());
        for (place, element) in elements.into_iter().enumerate() {
            match read(element) {
                Ok(text) => texts.push(text),
                Err(other) => {
                    let at = format!("{name}[{place}]");
                    let message = wrong_type(&format!("{}.{at}", self.path()), expected, &other);
                    return Err(self.refuse(name, message));
                }
            }
        }
        Ok(Some(texts))
    }
}

/// An id written as a string or an integer; anything else comes back.
pub(crate) fn id_text(value: Value) -> Result<String, Value> {
    match value {
        Value::String(text) => Ok(text),
        Value::Number(number) if number.is_i64() || number.is_u64() => Ok(number.to_string()),
        other => Err(other),
    }
}

/// The message for a value of the wrong type at a path of the body.
pub(crate) fn wrong_type(path: &str, expected: &str, found: &Value) -> String {
    let place = if path.is_empty() {
        String::new()
    } else {
        format!(" at `{path}`")
    };
    format!(
        "Invalid value type{place}: expected {expected}, but found {}",
        described(found)
    )
}

fn described(value: &Value) -> String {
    let kind = match value {
        Value::Null => return "null".to_owned(),
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_u64() => "a positive integer",
        Value::Number(number) if number.is_i64() => "a negative integer",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    format!("{kind}: `{}`", shortened(&value.to_string()))
}

/// Text from outside, cut for a message.
pub(crate) fn shortened(text: &str) -> String {
    match text.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Names in backticks, as messages list them.
pub(crate) fn listed<T: Display>(names: impl IntoIterator<Item = T>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

fn code_of(table: Table, name: &str) -> Option<&'static str> {
    table
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, code)| *code)
}

fn unknown(kind: &str, name: &str, table: Table, path: &str) -> ApiError {
    let place = if path.is_empty() {
        String::new()
    } else {
        format!(" inside `{path}`")
    };
    let expected = listed(table.iter().map(|(name, _)| name));
    ApiError::invalid(
        "bad_request",
        format!(
            "Unknown {kind} `{}`{place}: expected one of {expected}",
            shortened(name)
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TABLE: Table = &[
        ("limit", "invalid_search_limit"),
        ("q", "invalid_search_q"),
        ("facets", "invalid_search_facets"),
        ("ids", "invalid_document_ids"),
    ];

    fn query(text: &str) -> Result<Fields, ApiError> {
        let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
        Params(
            pairs
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
        .fields(TABLE)
    }

    #[track_caller]
    fn check<T: std::fmt::Debug>(found: Result<T, ApiError>, expected: &str) {
        assert_eq!(found.expect_err("refused").to_string(), expected);
    }

    #[test]
    fn a_wrong_type_is_reported_with_path_and_code() {
        let mut fields = Fields::body(json!({"limit": "a", "q": 5, "facets": ["a", 1]}), TABLE)
            .expect("known fields");
        check(
            fields.size("limit"),
            "invalid_search_limit: Invalid value type at `.limit`: expected a positive integer, but found a string: `\"a\"`",
        );
        check(
            fields.text("q"),
            "invalid_search_q: Invalid value type at `.q`: expected a string, but found a positive integer: `5`",
        );
        check(
            fields.texts("facets"),
            "invalid_search_facets: Invalid value type at `.facets[1]`: expected a string, but found a positive integer: `1`",
        );
        let mut nested = Fields::object(json!({"limit": -1}), TABLE, ".queries[2]".to_owned())
            .expect("known fields");
        check(
            nested.size("limit"),
            "invalid_search_limit: Invalid value type at `.queries[2].limit`: expected a positive integer, but found a negative integer: `-1`",
        );
    }

    #[test]
    fn unknown_fields_are_named_with_what_is_known() {
        check(
            Fields::body(json!({"lmit": 1}), TABLE).map(|_| ()),
            "bad_request: Unknown field `lmit`: expected one of `limit`, `q`, `facets`, `ids`",
        );
        check(
            query("x=1").map(|_| ()),
            "bad_request: Unknown parameter `x`: expected one of `limit`, `q`, `facets`, `ids`",
        );
        check(
            Fields::body(json!([]), TABLE).map(|_| ()),
            "bad_request: Invalid value type: expected an object, but found an array: `[]`",
        );
    }

    #[test]
    fn query_strings_carry_numbers_and_lists_as_text() {
        let mut fields = query("limit=7&facets=a, b,&ids=1,2").expect("known parameters");
        assert_eq!(fields.size("limit").expect("a number"), Some(7));
        assert_eq!(
            fields.texts("facets").expect("a list"),
            Some(vec!["a".to_owned(), "b".to_owned()])
        );
        assert_eq!(
            fields.ids("ids").expect("a list"),
            Some(vec!["1".to_owned(), "2".to_owned()])
        );
        check(
            query("limit=-1").and_then(|mut fields| fields.size("limit")),
            "invalid_search_limit: Invalid value in parameter `limit`: could not parse `-1` as a positive integer",
        );
    }

    #[test]
    fn null_is_as_good_as_missing() {
        let mut fields = Fields::body(json!({"limit": null}), TABLE).expect("known fields");
        assert_eq!(fields.size("limit").expect("nothing"), None);
    }
}
