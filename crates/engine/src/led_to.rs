//! Which query led a shopper to an event. One rule serves everything that learns from what was
//! asked for: the query that an event names itself, or that of the shopper's newest search
//! where it was a few minutes ago.

use domain::{EventKind, Timestamp};

/// What is done so many milliseconds after a search was led to by it.
const LED_TO: i64 = 10 * 60 * 1000;

/// Whether an event of a kind can say that an item was what a shopper looked for.
pub(crate) fn says_yes(kind: EventKind) -> bool {
    !matches!(kind, EventKind::Dislike | EventKind::Rate)
}

/// The newest search of a shopper while events go by, the oldest first. `Q` is a query as the
/// caller keeps it.
#[derive(Debug)]
pub(crate) struct NewestSearch<Q> {
    search: Option<(Q, Timestamp)>,
}

impl<Q: Clone> NewestSearch<Q> {
    pub(crate) fn none() -> Self {
        Self { search: None }
    }

    /// A search goes by. One without a query that can be used ends what the one before led to.
    pub(crate) fn searched(&mut self, query: Option<Q>, time: Timestamp) {
        self.search = query.map(|query| (query, time));
    }

    /// The query that led to an event, given the one that it names itself.
    pub(crate) fn led_to(&self, named: Option<Q>, time: Timestamp) -> Option<Q> {
        let is_near = |(_, searched): &&(Q, Timestamp)| time.millis() - searched.millis() <= LED_TO;
        let newest = || self.search.as_ref().filter(is_near);
        named.or_else(|| newest().map(|(query, _)| query.clone()))
    }
}
