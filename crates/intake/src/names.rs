//! An ordered list of attribute names or paths, as settings write it.
//!
//! In JSON a single name may stand as a string, several as a list and none as
//! `null`, so that short settings stay short.

use crate::Map;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// Attribute names in order of preference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(pub Vec<String>);

impl Names {
    /// True when no name is given.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names, best first.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

impl<const N: usize> From<[&str; N]> for Names {
    fn from(names: [&str; N]) -> Self {
        Self(names.into_iter().map(str::to_owned).collect())
    }
}

impl Serialize for Names {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => serializer.serialize_str(one),
            many => many.serialize(serializer),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a name, a list of names or null")]
enum Written {
    One(String),
    Many(Vec<String>),
    None(()),
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Written::deserialize(deserializer)? {
            Written::One(name) => Self(vec![name]),
            Written::Many(names) => Self(names),
            Written::None(()) => Self::default(),
        })
    }
}

/// Finds an attribute by its name, or by its dotted path through nested objects.
pub(crate) fn attribute<'a>(object: &'a Map, path: &str) -> Option<&'a Value> {
    if let Some(value) = object.get(path) {
        return Some(value);
    }
    let mut rest = path;
    while let Some(dot) = rest.rfind('.') {
        rest = rest.get(..dot)?;
        if let Some(Value::Object(inner)) = object.get(rest) {
            return attribute(inner, path.get(dot + 1..)?);
        }
    }
    None
}

/// What a value is, for messages.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_path_reaches_nested_attributes_and_plain_names_with_dots() {
        let object = json!({"a": {"b": {"c": 1}}, "x.y": 2, "p.q": {"r": 3}});
        let object = object.as_object().expect("an object");
        for (path, expected) in [
            ("a.b.c", Some(1)),
            ("x.y", Some(2)),
            ("p.q.r", Some(3)),
            ("a.c", None),
            ("", None),
        ] {
            assert_eq!(
                attribute(object, path).and_then(Value::as_i64),
                expected,
                "{path}"
            );
        }
    }

    #[test]
    fn one_name_is_written_as_a_string() {
        for (names, json) in [
            (Names::from(["a"]), json!("a")),
            (Names::from(["a", "b"]), json!(["a", "b"])),
            (Names::default(), json!([])),
        ] {
            assert_eq!(serde_json::to_value(&names).expect("serializes"), json);
            assert_eq!(
                serde_json::from_value::<Names>(json).expect("reads back"),
                names
            );
        }
        assert_eq!(
            serde_json::from_value::<Names>(Value::Null).expect("null is none"),
            Names::default()
        );
        assert!(serde_json::from_value::<Names>(json!(5)).is_err());
    }
}
