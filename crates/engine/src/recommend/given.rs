//! What a request is about: the items in hand and the shopper, copied from the profiles.
//!
//! A request names items in front of the shopper, a basket, a shopper, or none of these. What
//! it does not name is taken from what the shopper did last, so that every kind answers with
//! whatever there is to go by.

use super::next_item::Past;
use super::request::{RecommendKind, RecommendRequest};
use crate::shelf::{LiveAffinity, PastEvent};
use crate::training::pieces;
use domain::{EventKind, ItemId, Timestamp, UserId};
use profiles::{ItemNo, Profiles, Shopper};
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// Items that stand for what the shopper is about where the request names none.
const LAST: usize = 5;
/// Items in hand that a recommendation goes by, the last ones: each is compared with every
/// candidate, and a request may name as many as it likes.
const IN_HAND: usize = 200;
/// Items whose categories and brands say what a shopper likes, the strongest.
const LIKED: usize = 50;
/// Dislikes that move back what is like them, the newest.
const DISLIKED: usize = 20;

/// See the module documentation.
#[derive(Default)]
pub(super) struct Given {
    /// The items in hand by id, the oldest first.
    pub ids: Vec<String>,
    /// The request names them; otherwise they are the last of the shopper.
    pub is_named: bool,
    /// Those of them that events have named.
    pub items: Vec<ItemNo>,
    /// What came before, for the models.
    pub past: Past,
    /// What the shopper did with items so far, the strongest first, never below 0.
    pub interests: Vec<(ItemNo, f64)>,
    /// The same of what is in hand and of [`LIKED`] interests, by id.
    pub liked: Vec<(String, f64)>,
    /// Ids of what was disliked, the newest first.
    pub disliked: Vec<String>,
    /// Never shown.
    pub hidden: FxHashSet<String>,
    /// The request names a shopper who has done something.
    pub is_known: bool,
}

impl Given {
    /// Of a request, as of now.
    pub fn new(
        request: &RecommendRequest,
        profiles: &Profiles,
        live: Option<&Arc<LiveAffinity>>,
        now: Timestamp,
    ) -> Self {
        let user = request.user.as_ref().map(UserId::as_str);
        let shopper = user.and_then(|user| profiles.shopper(user));
        let mut given = Self {
            hidden: asked_hidden(request),
            is_known: shopper.is_some(),
            is_named: !in_hand(request).is_empty(),
            ..Self::default()
        };
        given.ids = match in_hand(request) {
            [] => shopper.map_or_else(Vec::new, |shopper| {
                last_items(request.kind, shopper)
                    .into_iter()
                    .map(|item| profiles.item_id(item).to_owned())
                    .collect()
            }),
            items => items.iter().map(|item| item.as_str().to_owned()).collect(),
        };
        given.ids.drain(..given.ids.len().saturating_sub(IN_HAND));
        let numbers = given.ids.iter().filter_map(|id| profiles.item_no(id));
        given.items = numbers.collect();
        given.past = Past::of(request, &given, shopper, profiles, live);
        for id in &given.ids {
            given.liked.push((id.clone(), 1.0));
        }
        if let Some(shopper) = shopper {
            given.add_shopper(shopper, profiles, now);
            if request.kind == RecommendKind::ForYou && !request.owned {
                let met = shopper
                    .weighted_items(now)
                    .into_iter()
                    .map(|(item, _)| item);
                let owned = met.filter(|item| shopper.has_bought(*item));
                let owned = owned.map(|item| profiles.item_id(item).to_owned());
                given.hidden.extend(owned);
            }
        }
        given
    }

