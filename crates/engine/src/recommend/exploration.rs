//! Exploration: a few places go to new items, so that they can become known.
//!
//! New are items among the last to come into the catalogue that shoppers have hardly done
//! anything with. Of every so many places one is theirs, never the first. Which place and
//! which item follows from the shopper and the day, so that one shopper sees the same list
//! all day and each new item meets some shoppers.

use super::candidate::{Candidate, Item, Passed};
use super::gate::Gate;
use crate::snapshot::{IndexReader, IndexState};
use lexical::{Place, QueryError};
use profiles::{ItemStats, Profiles};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// How far back in the catalogue new items are looked for.
const LAST_COME: u64 = 1_000;
/// Something was done with an item so often: it is new no more.
const KNOWN: u64 = 10;
/// Items that are drawn from, those of the shopper's categories first.
const DRAWN: usize = 50;

/// Puts new items among those that passed. `seed` is of the shopper and the day.
pub(super) fn explore(
    passed: &mut Vec<Passed>,
    new: Vec<String>,
    gate: &Gate<'_>,
    (share, seed): (f64, u64),
) -> Result<usize, QueryError> {
    if share <= 0.0 {
        return Ok(0);
    }
    let every = (1.0 / share).round().max(2.0) as usize;
    let mut new = new.into_iter();
    let mut put = 0;
    for block in 0.. {
        // Never the first of its block, so never the first of all.
        let drawn = xxh3_64_with_seed(&(block as u64).to_le_bytes(), seed) as usize;
        let at = block * every + 1 + drawn % (every - 1);
        if at > passed.len() {
            break;
        }
        let Some(item) = next(&mut new, passed, gate)? else {
            break;
        };
        let score = passed
            .get(at - 1)
            .map_or(0.0, |before| before.candidate.score);
        let (id, place) = item;
        let candidate = Candidate::whole(Item::Id(id.clone()), "exploration", score);
        passed.insert(
            at,
            Passed {
                id,
                place,
                candidate,
            },
        );
        put += 1;
    }
    Ok(put)
}

/// The next new item that may be shown and is not there already.
fn next(
    new: &mut impl Iterator<Item = String>,
    passed: &[Passed],
    gate: &Gate<'_>,
) -> Result<Option<(String, Place)>, QueryError> {
    for id in new {
        if passed.iter().any(|item| item.id == id) {
            continue;
        }
        if let Some(place) = gate.place(&id)? {
            return Ok(Some((id, place)));
        }
    }
    Ok(None)
}

impl IndexReader {
    /// New items in the order in which this shopper is to see them.
    pub(super) fn new_items(
        &self,
        profiles: &Profiles,
        seed: u64,
        liking: impl Fn(&str) -> Result<f64, QueryError>,
    ) -> Result<Vec<String>, QueryError> {
        let mut drawn = Vec::new();
        for id in self.state.last_come()? {
            let is_new = profiles.item(id).is_none_or(|stats| done(stats) < KNOWN);
            if is_new {
                drawn.push((xxh3_64_with_seed(id.as_bytes(), seed), id));
            }
        }
        drawn.sort_unstable();
        drawn.truncate(DRAWN);
        let mut ranked = Vec::with_capacity(drawn.len());
        for (_, id) in drawn {
            ranked.push((liking(id)?, id.clone()));
        }
        // Stable, so that chance decides among those that are liked equally.
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
        Ok(ranked.into_iter().map(|(_, id)| id).collect())
    }
}

/// How often something was done with an item.
fn done(stats: &ItemStats) -> u64 {
    stats.views + stats.clicks + stats.carts + stats.purchases
}

impl IndexState {
    /// The ids of the items that came last, the newest first.
    fn last_come(&self) -> Result<&[String], QueryError> {
        if let Some(known) = self.last_come.get() {
            return Ok(known);
        }
        let mut ids = Vec::new();
        let end = self.meta.next_order;
        for number in (end.saturating_sub(LAST_COME)..end).rev() {
            ids.extend(self.words.id_of_number(number)?);
        }
        Ok(self.last_come.get_or_init(|| ids))
    }
}
