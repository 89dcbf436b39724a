//! The classes of items, `fields.json`: category, brand, price band within the category and
//! popularity band. Trainer and server take the value of an item from here, so that it means
//! the same to both.

use super::config::{AffinityConfig, FieldConfig};
use super::error::AffinityError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Display;

/// Bands of prices within a category, without the unknown one.
const PRICE_BANDS: usize = 5;
/// A category of fewer prices takes the bands of the whole shop.
const PRICES_OF_A_CATEGORY: usize = 10;
/// Bands of popularity, without the unknown one.
const POPULARITY_BANDS: usize = 8;
/// A value of fewer items says no more than the item's own row does.
const ITEMS_OF_A_VALUE: usize = 2;
/// Names of a field at most, the most frequent.
const MOST_NAMES: usize = 1 << 16;

/// What is known of an item, as the shop has it.
#[derive(Clone, Copy, Debug, Default)]
pub struct ItemTraits<'a> {
    pub category: Option<&'a str>,
    pub brand: Option<&'a str>,
    /// One that is not a number, or below zero, is unknown.
    pub price: Option<f64>,
    /// Events of the item in training; 0 for an item that came later.
    pub events: u64,
}

/// How traits become values, and the values of the items of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fields {
    /// Value 1 is the first.
    categories: Vec<String>,
    brands: Vec<String>,
    /// Where a band ends and the next begins; of the whole shop, then of each category.
    price_edges: Vec<Vec<f64>>,
    /// Mean events of an item.
    mean_events: f64,
    /// The values of each item, in the order of `items.json`.
    rows: Vec<[u32; 4]>,
}

impl Fields {
    /// The names of the fields, in the order of the values.
    pub const NAMES: [&str; 4] = ["category", "brand", "price", "popularity"];

