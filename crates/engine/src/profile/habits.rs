//! How a shopper shops: how lately, how often and for how much, in which visits, at what time,
//! and at which prices in each category.

use super::interests::{Evidence, Met};
use domain::Timestamp;
use profiles::{ItemRecord, Session, Shopper};
use serde::Serialize;
use std::collections::BTreeMap;

/// Events named for each conclusion, the newest.
const RESTS_ON: usize = 5;
/// Categories with a price band.
const CATEGORIES: usize = 10;
/// Items viewed in the newest session that are listed.
const VIEWED: usize = 20;
const DAY_MILLIS: f64 = 86_400_000.0;

/// Recency, frequency and money.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Purchases {
    pub first: String,
    pub last: String,
    /// From the last purchase to the newest event of the shop.
    pub days_since_last: f64,
    pub orders: u64,
    /// Mean days from one order to the next; absent with one order.
    pub days_between_orders: Option<f64>,
    /// Money paid less money given back.
    pub spend: f64,
    pub spend_per_order: f64,
    /// The newest purchase lines.
    pub rests_on: Vec<Evidence>,
}

/// Visits: runs of events with less than 30 minutes from one to the next.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sessions {
    pub count: u64,
    pub mean_minutes: f64,
    pub newest: Option<NewestSession>,
}

/// The visit with the latest event.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewestSession {
    pub first: String,
    pub last: String,
    pub events: u64,
    /// Items viewed or clicked, the newest first.
    pub viewed: Vec<String>,
}

/// Events by time of day and by weekday, from Monday on.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Hours {
    pub time_zone: &'static str,
    pub by_hour: Vec<u16>,
    pub by_weekday: Vec<u16>,
}

/// The usual prices in one category: nearest ranks over the items bought, each counting once.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CategoryPrices {
    pub category: String,
    pub items: usize,
    pub p10: f64,
    pub p50: f64,
    pub p90: f64,
    /// The newest purchases among them.
    pub rests_on: Vec<Evidence>,
}

/// `None` for a shopper who has bought nothing. `bought` is the newest purchase lines, the newest
/// first.
pub(crate) fn purchases(
    shopper: &Shopper,
    now: Timestamp,
    bought: Vec<Evidence>,
) -> Option<Purchases> {
    let (first, last) = (shopper.first_purchase()?, shopper.last_purchase()?);
    let orders = shopper.orders();
    let between = (orders > 1).then(|| days(first, last) / (orders - 1) as f64);
    Some(Purchases {
        first: first.to_string(),
        last: last.to_string(),
        days_since_last: days(last, now).max(0.0),
        orders,
        days_between_orders: between,
        spend: shopper.spend(),
        spend_per_order: shopper.spend() / orders.max(1) as f64,
        rests_on: bought.into_iter().take(RESTS_ON).collect(),
    })
}

fn days(from: Timestamp, to: Timestamp) -> f64 {
    (to.millis() as f64 - from.millis() as f64) / DAY_MILLIS
}

/// The visits of a shopper. `id` names the items of the newest.
pub(crate) fn sessions(shopper: &Shopper, id: impl Fn(u32) -> String) -> Sessions {
    let totals = shopper.sessions();
    let newest = |session: &Session| NewestSession {
        first: session.first.to_string(),
        last: session.last.to_string(),
        events: session.events,
        viewed: session
            .viewed
            .iter()
            .rev()
            .take(VIEWED)
            .map(|&item| id(item))
            .collect(),
    };
    Sessions {
        count: totals.count,
        mean_minutes: totals.millis as f64 / totals.count.max(1) as f64 / 60_000.0,
        newest: shopper.newest_session().map(newest),
    }
}

/// When a shopper comes.
pub(crate) fn hours(shopper: &Shopper) -> Hours {
    let hours = shopper.hours();
    Hours {
        time_zone: "UTC",
        by_hour: hours.by_hour.to_vec(),
        by_weekday: hours.by_weekday.to_vec(),
    }
}

/// Price bands by category, those with the most items first. An item of several categories counts
/// in each; one whose purchases named no price counts with the price of the catalogue.
pub(crate) fn category_prices<'a>(
    met: impl Iterator<Item = (&'a Met, &'a ItemRecord)>,
) -> Vec<CategoryPrices> {
    let mut by_category: BTreeMap<&str, Vec<(f64, Timestamp, &Met)>> = BTreeMap::new();
    for (met, record) in met {
        let price = record.paid().or(met.facts.price);
        let (Some(price), Some(time)) = (price, record.last_purchase) else {
            continue;
        };
        for category in &met.facts.categories {
            let bought = by_category.entry(category.as_str()).or_default();
            bought.push((price, time, met));
        }
    }
    let mut bands: Vec<CategoryPrices> = by_category
        .into_iter()
        .map(|(category, bought)| band(category, bought))
        .collect();
    // The map gave them by name, so equal ones stay in that order.
    bands.sort_by_key(|band| std::cmp::Reverse(band.items));
    bands.truncate(CATEGORIES);
    bands
}

fn band(category: &str, mut bought: Vec<(f64, Timestamp, &Met)>) -> CategoryPrices {
    bought.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.2.id.cmp(&b.2.id)));
    let evidence = |(price, time, met): &(f64, Timestamp, &Met)| Evidence {
        price: Some(*price),
        ..Evidence::item(&met.id, *time)
    };
    let rests_on = bought.iter().take(RESTS_ON).map(evidence).collect();
    let mut prices: Vec<f64> = bought.iter().map(|(price, _, _)| *price).collect();
    prices.sort_by(f64::total_cmp);
    let quantile = |part: f64| {
        let rank = (part * prices.len() as f64).ceil() as usize;
        prices[rank.clamp(1, prices.len()) - 1]
    };
    CategoryPrices {
        category: category.to_owned(),
        items: prices.len(),
        p10: quantile(0.1),
        p50: quantile(0.5),
        p90: quantile(0.9),
        rests_on,
    }
}
