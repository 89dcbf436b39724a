//! Which attribute names a document, and what the name is.
//!
//! As in Meilisearch, an attribute whose name ends with `id` is taken when it
//! is the only one; beyond that, the columns that shops use as keys are tried.
//! Where more than one would do, nothing is guessed: the error lists them.

use crate::names::kind_of;
use crate::{Map, Rejected};
use domain::{IdError, ItemId};
use rustc_hash::FxHashSet;
use serde_json::Value;

/// Keys under which shops list products when no attribute ends with `id`: letters and digits only.
const SHOP_KEYS: [&str; 13] = [
    "sku",
    "stockcode",
    "code",
    "item",
    "asin",
    "ean",
    "handle",
    "gtin",
    "upc",
    "isbn",
    "itemno",
    "productcode",
    "编号",
];

/// Why no primary key could be chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrimaryKeyError {
    #[error(
        "no primary key found: no attribute name ends with `id`; name the attribute that identifies a document ({})",
        listed(attributes)
    )]
    None { attributes: Vec<String> },
    #[error(
        "the primary key is ambiguous: {} could be it; name one of them",
        listed(candidates)
    )]
    Several { candidates: Vec<String> },
}

/// Why a document has no usable id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentIdError {
    #[error("the primary key `{key}` is missing")]
    Missing { key: String },
    #[error("the primary key `{key}` is {found}, but must be an integer or a string")]
    Kind { key: String, found: &'static str },
    #[error("{source}")]
    Invalid { key: String, source: IdError },
}

impl DocumentIdError {
    /// The same as a fault of one row.
    pub fn rejected(&self, row: u64) -> Rejected {
        let (Self::Missing { key } | Self::Kind { key, .. } | Self::Invalid { key, .. }) = self;
        Rejected::field(row, key.as_str(), self.to_string())
    }
}

/// Chooses the primary key from a sample of documents.
///
/// A candidate's name ends with `id` in any case. Where several do, those that
/// cannot identify a document (`paid: true`, `grid: [3, 4]`, or an attribute
/// that half of the documents lack) are left out.
pub fn infer_primary_key(rows: &[&Map]) -> Result<String, PrimaryKeyError> {
    let names = attribute_names(rows);
    let named: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| ends_with_id(name))
        .collect();
    let usable: Vec<&str> = named
        .iter()
        .copied()
        .filter(|name| Usage::of(name, rows).identifies(rows.len()))
        .collect();
    match (usable.as_slice(), named.as_slice()) {
        ([key], _) | ([], [key]) => return Ok((*key).to_owned()),
        ([], []) => {}
        ([], several) | (several, _) => {
            return Err(PrimaryKeyError::Several {
                candidates: owned(several),
            });
        }
    }
    let is_shop_key = |name: &&str| SHOP_KEYS.contains(&letters(name).as_str());
    let unique = |name: &&str| Usage::of(name, rows).is_unique(rows.len());
    let shop: Vec<&str> = names
        .iter()
        .copied()
        .filter(is_shop_key)
        .filter(unique)
        .collect();
    match shop.as_slice() {
        [key] => Ok((*key).to_owned()),
        [] => Err(PrimaryKeyError::None {
            attributes: owned(&names),
        }),
        several => Err(PrimaryKeyError::Several {
            candidates: owned(several),
        }),
    }
}

/// The id of one document: an integer or a string, exactly as it stands there.
pub fn document_id(row: &Map, key: &str) -> Result<ItemId, DocumentIdError> {
    let text = match row.get(key) {
        None | Some(Value::Null) => {
            return Err(DocumentIdError::Missing {
                key: key.to_owned(),
            });
        }
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) if !number.is_f64() => number.to_string(),
        Some(Value::Number(_)) => {
            return Err(DocumentIdError::Kind {
                key: key.to_owned(),
                found: "a number with a fraction",
            });
        }
        Some(other) => {
            return Err(DocumentIdError::Kind {
                key: key.to_owned(),
                found: kind_of(other),
            });
        }
    };
    ItemId::of_document(text).map_err(|source| DocumentIdError::Invalid {
        key: key.to_owned(),
        source,
    })
}

fn ends_with_id(name: &str) -> bool {
    let mut last = name.bytes().rev();
    last.next()
        .is_some_and(|byte| byte.eq_ignore_ascii_case(&b'd'))
        && last
            .next()
            .is_some_and(|byte| byte.eq_ignore_ascii_case(&b'i'))
}

fn letters(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

fn attribute_names<'a>(rows: &[&'a Map]) -> Vec<&'a str> {
    let mut seen = FxHashSet::default();
    rows.iter()
        .flat_map(|row| row.keys())
        .map(String::as_str)
        .filter(|name| seen.insert(*name))
        .collect()
}

/// How an attribute stands in the sample.
struct Usage {
    present: usize,
    scalar: usize,
    distinct: usize,
}

