//! What comes next for a shopper, counted: several sources as one score.
//!
//! Each source is divided by its largest score and weighed, and the sum is multiplied by how
//! current the item is:
//!
//! ```text
//! score = current · (SEQUENCE · what follows the history (PCTM)
//!                    + TOGETHER · what is bought with the items of the history
//!                    + POPULAR · what is popular
//!                    + OWNED · what the shopper bought, where that may come back)
//! ```
//!
//! The weights were chosen on the purchases of a gift shop before the period that is
//! measured; see `docs/how-ranking-works.md`.

use super::candidate::{Candidate, Item, Part};
use super::given::Given;
use super::lists::Lists;
use super::request::{RecommendRequest, SourceReport};
use super::together::{BOUGHT, Together};
use profiles::{ItemNo, Profiles};
use rustc_hash::FxHashMap;

const SEQUENCE: f64 = 0.1;
const TOGETHER: f64 = 1.0;
const POPULAR: f64 = 0.05;
const OWNED: f64 = 2.0;
/// Items of the history that others are counted with, those of the most interest.
const HISTORY: usize = 100;

/// See the module documentation.
pub(super) struct Mixture {
    together: Together,
    /// The best first.
    ranked: Vec<Mixed>,
    reports: [SourceReport; 2],
    sequence: f64,
    bought: f64,
}

/// One item with what each source adds to its score.
struct Mixed {
    item: ItemNo,
    current: f64,
    sequence: f64,
    together: f64,
    popular: f64,
    owned: f64,
}

impl Mixed {
    fn score(&self) -> f64 {
        self.current * (self.sequence + self.together + self.popular + self.owned)
    }

    /// What gave the most.
    fn source(&self) -> &'static str {
        if self.owned > self.sequence.max(self.together) {
            "owned"
        } else if self.sequence >= self.together {
            "sequence"
        } else {
            "bought-with"
        }
    }
}

impl Mixture {
    /// Of what the counted model says and what else is counted.
    pub fn new(
        request: &RecommendRequest,
        given: &Given,
        spoken: Vec<(ItemNo, f32)>,
        profiles: &Profiles,
        lists: &Lists,
    ) -> Self {
        let together = Together::new(BOUGHT, history(given));
        let bought = together.scores(profiles);
        let owned: Vec<(ItemNo, f64)> = match request.owned {
            true => given.interests.clone(),
            false => Vec::new(),
        };
        let reports = [
            SourceReport::of("bought-with", bought.len()),
            SourceReport::of("owned", owned.len()),
        ];
        let sequence = SEQUENCE / largest(spoken.iter().map(|&(_, score)| f64::from(score)));
        let scale = TOGETHER / largest(bought.iter().map(|&(_, score)| score));
        let habit = OWNED / largest(owned.iter().map(|&(_, weight)| weight));
        let mut mixed: FxHashMap<ItemNo, Mixed> = FxHashMap::default();
        let mut at = |item: ItemNo, add: &dyn Fn(&mut Mixed)| {
            add(mixed.entry(item).or_insert_with(|| Mixed {
                item,
                current: lists.current(item),
                sequence: 0.0,
                together: 0.0,
                popular: POPULAR * lists.popularity(item),
                owned: 0.0,
            }));
        };
        for (item, score) in spoken {
            at(item, &|mixed| mixed.sequence = sequence * f64::from(score));
        }
        for (item, score) in bought {
            at(item, &|mixed| mixed.together = scale * score);
        }
        for (item, weight) in owned {
            at(item, &|mixed| mixed.owned = habit * weight);
        }
        let mut ranked: Vec<Mixed> = mixed.into_values().collect();
        ranked.sort_unstable_by(|a, b| b.score().total_cmp(&a.score()).then(a.item.cmp(&b.item)));
        Self {
            together,
            ranked,
            reports,
            sequence,
            bought: scale,
        }
    }

    /// What the sources gave.
    pub fn reports(&self) -> impl Iterator<Item = SourceReport> + '_ {
        let has_any = |report: &&SourceReport| report.candidates > 0;
        self.reports.iter().filter(has_any).cloned()
    }

    /// The items, the best first.
    pub fn candidates(&self) -> Vec<Candidate> {
        let candidate = |mixed: &Mixed| Candidate {
            item: Item::Number(mixed.item),
            score: mixed.score(),
            source: mixed.source(),
            parts: Vec::new(),
            modelled: true,
        };
        self.ranked.iter().map(candidate).collect()
    }

    /// The addends of an item; `next` are those of the counted model.
    pub fn parts(&self, profiles: &Profiles, item: ItemNo, next: Vec<Part>) -> Vec<Part> {
        let Some(mixed) = self.ranked.iter().find(|mixed| mixed.item == item) else {
            return Vec::new();
        };
        let current = mixed.current;
        let scaled = |parts: Vec<Part>, scale: f64| {
            parts.into_iter().map(move |part| Part {
                value: part.value * scale * current,
                ..part
            })
        };
        let mut parts = Vec::new();
        // What the model has no counts for it was not asked about.
        if mixed.sequence > 0.0 {
            parts.extend(scaled(next, self.sequence));
        }
        parts.extend(scaled(self.together.parts(profiles, item), self.bought));
        for (because, value) in [("popular", mixed.popular), ("owned", mixed.owned)] {
            if value > 0.0 {
                parts.push(Part::new(because, value * current));
            }
        }
        parts
    }
}

/// The items of the history with how much each counts, 1 at most; those in hand count 1.
fn history(given: &Given) -> Vec<(ItemNo, f64)> {
    let most = largest(given.interests.iter().map(|&(_, weight)| weight));
    let mut history: Vec<(ItemNo, f64)> = Vec::new();
    let in_hand = given.items.iter().rev();
    for &item in in_hand.filter(|_| given.is_named || given.interests.is_empty()) {
        if history.iter().all(|(known, _)| *known != item) {
            history.push((item, 1.0));
        }
    }
    for &(item, weight) in given.interests.iter().take(HISTORY) {
        if history.iter().all(|(known, _)| *known != item) {
            history.push((item, weight / most));
        }
    }
    history
}

/// The largest of these; 1 when none is above 0.
fn largest(scores: impl Iterator<Item = f64>) -> f64 {
    let largest = scores.fold(0.0, f64::max);
    if largest > 0.0 { largest } else { 1.0 }
}
