//! What happened in the shop as a whole, against which one item is measured.
//!
//! An item with three views says little by itself. Rates and ratings of items
//! are therefore drawn towards those of the shop, which these totals give.

use crate::line::{Line, tamed};
use domain::{Event, EventKind};
use serde::{Deserialize, Serialize};

/// Sums over all items, without the events of robots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Totals {
    /// Views and clicks.
    pub looks: u64,
    pub carts: u64,
    /// Purchase lines, returns not among them.
    pub purchases: u64,
    pub ratings: u64,
    pub rating_sum: f64,
    /// Sum of the squares of the ratings.
    pub rating_squares: f64,
    pub likes: u64,
    pub dislikes: u64,
}

impl Totals {
    pub(crate) fn fold(&mut self, event: &Event, line: Option<&Line>) {
        match event.kind {
            EventKind::View | EventKind::Click => self.looks += 1,
            EventKind::Cart => self.carts += 1,
            EventKind::Purchase => {
                self.purchases += u64::from(line.is_some_and(|line| !line.is_return()));
            }
            EventKind::Rate => {
                if let Some(rating) = tamed(event.value) {
                    self.ratings += 1;
                    self.rating_sum += rating;
                    self.rating_squares += rating * rating;
                }
            }
            EventKind::Like => self.likes += 1,
            EventKind::Dislike => self.dislikes += 1,
            EventKind::Search => {}
        }
    }
}
