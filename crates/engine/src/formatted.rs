//! `_formatted` and `_matchesPosition`: a document with its matches marked and long texts cropped.
//!
//! The words index tells which normalised terms it matched; here every string of the
//! document is cut into tokens again and the tokens among those terms are marked.

use crate::search::{SearchRequest, Span};
use lexical::MatchedTerms;
use serde_json::{Map, Value};
use text::{Analyzer, Match};

/// Marks matches for one answer; borrowed by every hit of it.
pub(crate) struct Formatter<'a> {
    pub request: &'a SearchRequest,
    pub analyzer: &'a Analyzer,
    pub terms: &'a MatchedTerms,
}

impl Formatter<'_> {
    /// Whether the request asks for `_formatted` at all.
    pub(crate) fn is_wanted(request: &SearchRequest) -> bool {
        !request.highlight.is_empty() || !request.crop.is_empty()
    }

    /// The document as `_formatted`: strings highlighted and cropped, numbers as strings.
    /// Holds what is retrieved and what is named to be highlighted or cropped.
    pub(crate) fn format(
        &self,
        document: &Map<String, Value>,
        retrieved: &dyn Fn(&str) -> bool,
    ) -> Map<String, Value> {
        let mut formatted = Map::new();
        for (name, value) in document {
            let named = self.highlights(name) || self.crop_words(name).is_some();
            if named || retrieved(name) {
                formatted.insert(name.clone(), self.format_value(name, value));
            }
        }
        formatted
    }

    fn format_value(&self, path: &str, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.format_text(path, text)),
            Value::Number(number) => Value::String(self.format_text(path, &number.to_string())),
            Value::Array(list) => list
                .iter()
                .map(|element| self.format_value(path, element))
                .collect(),
            Value::Object(object) => {
                let mut inner = Map::new();
                for (key, element) in object {
                    inner.insert(
                        key.clone(),
                        self.format_value(&format!("{path}.{key}"), element),
                    );
                }
                Value::Object(inner)
            }
            Value::Null | Value::Bool(_) => value.clone(),
        }
    }

    fn format_text(&self, path: &str, text: &str) -> String {
        let highlights = self.highlights(path);
        let crop = self.crop_words(path);
        if !highlights && crop.is_none() {
            return text.to_owned();
        }
        let matches = self.matches(text);
        let (shown, matches) = match crop {
            Some(words) => text::crop(
                self.analyzer,
                text,
                &matches,
                words,
                &self.request.crop_marker,
            ),
            None => (text.to_owned(), matches),
        };
        if !highlights || matches.is_empty() {
            return shown;
        }
        text::highlight(
            &shown,
            &matches,
            &self.request.highlight_pre,
            &self.request.highlight_post,
        )
    }

    fn matches(&self, text: &str) -> Vec<Match> {
        if self.terms.is_empty() {
            return Vec::new();
        }
        text::find_matches(self.analyzer, text, &|token| self.terms.matched(token))
    }

    /// Every match in the document, by attribute path.
    pub(crate) fn positions(&self, document: &Map<String, Value>) -> Vec<(String, Vec<Span>)> {
        let mut found = Vec::new();
        for (name, value) in document {
            self.collect_positions(name, value, &mut Vec::new(), &mut found);
        }
        found
    }

    fn collect_positions(
        &self,
        path: &str,
        value: &Value,
        indices: &mut Vec<usize>,
        found: &mut Vec<(String, Vec<Span>)>,
    ) {
        match value {
            Value::String(text) => self.add_spans(path, text, indices, found),
            Value::Number(number) => self.add_spans(path, &number.to_string(), indices, found),
            Value::Array(list) => {
                for (index, element) in list.iter().enumerate() {
                    indices.push(index);
                    self.collect_positions(path, element, indices, found);
                    indices.pop();
                }
            }
            Value::Object(object) => {
                for (key, element) in object {
                    self.collect_positions(&format!("{path}.{key}"), element, indices, found);
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn add_spans(
        &self,
        path: &str,
        text: &str,
        indices: &[usize],
        found: &mut Vec<(String, Vec<Span>)>,
    ) {
        let spans = self.matches(text).into_iter().map(|at| Span {
            start: at.start,
            length: at.end - at.start,
            indices: indices.to_vec(),
        });
        let spans: Vec<Span> = spans.collect();
        if spans.is_empty() {
            return;
        }
        match found.iter_mut().find(|(known, _)| known == path) {
            Some((_, list)) => list.extend(spans),
            None => found.push((path.to_owned(), spans)),
        }
    }

    fn highlights(&self, path: &str) -> bool {
        self.request.highlight.iter().any(|name| names(name, path))
    }

    /// The crop length for an attribute, when it is to be cropped.
    fn crop_words(&self, path: &str) -> Option<usize> {
        let own = self
            .request
            .crop
            .iter()
            .find(|crop| crop.name != "*" && names(&crop.name, path));
        let any = || self.request.crop.iter().find(|crop| crop.name == "*");
        let crop = own.or_else(any)?;
        Some(crop.words.unwrap_or(self.request.crop_length))
    }
}

/// Whether a requested name (`*`, `title`, `specs`) means this path.
fn names(requested: &str, path: &str) -> bool {
    requested == "*"
        || requested == path
        || path
            .strip_prefix(requested)
            .is_some_and(|rest| rest.starts_with('.'))
}
