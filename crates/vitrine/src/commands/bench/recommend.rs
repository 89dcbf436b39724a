//! `vitrine bench recommend`: full HTTP round trips of recommendations, and their memory.
//!
//! One keep-alive connection asks every kind for many shoppers, the next only after the answer
//! to the last. With `--shoppers` and `--events` the log is as large as one likes, made from
//! the statistics of the given one. Then more events come over a second connection while the
//! first goes on asking, which says what they cost the answers and the memory.

mod past;

use super::wire::{Connection, post};
use crate::hosted::Hosted;
use crate::logged::{ShopArgs, fold};
use crate::memory::resident_mebibytes;
use crate::outcome::Outcome;
use crate::output::Format;
use crate::progress;
use crate::quantiles::Quantiles;
use crate::table::Table;
use crate::trial::{INDEX, Trial};
use anyhow::bail;
use domain::Event;
use engine::RecommendKind;
use past::{Made, Past, Reader};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Instant;

/// Requests of each kind that are not measured.
const WARM_UP: usize = 50;
/// Shoppers that requests name, and items they have in hand.
const NAMED: usize = 1_000;
/// Events of one request while others ask.
const BATCH: usize = 100;
const SEED: u64 = 1;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    shop: ShopArgs,
    /// Requests of every kind.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    requests: usize,
    /// Make so many shoppers from those of the log.
    #[arg(long, value_name = "N", requires = "events", value_parser = clap::value_parser!(u64).range(1..))]
    shoppers: Option<u64>,
    /// Make so many events, together.
    #[arg(long, value_name = "N", requires = "shoppers")]
    events: Option<u64>,
    /// So many more events come while requests are answered.
    #[arg(long, value_name = "N", default_value_t = 50_000)]
    replay: u64,
    #[command(flatten)]
    format: Format,
}

#[derive(Serialize)]
struct Answer {
    products: u64,
    shoppers: u64,
    events: u64,
    /// Events a second folded into profiles and written to the log, before anyone asks.
    fold_events_per_second: f64,
    kinds: BTreeMap<&'static str, RoundTrips>,
    all: RoundTrips,
    /// Requests of `for-you` while events come.
    while_events_come: RoundTrips,
    events_replayed: u64,
    /// Mebibytes of the load generator before there is a shop; only Linux tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    generator_mib: Option<u64>,
    /// Mebibytes of this process, with the load generator.
    #[serde(skip_serializing_if = "Option::is_none")]
    resident_mib: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resident_mib_after_replay: Option<u64>,
}

#[derive(Serialize)]
struct RoundTrips {
    requests: usize,
    /// Milliseconds from the first byte sent to the last byte received.
    #[serde(flatten)]
    millis: Quantiles,
}

impl RoundTrips {
    fn of(millis: Vec<f64>) -> Self {
        Self {
            requests: millis.len(),
            millis: Quantiles::of(millis),
        }
    }
}

/// Prints the quantiles by kind.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let mut reader = Reader::default();
    args.shop.each_event(|event| reader.add(&event))?;
    let past = reader.past();
    let generator_mib = resident_mebibytes();
    let trial = args.shop.shop()?;
    let mut log = Log::new(&args, &past);
    let (named, seconds) = load(&trial, &mut log)?;
    trial.engine.learn()?;
    let stats = trial.engine.index(INDEX)?.stats()?;
    let hosted = Hosted::start(trial.engine.clone())?;
    let measured = measure(&args, &hosted, &named, &mut log);
    hosted.stop()?;
    let measured = measured?;
    let all = measured.kinds.values().flatten().copied().collect();
    let kinds = measured.kinds.into_iter();
    let answer = Answer {
        products: trial.products,
        shoppers: stats.shoppers,
        events: stats.events,
        fold_events_per_second: (stats.events as f64 / seconds).round(),
        kinds: kinds
            .map(|(kind, millis)| (kind, RoundTrips::of(millis)))
            .collect(),
        all: RoundTrips::of(all),
        while_events_come: RoundTrips::of(measured.while_events_come),
        events_replayed: measured.replayed,
        generator_mib,
        resident_mib: measured.before,
        resident_mib_after_replay: measured.after,
    };
    args.format.print(&answer, render)?;
    Ok(Outcome::Fine)
}

/// The events of the shop, shopper by shopper, and more of them for later.
struct Log<'a> {
    made: Made<'a>,
    shoppers: u64,
}

impl<'a> Log<'a> {
    fn new(args: &Args, past: &'a Past) -> Self {
        let shoppers = args.shoppers.unwrap_or(past.shoppers());
        let events = args.events.unwrap_or(past.events());
        Self {
            made: match args.shoppers {
                Some(_) => past.made(shoppers, events, SEED),
                None => past.as_it_was(),
            },
            shoppers,
        }
    }
}

/// Some shoppers, each with an item.
type Named = Vec<(String, String)>;

