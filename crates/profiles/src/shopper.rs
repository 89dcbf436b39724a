//! What the engine knows of one shopper from events.
//!
//! The profile is current with the last event folded. Recent events, queries
//! and item records are each bounded and ordered by event time, so late events
//! take their place; only baskets look at the order of arrival.

use crate::baskets::{Baskets, Placed, key_of};
use crate::fold::ItemNo;
use crate::line::Line;
use crate::prices::{PriceBand, PriceHistogram};
use crate::queries::{PastQueries, PastQuery, shortened};
use crate::records::{Buyer, ItemRecord, Records};
use crate::reorder::{Reorder, reorder};
use crate::sessions::{Joined, Session, SessionTotals, Sessions};
use domain::{Event, EventKind, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Recent events kept per shopper.
pub(crate) const RECENT: usize = 200;

/// One recent event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Recent {
    pub kind: EventKind,
    pub item: Option<ItemNo>,
    pub query: Option<Box<str>>,
    pub time: Timestamp,
    pub price: Option<f64>,
    /// Negative for a return.
    pub quantity: Option<f64>,
}

/// Everything kept for one shopper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shopper {
    user: UserId,
    counts: [u64; EventKind::ALL.len()],
    spend: f64,
    orders: u64,
    first: Timestamp,
    last: Timestamp,
    recents: VecDeque<Recent>,
    records: Records,
    queries: PastQueries,
    prices: PriceHistogram,
    baskets: Baskets,
    sessions: Sessions,
}

impl Shopper {
    pub(crate) fn new(user: UserId, time: Timestamp) -> Self {
        Self {
            user,
            counts: [0; EventKind::ALL.len()],
            spend: 0.0,
            orders: 0,
            first: time,
            last: time,
            recents: VecDeque::new(),
            records: Records::default(),
            queries: PastQueries::default(),
            prices: PriceHistogram::default(),
            baskets: Baskets::default(),
            sessions: Sessions::default(),
        }
    }

    /// Folds an event; says whether it made the shopper a buyer of the item.
    pub(crate) fn fold(
        &mut self,
        event: &Event,
        item: Option<ItemNo>,
        line: Option<&Line>,
    ) -> Buyer {
        self.counts[event.kind as usize] += 1;
        self.first = self.first.min(event.time);
        self.last = self.last.max(event.time);
        if let Some(line) = line {
            self.spend += line.amount;
            if let Some(price) = line.price.filter(|_| !line.is_return()) {
                self.prices.add(price);
            }
        }
        if let Some(query) = event
            .query
            .as_deref()
            .filter(|_| event.kind == EventKind::Search)
        {
            self.queries.add(query, event.time);
        }
        self.remember(event, item);
        item.map_or(Buyer::Known, |item| self.records.fold(item, event, line))
    }

    /// Recents are sorted by time, then by arrival; the oldest makes room.
    fn remember(&mut self, event: &Event, item: Option<ItemNo>) {
        let at = match self.recents.back() {
            Some(newest) if newest.time > event.time => self
                .recents
                .partition_point(|recent| recent.time <= event.time),
            _ => self.recents.len(),
        };
        if self.recents.len() == RECENT && at == 0 {
            return;
        }
        let recent = Recent {
            kind: event.kind,
            item,
            query: event.query.as_deref().map(|query| shortened(query).into()),
            time: event.time,
            price: event.price,
            quantity: event.quantity,
        };
        self.recents.insert(at, recent);
        if self.recents.len() > RECENT {
            self.recents.pop_front();
        }
    }

    /// Puts a bought item into the basket of its event; gives the others in it.
    pub(crate) fn put_in_basket(&mut self, event: &Event, item: ItemNo) -> &[ItemNo] {
        let Placed { opened, others } = self.baskets.put(key_of(event), item);
        self.orders += u64::from(opened);
        others
    }

    /// Puts the event into its session; says what changes for the pairs of two sessions that it joins.
    pub(crate) fn visit(&mut self, event: &Event) -> Option<Joined> {
        self.sessions.touch(event.time)
    }

    /// Notes a viewed item in the session of its event; gives the others viewed in it.
    pub(crate) fn view(&mut self, item: ItemNo) -> &[ItemNo] {
        self.sessions.view(item)
    }

