//! What the catalogue says of an item, as far as profiles speak of it.
//!
//! Reading a document, cleaning it and cutting its title into words takes longer than
//! everything else of a profile, so what came of it is kept beside the published state, and
//! goes with it when the catalogue changes.

use crate::EngineError;
use crate::allowed;
use crate::fields::collect_texts;
use crate::snapshot::IndexReader;
use intake::Role;
use parking_lot::RwLock;
use rustc_hash::FxHashMap;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Items whose facts are kept.
const KEPT: usize = 50_000;
/// Values of other attributes kept of one item.
const ATTRIBUTES: usize = 20;
/// Bytes of such a value; longer ones are texts.
const LONGEST_VALUE: usize = 80;

/// What the catalogue says of an item.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct ItemFacts {
    pub title: Option<String>,
    /// The words of its title that say something.
    pub words: Vec<String>,
    pub brands: Vec<String>,
    pub categories: Vec<String>,
    /// Short texts of filterable attributes without one of the roles above, by name.
    pub attributes: Vec<(String, String)>,
    pub price: Option<f64>,
}

/// Facts by the id of the item; nothing for one that is not in the catalogue.
#[derive(Default)]
pub(crate) struct FactsCache(RwLock<FxHashMap<Box<str>, Option<Arc<ItemFacts>>>>);

impl IndexReader {
    /// What the catalogue says of an item; `None` when it does not know it.
    pub(crate) fn item_facts(&self, id: &str) -> Result<Option<Arc<ItemFacts>>, EngineError> {
        let cache = &self.state.facts.0;
        if let Some(known) = cache.read().get(id) {
            return Ok(known.clone());
        }
        let document = self.object(id)?;
        let facts = document.map(|document| Arc::new(self.read_facts(&self.cleaned(&document))));
        let mut kept = cache.write();
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(id.into(), facts.clone());
        Ok(facts)
    }

    fn read_facts(&self, document: &Map<String, Value>) -> ItemFacts {
        let titles = self.texts(document, Role::Title);
        let mut words = Vec::new();
        for title in &titles {
            for token in self.state.analyzer.query_tokens(title) {
                if tells_something(&token.surface) && !words.contains(&token.text) {
                    words.push(token.text);
                }
            }
        }
        ItemFacts {
            words,
            title: titles.into_iter().next(),
            brands: self.texts(document, Role::Brand),
            categories: self.texts(document, Role::Categories),
            attributes: self.values_of_attributes(document),
            price: self.number(document, Role::Price),
        }
    }

    fn values_of_attributes(&self, document: &Map<String, Value>) -> Vec<(String, String)> {
        let roles = &self.state.roles;
        let mut attributes = Vec::new();
        for (name, value) in document {
            let has_role = Role::ALL
                .into_iter()
                .any(|role| roles.get(role).iter().any(|path| path == name));
            if has_role || !allowed::is_filterable(&self.state.meta, name) {
                continue;
            }
            let mut texts = Vec::new();
            match value {
                Value::Bool(yes) => texts.push(yes.to_string()),
                value => collect_texts(value, &mut texts),
            }
            texts.retain(|text| text.len() <= LONGEST_VALUE);
            attributes.extend(texts.into_iter().map(|text| (name.clone(), text)));
        }
        attributes.truncate(ATTRIBUTES);
        attributes
    }
}

/// Words that say what a shopper likes: not numbers, not glue.
pub(crate) fn tells_something(word: &str) -> bool {
    const GLUE: [&str; 20] = [
        "the", "and", "for", "with", "from", "this", "that", "your", "our", "set", "of", "in",
        "on", "to", "by", "de", "的", "和", "与", "款",
    ];
    let long_enough = if word.is_ascii() {
        word.len() >= 3
    } else {
        true
    };
    long_enough && !word.bytes().any(|byte| byte.is_ascii_digit()) && !GLUE.contains(&word)
}
