//! What a shop would notice: lists, bounds, late lines, returns.

use super::{at, event, folded, purchase};
use crate::{Profiles, records, shopper};
use domain::{Event, EventKind};

fn ids(profiles: &Profiles, ranked: Vec<(u32, f64)>) -> Vec<String> {
    ranked
        .into_iter()
        .map(|(item, _)| profiles.item_id(item).to_owned())
        .collect()
}

#[test]
fn a_bestseller_is_popular_and_a_riser_trends() {
    let mut events = Vec::new();
    for day in 0..200 {
        // Item 1 sells four times a day as ever, item 2 only of late, item 3 no more.
        events.extend((0..4).map(|user| purchase(user, 1, f64::from(day))));
        if day >= 195 {
            events.extend((0..3).map(|user| purchase(10 + user, 2, f64::from(day))));
        }
        if day < 150 {
            events.push(purchase(20, 3, f64::from(day)));
        }
    }
    let profiles = folded(&events);
    assert_eq!(
        ids(&profiles, profiles.popular(at(200.0))),
        ["i1", "i3", "i2"]
    );
    assert_eq!(ids(&profiles, profiles.trending(at(200.0))), ["i2"]);
}

#[test]
fn in_a_new_shop_what_sells_trends_and_equal_items_stand_by_id() {
    let events = [
        purchase(1, 3, 0.0),
        purchase(1, 2, 0.0),
        purchase(2, 10, 0.0),
        purchase(3, 3, 0.0),
    ];
    let profiles = folded(&events);
    assert_eq!(
        ids(&profiles, profiles.trending(at(1.0))),
        ["i3", "i10", "i2"]
    );
    assert_eq!(
        ids(&profiles, profiles.popular(at(1.0))),
        ["i3", "i10", "i2"]
    );
    assert!(Profiles::new().trending(at(0.0)).is_empty());
}

#[test]
fn an_item_bought_every_month_is_due_after_a_month() {
    let mut events: Vec<Event> = [0.0, 30.0, 60.0].map(|day| purchase(1, 1, day)).into();
    events.extend([purchase(1, 2, 70.0), purchase(1, 3, 80.0)]);
    events.extend([0.0, 10.0].map(|day| purchase(1, 4, day)));
    let due = |now: f64| {
        let profiles = folded(&events);
        let list = profiles.shopper("u1").unwrap().reorder(at(now));
        list.iter()
            .map(|due| (profiles.item_id(due.item).to_owned(), due.interval_days))
            .collect::<Vec<_>>()
    };
    let one = |item: &str, days: Option<f64>| (item.to_owned(), days);
    let expected = [
        one("i1", Some(30.0)),
        one("i4", Some(10.0)),
        one("i3", None),
        one("i2", None),
    ];
    assert_eq!(due(90.0), expected);
    // Ten days after its second purchase the other one is due.
    let early = due(20.0);
    assert_eq!(early[0], one("i4", Some(10.0)));
}

#[test]
fn due_scores_have_their_shape() {
    let profiles = folded(&[
        purchase(1, 1, 0.0),
        purchase(1, 1, 10.0),
        purchase(1, 2, 10.0),
    ]);
    let shopper = profiles.shopper("u1").unwrap();
    let score = |day: f64| shopper.reorder(at(day))[0].due_score;
    assert_eq!(score(10.0), 0.0);
    assert!(
        (score(20.0) - 2.0 / 3.0).abs() < 1e-12,
        "two days: 2/3 at its peak"
    );
    assert!(score(15.0) < score(20.0) && score(30.0) < score(20.0) && score(1_000.0) >= 0.0);
    assert!((shopper.reorder(at(20.0))[1].due_score + 11.0 / 41.0).abs() < 1e-12);
}

