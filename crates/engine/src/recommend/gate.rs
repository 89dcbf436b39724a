//! Which items may be shown: in the catalogue, in stock, through the filter, not hidden, and
//! suited to the shopper.

use super::candidate::{Candidate, Passed};
use super::request::RecommendRequest;
use crate::EngineError;
use crate::allowed::check_filterable;
use crate::snapshot::{IndexReader, IndexState};
use crate::suitability::Suited;
use domain::{Comparison, Filter, FilterValue};
use intake::Role;
use lexical::{ItemSet, Place, QueryError, Words};
use rustc_hash::FxHashSet;

/// See the module documentation.
pub(super) struct Gate<'a> {
    words: &'a Words,
    filter: Option<ItemSet>,
    sold_out: Option<&'a ItemSet>,
    hidden: FxHashSet<String>,
    /// The items that suit the shopper, where the shop has set which do.
    suited: Option<ItemSet>,
    /// Candidates that would have passed but for that.
    pub unsuited: usize,
    /// Candidates that were turned away.
    pub turned_away: usize,
}

impl<'a> Gate<'a> {
    /// The gate of a request, which hides these items besides.
    pub fn new(
        reader: &'a IndexReader,
        request: &RecommendRequest,
        hidden: FxHashSet<String>,
        suited: Option<&Suited>,
    ) -> Result<Self, EngineError> {
        let words = &reader.state.words;
        let filter = match &request.filter {
            Some(filter) => {
                check_filterable(&reader.state.meta, filter)?;
                Some(words.filter_set(filter)?)
            }
            None => None,
        };
        let sold_out = match request.sold_out {
            true => None,
            false => reader.state.sold_out()?,
        };
        let suited = suited.map(|suited| words.filter_set(&suited.filter()));
        Ok(Self {
            words,
            filter,
            sold_out,
            hidden,
            suited: suited.transpose()?,
            unsuited: 0,
            turned_away: 0,
        })
    }

    /// Where an item stands, if it may be shown.
    pub fn place(&self, id: &str) -> Result<Option<Place>, QueryError> {
        let place = self.offered(id)?;
        Ok(place.filter(|&place| self.is_suited(place)))
    }

    fn is_suited(&self, place: Place) -> bool {
        self.suited.as_ref().is_none_or(|set| set.has_place(place))
    }

    /// Where an item stands, if it may be shown to somebody.
    fn offered(&self, id: &str) -> Result<Option<Place>, QueryError> {
        if self.hidden.contains(id) {
            return Ok(None);
        }
        let Some(place) = self.words.place_of(id)? else {
            return Ok(None);
        };
        let is_let_through = self.filter.as_ref().is_none_or(|set| set.has_place(place));
        let is_sold_out = self.sold_out.is_some_and(|set| set.has_place(place));
        Ok((is_let_through && !is_sold_out).then_some(place))
    }

    /// The filter of the request.
    pub fn filter(&self) -> Option<&ItemSet> {
        self.filter.as_ref()
    }

    /// The first so many candidates that may be shown, each once.
    pub fn first(
        &mut self,
        most: usize,
        candidates: impl Iterator<Item = Candidate>,
        id: impl Fn(&Candidate) -> String,
    ) -> Result<Vec<Passed>, QueryError> {
        let mut passed = Vec::new();
        let mut seen = FxHashSet::default();
        for candidate in candidates {
            let id = id(&candidate);
            if !seen.insert(id.clone()) {
                continue;
            }
            match self.offered(&id)? {
                Some(place) if self.is_suited(place) => passed.push(Passed {
                    id,
                    place,
                    candidate,
                }),
                Some(_) => {
                    self.unsuited += 1;
                    self.turned_away += 1;
                }
                None => self.turned_away += 1,
            }
            if passed.len() == most {
                break;
            }
        }
        Ok(passed)
    }
}

impl IndexState {
    /// The items whose stock is none, where an attribute has the role `stock`.
    fn sold_out(&self) -> Result<Option<&ItemSet>, QueryError> {
        let Some(attribute) = self.roles.first(Role::Stock) else {
            return Ok(None);
        };
        if let Some(known) = self.sold_out.get() {
            return Ok(Some(known));
        }
        let compare = |comparison, value: &str| Filter::Compare {
            attribute: attribute.to_owned(),
            comparison,
            value: FilterValue::new(value.to_owned()),
        };
        // A stock is a count, or yes and no.
        let none = Filter::Or(vec![
            compare(Comparison::LessOrEqual, "0"),
            compare(Comparison::Equal, "false"),
        ]);
        let found = self.words.filter_set(&none)?;
        Ok(Some(self.sold_out.get_or_init(|| found)))
    }
}
