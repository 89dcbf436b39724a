//! Pairs of texts out of a shop's plain data: an item's description and its title, attributes
//! as somebody might ask for them and the item, what was asked for and what was clicked then,
//! and items of one basket.

use crate::encoder::{PairKind, TextPair};
use fastrand::Rng;
use rustc_hash::FxHashSet;
use std::collections::BTreeSet;

/// The texts of a shop, and what its shoppers found to belong together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShopTexts {
    pub items: Vec<ItemTexts>,
    /// What was asked for, and the place of an item that was clicked or bought then.
    pub asked: Vec<(String, u32)>,
    /// Places of items that were bought together.
    pub baskets: Vec<Vec<u32>>,
}

/// The texts of one item.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ItemTexts {
    pub title: String,
    /// The long text.
    pub description: String,
    /// What an encoder is given of the item when its catalogue is encoded.
    pub encoded: String,
    /// Values of its attributes.
    pub attributes: Vec<String>,
}

/// Characters of a description that are used, and of an attribute at most.
const DESCRIPTION: usize = 400;
const ATTRIBUTE: usize = 40;
/// Attributes of one made-up query at most.
const ASKED_TOGETHER: usize = 3;
/// Pairs of one basket at most: a basket of a hundred items says little about any two.
const OF_A_BASKET: usize = 4;
/// Of all pairs at most so many are of baskets (a part in five): what is bought together is
/// often not alike, and search is about what is alike.
const BASKET_PART: usize = 5;

/// Makes pairs, `most` at most, the same for the same data and seed. What shoppers did comes
/// first, since it is the rarest and says the most; descriptions and attributes share the rest.
pub fn text_pairs(shop: &ShopTexts, most: usize, seed: u64) -> Vec<TextPair> {
    let mut rng = Rng::with_seed(seed);
    let mut asked = asked(shop);
    rng.shuffle(&mut asked);
    asked.truncate(most / 2);
    let mut together = together(shop, &mut rng);
    rng.shuffle(&mut together);
    together.truncate(most / BASKET_PART);
    let mut order: Vec<u32> = (0..shop.items.len() as u32).collect();
    rng.shuffle(&mut order);
    let rest = most - asked.len() - together.len();
    let (mut descriptions, mut attributes) = (Vec::new(), Vec::new());
    for item in order {
        let texts = &shop.items[item as usize];
        descriptions.extend(description(texts, item));
        attributes.extend(attributes_of(texts, item, &mut rng));
    }
    // Half of the rest each, and what one kind lacks goes to the other.
    let of_descriptions = descriptions
        .len()
        .min((rest / 2).max(rest.saturating_sub(attributes.len())));
    descriptions.truncate(of_descriptions);
    attributes.truncate(rest - of_descriptions);
    [asked, together, descriptions, attributes].concat()
}

fn description(texts: &ItemTexts, item: u32) -> Option<TextPair> {
    let title = texts.title.trim();
    let description = start(texts.description.trim(), DESCRIPTION);
    // Where one only repeats the other there is nothing to learn.
    let says_more = !description.is_empty()
        && !title.is_empty()
        && !description.starts_with(title)
        && !title.starts_with(description);
    says_more.then(|| TextPair {
        kind: PairKind::Description,
        query: description.to_owned(),
        item: title.to_owned(),
        of: [item, item],
    })
}

/// One to three attributes whose words the item's text has too: others, such as the country it
/// was made in, nobody could guess from the text.
fn attributes_of(texts: &ItemTexts, item: u32, rng: &mut Rng) -> Option<TextPair> {
    let words: FxHashSet<String> = words(&texts.encoded).collect();
    let mut usable: Vec<&str> = Vec::new();
    for value in &texts.attributes {
        let value = value.trim();
        let letters = value.chars().filter(|c| c.is_alphabetic()).count();
        let is_short = value.chars().count() <= ATTRIBUTE;
        if letters >= 2
            && is_short
            && !usable.contains(&value)
            && value != texts.title.trim()
            && self::words(value).all(|word| words.contains(&word))
        {
            usable.push(value);
        }
    }
    if usable.is_empty() {
        return None;
    }
    rng.shuffle(&mut usable);
    usable.truncate(1 + rng.usize(..ASKED_TOGETHER));
    Some(TextPair {
        kind: PairKind::Attributes,
        query: usable.join(" "),
        item: texts.encoded.clone(),
        of: [item, item],
    })
}

