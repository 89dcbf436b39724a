//! How a shadow does beside the live model, counted while shoppers go on.
//!
//! Of some requests the trial keeps which items either model had first. The next thing that the
//! shopper does with another item is a case: the model that had the item further up has won it.

use super::{ModelEntry, files};
use crate::shared::now;
use domain::{Event, EventKind, Timestamp};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::path::PathBuf;
use xxhash_rust::xxh3::xxh3_64;

/// Items of a ranking that are kept. A case whose item neither model has among them is a tie.
pub(crate) const FIRST: usize = 100;
/// Items of which is told how many both models have.
const AGREEING: usize = 10;
/// Shoppers whose next event is waited for: half of them at most are dropped at once, those
/// that wait longest. Each takes some 2 kB.
const SHOPPERS: usize = 10_000;

/// What a shadow did beside the live model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// The live model it was compared with.
    pub beside: String,
    pub since: Timestamp,
    /// Requests that both ranked.
    pub requests: u64,
    /// The mean share of the first ten items that both have.
    pub agreement: f64,
    /// Times that a shopper acted on an item after such a request.
    pub cases: u64,
    /// Cases whose item the shadow had further up.
    pub wins: u64,
    pub ties: u64,
    pub losses: u64,
    /// Mean reciprocal rank of the items of all cases, by the shadow and by the live model.
    pub mrr: f64,
    pub live_mrr: f64,
}

/// What two models ranked for one request: their first items, as hashes of the ids.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Look {
    pub live: Vec<u64>,
    pub shadow: Vec<u64>,
    /// The item that the shopper had to do with last: going on with it is no case.
    pub last: Option<u64>,
}

/// The trial of the shadow of an index, if there is one.
#[derive(Default)]
pub(crate) struct Trial(Mutex<Option<Running>>);

struct Running {
    shadow: String,
    /// Where the numbers are kept.
    folder: PathBuf,
    /// Nothing before the first request.
    comparison: Option<Comparison>,
    is_saved: bool,
    /// By shopper, who is there once at most; the second holds those that wait longer.
    looks: [FxHashMap<Box<str>, Look>; 2],
}

impl Comparison {
    fn begun(beside: &str) -> Self {
        Self {
            beside: beside.to_owned(),
            since: now(),
            requests: 0,
            agreement: 0.0,
            cases: 0,
            wins: 0,
            ties: 0,
            losses: 0,
            mrr: 0.0,
            live_mrr: 0.0,
        }
    }

    /// As a section of a model's card.
    pub(super) fn for_people(&self) -> String {
        format!(
            "\n## As a shadow\n\nBeside {} since {}, {} requests. Of the first {AGREEING} items both models had {:.0} %.\n\nOf {} items that shoppers turned to afterwards this model had {} further up, {} were ties, {} further down. Mean reciprocal rank {:.4}, that of {} {:.4}. Shoppers saw the answers of {} only, which helps it here.\n",
            self.beside,
            self.since,
            self.requests,
            100.0 * self.agreement,
            self.cases,
            self.wins,
            self.ties,
            self.losses,
            self.mrr,
            self.beside,
            self.live_mrr,
            self.beside,
        )
    }

    fn add_request(&mut self, look: &Look) {
        let first = |items: &[u64]| items.iter().take(AGREEING).copied().collect::<Vec<_>>();
        let (live, shadow) = (first(&look.live), first(&look.shadow));
        let both = shadow.iter().filter(|item| live.contains(item)).count();
        let most = live.len().max(shadow.len()).max(1);
        self.requests += 1;
        move_mean(
            &mut self.agreement,
            both as f64 / most as f64,
            self.requests,
        );
    }

    fn add_case(&mut self, look: &Look, item: u64) {
        let rank = |items: &[u64]| items.iter().position(|&other| other == item);
        let worth = |rank: Option<usize>| rank.map_or(0.0, |rank| 1.0 / (rank + 1) as f64);
        let (live, shadow) = (worth(rank(&look.live)), worth(rank(&look.shadow)));
        self.cases += 1;
        match shadow.total_cmp(&live) {
            Ordering::Greater => self.wins += 1,
            Ordering::Equal => self.ties += 1,
            Ordering::Less => self.losses += 1,
        }
        move_mean(&mut self.mrr, shadow, self.cases);
        move_mean(&mut self.live_mrr, live, self.cases);
    }
}

