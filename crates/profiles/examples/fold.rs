//! How fast events are folded, and what the profiles take in memory.
//!
//! `cargo run --release -p profiles --example fold -- [EVENTS [SHOPPERS [ITEMS]]]`, by default ten
//! million events of a hundred thousand shoppers with five thousand items. Shoppers and items
//! are drawn so that few have much and many have little, visits look at some items and buy some
//! of them. Events are made beside the clock, a hundred thousand at a time.

use domain::{Event, EventKind, ItemId, Timestamp, UserId};
use profiles::Profiles;
use std::time::{Duration, Instant};

const AT_ONCE: u64 = 100_000;
/// Milliseconds from one visit in the shop to the next.
const PAUSE: i64 = 20_000;

/// xorshift*.
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Below `end`, the small ones more often.
    fn skewed(&mut self, end: u64) -> u64 {
        ((end as f64 * self.unit().powi(2)) as u64).min(end - 1)
    }
}

struct Shop {
    random: Random,
    shoppers: u64,
    items: u64,
    now: i64,
}

impl Shop {
    /// One visit: two to nine items are looked at, a third of them bought.
    fn visit(&mut self, events: &mut Vec<Event>) {
        self.now += PAUSE;
        let user = format!("shopper-{}", self.random.skewed(self.shoppers));
        let looks = 2 + (self.random.unit() * 8.0) as i64;
        let chosen: Vec<u64> = (0..looks).map(|_| self.random.skewed(self.items)).collect();
        let bought = chosen
            .iter()
            .step_by(3)
            .map(|item| (EventKind::Purchase, *item));
        let viewed = chosen.iter().map(|item| (EventKind::View, *item));
        for (step, (kind, item)) in (0..).zip(viewed.chain(bought)) {
            events.push(Event {
                id: None,
                user: UserId::new(user.as_str()).expect("a user"),
                kind,
                item: Some(ItemId::new(format!("item-{item}")).expect("an item")),
                query: None,
                time: Timestamp::from_millis(self.now + step * 20_000),
                value: None,
                price: Some((item % 50) as f64 + 0.95),
                quantity: Some(1.0),
                basket: None,
                query_id: None,
            });
        }
    }
}

/// Resident kilobytes by what the kernel says of this process.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.unwrap_or(0)
}

/// What this process has had of a processor: on a busy machine less than the clock says.
fn processor() -> Duration {
    let spent = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanos = spent
        .split_whitespace()
        .next()
        .and_then(|word| word.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .map(|word| word.parse().expect("a number"));
    let total: u64 = numbers.next().unwrap_or(10_000_000);
    let mut shop = Shop {
        random: Random(0x5eed),
        shoppers: numbers.next().unwrap_or(100_000),
        items: numbers.next().unwrap_or(5_000),
        now: 1_300_000_000_000,
    };
    let mut profiles = Profiles::new();
    let (mut took, mut worked) = (Duration::ZERO, Duration::ZERO);
    let mut events = Vec::new();
    while profiles.events() < total {
        events.clear();
        while (events.len() as u64) < AT_ONCE {
            shop.visit(&mut events);
        }
        let (started, before) = (Instant::now(), processor());
        for event in &events {
            profiles.fold(event);
        }
        took += started.elapsed();
        worked += processor() - before;
    }
    drop(events);
    let seconds = took.as_secs_f64();
    println!(
        "{} events of {} shoppers with {} items in {seconds:.1} s: {:.0} a second ({:.0} a second of the processor), {} MiB resident",
        profiles.events(),
        profiles.shoppers(),
        profiles.items(),
        profiles.events() as f64 / seconds,
        profiles.events() as f64 / worked.as_secs_f64().max(f64::MIN_POSITIVE),
        resident() / 1_024
    );
}
