//! Recommendations: who is asked for, what is hidden, which source answers.
//!
//! A request is answered in three steps. Under the profiles' lock the shopper's history
//! and the lists of the sources are copied; without it the model scores; then the best
//! candidates pass the gate (in the catalogue, through the filter, not hidden) until
//! enough are found. Equal scores are ordered by item number, which is the order of
//! first sight.

use crate::EngineError;
use crate::allowed::check_filterable;
use crate::freshness::{self, Aging};
use crate::next_item::{Blended, NextItem, Past};
use crate::recommend::{
    Reason, RecommendKind, RecommendRequest, Recommendation, Recommendations, SourceReport,
};
use crate::shelf::{LiveAffinity, PastEvent};
use crate::snapshot::IndexReader;
use crate::training::pieces;
use domain::{EventKind, ItemId, Score, Timestamp};
use lexical::{ItemSet, QueryError, Words};
use profiles::{ItemNo, Profiles, Shopper};
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::Cell;
use std::sync::Arc;

/// Paging reaches this many items, or to the end of the page asked for.
const REACH: usize = 200;
/// Co-purchases are shrunk by count / (count + this): one shared basket proves little.
const SHRINK: f64 = 3.0;
/// Candidates that are ordered anew by their age, the best.
const AGED: usize = 500;

/// An item a source proposes, with what its score is made of.
pub(crate) struct Candidate {
    pub item: Item,
    pub score: f64,
    pub source: &'static str,
    /// Empty where a model made the score; the model tells them.
    pub parts: Vec<Part>,
}

/// Which item: its number among those that events have named, or its place in the catalogue
/// of the live model, for one that nobody has done anything with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Item {
    Number(ItemNo),
    Place(u32),
}

/// An addend of a score: what it rests on, and the item it is about, if one.
pub(crate) type Part = (&'static str, Option<ItemNo>, f64);

/// What the sources need, copied from the profiles.
#[derive(Default)]
struct Inputs {
    past: Past,
    candidates: Vec<Candidate>,
    popular: Vec<(ItemNo, f64)>,
}

/// What the scores of candidates rest on.
struct Sources {
    models: NextItem,
    past: Past,
    blended: Blended,
}

impl Sources {
    fn id<'a>(&'a self, profiles: &'a Profiles, item: Item) -> &'a str {
        match (item, &self.models.live) {
            (Item::Number(no), _) => profiles.item_id(no),
            (Item::Place(place), Some(live)) => live.item_id(place),
            // Only a live model gives places.
            (Item::Place(_), None) => "",
        }
    }

    fn reasons(&self, profiles: &Profiles, candidate: &Candidate) -> Vec<Reason> {
        if candidate.source != "sequence" {
            return reasons(profiles, &candidate.parts);
        }
        self.models
            .reasons(profiles, candidate.item, &self.past, &self.blended)
    }
}

/// Decides what may be shown.
struct Gate<'a> {
    words: &'a Words,
    filter: Option<ItemSet>,
    hidden: FxHashSet<String>,
    /// The items that suit the shopper, where the shop has set which do.
    suited: Option<ItemSet>,
    /// How many did not.
    unsuited: Cell<usize>,
}

impl Gate<'_> {
    fn lets_pass(&self, item: &str) -> Result<bool, QueryError> {
        if self.hidden.contains(item) {
            return Ok(false);
        }
        let passes = match &self.filter {
            Some(set) => set.contains(item)?,
            None => self.words.contains(item)?,
        };
        match &self.suited {
            Some(suited) if passes && !suited.contains(item)? => {
                self.unsuited.set(self.unsuited.get() + 1);
                Ok(false)
            }
            _ => Ok(passes),
        }
    }
}

