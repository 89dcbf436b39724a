//! An item's profile as it is shown: what the catalogue says of it, and what shoppers did.

use super::audience::{Audience, baskets_of_buyers};
use super::facts::ItemFacts;
use super::relations::{BoughtWith, Neighbour, Related, ViewedWith, neighbours};
use crate::EngineError;
use crate::snapshot::IndexReader;
use domain::{Comparison, Filter, FilterValue, Timestamp};
use intake::Role;
use profiles::{Activity, Conversion, Demand, Estimate, ItemStats, Lifecycle, Totals};
use serde::Serialize;
use std::sync::Arc;

/// What is known of an item.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemProfile {
    pub item_id: String,
    /// Whether the catalogue holds it now.
    pub in_catalogue: bool,
    pub title: Option<String>,
    pub brand: Vec<String>,
    pub categories: Vec<String>,
    /// Values of filterable attributes.
    pub attributes: Vec<Attribute>,
    pub price: Option<f64>,
    pub price_position: Option<PricePosition>,
    /// Counts; absent before the first event, like all that follows from events.
    pub events: Option<ItemEvents>,
    pub demand: Option<Demand>,
    pub lifecycle: Option<Lifecycle>,
    pub conversion: Option<Conversion>,
    /// Of its ratings, drawn towards the mean of the shop.
    pub rating: Option<Estimate>,
    /// The share of likes among likes and dislikes.
    pub approval: Option<Estimate>,
    pub audience: Option<Audience>,
    pub bought_with: Vec<BoughtWith>,
    pub viewed_with: Vec<ViewedWith>,
    pub substitutes: Vec<Related>,
    pub complements: Vec<Related>,
    /// The vector of its text, only where it is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vector: Option<Vec<f32>>,
    pub as_of: Option<String>,
}

/// One value of an attribute.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Attribute {
    pub name: String,
    pub value: String,
}

