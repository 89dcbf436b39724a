//! The sessions of one shopper, and what is viewed together in one.
//!
//! A session is a run of events with less than 30 minutes from one to the next.
//! A session stays open for late events until four newer ones were opened or
//! touched, by arrival. A late event may extend a session backwards, and may
//! close the gap between two of them, which then become one.

use crate::fold::ItemNo;
use domain::Timestamp;
use serde::{Deserialize, Serialize};

/// A gap of this many milliseconds ends a session.
pub(crate) const GAP_MILLIS: i64 = 30 * 60_000;
/// Open sessions of one shopper.
const OPEN: usize = 4;
/// Distinct viewed items a session remembers, the newest.
pub(crate) const ITEMS: usize = 50;

/// One visit of a shopper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Session {
    pub first: Timestamp,
    pub last: Timestamp,
    /// Events of any kind.
    pub events: u64,
    /// Distinct items viewed or clicked, in the order of arrival; the newest fifty.
    pub viewed: Vec<ItemNo>,
}

/// How the sessions of a shopper are, taken together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SessionTotals {
    /// Sessions; one that gets an event after four others came in between counts again.
    pub count: u64,
    /// From the first event to the last of each, added up.
    pub millis: u64,
}

/// The open sessions, the least recently touched first. Any two are at least a gap apart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sessions {
    open: Vec<Session>,
    totals: SessionTotals,
}

/// What joining two sessions means for the pairs of items in them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Joined {
    /// Now in one session, before in two.
    pub together: Vec<(ItemNo, ItemNo)>,
    /// Counted in both sessions, which are only one.
    pub twice: Vec<(ItemNo, ItemNo)>,
}

impl Session {
    fn new(time: Timestamp) -> Self {
        Self {
            first: time,
            last: time,
            events: 0,
            viewed: Vec::new(),
        }
    }

    fn reaches(&self, time: Timestamp) -> bool {
        time.millis() - self.last.millis() < GAP_MILLIS
            && self.first.millis() - time.millis() < GAP_MILLIS
    }

    fn extend(&mut self, time: Timestamp) {
        self.first = self.first.min(time);
        self.last = self.last.max(time);
    }

    /// From its first event to its last.
    pub fn millis(&self) -> u64 {
        self.last.millis().abs_diff(self.first.millis())
    }

    /// Takes over the events of another session.
    fn join(&mut self, other: Self) -> Joined {
        let mut joined = Joined::default();
        let known = self.viewed.len();
        for &item in &other.viewed {
            let own = self.viewed[..known].contains(&item);
            for &mine in &self.viewed[..known] {
                match (own, other.viewed.contains(&mine)) {
                    (false, false) => joined.together.push((mine, item)),
                    // Each such pair is met from both its ends.
                    (true, true) if mine < item => joined.twice.push((mine, item)),
                    _ => {}
                }
            }
            if !own {
                self.viewed.push(item);
            }
        }
        let surplus = self.viewed.len().saturating_sub(ITEMS);
        self.viewed.drain(..surplus);
        self.extend(other.first);
        self.extend(other.last);
        self.events = self.events.saturating_add(other.events);
        joined
    }
}

impl Sessions {
    /// Finds or opens the session of an event and makes it the last touched. Where the event joins two sessions,
    /// what that means for their pairs is returned.
    pub fn touch(&mut self, time: Timestamp) -> Option<Joined> {
        let found = self.open.iter().rposition(|session| session.reaches(time));
        let mut session = match found {
            Some(at) => self.open.remove(at),
            None => {
                if self.open.len() == OPEN {
                    self.open.remove(0);
                }
                self.totals.count += 1;
                Session::new(time)
            }
        };
        let mut before = session.millis();
        session.extend(time);
        session.events = session.events.saturating_add(1);
        let neighbour = self
            .open
            .iter()
            .rposition(|other| other.reaches(session.first) || other.reaches(session.last));
        let joined = neighbour.map(|at| {
            let other = self.open.remove(at);
            before = before.saturating_add(other.millis());
            self.totals.count = self.totals.count.saturating_sub(1);
            session.join(other)
        });
        // Saturating, as what was read from a disk may say anything.
        let longer = session.millis().saturating_sub(before);
        self.totals.millis = self.totals.millis.saturating_add(longer);
        self.open.push(session);
        joined
    }

