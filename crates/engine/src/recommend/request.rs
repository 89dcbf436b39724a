//! A recommendation request and its answer.

use crate::suitability::Suited;
use domain::{Filter, ItemId, Score, UserId};
use serde::Serialize;
use serde_json::value::RawValue;
use std::str::FromStr;

/// What kind of recommendation is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecommendKind {
    /// New items for a shopper, from the order of what they did.
    ForYou,
    /// What comes next in a visit, from the items that were looked at in it.
    Session,
    /// What is like one item (or several).
    Similar,
    /// What is looked at together with one item (or several).
    AlsoViewed,
    /// What is bought together with one item (or several).
    BoughtWith,
    /// What completes a basket.
    Basket,
    /// What sells more than it used to.
    Trending,
    /// What sells most.
    Popular,
    /// What a shopper buys regularly and may need again.
    BuyAgain,
    /// What a shopper looked at last.
    RecentlyViewed,
}

impl RecommendKind {
    /// Every kind with the word used in all interfaces.
    pub const ALL: [(Self, &'static str); 10] = [
        (Self::ForYou, "for-you"),
        (Self::Session, "session"),
        (Self::Similar, "similar"),
        (Self::AlsoViewed, "also-viewed"),
        (Self::BoughtWith, "bought-with"),
        (Self::Basket, "basket"),
        (Self::Trending, "trending"),
        (Self::Popular, "popular"),
        (Self::BuyAgain, "buy-again"),
        (Self::RecentlyViewed, "recently-viewed"),
    ];

    /// The word used in all interfaces.
    pub fn as_str(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(kind, _)| *kind == self)
            .map_or("for-you", |(_, word)| word)
    }
}

impl FromStr for RecommendKind {
    type Err = UnknownKind;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|(_, name)| *name == word)
            .map(|(kind, _)| kind)
            .ok_or_else(|| UnknownKind(word.chars().take(60).collect()))
    }
}

/// A word that names no kind of recommendation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a kind of recommendation: use for-you, session, similar, also-viewed, bought-with, basket, trending, popular, buy-again or recently-viewed"
)]
pub struct UnknownKind(pub String);

/// One recommendation request.
#[derive(Clone, Debug)]
pub struct RecommendRequest {
    pub kind: RecommendKind,
    pub user: Option<UserId>,
    /// The item or items in front of the shopper; in `session`, the oldest first.
    pub items: Vec<ItemId>,
    pub basket: Vec<ItemId>,
    pub filter: Option<Filter>,
    pub limit: usize,
    pub offset: usize,
    pub exclude: Vec<ItemId>,
    /// From 0, the order of the scores, to 1, as unlike one another as can be.
    pub diversity: f64,
    /// Share of places for items that hardly anyone has seen yet, from 0 to .5; in `for-you`
    /// and `session`.
    pub exploration: f64,
    /// Items that are sold out may come back.
    pub sold_out: bool,
    /// In `for-you`, items that the shopper owns may come back.
    pub owned: bool,
    /// In `for-you` and `session`: what the models say and nothing else. What is like the items
    /// in hand and what is popular stand in for nothing.
    pub models_alone: bool,
    pub explain: bool,
}

/// The share of places for new items, unless the request says another.
pub const EXPLORATION: f64 = 0.05;

impl RecommendRequest {
    /// A request of this kind with limit 10 and nothing else.
    pub fn new(kind: RecommendKind) -> Self {
        Self {
            kind,
            user: None,
            items: Vec::new(),
            basket: Vec::new(),
            filter: None,
            limit: 10,
            offset: 0,
            exclude: Vec::new(),
            diversity: 0.0,
            exploration: EXPLORATION,
            sold_out: false,
            owned: false,
            models_alone: false,
            explain: false,
        }
    }
}

/// The ordered answer.
#[derive(Debug)]
pub struct Recommendations {
    pub hits: Vec<Recommendation>,
    /// Items that paging would reach.
    pub total: usize,
    /// Sources that gave candidates, with how many; a source that failed says why.
    pub trace: Vec<SourceReport>,
    /// Why the page is not full, if it is not.
    pub fewer: Option<String>,
    /// The rule of suitability that held, if one did.
    pub suited: Option<Suited>,
    /// Items that do not suit the shopper and were passed over.
    pub unsuited: usize,
    /// The live model that took part, if one did.
    pub model: Option<String>,
}

/// What one source contributed.
#[derive(Clone, Debug)]
pub struct SourceReport {
    pub source: &'static str,
    pub candidates: usize,
    pub error: Option<String>,
}

impl SourceReport {
    /// Of a source that worked.
    pub(super) fn of(source: &'static str, candidates: usize) -> Self {
        Self {
            source,
            candidates,
            error: None,
        }
    }

    /// Of a source that had nothing to go by.
    pub(super) fn without(source: &'static str, why: &str) -> Self {
        Self {
            source,
            candidates: 0,
            error: Some(why.to_owned()),
        }
    }
}

/// One recommended item.
#[derive(Debug)]
pub struct Recommendation {
    pub item: ItemId,
    pub document: Box<RawValue>,
    pub score: Score,
    /// The source that produced it.
    pub source: &'static str,
    /// Present when `explain` was asked for; the values sum to the score.
    pub reasons: Vec<Reason>,
    /// How probable it is that the shopper acts on it, by the live model; present when
    /// `explain` was asked for and the model took part.
    pub probabilities: Option<Probabilities>,
}

/// What a shopper may do with an item, each from 0 to 1; calibrated on what shoppers did.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Probabilities {
    pub view: f32,
    pub cart: f32,
    pub purchase: f32,
}

/// One addend of a score.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    /// What it rests on: `bought-with`, `sequence`, `affinity`, `popular` …
    pub because: &'static str,
    /// The item of the shopper's history or basket, if one.
    pub item: Option<ItemId>,
    pub value: f64,
}
