//! Rates and ratings that few events cannot fool.
//!
//! - A rate is smoothed with a Beta prior at the rate of the shop, as heavy as
//!   [`PRIOR_TRIALS`] trials: (s + a·p) / (n + a).
//! - A rating is the posterior mean under a prior of [`PRIOR_RATINGS`] ratings
//!   at the mean of the shop, and its interval is that mean ± 1.96 standard
//!   errors with the pooled variance.
//! - The share of likes has the interval of Wilson ("Probable Inference, the
//!   Law of Succession, and Statistical Inference", JASA 1927).

use crate::item::ItemStats;
use crate::totals::Totals;
use serde::Serialize;

/// Weight of the shop's rate, in trials.
const PRIOR_TRIALS: f64 = 20.0;
/// Weight of the shop's mean rating, in ratings.
const PRIOR_RATINGS: f64 = 5.0;
/// The quantile of the normal distribution for intervals of 95 %.
const Z: f64 = 1.96;

/// How often one step led to the next.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Rate {
    /// Smoothed, 0 to 1.
    pub rate: f64,
    /// How often the next step was taken.
    pub taken: u64,
    /// How often it could have been.
    pub of: u64,
}

/// From looking at an item to buying it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Conversion {
    pub view_to_cart: Rate,
    pub cart_to_purchase: Rate,
    pub view_to_purchase: Rate,
}

/// A mean with what is certain about it at 95 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Estimate {
    /// What was given, on average.
    pub mean: f64,
    pub count: u64,
    /// Drawn towards the shop's mean, the more the fewer there are.
    pub estimate: f64,
    pub low: f64,
    pub high: f64,
}

impl ItemStats {
    /// How often a look led to a cart, a cart to a purchase, and a look to a purchase.
    pub fn conversion(&self, shop: &Totals) -> Conversion {
        let looks = self.views + self.clicks;
        Conversion {
            view_to_cart: rate(self.carts, looks, shop.carts, shop.looks),
            cart_to_purchase: rate(self.purchases, self.carts, shop.purchases, shop.carts),
            view_to_purchase: rate(self.purchases, looks, shop.purchases, shop.looks),
        }
    }

    /// Its rating with how certain it is; `None` before the first.
    pub fn rating_estimate(&self, shop: &Totals) -> Option<Estimate> {
        let (n, all) = (self.ratings as f64, shop.ratings as f64);
        if self.ratings == 0 || shop.ratings == 0 {
            return None;
        }
        let mean = shop.rating_sum / all;
        let variance = (shop.rating_squares / all - mean * mean).max(0.0);
        let weight = PRIOR_RATINGS + n;
        let estimate = (PRIOR_RATINGS * mean + self.rating_sum) / weight;
        let around = self.rating_squares - 2.0 * mean * self.rating_sum + n * mean * mean;
        let pooled = (PRIOR_RATINGS * variance + around.max(0.0)) / weight;
        let error = Z * (pooled / weight).sqrt();
        Some(Estimate {
            mean: self.rating_sum / n,
            count: self.ratings,
            estimate,
            low: estimate - error,
            high: estimate + error,
        })
    }

    /// The share of likes among likes and dislikes; `None` without either. The estimate is the middle of the interval.
    pub fn approval(&self) -> Option<Estimate> {
        let count = self.likes + self.dislikes;
        if count == 0 {
            return None;
        }
        let (n, share) = (count as f64, self.likes as f64 / count as f64);
        let scale = 1.0 + Z * Z / n;
        let middle = (share + Z * Z / (2.0 * n)) / scale;
        let half = Z / scale * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        Some(Estimate {
            mean: share,
            count,
            estimate: middle,
            // Rounding may leave the scale by the last bit.
            low: (middle - half).max(0.0),
            high: (middle + half).min(1.0),
        })
    }
}

/// Sales may come from elsewhere than views, so a step may be taken more often than it is open; that counts as always.
fn rate(taken: u64, of: u64, shop_taken: u64, shop_of: u64) -> Rate {
    let prior = match shop_of {
        0 => 0.0,
        _ => (shop_taken as f64 / shop_of as f64).min(1.0),
    };
    let successes = taken.min(of) as f64;
    Rate {
        rate: (successes + PRIOR_TRIALS * prior) / (of as f64 + PRIOR_TRIALS),
        taken,
        of,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;

    fn item(happen: impl FnOnce(&mut ItemStats)) -> ItemStats {
        let mut item = ItemStats::new(Timestamp::from_millis(0));
        happen(&mut item);
        item
    }

    #[test]
    fn few_views_say_what_the_shop_says_and_many_what_they_say() {
        let shop = Totals {
            looks: 1_000,
            carts: 100,
            ..Totals::default()
        };
        let once = item(|item| (item.views, item.carts) = (1, 1));
        let often = item(|item| (item.views, item.carts) = (2_000, 1_000));
        let once = once.conversion(&shop).view_to_cart;
        assert!((once.rate - 3.0 / 21.0).abs() < 1e-12, "{once:?}");
        let often = often.conversion(&shop).view_to_cart;
        assert!((often.rate - 1_002.0 / 2_020.0).abs() < 1e-12, "{often:?}");
        // Sold on the telephone.
        let unseen = item(|item| item.purchases = 5);
        assert_eq!(unseen.conversion(&shop).view_to_purchase.rate, 0.0);
    }

    #[test]
    fn one_top_rating_is_less_than_many_good_ones() {
        let shop = Totals {
            ratings: 100,
            rating_sum: 300.0,
            rating_squares: 1_000.0,
            ..Totals::default()
        };
        let rated = |ratings: u64, each: f64| {
            item(|item| {
                item.ratings = ratings;
                item.rating_sum = ratings as f64 * each;
                item.rating_squares = ratings as f64 * each * each;
            })
        };
        let one = rated(1, 5.0).rating_estimate(&shop).unwrap();
        let many = rated(200, 4.5).rating_estimate(&shop).unwrap();
        assert!((one.estimate - 20.0 / 6.0).abs() < 1e-12);
        assert!(one.low < one.estimate && one.high - one.low > many.high - many.low);
        assert!(many.estimate > one.estimate && many.low > one.low);
        assert_eq!(item(|_| {}).rating_estimate(&shop), None);
    }

    #[test]
    fn the_interval_of_wilson() {
        let liked = item(|item| (item.likes, item.dislikes) = (8, 2));
        // The example of Newcombe (1998) for 8 of 10: .4902 to .9433.
        let found = liked.approval().unwrap();
        assert!((found.low - 0.4902).abs() < 1e-3, "{found:?}");
        assert!((found.high - 0.9433).abs() < 1e-3, "{found:?}");
        assert_eq!(item(|_| {}).approval(), None);
    }
}
