//! An item under consideration, and what its score is made of.

use domain::Score;
use lexical::Place;
use profiles::ItemNo;
use std::cmp::Reverse;

/// An item a source proposes.
pub(super) struct Candidate {
    pub item: Item,
    pub score: f64,
    pub source: &'static str,
    /// Addends of the score, but for those of the models.
    pub parts: Vec<Part>,
    /// The models have a part in the score, and tell it when asked.
    pub modelled: bool,
}

/// Which item.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Item {
    /// By its number among those that events have named.
    Number(ItemNo),
    /// By its place in the catalogue of the live model, where nobody has done anything with it.
    Place(u32),
    /// By its id, where the catalogue proposes it.
    Id(String),
}

/// An addend of a score: what it rests on, and the item it is about, if one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    pub because: &'static str,
    pub item: Option<ItemNo>,
    pub value: f64,
}

/// A candidate that may be shown.
pub(super) struct Passed {
    pub id: String,
    pub place: Place,
    pub candidate: Candidate,
}

impl Part {
    pub fn new(because: &'static str, value: f64) -> Self {
        Self {
            because,
            item: None,
            value,
        }
    }
}

impl Candidate {
    /// One whose whole score is of its source.
    pub fn whole(item: Item, source: &'static str, score: f64) -> Self {
        Self {
            item,
            score,
            source,
            parts: vec![Part::new(source, score)],
            modelled: false,
        }
    }

    /// One whose score is the sum of these.
    pub fn of_parts(item: Item, source: &'static str, parts: Vec<Part>) -> Self {
        Self {
            item,
            score: parts.iter().map(|part| part.value).sum(),
            source,
            parts,
            modelled: false,
        }
    }

    /// Moves the score; it is told with the first addend, which says where on its scale it is.
    pub fn shift(&mut self, offset: f64) {
        self.score += offset;
        if let Some(part) = self.parts.first_mut() {
            part.value += offset;
        }
    }

    /// Changes the score by an addend, which is told with the others.
    pub fn add(&mut self, because: &'static str, value: f64) {
        self.score += value;
        self.parts.push(Part::new(because, value));
    }
}

/// The best first; equal ones stay as they are.
pub(super) fn sort(passed: &mut [Passed]) {
    passed.sort_by_key(|item| Reverse(Score::new(item.candidate.score as f32)));
}

/// From the least to the largest score; `None` without any.
pub(super) fn range(passed: &[Passed]) -> Option<(f64, f64)> {
    let scores = passed.iter().map(|item| item.candidate.score);
    let least = scores.clone().reduce(f64::min)?;
    Some((least, scores.reduce(f64::max)?))
}
