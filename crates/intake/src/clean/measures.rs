//! Reads ratings and stock as people write them.
//!
//! A rating is a number; stock is a number of pieces, or only whether there
//! are any.

use super::price::{amount, well_formed};
use serde_json::Value;

/// Says that there are none, spelt without spaces.
const OUT_OF_STOCK: [&str; 10] = [
    "outofstock",
    "soldout",
    "unavailable",
    "notavailable",
    "discontinued",
    "ausverkauft",
    "缺货",
    "无货",
    "售罄",
    "下架",
];
const IN_STOCK: [&str; 7] = [
    "instock",
    "available",
    "lieferbar",
    "有货",
    "现货",
    "limitedavailability",
    "onstock",
];

/// The number in a rating text: `4.5 out of 5`, `4,5/5`, `★★★★☆`.
pub(crate) fn rating(text: &str) -> Option<Value> {
    let filled = text.chars().filter(|&c| c == '★').count();
    if filled > 0 {
        return Some(Value::from(filled));
    }
    let (number, negative) = first_number(text)?;
    // A rating has no thousands, so its only mark is the decimal one.
    let number = number.replace(',', ".").parse::<f64>().ok()?;
    if negative {
        None
    } else {
        Some(as_number(number))
    }
}

/// Pieces in stock, or whether there are any: `12 in stock`, `sold out`, `yes`.
pub(crate) fn stock(text: &str) -> Option<Value> {
    let squeezed: String = text
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    match squeezed.as_str() {
        "true" | "yes" | "y" | "ja" | "是" => return Some(Value::Bool(true)),
        "false" | "no" | "n" | "nein" | "否" => return Some(Value::Bool(false)),
        _ => {}
    }
    // First, because `out of stock for 3 weeks` has a number too.
    if OUT_OF_STOCK.iter().any(|word| squeezed.contains(word)) {
        return Some(Value::Bool(false));
    }
    if let Some((number, negative)) = first_number(text)
        && let Some(number) = amount(number)
    {
        return Some(as_number(if negative { -number } else { number }));
    }
    IN_STOCK
        .iter()
        .any(|word| squeezed.contains(word))
        .then_some(Value::Bool(true))
}

/// A number as JSON: without a fraction where it has none.
pub(super) fn as_number(number: f64) -> Value {
    let whole = number as i64;
    if whole as f64 == number && whole.unsigned_abs() < 1 << 53 {
        Value::from(whole)
    } else {
        Value::from(number)
    }
}

/// Whether a text is a number that needs no reading, and which.
pub(super) fn plain_number(text: &str) -> Option<Value> {
    let number = well_formed(text.trim())?;
    number.is_finite().then(|| as_number(number))
}

fn first_number(text: &str) -> Option<(&str, bool)> {
    let (before, from) = text.split_at(text.find(|c: char| c.is_ascii_digit())?);
    let end = from
        .find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',')
        .unwrap_or(from.len());
    let number = from.get(..end)?.trim_end_matches(['.', ',']);
    Some((number, before.ends_with(['-', '−'])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ratings_are_read() {
        for (text, expected) in [
            ("4.5 out of 5", Some(json!(4.5))),
            ("4,5/5", Some(json!(4.5))),
            ("Rated 4 stars.", Some(json!(4))),
            ("★★★★☆", Some(json!(4))),
            ("(3.0)", Some(json!(3))),
            ("good", None),
            ("NaN", None),
            ("-1", None),
        ] {
            assert_eq!(rating(text), expected, "{text}");
        }
    }

    #[test]
    fn stock_is_a_count_or_a_yes() {
        for (text, expected) in [
            ("12 in stock", Some(json!(12))),
            ("1,200", Some(json!(1200))),
            ("-3", Some(json!(-3))),
            ("In Stock", Some(json!(true))),
            ("https://schema.org/OutOfStock", Some(json!(false))),
            ("Out of stock for 3 weeks", Some(json!(false))),
            ("yes", Some(json!(true))),
            ("有货", Some(json!(true))),
            ("缺货", Some(json!(false))),
            ("maybe", None),
        ] {
            assert_eq!(stock(text), expected, "{text}");
        }
    }
}
