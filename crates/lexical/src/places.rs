//! Where documents are: the attribute `_geo`, an object of `lat` and `lng`.
//!
//! It becomes two number columns, both or neither. What is no place (a latitude of 95,
//! a single number, a list) leaves its document without one, and nothing else.

use crate::columns::{Attribute, Values};
use crate::keys::{Key, MISSING, NUMBER};
use crate::score::Candidate;
use crate::snapshot::Core;
use domain::GeoPoint;
use serde_json::Value;
use std::sync::Arc;
use tantivy::{TantivyError, f64_to_u64};

pub(crate) const LAT: &str = "_geo.lat";
pub(crate) const LNG: &str = "_geo.lng";

/// The place that a document's `_geo` names; numbers may stand in strings.
pub fn geo_point(value: &Value) -> Option<GeoPoint> {
    let degrees = |name: &str| match value.get(name)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    GeoPoint::new(degrees("lat")?, degrees("lng")?).ok()
}

/// The places of all documents.
pub(crate) struct Places {
    lat: Arc<Attribute>,
    lng: Arc<Attribute>,
}

impl Places {
    pub fn open(core: &Core) -> Result<Self, TantivyError> {
        Ok(Self {
            lat: core.attribute(LAT)?,
            lng: core.attribute(LNG)?,
        })
    }

    /// Where a document of a segment is.
    pub fn of(&self, segment: usize, doc: u32) -> Option<GeoPoint> {
        let part = |attribute: &Attribute| {
            let values: &Values = attribute.segments.get(segment)?;
            values.number.as_ref()?.first(doc)
        };
        GeoPoint::new(part(&self.lat)?, part(&self.lng)?).ok()
    }

    /// Where a candidate stands in the order of distances from a point.
    pub fn key(&self, from: GeoPoint, candidate: &Candidate, descending: bool) -> Key {
        match self.of(candidate.segment as usize, candidate.doc) {
            Some(place) => {
                let metres = f64_to_u64(from.distance(place));
                (NUMBER, if descending { !metres } else { metres })
            }
            None => (MISSING, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_place_is_an_object_of_two_numbers() {
        let place = GeoPoint::new(45.5, -9.0).ok();
        for good in [
            json!({ "lat": 45.5, "lng": -9 }),
            json!({ "lat": "45.5", "lng": " -9 ", "name": "x" }),
        ] {
            assert_eq!(geo_point(&good), place, "{good}");
        }
        for bad in [
            json!(null),
            json!([45.5, -9]),
            json!({ "lat": 45.5 }),
            json!({ "lat": 95, "lng": 0 }),
            json!({ "lat": "north", "lng": 0 }),
            json!({ "lat": "NaN", "lng": 0 }),
        ] {
            assert_eq!(geo_point(&bad), None, "{bad}");
        }
    }
}