    fn add_shopper(&mut self, shopper: &Shopper, profiles: &Profiles, now: Timestamp) {
        let interests = shopper.weighted_items(now).into_iter();
        self.interests = interests.take_while(|(_, weight)| *weight > 0.0).collect();
        for &(item, weight) in self.interests.iter().take(LIKED) {
            self.liked.push((profiles.item_id(item).to_owned(), weight));
        }
        let mut disliked = shopper.disliked();
        disliked
            .sort_by_key(|item| std::cmp::Reverse(shopper.record(*item).map(|record| record.last)));
        let disliked = disliked.into_iter().map(|item| profiles.item_id(item));
        let disliked: Vec<String> = disliked.map(str::to_owned).collect();
        self.hidden.extend(disliked.iter().cloned());
        self.disliked = disliked.into_iter().take(DISLIKED).collect();
    }
}

impl Past {
    /// What the shopper did, then what is in hand, as far as the models know it.
    fn of(
        request: &RecommendRequest,
        given: &Given,
        shopper: Option<&Shopper>,
        profiles: &Profiles,
        live: Option<&Arc<LiveAffinity>>,
    ) -> Self {
        let mut past = Self::default();
        if request.kind == RecommendKind::ForYou
            && let Some(shopper) = shopper
        {
            past.items = shopper.sequence();
            if let Some(live) = live {
                past.events = events(profiles, shopper, live);
            }
        }
        if given.is_named || past.items.is_empty() {
            past.items.extend(&given.items);
            past.items.dedup();
        }
        if let Some(live) = live.filter(|_| given.is_named || past.events.is_empty()) {
            let places = given.ids.iter().filter_map(|id| live.place(id));
            past.events.extend(places.map(viewed));
        }
        past
    }
}

/// What the request puts in front of the shopper, or into the basket.
fn in_hand(request: &RecommendRequest) -> &[ItemId] {
    let (first, second) = match request.kind {
        RecommendKind::Basket => (&request.basket, &request.items),
        _ => (&request.items, &request.basket),
    };
    match first.is_empty() {
        true => second,
        false => first,
    }
}

/// What stands for the items in hand where the request names none, the oldest first.
fn last_items(kind: RecommendKind, shopper: &Shopper) -> Vec<ItemNo> {
    let newest = shopper.recents().rev();
    let mut seen = FxHashSet::default();
    let mut items: Vec<ItemNo> = match kind {
        // What was put into the cart and not bought yet.
        RecommendKind::Basket => newest
            .take_while(|recent| recent.kind != EventKind::Purchase)
            .filter(|recent| recent.kind == EventKind::Cart)
            .filter_map(|recent| recent.item)
            .filter(|item| seen.insert(*item))
            .collect(),
        _ => newest
            .filter(|recent| !matches!(recent.kind, EventKind::Dislike | EventKind::Search))
            .filter_map(|recent| recent.item)
            .filter(|item| seen.insert(*item))
            .take(LAST)
            .collect(),
    };
    items.reverse();
    items
}

/// Never shown: what the request excludes, and what is in front of the shopper already.
fn asked_hidden(request: &RecommendRequest) -> FxHashSet<String> {
    // Without a shopper, the visit itself is what was viewed.
    let is_visit = request.kind == RecommendKind::RecentlyViewed && request.user.is_none();
    let items = match is_visit {
        true => &[],
        false => request.items.as_slice(),
    };
    let lists = [request.exclude.as_slice(), items, &request.basket];
    lists
        .into_iter()
        .flatten()
        .map(|item| item.as_str().to_owned())
        .collect()
}

/// What a shopper did, the oldest first, as the live model knows it.
fn events(profiles: &Profiles, shopper: &Shopper, live: &LiveAffinity) -> Vec<PastEvent> {
    let mut events = Vec::new();
    for recent in shopper.recents() {
        let place = recent.item.map(|no| live.place(profiles.item_id(no)));
        if let Some(Some(place)) = place {
            events.push(PastEvent {
                place,
                kind: recent.kind,
                time: recent.time,
                quantity: pieces(recent.kind, recent.quantity),
            });
        }
    }
    events
}

/// An item in hand, as a view of it.
fn viewed(place: u32) -> PastEvent {
    PastEvent {
        place,
        kind: EventKind::View,
        time: Timestamp::from_millis(0),
        quantity: 0.0,
    }
}