/// What was asked and found, each once.
fn asked(shop: &ShopTexts) -> Vec<TextPair> {
    let mut known: BTreeSet<(&str, u32)> = BTreeSet::new();
    for (query, item) in &shop.asked {
        let query = query.trim();
        if !query.is_empty() && !shop.items[*item as usize].encoded.is_empty() {
            known.insert((query, *item));
        }
    }
    let pair = |&(query, item): &(&str, u32)| TextPair {
        kind: PairKind::Asked,
        query: query.to_owned(),
        item: shop.items[item as usize].encoded.clone(),
        of: [item, item],
    };
    known.iter().map(pair).collect()
}

fn together(shop: &ShopTexts, rng: &mut Rng) -> Vec<TextPair> {
    let mut known = FxHashSet::default();
    let mut pairs = Vec::new();
    for basket in &shop.baskets {
        let mut items = basket.clone();
        items.sort_unstable();
        items.dedup();
        rng.shuffle(&mut items);
        for two in items.windows(2).take(OF_A_BASKET) {
            let [a, b] = [two[0], two[1]].map(|item| shop.items[item as usize].encoded.as_str());
            if a != b && !a.is_empty() && !b.is_empty() && known.insert((two[0], two[1])) {
                pairs.push(TextPair {
                    kind: PairKind::Together,
                    query: a.to_owned(),
                    item: b.to_owned(),
                    of: [two[0], two[1]],
                });
            }
        }
    }
    pairs
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// The first characters of a text.
fn start(text: &str, most: usize) -> &str {
    let end = text.char_indices().nth(most);
    end.map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop() -> ShopTexts {
        let item = |n: usize| ItemTexts {
            title: format!("Acme kettle {n}"),
            description: format!("Boils water number {n}"),
            encoded: format!("Acme kettle {n}. Kitchen"),
            attributes: ["Acme", "China", "kettle", "Kitchen", "7", "-"]
                .map(str::to_owned)
                .to_vec(),
        };
        ShopTexts {
            items: (0..50).map(item).collect(),
            asked: vec![
                ("tea".to_owned(), 3),
                (" tea ".to_owned(), 3),
                (String::new(), 4),
            ],
            baskets: vec![vec![1, 2, 1], vec![1, 2], (0..50).collect(), vec![7]],
        }
    }

    #[test]
    fn a_shop_makes_pairs_of_every_kind() {
        let pairs = text_pairs(&shop(), 1000, 1);
        let of = |kind| pairs.iter().filter(move |pair| pair.kind == kind);
        assert_eq!(of(PairKind::Asked).count(), 1);
        assert_eq!(of(PairKind::Description).count(), 50);
        assert_eq!(of(PairKind::Attributes).count(), 50);
        let together: Vec<_> = of(PairKind::Together).collect();
        assert!((5..=6).contains(&together.len()), "{together:?}");
        for pair in of(PairKind::Attributes) {
            assert!(!pair.query.contains("China") && !pair.query.contains('7'));
            assert_eq!(pair.item, format!("Acme kettle {}. Kitchen", pair.of[0]));
        }
        assert_eq!(pairs, text_pairs(&shop(), 1000, 1));
        assert_ne!(pairs, text_pairs(&shop(), 1000, 2));
    }

    #[test]
    fn there_are_at_most_as_many_as_asked_for() {
        for most in [0, 1, 7, 60, 90] {
            let pairs = text_pairs(&shop(), most, 1);
            assert_eq!(pairs.len(), most, "{most}");
        }
    }

    #[test]
    fn what_says_nothing_more_makes_no_pair() {
        let item = |title: &str, description: &str| ItemTexts {
            title: title.to_owned(),
            description: description.to_owned(),
            encoded: title.to_owned(),
            attributes: vec![title.to_owned()],
        };
        let shop = ShopTexts {
            items: vec![item("Cup", ""), item("Cup", "Cup of tea"), item("", "Tea")],
            ..ShopTexts::default()
        };
        assert_eq!(text_pairs(&shop, 10, 1), []);
    }
}