/// Folds the log; gives some of the shoppers, and the seconds that the engine took.
fn load(trial: &Trial, log: &mut Log<'_>) -> anyhow::Result<(Named, f64)> {
    let bar = progress::count("load", log.shoppers);
    let step = (log.shoppers as usize).div_ceil(NAMED);
    let (mut named, mut chunk, mut seconds) = (Vec::new(), Vec::new(), 0.0);
    for number in 0..log.shoppers {
        let events = log.made.shopper()?;
        if (number as usize).is_multiple_of(step) {
            let last = events
                .iter()
                .rev()
                .find_map(|event| Some((&event.user, event.item.as_ref()?)));
            named.extend(last.map(|(user, item)| (user.to_string(), item.to_string())));
        }
        chunk.extend(events);
        if chunk.len() >= 10_000 || number + 1 == log.shoppers {
            let started = Instant::now();
            fold(trial, &chunk)?;
            seconds += started.elapsed().as_secs_f64();
            chunk.clear();
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    if named.is_empty() {
        bail!("no shopper of the log has an item");
    }
    Ok((named, seconds))
}

#[derive(Default)]
struct Measured {
    kinds: BTreeMap<&'static str, Vec<f64>>,
    while_events_come: Vec<f64>,
    replayed: u64,
    before: Option<u64>,
    after: Option<u64>,
}

fn measure(
    args: &Args,
    hosted: &Hosted,
    named: &Named,
    log: &mut Log<'_>,
) -> anyhow::Result<Measured> {
    let mut asker = Asker {
        connection: Connection::open(hosted.address())?,
        path: format!("/indexes/{INDEX}/recommend"),
    };
    let mut measured = Measured::default();
    let bar = progress::count("recommend", RecommendKind::ALL.len() as u64);
    for (kind, word) in RecommendKind::ALL {
        let mut millis = Vec::with_capacity(args.requests);
        for number in 0..WARM_UP + args.requests {
            let took = asker.ask(&body(kind, &named[number % named.len()]))?;
            if number >= WARM_UP {
                millis.push(took);
            }
        }
        measured.kinds.insert(word, millis);
        bar.inc(1);
    }
    bar.finish_and_clear();
    measured.before = resident_mebibytes();
    let mut sender = Asker {
        connection: Connection::open(hosted.address())?,
        path: format!("/indexes/{INDEX}/events"),
    };
    let bar = progress::count("replay", args.replay);
    let mut number = 0;
    while measured.replayed < args.replay {
        let events = log.made.shopper()?;
        for batch in events.chunks(BATCH) {
            sender.ask(&batch.iter().map(wire).collect::<Value>())?;
            measured.replayed += batch.len() as u64;
            bar.inc(batch.len() as u64);
            let who = &named[number % named.len()];
            measured
                .while_events_come
                .push(asker.ask(&body(RecommendKind::ForYou, who))?);
            number += 1;
        }
    }
    bar.finish_and_clear();
    measured.after = resident_mebibytes();
    Ok(measured)
}

/// One connection that asks.
struct Asker {
    connection: Connection,
    path: String,
}

impl Asker {
    /// The milliseconds until an answer is there.
    fn ask(&mut self, body: &Value) -> anyhow::Result<f64> {
        let request = post(&self.path, body.to_string().as_bytes());
        let started = Instant::now();
        let reply = self.connection.exchange(&request)?;
        let millis = started.elapsed().as_secs_f64() * 1e3;
        if !(200..300).contains(&reply.status) {
            bail!(
                "the server answered with status {}: {}",
                reply.status,
                String::from_utf8_lossy(reply.body)
            );
        }
        Ok(millis)
    }
}

fn body(kind: RecommendKind, (user, item): &(String, String)) -> Value {
    let mut body = json!({"kind": kind.as_str()});
    match kind {
        RecommendKind::ForYou | RecommendKind::BuyAgain | RecommendKind::RecentlyViewed => {
            body["userId"] = json!(user);
        }
        RecommendKind::Basket => body["basket"] = json!([item]),
        RecommendKind::Trending | RecommendKind::Popular => {}
        _ => body["itemIds"] = json!([item]),
    }
    body
}

fn wire(event: &Event) -> Value {
    json!({
        "userId": event.user, "kind": event.kind, "itemId": event.item,
        "time": event.time.to_string(), "price": event.price, "quantity": event.quantity,
        "basketId": event.basket,
    })
}

fn render(answer: &Answer) -> String {
    let mut table = Table::new(&["kind", "requests", "p50 ms", "p95 ms", "p99 ms"]);
    let kinds = answer.kinds.iter().map(|(kind, trips)| (*kind, trips));
    let others = [
        ("all", &answer.all),
        ("while events come", &answer.while_events_come),
    ];
    for (name, trips) in kinds.chain(others) {
        let millis = &trips.millis;
        table.row(vec![
            name.to_owned(),
            trips.requests.to_string(),
            format!("{:.3}", millis.p50),
            format!("{:.3}", millis.p95),
            format!("{:.3}", millis.p99),
        ]);
    }
    let mut text = format!(
        "{} events of {} shoppers over {} products, {} events a second folded\n{}",
        answer.events,
        answer.shoppers,
        answer.products,
        answer.fold_events_per_second,
        table.render()
    );
    if let (Some(before), Some(after)) = (answer.resident_mib, answer.resident_mib_after_replay) {
        text.push_str(&format!(
            "{before} MiB in memory, {after} MiB after {} more events\n",
            answer.events_replayed
        ));
    }
    text
}
