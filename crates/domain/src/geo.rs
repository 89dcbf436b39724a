//! Places on the earth: points, distances and areas.
//!
//! The earth is taken for a ball, which is wrong by half a percent at most and right
//! enough to tell which shop is near.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The mean radius of the earth in metres.
const EARTH_RADIUS: f64 = 6_371_008.8;
/// Corners of one polygon.
const MOST_CORNERS: usize = 1000;

/// A place: latitude from -90 to 90, longitude from -180 to 180.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GeoPoint {
    lat: f64,
    lng: f64,
}

/// Neither part is ever NaN.
impl Eq for GeoPoint {}

/// Why numbers are no place or area.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GeoError {
    #[error("bad latitude `{0}`: it must be contained between -90 and 90 degrees")]
    Latitude(f64),
    #[error("bad longitude `{0}`: it must be contained between -180 and 180 degrees")]
    Longitude(f64),
    #[error("bad radius `{0}`: it must be a number of metres that is not negative")]
    Radius(f64),
    #[error("the top latitude `{top}` is below the bottom latitude `{bottom}`")]
    UpsideDown { top: f64, bottom: f64 },
    #[error("a polygon needs 3 to {MOST_CORNERS} corners, this one has {0}")]
    Corners(usize),
}

/// A part of the earth's surface.
#[derive(Clone, Debug, PartialEq)]
pub enum GeoArea {
    /// Everything this near.
    Radius {
        centre: GeoPoint,
        metres: f64,
    },
    /// From south-west to north-east; it may cross the line where the date changes.
    Box {
        top_right: GeoPoint,
        bottom_left: GeoPoint,
    },
    Polygon {
        corners: Vec<GeoPoint>,
    },
}

impl GeoPoint {
    /// Checks latitude and longitude.
    pub fn new(lat: f64, lng: f64) -> Result<Self, GeoError> {
        if !(-90.0..=90.0).contains(&lat) {
            return Err(GeoError::Latitude(lat));
        }
        if !(-180.0..=180.0).contains(&lng) {
            return Err(GeoError::Longitude(lng));
        }
        Ok(Self { lat, lng })
    }

    pub fn lat(self) -> f64 {
        self.lat
    }

    pub fn lng(self) -> f64 {
        self.lng
    }

    /// Metres along the surface, by the haversine formula.
    pub fn distance(self, other: Self) -> f64 {
        let half_sine = |a: f64, b: f64| ((b - a).to_radians() / 2.0).sin().powi(2);
        let cosines = self.lat.to_radians().cos() * other.lat.to_radians().cos();
        let chord = half_sine(self.lat, other.lat) + cosines * half_sine(self.lng, other.lng);
        2.0 * EARTH_RADIUS * chord.clamp(0.0, 1.0).sqrt().asin()
    }
}

impl GeoArea {
    /// Everything within a distance.
    pub fn radius(centre: GeoPoint, metres: f64) -> Result<Self, GeoError> {
        if !metres.is_finite() || metres < 0.0 {
            return Err(GeoError::Radius(metres));
        }
        Ok(Self::Radius { centre, metres })
    }

    /// A box by two of its corners.
    pub fn rectangle(top_right: GeoPoint, bottom_left: GeoPoint) -> Result<Self, GeoError> {
        if top_right.lat < bottom_left.lat {
            return Err(GeoError::UpsideDown {
                top: top_right.lat,
                bottom: bottom_left.lat,
            });
        }
        Ok(Self::Box {
            top_right,
            bottom_left,
        })
    }

    /// A polygon by its corners in order; the last side leads back to the first.
    pub fn polygon(corners: Vec<GeoPoint>) -> Result<Self, GeoError> {
        if !(3..=MOST_CORNERS).contains(&corners.len()) {
            return Err(GeoError::Corners(corners.len()));
        }
        Ok(Self::Polygon { corners })
    }

    /// Whether a place lies in it.
    pub fn contains(&self, point: GeoPoint) -> bool {
        match self {
            Self::Radius { centre, metres } => centre.distance(point) <= *metres,
            Self::Box {
                top_right,
                bottom_left,
            } => {
                let (west, east) = (bottom_left.lng, top_right.lng);
                let between = if west <= east {
                    (west..=east).contains(&point.lng)
                } else {
                    point.lng >= west || point.lng <= east
                };
                between && (bottom_left.lat..=top_right.lat).contains(&point.lat)
            }
            Self::Polygon { corners } => is_inside(corners, point),
        }
    }
}

