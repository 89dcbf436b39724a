//! Leaves out what no shopper meant: robots, events that were sent twice, and purchases that
//! were brought back. What was left out is counted, so that nobody trains on less than they
//! think.

use super::input::Action;
use crate::data::PURCHASE;
use domain::ROBOT_EVENTS_OF_A_DAY;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

const DAY: i64 = 24 * 60 * 60 * 1000;

/// What was there, and what was left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cleaning {
    pub shoppers: usize,
    pub events: usize,
    pub robots: usize,
    pub events_of_robots: usize,
    pub duplicates: usize,
    pub returns: usize,
    /// Purchases that a return took back as a whole.
    pub taken_back: usize,
    /// Shoppers of whom fewer than two events are left.
    pub too_short: usize,
}

/// The shoppers that are left, each with events in the order of time.
pub(crate) fn clean(shoppers: &[Vec<Action>]) -> (Vec<Vec<Action>>, Cleaning) {
    let mut counts = Cleaning {
        shoppers: shoppers.len(),
        events: shoppers.iter().map(Vec::len).sum(),
        ..Cleaning::default()
    };
    let mut left = Vec::new();
    for actions in shoppers {
        if most_of_a_day(actions) > ROBOT_EVENTS_OF_A_DAY as usize {
            counts.robots += 1;
            counts.events_of_robots += actions.len();
            continue;
        }
        let mut actions = actions.clone();
        actions.sort_by_key(|action| action.time);
        let before = actions.len();
        let mut seen = FxHashSet::default();
        actions.retain(|action| seen.insert((action.item, action.kind, action.time)));
        counts.duplicates += before - actions.len();
        take_back(&mut actions, &mut counts);
        if actions.len() < 2 {
            counts.too_short += 1;
        } else {
            left.push(actions);
        }
    }
    (left, counts)
}

fn most_of_a_day(actions: &[Action]) -> usize {
    let mut days: FxHashMap<i64, usize> = FxHashMap::default();
    for action in actions {
        *days.entry(action.time.div_euclid(DAY)).or_default() += 1;
    }
    days.into_values().max().unwrap_or(0)
}

/// Drops returns and takes their pieces from the newest purchases of the item before them.
fn take_back(actions: &mut Vec<Action>, counts: &mut Cleaning) {
    let is_return = |action: &Action| action.quantity.is_some_and(|pieces| pieces < 0.0);
    if !actions.iter().any(is_return) {
        return;
    }
    let mut is_gone = vec![false; actions.len()];
    for at in 0..actions.len() {
        if !is_return(&actions[at]) {
            continue;
        }
        counts.returns += 1;
        is_gone[at] = true;
        let mut pieces = -actions[at].quantity.unwrap_or(0.0);
        for before in (0..at).rev() {
            if pieces <= 0.0 {
                break;
            }
            let is_same = actions[before].item == actions[at].item;
            if is_gone[before] || !is_same || actions[before].kind != PURCHASE {
                continue;
            }
            let bought = actions[before].quantity.unwrap_or(1.0);
            if bought > pieces {
                actions[before].quantity = Some(bought - pieces);
            } else {
                is_gone[before] = true;
                counts.taken_back += 1;
            }
            pieces -= bought;
        }
    }
    let mut gone = is_gone.into_iter();
    actions.retain(|_| !gone.next().unwrap_or(false));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bought(item: u32, time: i64, quantity: f64) -> Action {
        Action {
            item,
            kind: PURCHASE,
            time,
            quantity: Some(quantity),
            query: None,
        }
    }

    #[test]
    fn a_return_takes_back_its_purchase_and_no_more() {
        let shopper = vec![
            bought(1, 1, 2.0),
            bought(1, 2, 3.0),
            bought(2, 3, 1.0),
            bought(1, 4, -4.0),
            bought(3, 5, 1.0),
        ];
        let (left, counts) = clean(&[shopper]);
        let expected = [bought(1, 1, 1.0), bought(2, 3, 1.0), bought(3, 5, 1.0)];
        assert_eq!(left[0], expected);
        assert_eq!((counts.returns, counts.taken_back), (1, 1));
    }

    #[test]
    fn what_was_sent_twice_counts_once_and_short_histories_are_left_out() {
        let twice = vec![bought(1, 1, 1.0), bought(1, 1, 1.0)];
        let unsorted = vec![bought(2, 9, 1.0), bought(1, 3, 1.0)];
        let (left, counts) = clean(&[twice, unsorted, Vec::new()]);
        assert_eq!(left, [vec![bought(1, 3, 1.0), bought(2, 9, 1.0)]]);
        assert_eq!((counts.duplicates, counts.too_short), (1, 2));
        assert_eq!((counts.shoppers, counts.events), (3, 4));
    }

    #[test]
    fn a_robot_is_left_out_and_an_eager_shopper_is_not() {
        let busy = |events: u32, pause: i64| -> Vec<Action> {
            (0..events)
                .map(|at| bought(at % 7, i64::from(at) * pause, 1.0))
                .collect()
        };
        let mut shoppers = vec![busy(10, 1000); 200];
        shoppers.push(busy(3000, 10));
        shoppers.push(busy(3000, DAY / 100));
        let (left, counts) = clean(&shoppers);
        assert_eq!((counts.robots, counts.events_of_robots), (1, 3000));
        assert_eq!(left.len(), 201);
    }
}
