//! Items looked up one at a time: where an item stands, and what it has under an attribute.
//!
//! Searches go through whole segments; whoever has a few items in hand finds them here
//! once and then asks by their place, which costs an array access instead of a search.

use crate::bits::ItemSet;
use crate::columns::Attribute;
use crate::error::QueryError;
use crate::snapshot::{Core, Place};
use crate::value;
use crate::words::Words;
use std::sync::Arc;
use tantivy::TantivyError;

impl Words {
    /// Where the document with an id is, if it is there.
    pub fn place_of(&self, id: &str) -> Result<Option<Place>, QueryError> {
        Ok(self.core().locate(id)?)
    }

    /// The number of the document at a place.
    pub fn number_at(&self, place: Place) -> u64 {
        self.core().number_at(place)
    }

    /// The text of one attribute of the item at a place, as it was given; of several the first.
    /// There is one only where the attribute has a column.
    pub fn text_at(&self, path: &str, place: Place) -> Result<Option<String>, QueryError> {
        let attribute = self.core().attribute(path)?;
        let values = attribute.segments.get(place.segment as usize);
        let Some(column) = values.and_then(|values| values.text.as_ref()) else {
            return Ok(None);
        };
        let Some(ord) = column.term_ords(place.doc).next() else {
            return Ok(None);
        };
        let mut stored = String::new();
        column
            .ord_to_str(ord, &mut stored)
            .map_err(TantivyError::from)?;
        let (_, given) = value::split(stored.as_bytes());
        Ok(Some(String::from_utf8_lossy(given).into_owned()))
    }

    /// The texts of one attribute, for items by their place.
    pub fn column(&self, path: &str) -> Result<Column, QueryError> {
        let attribute = self.core().attribute(path)?;
        // Numbers the texts of all segments now, so that looking one up cannot fail.
        attribute.groups(self.core())?;
        Ok(Column {
            core: Arc::clone(self.core()),
            attribute,
        })
    }
}

impl ItemSet {
    /// Whether the item at a place of the same snapshot is in the set.
    pub fn has_place(&self, place: Place) -> bool {
        self.has(place)
    }
}

/// One attribute of all items of a snapshot.
pub struct Column {
    core: Arc<Core>,
    attribute: Arc<Attribute>,
}

impl Column {
    /// The texts of the item as numbers: equal texts, without regard to case, have equal numbers.
    pub fn texts(&self, place: Place) -> Result<Vec<u32>, QueryError> {
        let groups = self.attribute.groups(&self.core)?;
        let segment = place.segment as usize;
        let values = self.attribute.segments.get(segment);
        let Some(column) = values.and_then(|values| values.text.as_ref()) else {
            return Ok(Vec::new());
        };
        let ords = column.term_ords(place.doc);
        Ok(ords.map(|ord| groups.of(segment, ord)).collect())
    }
}
