//! A shopper's profile as it is shown: the fold over events joined with the catalogue of now.
//!
//! Each part names the events it rests on. What is expensive, because it needs vectors, is asked
//! for on its own.

use super::facts::ItemFacts;
use super::habits::{self, CategoryPrices, Hours, Purchases, Sessions};
use super::interests::{Asked, Evidence, Interests, Met, interests};
use super::portrait::{Tongue, portrait};
use super::vectors::ShopperVectors;
use crate::EngineError;
use crate::snapshot::IndexReader;
use domain::{EventKind, Timestamp};
use profiles::{ItemNo, PriceBand, Profiles, Reorder, Shopper};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Items whose documents are looked at for interests.
const INTEREST_ITEMS: usize = 150;
/// Queries whose words are looked at for interests.
const INTEREST_QUERIES: usize = 20;
/// Recent events listed.
const RECENT: usize = 20;
/// Items to buy again, likes and dislikes listed.
const LISTED: usize = 20;
/// Days of purchase listed for an item to buy again.
const DAYS: usize = 5;
/// A search says as much as a click.
const QUERY_WEIGHT: f64 = 0.2;
/// The half-life of all interests, in milliseconds.
const HALF_LIFE: f64 = 90.0 * 86_400_000.0;

/// What is known of a shopper.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShopperProfile {
    pub user_id: String,
    /// All of it in one paragraph, in the language of the catalogue.
    pub text: String,
    pub first_seen: String,
    pub last_seen: String,
    /// Since when the shopper counts as a program, whose events count for no item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub robot_since: Option<String>,
    /// Events by kind; kinds that never happened are left out.
    pub events: BTreeMap<&'static str, u64>,
    /// Recency, frequency, money; absent before the first purchase.
    pub purchases: Option<Purchases>,
    pub price_band: Option<PriceBand>,
    pub category_prices: Vec<CategoryPrices>,
    pub interests: Interests,
    pub sessions: Sessions,
    pub hours: Hours,
    /// Newest first.
    pub recent: Vec<RecentEvent>,
    /// Newest first.
    pub queries: Vec<Query>,
    pub buy_again: Vec<BuyAgain>,
    /// Newest first.
    pub likes: Vec<Evidence>,
    /// Newest first.
    pub dislikes: Vec<Evidence>,
    /// Only where they are asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vectors: Option<ShopperVectors>,
    /// The time all decayed numbers are as of: the newest event of the shop.
    pub as_of: String,
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

/// A text that was searched for.
#[derive(Clone, Debug, Serialize)]
pub struct Query {
    pub text: String,
    /// When it was searched for last.
    pub time: String,
    pub times: u32,
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
    /// The newest days on which it was bought.
    pub rests_on: Vec<String>,
}

/// A search of the history.
pub(super) struct Searched {
    pub text: String,
    pub time: Timestamp,
    /// As of now.
    pub weight: f64,
}

/// What is copied from the profiles, so that reading documents does not hold their lock.
struct Copied {
    shopper: Shopper,
    now: Timestamp,
    weighted: Vec<(ItemNo, f64)>,
    due: Vec<Reorder>,
    likes: Vec<(ItemNo, Timestamp)>,
    dislikes: Vec<(ItemNo, Timestamp)>,
    ids: BTreeMap<ItemNo, Arc<str>>,
}

impl Copied {
    fn of(profiles: &Profiles, user: &str) -> Option<Self> {
        let shopper = profiles.shopper(user)?.clone();
        let now = profiles.newest().unwrap_or(shopper.last());
        let mut weighted = shopper.weighted_items(now);
        weighted.truncate(INTEREST_ITEMS);
        let mut due = shopper.reorder(now);
        due.truncate(LISTED);
        let mut copied = Self {
            likes: opinions(&shopper, EventKind::Like),
            dislikes: opinions(&shopper, EventKind::Dislike),
            shopper,
            now,
            weighted,
            due,
            ids: BTreeMap::new(),
        };
        for item in copied.shown() {
            copied
                .ids
                .entry(item)
                .or_insert_with(|| profiles.item_name(item));
        }
        Some(copied)
    }

