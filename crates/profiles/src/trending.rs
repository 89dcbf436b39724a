//! What the shop sells now, and what it always sells.
//!
//! Popularity is the long-term activity of an item. Trending asks whether an
//! item has more of the shop's short-term activity than its long-term share
//! leads to expect, so that a bestseller does not trend for being a bestseller
//! and a Christmas rush does not make everything trend.

use crate::decay::{LONG_DAYS, SHORT_DAYS};
use crate::fold::{ItemNo, Profiles};
use crate::item::Activity;
use domain::Timestamp;

/// Smoothing of the trend: about how much short-term activity counts as noise.
pub(crate) const NOISE: f64 = 1.0;
/// The shop as a whole is taken to grow at most this many times its usual pace. Beyond it the shop is new, and
/// what sells at all trends.
const FASTEST_GROWTH: f64 = 3.0;

/// What activity is worth in sales.
pub(crate) fn worth(activity: &Activity) -> f64 {
    activity.sales + 0.2 * activity.carts + 0.02 * activity.views
}

impl Profiles {
    /// Items above their expectation, the strongest first, equal ones by id.
    ///
    /// With s and l the short- and long-term worth of an item (half-lives of 7 and 90 days; a sale counts 1, a cart
    /// .2, a view or click .02), S and L their sums over the shop, and e = l · min(S / L, 3 · 7 / 90) the short-term
    /// worth that the item's usual share leads to expect, the score is (s - e) / √(e + 1): how far s is above e in
    /// units of its chance variation, smoothed. Only positive scores are listed.
    pub fn trending(&self, now: Timestamp) -> Vec<(ItemNo, f64)> {
        let worths: Vec<(f64, f64)> = self
            .items
            .iter()
            .map(|item| (worth(&item.short_term(now)), worth(&item.long_term(now))))
            .collect();
        let short: f64 = worths.iter().map(|worth| worth.0).sum();
        let long: f64 = worths.iter().map(|worth| worth.1).sum();
        if long <= 0.0 {
            return Vec::new();
        }
        let pace = (short / long).min(FASTEST_GROWTH * SHORT_DAYS / LONG_DAYS);
        let score = |(short, long): (f64, f64)| {
            let expected = long * pace;
            (short - expected) / (expected + NOISE).sqrt()
        };
        self.ranked(worths.into_iter().map(score))
    }

    /// Items by long-term worth (as in [`Profiles::trending`]), the most popular first, equal ones by id.
    pub fn popular(&self, now: Timestamp) -> Vec<(ItemNo, f64)> {
        self.ranked(self.items.iter().map(|item| worth(&item.long_term(now))))
    }

    fn ranked(&self, scores: impl Iterator<Item = f64>) -> Vec<(ItemNo, f64)> {
        let mut ranked: Vec<(ItemNo, f64)> = (0..)
            .zip(scores)
            .filter(|&(_, score)| score > 0.0)
            .collect();
        ranked.sort_unstable_by(|a, b| {
            b.1.total_cmp(&a.1)
                .then_with(|| self.item_id(a.0).cmp(self.item_id(b.0)))
        });
        ranked
    }
}
