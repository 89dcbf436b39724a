//! What a model of an index is trained on: its items, and everything its shoppers did.
//!
//! Profiles keep a shopper's newest events; training wants all of them, so they are read from
//! the log. Events of items that are not in the catalogue are left out.

use crate::fields::Facts;
use crate::meaning::{DEFAULT_EMBEDDER, Describer};
use crate::record::{Body, EVENTS, Entry};
use crate::snapshot::IndexReader;
use crate::tables::{DOCUMENTS, Document, from_json};
use crate::{Engine, EngineError};
use domain::{Event, EventKind, Timestamp};
use rustc_hash::FxHashMap;
use serde_json::{Map, Value};

/// The items of an index and what its shoppers did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainingLog {
    /// The catalogue, in the order in which its items first came.
    pub items: Vec<TrainingItem>,
    /// What each shopper did, the oldest first; shoppers in the order in which they first came.
    pub shoppers: Vec<Vec<TrainingEvent>>,
}

/// One item of the catalogue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainingItem {
    pub id: String,
    /// The text that an encoder is given.
    pub text: String,
    /// The vector of that text, where there is an encoder and it has come so far.
    pub vector: Option<Vec<f32>>,
    /// The first of its categories.
    pub category: Option<String>,
    pub brand: Option<String>,
    pub price: Option<f64>,
}

/// One thing that a shopper did with an item.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainingEvent {
    /// Place in [`TrainingLog::items`].
    pub item: u32,
    pub kind: EventKind,
    pub time: Timestamp,
    /// Pieces; negative for a return. A purchase that does not say is one piece, and another
    /// kind of event none.
    pub quantity: f64,
    /// Which of the shopper's baskets: what was bought under one basket id, or without one on
    /// one day (UTC). Other kinds of events have one only where they say so.
    pub basket: Option<u32>,
}

impl Engine {
    /// Everything that a model of an index can be trained on, as of now.
    pub fn training_log(&self, uid: &str) -> Result<TrainingLog, EngineError> {
        let reader = self.index(uid)?;
        let items = reader.training_items()?;
        let mut places = FxHashMap::default();
        for (place, item) in (0_u32..).zip(&items) {
            places.insert(item.id.as_str(), place);
        }
        let no = reader.state.meta.no;
        let mut shoppers = Shoppers::default();
        // Nothing of an index stands before the record that made it.
        for record in self.shared().log.read(no.0) {
            let record = record?;
            if record.kind != EVENTS {
                continue;
            }
            let entry = Entry::decode(&record)?;
            if let Body::Events(events) = &entry.body
                && entry.index == no
            {
                for event in events {
                    shoppers.add(event, &places);
                }
            }
        }
        let shoppers = shoppers.ordered();
        Ok(TrainingLog { items, shoppers })
    }
}

/// Pieces of an event, for training and for serving.
pub(crate) fn pieces(kind: EventKind, quantity: Option<f64>) -> f64 {
    let unsaid = match kind {
        EventKind::Purchase => 1.0,
        _ => 0.0,
    };
    quantity.unwrap_or(unsaid)
}

/// Which of a shopper's baskets an event is of: what was bought under one basket id, or without
/// one on one day (UTC).
pub(crate) fn basket_key(event: &Event) -> Option<String> {
    match (&event.basket, event.kind) {
        (Some(basket), _) => Some(format!("b{basket}")),
        (None, EventKind::Purchase) => {
            Some(format!("d{}", event.time.millis().div_euclid(86_400_000)))
        }
        (None, _) => None,
    }
}

/// Events by shopper, as they are read.
#[derive(Default)]
struct Shoppers {
    /// By the shopper's id.
    places: FxHashMap<String, usize>,
    events: Vec<Vec<TrainingEvent>>,
    baskets: FxHashMap<(usize, String), u32>,
    /// Baskets of each shopper.
    counts: Vec<u32>,
}

impl Shoppers {
    fn add(&mut self, event: &Event, items: &FxHashMap<&str, u32>) {
        let item = event.item.as_ref().and_then(|id| items.get(id.as_str()));
        let Some(&item) = item else {
            return;
        };
        let user = event.user.as_str();
        let shopper = match self.places.get(user) {
            Some(known) => *known,
            None => {
                self.places.insert(user.to_owned(), self.events.len());
                self.events.push(Vec::new());
                self.counts.push(0);
                self.events.len() - 1
            }
        };
        let basket = self.basket(shopper, event);
        self.events[shopper].push(TrainingEvent {
            item,
            kind: event.kind,
            time: event.time,
            quantity: pieces(event.kind, event.quantity),
            basket,
        });
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

    /// Each shopper's events by time; those of one moment as they came.
    fn ordered(mut self) -> Vec<Vec<TrainingEvent>> {
        for events in &mut self.events {
            events.sort_by_key(|event| event.time);
        }
        self.events
    }
}

impl IndexReader {
    fn training_items(&self) -> Result<Vec<TrainingItem>, EngineError> {
        let describer = Describer::new(&self.state);
        let meaning = self.meaning.now();
        let space = meaning.space(DEFAULT_EMBEDDER).ok().flatten();
        let mut items = Vec::new();
        self.each_document(&mut |id, order, json| {
            let document: Map<String, Value> = from_json(json.as_bytes())?;
            let Facts {
                category,
                brand,
                price,
            } = self.facts(&document);
            let slot = space.and_then(|space| Some((space, space.slots.slot(order)?)));
            items.push(TrainingItem {
                id: id.to_owned(),
                text: describer.text(&document),
                vector: slot.map(|(space, slot)| space.vectors.vector(slot)),
                category,
                brand,
                price,
            });
            Ok(())
        })?;
        Ok(items)
    }

    /// Every document in the order in which they first came: its id, its number, its JSON.
    pub(crate) fn each_document(
        &self,
        each: &mut dyn FnMut(&str, u64, &str) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let no = self.state.meta.no;
        let views = &self.published.views;
        let mut ids = Vec::new();
        for entry in views.prefix(DOCUMENTS, &no.0.to_be_bytes())? {
            let (key, value) = entry?;
            ids.push((
                Document::order_of(&value)?,
                Document::id_of(&key)?.to_owned(),
            ));
        }
        ids.sort_unstable();
        for (order, id) in ids {
            if let Some(document) = Document::get(views, no, &id)? {
                each(&id, order, &document.json)?;
            }
        }
        Ok(())
    }
}
