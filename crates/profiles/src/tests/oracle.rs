//! Every number of the profiles, recomputed from the list of events.

use super::{at, events, folded};
use crate::decay::{LONG_DAYS, SHORT_DAYS, day_of};
use crate::{Activity, ItemStats, Profiles, Shopper};
use domain::{Event, EventKind, Timestamp};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Pieces and money of a purchase event, the plain way.
fn line(event: &Event) -> Option<(f64, f64)> {
    let units = event.quantity.unwrap_or(1.0);
    (event.kind == EventKind::Purchase).then(|| (units, units * event.price.unwrap_or(0.0)))
}

fn is_sale(event: &Event) -> bool {
    line(event).is_some_and(|(units, _)| units >= 0.0)
}

/// Equal but for rounding, relative to the sum of the absolute parts.
#[track_caller]
fn near(found: f64, parts: impl Iterator<Item = f64>) {
    let (sum, mass) = parts.fold((0.0, 0.0), |(sum, mass), part| {
        (sum + part, mass + part.abs())
    });
    assert!(
        (found - sum).abs() <= 1e-9 * mass + 1e-12,
        "{found} is not {sum}"
    );
}

fn check_decay(found: &Activity, events: &[&Event], now: Timestamp, half_life_days: f64) {
    let part = |event: &Event, weight: f64| {
        let age = (now.millis() - event.time.millis()) as f64 / 86_400_000.0;
        weight * 0.5_f64.powf(age / half_life_days)
    };
    let count = |kinds: &[EventKind]| {
        let matching: Vec<f64> = events
            .iter()
            .filter(|event| kinds.contains(&event.kind))
            .map(|event| part(event, 1.0))
            .collect();
        matching.into_iter()
    };
    near(found.views, count(&[EventKind::View, EventKind::Click]));
    near(found.carts, count(&[EventKind::Cart]));
    near(
        found.sales,
        events
            .iter()
            .filter(|event| is_sale(event))
            .map(|event| part(event, 1.0)),
    );
    near(
        found.revenue,
        events
            .iter()
            .filter_map(|event| Some(part(event, line(event)?.1))),
    );
}

fn check_item(stats: &ItemStats, events: &[&Event], now: Timestamp) {
    let count = |kind: EventKind| events.iter().filter(|event| event.kind == kind).count() as u64;
    assert_eq!(stats.views, count(EventKind::View));
    assert_eq!(stats.clicks, count(EventKind::Click));
    assert_eq!(stats.carts, count(EventKind::Cart));
    assert_eq!(stats.likes, count(EventKind::Like));
    assert_eq!(stats.dislikes, count(EventKind::Dislike));
    assert_eq!(stats.ratings, count(EventKind::Rate));
    let ratings: Vec<f64> = events
        .iter()
        .filter(|event| event.kind == EventKind::Rate)
        .filter_map(|event| event.value)
        .collect();
    if let Some(rating) = stats.rating() {
        near(
            rating,
            ratings.iter().map(|value| value / ratings.len() as f64),
        );
    }
    let sales: Vec<&&Event> = events.iter().filter(|event| is_sale(event)).collect();
    assert_eq!(stats.purchases, sales.len() as u64);
    assert_eq!(stats.returns, count(EventKind::Purchase) - stats.purchases);
    assert_eq!(
        stats.buyers,
        sales
            .iter()
            .map(|event| &event.user)
            .collect::<BTreeSet<_>>()
            .len() as u64
    );
    near(
        stats.units,
        events
            .iter()
            .filter_map(|event| line(event))
            .map(|line| line.0),
    );
    near(
        stats.returned_units,
        events
            .iter()
            .filter_map(|event| line(event))
            .map(|line| -line.0.min(0.0)),
    );
    near(
        stats.revenue,
        events
            .iter()
            .filter_map(|event| line(event))
            .map(|line| line.1),
    );
    assert_eq!(
        Some(stats.first),
        events.iter().map(|event| event.time).min()
    );
    assert_eq!(
        Some(stats.last),
        events.iter().map(|event| event.time).max()
    );
    check_decay(&stats.short_term(now), events, now, SHORT_DAYS);
    check_decay(&stats.long_term(now), events, now, LONG_DAYS);
}