    /// Whose profile it is.
    pub fn user(&self) -> &UserId {
        &self.user
    }

    /// Time of the earliest event.
    pub fn first(&self) -> Timestamp {
        self.first
    }

    /// Time of the latest event.
    pub fn last(&self) -> Timestamp {
        self.last
    }

    /// Events of one kind.
    pub fn count(&self, kind: EventKind) -> u64 {
        self.counts[kind as usize]
    }

    /// Money paid less money given back.
    pub fn spend(&self) -> f64 {
        self.spend
    }

    /// Distinct baskets; one that gets a line after eight others came in between counts again.
    pub fn orders(&self) -> u64 {
        self.orders
    }

    /// How many sessions there were, and how long they were together.
    pub fn sessions(&self) -> SessionTotals {
        self.sessions.totals()
    }

    /// The session with the latest event.
    pub fn newest_session(&self) -> Option<&Session> {
        self.sessions.newest()
    }

    /// Quantiles of the prices paid, `None` before the first.
    pub fn price_band(&self) -> Option<PriceBand> {
        self.prices.band()
    }

    /// The newest 200 events by time, then by arrival, the newest last.
    pub fn recents(&self) -> impl DoubleEndedIterator<Item = &Recent> + ExactSizeIterator {
        self.recents.iter()
    }

    /// Past queries, each text once, the newest last.
    pub fn queries(&self) -> &[PastQuery] {
        self.queries.as_slice()
    }

    /// What the shopper did with one item, if it is remembered.
    pub fn record(&self, item: ItemNo) -> Option<&ItemRecord> {
        self.records.get(item)
    }

    /// How many items are remembered.
    pub fn remembered(&self) -> usize {
        self.records.len()
    }

    /// Whether the shopper bought the item and kept some of it.
    pub fn has_bought(&self, item: ItemNo) -> bool {
        self.records
            .get(item)
            .is_some_and(|record| record.purchases > 0 && record.units > 0.0)
    }

    /// Items whose last word was a dislike, ascending.
    pub fn disliked(&self) -> Vec<ItemNo> {
        let mut items: Vec<ItemNo> = self
            .records
            .iter()
            .filter(|(_, record)| record.is_disliked())
            .map(|(item, _)| item)
            .collect();
        items.sort_unstable();
        items
    }

    /// Decayed interest per item, the strongest first, then the smaller number; dislikes are negative and last.
    pub fn weighted_items(&self, now: Timestamp) -> Vec<(ItemNo, f64)> {
        let mut items: Vec<(ItemNo, f64)> = self
            .records
            .iter()
            .map(|(item, record)| (item, record.weight(now)))
            .collect();
        items.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        items
    }

    /// What the sequence models see: items clicked, put in the cart, liked or bought, in the order of time, the
    /// newest last. The same item several times in a row (clicked, then put in the cart, then bought) is one step.
    pub fn sequence(&self) -> Vec<ItemNo> {
        let chosen = self.recents.iter().filter(|recent| match recent.kind {
            EventKind::Click | EventKind::Cart | EventKind::Like => true,
            EventKind::Purchase => recent.quantity.is_none_or(|quantity| quantity >= 0.0),
            _ => false,
        });
        let mut items: Vec<ItemNo> = chosen.filter_map(|recent| recent.item).collect();
        items.dedup();
        items
    }

    /// Items to buy again, the most due first. Repeated items stand before items bought on one day only; the
    /// formula is in the documentation of [`Reorder::due_score`].
    pub fn reorder(&self, now: Timestamp) -> Vec<Reorder> {
        let mut due: Vec<Reorder> = self
            .records
            .iter()
            .filter_map(|(item, record)| reorder(item, record, now))
            .collect();
        due.sort_unstable_by(|a, b| {
            let by_habit = b.interval_days.is_some().cmp(&a.interval_days.is_some());
            by_habit
                .then(b.due_score.total_cmp(&a.due_score))
                .then(a.item.cmp(&b.item))
        });
        due
    }

    pub(crate) fn largest_number(&self) -> Option<ItemNo> {
        let recent = self.recents.iter().filter_map(|recent| recent.item).max();
        recent
            .max(self.records.largest_number())
            .max(self.baskets.largest_number())
            .max(self.sessions.largest_number())
    }
}
