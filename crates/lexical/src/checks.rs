//! What a request may ask for: attributes are checked against the plan, and a
//! refusal lists what would be allowed.

use crate::answer::SortBy;
use crate::error::QueryError;
use crate::plan;
use crate::score::Searched;
use crate::snapshot::Core;

impl Core {
    /// The attributes to count, with `*` spelt out.
    pub fn facet_attributes(&self, asked: &[String]) -> Result<Vec<String>, QueryError> {
        let mut attributes: Vec<String> = Vec::new();
        for path in asked {
            if path == "*" {
                for path in self.attributes()? {
                    if !self.attribute(path)?.is_absent() && !attributes.contains(path) {
                        attributes.push(path.clone());
                    }
                }
            } else if !plan::covers(&self.plan.filterable, path) {
                return Err(QueryError::NotFacetable {
                    attribute: path.clone(),
                    available: self.plan.filterable.clone(),
                });
            } else if !attributes.contains(path) {
                attributes.push(path.clone());
            }
        }
        Ok(attributes)
    }

    pub fn check_sort(&self, sort: &[SortBy]) -> Result<(), QueryError> {
        let sortable = &self.plan.sortable;
        match sort.iter().find(|by| !plan::covers(sortable, &by.path)) {
            None => Ok(()),
            Some(by) => Err(QueryError::NotSortable {
                attribute: by.path.clone(),
                available: sortable.clone(),
            }),
        }
    }

    pub fn distinct<'a>(&'a self, asked: Option<&'a str>) -> Result<Option<&'a str>, QueryError> {
        let Some(path) = asked else {
            return Ok(self.plan.distinct.as_deref());
        };
        let filterable = &self.plan.filterable;
        if plan::covers(filterable, path) || self.plan.distinct.as_deref() == Some(path) {
            return Ok(Some(path));
        }
        Err(QueryError::NotDistinct {
            attribute: path.to_owned(),
            available: filterable.clone(),
        })
    }

    /// The text fields that a request searches.
    pub fn searched(
        &self,
        asked: Option<&[String]>,
        typo_disabled: &[String],
    ) -> Result<Searched, QueryError> {
        let texts = &self.fields.texts;
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
                    .plan
                    .searchable
                    .iter()
                    .any(|searchable| covered(&searchable.path));
                let rest = texts.iter().position(|text| text.path.is_none());
                match rest.filter(|_| listed || self.plan.search_rest.is_some()) {
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
        let forgives = |place: &usize| {
            let path = texts.get(*place).and_then(|text| text.path.as_deref());
            path.is_none_or(|path| !plan::covers(typo_disabled, path))
        };
        Ok(Searched {
            forgiving: fields.iter().map(forgives).collect(),
            fields,
        })
    }

    fn not_searchable(&self, path: &str) -> QueryError {
        let searchable = self.plan.searchable.iter();
        QueryError::NotSearchable {
            attribute: path.to_owned(),
            available: searchable
                .map(|searchable| searchable.path.clone())
                .collect(),
        }
    }
}