    /// Every item that the profile may name.
    fn shown(&self) -> Vec<ItemNo> {
        let mut items: Vec<ItemNo> = self.weighted.iter().map(|(item, _)| *item).collect();
        items.extend(self.shopper.recents().filter_map(|recent| recent.item));
        items.extend(self.due.iter().map(|due| due.item));
        items.extend(self.likes.iter().map(|(item, _)| *item));
        items.extend(self.dislikes.iter().map(|(item, _)| *item));
        if let Some(session) = self.shopper.newest_session() {
            items.extend(&session.viewed);
        }
        items
    }

    fn id(&self, item: ItemNo) -> &str {
        self.ids.get(&item).map_or("", |id| id)
    }
}

/// Likes or dislikes, the newest first.
fn opinions(shopper: &Shopper, kind: EventKind) -> Vec<(ItemNo, Timestamp)> {
    let mut found: Vec<(ItemNo, Timestamp)> = shopper
        .records()
        .filter_map(|(item, record)| Some((item, record.opinion()?)))
        .filter(|(_, opinion)| opinion.0 == kind)
        .map(|(item, opinion)| (item, opinion.1))
        .collect();
    found.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    found.truncate(LISTED);
    found
}

impl IndexReader {
    /// The profile of a shopper, from events alone, current with the last one accepted. Its
    /// vectors are left out; see [`IndexReader::shopper_vectors`].
    pub fn shopper_profile(&self, user: &str) -> Result<ShopperProfile, EngineError> {
        let copied = self.copied(user)?;
        let met = self.met(&copied)?;
        let asked: Vec<Asked<'_>> = asked(&copied)
            .map(|mut asked| {
                asked.words = self.telling_words(asked.text);
                asked
            })
            .collect();
        let shopper = &copied.shopper;
        let by_item = met
            .iter()
            .zip(&copied.weighted)
            .filter_map(|(met, (item, _))| Some((met.as_ref()?, shopper.record(*item)?)));
        let category_prices = habits::category_prices(by_item);
        let known: Vec<Met> = met.into_iter().flatten().collect();
        let titles = known.iter().filter_map(|met| met.facts.title.as_deref());
        let tongue = Tongue::of(titles);
        let kinds = EventKind::ALL.into_iter();
        let counted = kinds.map(|kind| (kind.as_str(), shopper.count(kind)));
        let mut profile = ShopperProfile {
            user_id: user.to_owned(),
            text: String::new(),
            first_seen: shopper.first().to_string(),
            last_seen: shopper.last().to_string(),
            robot_since: shopper.robot_since().map(|time| time.to_string()),
            events: counted.filter(|(_, count)| *count > 0).collect(),
            purchases: habits::purchases(shopper, copied.now, newest_purchases(&copied)),
            price_band: shopper.price_band(),
            category_prices,
            interests: interests(&known, &asked),
            sessions: habits::sessions(shopper, |item| copied.id(item).to_owned()),
            hours: habits::hours(shopper),
            recent: self.recent(&copied)?,
            queries: queries(shopper),
            buy_again: self.buy_again(&copied)?,
            likes: named(&copied, &copied.likes),
            dislikes: named(&copied, &copied.dislikes),
            vectors: None,
            as_of: copied.now.to_string(),
        };
        profile.text = portrait(&profile, tongue);
        Ok(profile)
    }

    fn copied(&self, user: &str) -> Result<Copied, EngineError> {
        let profiles = self.state.behaviour.profiles();
        Copied::of(&profiles, user).ok_or_else(|| EngineError::ShopperNotFound(user.to_owned()))
    }

    /// The items with the most weight that the catalogue knows, and queries, the newest first.
    pub(super) fn history(&self, user: &str) -> Result<(Vec<Met>, Vec<Searched>), EngineError> {
        let copied = self.copied(user)?;
        let met = self.met(&copied)?.into_iter().flatten().collect();
        let asked = asked(&copied).map(|asked| Searched {
            text: asked.text.to_owned(),
            time: asked.time,
            weight: asked.weight,
        });
        Ok((met, asked.collect()))
    }

