//! What an encoder is trained further on: the texts of an index's items, and what its shoppers
//! found to belong together, what they asked for with what they took then, and baskets.

use crate::led_to::{NewestSearch, says_yes};
use crate::meaning::{DEFAULT_EMBEDDER, Describer, Kept};
use crate::record::{Body, EVENTS, Entry};
use crate::snapshot::IndexReader;
use crate::tables::from_json;
use crate::training::basket_key;
use crate::{Engine, EngineError};
use domain::{Event, EventKind};
use intake::Role;
use rustc_hash::FxHashMap;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Longer values of attributes are texts, not names.
const LONGEST_ATTRIBUTE: usize = 200;
/// Attributes of one item at most.
const MOST_ATTRIBUTES: usize = 200;

/// The texts of an index.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainingTexts {
    /// The catalogue, in the order in which its items first came.
    pub items: Vec<TrainingText>,
    /// What was asked for, and the place of an item that was taken then.
    pub asked: Vec<(String, u32)>,
    /// Places of the items of each basket of more than one.
    pub baskets: Vec<Vec<u32>>,
    /// The model that made the vectors of the standard embedder, if one did.
    pub model: Option<String>,
}

/// The texts of one item.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainingText {
    pub title: String,
    /// The whole long text.
    pub description: String,
    /// The text that an encoder is given.
    pub encoded: String,
    /// Short texts among its other attributes.
    pub attributes: Vec<String>,
}

impl Engine {
    /// Everything that an encoder can be trained further on, as of now.
    ///
    /// # Errors
    /// When there is no such index, or its log or documents cannot be read.
    pub fn training_texts(&self, uid: &str) -> Result<TrainingTexts, EngineError> {
        let reader = self.index(uid)?;
        let mut places = FxHashMap::default();
        let items = reader.texts_of_items(&mut places)?;
        let no = reader.state.meta.no;
        let mut shoppers: BTreeMap<String, Vec<Event>> = BTreeMap::new();
        for record in self.shared().log.read(no.0) {
            let record = record?;
            if record.kind != EVENTS {
                continue;
            }
            let entry = Entry::decode(&record)?;
            if let Body::Events(events) = entry.body
                && entry.index == no
            {
                for event in events.into_iter().filter(|event| says_yes(event.kind)) {
                    let shopper = event.user.as_str().to_owned();
                    shoppers.entry(shopper).or_default().push(event);
                }
            }
        }
        let mut texts = TrainingTexts {
            items,
            model: reader.model()?,
            ..TrainingTexts::default()
        };
        for events in shoppers.values_mut() {
            events.sort_by_key(|event| event.time);
            texts.asked.extend(asked(events, &places));
            texts.baskets.extend(baskets(events, &places));
        }
        Ok(texts)
    }
}

/// What a shopper asked for, with what the shopper took then.
fn asked(events: &[Event], places: &FxHashMap<String, u32>) -> Vec<(String, u32)> {
    let mut asked = Vec::new();
    let mut search = NewestSearch::none();
    for event in events {
        let named = event.query.as_ref();
        if event.kind == EventKind::Search {
            search.searched(named, event.time);
            continue;
        }
        let item = event.item.as_ref().and_then(|id| places.get(id.as_str()));
        if let (Some(&item), Some(query)) = (item, search.led_to(named, event.time)) {
            asked.push((query.clone(), item));
        }
    }
    asked
}

/// The items of each basket of a shopper, in the order in which they were bought.
fn baskets(events: &[Event], places: &FxHashMap<String, u32>) -> Vec<Vec<u32>> {
    let mut baskets: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for event in events {
        let is_return = event.quantity.is_some_and(|quantity| quantity < 0.0);
        if event.kind != EventKind::Purchase || is_return {
            continue;
        }
        let item = event.item.as_ref().and_then(|id| places.get(id.as_str()));
        if let (Some(&item), Some(key)) = (item, basket_key(event)) {
            let basket = baskets.entry(key).or_default();
            if !basket.contains(&item) {
                basket.push(item);
            }
        }
    }
    baskets
        .into_values()
        .filter(|basket| basket.len() > 1)
        .collect()
}

impl IndexReader {
    fn texts_of_items(
        &self,
        places: &mut FxHashMap<String, u32>,
    ) -> Result<Vec<TrainingText>, EngineError> {
        let describer = Describer::new(&self.state);
        let mut items = Vec::new();
        self.each_document(&mut |id, _, json| {
            let document: Map<String, Value> = from_json(json.as_bytes())?;
            let cleaned = self.cleaned(&document);
            let of = |role| self.texts(&cleaned, role).join(" ");
            places.insert(id.to_owned(), items.len() as u32);
            items.push(TrainingText {
                title: of(Role::Title),
                description: of(Role::Text),
                encoded: describer.text(&document),
                attributes: self.attributes(&document),
            });
            Ok(())
        })?;
        Ok(items)
    }

    /// Short texts under all attributes but those of the title and the long text.
    fn attributes(&self, document: &Map<String, Value>) -> Vec<String> {
        let roles = &self.state.roles;
        let is_text = |name: &str| {
            [Role::Title, Role::Text, Role::Image]
                .iter()
                .any(|role| roles.get(*role).iter().any(|path| path == name))
        };
        let mut found = Vec::new();
        for (name, value) in document {
            if !is_text(name) {
                collect(value, &mut found);
            }
        }
        found.truncate(MOST_ATTRIBUTES);
        found
    }

    /// The model that made the vectors of the standard embedder.
    fn model(&self) -> Result<Option<String>, EngineError> {
        let kept = Kept::all(&self.published.views, self.state.meta.no)?;
        let maker = kept.get(DEFAULT_EMBEDDER).map(Kept::model);
        Ok(maker.flatten().map(str::to_owned))
    }
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() <= LONGEST_ATTRIBUTE => found.push(text.clone()),
        Value::Array(list) => list.iter().for_each(|value| collect(value, found)),
        Value::Object(object) => object.values().for_each(|value| collect(value, found)),
        _ => {}
    }
}