/// The mean of `count` values of which this is the last.
fn move_mean(mean: &mut f64, value: f64, count: u64) {
    *mean += (value - *mean) / count as f64;
}

impl Trial {
    /// Goes on with the shadow whose files are in this folder, from the numbers that are kept;
    /// nothing changes where it is being tried already.
    pub fn begin(&self, shadow: &str, folder: PathBuf) {
        let mut running = self.0.lock();
        if running.as_ref().is_some_and(|it| it.shadow == shadow) {
            return;
        }
        *running = Some(Running {
            shadow: shadow.to_owned(),
            comparison: files::comparison(&folder),
            folder,
            is_saved: true,
            looks: Default::default(),
        });
    }

    pub fn end(&self) {
        *self.0.lock() = None;
    }

    /// Puts the numbers of now into the entry of the shadow; another is left as it is.
    pub fn tell(&self, entry: &mut ModelEntry) {
        if let Some(comparison) = self.comparison(&entry.id) {
            entry.comparison = Some(comparison);
        }
    }

    /// The numbers of a shadow; `None` before the first request.
    fn comparison(&self, shadow: &str) -> Option<Comparison> {
        let running = self.0.lock();
        let running = running.as_ref().filter(|it| it.shadow == shadow)?;
        running.comparison.clone()
    }

    /// What both models ranked for a shopper. Beside another live model the count starts anew.
    pub fn add(&self, (shadow, live): (&str, &str), user: &str, look: Look) {
        let mut running = self.0.lock();
        let Some(running) = running.as_mut().filter(|it| it.shadow == shadow) else {
            return;
        };
        let known = running.comparison.take().filter(|it| it.beside == live);
        let comparison = running.comparison.insert(match known {
            Some(known) => known,
            None => {
                running.looks = Default::default();
                Comparison::begun(live)
            }
        });
        comparison.add_request(&look);
        running.is_saved = false;
        let [newer, older] = &mut running.looks;
        older.remove(user);
        newer.insert(user.into(), look);
        if newer.len() >= SHOPPERS / 2 {
            *older = std::mem::take(newer);
        }
    }

    /// What shoppers did: the first event of each that says something makes a case.
    pub fn judge(&self, events: &[Event]) {
        let mut running = self.0.lock();
        let Some(running) = running.as_mut() else {
            return;
        };
        let Some(comparison) = &mut running.comparison else {
            return;
        };
        for event in events.iter().filter(|event| is_choice(event)) {
            let Some(item) = event.item.as_ref().map(|item| hash_of(item.as_str())) else {
                continue;
            };
            let user = event.user.as_str();
            for looks in &mut running.looks {
                if looks.get(user).is_some_and(|look| look.last != Some(item))
                    && let Some(look) = looks.remove(user)
                {
                    comparison.add_case(&look, item);
                    running.is_saved = false;
                }
            }
        }
    }

    /// Forgets what waits for a shopper.
    pub fn forget(&self, user: &str) {
        if let Some(running) = self.0.lock().as_mut() {
            running.looks.iter_mut().for_each(|looks| {
                looks.remove(user);
            });
        }
    }

    /// Keeps the numbers, so that a restart goes on from them.
    pub fn save(&self) {
        let unsaved = match self.0.lock().as_mut() {
            Some(running) if !running.is_saved => {
                running.is_saved = true;
                (running.folder.clone(), running.comparison.clone())
            }
            _ => return,
        };
        let (folder, Some(comparison)) = unsaved else {
            return;
        };
        // The next checkpoint tries again; a crash before costs these numbers only.
        if let Err(err) = files::keep_comparison(&folder, &comparison) {
            tracing::warn!(
                error = &err as &dyn std::error::Error,
                "the numbers of the shadow were not kept"
            );
            if let Some(running) = self.0.lock().as_mut() {
                running.is_saved = false;
            }
        }
    }
}

/// By which items are told apart here.
pub(crate) fn hash_of(id: &str) -> u64 {
    xxh3_64(id.as_bytes())
}

