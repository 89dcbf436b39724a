//! The classes of items that a model knows, as numbers: category, brand, price band.
//!
//! Trainer and server number them with the same [`ItemFields`], which stands as `fields.json`
//! in the folder of a model. 0 is what is unknown, and everything that came after training.

use crate::snapshot::IndexReader;
use crate::{EngineError, TrainingItem};
use intake::Role;
use models::affinity::{AffinityConfig, FieldConfig};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The name of the file.
pub(crate) const FILE: &str = "fields.json";
/// Prices of a category (or of the catalogue) fall into this many bands, as many in each.
const PRICE_BANDS: usize = 5;
/// A category with fewer prices than this uses the bands of the catalogue.
const ENOUGH_PRICES: usize = 20;

/// What of a document goes into the fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Facts {
    pub category: Option<String>,
    pub brand: Option<String>,
    pub price: Option<f64>,
}

impl IndexReader {
    /// What the roles in force say of a document.
    pub(crate) fn facts(&self, document: &Map<String, Value>) -> Facts {
        let cleaned = self.cleaned(document);
        let first = |role| self.texts(&cleaned, role).into_iter().next();
        Facts {
            category: first(Role::Categories),
            brand: first(Role::Brand),
            price: self.number(&cleaned, Role::Price),
        }
    }
}

/// The values of each field, as training saw them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemFields {
    /// Sorted; a category's value is its place and one.
    categories: Vec<String>,
    /// The same.
    brands: Vec<String>,
    /// Where one price band ends and the next begins: of the catalogue, and of each category
    /// with enough prices.
    prices: Vec<f64>,
    category_prices: BTreeMap<String, Vec<f64>>,
}

impl ItemFields {
    /// Numbers what some items have. A class of one item says no more than the item itself, so
    /// it stays unknown.
    pub fn of(items: &[TrainingItem]) -> Self {
        let mut by_category: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        let mut all = Vec::new();
        for item in items {
            if let Some(price) = item.price {
                all.push(price);
                if let Some(category) = &item.category {
                    by_category.entry(category).or_default().push(price);
                }
            }
        }
        by_category.retain(|_, prices| prices.len() >= ENOUGH_PRICES);
        let category_prices = by_category.into_iter();
        Self {
            categories: classes(items.iter().filter_map(|item| item.category.as_deref())),
            brands: classes(items.iter().filter_map(|item| item.brand.as_deref())),
            prices: edges(all),
            category_prices: category_prices
                .map(|(category, prices)| (category.to_owned(), edges(prices)))
                .collect(),
        }
    }

    /// The settings of the fields, for the model's own.
    pub fn config(&self) -> Vec<FieldConfig> {
        let field = |name: &str, classes: usize| FieldConfig {
            name: name.to_owned(),
            values: 1 + classes,
        };
        vec![
            field("category", self.categories.len()),
            field("brand", self.brands.len()),
            field("price", PRICE_BANDS),
        ]
    }

    /// The values of an item, in the order of [`ItemFields::config`].
    pub fn values(
        &self,
        category: Option<&str>,
        brand: Option<&str>,
        price: Option<f64>,
    ) -> [u32; 3] {
        let edges = category.and_then(|category| self.category_prices.get(category));
        let edges = edges.unwrap_or(&self.prices);
        let band = |price: f64| 1 + edges.iter().filter(|edge| price >= **edge).count() as u32;
        [
            place(&self.categories, category),
            place(&self.brands, brand),
            price.filter(|price| price.is_finite()).map_or(0, band),
        ]
    }

    /// Writes `fields.json` into the folder of a model.
    pub fn write(&self, folder: &Path) -> Result<(), EngineError> {
        let path = folder.join(FILE);
        fs::write(&path, crate::tables::to_json(self)?)
            .map_err(|source| EngineError::Folder { path, source })
    }

    /// Reads the fields of a model; `None` for a model without fields.
    pub(crate) fn read(
        folder: &Path,
        config: &AffinityConfig,
    ) -> Result<Option<Self>, EngineError> {
        if config.fields.is_empty() {
            return Ok(None);
        }
        let path = folder.join(FILE);
        let bytes = fs::read(&path).map_err(|source| EngineError::Folder {
            path: path.clone(),
            source,
        })?;
        let unusable = |reason: String| EngineError::ModelUnusable {
            path: path.clone(),
            reason,
        };
        let fields: Self =
            serde_json::from_slice(&bytes).map_err(|err| unusable(err.to_string()))?;
        fields.check(config).map_err(unusable)?;
        Ok(Some(fields))
    }

