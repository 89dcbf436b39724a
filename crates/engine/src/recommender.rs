//! Recommendations by counting: who is asked for, what is hidden, which source answers.
//!
//! A request is answered in three steps. Under the profiles' lock the shopper's history
//! and the lists of the sources are copied; without it the model scores; then the best
//! candidates pass the gate (in the catalogue, through the filter, not hidden) until
//! enough are found. Equal scores are ordered by item number, which is the order of
//! first sight.

use crate::EngineError;
use crate::allowed::check_filterable;
use crate::behaviour::SequenceModel;
use crate::recommend::{
    Reason, RecommendKind, RecommendRequest, Recommendation, Recommendations, SourceReport,
};
use crate::snapshot::IndexReader;
use domain::{EventKind, ItemId, Score, Timestamp};
use lexical::{ItemSet, QueryError, Words};
use models::SequenceModel as _;
use profiles::{ItemNo, Profiles, Shopper};
use rustc_hash::{FxHashMap, FxHashSet};
use std::cmp::Reverse;

/// Paging reaches this many items, or to the end of the page asked for.
const REACH: usize = 200;
/// Co-purchases are shrunk by count / (count + this): one shared basket proves little.
const SHRINK: f64 = 3.0;

/// An item a source proposes, with what its score is made of.
struct Candidate {
    item: ItemNo,
    score: f64,
    source: &'static str,
    parts: Vec<Part>,
}

/// An addend of a score: what it rests on, and the item it is about, if one.
type Part = (&'static str, Option<ItemNo>, f64);

/// What the sources need, copied from the profiles.
#[derive(Default)]
struct Inputs {
    history: Vec<u32>,
    candidates: Vec<Candidate>,
    popular: Vec<(ItemNo, f64)>,
}

/// Decides what may be shown.
struct Gate<'a> {
    words: &'a Words,
    filter: Option<ItemSet>,
    hidden: FxHashSet<String>,
}

impl Gate<'_> {
    fn lets_pass(&self, item: &str) -> Result<bool, QueryError> {
        if self.hidden.contains(item) {
            return Ok(false);
        }
        match &self.filter {
            Some(set) => set.contains(item),
            None => self.words.contains(item),
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
        };
        let inputs = self.inputs(request, &mut gate.hidden);
        let model = self.state.behaviour.model();
        let mut trace = Vec::new();
        let candidates = if request.kind == RecommendKind::ForYou {
            for_you(&inputs, model.as_deref(), &mut trace)
        } else {
            trace.push(report(request.kind.as_str(), inputs.candidates.len()));
            inputs.candidates
        };
        let explained = request
            .explain
            .then_some((model.as_deref(), inputs.history.as_slice()));
        self.slate(request, &gate, candidates, explained, trace)
    }

    /// Copies what this kind needs from the profiles and hides what it must not show.
    fn inputs(&self, request: &RecommendRequest, hidden: &mut FxHashSet<String>) -> Inputs {
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
                    inputs.history = shopper.sequence();
                    hide(hidden, &profiles, bought(shopper, now));
                }
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
        explained: Option<(Option<&SequenceModel>, &[u32])>,
        trace: Vec<SourceReport>,
    ) -> Result<Recommendations, EngineError> {
        let end = request.offset.saturating_add(request.limit);
        let reach = end.max(REACH);
        let mut passed = Vec::new();
        {
            let profiles = self.state.behaviour.profiles();
            for candidate in candidates {
                let id = profiles.item_id(candidate.item);
                if gate.lets_pass(id)? {
                    let id = id.to_owned();
                    let reasons = match explained {
                        Some((model, history)) => reasons(&profiles, &candidate, model, history),
                        None => Vec::new(),
                    };
                    passed.push((id, candidate, reasons));
                    if passed.len() == reach {
                        break;
                    }
                }
            }
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
        Ok(Recommendations { hits, total, trace })
    }
}