/// Whether the shopper turned to the item.
fn is_choice(event: &Event) -> bool {
    match event.kind {
        EventKind::View | EventKind::Click | EventKind::Cart | EventKind::Like => true,
        // What is sent back has a quantity below 0.
        EventKind::Purchase => event.quantity.is_none_or(|quantity| quantity > 0.0),
        EventKind::Dislike | EventKind::Rate | EventKind::Search => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{ItemId, UserId};
    use std::path::Path;

    fn look(live: &[&str], shadow: &[&str], last: Option<&str>) -> Look {
        let hashes = |ids: &[&str]| ids.iter().map(|id| hash_of(id)).collect();
        Look {
            live: hashes(live),
            shadow: hashes(shadow),
            last: last.map(hash_of),
        }
    }

    fn event(user: &str, kind: EventKind, item: &str) -> Event {
        Event {
            id: None,
            user: UserId::new(user).expect("a user"),
            kind,
            item: Some(ItemId::new(item).expect("an item")),
            query: None,
            time: Timestamp::from_millis(1),
            value: None,
            price: None,
            quantity: None,
            basket: None,
            query_id: None,
        }
    }

    fn running(folder: &Path) -> Trial {
        let trial = Trial::default();
        trial.begin("b", folder.to_owned());
        trial
    }

    #[test]
    fn the_next_other_item_decides_a_case_and_only_once() {
        let dir = tempfile::tempdir().expect("a folder");
        let trial = running(dir.path());
        let pair = ("b", "a");
        trial.add(pair, "ann", look(&["x", "y", "z"], &["y", "x"], Some("x")));
        trial.add(pair, "ben", look(&["x", "y"], &["y", "x"], None));
        trial.add(pair, "cid", look(&["x"], &["y"], None));
        trial.judge(&[
            event("ann", EventKind::Purchase, "x"),
            event("ann", EventKind::Dislike, "z"),
            event("ann", EventKind::View, "y"),
            event("ann", EventKind::View, "z"),
            event("ben", EventKind::Cart, "x"),
            event("cid", EventKind::Click, "q"),
            event("dan", EventKind::Click, "x"),
        ]);
        let found = trial.comparison("b").expect("numbers");
        assert_eq!((found.requests, found.cases), (3, 3));
        assert_eq!((found.wins, found.ties, found.losses), (1, 1, 1));
        assert!((found.mrr - 0.5).abs() < 1e-9, "{found:?}");
        assert!((found.live_mrr - 0.5).abs() < 1e-9, "{found:?}");
        // Two of three, two of two, none of one.
        assert!((found.agreement - (2.0 / 3.0 + 1.0) / 3.0).abs() < 1e-9);
    }

    #[test]
    fn numbers_are_kept_and_start_anew_beside_another_model() {
        let dir = tempfile::tempdir().expect("a folder");
        let trial = running(dir.path());
        trial.add(("b", "a"), "ann", look(&["x"], &["x"], None));
        trial.judge(&[event("ann", EventKind::View, "x")]);
        trial.save();
        let before = trial.comparison("b");
        let trial = running(dir.path());
        assert_eq!(trial.comparison("b"), before);

        trial.add(("c", "a"), "ann", look(&["x"], &["x"], None));
        assert_eq!(trial.comparison("b"), before, "another shadow's look");
        trial.add(("b", "other"), "ann", look(&["x"], &["y"], None));
        let found = trial.comparison("b").expect("numbers");
        assert_eq!((found.beside.as_str(), found.requests), ("other", 1));
        trial.forget("ann");
        trial.judge(&[event("ann", EventKind::View, "x")]);
        assert_eq!(trial.comparison("b").expect("numbers").cases, 0);
        trial.end();
        assert_eq!(trial.comparison("b"), None);

        std::fs::write(dir.path().join("comparison.json"), "{").expect("written");
        assert_eq!(running(dir.path()).comparison("b"), None);
    }

    #[test]
    fn no_more_shoppers_wait_than_there_is_room_for() {
        let dir = tempfile::tempdir().expect("a folder");
        let trial = running(dir.path());
        for shopper in 0..3 * SHOPPERS {
            trial.add(("b", "a"), &shopper.to_string(), Look::default());
        }
        let running = trial.0.lock();
        let looks = &running.as_ref().expect("a trial").looks;
        assert!(looks[0].len() + looks[1].len() <= SHOPPERS);
        assert!(looks[1].contains_key(&*(3 * SHOPPERS - 1).to_string()));
    }
}
