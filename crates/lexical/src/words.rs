//! The reading side: one snapshot, and everything that can be asked of it.
//!
//! A search goes through the same steps whatever it asks: find the candidates,
//! give them an order, drop doubles, count, and name the few that are shown.
//! Totals and facets count the candidates that are left before paging.

use crate::answer::{Facet, WordsAnswer, WordsHit, WordsQuery};
use crate::bits::ItemSet;
use crate::error::QueryError;
use crate::expand;
use crate::facets::{Counts, Documents};
use crate::filter;
use crate::joined;
use crate::order::{self, Ranked, Tie};
use crate::parse::Parsed;
use crate::plan;
use crate::postings;
use crate::query_plan::CompiledPlan;
use crate::score::{self, Candidate};
use crate::snapshot::{Core, Place};
use crate::units::{Builder, Units};
use crate::value;
use domain::Filter;
use std::sync::Arc;
use text::typos_allowed;

/// More letters may follow what was typed.
const OPEN: bool = true;

/// An immutable state of the index together with the rules to query it by.
#[derive(Clone)]
pub struct Words {
    core: Arc<Core>,
    plan: Arc<CompiledPlan>,
}

/// What one or several queries find, each item once.
#[derive(Debug, Default)]
pub struct Members(Documents);

impl Members {
    /// Adds what another query has found.
    pub fn extend(&mut self, other: Self) {
        let segments = self.0.len().max(other.0.len());
        self.0.resize_with(segments, Vec::new);
        for (mine, more) in self.0.iter_mut().zip(other.0) {
            mine.extend(more);
            mine.sort_unstable();
            mine.dedup();
        }
    }
}

/// What a query finds, before paging.
struct Found {
    candidates: Vec<Candidate>,
    /// The candidates that remain, grouped by segment.
    members: Vec<usize>,
    total: usize,
    rules: Vec<order::Rule>,
    tie: Tie,
    units: Units,
    /// Another source has had its say.
    joined: bool,
}

impl Found {
    fn score(&self, candidate: &Candidate) -> f64 {
        if self.joined {
            return f64::from(candidate.relevance);
        }
        candidate.score(self.units.asked)
    }
}

