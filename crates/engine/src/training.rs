//! What a model of an index is trained on: its items, and everything its shoppers did.
//!
//! Profiles keep a shopper's newest events; training wants all of them, so they are read from
//! the log. Events of items that are not in the catalogue are left out.

mod steps;

use crate::fields::Facts;
use crate::meaning::{DEFAULT_EMBEDDER, Describer};
use crate::record::{Body, EVENTS, Entry};
use crate::snapshot::IndexReader;
use crate::tables::{DOCUMENTS, Document, from_json};
use crate::{Engine, EngineError};
use domain::{Event, EventKind, Timestamp};
use rustc_hash::FxHashMap;
use serde_json::{Map, Value};
use steps::Shoppers;

/// The items of an index and what its shoppers did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainingLog {
    /// The catalogue, in the order in which its items first came.
    pub items: Vec<TrainingItem>,
    /// The queries that led to the most events, in the order in which they first came.
    pub queries: Vec<TrainingQuery>,
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

/// What shoppers asked for before they did something.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainingQuery {
    pub text: String,
    /// Its vector, where there is an encoder.
    pub vector: Option<Vec<f32>>,
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
    /// Place in [`TrainingLog::queries`] of the one that led to it.
    pub query: Option<u32>,
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
        let (shoppers, queries) = shoppers.finish();
        Ok(TrainingLog {
            queries: reader.training_queries(queries),
            items,
            shoppers,
        })
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

    /// Queries with their vectors.
    fn training_queries(&self, texts: Vec<String>) -> Vec<TrainingQuery> {
        let meaning = self.meaning.now();
        let vectors = match meaning.space(DEFAULT_EMBEDDER) {
            Ok(Some(space)) => {
                let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                space.encode_logged_queries(&texts)
            }
            _ => vec![None; texts.len()],
        };
        let queries = texts.into_iter().zip(vectors);
        queries
            .map(|(text, vector)| TrainingQuery { text, vector })
            .collect()
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
