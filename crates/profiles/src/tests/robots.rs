//! A robot is bounded, flagged, and counts for no item.

use super::{at, event, folded};
use crate::Profiles;
use domain::{Event, EventKind, ROBOT_EVENTS_OF_A_DAY};

/// A shopper who views so many items on one day, each a few seconds after the one before.
fn views(user: u32, count: u32) -> Vec<Event> {
    (0..count)
        .map(|step| event(EventKind::View, user, step % 50, f64::from(step) / 86_400.0))
        .collect()
}

fn looks(profiles: &Profiles) -> u64 {
    profiles.iter_items().map(|(_, item)| item.views).sum()
}

#[test]
fn a_robot_counts_for_no_item_once_it_is_found_out() {
    let mut events = views(1, 20_000);
    events.extend(views(2, 300));
    let profiles = folded(&events);
    let robot = profiles.shopper("u1").unwrap();
    assert_eq!(
        robot.robot_since(),
        Some(at(f64::from(ROBOT_EVENTS_OF_A_DAY) / 86_400.0))
    );
    assert_eq!(robot.count(EventKind::View), 20_000);
    assert_eq!(profiles.shopper("u2").unwrap().robot_since(), None);
    assert_eq!(looks(&profiles), u64::from(ROBOT_EVENTS_OF_A_DAY) + 300);
    assert_eq!(profiles.totals().looks, looks(&profiles));
    assert_eq!(profiles.events(), 20_300);
}

#[test]
fn what_a_robot_does_changes_nothing_for_others() {
    let mut known = views(1, ROBOT_EVENTS_OF_A_DAY + 1);
    let before = folded(&known);
    known.extend((0..500).map(|step| {
        let kind = EventKind::ALL[step as usize % 8];
        Event {
            value: Some(1.0),
            price: Some(9.0),
            ..event(kind, 1, step % 50, 0.5 + f64::from(step) / 86_400.0)
        }
    }));
    let after = folded(&known);
    assert_eq!(before.totals(), after.totals());
    for (number, item) in before.iter_items() {
        assert_eq!(item, after.stats(number));
    }
    assert_eq!(before.popular(at(1.0)), after.popular(at(1.0)));
    assert_eq!(before.trending(at(1.0)), after.trending(at(1.0)));
}