    /// Looks for values in all items of a model.
    pub fn learn(items: &[ItemTraits<'_>]) -> Self {
        let categories = names(items.iter().filter_map(|item| item.category));
        let brands = names(items.iter().filter_map(|item| item.brand));
        let mut prices: Vec<Vec<f64>> = vec![Vec::new(); categories.len() + 1];
        for item in items {
            let Some(price) = known_price(item.price) else {
                continue;
            };
            prices[0].push(price);
            let category = value(&categories, item.category) as usize;
            if category > 0 {
                prices[category].push(price);
            }
        }
        let mut price_edges: Vec<Vec<f64>> = Vec::new();
        for prices in &mut prices {
            let own = prices.len() >= PRICES_OF_A_CATEGORY || price_edges.is_empty();
            let edges = if own {
                edges(prices)
            } else {
                price_edges[0].clone()
            };
            price_edges.push(edges);
        }
        let events: u64 = items.iter().map(|item| item.events).sum();
        let mut fields = Self {
            categories,
            brands,
            price_edges,
            mean_events: events as f64 / items.len().max(1) as f64,
            rows: Vec::new(),
        };
        fields.rows = items.iter().map(|&item| fields.values(item)).collect();
        fields
    }

    /// The values of an item, in the order of [`Fields::NAMES`]; what is unknown is 0.
    pub fn values(&self, item: ItemTraits<'_>) -> [u32; 4] {
        let category = value(&self.categories, item.category);
        let price = known_price(item.price).map_or(0, |price| {
            let edges = self.price_edges.get(category as usize);
            let below = |edges: &Vec<f64>| edges.iter().filter(|&&edge| price > edge).count();
            1 + edges.map_or(0, below) as u32
        });
        [
            category,
            value(&self.brands, item.brand),
            price,
            popularity_band(item.events, self.mean_events),
        ]
    }

    /// The values of each item of the model, in the order of its rows.
    pub fn rows(&self) -> &[[u32; 4]] {
        &self.rows
    }

    /// As `config.json` has them.
    pub fn configs(&self) -> Vec<FieldConfig> {
        let sizes = [
            self.categories.len() + 1,
            self.brands.len() + 1,
            PRICE_BANDS + 1,
            POPULARITY_BANDS + 1,
        ];
        let config = |(name, values): (&str, usize)| FieldConfig {
            name: name.to_owned(),
            values,
        };
        Self::NAMES.into_iter().zip(sizes).map(config).collect()
    }

    /// The name of a value of the category; none for the unknown one.
    pub fn category(&self, value: u32) -> Option<&str> {
        let at = (value as usize).checked_sub(1)?;
        self.categories.get(at).map(String::as_str)
    }

    /// Reads `fields.json`.
    ///
    /// # Errors
    /// When it is no such JSON, or would give an item a value that there is not.
    pub fn from_json(json: &[u8]) -> Result<Self, AffinityError> {
        let fields: Self = serde_json::from_slice(json).map_err(AffinityError::Json)?;
        for (name, names) in [("category", &fields.categories), ("brand", &fields.brands)] {
            if !names.is_sorted() {
                return Err(refused(name, "a sorted list", "another"));
            }
        }
        for edges in &fields.price_edges {
            if edges.len() >= PRICE_BANDS {
                return Err(refused("price", "few bands", edges.len()));
            }
        }
        let sizes: Vec<usize> = fields.configs().iter().map(|field| field.values).collect();
        for row in &fields.rows {
            for ((&value, &size), name) in row.iter().zip(&sizes).zip(Self::NAMES) {
                if value as usize >= size {
                    return Err(refused(name, format!("below {size}"), value));
                }
            }
        }
        Ok(fields)
    }

    /// Refuses settings of another model.
    ///
    /// # Errors
    /// When the names, the values or the number of rows are others.
    pub fn check(&self, config: &AffinityConfig) -> Result<(), AffinityError> {
        if config.fields != self.configs() {
            let rule = format!("{:?} as in config.json", config.fields);
            return Err(refused("fields", rule, format!("{:?}", self.configs())));
        }
        if config.items != self.rows.len() {
            return Err(refused("rows", config.items.to_string(), self.rows.len()));
        }
        Ok(())
    }

    /// What [`Fields::from_json`] reads.
    ///
    /// # Errors
    /// When a number cannot be written as JSON.
    pub fn to_json(&self) -> Result<Vec<u8>, AffinityError> {
        serde_json::to_vec(self).map_err(AffinityError::Json)
    }
}

fn refused(field: &str, rule: impl Into<String>, found: impl Display) -> AffinityError {
    AffinityError::Setting {
        field: field.to_owned(),
        rule: rule.into(),
        found: found.to_string(),
    }
}

/// The names with enough items, by name, so that their order depends on nothing else.
fn names<'a>(all: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in all.filter(|name| !name.is_empty()) {
        *counts.entry(name).or_default() += 1;
    }
    let mut counts: Vec<(&str, usize)> = counts
        .into_iter()
        .filter(|count| count.1 >= ITEMS_OF_A_VALUE)
        .collect();
    counts.sort_by_key(|count| std::cmp::Reverse(count.1));
    counts.truncate(MOST_NAMES);
    let mut names: Vec<String> = counts
        .into_iter()
        .map(|(name, _)| name.to_owned())
        .collect();
    names.sort_unstable();
    names
}

fn value(names: &[String], name: Option<&str>) -> u32 {
    let found = name.and_then(|name| {
        names
            .binary_search_by(|other| other.as_str().cmp(name))
            .ok()
    });
    found.map_or(0, |at| at as u32 + 1)
}

fn known_price(price: Option<f64>) -> Option<f64> {
    price.filter(|price| price.is_finite() && *price >= 0.0)
}

/// The prices that part the bands, so that each has as many items as the others.
fn edges(prices: &mut [f64]) -> Vec<f64> {
    prices.sort_unstable_by(f64::total_cmp);
    (1..PRICE_BANDS)
        .filter_map(|band| prices.get(prices.len() * band / PRICE_BANDS).copied())
        .collect()
}

