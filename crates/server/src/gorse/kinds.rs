//! Which event a kind of feedback is.
//!
//! Kinds are words of the shop. Those below are understood; the setting `feedbackKinds` of the
//! index says what others mean, or that one means something else. A word that nobody explains is
//! kept as feedback and is no event.

use domain::EventKind;
use engine::Settings;

/// Words without regard to case, `-` and `_`.
const KNOWN: [(EventKind, &[&str]); 7] = [
    (
        EventKind::View,
        &["view", "read", "watch", "visit", "play", "listen", "open"],
    ),
    (EventKind::Click, &["click", "tap"]),
    (EventKind::Cart, &["cart", "addtocart", "basket"]),
    (
        EventKind::Purchase,
        &["purchase", "buy", "order", "checkout"],
    ),
    (
        EventKind::Like,
        &[
            "like",
            "star",
            "favorite",
            "favourite",
            "upvote",
            "love",
            "save",
            "bookmark",
            "share",
        ],
    ),
    (EventKind::Dislike, &["dislike", "downvote", "hide"]),
    (EventKind::Rate, &["rate", "rating", "review"]),
];

/// The event that feedback of a kind is, if one.
pub(super) fn event(settings: &Settings, word: &str) -> Option<EventKind> {
    if let Some(set) = settings
        .feedback_kinds
        .as_ref()
        .and_then(|set| set.get(word))
    {
        return Some(*set);
    }
    let mut plain = word.to_lowercase();
    plain.retain(|c| c != '-' && c != '_');
    let known = KNOWN
        .iter()
        .find(|(_, words)| words.contains(&plain.as_str()));
    known.map(|(kind, _)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_setting_comes_before_what_is_known() {
        let mut settings = Settings::default();
        assert_eq!(event(&settings, "Add-To-Cart"), Some(EventKind::Cart));
        assert_eq!(event(&settings, "watch"), Some(EventKind::View));
        assert_eq!(event(&settings, "fork"), None);
        settings.feedback_kinds = Some(BTreeMap::from([
            ("fork".to_owned(), EventKind::Like),
            ("watch".to_owned(), EventKind::Like),
        ]));
        assert_eq!(event(&settings, "fork"), Some(EventKind::Like));
        assert_eq!(event(&settings, "watch"), Some(EventKind::Like));
        assert_eq!(event(&settings, "read"), Some(EventKind::View));
    }
}
