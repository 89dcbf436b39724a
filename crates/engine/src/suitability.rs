//! Which items suit a shopper: those whose class is no higher than the shopper's.
//!
//! This is a rule and no matter of taste: nothing else of it goes into a score. Where it is set,
//! a shopper whose class nobody has stated is shown nothing, and so is to everybody an item
//! without a class. Without a shopper there is nobody whom it could protect, and it is silent.

use crate::EngineError;
use crate::fields::at;
use crate::search::SearchRequest;
use crate::snapshot::IndexReader;
use domain::{Comparison, Filter, FilterValue, UserId};
use serde_json::Value;
use std::borrow::Cow;

/// The rule as it holds for one shopper.
#[derive(Clone, Debug, PartialEq)]
pub struct Suited {
    /// The attribute of items with their class.
    pub attribute: String,
    /// The shopper's class; `None` when nobody has stated it.
    pub at_most: Option<f64>,
}

impl Suited {
    /// What items must be like.
    pub(crate) fn filter(&self) -> Filter {
        match self.at_most {
            Some(class) => Filter::Compare {
                attribute: self.attribute.clone(),
                comparison: Comparison::LessOrEqual,
                value: FilterValue::new(class.to_string()),
            },
            // None at all.
            None => Filter::or(Vec::new()),
        }
    }
}

impl IndexReader {
    /// The rule for a shopper, where the shop has set one.
    pub(crate) fn suited(&self, user: Option<&UserId>) -> Result<Option<Suited>, EngineError> {
        let (Some(setting), Some(user)) = (&self.settings().suitability, user) else {
            return Ok(None);
        };
        let record = self.shopper_record(user.as_str())?;
        let class = record
            .as_ref()
            .and_then(|record| match at(record, &setting.shopper)? {
                Value::Number(class) => class.as_f64(),
                Value::String(class) => class.trim().parse().ok(),
                _ => None,
            });
        Ok(Some(Suited {
            attribute: setting.item.clone(),
            at_most: class.filter(|class| class.is_finite()),
        }))
    }

    /// A search narrowed to what suits its shopper, and the rule if one holds.
    pub(crate) fn suited_search<'a>(
        &self,
        request: &'a SearchRequest,
    ) -> Result<(Cow<'a, SearchRequest>, Option<Suited>), EngineError> {
        let Some(suited) = self.suited(request.user.as_ref())? else {
            return Ok((Cow::Borrowed(request), None));
        };
        let mut narrowed = request.clone();
        let filters = request.filter.clone().into_iter().chain([suited.filter()]);
        narrowed.filter = Some(Filter::and(filters.collect()));
        Ok((Cow::Owned(narrowed), Some(suited)))
    }
}