impl Words {
    pub(crate) fn new(core: Arc<Core>, plan: Arc<CompiledPlan>) -> Self {
        Self { core, plan }
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// How many documents there are.
    pub fn count(&self) -> u64 {
        self.core.count()
    }

    /// Whether a document with this id is there.
    pub fn contains(&self, id: &str) -> Result<bool, QueryError> {
        Ok(self.core.locate(id)?.is_some())
    }

    /// Whether a document with this number is there.
    pub fn contains_number(&self, number: u64) -> Result<bool, QueryError> {
        Ok(self.core.place_of_number(number).is_some())
    }

    /// The number of the document with an id.
    pub fn number_of(&self, id: &str) -> Result<Option<u64>, QueryError> {
        let place = self.core.locate(id)?;
        Ok(place.map(|place| self.core.number_at(place)))
    }

    /// The id of the document with a number.
    pub fn id_of_number(&self, number: u64) -> Result<Option<String>, QueryError> {
        let Some(place) = self.core.place_of_number(number) else {
            return Ok(None);
        };
        let segment = &self.core.segments[place.segment as usize];
        Ok(Some(segment.id(place.doc)?))
    }

    /// Answers a search.
    pub fn search(&self, query: &WordsQuery<'_>) -> Result<WordsAnswer, QueryError> {
        let facets = self.core.facet_attributes(query.facets)?;
        let found = self.find(query, &facets)?;
        let ranked = Ranked::new(&self.core, &found.candidates, &found.rules, found.tie)?;
        let wanted = query
            .offset
            .saturating_add(query.limit)
            .min(found.members.len());
        let mut hits = Vec::new();
        if query.offset < wanted {
            let top = ranked.top(&found.members, wanted)?;
            for place in top.into_iter().skip(query.offset) {
                let candidate = &found.candidates[place];
                hits.push(WordsHit {
                    id: ranked.id(place)?,
                    score: found.score(candidate),
                    bm25: candidate.share * found.units.most(),
                    share: candidate.share,
                    words: candidate.words,
                    asked: found.units.asked,
                    typos: candidate.typos,
                    joined: found.joined.then_some(candidate.relevance),
                    other: found.joined.then_some(candidate.other),
                });
            }
        }
        Ok(WordsAnswer {
            hits,
            total: found.total,
            facets: self.facets_of(&facets, &found, query)?,
            terms: found.units.terms,
            understood: found.units.understood,
        })
    }

    /// Everything that a query finds, whatever page it asks for.
    pub fn members(&self, query: &WordsQuery<'_>) -> Result<Members, QueryError> {
        let whole = WordsQuery {
            offset: 0,
            limit: usize::MAX,
            ..query.clone()
        };
        let found = self.find(&whole, &[])?;
        Ok(Members(self.documents(&found)))
    }

    /// The facets of a query, counted among what this and other queries find.
    pub fn facets_among(
        &self,
        members: &Members,
        query: &WordsQuery<'_>,
    ) -> Result<Vec<(String, Facet)>, QueryError> {
        let attributes = self.core.facet_attributes(query.facets)?;
        self.facets(&attributes, members, query)
    }

    /// The items that a filter lets through.
    pub fn filter_set(&self, filter: &Filter) -> Result<ItemSet, QueryError> {
        filter::evaluate(&self.core, filter)
    }

    /// The values of a facet that start with a text, counted among the hits of a query and in
    /// the order of that facet. Case and accents do not matter, and typos are forgiven as in
    /// words.
    pub fn facet_search(
        &self,
        facet: &str,
        facet_text: &str,
        query: &WordsQuery<'_>,
    ) -> Result<Vec<(String, u64)>, QueryError> {
        let counted = self.core.facet_attributes(&[facet.to_owned()])?;
        let found = self.find(query, &counted)?;
        let attribute = self.core.attribute(facet)?;
        let counts = Counts::of(&self.core, &attribute, &self.documents(&found))?;
        let start = value::folded(facet_text);
        let rules = &self.plan.plan;
        let allowed = match plan::covers(&rules.typo_disabled_attributes, facet) {
            true => 0,
            false => typos_allowed(&start, &rules.typo),
        };
        let matches = |name: &str| {
            let name = value::folded(name);
            name.starts_with(&start)
                || allowed > 0 && expand::distance(&start, &name, allowed, OPEN).is_some()
        };
        let mut values = counts.values(query.facet_orders.of(facet), usize::MAX)?;
        values.retain(|(name, _)| matches(name));
        values.truncate(query.facet_limit);
        Ok(values)
    }

    /// The ids of all documents, or of those that a filter lets through, in order.
    pub fn ids(&self, filter: Option<&Filter>) -> Result<Vec<String>, QueryError> {
        let set = filter.map(|filter| self.filter_set(filter)).transpose()?;
        let mut ids = Vec::new();
        for (number, segment) in self.core.segments.iter().enumerate() {
            let bits = set.as_ref().and_then(|set| set.bits.get(number));
            for doc in segment.reader.doc_ids_alive() {
                if bits.is_none_or(|bits| bits.contains(doc)) {
                    ids.push(segment.id(doc)?);
                }
            }
        }
        ids.sort_unstable();
        Ok(ids)
    }

    fn find(&self, query: &WordsQuery<'_>, counted: &[String]) -> Result<Found, QueryError> {
        self.core.check_sort(query.sort)?;
        let searched = self
            .core
            .searched(query.attributes, &self.plan.plan.typo_disabled_attributes)?;
        let distinct = self.core.distinct(query.distinct)?;
        let filter = query
            .filter
            .map(|filter| self.filter_set(filter))
            .transpose()?;
        let mixed = self.core.plan.has_other_languages();
        let analyzer = if mixed && query.english == Some(false) {
            self.core.plain_analyzer()
        } else {
            &self.core.analyzer
        };
        let parsed = Parsed::new(query.text, analyzer, &self.plan);
        let everything = parsed.parts.is_empty();
        let builder = Builder {
            core: &self.core,
            plan: &self.plan,
            matching: query.matching,
            explain: query.explain,
            as_typed_too: mixed && query.english.is_none(),
        };
        let units = builder.build(parsed)?;
        let mut rules = order::rules(&self.core, &self.plan.plan.ranking_rules, query.sort)?;
        let mut left_out = 0;
        let (candidates, tie) = if let Some(joined) = &query.joined {
            rules.retain(|rule| !rule.is_of_words());
            let found = if everything || !joined.has_words() {
                Vec::new()
            } else {
                score::candidates(&self.core, &units, &searched, None, query.deadline)?
            };
            let candidates = joined::join(&self.core, joined, &units, filter.as_ref(), found)?;
            (candidates, Tie::Id)
        } else if everything {
            // Where only the first few in insertion order are asked for, no others are looked at.
            let plain = counted.is_empty()
                && distinct.is_none()
                && query.score_threshold.is_none()
                && !rules.iter().any(order::Rule::is_column);
            let most = if plain {
                query.offset.saturating_add(query.limit)
            } else {
                usize::MAX
            };
            let (candidates, all) = self.everything(&units, filter.as_ref(), most)?;
            left_out = all - candidates.len();
            (candidates, Tie::Insertion)
        } else {
            let candidates = score::candidates(
                &self.core,
                &units,
                &searched,
                filter.as_ref(),
                query.deadline,
            )?;
            (candidates, Tie::Id)
        };
        let mut found = Found {
            members: (0..candidates.len()).collect(),
            total: 0,
            candidates,
            rules,
            tie,
            units,
            joined: query.joined.is_some(),
        };
        self.drop_members(&mut found, query.score_threshold, distinct)?;
        found.total = found.members.len() + left_out;
        Ok(found)
    }

    /// Drops those that score too low, and all but the best of those that count as the same.
    fn drop_members(
        &self,
        found: &mut Found,
        threshold: Option<f64>,
        distinct: Option<&str>,
    ) -> Result<(), QueryError> {
        let mut members = std::mem::take(&mut found.members);
        if let Some(threshold) = threshold {
            members.retain(|place| found.score(&found.candidates[*place]) >= threshold);
        }
        if let Some(path) = distinct {
            let ranked = Ranked::new(&self.core, &found.candidates, &found.rules, found.tie)?;
            let attribute = self.core.attribute(path)?;
            members = order::distinct(&ranked, &found.candidates, &attribute, members)?;
        }
        found.members = members;
        Ok(())
    }

    /// Every document, for a query without words: the first `most` of each segment in insertion
    /// order, and how many there are in all.
    fn everything(
        &self,
        units: &Units,
        filter: Option<&ItemSet>,
        most: usize,
    ) -> Result<(Vec<Candidate>, usize), QueryError> {
        let mut found = Vec::new();
        let mut all = 0;
        for (number, segment) in self.core.segments.iter().enumerate() {
            let excluded = postings::excluded(&self.core, segment, &units.excluded)?;
            let bits = filter.and_then(|set| set.bits.get(number));
            let mut docs = Vec::new();
            for doc in segment.reader.doc_ids_alive() {
                if !excluded.contains(doc) && bits.is_none_or(|bits| bits.contains(doc)) {
                    docs.push(doc);
                }
            }
            all += docs.len();
            if most < docs.len() {
                docs = segment.earliest(&docs, most);
            }
            found.extend(docs.into_iter().map(|doc| {
                let segment = number as u32;
                Candidate {
                    share: 1.0,
                    relevance: 1.0,
                    plain: 1.0,
                    ..Candidate::unscored(Place { segment, doc })
                }
            }));
        }
        Ok((found, all))
    }

    fn documents(&self, found: &Found) -> Documents {
        let mut documents = vec![Vec::new(); self.core.segments.len()];
        for place in &found.members {
            let candidate = &found.candidates[*place];
            documents[candidate.segment as usize].push(candidate.doc);
        }
        // Columns are read in the order of documents.
        documents.iter_mut().for_each(|docs| docs.sort_unstable());
        documents
    }

    fn facets_of(
        &self,
        attributes: &[String],
        found: &Found,
        query: &WordsQuery<'_>,
    ) -> Result<Vec<(String, Facet)>, QueryError> {
        if attributes.is_empty() {
            return Ok(Vec::new());
        }
        self.facets(attributes, &Members(self.documents(found)), query)
    }

    fn facets(
        &self,
        attributes: &[String],
        members: &Members,
        query: &WordsQuery<'_>,
    ) -> Result<Vec<(String, Facet)>, QueryError> {
        let mut facets = Vec::with_capacity(attributes.len());
        for path in attributes {
            let attribute = self.core.attribute(path)?;
            let counts = Counts::of(&self.core, &attribute, &members.0)?;
            facets.push((
                path.clone(),
                counts.facet(query.facet_orders.of(path), query.facet_limit)?,
            ));
        }
        Ok(facets)
    }
}