    /// By the places in `weighted`; nothing for what the catalogue does not know.
    fn met(&self, copied: &Copied) -> Result<Vec<Option<Met>>, EngineError> {
        let mut met = Vec::with_capacity(copied.weighted.len());
        for &(item, weight) in &copied.weighted {
            let (id, record) = (copied.ids.get(&item), copied.shopper.record(item));
            met.push(match (id, record) {
                (Some(id), Some(record)) => self.item_facts(id)?.map(|facts| Met {
                    id: Arc::clone(id),
                    weight,
                    last: record.last,
                    facts,
                }),
                _ => None,
            });
        }
        Ok(met)
    }

    fn title(&self, copied: &Copied, item: ItemNo) -> Result<Option<String>, EngineError> {
        let facts: Option<Arc<ItemFacts>> = self.item_facts(copied.id(item))?;
        Ok(facts.and_then(|facts| facts.title.clone()))
    }

    fn recent(&self, copied: &Copied) -> Result<Vec<RecentEvent>, EngineError> {
        let mut recent = Vec::new();
        for event in copied.shopper.recents().rev().take(RECENT) {
            recent.push(RecentEvent {
                kind: event.kind,
                time: event.time.to_string(),
                item_id: event.item.map(|item| copied.id(item).to_owned()),
                title: match event.item {
                    Some(item) => self.title(copied, item)?,
                    None => None,
                },
                query: event.query.as_deref().map(str::to_owned),
                price: event.price,
                quantity: event.quantity,
            });
        }
        Ok(recent)
    }

    fn buy_again(&self, copied: &Copied) -> Result<Vec<BuyAgain>, EngineError> {
        let mut buy_again = Vec::new();
        for due in &copied.due {
            let days = copied.shopper.record(due.item).map(|record| record.days());
            let days = days.unwrap_or_default();
            buy_again.push(BuyAgain {
                item_id: copied.id(due.item).to_owned(),
                title: self.title(copied, due.item)?,
                interval_days: due.interval_days,
                last: due.last.to_string(),
                due_score: due.due_score,
                rests_on: days.iter().rev().take(DAYS).map(|day| date(*day)).collect(),
            });
        }
        Ok(buy_again)
    }
}

/// The newest queries with their weight as of now; without their words.
fn asked(copied: &Copied) -> impl Iterator<Item = Asked<'_>> {
    let now = copied.now;
    let newest = copied.shopper.queries().iter().rev().take(INTEREST_QUERIES);
    newest.map(move |query| {
        let age = (now.millis() as f64 - query.time.millis() as f64).max(0.0);
        Asked {
            text: &query.text,
            time: query.time,
            weight: QUERY_WEIGHT * (-age / HALF_LIFE).exp2(),
            words: Vec::new(),
        }
    })
}

/// Purchase lines among the recent events, the newest first.
fn newest_purchases(copied: &Copied) -> Vec<Evidence> {
    let lines = copied.shopper.recents().rev();
    let bought = lines.filter(|recent| recent.kind == EventKind::Purchase);
    let line = |recent: &profiles::Recent| {
        let item = recent.item?;
        Some(Evidence {
            price: recent.price,
            ..Evidence::item(copied.id(item), recent.time)
        })
    };
    bought.filter_map(line).collect()
}

fn queries(shopper: &Shopper) -> Vec<Query> {
    let newest = shopper.queries().iter().rev();
    newest
        .map(|query| Query {
            text: query.text.to_string(),
            time: query.time.to_string(),
            times: query.times,
        })
        .collect()
}

fn named(copied: &Copied, items: &[(ItemNo, Timestamp)]) -> Vec<Evidence> {
    items
        .iter()
        .map(|(item, time)| Evidence::item(copied.id(*item), *time))
        .collect()
}

/// The date of a day counted from 1970-01-01.
fn date(day: i32) -> String {
    let time = Timestamp::from_millis(i64::from(day) * 86_400_000).to_string();
    time.get(..10).unwrap_or(&time).to_owned()
}