fn check_fields(request: &RecommendRequest) -> Result<(), EngineError> {
    let kind = request.kind.as_str();
    let missing = |field| Err(EngineError::Missing { kind, field });
    match request.kind {
        RecommendKind::BuyAgain | RecommendKind::RecentlyViewed if request.user.is_none() => {
            missing("userId")
        }
        RecommendKind::BoughtWith if request.items.is_empty() => missing("itemId"),
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

/// What the shopper owns: recommending it again is the task of `buy-again`.
fn bought(shopper: &Shopper, now: Timestamp) -> Vec<ItemNo> {
    let known = shopper
        .weighted_items(now)
        .into_iter()
        .map(|(item, _)| item);
    known.filter(|item| shopper.has_bought(*item)).collect()
}

fn report(source: &'static str, candidates: usize) -> SourceReport {
    SourceReport {
        source,
        candidates,
        error: None,
    }
}

fn scored(source: &'static str, list: Vec<(ItemNo, f64)>) -> Vec<Candidate> {
    let candidate = |(item, score)| Candidate {
        item,
        score,
        source,
        parts: vec![(source, None, score)],
    };
    list.into_iter().map(candidate).collect()
}

/// What follows the shopper's history in other histories, then what is popular.
///
/// A shopper without a history, or a shop without a model, gets what is popular.
fn for_you(
    inputs: &Inputs,
    model: Option<&SequenceModel>,
    trace: &mut Vec<SourceReport>,
) -> Vec<Candidate> {
    let mut spoken: Vec<(u32, f32)> = match model {
        Some(model) if !inputs.history.is_empty() => model.pctm.scores(&inputs.history),
        _ => Vec::new(),
    };
    spoken.sort_unstable_by_key(|&(item, score)| (Reverse(Score::new(score)), item));
    if model.is_none() {
        let error = Some("no model has been fitted yet".to_owned());
        trace.push(SourceReport {
            source: "sequence",
            candidates: 0,
            error,
        });
    } else {
        trace.push(report("sequence", spoken.len()));
    }
    let mut candidates = Vec::with_capacity(spoken.len());
    for &(item, score) in &spoken {
        let score = f64::from(score);
        candidates.push(Candidate {
            item,
            score,
            source: "sequence",
            parts: Vec::new(),
        });
    }
    let known: FxHashSet<u32> = spoken.iter().map(|&(item, _)| item).collect();
    // Below every item that the history speaks for, in their own order.
    let floor = candidates.last().map_or(0.0, |last| last.score - 1.0);
    let most = inputs.popular.first().map_or(1.0, |&(_, worth)| worth);
    let rest = inputs
        .popular
        .iter()
        .filter(|(item, _)| !known.contains(item));
    let rest = scored(
        "popular",
        rest.map(|&(item, worth)| (item, floor + worth / most))
            .collect(),
    );
    trace.push(report("popular", rest.len()));
    candidates.extend(rest);
    candidates
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
    let mut candidates: Vec<Candidate> = parts
        .into_iter()
        .map(|(item, parts)| Candidate {
            item,
            score: parts.iter().map(|part| part.2).sum(),
            source: "bought-with",
            parts,
        })
        .collect();
    candidates.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then(a.item.cmp(&b.item)));
    candidates
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

/// The addends of a candidate's score.
fn reasons(
    profiles: &Profiles,
    candidate: &Candidate,
    model: Option<&SequenceModel>,
    history: &[u32],
) -> Vec<Reason> {
    let named = |because, item: Option<ItemNo>, value| Reason {
        because,
        item: item.and_then(|no| ItemId::new(profiles.item_id(no)).ok()),
        value,
    };
    if candidate.source != "sequence" {
        return candidate
            .parts
            .iter()
            .map(|&(why, item, value)| named(why, item, value))
            .collect();
    }
    let Some(model) = model else {
        return Vec::new();
    };
    let mut reasons = vec![named(
        "rarity",
        None,
        f64::from(model.pctm.base(candidate.item)),
    )];
    for (item, value) in model.pctm.explain(history, candidate.item) {
        reasons.push(named("sequence", Some(item), f64::from(value)));
    }
    reasons
}
