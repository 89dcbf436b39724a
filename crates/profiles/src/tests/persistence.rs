//! Incremental equals rebuilt, and damage is an error.

use super::{event, events, folded, purchase};
use crate::{Profiles, ProfilesError};
use domain::EventKind;
use proptest::prelude::*;
use std::collections::BTreeMap;

type View = BTreeMap<Vec<u8>, Vec<u8>>;

fn reloaded(view: &View) -> Result<Profiles, ProfilesError> {
    Profiles::load(view.iter())
}

/// What a step of the incremental run does after an event.
#[derive(Clone, Copy, Debug)]
enum Step {
    Go,
    Write,
    Restart,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn incremental_with_restarts_equals_one_go(
        events in events(),
        steps in proptest::collection::vec(
            prop_oneof![6 => Just(Step::Go), 2 => Just(Step::Write), 1 => Just(Step::Restart)],
            120,
        ),
    ) {
        let mut view = View::new();
        let mut profiles = Profiles::new();
        for (event, step) in events.iter().zip(steps) {
            profiles.fold(event);
            if !matches!(step, Step::Go) {
                view.extend(profiles.take_changes());
                prop_assert!(profiles.take_changes().is_empty());
            }
            if matches!(step, Step::Restart) {
                profiles = reloaded(&view).unwrap();
            }
        }
        view.extend(profiles.take_changes());
        let mut rebuilt = folded(&events);
        prop_assert!(profiles == rebuilt);
        prop_assert!(reloaded(&view).unwrap() == rebuilt);
        let written: View = rebuilt.take_changes().into_iter().collect();
        prop_assert!(view == written, "the same state must be the same bytes");
    }

    #[test]
    fn damaged_entries_never_panic(
        events in events(),
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
    ) {
        let mut entries = folded(&events).take_changes();
        let value = &mut which.get_mut(&mut entries).1;
        let position = at.index(value.len());
        if cut {
            value.truncate(position);
        } else {
            value[position] = byte;
        }
        if let Ok(mut profiles) = Profiles::load(entries.into_iter()) {
            for event in &events {
                profiles.fold(event);
            }
            for shopper in profiles.iter_shoppers() {
                for item in shopper.sequence() {
                    prop_assert!((item as usize) < profiles.items());
                }
            }
        }
    }

    #[test]
    fn foreign_entries_never_panic(
        entries in proptest::collection::vec(
            (prop_oneof![
                Just(b"m".to_vec()),
                Just(b"i\0\0\0\0".to_vec()),
                Just(b"s\0\0\0\0".to_vec()),
                proptest::collection::vec(any::<u8>(), 0..7),
            ], proptest::collection::vec(any::<u8>(), 0..200)),
            0..5,
        ),
    ) {
        let empty = entries.is_empty();
        prop_assert_eq!(Profiles::load(entries.into_iter()).is_ok(), empty);
    }
}

fn view() -> View {
    let events = [
        purchase(1, 1, 0.0),
        purchase(1, 2, 0.0),
        event(EventKind::Search, 2, 7, 1.0),
    ];
    folded(&events).take_changes().into_iter().collect()
}

#[track_caller]
fn refused(change: impl FnOnce(&mut View), message: &str) {
    let mut view = view();
    change(&mut view);
    assert_eq!(reloaded(&view).unwrap_err().to_string(), message);
}

#[test]
fn each_kind_of_damage_has_its_sentence() {
    let entry = |view: &mut View, key: &[u8]| view.remove(key).unwrap();
    refused(
        |view| drop(entry(view, b"m")),
        "the profiles have entries but no header; rebuild them from the log",
    );
    refused(
        |view| drop(view.insert(b"m".to_vec(), b"OTHR".to_vec())),
        "the header of the profiles does not start with the mark of their format; rebuild them from the log",
    );
    refused(
        |view| view.get_mut(&b"m"[..]).unwrap()[4] = 9,
        "the profiles have format 9, this build reads format 2; rebuild them from the log",
    );
    refused(
        |view| drop(entry(view, b"i\0\0\0\x01")),
        "1 of 2 items are there; rebuild the profiles from the log",
    );
    refused(
        |view| {
            let shopper = entry(view, b"s\0\0\0\x01");
            view.insert(b"s\0\0\0\x02".to_vec(), shopper);
        },
        "2 of 2 shoppers are there; rebuild the profiles from the log",
    );
    refused(
        |view| view.get_mut(&b"i\0\0\0\0"[..]).unwrap().push(0),
        "the profile entry of item 0 is longer than what it holds; rebuild the profiles from the log",
    );
    refused(
        |view| {
            let item = view[&b"i\0\0\0\0"[..]].clone();
            view.insert(b"i\0\0\0\x01".to_vec(), item);
        },
        "the profile entry of item 1 has the id of another item; rebuild the profiles from the log",
    );
    refused(
        |view| drop(view.insert(b"x".to_vec(), Vec::new())),
        "the profile entry x has a key of no known form; rebuild the profiles from the log",
    );
    refused(
        |view| view.get_mut(&b"s\0\0\0\0"[..]).unwrap().truncate(3),
        "the profile entry of shopper 0 cannot be decoded; rebuild the profiles from the log",
    );
}

#[test]
fn an_item_that_does_not_exist_is_noticed() {
    let mut view = view();
    let alone = folded(&[purchase(1, 1, 0.0)]).take_changes();
    view.retain(|key, _| key[0] == b's');
    view.extend(alone.into_iter().filter(|entry| entry.0[0] != b's'));
    view.remove(&b"s\0\0\0\x01"[..]);
    let wrong = reloaded(&view).unwrap_err().to_string();
    assert_eq!(
        wrong,
        "the profile entry of shopper 0 names an item that does not exist; rebuild the profiles from the log"
    );
}

#[test]
fn nothing_at_all_is_a_new_shop() {
    assert!(reloaded(&View::new()).unwrap() == Profiles::new());
    assert!(Profiles::new().take_changes().is_empty());
}
