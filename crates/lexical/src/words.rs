//! The reading side: one snapshot, and everything that can be asked of it.
//!
//! A search goes through the same steps whatever it asks: find the candidates,
//! give them an order, drop doubles, count, and name the few that are shown.
//! Totals and facets count the candidates that are left before paging.

use crate::answer::{Facet, FacetOrder, WordsAnswer, WordsHit, WordsQuery};
use crate::bits::ItemSet;
use crate::error::QueryError;
use crate::facets::{Counts, Documents};
use crate::filter;
use crate::order::{self, Ranked, Tie};
use crate::parse::Parsed;
use crate::plan;
use crate::postings;
use crate::query_plan::CompiledPlan;
use crate::score::{self, Candidate, Searched};
use crate::snapshot::Core;
use crate::units::{Builder, Units};
use crate::value;
use domain::Filter;
use std::sync::Arc;

/// An immutable state of the index together with the rules to query it by.
#[derive(Clone)]
pub struct Words {
    core: Arc<Core>,
    plan: Arc<CompiledPlan>,
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
}

impl Words {
    pub(crate) fn new(core: Arc<Core>, plan: Arc<CompiledPlan>) -> Self {
        Self { core, plan }
    }

    /// How many documents there are.
    pub fn count(&self) -> u64 {
        self.core.count()
    }

    /// Whether a document with this id is there.
    pub fn contains(&self, id: &str) -> Result<bool, QueryError> {
        Ok(self.core.locate(id)?.is_some())
    }

