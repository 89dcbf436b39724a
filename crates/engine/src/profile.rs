//! Profiles as they are shown: the fold over events joined with the catalogue of now.
//!
//! Interests over words, brands and categories are derived when they are read, so a
//! document that changes, or comes after its events, needs no special case.

use crate::EngineError;
use crate::snapshot::IndexReader;
use domain::{Comparison, EventKind, Filter, FilterValue, Timestamp};
use intake::Role;
use profiles::{Activity, ItemNo, ItemStats, PriceBand, Profiles, Shopper};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Items whose documents are looked at for interests.
const INTEREST_ITEMS: usize = 150;
/// Interests listed of each sort.
const INTERESTS: usize = 15;
/// Recent events listed.
const RECENT: usize = 20;
/// Neighbours and items to buy again listed.
const LISTED: usize = 20;

/// What is known of a shopper.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShopperProfile {
    pub user_id: String,
    pub first_seen: String,
    pub last_seen: String,
    /// Events by kind; kinds that never happened are left out.
    pub events: BTreeMap<&'static str, u64>,
    pub orders: u64,
    pub spend: f64,
    pub price_band: Option<PriceBand>,
    pub interests: Interests,
    /// Newest first.
    pub recent: Vec<RecentEvent>,
    pub queries: Vec<String>,
    pub buy_again: Vec<BuyAgain>,
    pub disliked: Vec<String>,
    /// The time all decayed numbers are as of: the newest event of the shop.
    pub as_of: String,
}

/// Decayed interests, the strongest first. Weights of one list sum to 1 over all its values.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Interests {
    pub words: Vec<Interest>,
    pub brands: Vec<Interest>,
    pub categories: Vec<Interest>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Interest {
    pub value: String,
    pub weight: f64,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecentEvent {
    pub kind: EventKind,
    pub time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantity: Option<f64>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BuyAgain {
    pub item_id: String,
    pub title: Option<String>,
    /// Median days between purchases; absent for an item bought on one day only.
    pub interval_days: Option<f64>,
    pub last: String,
    pub due_score: f64,
}

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
    pub price: Option<f64>,
    pub price_position: Option<PricePosition>,
    pub events: Option<ItemEvents>,
    pub bought_with: Vec<BoughtWith>,
    pub as_of: Option<String>,
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

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BoughtWith {
    pub item_id: String,
    pub title: Option<String>,
    /// Baskets they were in together.
    pub baskets: u32,
}

impl IndexReader {
    /// The profile of a shopper, from events alone, current with the last one accepted.
    pub fn shopper_profile(&self, user: &str) -> Result<ShopperProfile, EngineError> {
        let unknown = || EngineError::ShopperNotFound(user.to_owned());
        // Copied, so that reading documents does not hold the lock.
        let (shopper, now, ids) = {
            let profiles = self.state.behaviour.profiles();
            let shopper = profiles.shopper(user).ok_or_else(unknown)?.clone();
            let now = profiles.newest().unwrap_or(shopper.last());
            let ids = names_of(&profiles, &shopper, now);
            (shopper, now, ids)
        };
        let mut documents = Documents {
            reader: self,
            ids,
            objects: BTreeMap::new(),
        };
        let mut recent = Vec::new();
        for event in shopper.recents().rev().take(RECENT) {
            recent.push(RecentEvent {
                kind: event.kind,
                time: event.time.to_string(),
                item_id: event.item.map(|no| documents.id(no)),
                title: event.item.and_then(|no| documents.title(no)),
                query: event.query.as_deref().map(str::to_owned),
                price: event.price,
                quantity: event.quantity,
            });
        }
        let mut buy_again = Vec::new();
        for due in shopper.reorder(now).into_iter().take(LISTED) {
            buy_again.push(BuyAgain {
                item_id: documents.id(due.item),
                title: documents.title(due.item),
                interval_days: due.interval_days,
                last: due.last.to_string(),
                due_score: due.due_score,
            });
        }
        let counted = EventKind::ALL
            .into_iter()
            .map(|kind| (kind.as_str(), shopper.count(kind)));
        Ok(ShopperProfile {
            user_id: user.to_owned(),
            first_seen: shopper.first().to_string(),
            last_seen: shopper.last().to_string(),
            events: counted.filter(|(_, count)| *count > 0).collect(),
            orders: shopper.orders(),
            spend: shopper.spend(),
            price_band: shopper.price_band(),
            interests: documents.interests(&shopper.weighted_items(now)),
            recent,
            queries: shopper
                .queries()
                .iter()
                .rev()
                .map(|query| query.text.to_string())
                .collect(),
            buy_again,
            disliked: shopper
                .disliked()
                .into_iter()
                .map(|no| documents.id(no))
                .collect(),
            as_of: now.to_string(),
        })
    }

    /// The profile of an item that the catalogue or any event knows.
    pub fn item_profile(&self, item: &str) -> Result<ItemProfile, EngineError> {
        let document = self.object(item)?;
        let (stats, neighbours, now) = {
            let profiles = self.state.behaviour.profiles();
            let stats = profiles.item(item).cloned();
            let strongest = stats.as_ref().map(|stats| stats.bought_with(LISTED));
            let named = strongest.unwrap_or_default().into_iter();
            let neighbours: Vec<(String, u32)> = named
                .map(|(no, count)| (profiles.item_id(no).to_owned(), count))
                .collect();
            (stats, neighbours, profiles.newest())
        };
        if document.is_none() && stats.is_none() {
            return Err(EngineError::ItemNotFound(item.to_owned()));
        }
        let mut bought_with = Vec::new();
        for (item_id, baskets) in neighbours {
            let title = self
                .object(&item_id)?
                .and_then(|object| self.title(&object));
            bought_with.push(BoughtWith {
                item_id,
                title,
                baskets,
            });
        }
        let cleaned = document
            .map(|object| self.cleaned(&object))
            .unwrap_or_default();
        let price = self.number(&cleaned, Role::Price);
        let categories = self.texts(&cleaned, Role::Categories);
        Ok(ItemProfile {
            item_id: item.to_owned(),
            in_catalogue: self.state.words.contains(item)?,
            title: self.texts(&cleaned, Role::Title).into_iter().next(),
            brand: self.texts(&cleaned, Role::Brand),
            price_position: match price {
                Some(price) => self.price_position(price, categories.first())?,
                None => None,
            },
            categories,
            price,
            events: stats.map(|stats| item_events(&stats, now.unwrap_or(stats.last))),
            bought_with,
            as_of: now.map(|now| now.to_string()),
        })
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

    pub(crate) fn cleaned(&self, object: &Map<String, Value>) -> Map<String, Value> {
        intake::Cleaner::new(self.state.roles.clone())
            .clean(object, &mut Vec::new())
            .into_owned()
    }

    fn title(&self, object: &Map<String, Value>) -> Option<String> {
        self.texts(object, Role::Title).into_iter().next()
    }

    pub(crate) fn number(&self, object: &Map<String, Value>, role: Role) -> Option<f64> {
        self.state
            .roles
            .get(role)
            .iter()
            .find_map(|path| at(object, path)?.as_f64())
    }

    /// Every text under the attributes of a role.
    pub(crate) fn texts(&self, object: &Map<String, Value>, role: Role) -> Vec<String> {
        let mut texts = Vec::new();
        for path in self.state.roles.get(role) {
            if let Some(value) = at(object, path) {
                collect_texts(value, &mut texts);
            }
        }
        texts
    }
}

/// The value at a dotted path.
pub(crate) fn at<'a>(object: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    if let Some(value) = object.get(path) {
        return Some(value);
    }
    let (first, rest) = path.split_once('.')?;
    at(object.get(first)?.as_object()?, rest)
}

fn collect_texts(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) if !text.is_empty() => texts.push(text.clone()),
        Value::Array(list) => list
            .iter()
            .for_each(|element| collect_texts(element, texts)),
        _ => {}
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

/// Ids of every item that a shopper's profile may show.
fn names_of(profiles: &Profiles, shopper: &Shopper, now: Timestamp) -> BTreeMap<ItemNo, String> {
    let known = shopper.weighted_items(now).into_iter().map(|(no, _)| no);
    let recent = shopper.recents().filter_map(|event| event.item);
    known
        .chain(recent)
        .map(|no| (no, profiles.item_id(no).to_owned()))
        .collect()
}

/// Documents of one profile, each read once.
struct Documents<'a> {
    reader: &'a IndexReader,
    ids: BTreeMap<ItemNo, String>,
    objects: BTreeMap<ItemNo, Option<Map<String, Value>>>,
}

