//! Large catalogues made of the words of real titles.
//!
//! A made-up title is the front of one title and the back of another. Word frequencies, and
//! with them the length of posting lists, stay those of the titles it is made of.

use crate::{SplitMix64, catalogue};
use serde_json::{Map, Value, json};

/// `n` made-up products out of the titles of [`catalogue`].
///
/// ```
/// let products: Vec<_> = testkit::bulk_items(1000, 1).collect();
/// assert_eq!(products.len(), 1000);
/// assert_eq!(products[999]["id"], "b0001000");
/// ```
pub fn bulk_items(n: usize, seed: u64) -> BulkItems {
    let titles = catalogue(seed)
        .iter()
        .filter_map(|product| product["title"].as_str().map(str::to_owned))
        .collect();
    bulk_items_from(titles, n, seed)
}

/// `n` made-up products out of the titles given. Ids go from `b0000001`; attributes are `id
/// title brand categories price stock`.
pub fn bulk_items_from(titles: Vec<String>, n: usize, seed: u64) -> BulkItems {
    BulkItems {
        titles,
        random: SplitMix64::new(seed),
        made: 0,
        n,
    }
}

/// The products, made one by one.
#[derive(Clone, Debug)]
pub struct BulkItems {
    titles: Vec<String>,
    random: SplitMix64,
    made: usize,
    n: usize,
}

impl BulkItems {
    fn title(&mut self) -> String {
        let first = self.random.pick(&self.titles).map_or("", String::as_str);
        let second = self.random.pick(&self.titles).map_or("", String::as_str);
        let front: Vec<&str> = first.split_whitespace().collect();
        let back: Vec<&str> = second.split_whitespace().collect();
        let words = front[..front.len().div_ceil(2)]
            .iter()
            .chain(&back[back.len() / 2..]);
        words.copied().collect::<Vec<_>>().join(" ")
    }
}

impl Iterator for BulkItems {
    type Item = Map<String, Value>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.made == self.n {
            return None;
        }
        self.made += 1;
        let title = self.title();
        let object = json!({
            "id": format!("b{:07}", self.made),
            "title": title,
            "brand": format!("Brand {}", 1 + self.random.below(200)),
            "categories": [format!("Category {}", 1 + self.random.below(50))],
            "price": (100 + self.random.below(99_900)) as f64 / 100.0,
            "stock": self.random.below(100),
        });
        match object {
            Value::Object(map) => Some(map),
            _ => unreachable!("the literal above is an object"),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.n - self.made, Some(self.n - self.made))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn titles_are_made_of_the_words_given() {
        let titles = vec!["red cake tin".to_owned(), "blue heart".to_owned()];
        let words: HashSet<&str> = ["red", "cake", "tin", "blue", "heart"].into();
        let made: Vec<String> = bulk_items_from(titles, 50, 4)
            .map(|product| product["title"].as_str().unwrap_or_default().to_owned())
            .collect();
        for title in &made {
            assert!(title.split(' ').count() >= 2, "{title}");
            assert!(title.split(' ').all(|word| words.contains(word)), "{title}");
        }
        assert!(made.iter().collect::<HashSet<_>>().len() > 2);
    }

    #[test]
    fn the_same_seed_makes_the_same_products() {
        assert!(bulk_items(30, 5).eq(bulk_items(30, 5)));
        assert!(!bulk_items(30, 5).eq(bulk_items(30, 6)));
        assert_eq!(bulk_items_from(Vec::new(), 3, 1).count(), 3);
    }
}
