//! Texts that belong together, and which of them are kept apart to measure on.

use super::options::EncoderOptions;
use super::trainer::PairOfTexts;
use encode::{ModelError, Parts, Prefix};
use fastrand::Rng;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

/// Of a hundred items, so many are for choosing, and as many for the final test.
const HELD_OUT: usize = 5;

/// Why two texts belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PairKind {
    /// An item's long text and its title.
    Description,
    /// Some of its attributes, as somebody might ask for them, and the item.
    Attributes,
    /// What was asked for, and the item that was clicked or bought then.
    Asked,
    /// Two items of one basket.
    Together,
}

/// Two texts that belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextPair {
    pub kind: PairKind,
    pub query: String,
    pub item: String,
    /// The items they are about, by their places in the catalogue; often the same.
    pub of: [u32; 2],
}

/// All pairs, in slices that have no item in common.
#[derive(Debug, Default)]
pub(super) struct Slices {
    /// The tokens of each text.
    pub texts: Vec<Vec<u32>>,
    pub training: Vec<(PairKind, PairOfTexts)>,
    pub validation: Vec<(PairKind, PairOfTexts)>,
    pub test: Vec<(PairKind, PairOfTexts)>,
}

impl Slices {
    pub fn new(
        parts: &Parts,
        pairs: &[TextPair],
        options: &EncoderOptions,
    ) -> Result<Self, ModelError> {
        let mut slices = Self::default();
        let slice_of = draw(pairs, options.seed);
        let mut known = FxHashMap::default();
        for pair in pairs {
            let [query_slice, item_slice] = pair.of.map(|item| slice_of[&item]);
            // A pair across slices would let training see what is measured on.
            if query_slice != item_slice {
                continue;
            }
            let mut place = |text, side: Side| -> Result<u32, ModelError> {
                if let Some(place) = known.get(&(text, side)) {
                    return Ok(*place);
                }
                let tokens = parts.tokens(text, side.into(), options.tokens)?;
                slices.texts.push(tokens);
                let place = slices.texts.len() as u32 - 1;
                known.insert((text, side), place);
                Ok(place)
            };
            let pair_of_texts = PairOfTexts {
                query: place(pair.query.as_str(), Side::Query)?,
                item: place(pair.item.as_str(), Side::Item)?,
            };
            let to = match query_slice {
                Slice::Training => &mut slices.training,
                Slice::Validation => &mut slices.validation,
                Slice::Test => &mut slices.test,
            };
            to.push((pair.kind, pair_of_texts));
        }
        Ok(slices)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Side {
    Query,
    Item,
}

impl From<Side> for Prefix {
    fn from(side: Side) -> Self {
        match side {
            Side::Query => Self::Query,
            Side::Item => Self::Passage,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slice {
    Training,
    Validation,
    Test,
}

/// The slice of each item that is in a pair. Pairs may have been drawn with the same seed, so
/// the numbers here are others: else the items drawn first there would be held out here.
fn draw(pairs: &[TextPair], seed: u64) -> FxHashMap<u32, Slice> {
    let mut items: Vec<u32> = pairs.iter().flat_map(|pair| pair.of).collect();
    items.sort_unstable();
    items.dedup();
    Rng::with_seed(seed ^ 0x5eed_0f51_1ce5).shuffle(&mut items);
    let slice = |place: usize| match place * 100 / items.len() {
        share if share < HELD_OUT => Slice::Validation,
        share if share < 2 * HELD_OUT => Slice::Test,
        _ => Slice::Training,
    };
    let places = items.iter().enumerate();
    places.map(|(place, &item)| (item, slice(place))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{ItemTexts, ShopTexts, text_pairs};

    #[test]
    fn a_part_of_a_catalogue_is_held_out_in_the_same_shares() {
        let item = |n: usize| ItemTexts {
            title: format!("mug {n}"),
            description: format!("red {n}"),
            ..ItemTexts::default()
        };
        let shop = ShopTexts {
            items: (0..3_000).map(item).collect(),
            ..ShopTexts::default()
        };
        for seed in [1, 2] {
            let pairs = text_pairs(&shop, 100, seed);
            let slices = draw(&pairs, seed);
            let count = |slice| slices.values().filter(|of| **of == slice).count();
            assert_eq!((count(Slice::Validation), count(Slice::Test)), (5, 5));
            assert_eq!(count(Slice::Training), 90);
        }
    }

    #[test]
    fn slices_have_no_item_in_common() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        for (path, bytes) in testkit::tiny_encoder(1) {
            std::fs::write(dir.path().join(path), bytes).expect("written");
        }
        let parts = Parts::open(dir.path()).expect("a whole folder");
        let pair = |kind, a: u32, b: u32| TextPair {
            kind,
            query: format!("red {a}"),
            item: format!("mug {b}"),
            of: [a, b],
        };
        let mut pairs: Vec<TextPair> = (0..200)
            .map(|item| pair(PairKind::Description, item, item))
            .collect();
        pairs.extend((0..199).map(|item| pair(PairKind::Together, item, item + 1)));
        let slices = Slices::new(&parts, &pairs, &EncoderOptions::default()).expect("texts");
        let count = |slice: &[(PairKind, PairOfTexts)]| {
            let of_kind = |kind| slice.iter().filter(|(k, _)| *k == kind).count();
            (of_kind(PairKind::Description), of_kind(PairKind::Together))
        };
        let [training, validation, test] =
            [&slices.training, &slices.validation, &slices.test].map(|slice| count(slice));
        assert_eq!((training.0, validation.0, test.0), (180, 10, 10));
        assert!(training.1 > 140 && training.1 < 180, "{training:?}");
        let texts = |slice: &[(PairKind, PairOfTexts)]| -> Vec<u32> {
            slice.iter().map(|(_, pair)| pair.item).collect()
        };
        let trained = texts(&slices.training);
        for text in texts(&slices.validation).iter().chain(&texts(&slices.test)) {
            assert!(!trained.contains(text));
        }
        assert!(slices.texts.len() <= 400, "a text is cut once");
    }
}