    /// Answers a search.
    pub fn search(&self, query: &WordsQuery<'_>) -> Result<WordsAnswer, QueryError> {
        let facets = self.facet_attributes(query.facets)?;
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
                    score: candidate.score(found.units.asked),
                    bm25: candidate.share * found.units.most(),
                    words: candidate.words,
                    typos: candidate.typos,
                });
            }
        }
        Ok(WordsAnswer {
            hits,
            total: found.total,
            facets: self.facets(&facets, &found, query)?,
            terms: found.units.terms,
        })
    }

    /// The items that a filter lets through.
    pub fn filter_set(&self, filter: &Filter) -> Result<ItemSet, QueryError> {
        filter::evaluate(&self.core, filter)
    }

    /// The values of a facet that start with a text, most frequent first, counted among the
    /// hits of a query. Case and accents do not matter.
    pub fn facet_search(
        &self,
        facet: &str,
        facet_text: &str,
        query: &WordsQuery<'_>,
    ) -> Result<Vec<(String, u64)>, QueryError> {
        let counted = self.facet_attributes(&[facet.to_owned()])?;
        let found = self.find(query, &counted)?;
        let attribute = self.core.attribute(facet)?;
        let counts = Counts::of(&self.core, &attribute, &self.documents(&found))?;
        let start = value::folded(facet_text);
        let mut values = counts.values(FacetOrder::Count, usize::MAX)?;
        values.retain(|(name, _)| value::folded(name).starts_with(&start));
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
        self.check_sort(query)?;
        let searched = self.searched(query.attributes)?;
        let distinct = self.distinct(query.distinct)?;
        let filter = query
            .filter
            .map(|filter| self.filter_set(filter))
            .transpose()?;
        let parsed = Parsed::new(query.text, &self.core.analyzer, &self.plan);
        let everything = parsed.parts.is_empty();
        let builder = Builder {
            core: &self.core,
            plan: &self.plan,
            matching: query.matching,
        };
        let units = builder.build(parsed)?;
        let rules = order::rules(&self.core, &self.plan.plan.ranking_rules, query.sort)?;
        let mut left_out = 0;
        let (candidates, tie) = if everything {
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
            let candidates = score::candidates(&self.core, &units, &searched, filter.as_ref())?;
            (candidates, Tie::Id)
        };
        let mut members: Vec<usize> = (0..candidates.len()).collect();
        if let Some(threshold) = query.score_threshold {
            members.retain(|place| candidates[*place].score(units.asked) >= threshold);
        }
        if let Some(path) = distinct {
            let ranked = Ranked::new(&self.core, &candidates, &rules, tie)?;
            let attribute = self.core.attribute(path)?;
            members = order::distinct(&ranked, &candidates, &attribute, members)?;
        }
        Ok(Found {
            total: members.len() + left_out,
            candidates,
            members,
            rules,
            tie,
            units,
        })
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
            if most == 0 {
                docs.clear();
            } else if most < docs.len() {
                docs.select_nth_unstable_by_key(most - 1, |doc| segment.number(*doc));
                docs.truncate(most);
            }
            found.extend(docs.into_iter().map(|doc| Candidate {
                segment: number as u32,
                doc,
                share: 1.0,
                words: 0,
                typos: 0,
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

    fn facets(
        &self,
        attributes: &[String],
        found: &Found,
        query: &WordsQuery<'_>,
    ) -> Result<Vec<(String, Facet)>, QueryError> {
        if attributes.is_empty() {
            return Ok(Vec::new());
        }
        let documents = self.documents(found);
        let mut facets = Vec::with_capacity(attributes.len());
        for path in attributes {
            let attribute = self.core.attribute(path)?;
            let counts = Counts::of(&self.core, &attribute, &documents)?;
            facets.push((
                path.clone(),
                counts.facet(query.facet_order, query.facet_limit)?,
            ));
        }
        Ok(facets)
    }

    /// The attributes to count, with `*` spelt out.
    fn facet_attributes(&self, asked: &[String]) -> Result<Vec<String>, QueryError> {
        let mut attributes: Vec<String> = Vec::new();
        for path in asked {
            if path == "*" {
                for path in self.core.attributes()? {
                    if !self.core.attribute(path)?.is_absent() && !attributes.contains(path) {
                        attributes.push(path.clone());
                    }
                }
            } else if !plan::covers(&self.core.plan.filterable, path) {
                return Err(QueryError::NotFacetable {
                    attribute: path.clone(),
                    available: self.core.plan.filterable.clone(),
                });
            } else if !attributes.contains(path) {
                attributes.push(path.clone());
            }
        }
        Ok(attributes)
    }

    fn check_sort(&self, query: &WordsQuery<'_>) -> Result<(), QueryError> {
        let sortable = &self.core.plan.sortable;
        match query
            .sort
            .iter()
            .find(|by| !plan::covers(sortable, &by.path))
        {
            None => Ok(()),
            Some(by) => Err(QueryError::NotSortable {
                attribute: by.path.clone(),
                available: sortable.clone(),
            }),
        }
    }

    fn distinct<'a>(&'a self, asked: Option<&'a str>) -> Result<Option<&'a str>, QueryError> {
        let Some(path) = asked else {
            return Ok(self.core.plan.distinct.as_deref());
        };
        let filterable = &self.core.plan.filterable;
        if plan::covers(filterable, path) || self.core.plan.distinct.as_deref() == Some(path) {
            return Ok(Some(path));
        }
        Err(QueryError::NotDistinct {
            attribute: path.to_owned(),
            available: filterable.clone(),
        })
    }

    /// The text fields that a request searches.
    fn searched(&self, asked: Option<&[String]>) -> Result<Searched, QueryError> {
        let texts = &self.core.fields.texts;
        let mut fields = Vec::new();
        for path in asked.unwrap_or_default() {
            let covered = |root: &str| {
                plan::covers(std::slice::from_ref(path), root) || plan::is_under(path, root)
            };
            let own = texts
                .iter()
                .enumerate()
                .filter(|(_, text)| text.path.as_deref().is_some_and(covered));
            let before = fields.len();
            fields.extend(own.map(|(place, _)| place));
            if fields.len() == before {
                // Attributes without a field of their own share one, which cannot be told apart.
                let listed = self
                    .core
                    .plan
                    .searchable
                    .iter()
                    .any(|searchable| covered(&searchable.path));
                let rest = texts.iter().position(|text| text.path.is_none());
                match rest.filter(|_| listed || self.core.plan.search_rest.is_some()) {
                    Some(place) => fields.push(place),
                    None => return Err(self.not_searchable(path)),
                }
            }
        }
        if asked.is_none() {
            fields.extend(0..texts.len());
        }
        fields.sort_unstable();
        fields.dedup();
        let disabled = &self.plan.plan.typo_disabled_attributes;
        let forgives = |place: &usize| {
            let path = texts.get(*place).and_then(|text| text.path.as_deref());
            path.is_none_or(|path| !plan::covers(disabled, path))
        };
        Ok(Searched {
            forgiving: fields.iter().map(forgives).collect(),
            fields,
        })
    }

    fn not_searchable(&self, path: &str) -> QueryError {
        let searchable = self.core.plan.searchable.iter();
        QueryError::NotSearchable {
            attribute: path.to_owned(),
            available: searchable
                .map(|searchable| searchable.path.clone())
                .collect(),
        }
    }
}
