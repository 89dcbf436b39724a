//! The events of a log one after the other, put together by shopper, and what led to each.

use super::{TrainingEvent, basket_key, pieces};
use crate::led_to::{NewestSearch, says_yes};
use domain::{Event, EventKind, Timestamp};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;

/// A longer text is no query but something that was pasted.
const LONGEST_QUERY: usize = 200;
/// Queries at most: each is encoded, and rare ones say little.
const MOST_QUERIES: usize = 20_000;

/// What shoppers did and asked for, as it is read.
#[derive(Default)]
pub(super) struct Shoppers {
    /// By the shopper's id.
    places: FxHashMap<String, usize>,
    steps: Vec<Vec<Step>>,
    baskets: FxHashMap<(usize, String), u32>,
    /// Baskets of each shopper.
    counts: Vec<u32>,
    /// By text.
    queries: FxHashMap<String, u32>,
}

/// One event in the log.
enum Step {
    Searched {
        query: Option<u32>,
        time: Timestamp,
    },
    /// As yet with the query that the event names itself.
    Did(TrainingEvent),
}

impl Step {
    fn time(&self) -> Timestamp {
        match self {
            Self::Searched { time, .. } => *time,
            Self::Did(event) => event.time,
        }
    }
}

impl Shoppers {
    pub(super) fn add(&mut self, event: &Event, items: &FxHashMap<&str, u32>) {
        if event.kind == EventKind::Search {
            let (query, time) = (self.query(event), event.time);
            let shopper = self.shopper(event);
            self.steps[shopper].push(Step::Searched { query, time });
        }
        let item = event.item.as_ref().and_then(|id| items.get(id.as_str()));
        let Some(&item) = item else {
            return;
        };
        let shopper = self.shopper(event);
        let did = TrainingEvent {
            item,
            kind: event.kind,
            time: event.time,
            quantity: pieces(event.kind, event.quantity),
            basket: self.basket(shopper, event),
            query: self.query(event),
        };
        self.steps[shopper].push(Step::Did(did));
    }

    fn shopper(&mut self, event: &Event) -> usize {
        let user = event.user.as_str();
        match self.places.get(user) {
            Some(known) => *known,
            None => {
                self.places.insert(user.to_owned(), self.steps.len());
                self.steps.push(Vec::new());
                self.counts.push(0);
                self.steps.len() - 1
            }
        }
    }

    /// The number of the query that an event names, if it is one to learn from.
    fn query(&mut self, event: &Event) -> Option<u32> {
        let text = event.query.as_deref()?.trim();
        if text.is_empty() || text.chars().count() > LONGEST_QUERY {
            return None;
        }
        let next = self.queries.len() as u32;
        match self.queries.get(text) {
            Some(known) => Some(*known),
            None => {
                self.queries.insert(text.to_owned(), next);
                Some(next)
            }
        }
    }

    fn basket(&mut self, shopper: usize, event: &Event) -> Option<u32> {
        let key = basket_key(event)?;
        let count = &mut self.counts[shopper];
        let number = self.baskets.entry((shopper, key)).or_insert_with(|| {
            *count += 1;
            *count - 1
        });
        Some(*number)
    }

    /// Each shopper's events by time, those of one moment as they came, with the queries that
    /// led to them; and the texts of these.
    pub(super) fn finish(self) -> (Vec<Vec<TrainingEvent>>, Vec<String>) {
        let mut shoppers = Vec::with_capacity(self.steps.len());
        for mut steps in self.steps {
            steps.sort_by_key(Step::time);
            let events = led_to(steps);
            if !events.is_empty() {
                shoppers.push(events);
            }
        }
        let mut texts = vec![String::new(); self.queries.len()];
        for (text, number) in self.queries {
            texts[number as usize] = text;
        }
        let texts = most_asked(texts, &mut shoppers);
        (shoppers, texts)
    }
}

/// The events among a shopper's steps, each with the query that led to it.
fn led_to(steps: Vec<Step>) -> Vec<TrainingEvent> {
    let mut search = NewestSearch::none();
    let mut events = Vec::new();
    for step in steps {
        match step {
            Step::Searched { query, time } => search.searched(query, time),
            Step::Did(mut event) => {
                let led = || search.led_to(event.query, event.time);
                event.query = says_yes(event.kind).then(led).flatten();
                events.push(event);
            }
        }
    }
    events
}

/// The texts of the queries that led to the most events, and their new numbers in the events.
fn most_asked(texts: Vec<String>, shoppers: &mut [Vec<TrainingEvent>]) -> Vec<String> {
    let mut counts = vec![0_u64; texts.len()];
    for query in shoppers.iter().flatten().filter_map(|event| event.query) {
        counts[query as usize] += 1;
    }
    let mut kept: Vec<usize> = (0..texts.len()).filter(|&at| counts[at] > 0).collect();
    kept.sort_by_key(|&at| Reverse(counts[at]));
    kept.truncate(MOST_QUERIES);
    kept.sort_unstable();
    let mut numbers = vec![None; texts.len()];
    for (number, &at) in (0_u32..).zip(&kept) {
        numbers[at] = Some(number);
    }
    for event in shoppers.iter_mut().flatten() {
        event.query = event.query.and_then(|query| numbers[query as usize]);
    }
    let is_kept = |(at, _): &(usize, String)| numbers[*at].is_some();
    let texts = texts.into_iter().enumerate().filter(is_kept);
    texts.map(|(_, text)| text).collect()
}
