//! What a shop allows to be filtered, counted and sorted by.
//!
//! The words index holds more columns than that: those that profiles and prices need. A
//! filterable attribute may be allowed for some kinds of conditions only; of several
//! entries that cover an attribute the first one counts.

use crate::search::SearchRequest;
use crate::settings::{FilterFeatures, FilterableAttribute};
use crate::tables::IndexMeta;
use crate::{EngineError, plan};
use domain::{Filter, FilterUse};
use lexical::{QueryError, SortBy};

/// Refuses what a search must not ask.
pub(crate) fn check_search(meta: &IndexMeta, request: &SearchRequest) -> Result<(), EngineError> {
    if let Some(filter) = &request.filter {
        check_filterable(meta, filter)?;
    }
    check_sortable(meta, &request.sort)?;
    check_distinct(meta, request.distinct.as_deref())?;
    for facet in request.facets.iter().filter(|facet| facet.as_str() != "*") {
        check_facet(meta, facet)?;
    }
    Ok(())
}

/// Refuses a filter on an attribute that is not filterable, or not so.
pub(crate) fn check_filterable(meta: &IndexMeta, filter: &Filter) -> Result<(), EngineError> {
    for (attribute, used) in filter.uses() {
        let Some(features) = features(meta, attribute) else {
            return Err(QueryError::NotFilterable {
                attribute: attribute.to_owned(),
                available: spelt_out(&plan::filterable_names(&meta.settings), meta),
            }
            .into());
        };
        let (allowed, operators) = match used {
            FilterUse::Equality => (features.filter.equality, "`=`, `!=` and `IN`"),
            FilterUse::Order => (features.filter.comparison, "`<`, `<=`, `>`, `>=` and `TO`"),
            FilterUse::Presence => (true, ""),
        };
        if !allowed {
            return Err(EngineError::OperatorNotAllowed {
                attribute: attribute.to_owned(),
                operators,
            });
        }
    }
    Ok(())
}

/// Refuses to count the values of an attribute that is not filterable.
pub(crate) fn check_facet(meta: &IndexMeta, facet: &str) -> Result<(), QueryError> {
    match features(meta, facet) {
        Some(_) => Ok(()),
        None => Err(QueryError::NotFacetable {
            attribute: facet.to_owned(),
            available: spelt_out(&plan::filterable_names(&meta.settings), meta),
        }),
    }
}

/// Refuses to search the values of an attribute that is not made for it.
pub(crate) fn check_facet_search(meta: &IndexMeta, facet: &str) -> Result<(), EngineError> {
    if features(meta, facet).is_some_and(|features| features.facet_search) {
        return Ok(());
    }
    Err(EngineError::NotFacetSearchable(facet.to_owned()))
}

/// Refuses to sort by an attribute that is not sortable.
pub(crate) fn check_sortable(meta: &IndexMeta, sort: &[SortBy]) -> Result<(), QueryError> {
    let settings = &meta.settings;
    let allowed = settings.sortable_attributes.as_deref().unwrap_or_default();
    for by in sort {
        if !allowed
            .iter()
            .any(|pattern| covers_known(pattern, &by.path, meta))
        {
            return Err(QueryError::NotSortable {
                attribute: by.path.clone(),
                available: spelt_out(allowed, meta),
            });
        }
    }
    Ok(())
}

/// Refuses to keep one item of each value of an attribute that is not filterable.
fn check_distinct(meta: &IndexMeta, distinct: Option<&str>) -> Result<(), QueryError> {
    match distinct {
        Some(attribute)
            if !is_filterable(meta, attribute)
                && meta.settings.distinct_attribute.as_deref() != Some(attribute) =>
        {
            Err(QueryError::NotDistinct {
                attribute: attribute.to_owned(),
                available: spelt_out(&plan::filterable_names(&meta.settings), meta),
            })
        }
        _ => Ok(()),
    }
}

/// Whether a shop lets people filter by an attribute.
pub(crate) fn is_filterable(meta: &IndexMeta, attribute: &str) -> bool {
    features(meta, attribute).is_some()
}

/// What may be done with an attribute; `None` when it is not filterable.
fn features(meta: &IndexMeta, attribute: &str) -> Option<FilterFeatures> {
    let listed = meta.settings.filterable_attributes.iter().flatten();
    for entry in listed {
        match entry {
            FilterableAttribute::Name(name) if covers_known(name, attribute, meta) => {
                return Some(FilterFeatures::ALL);
            }
            FilterableAttribute::Patterns(object)
                if object
                    .attribute_patterns
                    .iter()
                    .any(|pattern| covers_known(pattern, attribute, meta)) =>
            {
                return Some(object.features);
            }
            FilterableAttribute::Name(_) | FilterableAttribute::Patterns(_) => (),
        }
    }
    None
}

/// A name covers its attribute always, a pattern only what some document has: behind a
/// `*` a misspelt attribute would find nothing without a word.
fn covers_known(pattern: &str, attribute: &str, meta: &IndexMeta) -> bool {
    let top = attribute.split('.').next().unwrap_or(attribute);
    let known = || meta.fields.contains_key(attribute) || meta.fields.contains_key(top);
    plan::covers(pattern, attribute) && (!pattern.contains('*') || known())
}

/// The names a person can choose from: patterns are replaced by the attributes they cover.
fn spelt_out(allowed: &[String], meta: &IndexMeta) -> Vec<String> {
    let mut names = Vec::new();
    for pattern in allowed {
        if pattern.contains('*') {
            names.extend(
                meta.fields
                    .keys()
                    .filter(|name| plan::covers(pattern, name))
                    .cloned(),
            );
        } else {
            names.push(pattern.clone());
        }
    }
    names.sort();
    names.dedup();
    names
}
