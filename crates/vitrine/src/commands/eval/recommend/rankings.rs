//! Which kinds answer which task, and what they are asked.

use super::cases::{Case, Task};
use domain::UserId;
use engine::{RecommendKind, RecommendRequest};

/// One way to answer the cases of a task.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranking {
    pub name: &'static str,
    kind: RecommendKind,
    /// What the request names besides.
    names: Names,
}

/// What a request names.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Names {
    /// The shopper; nothing owned comes back.
    Shopper,
    /// The shopper; what is owned may come back.
    Owner,
    /// What is in hand.
    InHand,
    /// Nothing: the whole shop's list.
    Nothing,
}

/// Knobs of all requests.
#[derive(Clone, Copy, Debug)]
pub struct Knobs {
    pub diversity: f64,
    pub exploration: f64,
}

const fn ranking(kind: RecommendKind, name: &'static str, names: Names) -> Ranking {
    Ranking { name, kind, names }
}

const POPULAR: Ranking = ranking(RecommendKind::Popular, "popular", Names::Nothing);

impl Task {
    /// Every task, with the word for it.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::NextBasket, "next-basket"),
        (Self::NextNew, "next-basket-new"),
        (Self::NextAgain, "next-basket-again"),
        (Self::Completion, "basket-completion"),
        (Self::WithItem, "with-item"),
    ];

    /// The rankings of its cases; the baselines `popular` and `bought-with` come last.
    pub fn rankings(self) -> Vec<Ranking> {
        use RecommendKind as Kind;
        let trending = ranking(Kind::Trending, "trending", Names::Nothing);
        let bought = |names| ranking(Kind::BoughtWith, "bought-with", names);
        match self {
            Self::NextBasket => vec![
                ranking(Kind::ForYou, "for-you", Names::Owner),
                ranking(Kind::BuyAgain, "buy-again", Names::Shopper),
                ranking(Kind::RecentlyViewed, "recently-viewed", Names::Shopper),
                trending,
                bought(Names::Shopper),
                POPULAR,
            ],
            Self::NextNew => vec![
                ranking(Kind::ForYou, "for-you", Names::Shopper),
                trending,
                bought(Names::Shopper),
                POPULAR,
            ],
            Self::NextAgain => vec![
                ranking(Kind::BuyAgain, "buy-again", Names::Shopper),
                bought(Names::Shopper),
                POPULAR,
            ],
            Self::Completion => vec![
                ranking(Kind::Basket, "basket", Names::InHand),
                ranking(Kind::Session, "session", Names::InHand),
                POPULAR,
            ],
            Self::WithItem => vec![
                ranking(Kind::Similar, "similar", Names::InHand),
                ranking(Kind::AlsoViewed, "also-viewed", Names::InHand),
                bought(Names::InHand),
                POPULAR,
            ],
        }
    }
}

impl Ranking {
    /// What is asked for a case.
    pub fn request(&self, case: &Case, knobs: Knobs) -> RecommendRequest {
        let mut request = RecommendRequest {
            exclude: case.exclude.clone(),
            diversity: knobs.diversity,
            exploration: knobs.exploration,
            ..RecommendRequest::new(self.kind)
        };
        let user = |user: &UserId| Some(user.clone());
        match self.names {
            Names::Shopper => request.user = user(&case.user),
            Names::Owner => {
                request.user = user(&case.user);
                request.owned = true;
            }
            Names::InHand => request.items = case.in_hand.clone(),
            Names::Nothing => {}
        }
        request
    }
}