    fn check(&self, config: &AffinityConfig) -> Result<(), String> {
        if !self.categories.is_sorted() || !self.brands.is_sorted() {
            return Err("its lists are not sorted".to_owned());
        }
        let bands = std::iter::once(&self.prices).chain(self.category_prices.values());
        for edges in bands {
            if edges.len() >= PRICE_BANDS {
                return Err(format!("it has more than {PRICE_BANDS} bands of prices"));
            }
        }
        if config.fields != self.config() {
            return Err("it does not fit the fields in config.json".to_owned());
        }
        Ok(())
    }
}

/// What occurs at least twice, sorted.
fn classes<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    let often = counts.into_iter().filter(|(_, count)| *count >= 2);
    often.map(|(name, _)| name.to_owned()).collect()
}

/// The value of a class; 0 when it is unknown.
fn place(classes: &[String], name: Option<&str>) -> u32 {
    let found = name.and_then(|name| {
        classes
            .binary_search_by(|class| class.as_str().cmp(name))
            .ok()
    });
    found.map_or(0, |place| place as u32 + 1)
}

/// The prices that part all of them into bands.
fn edges(mut prices: Vec<f64>) -> Vec<f64> {
    prices.retain(|price| price.is_finite());
    prices.sort_unstable_by(f64::total_cmp);
    let edge = |band: usize| prices.get(band * prices.len() / PRICE_BANDS).copied();
    let mut edges: Vec<f64> = (1..PRICE_BANDS).filter_map(edge).collect();
    edges.dedup();
    edges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(category: &str, brand: &str, price: f64) -> TrainingItem {
        TrainingItem {
            category: Some(category.to_owned()),
            brand: Some(brand.to_owned()),
            price: Some(price),
            ..TrainingItem::default()
        }
    }

    #[test]
    fn classes_have_numbers_and_the_rest_is_unknown() {
        let mut items: Vec<TrainingItem> = (0..20)
            .map(|n| item("Shoes", "Acme", f64::from(n)))
            .collect();
        items.push(item("Desks", "Only one", 900.0));
        items.push(item("Desks", "Acme", 1_000.0));
        let fields = ItemFields::of(&items);
        let values: Vec<usize> = fields.config().iter().map(|field| field.values).collect();
        assert_eq!(values, [3, 2, 6]);
        assert_eq!(
            fields.values(Some("Shoes"), Some("Acme"), Some(0.0)),
            [2, 1, 1]
        );
        assert_eq!(
            fields.values(Some("Shoes"), Some("Acme"), Some(19.0)),
            [2, 1, 5]
        );
        // Two prices make no bands of their own: among all prices both are high.
        assert_eq!(
            fields.values(Some("Desks"), Some("Only one"), Some(900.0)),
            [1, 0, 5]
        );
        assert_eq!(fields.values(Some("New"), None, Some(f64::NAN)), [0, 0, 0]);
        assert_eq!(fields.values(None, None, None), [0, 0, 0]);
        let nothing = ItemFields::of(&[]);
        assert_eq!(nothing.values(Some("Shoes"), None, Some(3.0)), [0, 0, 1]);
    }

    #[test]
    fn a_file_that_does_not_fit_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let fields = ItemFields::of(&[item("a", "b", 1.0), item("a", "c", 2.0)]);
        fields.write(folder.path()).expect("written");
        let fitting = AffinityConfig::new(0, 3, fields.config());
        let read = ItemFields::read(folder.path(), &fitting).expect("fits");
        assert_eq!(read, Some(fields));
        let without = AffinityConfig::new(0, 3, Vec::new());
        assert_eq!(
            ItemFields::read(folder.path(), &without).expect("fits"),
            None
        );
        let other = AffinityConfig::new(0, 3, ItemFields::of(&[]).config());
        let refused = ItemFields::read(folder.path(), &other).expect_err("does not fit");
        assert!(refused.to_string().contains("config.json"), "{refused}");
    }
}
