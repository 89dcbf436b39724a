//! Forty products in English and Chinese, with everything a shop's catalogue has.
//!
//! Titles, brands and categories stand in `data/products.tsv`. Ids go from `p01` to `p40`
//! in the order of that file.

use crate::SplitMix64;
use serde_json::{Map, Value, json};

const PRODUCTS: &str = include_str!("../data/products.tsv");

/// 2023-01-01T00:00:00Z in seconds; products are created in the year that follows.
const FIRST_DAY: u64 = 1_672_531_200;

/// The catalogue as JSON objects with the attributes `id title description brand categories
/// price image rating stock language created`.
///
/// ```
/// let catalogue = testkit::catalogue(1);
/// assert_eq!(catalogue[0]["id"], "p01");
/// assert_eq!(catalogue[0]["brand"], "Adidas");
/// assert_eq!(catalogue[0]["categories"], serde_json::json!(["Shoes", "Running"]));
/// ```
pub fn catalogue(seed: u64) -> Vec<Map<String, Value>> {
    let mut random = SplitMix64::new(seed);
    PRODUCTS
        .lines()
        .enumerate()
        .map(|(row, line)| product(row + 1, line, &mut random))
        .collect()
}

fn product(number: usize, line: &str, random: &mut SplitMix64) -> Map<String, Value> {
    let columns: Vec<&str> = line.split('\t').collect();
    let [language, title, brand, categories, price, description] = columns.as_slice() else {
        panic!("line {number} of products.tsv must have six columns");
    };
    let list_price: f64 = price
        .parse()
        .expect("the fifth column of products.tsv is a price");
    // Up to 10 percent off, so that prices differ from seed to seed but stay in their band.
    let price = (list_price * (0.9 + 0.1 * random.unit()) * 100.0).round() / 100.0;
    let id = format!("p{number:02}");
    let created = FIRST_DAY + 86_400 * random.below(365) as u64;
    let object = json!({
        "id": id,
        "title": title,
        "description": description,
        "brand": brand,
        "categories": categories.split(" > ").collect::<Vec<_>>(),
        "price": price,
        "image": format!("https://shop.example/images/{id}.jpg"),
        "rating": (30 + random.below(21)) as f64 / 10.0,
        "stock": random.below(50),
        "language": language,
        "created": created,
    });
    match object {
        Value::Object(map) => map,
        _ => unreachable!("the literal above is an object"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_and_titles_do_not_depend_on_the_seed_but_prices_do() {
        let (one, two) = (catalogue(1), catalogue(2));
        let column = |products: &[Map<String, Value>], name: &str| -> Vec<Value> {
            products
                .iter()
                .map(|product| product[name].clone())
                .collect()
        };
        for name in ["id", "title", "brand", "categories", "language"] {
            assert_eq!(column(&one, name), column(&two, name), "{name}");
        }
        assert_ne!(column(&one, "price"), column(&two, "price"));
        assert_eq!(one, catalogue(1));
    }

    #[test]
    fn forty_products_with_their_own_titles_in_two_languages() {
        let products = catalogue(1);
        let titles: HashSet<String> = products.iter().map(|p| p["title"].to_string()).collect();
        assert_eq!(titles.len(), 40);
        let chinese = products
            .iter()
            .filter(|product| product["language"] == "zh")
            .count();
        assert_eq!(chinese, 9);
        assert!(
            products
                .iter()
                .all(|product| product["price"].as_f64() > Some(0.0))
        );
    }
}