impl IndexReader {
    /// Answers one recommendation request.
    pub fn recommend(&self, request: &RecommendRequest) -> Result<Recommendations, EngineError> {
        check_fields(request)?;
        let filter = match &request.filter {
            Some(filter) => {
                check_filterable(&self.state.meta, filter)?;
                Some(self.state.words.filter_set(filter)?)
            }
            None => None,
        };
        let mut gate = Gate {
            words: &self.state.words,
            filter,
            hidden: asked_hidden(request),
            suited: None,
            unsuited: Cell::new(0),
        };
        let suited = self.suited(request.user.as_ref())?;
        if let Some(suited) = &suited {
            gate.suited = Some(self.state.words.filter_set(&suited.filter())?);
        }
        let behaviour = &self.state.behaviour;
        // Taken once: an answer is of one model, whatever becomes live meanwhile.
        let models = NextItem {
            counted: behaviour.model(),
            live: behaviour.shelf.live(),
        };
        let inputs = self.inputs(request, models.live.as_ref(), &mut gate.hidden);
        let mut trace = Vec::new();
        let mut blended = Blended::default();
        let mut candidates = inputs.candidates;
        if matches!(request.kind, RecommendKind::ForYou | RecommendKind::Session) {
            (candidates, blended) =
                models.candidates(behaviour, &inputs.past, inputs.popular, &mut trace);
        } else {
            trace.push(report(request.kind.as_str(), candidates.len()));
        }
        let sources = Sources {
            models,
            past: inputs.past,
            blended,
        };
        let mut answer = self.slate(request, &gate, candidates, &sources, trace)?;
        answer.suited = suited;
        Ok(answer)
    }

    /// Copies what this kind needs from the profiles and hides what it must not show.
    fn inputs(
        &self,
        request: &RecommendRequest,
        live: Option<&Arc<LiveAffinity>>,
        hidden: &mut FxHashSet<String>,
    ) -> Inputs {
        let profiles = self.state.behaviour.profiles();
        // The shop's own clock: the newest event, so that an old log is judged as of its end.
        let now = profiles.newest().unwrap_or(Timestamp::from_millis(0));
        let shopper = request
            .user
            .as_ref()
            .and_then(|user| profiles.shopper(user.as_str()));
        if let Some(shopper) = shopper {
            hide(hidden, &profiles, shopper.disliked());
        }
        let mut inputs = Inputs::default();
        match request.kind {
            RecommendKind::ForYou => {
                if let Some(shopper) = shopper {
                    inputs.past = past(&profiles, shopper, live);
                    hide(hidden, &profiles, bought(shopper, now));
                }
                inputs.popular = profiles.popular(now);
            }
            RecommendKind::Session => {
                inputs.past = session(&profiles, &request.items, live);
                inputs.popular = profiles.popular(now);
            }
            RecommendKind::BoughtWith => inputs.candidates = bought_with(&profiles, &request.items),
            RecommendKind::Basket => {
                let basket = if request.basket.is_empty() {
                    &request.items
                } else {
                    &request.basket
                };
                inputs.candidates = bought_with(&profiles, basket);
            }
            RecommendKind::Trending => {
                inputs.candidates = scored("trending", profiles.trending(now));
            }
            RecommendKind::Popular => inputs.candidates = scored("popular", profiles.popular(now)),
            RecommendKind::BuyAgain => {
                let due = shopper
                    .map(|shopper| shopper.reorder(now))
                    .unwrap_or_default();
                let due = due
                    .into_iter()
                    .map(|reorder| (reorder.item, reorder.due_score));
                inputs.candidates = scored("buy-again", due.collect());
            }
            RecommendKind::RecentlyViewed => {
                inputs.candidates = shopper.map(recently_viewed).unwrap_or_default();
            }
        }
        inputs
    }

