//! When a shopper is due to buy something again.
//!
//! For an item bought on two or more distinct days the interval is the median
//! gap between those days (the newest sixteen), at least one day. With
//! `r` = days since the last purchase / interval and `n` = distinct days,
//!
//! ```text
//! due = n / (n + 1) · r · e^(1 - r)
//! ```
//!
//! which rises from 0 just after a purchase to its peak when one interval has
//! passed, and fades when the item was given up; the first factor trusts a
//! habit more, the more often it was seen. Items bought on one day only follow
//! below with `due` = -(e + 1) / (e + 31) for `e` days since: always negative,
//! the most recent first.

use crate::decay::days_between;
use crate::fold::ItemNo;
use crate::records::ItemRecord;
use domain::Timestamp;

/// An item a shopper may want to buy again.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Reorder {
    pub item: ItemNo,
    /// Median days between purchases; `None` for an item bought on one day only.
    pub interval_days: Option<f64>,
    /// The last purchase.
    pub last: Timestamp,
    /// Higher is more due: in (0, 1) for repeated items, in (-1, 0) for the others.
    pub due_score: f64,
}

/// `None` for an item that was never bought, is disliked, or went back altogether.
pub(crate) fn reorder(item: ItemNo, record: &ItemRecord, now: Timestamp) -> Option<Reorder> {
    let last = record.last_purchase?;
    if record.is_disliked() || record.units <= 0.0 {
        return None;
    }
    let elapsed = days_between(last, now).max(0.0);
    let days = record.days();
    let interval_days = median_gap(&days);
    let due_score = match interval_days {
        Some(interval) => {
            let ratio = elapsed / interval;
            let count = days.len() as f64;
            count / (count + 1.0) * ratio * (1.0 - ratio).exp()
        }
        None => -(elapsed + 1.0) / (elapsed + 31.0),
    };
    Some(Reorder {
        item,
        interval_days,
        last,
        due_score,
    })
}

/// The median of the gaps between ascending days.
fn median_gap(days: &[i32]) -> Option<f64> {
    let mut gaps: Vec<f64> = days
        .windows(2)
        .map(|pair| f64::from(pair[1]) - f64::from(pair[0]))
        .collect();
    gaps.sort_unstable_by(f64::total_cmp);
    let upper = *gaps.get(gaps.len() / 2)?;
    let lower = gaps[(gaps.len() - 1) / 2];
    Some((lower + upper) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::median_gap;

    #[test]
    fn the_median_gap_of_few_days() {
        for (days, expected) in [
            (&[][..], None),
            (&[5], None),
            (&[5, 12], Some(7.0)),
            (&[5, 12, 22], Some(8.5)),
            (&[1, 2, 30, 33], Some(3.0)),
        ] {
            assert_eq!(median_gap(days), expected, "{days:?}");
        }
    }
}
