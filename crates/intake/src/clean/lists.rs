//! Brings categories to one flat list of names.
//!
//! Shops write them as lists, lists of paths, objects with a name, or as one
//! text with separators. Each level of a path becomes a value of its own, so
//! that a filter on any level finds the item.

use super::markup::plain;
use rustc_hash::FxHashSet;
use serde_json::Value;

/// Marks between the levels of one path.
const LEVELS: [&str; 5] = [">", "»", "›", "→", " / "];
/// Attributes under which a category object keeps its name.
const NAME_KEYS: [&str; 5] = ["name", "title", "label", "名称", "value"];

/// The flat list, or `None` when the value is one already: a name, or a list of names.
pub(super) fn flat_categories(value: &Value) -> Option<Value> {
    let mut names = Names::default();
    match value {
        Value::String(text) => {
            let cleaned = plain(text);
            let text = cleaned
                .as_ref()
                .map_or(text.as_str(), |plain| plain.text.as_str());
            match split(text) {
                Some(parts) => parts.iter().for_each(|part| names.add_path(part)),
                None => return cleaned.map(|plain| Value::String(plain.text)),
            }
        }
        Value::Array(list) if list.iter().all(is_plain_name) => return None,
        Value::Array(_) | Value::Object(_) => names.add(value),
        Value::Null | Value::Bool(_) | Value::Number(_) => return None,
    }
    Some(Value::Array(names.list))
}

fn is_plain_name(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.is_empty() && !is_path(text) && plain(text).is_none(),
        _ => false,
    }
}

fn is_path(text: &str) -> bool {
    LEVELS.iter().any(|mark| text.contains(mark))
}

/// Names in the order in which they come, each once.
#[derive(Default)]
struct Names {
    list: Vec<Value>,
    seen: FxHashSet<String>,
}

impl Names {
    fn add(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.add_path(text),
            Value::Number(number) => self.add_name(&number.to_string()),
            Value::Array(list) => list.iter().for_each(|inner| self.add(inner)),
            Value::Object(object) => {
                if let Some(name) = NAME_KEYS.iter().find_map(|key| object.get(*key)) {
                    self.add(name);
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// Adds every level of `A > B > C`.
    fn add_path(&mut self, text: &str) {
        let cleaned = plain(text);
        let text = cleaned.as_ref().map_or(text, |plain| plain.text.as_str());
        let mut parts = vec![text];
        for mark in LEVELS {
            if text.contains(mark) {
                parts = parts
                    .into_iter()
                    .flat_map(|part| part.split(mark))
                    .collect();
            }
        }
        for part in parts {
            // A cut can uncover what was whole before, such as an accent without its letter.
            let again = plain(part);
            self.add_name(again.as_ref().map_or(part, |plain| plain.text.as_str()));
        }
    }

    fn add_name(&mut self, name: &str) {
        // A split at one mark can leave half of ` / ` at an end.
        let name = name.trim();
        if !name.is_empty() && self.seen.insert(name.to_owned()) {
            self.list.push(Value::String(name.to_owned()));
        }
    }
}

/// Splits a text that holds a list; `None` when it is one name.
fn split(text: &str) -> Option<Vec<String>> {
    if let Some(inner) = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return Some(bracketed(text, inner));
    }
    let marks: &[char] = if text.contains(['|', ';']) {
        &['|', ';']
    } else if is_path(text) {
        return Some(vec![text.to_owned()]);
    } else if text.contains([',', '、']) {
        return comma_separated(text);
    } else {
        return None;
    };
    Some(text.split(marks).map(str::to_owned).collect())
}

/// Splits at commas, except inside a number such as `1,000`.
fn comma_separated(text: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, mark) in text.char_indices().filter(|(_, c)| matches!(c, ',' | '、')) {
        let (before, from) = text.split_at(at);
        let behind = from.get(mark.len_utf8()..).unwrap_or_default();
        let in_number = before.ends_with(|c: char| c.is_ascii_digit())
            && behind.starts_with(|c: char| c.is_ascii_digit());
        if !in_number {
            parts.push(text.get(start..at).unwrap_or_default().to_owned());
            start = at + mark.len_utf8();
        }
    }
    if parts.is_empty() {
        return None;
    }
    parts.push(text.get(start..).unwrap_or_default().to_owned());
    Some(parts)
}

/// `["a", "b"]` as JSON, `['a', 'b']` as Python writes it, or `[a, b]`.
fn bracketed(text: &str, inner: &str) -> Vec<String> {
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        let mut parts = Vec::new();
        collect_texts(&value, &mut parts);
        return parts;
    }
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut quote = None;
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(_), '\\') => part.extend(chars.next()),
            (Some(open), close) if open == close => quote = None,
            (None, '\'' | '"') if part.trim().is_empty() => quote = Some(c),
            (None, ',') => parts.push(std::mem::take(&mut part)),
            (None, '[' | ']') => {}
            _ => part.push(c),
        }
    }
    parts.push(part);
    parts
}

fn collect_texts(value: &Value, parts: &mut Vec<String>) {
    match value {
        Value::String(text) => parts.push(text.clone()),
        Value::Number(number) => parts.push(number.to_string()),
        Value::Array(list) => list.iter().for_each(|inner| collect_texts(inner, parts)),
        Value::Object(object) => {
            if let Some(name) = NAME_KEYS.iter().find_map(|key| object.get(*key)) {
                collect_texts(name, parts);
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(given: Value, expected: Value) {
        let found = flat_categories(&given).unwrap_or_else(|| given.clone());
        assert_eq!(found, expected, "{given}");
        assert_eq!(flat_categories(&found), None, "{found} is not stable");
    }

    #[test]
    fn every_way_to_write_categories_becomes_one_list() {
        check(
            json!([["Beauty", "Makeup", "Nails"], ["Beauty", "Gifts"]]),
            json!(["Beauty", "Makeup", "Nails", "Gifts"]),
        );
        check(json!("A > B > C"), json!(["A", "B", "C"]));
        check(json!("A &gt; B|A &gt; C"), json!(["A", "B", "C"]));
        check(json!(["A > B", "C"]), json!(["A", "B", "C"]));
        check(json!("a, b"), json!(["a", "b"]));
        check(json!("a|b, c"), json!(["a", "b, c"]));
        check(json!("家居、床品，被枕"), json!(["家居", "床品", "被枕"]));
        check(json!("[\"a\",\"b\"]"), json!(["a", "b"]));
        check(json!("['a', 'it\\'s', \"b\"]"), json!(["a", "it's", "b"]));
        check(json!("[a, b]"), json!(["a", "b"]));
        check(json!("[]"), json!([]));
        check(
            json!([{"id": 1, "name": "Hats"}, {"id": 2, "name": "Caps"}]),
            json!(["Hats", "Caps"]),
        );
        check(
            json!("1,000 piece puzzles, games"),
            json!(["1,000 piece puzzles", "games"]),
        );
    }

    #[test]
    fn names_and_lists_of_names_stay() {
        for value in [
            json!("床品件套"),
            json!("Home & Garden"),
            json!(["Health, Beauty", "B"]),
            json!([]),
            json!(null),
        ] {
            assert_eq!(flat_categories(&value), None, "{value}");
        }
        check(json!(" Hats "), json!("Hats"));
    }
}