/// Counts how many sides a line to the east crosses: an odd number from inside.
fn is_inside(corners: &[GeoPoint], point: GeoPoint) -> bool {
    let mut inside = false;
    let sides = corners.iter().zip(corners.iter().cycle().skip(1));
    for (from, to) in sides {
        if (from.lat > point.lat) != (to.lat > point.lat) {
            let along = (point.lat - from.lat) / (to.lat - from.lat);
            inside ^= point.lng < from.lng + along * (to.lng - from.lng);
        }
    }
    inside
}

impl fmt::Display for GeoArea {
    /// As it would be written in a filter.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Radius { centre, metres } => {
                write!(f, "_geoRadius({}, {}, {metres})", centre.lat, centre.lng)
            }
            Self::Box {
                top_right: a,
                bottom_left: b,
            } => write!(
                f,
                "_geoBoundingBox([{}, {}], [{}, {}])",
                a.lat, a.lng, b.lat, b.lng
            ),
            Self::Polygon { corners } => {
                let corners: Vec<String> = corners
                    .iter()
                    .map(|corner| format!("[{}, {}]", corner.lat, corner.lng))
                    .collect();
                write!(f, "_geoPolygon({})", corners.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lat: f64, lng: f64) -> GeoPoint {
        GeoPoint::new(lat, lng).expect("a place")
    }

    #[test]
    fn distances_are_those_of_an_atlas() {
        let (paris, london) = (at(48.8566, 2.3522), at(51.5074, -0.1278));
        let metres = paris.distance(london);
        assert!((343_000.0..345_000.0).contains(&metres), "{metres}");
        assert_eq!(paris.distance(paris), 0.0);
        // Across the line where the date changes it is near, not around the world.
        assert!(at(0.0, 179.9).distance(at(0.0, -179.9)) < 23_000.0);
        let half = at(0.0, 0.0).distance(at(0.0, 180.0));
        assert!((20_000_000.0..20_030_000.0).contains(&half), "{half}");
    }

    #[test]
    fn areas_hold_what_lies_in_them() {
        let around = GeoArea::radius(at(45.0, 9.0), 1000.0).expect("an area");
        assert!(around.contains(at(45.005, 9.005)));
        assert!(!around.contains(at(45.02, 9.0)));
        let wide = GeoArea::rectangle(at(10.0, -170.0), at(-10.0, 170.0)).expect("an area");
        assert!(wide.contains(at(0.0, 175.0)) && wide.contains(at(0.0, -175.0)));
        assert!(!wide.contains(at(0.0, 0.0)) && !wide.contains(at(11.0, 175.0)));
        let notch = [(0.0, 0.0), (0.0, 4.0), (4.0, 4.0), (1.0, 2.0), (4.0, 0.0)];
        let notch = notch.iter().map(|(lat, lng)| at(*lat, *lng)).collect();
        let notch = GeoArea::polygon(notch).expect("an area");
        assert!(notch.contains(at(0.5, 2.0)) && notch.contains(at(3.0, 3.8)));
        assert!(!notch.contains(at(3.0, 2.0)) && !notch.contains(at(0.5, 5.0)));
    }

    #[test]
    fn what_is_nowhere_is_refused() {
        assert!(GeoPoint::new(90.1, 0.0).is_err());
        assert!(GeoPoint::new(0.0, -180.1).is_err());
        assert!(GeoPoint::new(f64::NAN, 0.0).is_err());
        assert!(GeoArea::radius(at(0.0, 0.0), -1.0).is_err());
        assert!(GeoArea::radius(at(0.0, 0.0), f64::INFINITY).is_err());
        assert!(GeoArea::rectangle(at(0.0, 1.0), at(1.0, 0.0)).is_err());
        assert!(GeoArea::polygon(vec![at(0.0, 0.0); 2]).is_err());
        assert!(GeoArea::polygon(vec![at(0.0, 0.0); 1001]).is_err());
    }
}
