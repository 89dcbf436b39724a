//! What sells most and what sells more than it used to, over the whole shop.
//!
//! Every request without a history needs these lists, and making them looks at every item.
//! So they are kept until there are other events.

use crate::behaviour::Behaviour;
use domain::Timestamp;
use profiles::{Activity, ItemNo, Profiles};
use std::sync::Arc;

/// Up to so many items the lists are of the last event. Beyond, making them anew for every
/// event would take longer than answering, and they may lag …
const EXACT_ITEMS: usize = 20_000;
/// … by one event in so many.
const LAG: u64 = 1_000;
/// Sales more or less that are no sign of anything.
const NOISE: f64 = 0.3;

/// The lists as of some event.
pub(crate) struct Lists {
    events: u64,
    /// The shop's clock: its newest event, so that an old log is judged as of its end.
    pub now: Timestamp,
    /// By long-term worth.
    pub popular: Vec<(ItemNo, f64)>,
    /// The same by item number.
    worths: Vec<f64>,
    /// By item number: how current an item is.
    current: Vec<f64>,
    /// By long-term worth times the root of how current an item is: what is popular in this
    /// season. The largest is 1.
    pub seasonal: Vec<(ItemNo, f64)>,
    /// By how far short-term worth is above what is to be expected.
    pub trending: Vec<(ItemNo, f64)>,
}

impl Lists {
    fn of(profiles: &Profiles) -> Self {
        let now = profiles.newest().unwrap_or(Timestamp::from_millis(0));
        let popular = profiles.popular(now);
        let mut worths = vec![0.0; profiles.items()];
        for &(item, worth) in &popular {
            worths[item as usize] = worth;
        }
        let current = current(profiles, now);
        Self {
            events: profiles.events(),
            now,
            worths,
            seasonal: seasonal(&popular, &current),
            current,
            popular,
            trending: profiles.trending(now),
        }
    }

    /// The worth of the most popular item, never 0.
    pub fn most(&self) -> f64 {
        self.popular.first().map_or(1.0, |first| first.1)
    }

    /// How popular an item is beside the most popular one, from 0 to 1; 0 for one that is newer
    /// than the lists.
    pub fn popularity(&self, item: ItemNo) -> f64 {
        self.worths.get(item as usize).copied().unwrap_or_default() / self.most()
    }

    /// How current an item is: 1 for one that sells as it usually does, more for one that sells
    /// more lately, less for one that is going out of season or out of stock.
    pub fn current(&self, item: ItemNo) -> f64 {
        self.current.get(item as usize).copied().unwrap_or(1.0)
    }

    fn is_of(&self, profiles: &Profiles) -> bool {
        let lag = match profiles.items() <= EXACT_ITEMS {
            true => 0,
            false => self.events / LAG,
        };
        (self.events..=self.events + lag).contains(&profiles.events())
    }
}

/// Short-term worth beside what the item's share of long-term worth leads to expect.
fn current(profiles: &Profiles, now: Timestamp) -> Vec<f64> {
    let worths: Vec<(f64, f64)> = profiles
        .iter_items()
        .map(|(_, stats)| (worth(&stats.short_term(now)), worth(&stats.long_term(now))))
        .collect();
    let short: f64 = worths.iter().map(|worth| worth.0).sum();
    let long: f64 = worths.iter().map(|worth| worth.1).sum();
    let pace = if long > 0.0 { short / long } else { 0.0 };
    let current = |(short, long)| (short + NOISE) / (long * pace + NOISE);
    worths.into_iter().map(current).collect()
}

fn seasonal(popular: &[(ItemNo, f64)], current: &[f64]) -> Vec<(ItemNo, f64)> {
    let worth = |&(item, worth): &(ItemNo, f64)| (item, worth * current[item as usize].sqrt());
    let mut seasonal: Vec<(ItemNo, f64)> = popular.iter().map(worth).collect();
    // Stable, so that equal ones stay in the order of popularity.
    seasonal.sort_by(|a, b| b.1.total_cmp(&a.1));
    let most = seasonal.first().map_or(1.0, |first| first.1);
    seasonal.iter_mut().for_each(|(_, worth)| *worth /= most);
    seasonal
}

/// What activity is worth in sales, as for what is popular.
fn worth(activity: &Activity) -> f64 {
    activity.sales + 0.2 * activity.carts + 0.02 * activity.views
}

impl Behaviour {
    /// The lists of now.
    pub(super) fn lists(&self) -> Arc<Lists> {
        // Held while they are made, so that many requests at once make them once.
        let mut known = self.lists.lock();
        let profiles = self.profiles();
        match &*known {
            Some(lists) if lists.is_of(&profiles) => lists.clone(),
            _ => {
                let lists = Arc::new(Lists::of(&profiles));
                *known = Some(lists.clone());
                lists
            }
        }
    }
}
