//! What the shoppers of the small shop did: visits that look, compare and sometimes buy.
//!
//! Each shopper has a favourite category, so that a recommender has something to learn, and
//! buys what goes with what was bought before in the same basket.

use crate::{SplitMix64, catalogue};
use domain::{Event, EventKind, ItemId, Timestamp, UserId};
use serde_json::{Map, Value};

/// How many shoppers there are: `u01` to `u12`.
pub const SHOPPERS: usize = 12;

/// 2024-01-01T00:00:00Z in milliseconds, when the first visit starts.
const FIRST_VISIT: i64 = 1_704_067_200_000;
const SEARCHES: [&str; 6] = [
    "running shoes",
    "heart t-light holder",
    "coffee beans",
    "床上用品",
    "usb-c",
    "candle",
];

/// The first `n` events of a shop with this seed, in the order of time. Ids go from
/// `e000001`; all eight kinds occur, some purchases are returns, and every shopper buys.
///
/// ```
/// let events = testkit::events(1, 1000);
/// assert!(events.windows(2).all(|pair| pair[0].time <= pair[1].time));
/// assert!(events.iter().any(|event| event.kind == domain::EventKind::Purchase));
/// ```
pub fn events(seed: u64, n: usize) -> Vec<Event> {
    let mut shop = Shop::new(seed);
    while shop.events.len() < n {
        shop.visit();
    }
    shop.events.truncate(n);
    shop.events
}

struct Shop {
    random: SplitMix64,
    products: Vec<Map<String, Value>>,
    events: Vec<Event>,
    now: i64,
    visits: usize,
}

impl Shop {
    fn new(seed: u64) -> Self {
        Self {
            // Not the catalogue's own stream, so that prices and behaviour are independent.
            random: SplitMix64::new(seed ^ 0x5eed_0e4e),
            products: catalogue(seed),
            events: Vec::new(),
            now: FIRST_VISIT,
            visits: 0,
        }
    }

    /// One visit: maybe a search, some products looked at, some put in the cart and bought.
    fn visit(&mut self) {
        self.visits += 1;
        self.now += 60_000 * (30 + self.random.below(600)) as i64;
        // The first visits go round, so that a short list has every shopper in it.
        let shopper = match self.visits {
            visit @ 1..=SHOPPERS => visit - 1,
            _ => self.random.below(SHOPPERS),
        };
        if self.random.below(3) == 0 {
            let query = self.random.pick(&SEARCHES).map(|&query| query.to_owned());
            self.push(shopper, EventKind::Search);
            self.last().query = query;
        }
        let mut cart = Vec::new();
        for _ in 0..2 + self.random.below(4) {
            let product = self.choose(shopper);
            let first = if self.random.below(2) == 0 {
                EventKind::View
            } else {
                EventKind::Click
            };
            self.push_item(shopper, first, product);
            match self.random.below(10) {
                0..=4 => cart.push(product),
                5 => self.push_item(shopper, EventKind::Like, product),
                6 => self.push_item(shopper, EventKind::Dislike, product),
                7 => {
                    self.push_item(shopper, EventKind::Rate, product);
                    self.last().value = Some(f64::from(1 + self.random.below(5) as u32));
                }
                _ => {}
            }
        }
        for &product in &cart {
            self.push_item(shopper, EventKind::Cart, product);
        }
        if self.visits <= SHOPPERS && cart.is_empty() {
            cart.push(self.choose(shopper));
        }
        self.buy(shopper, &cart);
    }

    fn buy(&mut self, shopper: usize, cart: &[usize]) {
        let basket = format!("b{:05}", self.visits);
        for &product in cart {
            let returned = self.random.below(20) == 0;
            let pieces = f64::from(1 + self.random.below(3) as u32);
            let price = self.products[product]["price"].as_f64();
            self.push_item(shopper, EventKind::Purchase, product);
            let event = self.last();
            event.quantity = Some(if returned { -pieces } else { pieces });
            event.price = price;
            event.basket = Some(basket.clone());
        }
    }

    /// Mostly from the shopper's favourite stretch of the catalogue, where like stands by like.
    fn choose(&mut self, shopper: usize) -> usize {
        let count = self.products.len();
        match self.random.below(10) {
            0..=7 => (shopper * count / SHOPPERS + self.random.below(5)) % count,
            _ => self.random.below(count),
        }
    }

    fn push_item(&mut self, shopper: usize, kind: EventKind, product: usize) {
        let id = self.products[product]["id"].as_str().unwrap_or_default();
        let item = ItemId::new(id).expect("ids of the catalogue are valid");
        self.push(shopper, kind);
        self.last().item = Some(item);
    }

    fn push(&mut self, shopper: usize, kind: EventKind) {
        self.now += 1000 * (1 + self.random.below(90)) as i64;
        let user = UserId::new(format!("u{:02}", shopper + 1)).expect("a short plain name");
        self.events.push(Event {
            id: Some(format!("e{:06}", self.events.len() + 1)),
            user,
            kind,
            item: None,
            query: None,
            time: Timestamp::from_millis(self.now),
            value: None,
            price: None,
            quantity: None,
            basket: None,
            query_id: None,
        });
    }

    fn last(&mut self) -> &mut Event {
        self.events.last_mut().expect("called right after a push")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_kind_and_every_shopper_occurs() {
        let events = events(1, 600);
        let kinds: HashSet<EventKind> = events.iter().map(|event| event.kind).collect();
        let buyers: HashSet<&UserId> = events
            .iter()
            .filter(|event| event.kind == EventKind::Purchase)
            .map(|event| &event.user)
            .collect();
        assert_eq!(kinds.len(), EventKind::ALL.len());
        assert_eq!(buyers.len(), SHOPPERS);
        assert!(
            events
                .iter()
                .any(|event| event.quantity < Some(0.0) && event.quantity.is_some())
        );
    }

    #[test]
    fn a_longer_list_begins_with_the_shorter_one() {
        assert_eq!(events(9, 300)[..120], events(9, 120)[..]);
        assert_ne!(events(9, 120), events(8, 120));
    }

    #[test]
    fn search_has_a_query_and_everything_else_an_item() {
        for event in events(2, 500) {
            assert_eq!(
                event.kind == EventKind::Search,
                event.query.is_some(),
                "{event:?}"
            );
            assert_eq!(
                event.kind == EventKind::Search,
                event.item.is_none(),
                "{event:?}"
            );
        }
    }
}