fn check_shopper(profiles: &Profiles, shopper: &Shopper, events: &[&Event], now: Timestamp) {
    for kind in EventKind::ALL {
        assert_eq!(
            shopper.count(kind),
            events.iter().filter(|event| event.kind == kind).count() as u64
        );
    }
    near(
        shopper.spend(),
        events
            .iter()
            .filter_map(|event| line(event))
            .map(|line| line.1),
    );
    assert_eq!(
        Some(shopper.first()),
        events.iter().map(|event| event.time).min()
    );
    assert_eq!(
        Some(shopper.last()),
        events.iter().map(|event| event.time).max()
    );
    let mut sorted: Vec<&Event> = events.to_vec();
    sorted.sort_by_key(|event| event.time);
    let found: Vec<_> = shopper
        .recents()
        .map(|recent| {
            (
                recent.kind,
                recent.item.map(|item| profiles.item_id(item)),
                recent.time,
                recent.quantity,
            )
        })
        .collect();
    let expected: Vec<_> = sorted
        .iter()
        .map(|event| {
            (
                event.kind,
                event.item.as_ref().map(|item| item.as_str()),
                event.time,
                event.quantity,
            )
        })
        .collect();
    assert_eq!(found, expected);
    let baskets: BTreeSet<String> = events
        .iter()
        .filter(|event| is_sale(event))
        .map(|event| basket(event))
        .collect();
    assert_eq!(shopper.orders(), baskets.len() as u64);
    for (item, weight) in shopper.weighted_items(now) {
        let id = profiles.item_id(item);
        let own: Vec<&&Event> = sorted.iter().filter(|event| is_of(event, id)).collect();
        near(weight, own.iter().map(|event| interest(event, now)));
        let opinion = own
            .iter()
            .rev()
            .find(|event| matches!(event.kind, EventKind::Like | EventKind::Dislike));
        let disliked = opinion.is_some_and(|event| event.kind == EventKind::Dislike);
        assert_eq!(shopper.disliked().contains(&item), disliked);
        let days: BTreeSet<i32> = own
            .iter()
            .filter(|event| is_sale(event))
            .map(|event| day_of(event.time))
            .collect();
        let record = shopper.record(item).unwrap();
        assert_eq!(record.days(), days.into_iter().collect::<Vec<_>>());
        assert_eq!(
            record.purchases as usize,
            own.iter().filter(|event| is_sale(event)).count()
        );
    }
}

fn is_of(event: &Event, item: &str) -> bool {
    event.item.as_ref().is_some_and(|own| own.as_str() == item)
}

fn interest(event: &Event, now: Timestamp) -> f64 {
    let weight = match event.kind {
        EventKind::Purchase if is_sale(event) => 1.0,
        EventKind::Purchase => -0.5,
        EventKind::Like => 1.0,
        EventKind::Cart => 0.5,
        EventKind::Click => 0.2,
        EventKind::View => 0.1,
        EventKind::Dislike => -1.0,
        EventKind::Rate => [-1.0, -1.0, -0.5, 0.0, 0.5, 1.0][event.value.unwrap() as usize],
        EventKind::Search => 0.0,
    };
    weight * 0.5_f64.powf((now.millis() - event.time.millis()) as f64 / 86_400_000.0 / LONG_DAYS)
}

fn basket(event: &Event) -> String {
    event
        .basket
        .clone()
        .unwrap_or_else(|| format!("day {}", day_of(event.time)))
}

/// Baskets that hold both items, by pair.
fn pairs(events: &[Event]) -> BTreeMap<(String, String), u32> {
    let mut baskets: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for event in events.iter().filter(|event| is_sale(event)) {
        let key = (event.user.to_string(), basket(event));
        baskets
            .entry(key)
            .or_default()
            .extend(event.item.as_ref().map(ToString::to_string));
    }
    let mut pairs = BTreeMap::new();
    for items in baskets.values() {
        for a in items {
            for b in items.iter().filter(|&b| b != a) {
                *pairs.entry((a.clone(), b.clone())).or_insert(0) += 1;
            }
        }
    }
    pairs
}

fn check_all(profiles: &Profiles, events: &[Event]) {
    let now = at(20.0);
    assert_eq!(profiles.events(), events.len() as u64);
    assert_eq!(
        profiles.newest(),
        events.iter().map(|event| event.time).max()
    );
    let mut found = BTreeMap::new();
    for (item, stats) in profiles.iter_items() {
        let id = profiles.item_id(item);
        let own: Vec<&Event> = events.iter().filter(|event| is_of(event, id)).collect();
        check_item(stats, &own, now);
        for (other, count) in stats.bought_with(usize::MAX) {
            found.insert((id.to_owned(), profiles.item_id(other).to_owned()), count);
        }
    }
    assert_eq!(found, pairs(events));
    for shopper in profiles.iter_shoppers() {
        let own: Vec<&Event> = events
            .iter()
            .filter(|event| event.user == *shopper.user())
            .collect();
        check_shopper(profiles, shopper, &own, now);
    }
    let items: BTreeSet<_> = events
        .iter()
        .filter_map(|event| event.item.as_ref())
        .collect();
    let users: BTreeSet<_> = events.iter().map(|event| &event.user).collect();
    assert_eq!(
        (profiles.items(), profiles.shoppers()),
        (items.len(), users.len())
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    // The events come in no order of time, so this is also the test of late events.
    #[test]
    fn the_fold_is_what_the_events_add_up_to(events in events()) {
        check_all(&folded(&events), &events);
    }

    #[test]
    fn numbers_are_given_in_the_order_of_first_sight(events in events()) {
        let profiles = folded(&events);
        let mut next = 0;
        for item in events.iter().filter_map(|event| event.item.as_ref()) {
            let number = profiles.item_no(item.as_str()).unwrap();
            prop_assert!(number <= next);
            prop_assert_eq!(profiles.item_id(number), item.as_str());
            next = next.max(number + 1);
        }
    }
}