/// Where the price stands among items of the same category (or all, without one).
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PricePosition {
    pub category: Option<String>,
    /// Priced items it is compared with, itself among them.
    pub items: u64,
    /// Share of them that cost less, 0 to 1.
    pub cheaper_share: f64,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemEvents {
    pub views: u64,
    pub clicks: u64,
    pub carts: u64,
    pub purchases: u64,
    pub buyers: u64,
    pub returns: u64,
    pub units: f64,
    pub returned_units: f64,
    pub revenue: f64,
    pub likes: u64,
    pub dislikes: u64,
    pub rating: Option<f64>,
    pub ratings: u64,
    pub first_seen: String,
    pub last_seen: String,
    /// Decayed with a half-life of 7 days.
    pub short_term: Activity,
    /// Decayed with a half-life of 90 days.
    pub long_term: Activity,
}

/// What is copied from the profiles, so that reading documents does not hold their lock.
struct Copied {
    stats: ItemStats,
    totals: Totals,
    neighbours: Vec<Neighbour>,
    buyers: Vec<Vec<Arc<str>>>,
}

impl IndexReader {
    /// The profile of an item that the catalogue or any event knows. Its vector is left out; see
    /// [`IndexReader::item_vector`].
    pub fn item_profile(&self, item: &str) -> Result<ItemProfile, EngineError> {
        let facts = self.item_facts(item)?;
        let (copied, now) = self.copied_item(item);
        if facts.is_none() && copied.is_none() {
            return Err(EngineError::ItemNotFound(item.to_owned()));
        }
        let mut profile = self.described(item, facts.as_deref())?;
        profile.as_of = now.map(|now| now.to_string());
        if let Some(copied) = copied {
            self.add_events(&mut profile, facts.as_deref(), &copied, now)?;
        }
        Ok(profile)
    }

    fn copied_item(&self, item: &str) -> (Option<Copied>, Option<Timestamp>) {
        let profiles = self.state.behaviour.profiles();
        let now = profiles.newest();
        let copied = profiles.item_no(item).map(|no| {
            let stats = profiles.stats(no);
            Copied {
                totals: *profiles.totals(),
                neighbours: neighbours(&profiles, stats),
                buyers: baskets_of_buyers(&profiles, no, stats, now.unwrap_or(stats.last)),
                stats: stats.clone(),
            }
        });
        (copied, now)
    }

    /// What the catalogue says.
    fn described(&self, item: &str, facts: Option<&ItemFacts>) -> Result<ItemProfile, EngineError> {
        let nothing = ItemFacts::default();
        let said = facts.unwrap_or(&nothing);
        let attributes = said.attributes.iter();
        Ok(ItemProfile {
            item_id: item.to_owned(),
            in_catalogue: facts.is_some(),
            title: said.title.clone(),
            brand: said.brands.clone(),
            categories: said.categories.clone(),
            attributes: attributes
                .map(|(name, value)| Attribute {
                    name: name.clone(),
                    value: value.clone(),
                })
                .collect(),
            price: said.price,
            price_position: match said.price {
                Some(price) => self.price_position(price, said.categories.first())?,
                None => None,
            },
            events: None,
            demand: None,
            lifecycle: None,
            conversion: None,
            rating: None,
            approval: None,
            audience: None,
            bought_with: Vec::new(),
            viewed_with: Vec::new(),
            substitutes: Vec::new(),
            complements: Vec::new(),
            vector: None,
            as_of: None,
        })
    }

    /// What shoppers did.
    fn add_events(
        &self,
        profile: &mut ItemProfile,
        facts: Option<&ItemFacts>,
        copied: &Copied,
        now: Option<Timestamp>,
    ) -> Result<(), EngineError> {
        let stats = &copied.stats;
        let now = now.unwrap_or(stats.last);
        let relations = self.relations(facts, &copied.neighbours)?;
        profile.events = Some(item_events(stats, now));
        profile.demand = Some(stats.demand(now));
        profile.lifecycle = Some(stats.lifecycle(now));
        profile.conversion = Some(stats.conversion(&copied.totals));
        profile.rating = stats.rating_estimate(&copied.totals);
        profile.approval = stats.approval();
        profile.audience = self.audience(&copied.buyers)?;
        profile.bought_with = relations.bought_with;
        profile.viewed_with = relations.viewed_with;
        profile.substitutes = relations.substitutes;
        profile.complements = relations.complements;
        Ok(())
    }

    fn price_position(
        &self,
        price: f64,
        category: Option<&String>,
    ) -> Result<Option<PricePosition>, EngineError> {
        let Some(attribute) = self.state.roles.first(Role::Price) else {
            return Ok(None);
        };
        let compare = |comparison, number: f64| Filter::Compare {
            attribute: attribute.to_owned(),
            comparison,
            value: FilterValue::new(number.to_string()),
        };
        let within = |condition: Filter| match (category, self.state.roles.first(Role::Categories))
        {
            (Some(category), Some(path)) => Filter::and(vec![
                condition,
                Filter::Compare {
                    attribute: path.to_owned(),
                    comparison: Comparison::Equal,
                    value: FilterValue::new(category.clone()),
                },
            ]),
            _ => condition,
        };
        let words = &self.state.words;
        let items = words
            .filter_set(&within(compare(Comparison::GreaterOrEqual, 0.0)))?
            .len();
        let cheaper = words
            .filter_set(&within(compare(Comparison::Less, price)))?
            .len();
        if items == 0 {
            return Ok(None);
        }
        Ok(Some(PricePosition {
            category: category.cloned(),
            items: items as u64,
            cheaper_share: cheaper as f64 / items as f64,
        }))
    }
}

fn item_events(stats: &ItemStats, now: Timestamp) -> ItemEvents {
    ItemEvents {
        views: stats.views,
        clicks: stats.clicks,
        carts: stats.carts,
        purchases: stats.purchases,
        buyers: stats.buyers,
        returns: stats.returns,
        units: stats.units,
        returned_units: stats.returned_units,
        revenue: stats.revenue,
        likes: stats.likes,
        dislikes: stats.dislikes,
        rating: stats.rating(),
        ratings: stats.ratings,
        first_seen: stats.first.to_string(),
        last_seen: stats.last.to_string(),
        short_term: stats.short_term(now),
        long_term: stats.long_term(now),
    }
}