    /// Notes a viewed item in the session touched last; gives the others in it, each of which was now viewed in one
    /// session more with this one.
    pub fn view(&mut self, item: ItemNo) -> &[ItemNo] {
        let Some(session) = self.open.last_mut() else {
            return &[];
        };
        if session.viewed.contains(&item) {
            return &[];
        }
        if session.viewed.len() == ITEMS {
            session.viewed.remove(0);
        }
        session.viewed.push(item);
        &session.viewed[..session.viewed.len() - 1]
    }

    pub fn totals(&self) -> SessionTotals {
        self.totals
    }

    /// The session with the latest event.
    pub fn newest(&self) -> Option<&Session> {
        self.open.iter().max_by_key(|session| session.last)
    }

    pub fn largest_number(&self) -> Option<ItemNo> {
        self.open
            .iter()
            .flat_map(|session| &session.viewed)
            .copied()
            .max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(minute: i64) -> Timestamp {
        Timestamp::from_millis(minute * 60_000)
    }

    /// Views the item of each minute; gives the sessions and all joins.
    fn viewed(views: &[(i64, ItemNo)]) -> (Sessions, Vec<Joined>) {
        let mut sessions = Sessions::default();
        let mut joins = Vec::new();
        for &(at, item) in views {
            joins.extend(sessions.touch(minute(at)));
            sessions.view(item);
        }
        (sessions, joins)
    }

    #[test]
    fn a_gap_of_thirty_minutes_ends_a_session() {
        let (sessions, joins) = viewed(&[(0, 1), (29, 2), (58, 3), (88, 4)]);
        assert!(joins.is_empty());
        assert_eq!(
            sessions.totals(),
            SessionTotals {
                count: 2,
                millis: 58 * 60_000
            }
        );
        let newest = sessions.newest().unwrap();
        assert_eq!((newest.first, &newest.viewed[..]), (minute(88), &[4][..]));
    }

    #[test]
    fn a_late_event_joins_two_sessions() {
        let (sessions, joins) =
            viewed(&[(0, 1), (1, 2), (1, 3), (50, 2), (51, 3), (52, 4), (25, 5)]);
        let [joined] = &joins[..] else {
            panic!("one join, not {}", joins.len());
        };
        let mut together = joined.together.clone();
        for pair in &mut together {
            *pair = (pair.0.min(pair.1), pair.0.max(pair.1));
        }
        assert_eq!((together, &joined.twice[..]), (vec![(1, 4)], &[(2, 3)][..]));
        assert_eq!(
            sessions.totals(),
            SessionTotals {
                count: 1,
                millis: 52 * 60_000
            }
        );
        let mut all = sessions.newest().unwrap().viewed.clone();
        all.sort_unstable();
        assert_eq!(all, [1, 2, 3, 4, 5]);
        assert_eq!(sessions.newest().unwrap().events, 7);
    }

    #[test]
    fn an_event_in_between_that_reaches_one_side_only_joins_nothing() {
        let (sessions, joins) = viewed(&[(0, 1), (70, 2), (20, 3)]);
        assert!(joins.is_empty());
        assert_eq!(sessions.totals().count, 2);
        assert_eq!(sessions.newest().unwrap().viewed, [2]);
    }

    #[test]
    fn sessions_and_their_items_are_bounded() {
        let mut sessions = Sessions::default();
        for step in 0..100 {
            sessions.touch(minute(step));
            assert!(sessions.view(step as u32).len() < ITEMS);
        }
        assert_eq!(sessions.newest().unwrap().viewed.first(), Some(&50));
        for step in 1..20 {
            sessions.touch(minute(step * 10_000));
        }
        assert_eq!(sessions.open.len(), OPEN);
        assert_eq!(sessions.totals().count, 20);
    }
}