    /// The page of candidates that pass the gate, with their documents.
    fn slate(
        &self,
        request: &RecommendRequest,
        gate: &Gate,
        candidates: Vec<Candidate>,
        sources: &Sources,
        trace: Vec<SourceReport>,
    ) -> Result<Recommendations, EngineError> {
        let end = request.offset.saturating_add(request.limit);
        let now = self.state.behaviour.profiles().newest();
        let aging = now.and_then(|now| self.aging(now));
        let reach = match aging {
            Some(_) => end.max(AGED),
            None => end.max(REACH),
        };
        let mut passed = Vec::new();
        {
            let profiles = self.state.behaviour.profiles();
            for candidate in candidates {
                let id = sources.id(&profiles, candidate.item);
                if gate.lets_pass(id)? {
                    let id = id.to_owned();
                    let reasons = match request.explain {
                        true => sources.reasons(&profiles, &candidate),
                        false => Vec::new(),
                    };
                    passed.push((id, candidate, reasons));
                    if passed.len() == reach {
                        break;
                    }
                }
            }
        }
        if let Some(aging) = aging {
            age(&mut passed, &aging, request.explain)?;
        }
        let total = passed.len();
        let mut hits = Vec::new();
        for (id, candidate, reasons) in passed.into_iter().skip(request.offset).take(request.limit)
        {
            let Some(document) = self.displayed(&id)? else {
                continue;
            };
            hits.push(Recommendation {
                item: ItemId::new(id)?,
                document,
                score: Score::new(candidate.score as f32),
                source: candidate.source,
                reasons,
            });
        }
        let live = sources.models.live.as_ref();
        let live = live.filter(|_| sources.blended.has_spoken());
        Ok(Recommendations {
            hits,
            total,
            trace,
            suited: None,
            unsuited: gate.unsuited.get(),
            model: live.map(|live| live.id.clone()),
        })
    }
}

/// Orders candidates anew by their score and their age.
fn age(
    passed: &mut [(String, Candidate, Vec<Reason>)],
    aging: &Aging<'_>,
    explain: bool,
) -> Result<(), EngineError> {
    let floor = freshness::floor(passed.iter().map(|(_, candidate, _)| candidate.score));
    for (id, candidate, reasons) in passed.iter_mut() {
        let value = (floor - candidate.score) * aging.lost(id)?;
        candidate.score += value;
        if explain {
            reasons.push(Reason {
                because: "freshness",
                item: None,
                value,
            });
        }
    }
    // Stable, so that equal scores stay in the order they had.
    passed.sort_by(|a, b| b.1.score.total_cmp(&a.1.score));
    Ok(())
}

fn check_fields(request: &RecommendRequest) -> Result<(), EngineError> {
    let kind = request.kind.as_str();
    let missing = |field| Err(EngineError::Missing { kind, field });
    match request.kind {
        RecommendKind::BuyAgain | RecommendKind::RecentlyViewed if request.user.is_none() => {
            missing("userId")
        }
        RecommendKind::BoughtWith | RecommendKind::Session if request.items.is_empty() => {
            missing("itemId")
        }
        RecommendKind::Basket if request.basket.is_empty() && request.items.is_empty() => {
            missing("basket")
        }
        _ => Ok(()),
    }
}

/// Never shown: what the request excludes, and what is in front of the shopper already.
fn asked_hidden(request: &RecommendRequest) -> FxHashSet<String> {
    let lists = [&request.exclude, &request.items, &request.basket];
    lists
        .into_iter()
        .flatten()
        .map(|item| item.as_str().to_owned())
        .collect()
}

fn hide(hidden: &mut FxHashSet<String>, profiles: &Profiles, items: Vec<ItemNo>) {
    hidden.extend(
        items
            .into_iter()
            .map(|item| profiles.item_id(item).to_owned()),
    );
}

/// What a shopper did, the oldest first, as far as the models know it.
fn past(profiles: &Profiles, shopper: &Shopper, live: Option<&Arc<LiveAffinity>>) -> Past {
    let mut past = Past {
        items: shopper.sequence(),
        events: Vec::new(),
    };
    if let Some(live) = live {
        for recent in shopper.recents() {
            let place = recent.item.map(|no| live.place(profiles.item_id(no)));
            if let Some(Some(place)) = place {
                past.events.push(PastEvent {
                    place,
                    kind: recent.kind,
                    time: recent.time,
                    quantity: pieces(recent.kind, recent.quantity),
                });
            }
        }
    }
    past
}

