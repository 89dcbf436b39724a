//! The bundled shop: UCI Online Retail, and how it is loaded.
//!
//! Every purchase of a UK gift shop from December 2009 to December 2011, with the
//! codes, prices and times of the original. Attribution stands beside the files.

use super::{INDEX, Story, rounded};
use crate::feed::{DocumentsFeed, EventsFeed, Input, Refusals, Sink};
use anyhow::{Context as _, bail};
use domain::{Event, IndexUid};
use engine::{Engine, IndexStats, WriteMode};
use intake::{EventMapping, EventRows, Format, Row};
use serde_json::json;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

const ITEMS: &[u8] = include_bytes!("../../../../../examples/online-retail/items.csv.gz");
const PURCHASES: &[u8] = include_bytes!("../../../../../examples/online-retail/purchases.csv.gz");
/// What identifies an item of the bundled shop.
pub const PRIMARY_KEY: &str = "StockCode";
/// An invoice line is a purchase of a shopper, at a price, in a basket.
const MAPPING: &str = "user=CustomerID,item=StockCode,time=InvoiceDate,basket=InvoiceNo,\
                       quantity=Quantity,price=UnitPrice,kind:=purchase";
/// Codes of postage, charges, discounts, corrections and tests. All other codes are products:
/// five digits with or without letters, and PADS and SP1002.
const NOT_PRODUCTS: [&str; 10] = [
    "ADJUST",
    "ADJUST2",
    "BANK CHARGES",
    "C2",
    "D",
    "DOT",
    "M",
    "POST",
    "TEST001",
    "TEST002",
];

/// Fills the folder unless it is filled, fits the models, and gives a regular shopper.
pub fn build(engine: &Engine, story: &mut Story) -> anyhow::Result<String> {
    let uid = IndexUid::new(INDEX)?;
    let sink = Sink::Local(engine.clone());
    load_catalogue(&sink, &uid, story)?;
    let shopper = load_purchases(engine, &sink, &uid, story)?;
    let started = Instant::now();
    engine.learn()?;
    let seconds = started.elapsed().as_secs_f64();
    story.tell(
        "models",
        json!({"seconds": rounded(seconds)}),
        &format!("models fitted in {seconds:.2} s"),
    )?;
    Ok(shopper)
}

fn stats(engine: &Engine, uid: &IndexUid) -> anyhow::Result<IndexStats> {
    Ok(engine.index(uid.as_str())?.stats()?)
}

fn load_catalogue(sink: &Sink, uid: &IndexUid, story: &mut Story) -> anyhow::Result<()> {
    let started = Instant::now();
    if !sink.has_index(uid)? {
        sink.create_index(uid, Some(PRIMARY_KEY))?;
        let roles = json!({"roles": {"title": "Description", "price": "median_price"}});
        sink.change_settings(uid, roles)?;
    }
    let key = Some(PRIMARY_KEY.to_owned());
    let mut feed = DocumentsFeed::new(
        sink,
        uid.clone(),
        key,
        WriteMode::Replace,
        Refusals::first_ones(),
    );
    let mut left_out = Vec::new();
    let mut known = 0;
    let Sink::Local(engine) = sink else {
        bail!("the demo opens its folder itself")
    };
    let index = engine.index(uid.as_str())?;
    feed.send(items()?, |row| {
        let code = code(row);
        if !is_product(row) {
            left_out.push(code.to_owned());
            return false;
        }
        // Writing what is there already would only make the log longer.
        let is_known = index.document(code, Some(&[]), false).is_ok();
        known += u64::from(is_known);
        !is_known
    })?;
    let report = feed.finish()?;
    if let Some(failure) = report.failures.first() {
        bail!("{}", failure.message);
    }
    let seconds = started.elapsed().as_secs_f64();
    let text = match report.added {
        0 => format!("the catalogue is there already: {known} items"),
        added => format!(
            "{added} items indexed in {seconds:.2} s; left out {} codes that are no products: {}",
            left_out.len(),
            left_out.join(", ")
        ),
    };
    let fact = json!({
        "items": known + report.added,
        "added": report.added,
        "leftOut": left_out,
        "refused": report.refusals.count,
        "seconds": rounded(seconds),
    });
    story.tell("catalogue", fact, &text)
}

/// The catalogue of the bundled shop, with the rows that are no products.
pub fn items() -> anyhow::Result<Input> {
    Input::read(
        "items.csv.gz",
        ITEMS,
        Some(ITEMS.len() as u64),
        Some(Format::Csv),
    )
}

/// Whether a row of the catalogue is something that can be bought.
pub fn is_product(row: &Row) -> bool {
    !NOT_PRODUCTS.contains(&code(row))
}

