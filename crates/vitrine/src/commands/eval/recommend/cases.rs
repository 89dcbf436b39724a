//! What happened after a moment, as cases to be foretold from what was before it.
//!
//! Next-basket recommendation counts what is bought again, so the first basket after the moment
//! is looked at in three ways: all of it, what the shopper did not own, and what was bought
//! before. Every later basket of two items or more gives a case each for completing it and for
//! what goes with its first item.

use super::catalogue::Catalogue;
use domain::{Event, EventKind, ItemId, Timestamp, UserId};
use eval::Shopper;
use std::collections::BTreeMap;

/// What is to be foretold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Task {
    /// The first basket after the moment.
    NextBasket,
    /// Those of its items that the shopper did not own.
    NextNew,
    /// Those of its items that the shopper had bought before.
    NextAgain,
    /// One item of a basket from the others.
    Completion,
    /// The rest of a basket from its first item.
    WithItem,
}

/// One thing to be foretold.
pub struct Case {
    pub user: UserId,
    pub shopper: Shopper,
    /// What is in the basket, or in hand, the oldest first.
    pub in_hand: Vec<ItemId>,
    /// Owned or in hand: it would be no answer.
    pub exclude: Vec<ItemId>,
    /// Numbers of the items that were taken.
    pub taken: Vec<u32>,
}

/// What one shopper did.
#[derive(Default)]
struct History {
    events: usize,
    /// Pieces bought less pieces given back, before the moment.
    bought: BTreeMap<ItemId, f64>,
    /// Baskets after the moment in the order of time, each with its items in theirs.
    baskets: Vec<(String, Vec<ItemId>)>,
}

/// Everything that happened, by shopper.
pub struct Log(BTreeMap<UserId, History>);

impl Log {
    /// Of events in the order of time. What is bought after `until` is not looked at.
    pub fn new(
        before: &[Event],
        after: &[Event],
        until: Option<Timestamp>,
        catalogue: &Catalogue,
    ) -> Self {
        let mut shoppers: BTreeMap<UserId, History> = BTreeMap::new();
        for event in before {
            let history = shoppers.entry(event.user.clone()).or_default();
            history.events += 1;
            if let (EventKind::Purchase, Some(item)) = (event.kind, &event.item) {
                *history.bought.entry(item.clone()).or_default() += event.quantity.unwrap_or(1.0);
            }
        }
        let bought = after.iter().filter(|event| {
            let is_sale = event.quantity.unwrap_or(1.0) > 0.0;
            event.kind == EventKind::Purchase
                && is_sale
                && until.is_none_or(|until| event.time < until)
        });
        for event in bought {
            let Some(item) = &event.item else { continue };
            if catalogue.number(item.as_str()).is_none() {
                continue;
            }
            let day = || event.time.millis().div_euclid(86_400_000).to_string();
            let key = event.basket.clone().unwrap_or_else(day);
            let baskets = &mut shoppers.entry(event.user.clone()).or_default().baskets;
            let at = baskets.iter().position(|(known, _)| *known == key);
            let at = at.unwrap_or_else(|| {
                baskets.push((key, Vec::new()));
                baskets.len() - 1
            });
            if !baskets[at].1.contains(item) {
                baskets[at].1.push(item.clone());
            }
        }
        Self(shoppers)
    }

    /// The cases of a task, in the order of shoppers; a draw by the seed says which item of a
    /// basket is held out.
    pub fn cases(&self, task: Task, catalogue: &Catalogue, seed: u64) -> Vec<Case> {
        let mut cases = Vec::new();
        for (user, history) in &self.0 {
            let case = |in_hand: Vec<ItemId>, taken: Vec<ItemId>, exclude: Vec<ItemId>| Case {
                user: user.clone(),
                shopper: Shopper::of(history.events),
                taken: taken
                    .iter()
                    .filter_map(|item| catalogue.number(item.as_str()))
                    .collect(),
                in_hand,
                exclude,
            };
            match task {
                Task::NextBasket | Task::NextNew | Task::NextAgain => {
                    cases.extend(
                        history
                            .next(task)
                            .map(|(taken, exclude)| case(Vec::new(), taken, exclude)),
                    );
                }
                Task::Completion | Task::WithItem => {
                    let baskets = history.baskets.iter().filter(|(_, items)| items.len() > 1);
                    for (key, items) in baskets {
                        let (in_hand, taken) = match task {
                            Task::Completion => held_out(items, draw(key, seed)),
                            _ => (items[..1].to_vec(), items[1..].to_vec()),
                        };
                        cases.push(case(in_hand.clone(), taken, in_hand));
                    }
                }
            }
        }
        cases
    }
}

impl History {
    /// The items of the next basket that belong to a task, and those that are no answer to it.
    fn next(&self, task: Task) -> Option<(Vec<ItemId>, Vec<ItemId>)> {
        let (_, items) = self.baskets.first()?;
        let is_owned = |item: &ItemId| self.bought.get(item).is_some_and(|pieces| *pieces > 0.0);
        let (taken, exclude): (Vec<ItemId>, Vec<ItemId>) = match task {
            Task::NextNew => (
                items
                    .iter()
                    .filter(|item| !is_owned(item))
                    .cloned()
                    .collect(),
                self.bought
                    .keys()
                    .filter(|item| is_owned(item))
                    .cloned()
                    .collect(),
            ),
            Task::NextAgain => (
                items
                    .iter()
                    .filter(|item| is_owned(item))
                    .cloned()
                    .collect(),
                Vec::new(),
            ),
            _ => (items.clone(), Vec::new()),
        };
        (!taken.is_empty()).then_some((taken, exclude))
    }
}

/// A basket without one of its items, and that item.
fn held_out(items: &[ItemId], draw: u64) -> (Vec<ItemId>, Vec<ItemId>) {
    let mut rest = items.to_vec();
    let out = rest.remove((draw % items.len() as u64) as usize);
    (rest, vec![out])
}

/// FNV-1a of the basket's key, started from the seed.
fn draw(key: &str, seed: u64) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let hash = key.bytes().fold(start, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    // The low bits of FNV are the weakest.
    hash >> 20
}
