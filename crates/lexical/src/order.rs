//! The order of an answer: ranking rules, then score, then id.
//!
//! Every rule that looks at an attribute becomes a number that compares alike in
//! all segments. Ids do not, so each segment picks its own best first, and only
//! those few are compared by their ids.

use crate::answer::{SortBy, SortOrder};
use crate::columns::Attribute;
use crate::error::QueryError;
use crate::keys::{Key, MISSING, key};
use crate::places::Places;
use crate::plan::RankingRule;
use crate::score::Candidate;
use crate::snapshot::Core;
use domain::GeoPoint;
use rustc_hash::FxHashMap;
use std::cell::OnceCell;
use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;
use tantivy::TantivyError;

/// Scores that differ by less of the best one are alike to a rule that comes after relevance.
const BUCKETS: f32 = 5.0;

/// What decides between two documents, most important first.
pub(crate) enum Rule {
    /// More words of the query first.
    Words,
    /// Fewer typos first.
    Typos,
    /// Clearly better scores first.
    Relevance,
    Column {
        attribute: Arc<Attribute>,
        descending: bool,
    },
    Distance {
        places: Places,
        from: GeoPoint,
        descending: bool,
    },
}

impl Rule {
    /// Whether the rule needs to know more than how well the words match.
    pub fn is_column(&self) -> bool {
        matches!(self, Self::Column { .. } | Self::Distance { .. })
    }

    /// Whether the rule looks at nothing but how the words match.
    pub fn is_of_words(&self) -> bool {
        matches!(self, Self::Words | Self::Typos)
    }
}

/// What decides between documents that the rules leave equal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tie {
    Id,
    Insertion,
}

/// The rules for one request.
pub(crate) fn rules(
    core: &Core,
    ranking: &[RankingRule],
    sort: &[SortBy],
) -> Result<Vec<Rule>, TantivyError> {
    let mut rules = Vec::new();
    let mut relevance = Relevance::NotYet;
    for rule in ranking {
        match rule {
            RankingRule::Words => rules.push(Rule::Words),
            RankingRule::Typo => rules.push(Rule::Typos),
            RankingRule::Proximity | RankingRule::Attribute | RankingRule::Exactness => {
                if relevance == Relevance::NotYet {
                    relevance = Relevance::Due;
                }
            }
            RankingRule::Sort => {
                for by in sort {
                    let descending = by.order == SortOrder::Descending;
                    rules.push(match by.from {
                        Some(from) => Rule::Distance {
                            places: Places::open(core)?,
                            from,
                            descending,
                        },
                        None => Rule::Column {
                            attribute: core.attribute(&by.path)?,
                            descending,
                        },
                    });
                }
            }
            RankingRule::Asc(path) | RankingRule::Desc(path) => {
                if relevance == Relevance::Due {
                    rules.push(Rule::Relevance);
                    relevance = Relevance::Done;
                }
                rules.push(Rule::Column {
                    attribute: core.attribute(path)?,
                    descending: matches!(rule, RankingRule::Desc(_)),
                });
            }
        }
    }
    Ok(rules)
}

/// Whether rules for relevance came before the first rule for an attribute of the shop.
#[derive(PartialEq)]
enum Relevance {
    NotYet,
    Due,
    Done,
}

/// Candidates with everything that is needed to compare them.
pub(crate) struct Ranked<'a> {
    core: &'a Core,
    candidates: &'a [Candidate],
    rules: &'a [Rule],
    columns: usize,
    keys: Vec<Key>,
    best: f32,
    tie: Tie,
}

impl<'a> Ranked<'a> {
    pub fn new(
        core: &'a Core,
        candidates: &'a [Candidate],
        rules: &'a [Rule],
        tie: Tie,
    ) -> Result<Self, QueryError> {
        let columns = rules.iter().filter(|rule| rule.is_column()).count();
        let mut keys = Vec::with_capacity(columns * candidates.len());
        if columns > 0 {
            for candidate in candidates {
                for rule in rules {
                    match rule {
                        Rule::Column {
                            attribute,
                            descending,
                        } => keys.push(key(core, attribute, candidate, *descending)?),
                        Rule::Distance {
                            places,
                            from,
                            descending,
                        } => keys.push(places.key(*from, candidate, *descending)),
                        Rule::Words | Rule::Typos | Rule::Relevance => (),
                    }
                }
            }
        }
        let best = candidates
            .iter()
            .map(|candidate| candidate.plain)
            .fold(f32::MIN_POSITIVE, f32::max);
        Ok(Self {
            core,
            candidates,
            rules,
            columns,
            keys,
            best,
            tie,
        })
    }

    /// By the rules and the score, not yet by id.
    fn by_rules(&self, a: usize, b: usize) -> Ordering {
        let (left, right) = (&self.candidates[a], &self.candidates[b]);
        let mut column = 0;
        for rule in self.rules {
            let order = match rule {
                Rule::Words => right.words.cmp(&left.words),
                Rule::Typos => left.typos.cmp(&right.typos),
                Rule::Relevance => self.bucket(right).cmp(&self.bucket(left)),
                Rule::Column { .. } | Rule::Distance { .. } => {
                    let key = |number: usize| self.keys[number * self.columns + column];
                    let order = key(a).cmp(&key(b));
                    column += 1;
                    order
                }
            };
            if order != Ordering::Equal {
                return order;
            }
        }
        right.relevance.total_cmp(&left.relevance)
    }