fn code(row: &Row) -> &str {
    row.object
        .get(PRIMARY_KEY)
        .and_then(|code| code.as_str())
        .unwrap_or_default()
}

fn load_purchases(
    engine: &Engine,
    sink: &Sink,
    uid: &IndexUid,
    story: &mut Story,
) -> anyhow::Result<String> {
    let started = Instant::now();
    let known = stats(engine, uid)?.events;
    let mut orders = Orders::default();
    if known > 0 && known >= count_purchases(&mut orders)? {
        let text = format!("the purchases are there already: {known} lines");
        story.tell("purchases", json!({"lines": known, "accepted": 0}), &text)?;
        return orders.regular();
    }
    let mut orders = Orders::default();
    let mapping = EventMapping::parse(MAPPING).context("the mapping of the demo")?;
    let mut feed = EventsFeed::new(sink, uid.clone(), Some(mapping), Refusals::first_ones());
    feed.send(purchases()?, |event| orders.add(event))?;
    let report = feed.finish();
    let seconds = started.elapsed().as_secs_f64();
    let after = stats(engine, uid)?;
    let refused = &report.refusals;
    let fact = json!({
        "lines": report.read,
        "accepted": report.accepted,
        "duplicates": report.duplicates,
        "ofNoProduct": report.unknown_items,
        "refused": refused.count,
        "shoppers": after.shoppers,
        "orders": orders.count(),
        "seconds": rounded(seconds),
    });
    let text = format!(
        "{} purchase lines of {} shoppers in {} orders loaded and folded in {seconds:.2} s ({:.0} a second); \
         {} of them are postage, charges and the like, kept but not recommended; {} refused\n{}",
        report.accepted,
        after.shoppers,
        orders.count(),
        report.read as f64 / seconds,
        report.unknown_items,
        refused.count,
        refused.render()
    );
    story.tell("purchases", fact, &text)?;
    orders.regular()
}

fn purchases() -> anyhow::Result<Input> {
    Input::read(
        "purchases.csv.gz",
        PURCHASES,
        Some(PURCHASES.len() as u64),
        Some(Format::Csv),
    )
}

/// Reads the file without writing anything; gives the lines that are events.
fn count_purchases(orders: &mut Orders) -> anyhow::Result<u64> {
    let mapping = EventMapping::parse(MAPPING).context("the mapping of the demo")?;
    let input = purchases()?;
    let mut count = 0;
    for event in
        EventRows::new(input.rows, Some(mapping), domain::Timestamp::from_millis(0)).flatten()
    {
        orders.add(&event);
        count += 1;
    }
    input.bar.finish_and_clear();
    Ok(count)
}

/// The baskets of every shopper.
#[derive(Default)]
struct Orders(BTreeMap<String, BTreeSet<String>>);

impl Orders {
    fn add(&mut self, event: &Event) {
        if let Some(basket) = &event.basket {
            let baskets = match self.0.get_mut(event.user.as_str()) {
                Some(baskets) => baskets,
                None => self.0.entry(event.user.to_string()).or_default(),
            };
            if !baskets.contains(basket) {
                baskets.insert(basket.clone());
            }
        }
    }

    fn count(&self) -> usize {
        self.0.values().map(BTreeSet::len).sum()
    }

    /// A regular: more orders than 99 of 100 shoppers, but no wholesaler. Ties go to the smaller id.
    fn regular(&self) -> anyhow::Result<String> {
        let mut shoppers: Vec<(Reverse<usize>, &String)> = self
            .0
            .iter()
            .map(|(user, baskets)| (Reverse(baskets.len()), user))
            .collect();
        shoppers.sort_unstable();
        let regular = shoppers.get(shoppers.len() / 100);
        regular
            .map(|(_, user)| (*user).clone())
            .context("the bundled purchases have no shopper")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_purchase_line_of_the_bundled_file_can_be_read() {
        let mut orders = Orders::default();
        let events = count_purchases(&mut orders).unwrap();
        assert_eq!(events, 791_044);
        assert_eq!(
            (orders.0.len(), orders.regular().unwrap().len()),
            (5_878, 5)
        );
    }

    #[test]
    fn the_catalogue_is_all_products() {
        let rows: Vec<Row> = items().unwrap().rows.map(Result::unwrap).collect();
        let (products, others): (Vec<&Row>, Vec<&Row>) =
            rows.iter().partition(|row| is_product(row));
        assert_eq!((products.len(), others.len()), (4_621, 10));
        let odd = products
            .iter()
            .map(|row| code(row))
            .filter(|code| !code.bytes().take(5).all(|byte| byte.is_ascii_digit()));
        assert_eq!(odd.collect::<Vec<_>>(), ["PADS", "SP1002"]);
    }
}
