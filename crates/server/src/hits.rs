//! Writing answers with documents in them, without parsing the documents again.
//!
//! A hit is the stored JSON text with the extra fields spliced in before its last
//! brace. Everything goes into one buffer that becomes the body as it is.

use engine::{FacetAnswer, SearchHit, Span};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// A JSON text under construction.
pub(crate) struct JsonText(Vec<u8>);

impl JsonText {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// Text that is JSON already.
    pub(crate) fn raw(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    /// Any value.
    pub(crate) fn value(&mut self, value: &impl Serialize) -> Result<(), serde_json::Error> {
        serde_json::to_writer(&mut self.0, value)
    }

    /// The fields of an object, to follow others: `,"a":1}` for `{"a":1}`.
    pub(crate) fn rest_of_object(
        &mut self,
        object: &impl Serialize,
    ) -> Result<(), serde_json::Error> {
        let start = self.0.len();
        self.value(object)?;
        if let Some(brace) = self.0.get_mut(start) {
            *brace = b',';
        }
        if self.0.ends_with(b",}") && self.0.len() == start + 2 {
            // An empty object has no fields to follow.
            self.0.remove(start);
        }
        Ok(())
    }

    /// A document with further fields.
    pub(crate) fn document(
        &mut self,
        document: &RawValue,
        extras: &impl Serialize,
    ) -> Result<(), serde_json::Error> {
        let text = document.get().trim_end();
        let Some(open) = text.strip_suffix('}') else {
            self.raw(text);
            return Ok(());
        };
        let open = open.trim_end();
        self.raw(open);
        let start = self.0.len();
        self.rest_of_object(extras)?;
        if open.ends_with('{') && self.0.get(start) == Some(&b',') {
            self.0.remove(start);
        }
        Ok(())
    }

    /// `[a,b]` of documents as they are.
    pub(crate) fn documents<'a>(&mut self, documents: impl IntoIterator<Item = &'a RawValue>) {
        self.raw("[");
        for (place, document) in documents.into_iter().enumerate() {
            if place > 0 {
                self.raw(",");
            }
            self.raw(document.get());
        }
        self.raw("]");
    }

    /// The bytes written.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// What a hit shows beside its document.
#[derive(Serialize)]
pub(crate) struct HitExtras<'a> {
    #[serde(rename = "_geoDistance", skip_serializing_if = "Option::is_none")]
    geo_distance: Option<u64>,
    #[serde(rename = "_formatted", skip_serializing_if = "Option::is_none")]
    formatted: Option<&'a Map<String, Value>>,
    #[serde(rename = "_matchesPosition", skip_serializing_if = "Option::is_none")]
    matches_position: Option<Positions<'a>>,
    #[serde(rename = "_rankingScore", skip_serializing_if = "Option::is_none")]
    ranking_score: Option<f64>,
    #[serde(
        rename = "_rankingScoreDetails",
        skip_serializing_if = "Option::is_none"
    )]
    ranking_score_details: Option<&'a Map<String, Value>>,
    #[serde(rename = "_federation", skip_serializing_if = "Option::is_none")]
    federation: Option<Federation<'a>>,
}

impl<'a> HitExtras<'a> {
    /// The extras of a hit of a federated search. Its score is there for merging and is
    /// left out unless the query asked for it.
    pub(crate) fn federated(hit: &'a SearchHit, origin: Federation<'a>, shows_score: bool) -> Self {
        let ranking_score = hit.ranking_score.filter(|_| shows_score);
        Self {
            ranking_score,
            federation: Some(origin),
            ..Self::from(hit)
        }
    }
}

/// Where a federated hit comes from.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Federation<'a> {
    pub(crate) index_uid: &'a str,
    pub(crate) queries_position: usize,
    pub(crate) weighted_ranking_score: f64,
}

impl<'a> From<&'a SearchHit> for HitExtras<'a> {
    fn from(hit: &'a SearchHit) -> Self {
        Self {
            geo_distance: hit.geo_distance,
            formatted: hit.formatted.as_ref(),
            matches_position: hit.matches_position.as_deref().map(Positions),
            ranking_score: hit.ranking_score,
            ranking_score_details: hit.ranking_score_details.as_ref(),
            federation: None,
        }
    }
}

/// `{"title":[{"start":0,"length":4}]}`
struct Positions<'a>(&'a [(String, Vec<Span>)]);

#[derive(Serialize)]
struct Position<'a> {
    start: usize,
    length: usize,
    #[serde(skip_serializing_if = "<[usize]>::is_empty")]
    indices: &'a [usize],
}

impl Serialize for Positions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(attribute, spans)| {
            let positions: Vec<Position<'_>> = spans
                .iter()
                .map(|span| Position {
                    start: span.start,
                    length: span.length,
                    indices: &span.indices,
                })
                .collect();
            (attribute, positions)
        }))
    }
}

/// `facetDistribution`: the values of each attribute in the order of the engine.
pub(crate) struct Distribution<'a>(pub(crate) &'a [FacetAnswer]);

impl Serialize for Distribution<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for facet in self.0 {
            map.serialize_entry(&facet.attribute, &Counts(&facet.values))?;
        }
        map.end()
    }
}

struct Counts<'a>(&'a [(String, u64)]);

impl Serialize for Counts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(value, count)| (value, count)))
    }
}

/// `facetStats`: the range of each attribute that has numbers.
pub(crate) struct Ranges<'a>(pub(crate) &'a [FacetAnswer]);

#[derive(Serialize)]
struct Range {
    min: f64,
    max: f64,
}

impl Serialize for Ranges<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().filter_map(|facet| {
            let stats = facet.stats.as_ref()?;
            Some((
                &facet.attribute,
                Range {
                    min: stats.min,
                    max: stats.max,
                },
            ))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(document: &str, extras: Value, expected: &str) {
        let document: &RawValue = serde_json::from_str(document).expect("valid JSON");
        let mut text = JsonText::with_capacity(64);
        text.document(document, &extras).expect("memory takes it");
        let written = String::from_utf8(text.finish()).expect("UTF-8");
        assert_eq!(written, expected);
        serde_json::from_str::<Value>(&written).expect("still valid JSON");
    }

    #[test]
    fn extras_are_spliced_into_the_document() {
        check(r#"{"id":1}"#, json!({}), r#"{"id":1}"#);
        check(r#"{"id":1}"#, json!({"_x":2}), r#"{"id":1,"_x":2}"#);
        check(
            r#"{"id": {"a":{}} }"#,
            json!({"_x":2}),
            r#"{"id": {"a":{}},"_x":2}"#,
        );
        check("{ }", json!({"_x":2}), r#"{"_x":2}"#);
        check("{}", json!({}), "{}");
    }
}