impl Usage {
    fn of(name: &str, rows: &[&Map]) -> Self {
        let mut usage = Self {
            present: 0,
            scalar: 0,
            distinct: 0,
        };
        let mut seen = FxHashSet::default();
        for value in rows
            .iter()
            .filter_map(|row| row.get(name))
            .filter(|value| !value.is_null())
        {
            usage.present += 1;
            let text = match value {
                Value::String(text) if !text.is_empty() => text.clone(),
                Value::Number(number) if !number.is_f64() => number.to_string(),
                _ => continue,
            };
            usage.scalar += 1;
            usage.distinct += usize::from(seen.insert(text));
        }
        usage
    }

    fn identifies(&self, rows: usize) -> bool {
        self.present > 0 && self.scalar == self.present && self.present * 2 > rows
    }

    fn is_unique(&self, rows: usize) -> bool {
        self.distinct == rows && rows > 0
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Names in backquotes, the first eight of them.
fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "there are no attributes".to_owned();
    }
    let shown: Vec<String> = names
        .iter()
        .take(8)
        .map(|name| format!("`{}`", crate::error::excerpt(name)))
        .collect();
    let more = if names.len() > 8 { " …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(rows: Value, expected: Result<&str, &[&str]>) {
        let rows: Vec<Map> = serde_json::from_value(rows).expect("a list of objects");
        let found = infer_primary_key(&rows.iter().collect::<Vec<_>>());
        match (found, expected) {
            (Ok(key), Ok(expected)) => assert_eq!(key, expected),
            (Err(PrimaryKeyError::Several { candidates }), Err(expected)) => {
                assert_eq!(candidates, expected)
            }
            (Err(PrimaryKeyError::None { .. }), Err([])) => {}
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn the_only_attribute_that_ends_with_id_is_the_key() {
        check(json!([{"id": 1, "title": "x"}]), Ok("id"));
        check(json!([{"product_id": "lm1"}]), Ok("product_id"));
        check(json!([{"productId": "lm1", "sku": "x"}]), Ok("productId"));
        check(json!([{"ID": 5}]), Ok("ID"));
        check(json!([{"id": 1}, {"title": "x"}, {"title": "y"}]), Ok("id"));
    }

    #[test]
    fn several_are_an_error_that_names_them() {
        check(json!([{"id": 1, "brand_id": 2}]), Err(&["id", "brand_id"]));
        check(json!([{"sku": 1, "ean": 2}]), Err(&["sku", "ean"]));
        let error = PrimaryKeyError::Several {
            candidates: vec!["id".to_owned(), "brand_id".to_owned()],
        };
        assert_eq!(
            error.to_string(),
            "the primary key is ambiguous: `id`, `brand_id` could be it; name one of them"
        );
    }

    #[test]
    fn words_that_merely_end_so_do_not_stand_in_the_way() {
        check(json!([{"id": 1, "paid": true, "grid": [1]}]), Ok("id"));
        check(
            json!([{"id": 1}, {"id": 2, "ark_id": 7}, {"id": 3}]),
            Ok("id"),
        );
    }

    #[test]
    fn shops_own_keys_serve_when_unique() {
        check(
            json!([{"StockCode": "10002", "Description": "x"}]),
            Ok("StockCode"),
        );
        check(json!([{"item": 1, "title": "x"}, {"item": 2}]), Ok("item"));
        check(
            json!([{"sku": "a", "ean": "1"}, {"sku": "b", "ean": "1"}]),
            Ok("sku"),
        );
        check(json!([{"sku": "a"}, {"sku": "a"}]), Err(&[]));
        check(json!([{"title": "x"}]), Err(&[]));
        check(json!([]), Err(&[]));
    }

    #[test]
    fn an_id_is_an_integer_or_a_plain_string() {
        for (value, expected) in [
            (json!({"id": "22423-a_B"}), Ok("22423-a_B")),
            (json!({"id": 42}), Ok("42")),
            (json!({"id": -1}), Ok("-1")),
            (
                json!({"id": 1.5}),
                Err(
                    "the primary key `id` is a number with a fraction, but must be an integer or a string",
                ),
            ),
            (json!({"id": null}), Err("the primary key `id` is missing")),
            (json!({}), Err("the primary key `id` is missing")),
            (
                json!({"id": [1]}),
                Err("the primary key `id` is a list, but must be an integer or a string"),
            ),
            (
                json!({"id": "BANK CHARGES"}),
                Err(
                    "`BANK CHARGES` is not a valid document identifier: use an integer or a string of at most 511 bytes out of a-z A-Z 0-9, hyphens (-) and underscores (_)",
                ),
            ),
        ] {
            let found = document_id(value.as_object().expect("an object"), "id");
            match expected {
                Ok(id) => assert_eq!(found.expect("an id").as_str(), id),
                Err(reason) => {
                    let rejected = found.expect_err("no id").rejected(3);
                    assert_eq!(rejected.to_string(), format!("row 3, field `id`: {reason}"));
                }
            }
        }
    }
}
