//! One recommendation from the request to the page.
//!
//! What the request is about is copied from the profiles. The source of the kind proposes
//! candidates, and the gate lets pass the best that may be shown, as many as paging reaches.
//! Among the first of these the old and what is like a dislike move back, unlike items come forward if
//! diversity is asked for, and new items take their share of places. Equal scores stay in the
//! order of the source: by item number, which is the order of first sight.

use super::candidate::{Candidate, Item, Passed, sort};
use super::dislikes::move_back;
use super::diversity::{BEST, diversify};
use super::exploration::explore;
use super::fewer::fewer;
use super::gate::Gate;
use super::given::Given;
use super::likeness::Likeness;
use super::next_item::{Blended, NextItem};
use super::request::{
    Probabilities, Reason, RecommendKind, RecommendRequest, Recommendation, Recommendations,
    SourceReport,
};
use super::sources::Sources;
use super::taste::Taste;
use crate::EngineError;
use crate::freshness::{self, Aging};
use crate::shelf::LiveAffinity;
use crate::snapshot::IndexReader;
use crate::suitability::Suited;
use domain::{ItemId, Score, UserId};
use lexical::{Place, QueryError};
use models::affinity::ActionScores;
use profiles::Profiles;
use xxhash_rust::xxh3::xxh3_64;

/// Candidates that are ordered anew by their age, the best.
const AGED: usize = 500;
/// Milliseconds of the day for which one shopper sees the same new items.
const DAY: i64 = 86_400_000;

impl IndexReader {
    /// Answers one recommendation request.
    pub fn recommend(&self, request: &RecommendRequest) -> Result<Recommendations, EngineError> {
        self.ranked(request, |sources, passed, gate, suited| {
            sources.page(passed, gate, suited)
        })
    }

    /// The items of an answer with their scores, for those who have no need of the documents.
    pub fn recommended_items(
        &self,
        request: &RecommendRequest,
    ) -> Result<Vec<(ItemId, Score)>, EngineError> {
        self.ranked(request, |_, passed, _, _| {
            let page = passed.into_iter().skip(request.offset);
            page.take(request.limit)
                .map(|Passed { id, candidate, .. }| {
                    Ok((ItemId::new(id)?, Score::new(candidate.score as f32)))
                })
                .collect()
        })
    }

    /// Puts candidates in order, and ends with what is made of them.
    fn ranked<T>(
        &self,
        request: &RecommendRequest,
        end: impl FnOnce(Sources<'_>, Vec<Passed>, &Gate<'_>, Option<Suited>) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        check_fields(request)?;
        let behaviour = &self.state.behaviour;
        let lists = behaviour.lists();
        // Taken once: an answer is of one model, whatever becomes live meanwhile.
        let models = NextItem {
            counted: behaviour.model(),
            live: behaviour.shelf.live(),
        };
        let mut given = {
            let profiles = behaviour.profiles();
            Given::new(request, &profiles, models.live.as_ref(), lists.now)
        };
        let suited = self.suited(request.user.as_ref())?;
        let hidden = std::mem::take(&mut given.hidden);
        let mut gate = Gate::new(self, request, hidden, suited.as_ref())?;
        let likeness = Likeness::new(self)?;
        let taste = match likeness.is_blind() {
            true => Taste::default(),
            false => Taste::of(self, &likeness, &given)?,
        };
        let mut sources = Sources {
            reader: self,
            request,
            given,
            lists: &lists,
            likeness,
            taste,
            models,
            blended: Blended::default(),
            mixture: None,
            together: None,
            trace: Vec::new(),
        };
        let mut passed = sources.passed(&mut gate)?;
        sources.change_places(&mut passed, &gate)?;
        sources.leave_for_shadow();
        end(sources, passed, &gate, suited)
    }
}

