//! Parses one JSON object and holds it to the limits.
//!
//! The parser's own bound on recursion protects the stack; what a deployment
//! allows is checked on the parsed value.

use crate::names::kind_of;
use crate::{Limits, Map, Rejected};
use serde_json::Value;

/// The object in these bytes, or why the row is refused.
pub(super) fn parse_object(bytes: &[u8], number: u64, limits: Limits) -> Result<Map, Rejected> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let offset = error.valid_up_to() + 1;
        Rejected::row(
            number,
            format!("it is not UTF-8 at byte {offset}; save the file as UTF-8"),
        )
    })?;
    let too_deep = || {
        Rejected::row(
            number,
            format!(
                "it is nested deeper than {} levels",
                limits.max_depth.min(127)
            ),
        )
    };
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        if message.starts_with("recursion limit") {
            return too_deep();
        }
        let reason = message
            .rsplit_once(" at line ")
            .map_or(message.as_str(), |(reason, _)| reason);
        Rejected::row(
            number,
            format!("not valid JSON at {}: {reason}", place(&error)),
        )
    })?;
    let mut shape = Shape {
        fields: 0,
        depth: 0,
    };
    shape.add(&value, 1);
    if shape.depth > limits.max_depth {
        return Err(too_deep());
    }
    if shape.fields > limits.max_fields {
        let reason = format!(
            "it has {} fields, more than the limit of {}",
            shape.fields, limits.max_fields
        );
        return Err(Rejected::row(number, reason));
    }
    match value {
        Value::Object(object) => Ok(object),
        other => Err(Rejected::row(
            number,
            format!("expected an object, found {}", kind_of(&other)),
        )),
    }
}

/// Within the row, because the parser saw nothing but the row.
fn place(error: &serde_json::Error) -> String {
    if error.line() > 1 {
        format!(
            "line {}, column {} of the row",
            error.line(),
            error.column()
        )
    } else {
        format!("column {} of the row", error.column())
    }
}

struct Shape {
    fields: usize,
    depth: usize,
}

impl Shape {
    fn add(&mut self, value: &Value, level: usize) {
        match value {
            Value::Object(object) => {
                self.depth = self.depth.max(level);
                self.fields += object.len();
                for inner in object.values() {
                    self.add(inner, level + 1);
                }
            }
            Value::Array(list) => {
                self.depth = self.depth.max(level);
                for inner in list {
                    self.add(inner, level + 1);
                }
            }
            _ => {}
        }
    }
}