impl Documents<'_> {
    fn id(&self, no: ItemNo) -> String {
        self.ids.get(&no).cloned().unwrap_or_default()
    }

    /// The cleaned document; an unreadable one counts as missing here and is told elsewhere.
    fn object(&mut self, no: ItemNo) -> Option<&Map<String, Value>> {
        let (reader, ids) = (self.reader, &self.ids);
        let slot = self.objects.entry(no).or_insert_with(|| {
            let object = reader.object(ids.get(&no)?).ok().flatten()?;
            Some(reader.cleaned(&object))
        });
        slot.as_ref()
    }

    fn title(&mut self, no: ItemNo) -> Option<String> {
        let reader = self.reader;
        self.object(no).and_then(|object| reader.title(object))
    }

    fn interests(&mut self, weighted: &[(ItemNo, f64)]) -> Interests {
        let reader = self.reader;
        let [mut words, mut brands, mut categories] = [const { BTreeMap::new() }; 3];
        for &(no, weight) in weighted.iter().take(INTEREST_ITEMS) {
            if weight <= 0.0 {
                break;
            }
            let Some(object) = self.object(no) else {
                continue;
            };
            for title in reader.texts(object, Role::Title) {
                for token in reader.state.analyzer.query_tokens(&title) {
                    if tells_something(&token.surface) {
                        *words.entry(token.text).or_insert(0.0) += weight;
                    }
                }
            }
            for brand in reader.texts(object, Role::Brand) {
                *brands.entry(brand).or_insert(0.0) += weight;
            }
            for category in reader.texts(object, Role::Categories) {
                *categories.entry(category).or_insert(0.0) += weight;
            }
        }
        Interests {
            words: strongest(words),
            brands: strongest(brands),
            categories: strongest(categories),
        }
    }
}

/// Words that say what a shopper likes: not numbers, not glue.
fn tells_something(word: &str) -> bool {
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

fn strongest(weights: BTreeMap<String, f64>) -> Vec<Interest> {
    let sum: f64 = weights.values().sum();
    let mut list: Vec<Interest> = weights
        .into_iter()
        .map(|(value, weight)| Interest {
            value,
            weight: weight / sum.max(f64::MIN_POSITIVE),
        })
        .collect();
    // The map gave them by value, so equal weights stay in that order.
    list.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    list.truncate(INTERESTS);
    list
}