#[test]
fn what_went_back_is_not_bought_again() {
    let back = Event {
        quantity: Some(-2.0),
        price: Some(3.0),
        ..purchase(1, 1, 2.0)
    };
    let bought = Event {
        quantity: Some(2.0),
        price: Some(3.0),
        ..purchase(1, 1, 1.0)
    };
    let profiles = folded(&[bought, back, purchase(1, 2, 1.0)]);
    let (item, shopper) = (
        profiles.item("i1").unwrap(),
        profiles.shopper("u1").unwrap(),
    );
    assert_eq!(
        (item.units, item.revenue, item.returned_units),
        (0.0, 0.0, 2.0)
    );
    assert_eq!((item.purchases, item.returns), (1, 1));
    assert!(!shopper.has_bought(0) && shopper.has_bought(1));
    let again: Vec<u32> = shopper
        .reorder(at(9.0))
        .iter()
        .map(|due| due.item)
        .collect();
    assert_eq!(again, [1]);
    assert_eq!(shopper.sequence(), [0, 1]);
}

#[test]
fn a_late_line_joins_its_basket() {
    let line = |item, days, basket: &str| Event {
        basket: Some(basket.into()),
        ..purchase(1, item, days)
    };
    let profiles = folded(&[line(1, 0.0, "a"), line(2, 5.0, "b"), line(3, 0.0, "a")]);
    assert_eq!(profiles.item("i1").unwrap().bought_with(9), [(2, 1)]);
    assert!(profiles.item("i2").unwrap().bought_with(9).is_empty());
    assert_eq!(profiles.shopper("u1").unwrap().orders(), 2);
}

#[test]
fn the_sequence_is_in_the_order_of_time_and_without_echoes() {
    let profiles = folded(&[
        purchase(1, 1, 9.0),
        event(EventKind::Click, 1, 2, 3.0),
        event(EventKind::Cart, 1, 2, 4.0),
        event(EventKind::View, 1, 5, 4.5),
        event(EventKind::Dislike, 1, 6, 4.6),
        event(EventKind::Like, 1, 2, 5.0),
        purchase(1, 3, 1.0),
    ]);
    let sequence = profiles.shopper("u1").unwrap().sequence();
    let ids: Vec<&str> = sequence
        .iter()
        .map(|&item| profiles.item_id(item))
        .collect();
    assert_eq!(ids, ["i3", "i2", "i1"]);
}

#[test]
fn the_last_opinion_counts() {
    let profiles = folded(&[
        event(EventKind::Like, 1, 1, 5.0),
        event(EventKind::Dislike, 1, 1, 4.0),
        event(EventKind::Like, 1, 2, 1.0),
        event(EventKind::Dislike, 1, 2, 1.0),
    ]);
    assert_eq!(profiles.shopper("u1").unwrap().disliked(), [1]);
}

#[test]
fn a_bot_costs_no_more_than_a_good_customer() {
    let mut profiles = Profiles::new();
    for step in 0..6_000_u32 {
        let kind = EventKind::ALL[step as usize % 8];
        let long = Event {
            query: Some(format!("{step}{}", "x".repeat(5_000))),
            basket: Some(format!("basket {}", step / 100)),
            price: Some(f64::from(step) + 0.5),
            ..event(kind, 1, step, f64::from(step) / 1_000.0)
        };
        profiles.fold(&long);
    }
    let bot = profiles.shopper("u1").unwrap();
    assert_eq!(bot.recents().len(), shopper::RECENT);
    assert!(bot.remembered() <= records::MOST && bot.remembered() >= records::KEPT);
    assert!(bot.record(profiles.item_no("i5998").unwrap()).is_some());
    assert!(bot.record(0).is_none());
    let entries = profiles.take_changes();
    let shopper = entries.iter().find(|entry| entry.0[0] == b's').unwrap();
    assert!(shopper.1.len() < 300_000, "{} bytes", shopper.1.len());
}

#[test]
fn numbers_out_of_this_world_do_not_spoil_the_sums() {
    let wild = |quantity, price| Event {
        quantity: Some(quantity),
        price: Some(price),
        ..purchase(1, 1, 0.0)
    };
    let profiles = folded(&[
        wild(1e300, 1e300),
        wild(f64::NAN, f64::INFINITY),
        wild(-1e300, 2.0),
        wild(2.0, -5.0),
    ]);
    let (item, shopper) = (
        profiles.item("i1").unwrap(),
        profiles.shopper("u1").unwrap(),
    );
    assert!(item.revenue.is_finite() && item.units.is_finite() && shopper.spend().is_finite());
    assert!(shopper.price_band().unwrap().p90.is_finite());
    assert!(item.short_term(at(1.0)).revenue.is_finite());
}
