//! Which source answers which kind, and what each score is made of.
//!
//! A source reads the profiles under their lock for as long as it counts, and leaves a list of
//! candidates, the best first. Two steps may follow behind it, each with lower scores than the
//! one before: what is like the items in hand, and what is popular.

use super::candidate::{Candidate, Item, Part};
use super::given::Given;
use super::likeness::Likeness;
use super::lists::Lists;
use super::mixture::Mixture;
use super::next_item::{Blended, NextItem};
use super::request::{RecommendKind, RecommendRequest, SourceReport};
use super::taste::Taste;
use super::together::{BOUGHT, Counts, Together, VIEWED};
use crate::EngineError;
use crate::snapshot::IndexReader;
use domain::{EventKind, UserId};
use lexical::ItemSet;
use profiles::{ItemNo, Profiles, Shopper};
use rustc_hash::FxHashSet;

/// With fewer candidates than this a history says little.
const FEW: usize = 200;

/// What the scores of candidates rest on.
pub(super) struct Sources<'a> {
    pub reader: &'a IndexReader,
    pub request: &'a RecommendRequest,
    pub given: Given,
    pub lists: &'a Lists,
    pub likeness: Likeness<'a>,
    pub taste: Taste,
    pub models: NextItem,
    pub blended: Blended,
    /// How counted sources became one score; `None` where one speaks alone.
    pub mixture: Option<Mixture>,
    pub together: Option<Together>,
    pub trace: Vec<SourceReport>,
}

