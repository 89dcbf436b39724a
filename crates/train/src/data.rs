//! What a model is trained on.

use crate::error::TrainError;
use models::affinity::{DISLIKE, GAP_BANDS, KINDS, QUANTITY_BANDS};
use std::ops::Range;

/// One thing a shopper did, as the model sees it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Event {
    /// Dense number of the item.
    pub item: u32,
    /// Place of the kind in [`models::affinity::KINDS`]' order: view, click, cart, purchase,
    /// like, dislike, rate, search.
    pub kind: u8,
    /// [`models::affinity::gap_band`] of the time since the event before.
    pub gap: u8,
    /// [`models::affinity::quantity_band`]
    pub quantity: u8,
    /// The query that led to it, a row of [`Dataset::queries`].
    pub query: Option<u32>,
}

/// A class of items and the value of each item; 0 is unknown.
#[derive(Clone, Debug)]
pub struct Field {
    pub name: String,
    /// Values there are, 0 among them.
    pub values: usize,
    /// `[items]`
    pub of: Vec<u32>,
}

/// Where at least this share of the events is about an item that the shopper had to do with
/// before, items may come next again.
const REPEATS: f64 = 0.02;

/// Items and histories.
#[derive(Clone, Debug, Default)]
pub struct Dataset {
    pub items: usize,
    /// Vectors of the items' texts, `[items, text_dimensions]`; empty without an encoder.
    pub texts: Vec<f32>,
    pub text_dimensions: usize,
    pub fields: Vec<Field>,
    /// Vectors of what was asked for, `[queries, text_dimensions]`.
    pub queries: Vec<f32>,
    /// What each shopper did, the oldest first.
    pub histories: Vec<Vec<Event>>,
}

impl Dataset {
    /// Items alone, in their order: what is known of sequences without times or kinds. Every
    /// event is a purchase.
    pub fn of_sequences(sequences: &[Vec<u32>], items: usize) -> Self {
        let event = |&item: &u32| Event {
            item,
            kind: PURCHASE,
            gap: 0,
            quantity: 0,
            query: None,
        };
        let history = |sequence: &Vec<u32>| sequence.iter().map(event).collect();
        Self {
            items,
            histories: sequences.iter().map(history).collect(),
            ..Self::default()
        }
    }

    /// Refuses numbers that are out of range, so that training need not look again.
    pub(crate) fn check(&self) -> Result<(), TrainError> {
        let fail = |what: String| Err(TrainError::Data(what));
        if self.items == 0 || self.histories.is_empty() {
            return Err(TrainError::TooLittle);
        }
        if self.texts.len() != self.items * self.text_dimensions {
            return fail(format!(
                "{} numbers of texts for {} items",
                self.texts.len(),
                self.items
            ));
        }
        if let Some(at) = self.texts.iter().position(|number| !number.is_finite()) {
            return fail(format!(
                "the text of item {} is not a vector of numbers",
                at / self.text_dimensions
            ));
        }
        if self.queries.iter().any(|number| !number.is_finite()) {
            return fail("a query is not a vector of numbers".to_owned());
        }
        for field in &self.fields {
            let is_known = |&value: &u32| (value as usize) < field.values;
            if field.of.len() != self.items || !field.of.iter().all(is_known) {
                return fail(format!("the field {} does not fit the items", field.name));
            }
        }
        for (shopper, history) in self.histories.iter().enumerate() {
            let fits = |event: &Event| {
                (event.item as usize) < self.items
                    && usize::from(event.kind) < KINDS
                    && usize::from(event.gap) < GAP_BANDS
                    && usize::from(event.quantity) < QUANTITY_BANDS
                    && event.query.is_none_or(|query| self.query(query).is_some())
            };
            if !history.iter().all(fits) {
                return fail(format!("an event of history {shopper} is out of range"));
            }
        }
        Ok(())
    }

    /// The vector of a query.
    pub(crate) fn query(&self, row: u32) -> Option<&[f32]> {
        let start = row as usize * self.text_dimensions;
        self.queries
            .get(start..start + self.text_dimensions)
            .filter(|vector| !vector.is_empty())
    }

    /// The share of what may be asked about, every event but the first of a history, that a
    /// query led to.
    pub(crate) fn asked_share(&self) -> f64 {
        let later = || {
            self.histories
                .iter()
                .flat_map(|events| events.iter().skip(1))
        };
        let asked = later().filter(|event| event.query.is_some());
        asked.count() as f64 / later().count().max(1) as f64
    }

    /// Whether items may come next again: where hardly any did, none of the history does.
    pub fn repeats(&self) -> bool {
        let (mut again, mut all) = (0_u64, 0_u64);
        for history in &self.histories {
            let mut seen = rustc_hash::FxHashSet::default();
            let mut before = None;
            for event in history {
                // One that goes on with the item of the event before is no other event.
                if before != Some(event.item) {
                    all += 1;
                    again += u64::from(!seen.insert(event.item));
                }
                before = Some(event.item);
            }
        }
        again as f64 >= REPEATS * all.max(1) as f64
    }

    /// How often each item stands in a history.
    pub(crate) fn counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.items];
        for event in self.histories.iter().flatten() {
            counts[event.item as usize] += 1;
        }
        counts
    }

    /// Histories cut into windows that fit the model, the newest full. A window's events but
    /// the last are context, its events but the first are what comes next; windows of one
    /// history share one event, so that every event but the first comes next once.
    pub(crate) fn windows(&self, max_history: usize) -> Vec<Window> {
        let mut windows = Vec::new();
        for (history, events) in self.histories.iter().enumerate() {
            let mut end = events.len();
            while end >= 2 {
                let start = end.saturating_sub(max_history + 1);
                windows.push(Window {
                    history,
                    events: start..end,
                });
                end = if start == 0 { 0 } else { start + 1 };
            }
        }
        windows
    }
}

/// Place of a purchase among the kinds.
pub(crate) const PURCHASE: u8 = 3;
const CART: u8 = 2;

impl Event {
    /// Whether the shopper viewed the item gladly, put it in a cart, bought it.
    pub(crate) fn actions(self) -> [bool; 3] {
        [
            self.kind != DISLIKE,
            self.kind == CART || self.kind == PURCHASE,
            self.kind == PURCHASE,
        ]
    }
}

/// Events of a history that are trained on together.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Window {
    pub history: usize,
    pub events: Range<usize>,
}

impl Window {
    /// Tokens of context.
    pub fn len(&self) -> usize {
        self.events.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_but_the_first_comes_next_once() {
        for len in 0..30 {
            let sequence: Vec<u32> = (0..len).collect();
            let data = Dataset::of_sequences(&[sequence], 30);
            let windows = data.windows(4);
            let mut next: Vec<usize> = windows
                .iter()
                .flat_map(|window| window.events.clone().skip(1))
                .collect();
            next.sort_unstable();
            assert_eq!(next, (1..len as usize).collect::<Vec<_>>());
            assert!(windows.iter().all(|window| (1..=4).contains(&window.len())));
            if len > 4 {
                assert_eq!(windows[0].len(), 4, "the newest is full");
            }
        }
    }
}
