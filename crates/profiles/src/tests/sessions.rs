//! Sessions and what is viewed together, recomputed from the list of events.

use super::{at, event, folded};
use crate::sessions::GAP_MILLIS;
use domain::{Event, EventKind};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Few users and items within 110 minutes, so that no user ever has more than four sessions open.
fn visits() -> impl Strategy<Value = Vec<Event>> {
    let kinds = [
        EventKind::View,
        EventKind::Click,
        EventKind::Search,
        EventKind::Purchase,
    ];
    let one = (0..kinds.len(), 0..3_u32, 0..7_u32, 0..110_u32);
    let event = one.prop_map(move |(kind, user, item, minute)| {
        event(kinds[kind], user, item, f64::from(minute) / 1_440.0)
    });
    vec(event, 1..60)
}

/// The sessions of one user's events, each in the order of time.
fn sessions<'a>(events: &'a [Event], user: &str) -> Vec<Vec<&'a Event>> {
    let mut own: Vec<&Event> = events
        .iter()
        .filter(|event| event.user.as_str() == user)
        .collect();
    own.sort_by_key(|event| event.time);
    own.chunk_by(|a, b| b.time.millis() - a.time.millis() < GAP_MILLIS)
        .map(<[_]>::to_vec)
        .collect()
}

fn viewed(session: &[&Event]) -> BTreeSet<String> {
    session
        .iter()
        .filter(|event| matches!(event.kind, EventKind::View | EventKind::Click))
        .filter_map(|event| Some(event.item.as_ref()?.to_string()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    // The events come in no order of time, so sessions grow at both ends and are joined.
    #[test]
    fn sessions_are_what_the_events_say(events in visits()) {
        let profiles = folded(&events);
        let mut pairs = BTreeMap::new();
        for shopper in profiles.iter_shoppers() {
            let expected = sessions(&events, shopper.user().as_str());
            let lengths = expected.iter().map(|session| {
                session[session.len() - 1].time.millis().abs_diff(session[0].time.millis())
            });
            prop_assert_eq!(shopper.sessions().count, expected.len() as u64);
            prop_assert_eq!(shopper.sessions().millis, lengths.sum::<u64>());
            let newest = shopper.newest_session().unwrap();
            let last = &expected[expected.len() - 1];
            let ids: BTreeSet<String> = newest
                .viewed
                .iter()
                .map(|&item| profiles.item_id(item).to_owned())
                .collect();
            prop_assert_eq!(newest.events, last.len() as u64);
            prop_assert_eq!(ids, viewed(last));
            for items in expected.iter().map(|session| viewed(session)) {
                for a in &items {
                    for b in items.iter().filter(|&b| b != a) {
                        *pairs.entry((a.clone(), b.clone())).or_insert(0_u32) += 1;
                    }
                }
            }
        }
        let mut found = BTreeMap::new();
        for (item, stats) in profiles.iter_items() {
            for (other, count) in stats.viewed_with(usize::MAX) {
                let pair = (profiles.item_id(item).to_owned(), profiles.item_id(other).to_owned());
                found.insert(pair, count);
            }
        }
        prop_assert_eq!(found, pairs);
    }
}

#[test]
fn what_is_viewed_and_what_is_bought_are_counted_apart() {
    let minute = |minute: f64| minute / 1_440.0;
    let profiles = folded(&[
        event(EventKind::View, 1, 1, minute(0.0)),
        event(EventKind::Click, 1, 2, minute(5.0)),
        event(EventKind::View, 1, 2, minute(6.0)),
        event(EventKind::Purchase, 1, 3, minute(7.0)),
        event(EventKind::Purchase, 1, 2, minute(7.0)),
        event(EventKind::View, 1, 4, minute(90.0)),
    ]);
    let item = |id: &str| profiles.item(id).unwrap();
    let number = |id: &str| profiles.item_no(id).unwrap();
    assert_eq!(item("i1").viewed_with(9), [(number("i2"), 1)]);
    assert_eq!(item("i2").viewed_neighbours().count(number("i1")), 1);
    assert_eq!(item("i2").bought_with(9), [(number("i3"), 1)]);
    assert!(item("i3").viewed_neighbours().is_empty());
    assert!(item("i4").viewed_neighbours().is_empty());
    let shopper = profiles.shopper("u1").unwrap();
    assert_eq!(shopper.sessions().count, 2);
    assert_eq!(shopper.newest_session().unwrap().first, at(minute(90.0)));
}
