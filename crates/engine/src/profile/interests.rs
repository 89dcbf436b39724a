//! Decayed interests: what the items and queries of a shopper have in common.
//!
//! The weight of an item goes to the words of its title, its brand, its categories and the
//! values of its other attributes, as the catalogue has them now. A query gives its words the
//! weight of a click.

use super::facts::{ItemFacts, tells_something};
use crate::snapshot::IndexReader;
use domain::Timestamp;
use rustc_hash::FxHashMap;
use serde::Serialize;
use std::sync::Arc;

/// Interests listed of each sort.
const LISTED: usize = 15;
/// Events named for each interest: those with the most weight.
const RESTS_ON: usize = 3;

/// Decayed interests, the strongest first. Weights of one list sum to 1 over all its values.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Interests {
    pub words: Vec<Interest>,
    pub brands: Vec<Interest>,
    pub categories: Vec<Interest>,
    pub attributes: Vec<Interest>,
}

/// One interest.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Interest {
    /// The name of the attribute, in the list of attributes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    pub value: String,
    pub weight: f64,
    pub rests_on: Vec<Evidence>,
}

/// An event, or several with one item, that something is concluded from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Of the latest of the events.
    pub time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<f64>,
}

impl Evidence {
    /// What was done with an item.
    pub(crate) fn item(id: &str, time: Timestamp) -> Self {
        Self {
            item_id: Some(id.to_owned()),
            query: None,
            time: time.to_string(),
            price: None,
        }
    }

    /// A search.
    pub(crate) fn query(text: &str, time: Timestamp) -> Self {
        Self {
            item_id: None,
            query: Some(text.to_owned()),
            time: time.to_string(),
            price: None,
        }
    }
}

/// An item that a shopper did something with, in the light of the catalogue.
pub(crate) struct Met {
    pub id: Arc<str>,
    pub weight: f64,
    /// The latest event.
    pub last: Timestamp,
    pub facts: Arc<ItemFacts>,
}

/// A query of a shopper, with the words in it.
pub(crate) struct Asked<'a> {
    pub text: &'a str,
    pub time: Timestamp,
    pub weight: f64,
    pub words: Vec<String>,
}

/// What adds weight: an item by its place, or a query.
#[derive(Clone, Copy)]
enum Origin {
    Item(usize),
    Query(usize),
}

/// Weights by value, and where each mostly comes from.
struct Tally<'a> {
    values: FxHashMap<(&'a str, &'a str), (f64, Vec<Origin>)>,
    sum: f64,
}

impl<'a> Tally<'a> {
    fn new() -> Self {
        Self {
            values: FxHashMap::default(),
            sum: 0.0,
        }
    }

    /// Those who add the most must come first.
    fn add(&mut self, attribute: &'a str, value: &'a str, weight: f64, from: Origin) {
        let (sum, rests_on) = self.values.entry((attribute, value)).or_default();
        *sum += weight;
        self.sum += weight;
        if rests_on.len() < RESTS_ON {
            rests_on.push(from);
        }
    }

    fn strongest(self, evidence: impl Fn(Origin) -> Evidence) -> Vec<Interest> {
        let sum = self.sum.max(f64::MIN_POSITIVE);
        let mut list: Vec<_> = self.values.into_iter().collect();
        list.sort_unstable_by(|a, b| b.1.0.total_cmp(&a.1.0).then(a.0.cmp(&b.0)));
        list.truncate(LISTED);
        let interest =
            |((attribute, value), (weight, rests_on)): ((&str, &str), (f64, Vec<Origin>))| {
                Interest {
                    attribute: Some(attribute.to_owned()).filter(|name| !name.is_empty()),
                    value: value.to_owned(),
                    weight: weight / sum,
                    rests_on: rests_on.into_iter().map(&evidence).collect(),
                }
            };
        list.into_iter().map(interest).collect()
    }
}

/// The interests of one shopper. Items come with the heaviest first.
pub(crate) fn interests(met: &[Met], asked: &[Asked<'_>]) -> Interests {
    let [mut words, mut brands, mut categories, mut attributes] =
        [Tally::new(), Tally::new(), Tally::new(), Tally::new()];
    let positive = met.iter().enumerate().filter(|(_, met)| met.weight > 0.0);
    for (place, met) in positive {
        let (facts, from) = (&met.facts, Origin::Item(place));
        for word in &facts.words {
            words.add("", word, met.weight, from);
        }
        for brand in &facts.brands {
            brands.add("", brand, met.weight, from);
        }
        for category in &facts.categories {
            categories.add("", category, met.weight, from);
        }
        for (name, value) in &facts.attributes {
            attributes.add(name, value, met.weight, from);
        }
    }
    for (place, query) in asked.iter().enumerate() {
        for word in &query.words {
            words.add("", word, query.weight, Origin::Query(place));
        }
    }
    let evidence = |from| match from {
        Origin::Item(place) => Evidence::item(&met[place].id, met[place].last),
        Origin::Query(place) => Evidence::query(asked[place].text, asked[place].time),
    };
    Interests {
        words: words.strongest(evidence),
        brands: brands.strongest(evidence),
        categories: categories.strongest(evidence),
        attributes: attributes.strongest(evidence),
    }
}

impl IndexReader {
    /// The words of a query that say something.
    pub(crate) fn telling_words(&self, text: &str) -> Vec<String> {
        let tokens = self.state.analyzer.query_tokens(text).into_iter();
        let telling = tokens.filter(|token| tells_something(&token.surface));
        telling.map(|token| token.text).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(id: &str, weight: f64, category: &str, words: &[&str]) -> Met {
        Met {
            id: id.into(),
            weight,
            last: Timestamp::from_millis(0),
            facts: Arc::new(ItemFacts {
                words: words.iter().map(|word| (*word).to_owned()).collect(),
                categories: vec![category.to_owned()],
                attributes: vec![("colour".to_owned(), "red".to_owned())],
                ..ItemFacts::default()
            }),
        }
    }

    fn shown(list: &[Interest]) -> Vec<(&str, f64)> {
        list.iter()
            .map(|interest| (interest.value.as_str(), interest.weight))
            .collect()
    }

    #[test]
    fn weights_are_shares_and_name_what_they_rest_on() {
        let items = [
            met("a", 2.0, "lamps", &["glass", "lantern"]),
            met("b", 1.0, "lamps", &["lantern"]),
            met("c", 1.0, "desks", &["desk"]),
            met("d", -1.0, "desks", &["desk"]),
        ];
        let asked = [Asked {
            text: "desk lamp",
            time: Timestamp::from_millis(5),
            weight: 0.5,
            words: vec!["desk".to_owned(), "lamp".to_owned()],
        }];
        let found = interests(&items, &asked);
        assert_eq!(shown(&found.categories), [("lamps", 0.75), ("desks", 0.25)]);
        let rests_on = &found.categories[0].rests_on;
        let ids: Vec<_> = rests_on
            .iter()
            .filter_map(|one| one.item_id.as_deref())
            .collect();
        assert_eq!(ids, ["a", "b"]);
        assert_eq!(
            shown(&found.words),
            [
                ("lantern", 3.0 / 7.0),
                ("glass", 2.0 / 7.0),
                ("desk", 1.5 / 7.0),
                ("lamp", 0.5 / 7.0)
            ]
        );
        assert_eq!(
            found.words[3].rests_on[0].query.as_deref(),
            Some("desk lamp")
        );
        assert_eq!(found.attributes[0].attribute.as_deref(), Some("colour"));
        assert_eq!(found.attributes[0].rests_on.len(), RESTS_ON);
    }
}