/// The band of how often an item occurs beside the mean, each twice as often as the one
/// before. It compares with the mean, so that it means the same when there are more events.
fn popularity_band(events: u64, mean: f64) -> u32 {
    if events == 0 || mean <= 0.0 {
        return 0;
    }
    let doublings = (events as f64 / mean).log2().floor() + POPULARITY_BANDS as f64 / 2.0;
    doublings.clamp(1.0, POPULARITY_BANDS as f64) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(category: &'static str, brand: &'static str, price: f64) -> ItemTraits<'static> {
        ItemTraits {
            category: Some(category),
            brand: Some(brand),
            price: Some(price),
            events: 4,
        }
    }

    #[test]
    fn a_value_is_a_name_with_two_items_and_all_else_is_unknown() {
        let items = [
            item("mugs", "a", 1.0),
            item("mugs", "b", 2.0),
            item("cups", "b", 3.0),
        ];
        let fields = Fields::learn(&items);
        assert_eq!(fields.rows()[0][..2], [1, 0]);
        assert_eq!(fields.rows()[1][..2], [1, 1]);
        assert_eq!(fields.rows()[2][..2], [0, 1]);
        assert_eq!(fields.category(1), Some("mugs"));
        assert_eq!(fields.category(0), None);
        assert_eq!(fields.values(ItemTraits::default()), [0; 4]);
        assert_eq!(fields.values(item("hats", "z", f64::NAN))[..3], [0; 3]);
    }

    #[test]
    fn prices_are_compared_within_the_category() {
        let mut items = Vec::new();
        for step in 1..=20 {
            items.push(item("cheap", "a", f64::from(step)));
            items.push(item("dear", "a", 100.0 * f64::from(step)));
        }
        let fields = Fields::learn(&items);
        assert_eq!(fields.values(item("cheap", "a", 20.0))[2], 5);
        assert_eq!(fields.values(item("dear", "a", 100.0))[2], 1);
        assert_eq!(
            fields.values(item("new", "a", 20.0))[2],
            3,
            "of the whole shop"
        );
        assert_eq!(fields.values(item("cheap", "a", f64::INFINITY))[2], 0);
        let sizes = fields.configs();
        for row in fields.rows() {
            assert!(
                row.iter()
                    .zip(&sizes)
                    .all(|(&value, size)| (value as usize) < size.values)
            );
        }
    }

    #[test]
    fn popularity_is_told_in_doublings_around_the_mean() {
        assert_eq!(popularity_band(0, 10.0), 0);
        assert_eq!(popularity_band(5, 0.0), 0);
        assert_eq!(popularity_band(1, 1000.0), 1);
        assert_eq!(popularity_band(10, 10.0), 4);
        assert_eq!(popularity_band(20, 10.0), 5);
        assert_eq!(popularity_band(u64::MAX, 10.0), 8);
    }

    #[test]
    fn the_file_comes_back_and_a_foreign_one_is_refused() {
        let fields = Fields::learn(&[item("a", "b", 0.1), item("a", "b", 0.3)]);
        let json = fields.to_json().unwrap();
        assert_eq!(Fields::from_json(&json).unwrap(), fields);
        assert!(Fields::from_json(b"{}").is_err());
        let text = String::from_utf8(json).unwrap();
        let wrong = text.replace("\"rows\":[[1,", "\"rows\":[[7,");
        assert_ne!(text, wrong);
        let refusal = Fields::from_json(wrong.as_bytes()).unwrap_err();
        assert!(refusal.to_string().contains("category"), "{refusal}");
        let fitting = AffinityConfig::new(0, 2, fields.configs());
        assert!(fields.check(&fitting).is_ok());
        let other = AffinityConfig::new(0, 3, fields.configs());
        assert!(fields.check(&other).is_err());
        let without = AffinityConfig::new(0, 2, Vec::new());
        assert!(fields.check(&without).is_err());
    }
}
