//! JSON as an indented outline for people.
//!
//! Keys lose their camel case, empty values are left out, and a list of small
//! things stays on one line.

use serde_json::Value;
use std::fmt::Write as _;

/// The longest list that is shown whole.
const LONGEST: usize = 10;

/// The value as indented lines.
pub fn outline(value: &Value) -> String {
    let mut text = String::new();
    write(&mut text, value, 0);
    text
}

fn write(text: &mut String, value: &Value, depth: usize) {
    let pad = "  ".repeat(depth);
    match value {
        Value::Object(fields) => {
            for (name, field) in fields.iter().filter(|(_, field)| !is_empty(field)) {
                match inline(field) {
                    Some(short) => {
                        let _ = writeln!(text, "{pad}{}: {short}", spaced(name));
                    }
                    None => {
                        let _ = writeln!(text, "{pad}{}:", spaced(name));
                        write(text, field, depth + 1);
                    }
                }
            }
        }
        Value::Array(items) => {
            for item in items.iter().take(LONGEST) {
                let line = inline(item).unwrap_or_else(|| flat(item));
                let _ = writeln!(text, "{pad}{line}");
            }
            if items.len() > LONGEST {
                let _ = writeln!(text, "{pad}… {} more", items.len() - LONGEST);
            }
        }
        other => {
            let _ = writeln!(text, "{pad}{}", scalar(other));
        }
    }
}

/// A value that fits behind its name: a scalar, or a list of scalars.
fn inline(value: &Value) -> Option<String> {
    match value {
        Value::Object(_) => None,
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => None,
        Value::Array(items) => {
            let mut shown: Vec<String> = items.iter().take(LONGEST).map(scalar).collect();
            if items.len() > LONGEST {
                shown.push(format!("… {} more", items.len() - LONGEST));
            }
            Some(shown.join(", "))
        }
        other => Some(scalar(other)),
    }
}

/// An object on one line: `item a, weight 0.5`.
fn flat(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let parts = fields.iter().filter(|(_, field)| !is_empty(field));
            let parts = parts.map(|(name, field)| format!("{} {}", spaced(name), flat(field)));
            parts.collect::<Vec<_>>().join(", ")
        }
        Value::Array(items) => items.iter().map(flat).collect::<Vec<_>>().join(" "),
        other => scalar(other),
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        // Decayed weights have many digits; four tell enough.
        Value::Number(number) if number.is_f64() => {
            let rounded = (number.as_f64().unwrap_or_default() * 1e4).round() / 1e4;
            rounded.to_string()
        }
        other => other.to_string(),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

/// `priceBand` becomes `price band`; names that are data (`T-Light`) stay.
fn spaced(name: &str) -> String {
    if !name.starts_with(|first: char| first.is_ascii_lowercase())
        || !name.chars().all(|c| c.is_ascii_alphanumeric())
    {
        return name.to_owned();
    }
    let mut text = String::with_capacity(name.len() + 4);
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            text.push(' ');
        }
        text.push(character.to_ascii_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_profile_reads_as_an_outline() {
        let value = json!({
            "userId": "7",
            "priceBand": {"low": 1.23456, "high": 2.0},
            "queries": [],
            "interests": [{"word": "heart", "weight": 0.5}],
            "kinds": ["view", "cart"]
        });
        assert_eq!(
            outline(&value),
            "user id: 7\nprice band:\n  low: 1.2346\n  high: 2\ninterests:\n  word heart, weight 0.5\nkinds: view, cart\n"
        );
    }

    #[test]
    fn long_lists_say_how_much_is_left_out() {
        assert_eq!(
            inline(&json!([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])).as_deref(),
            Some("1, 2, 3, 4, 5, 6, 7, 8, 9, 10, … 2 more")
        );
    }
}
