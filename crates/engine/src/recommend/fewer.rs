//! Why an answer has fewer items than were asked for, in a sentence for the shop engineer.

use super::given::Given;
use super::request::{RecommendKind, RecommendRequest};

/// The sentence: `shown` items may be shown, `turned_away` ones may not.
pub(super) fn fewer(
    request: &RecommendRequest,
    given: &Given,
    shown: usize,
    turned_away: usize,
) -> String {
    let cause = cause(request, given);
    match (shown + turned_away, turned_away) {
        (0, _) => cause.to_owned(),
        (found, 0) => format!("{cause}: {found} items are all there are"),
        (found, _) => format!(
            "{cause}: of {found} items {turned_away} are excluded, filtered out, sold out, owned, unsuitable or not in the catalogue"
        ),
    }
}

fn cause(request: &RecommendRequest, given: &Given) -> &'static str {
    let is_unknown = request.user.is_some() && !given.is_known;
    let nothing_in_hand = given.ids.is_empty();
    match request.kind {
        RecommendKind::BuyAgain | RecommendKind::RecentlyViewed if is_unknown => {
            "the shopper has done nothing yet"
        }
        RecommendKind::BuyAgain => "the shopper has bought few items",
        RecommendKind::RecentlyViewed => "few items were viewed",
        RecommendKind::Similar
        | RecommendKind::AlsoViewed
        | RecommendKind::BoughtWith
        | RecommendKind::Basket
            if nothing_in_hand =>
        {
            "no item is in hand, and the shopper has done nothing to take one from"
        }
        RecommendKind::Similar => "few items are like those in hand",
        _ if !nothing_in_hand && given.items.is_empty() && is_of_counts(request.kind) => {
            "nobody has done anything with the items in hand yet"
        }
        RecommendKind::AlsoViewed => "few items were viewed by those who viewed the ones in hand",
        RecommendKind::BoughtWith | RecommendKind::Basket => {
            "few items were in one basket with those in hand"
        }
        RecommendKind::Trending => "few items sell more than they used to",
        RecommendKind::ForYou | RecommendKind::Session | RecommendKind::Popular => {
            "few items have been sold or looked at in this shop"
        }
    }
}

fn is_of_counts(kind: RecommendKind) -> bool {
    matches!(
        kind,
        RecommendKind::AlsoViewed | RecommendKind::BoughtWith | RecommendKind::Basket
    )
}
