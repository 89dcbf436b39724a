//! What is like something that the shopper disliked moves back.
//!
//! The item itself never comes back. One of the same brand and category, or with nearly the
//! same vector, loses up to half of its lead over the least of the best candidates: one
//! dislike is no judgement of a whole shelf.

use super::candidate::{Passed, range, sort};
use super::diversity::BEST;
use super::likeness::{Face, Likeness};
use lexical::{Place, QueryError};

/// The most that a score loses of its lead.
const MOST: f64 = 0.5;
/// Cosines from here on are near; at 1 it is the same item.
const NEAR: f64 = 0.8;

/// Moves back what is like these items.
pub(super) fn move_back(
    passed: &mut [Passed],
    likeness: &Likeness<'_>,
    disliked: &[Place],
) -> Result<(), QueryError> {
    let best = passed.len().min(BEST);
    let passed = &mut passed[..best];
    let Some((least, _)) = range(passed) else {
        return Ok(());
    };
    let disliked = disliked.iter().map(|place| likeness.face(*place));
    let disliked = disliked.collect::<Result<Vec<Face>, QueryError>>()?;
    for item in passed.iter_mut() {
        let face = likeness.face(item.place)?;
        let nearness = disliked
            .iter()
            .map(|other| nearness(likeness, &face, other));
        let nearness = nearness.fold(0.0, f64::max);
        if nearness > 0.0 {
            let lead = item.candidate.score - least;
            item.candidate.add("dislike", -MOST * nearness * lead);
        }
    }
    sort(passed);
    Ok(())
}

/// From 0, not like it within reason, to 1.
fn nearness(likeness: &Likeness<'_>, face: &Face, disliked: &Face) -> f64 {
    if face.traits.is_of_same_shelf(&disliked.traits) {
        return 1.0;
    }
    let cosine = likeness.cosine(face, disliked);
    cosine.map_or(0.0, |cosine| ((cosine - NEAR) / (1.0 - NEAR)).max(0.0))
}