impl Sources<'_> {
    /// The candidates of a kind, but for what is popular behind them.
    pub fn proposed(&mut self, filter: Option<&ItemSet>) -> Result<Vec<Candidate>, EngineError> {
        let candidates = match self.request.kind {
            RecommendKind::ForYou | RecommendKind::Session => return self.next_and_like(filter),
            RecommendKind::Similar => return self.like(filter),
            RecommendKind::AlsoViewed => self.together(VIEWED),
            RecommendKind::BoughtWith | RecommendKind::Basket => self.together(BOUGHT),
            // They stand in the lists.
            RecommendKind::Trending | RecommendKind::Popular => return Ok(Vec::new()),
            RecommendKind::BuyAgain => self.buy_again(),
            RecommendKind::RecentlyViewed => self.recently_viewed(),
        };
        let source = self.request.kind.as_str();
        self.trace.push(SourceReport::of(source, candidates.len()));
        Ok(candidates)
    }

    /// What follows behind the proposed ones, with lower scores: lists of the whole shop.
    pub fn rest(&mut self, least: Option<f64>) -> Result<Vec<Candidate>, EngineError> {
        if !matches!(
            self.request.kind,
            RecommendKind::ForYou | RecommendKind::Session
        ) || self.request.models_alone
            || self.taste.is_empty()
        {
            return Ok(Vec::new());
        }
        let mut liked = self
            .taste
            .popular(self.reader, &self.likeness, self.lists)?;
        if let (Some(least), Some(first)) = (least, liked.first()) {
            let offset = least - 1.0 - first.score;
            liked
                .iter_mut()
                .for_each(|candidate| candidate.shift(offset));
        }
        self.trace.push(SourceReport::of("taste", liked.len()));
        Ok(liked)
    }

    /// The list of the whole shop that this kind ends with, or is.
    pub fn listed(&self) -> (&'static str, &[(ItemNo, f64)]) {
        match self.request.kind {
            RecommendKind::Trending => ("trending", &self.lists.trending),
            RecommendKind::Popular => ("popular", &self.lists.popular),
            RecommendKind::ForYou | RecommendKind::Session if self.request.models_alone => {
                ("popular", &[])
            }
            RecommendKind::ForYou | RecommendKind::Session => ("popular", &self.lists.seasonal),
            _ => ("popular", &[]),
        }
    }

    /// Whether few candidates came of a history, so that it takes more than counting.
    pub fn are_few(candidates: &[Candidate]) -> bool {
        candidates.len() < FEW
    }

    fn together(&mut self, counts: Counts) -> Vec<Candidate> {
        let mut seen = FxHashSet::default();
        let given = self.given.items.iter().filter(|item| seen.insert(**item));
        let together = Together::new(counts, given.map(|item| (*item, 1.0)).collect());
        let mut candidates = together.candidates(&self.reader.state.behaviour.profiles());
        // What was in hand before is no news either.
        let in_hand =
            |item: &Item| matches!(item, Item::Number(no) if self.given.items.contains(no));
        candidates.retain(|candidate| !in_hand(&candidate.item));
        self.together = Some(together);
        candidates
    }

    /// What comes next by the models; behind that what is like the items in hand.
    fn next_and_like(&mut self, filter: Option<&ItemSet>) -> Result<Vec<Candidate>, EngineError> {
        let mut candidates = self.next();
        let has_more = !self.request.models_alone && !self.given.ids.is_empty();
        if has_more && Self::are_few(&candidates) {
            let least = candidates.last().map(|last| last.score);
            let mut like = self.like(filter)?;
            if let (Some(least), Some(first)) = (least, like.first()) {
                let offset = least - 1.0 - first.score;
                like.iter_mut()
                    .for_each(|candidate| candidate.shift(offset));
            }
            candidates.extend(like);
        }
        Ok(candidates)
    }

    fn next(&mut self) -> Vec<Candidate> {
        let past = &self.given.past;
        let spoken = self.models.spoken(past, &mut self.trace);
        let affinity = self.models.affinity(past, &mut self.trace);
        let profiles = self.reader.state.behaviour.profiles();
        if let Some(live) = &self.models.live
            && !affinity.is_empty()
        {
            self.blended = Blended::of(affinity, &spoken, live.share);
            return self.blended.candidates(live, &profiles, &spoken);
        }
        let mixture = Mixture::new(self.request, &self.given, spoken, &profiles, self.lists);
        let candidates = mixture.candidates();
        self.trace.extend(mixture.reports());
        self.mixture = Some(mixture);
        candidates
    }

    fn like(&mut self, filter: Option<&ItemSet>) -> Result<Vec<Candidate>, EngineError> {
        let found = self
            .reader
            .similar(&self.given.ids, &self.likeness, filter, self.lists)?;
        let mut report = SourceReport::of("similar", found.candidates.len());
        if found.without_vectors {
            report.error =
                Some("no item in hand has a vector: found by words, category and brand".to_owned());
        }
        self.trace.push(report);
        let mut candidates = found.candidates;
        let in_hand = |item: &Item| matches!(item, Item::Id(id) if self.given.ids.contains(id));
        candidates.retain(|candidate| !in_hand(&candidate.item));
        Ok(candidates)
    }

    fn buy_again(&self) -> Vec<Candidate> {
        let profiles = self.reader.state.behaviour.profiles();
        let due = self.shopper(&profiles);
        let due = due.map(|shopper| shopper.reorder(self.lists.now));
        let due = due.into_iter().flatten();
        let candidate = |due: profiles::Reorder| {
            Candidate::whole(Item::Number(due.item), "buy-again", due.due_score)
        };
        due.map(candidate).collect()
    }

    /// Items viewed or clicked, the newest first, each once; without a shopper, those in hand.
    fn recently_viewed(&self) -> Vec<Candidate> {
        if self.request.user.is_none() {
            let ids = self.given.ids.iter().rev();
            return ranked(ids.map(|id| Item::Id(id.clone())));
        }
        let profiles = self.reader.state.behaviour.profiles();
        let Some(shopper) = self.shopper(&profiles) else {
            return Vec::new();
        };
        let viewed = shopper
            .recents()
            .rev()
            .filter(|recent| matches!(recent.kind, EventKind::View | EventKind::Click))
            .filter_map(|recent| recent.item);
        let mut seen = FxHashSet::default();
        ranked(viewed.filter(|item| seen.insert(*item)).map(Item::Number))
    }

    fn shopper<'p>(&self, profiles: &'p Profiles) -> Option<&'p Shopper> {
        profiles.shopper(self.request.user.as_ref().map(UserId::as_str)?)
    }

    /// The id of a candidate.
    pub fn id(&self, profiles: &Profiles, item: &Item) -> String {
        match (item, &self.models.live) {
            (Item::Number(no), _) => profiles.item_id(*no).to_owned(),
            (Item::Place(place), Some(live)) => live.item_id(*place).to_owned(),
            // Only a live model gives places.
            (Item::Place(_), None) => String::new(),
            (Item::Id(id), _) => id.clone(),
        }
    }

    /// The addends of a candidate's score.
    pub fn parts(&self, profiles: &Profiles, candidate: &Candidate) -> Vec<Part> {
        let mut parts = Vec::new();
        if candidate.modelled {
            let next = || {
                let past = &self.given.past;
                self.models
                    .parts(profiles, &candidate.item, past, &self.blended)
            };
            match (&self.mixture, &self.together, &candidate.item) {
                (Some(mixture), _, Item::Number(item)) => {
                    parts = mixture.parts(profiles, *item, next());
                }
                (None, Some(together), Item::Number(item)) => {
                    parts = together.parts(profiles, *item);
                }
                _ => parts = next(),
            }
        }
        parts.extend(candidate.parts.iter().cloned());
        parts
    }
}

fn ranked(items: impl Iterator<Item = Item>) -> Vec<Candidate> {
    let candidate =
        |(rank, item)| Candidate::whole(item, "recently-viewed", 1.0 / (rank + 1) as f64);
    items.enumerate().map(candidate).collect()
}
