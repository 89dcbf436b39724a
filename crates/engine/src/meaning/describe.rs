//! What of a document is encoded: a short description made from its roles, or what the shop's
//! template says.
//!
//! A description is short on purpose. The title says what an item is; a long text behind it
//! drowns that, and costs as much time as it has words.

use super::DEFAULT_EMBEDDER;
use super::embedders::plans;
use crate::snapshot::IndexState;
use intake::{Role, Roles};
use serde_json::{Map, Value};
use std::fmt::Write as _;

/// The longest share of each role, in characters.
const PARTS: [(Role, usize); 4] = [
    (Role::Title, 250),
    (Role::Brand, 60),
    (Role::Categories, 100),
    (Role::Text, 160),
];
/// The longest description by a template, in characters.
const LONGEST: usize = 2_000;

/// A template with places for attributes: `{{ doc.title }} of {{ doc.brand }}`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    /// A dotted path.
    Attribute(String),
}

impl Template {
    /// Reads a template.
    pub fn new(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("{{") {
            parts.push(Part::Text(before.to_owned()));
            let (place, behind) = behind
                .split_once("}}")
                .ok_or("`documentTemplate` has `{{` without `}}`")?;
            let path = place.trim().strip_prefix("doc.").ok_or_else(|| {
                format!("`documentTemplate` has `{{{{{place}}}}}`; only places such as `{{{{ doc.title }}}}` are possible")
            })?;
            parts.push(Part::Attribute(path.trim().to_owned()));
            rest = behind;
        }
        if rest.contains("{%") {
            return Err(
                "`documentTemplate` has `{%`; only places such as `{{ doc.title }}` are possible"
                    .to_owned(),
            );
        }
        parts.push(Part::Text(rest.to_owned()));
        let text = text.to_owned();
        Ok(Self { text, parts })
    }

    /// The template as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn fill(&self, document: &Map<String, Value>) -> String {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Attribute(path) => filled.push_str(&text_at(document, path)),
            }
        }
        start(filled.trim(), LONGEST).to_owned()
    }
}

/// The description of a document; empty when there is nothing to say.
pub(super) fn describe(
    template: Option<&Template>,
    roles: &Roles,
    document: &Map<String, Value>,
) -> String {
    if let Some(template) = template {
        return template.fill(document);
    }
    let mut description = String::new();
    for (role, most) in PARTS {
        let texts = roles.get(role).iter().map(|path| text_at(document, path));
        let text = texts.filter(|text| !text.is_empty()).collect::<Vec<_>>();
        let text = text.join(" ");
        let text = start(text.trim(), most);
        // A title that begins with the brand need not say it again.
        if text.is_empty() || description.contains(text) {
            continue;
        }
        if !description.is_empty() {
            description.push_str(". ");
        }
        description.push_str(text);
    }
    description
}

/// Makes the descriptions of an index's documents, as its standard embedder encodes them.
pub(crate) struct Describer {
    template: Option<Template>,
    roles: Roles,
}

impl Describer {
    pub(crate) fn new(state: &IndexState) -> Self {
        let mut plans = plans(&state.meta.settings);
        Self {
            template: plans
                .remove(DEFAULT_EMBEDDER)
                .and_then(|plan| plan.template),
            roles: state.roles.clone(),
        }
    }

    /// The description of a document.
    pub(crate) fn text(&self, document: &Map<String, Value>) -> String {
        describe(self.template.as_ref(), &self.roles, document)
    }
}

/// What in a description's making could change it, in one text.
pub(super) fn manner(template: Option<&Template>, roles: &Roles) -> String {
    if let Some(template) = template {
        return template.text().to_owned();
    }
    let mut manner = String::new();
    for (role, most) in PARTS {
        // Writing to a string cannot fail.
        let _ = write!(manner, "{}:{most}:{:?};", role.as_str(), roles.get(role));
    }
    manner
}

/// The first characters of a text.
fn start(text: &str, most: usize) -> &str {
    let end = text.char_indices().nth(most);
    end.map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}

/// The texts and numbers at a dotted path, those of lists and objects side by side.
fn text_at(document: &Map<String, Value>, path: &str) -> String {
    let mut text = String::new();
    if let Some(value) = at(document, path) {
        collect(value, &mut text);
    }
    text
}

fn at<'a>(document: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    if let Some(value) = document.get(path) {
        return Some(value);
    }
    let (first, rest) = path.split_once('.')?;
    at(document.get(first)?.as_object()?, rest)
}

fn collect(value: &Value, text: &mut String) {
    let mut push = |word: &str| {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
    };
    match value {
        Value::String(word) => push(word.trim()),
        Value::Number(number) => push(&number.to_string()),
        Value::Array(list) => list.iter().for_each(|value| collect(value, text)),
        Value::Object(object) => object.values().for_each(|value| collect(value, text)),
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn roles_make_a_short_description() {
        let mut roles = Roles::default();
        roles.set(Role::Title, vec!["name".to_owned()]);
        roles.set(Role::Brand, vec!["maker".to_owned()]);
        roles.set(Role::Categories, vec!["path.names".to_owned()]);
        roles.set(Role::Text, vec!["about".to_owned()]);
        let document = object(json!({
            "name": "Acme kettle", "maker": "Acme", "path": {"names": ["Kitchen", "Kettles"]},
            "about": "é".repeat(500), "price": 3,
        }));
        let description = describe(None, &roles, &document);
        assert_eq!(
            description,
            format!("Acme kettle. Kitchen Kettles. {}", "é".repeat(160))
        );
        assert_eq!(describe(None, &roles, &Map::new()), "");
        assert_ne!(manner(None, &roles), manner(None, &Roles::default()));
    }

    #[test]
    fn a_template_has_places_for_attributes() {
        let template = Template::new("{{doc.title}}, {{ doc.size.cm }} cm").expect("good");
        let document = object(json!({"title": "Desk", "size": {"cm": 120}}));
        let filled = describe(Some(&template), &Roles::default(), &document);
        assert_eq!(filled, "Desk, 120 cm");
        for wrong in ["{{ title }}", "{% if doc.a %}x{% endif %}", "a {{doc.b"] {
            assert!(Template::new(wrong).is_err(), "{wrong}");
        }
    }
}