/// What a visitor viewed in this session: the items of the request, the oldest first.
fn session(profiles: &Profiles, items: &[ItemId], live: Option<&Arc<LiveAffinity>>) -> Past {
    let mut past = Past::default();
    for item in items {
        past.items.extend(profiles.item_no(item.as_str()));
        if let Some(place) = live.and_then(|live| live.place(item.as_str())) {
            past.events.push(PastEvent {
                place,
                kind: EventKind::View,
                time: Timestamp::from_millis(0),
                quantity: 0.0,
            });
        }
    }
    past
}

/// What the shopper owns: recommending it again is the task of `buy-again`.
fn bought(shopper: &Shopper, now: Timestamp) -> Vec<ItemNo> {
    let known = shopper
        .weighted_items(now)
        .into_iter()
        .map(|(item, _)| item);
    known.filter(|item| shopper.has_bought(*item)).collect()
}

pub(crate) fn report(source: &'static str, candidates: usize) -> SourceReport {
    SourceReport {
        source,
        candidates,
        error: None,
    }
}

pub(crate) fn scored(source: &'static str, list: Vec<(ItemNo, f64)>) -> Vec<Candidate> {
    let candidate = |(item, score)| Candidate {
        item: Item::Number(item),
        score,
        source,
        parts: vec![(source, None, score)],
    };
    list.into_iter().map(candidate).collect()
}

/// What shares baskets with these items.
///
/// For each given item g and neighbour c with n shared baskets, c gets the cosine
/// n / sqrt(purchases(g) · purchases(c)), shrunk by n / (n + 3); the parts add up.
fn bought_with(profiles: &Profiles, given: &[ItemId]) -> Vec<Candidate> {
    let mut parts: FxHashMap<ItemNo, Vec<Part>> = FxHashMap::default();
    for item in given {
        let Some(no) = profiles.item_no(item.as_str()) else {
            continue;
        };
        let stats = profiles.stats(no);
        for (neighbour, count) in stats.bought_with(usize::MAX) {
            let count = f64::from(count);
            let both = stats.purchases as f64 * profiles.stats(neighbour).purchases as f64;
            let cosine = count / both.max(1.0).sqrt();
            let part = cosine * count / (count + SHRINK);
            parts
                .entry(neighbour)
                .or_default()
                .push(("bought-with", Some(no), part));
        }
    }
    let mut ranked = Vec::with_capacity(parts.len());
    for (item, parts) in parts {
        let score: f64 = parts.iter().map(|part| part.2).sum();
        ranked.push((item, score, parts));
    }
    ranked.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let candidate = |(item, score, parts)| Candidate {
        item: Item::Number(item),
        score,
        source: "bought-with",
        parts,
    };
    ranked.into_iter().map(candidate).collect()
}

/// Items viewed or clicked, the newest first, each once.
fn recently_viewed(shopper: &Shopper) -> Vec<Candidate> {
    let viewed = shopper
        .recents()
        .rev()
        .filter(|recent| matches!(recent.kind, EventKind::View | EventKind::Click))
        .filter_map(|recent| recent.item);
    let mut seen = FxHashSet::default();
    let unique: Vec<ItemNo> = viewed.filter(|item| seen.insert(*item)).collect();
    let ranked = unique
        .into_iter()
        .enumerate()
        .map(|(rank, item)| (item, 1.0 / (rank + 1) as f64));
    scored("recently-viewed", ranked.collect())
}

/// The addends of a score that no model made.
fn reasons(profiles: &Profiles, parts: &[Part]) -> Vec<Reason> {
    let reason = |&(because, item, value): &Part| Reason {
        because,
        item: item.and_then(|no| ItemId::new(profiles.item_id(no)).ok()),
        value,
    };
    parts.iter().map(reason).collect()
}
