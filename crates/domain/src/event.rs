//! What a shopper did.
//!
//! An event is a fact with a time. The engine keeps it in its log as it came
//! and folds it into profiles.

use crate::{ItemId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The eight things a shopper can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    View,
    Click,
    Cart,
    Purchase,
    Like,
    Dislike,
    Rate,
    Search,
}

impl EventKind {
    /// Every kind, in the order of the enum.
    pub const ALL: [Self; 8] = [
        Self::View,
        Self::Click,
        Self::Cart,
        Self::Purchase,
        Self::Like,
        Self::Dislike,
        Self::Rate,
        Self::Search,
    ];

    /// The word used in every interface.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Click => "click",
            Self::Cart => "cart",
            Self::Purchase => "purchase",
            Self::Like => "like",
            Self::Dislike => "dislike",
            Self::Rate => "rate",
            Self::Search => "search",
        }
    }
}

/// A shopper with more events than this on one UTC day is a program: a crawler, a test, or a shop's own script.
/// It is the one definition of a robot, for profiles and for training.
pub const ROBOT_EVENTS_OF_A_DAY: u32 = 1_000;

/// A word that names no event kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a kind of event: use view, click, cart, purchase, like, dislike, rate or search"
)]
pub struct UnknownEventKind(pub String);

impl FromStr for EventKind {
    type Err = UnknownEventKind;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(word.trim()))
            .ok_or_else(|| UnknownEventKind(word.chars().take(60).collect()))
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing one shopper did. Every kind but `search` has an item; `search` has a query.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The shop's own id of the event; a second event with the same id is dropped.
    pub id: Option<String>,
    pub user: UserId,
    pub kind: EventKind,
    pub item: Option<ItemId>,
    pub query: Option<String>,
    pub time: Timestamp,
    /// A rating for `rate`, else free for the shop. Finite.
    pub value: Option<f64>,
    /// Price of one piece, in the shop's currency. Finite.
    pub price: Option<f64>,
    /// Pieces; negative for a return. Finite.
    pub quantity: Option<f64>,
    /// Groups purchase lines that were paid together.
    pub basket: Option<String>,
    /// The `queryId` of the answer that led to the event.
    pub query_id: Option<String>,
}