impl Sources<'_> {
    /// The first candidates that may be shown, as many as paging reaches.
    fn passed(&mut self, gate: &mut Gate<'_>) -> Result<Vec<Passed>, EngineError> {
        let end = self.request.offset.saturating_add(self.request.limit);
        let mut candidates = self.proposed(gate.filter())?;
        if Self::are_few(&candidates) {
            let least = candidates.last().map(|last| last.score);
            candidates.extend(self.rest(least)?);
        }
        let (source, listed) = self.listed();
        if !listed.is_empty() {
            self.trace.push(SourceReport::of(source, listed.len()));
        }
        let (source, listed) = self.listed();
        // Below everything proposed, in their own order; alone, with the scores they have.
        let least = candidates.last().map(|last| last.score);
        let listed = listed.iter().map(|&(item, worth)| {
            let score = match least {
                Some(least) => least - 1.0 + worth,
                None => worth,
            };
            Candidate::whole(Item::Number(item), source, score)
        });
        let profiles = self.reader.state.behaviour.profiles();
        let id = |candidate: &Candidate| self.id(&profiles, &candidate.item);
        let most = match self.reader.settings().freshness {
            Some(_) => end.max(AGED),
            None => end.max(BEST),
        };
        Ok(gate.first(most, candidates.into_iter().chain(listed), id)?)
    }

    /// What moves items among the best: dislikes, diversity, exploration.
    fn change_places(
        &mut self,
        passed: &mut Vec<Passed>,
        gate: &Gate<'_>,
    ) -> Result<(), EngineError> {
        let request = self.request;
        let mut disliked: Vec<Place> = Vec::new();
        for id in &self.given.disliked {
            disliked.extend(self.reader.state.words.place_of(id)?);
        }
        if let Some(aging) = self.reader.aging(self.lists.now) {
            age(passed, &aging)?;
        }
        // What the shopper did before is told as it was.
        let is_choice = !matches!(
            request.kind,
            RecommendKind::BuyAgain | RecommendKind::RecentlyViewed
        );
        if is_choice && !disliked.is_empty() {
            move_back(passed, &self.likeness, &disliked)?;
        }
        if request.diversity > 0.0 {
            if self.likeness.is_blind() {
                let why = "there are no vectors, categories or brands to tell items apart by";
                self.trace.push(SourceReport::without("diversity", why));
            } else {
                diversify(passed, &self.likeness, request.diversity)?;
            }
        }
        if matches!(request.kind, RecommendKind::ForYou | RecommendKind::Session)
            && request.exploration > 0.0
        {
            let seed = self.seed();
            let new = {
                let profiles = self.reader.state.behaviour.profiles();
                self.reader.new_items(&profiles, seed, |id| {
                    let place = self.reader.state.words.place_of(id)?;
                    let traits = place.map(|place| self.likeness.traits(place)).transpose()?;
                    Ok(traits.map_or(0.0, |traits| self.taste.liking(&traits)))
                })?
            };
            let put = explore(passed, new, gate, (request.exploration, seed))?;
            self.trace.push(SourceReport::of("exploration", put));
        }
        Ok(())
    }

    /// Of the shopper, or else of the visit, and the day.
    fn seed(&self) -> u64 {
        let day = self.lists.now.millis().div_euclid(DAY);
        let user = self.request.user.as_ref().map(UserId::as_str);
        let first = self.given.ids.first().map(String::as_str);
        let who = user.or(first).unwrap_or_default();
        xxh3_64(format!("{day} {who}").as_bytes())
    }

    /// The page, with its documents.
    fn page(
        self,
        passed: Vec<Passed>,
        gate: &Gate<'_>,
        suited: Option<Suited>,
    ) -> Result<Recommendations, EngineError> {
        let request = self.request;
        let total = passed.len();
        let page: Vec<Passed> = passed
            .into_iter()
            .skip(request.offset)
            .take(request.limit)
            .collect();
        let reasons: Vec<Vec<Reason>> = match request.explain {
            true => {
                let profiles = self.reader.state.behaviour.profiles();
                let told = |item: &Passed| self.reasons(&profiles, &item.candidate);
                page.iter().map(told).collect()
            }
            false => page.iter().map(|_| Vec::new()).collect(),
        };
        let probabilities = match request.explain {
            true => self.probabilities(&page),
            false => vec![None; page.len()],
        };
        let mut hits = Vec::with_capacity(page.len());
        for ((item, reasons), probabilities) in page.into_iter().zip(reasons).zip(probabilities) {
            let Some(document) = self.reader.displayed(&item.id)? else {
                continue;
            };
            hits.push(Recommendation {
                item: ItemId::new(item.id)?,
                document,
                score: Score::new(item.candidate.score as f32),
                source: item.candidate.source,
                reasons,
                probabilities,
            });
        }
        let is_short = total < request.offset.saturating_add(request.limit);
        let fewer = is_short.then(|| fewer(request, &self.given, total, gate.turned_away));
        let live = self.speaking();
        Ok(Recommendations {
            hits,
            total,
            fewer,
            suited,
            unsuited: gate.unsuited,
            model: live.map(|live| live.id.clone()),
            trace: self.trace,
        })
    }

    /// The live model, if it took part.
    fn speaking(&self) -> Option<&LiveAffinity> {
        let live = self.models.live.as_deref();
        live.filter(|_| self.blended.has_spoken())
    }

    /// What the live model holds probable of the items of a page.
    fn probabilities(&self, page: &[Passed]) -> Vec<Option<Probabilities>> {
        let Some(live) = self.speaking() else {
            return vec![None; page.len()];
        };
        let ids: Vec<&str> = page.iter().map(|item| item.id.as_str()).collect();
        let scores = live.probabilities(&self.given.past.events, &ids);
        let of = |ActionScores {
                      view,
                      cart,
                      purchase,
                  }| Probabilities {
            view,
            cart,
            purchase,
        };
        scores.into_iter().map(|score| score.map(of)).collect()
    }

    fn reasons(&self, profiles: &Profiles, candidate: &Candidate) -> Vec<Reason> {
        let parts = self.parts(profiles, candidate).into_iter();
        let reason = |part: super::candidate::Part| Reason {
            because: part.because,
            item: part
                .item
                .and_then(|no| ItemId::new(profiles.item_id(no)).ok()),
            value: part.value,
        };
        parts.map(reason).collect()
    }
}

/// Orders candidates anew by their score and their age.
fn age(passed: &mut [Passed], aging: &Aging<'_>) -> Result<(), QueryError> {
    let floor = freshness::floor(passed.iter().map(|item| item.candidate.score));
    for Passed {
        place, candidate, ..
    } in passed.iter_mut()
    {
        let value = (floor - candidate.score) * aging.lost(*place)?;
        candidate.add("freshness", value);
    }
    sort(passed);
    Ok(())
}

fn check_fields(request: &RecommendRequest) -> Result<(), EngineError> {
    let kind = request.kind.as_str();
    let missing = |field| Err(EngineError::Missing { kind, field });
    let has_items = !request.items.is_empty() || !request.basket.is_empty();
    let has_user = request.user.is_some();
    match request.kind {
        RecommendKind::BuyAgain if !has_user => missing("userId"),
        RecommendKind::RecentlyViewed if !has_user && request.items.is_empty() => missing("userId"),
        RecommendKind::Similar
        | RecommendKind::AlsoViewed
        | RecommendKind::BoughtWith
        | RecommendKind::Session
            if !has_items && !has_user =>
        {
            missing("itemId")
        }
        RecommendKind::Basket if !has_items && !has_user => missing("basket"),
        _ => Ok(()),
    }
}
