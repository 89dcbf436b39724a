//! The fold as a whole: against recomputation, against rebuild, at its bounds.

mod behaviour;
mod oracle;
mod persistence;
mod sessions;

use crate::Profiles;
use crate::decay::DAY_MILLIS;
use domain::{Event, EventKind, ItemId, Timestamp, UserId};
use proptest::collection::vec;
use proptest::prelude::*;

/// An event of a kind, by user and item number, at a fraction of days after the start.
pub(crate) fn event(kind: EventKind, user: u32, item: u32, days: f64) -> Event {
    let search = kind == EventKind::Search;
    Event {
        id: None,
        user: UserId::new(format!("u{user}")).unwrap(),
        kind,
        item: (!search).then(|| ItemId::new(format!("i{item}")).unwrap()),
        query: search.then(|| format!("query {item}")),
        time: at(days),
        value: None,
        price: None,
        quantity: None,
        basket: None,
        query_id: None,
    }
}

pub(crate) fn purchase(user: u32, item: u32, days: f64) -> Event {
    event(EventKind::Purchase, user, item, days)
}

pub(crate) fn at(days: f64) -> Timestamp {
    Timestamp::from_millis(
        1_300_000_000_000 / DAY_MILLIS * DAY_MILLIS + (days * DAY_MILLIS as f64) as i64,
    )
}

pub(crate) fn folded(events: &[Event]) -> Profiles {
    let mut profiles = Profiles::new();
    for event in events {
        profiles.fold(event);
    }
    profiles
}

/// Few users, items, baskets and days, so that they meet; at most eight baskets a user, so that none is closed.
pub(crate) fn events() -> impl Strategy<Value = Vec<Event>> {
    let one = (
        0..EventKind::ALL.len(),
        (0..4_u32, 0..8_u32),
        (0..5_u32, 0..86_400_u32),
        proptest::option::of(-3..6_i32),
        proptest::option::of(1..500_u32),
        proptest::option::of(0..3_u8),
    );
    let event = one.prop_map(
        |(kind, (user, item), (day, second), quantity, price, basket)| {
            // Half of all events are purchases.
            let kind = *[EventKind::Purchase; 8]
                .iter()
                .chain(&EventKind::ALL)
                .nth(kind * 2 + item as usize % 2)
                .unwrap();
            Event {
                value: Some(f64::from(item % 6)),
                quantity: quantity.map(f64::from),
                price: price.map(|cents| f64::from(cents) / 100.0),
                basket: basket.map(|basket| format!("b{basket}")),
                ..event(
                    kind,
                    user,
                    item,
                    f64::from(day) + f64::from(second) / 86_400.0,
                )
            }
        },
    );
    vec(event, 1..120)
}