    fn bucket(&self, candidate: &Candidate) -> u32 {
        (candidate.plain / self.best * BUCKETS).round() as u32
    }

    /// The best `wanted` candidates in their final order, as places in the list of candidates.
    pub fn top(&self, members: &[usize], wanted: usize) -> Result<Vec<usize>, QueryError> {
        let mut chosen = Vec::new();
        for range in self.by_segment(members) {
            let mut local: Vec<(u64, usize)> = members[range]
                .iter()
                .map(|place| (self.local_tie(&self.candidates[*place]), *place))
                .collect();
            let compare =
                |a: &(u64, usize), b: &(u64, usize)| self.by_rules(a.1, b.1).then(a.0.cmp(&b.0));
            if wanted < local.len() {
                if wanted > 0 {
                    local.select_nth_unstable_by(wanted - 1, compare);
                }
                local.truncate(wanted);
            }
            chosen.extend(local);
        }
        // Ids decide between equals only, and reading one is slow, so whoever is out by the rules
        // goes before that.
        if wanted < chosen.len() {
            let by_rules = |a: &(u64, usize), b: &(u64, usize)| self.by_rules(a.1, b.1);
            let (_, last, _) = chosen.select_nth_unstable_by(wanted - 1, by_rules);
            let last = *last;
            chosen.retain(|one| by_rules(one, &last).is_le());
        }
        let ids: FxHashMap<usize, OnceCell<String>> = chosen
            .iter()
            .map(|(_, place)| (*place, OnceCell::new()))
            .collect();
        let failure = OnceCell::new();
        let id = |place: usize| -> &str {
            let Some(cell) = ids.get(&place) else {
                return "";
            };
            cell.get_or_init(|| {
                let id = self.id(place);
                id.unwrap_or_else(|error| {
                    failure.set(error).ok();
                    String::new()
                })
            })
        };
        chosen.sort_unstable_by(|a, b| {
            self.by_rules(a.1, b.1).then_with(|| {
                let same = self.candidates[a.1].segment == self.candidates[b.1].segment;
                if same || self.tie == Tie::Insertion {
                    a.0.cmp(&b.0)
                } else {
                    id(a.1).cmp(id(b.1))
                }
            })
        });
        if let Some(error) = failure.into_inner() {
            return Err(error);
        }
        chosen.truncate(wanted);
        Ok(chosen.into_iter().map(|(_, place)| place).collect())
    }

    /// Whether the first of two candidates comes before the second.
    pub fn is_before(&self, a: usize, b: usize) -> Result<bool, QueryError> {
        let order = match self.by_rules(a, b) {
            Ordering::Equal if self.tie == Tie::Insertion => self
                .local_tie(&self.candidates[a])
                .cmp(&self.local_tie(&self.candidates[b])),
            Ordering::Equal => self.id(a)?.cmp(&self.id(b)?),
            order => order,
        };
        Ok(order == Ordering::Less)
    }

    /// The id of a candidate.
    pub fn id(&self, place: usize) -> Result<String, QueryError> {
        let candidate = &self.candidates[place];
        Ok(self.core.segments[candidate.segment as usize].id(candidate.doc)?)
    }

    fn local_tie(&self, candidate: &Candidate) -> u64 {
        let segment = &self.core.segments[candidate.segment as usize];
        match self.tie {
            Tie::Id => segment.id_rank(candidate.doc),
            Tie::Insertion => segment.number(candidate.doc),
        }
    }

    /// The stretches of members that lie in one segment.
    fn by_segment(&self, members: &[usize]) -> Vec<Range<usize>> {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        let segment = |place: usize| self.candidates[members[place]].segment;
        for place in 0..members.len() {
            match ranges
                .last_mut()
                .filter(|range| segment(range.start) == segment(place))
            {
                Some(range) => range.end = place + 1,
                None => ranges.push(place..place + 1),
            }
        }
        ranges
    }
}

/// Keeps the best candidate of every value of an attribute; those without a value all stay.
pub(crate) fn distinct(
    order: &Ranked<'_>,
    candidates: &[Candidate],
    attribute: &Attribute,
    members: Vec<usize>,
) -> Result<Vec<usize>, QueryError> {
    let mut best: FxHashMap<Key, usize> = FxHashMap::default();
    let mut keys = Vec::with_capacity(members.len());
    for place in &members {
        let key = key(order.core, attribute, &candidates[*place], ASCENDING)?;
        keys.push(key);
        if key.0 == MISSING {
            continue;
        }
        match best.get_mut(&key) {
            None => {
                best.insert(key, *place);
            }
            Some(holder) => {
                if order.is_before(*place, *holder)? {
                    *holder = *place;
                }
            }
        }
    }
    let kept = members.iter().zip(keys);
    Ok(kept
        .filter(|(place, key)| best.get(key).is_none_or(|holder| holder == *place))
        .map(|(place, _)| *place)
        .collect())
}

/// The direction in which the value of a list is picked that stands for the whole list.
const ASCENDING: bool = false;
