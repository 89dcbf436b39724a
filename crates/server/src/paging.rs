//! Windows and pages of an answer, within `pagination.maxTotalHits`.
//!
//! A search is paged by `offset` and `limit`, or by `page` and `hitsPerPage` as
//! soon as either is given. Totals never promise a hit that paging cannot reach.

use crate::error::ApiError;
use crate::fields::Fields;
use serde::Serialize;

/// Hits in an answer that asks for no number.
const DEFAULT_LIMIT: usize = 20;

/// Which part of the hits is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paging {
    Window { offset: usize, limit: usize },
    Pages { page: usize, hits_per_page: usize },
}

/// The paging fields of an answer.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum PagingAnswer {
    #[serde(rename_all = "camelCase")]
    Window {
        limit: usize,
        offset: usize,
        estimated_total_hits: usize,
    },
    #[serde(rename_all = "camelCase")]
    Pages {
        page: usize,
        hits_per_page: usize,
        total_pages: usize,
        total_hits: usize,
    },
}

impl Paging {
    pub(crate) fn take(fields: &mut Fields) -> Result<Self, ApiError> {
        let offset = fields.size("offset")?.unwrap_or(0);
        let limit = fields.size("limit")?.unwrap_or(DEFAULT_LIMIT);
        let page = fields.size("page")?;
        let hits_per_page = fields.size("hitsPerPage")?;
        if page.is_none() && hits_per_page.is_none() {
            return Ok(Self::Window { offset, limit });
        }
        Ok(Self::Pages {
            page: page.unwrap_or(1),
            hits_per_page: hits_per_page.unwrap_or(DEFAULT_LIMIT),
        })
    }

    /// Offset and limit of the hits to fetch out of the first `most`.
    pub(crate) fn window(self, most: usize) -> (usize, usize) {
        let (offset, limit) = match self {
            Self::Window { offset, limit } => (offset, limit),
            // Pages count from 1; page 0 is empty, as the convention has it.
            Self::Pages { page: 0, .. } => (0, 0),
            Self::Pages {
                page,
                hits_per_page,
            } => ((page - 1).saturating_mul(hits_per_page), hits_per_page),
        };
        let offset = offset.min(most);
        (offset, limit.min(most - offset))
    }

    /// What the answer says, for this many hits in all.
    pub(crate) fn answer(self, total: usize, most: usize) -> PagingAnswer {
        let total = total.min(most);
        match self {
            Self::Window { offset, limit } => PagingAnswer::Window {
                limit,
                offset,
                estimated_total_hits: total,
            },
            Self::Pages {
                page,
                hits_per_page,
            } => PagingAnswer::Pages {
                page,
                hits_per_page,
                total_pages: if hits_per_page == 0 {
                    0
                } else {
                    total.div_ceil(hits_per_page)
                },
                total_hits: total,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_stay_within_the_most() {
        let window = |offset, limit| Paging::Window { offset, limit }.window(1000);
        let page = |page, hits_per_page| {
            Paging::Pages {
                page,
                hits_per_page,
            }
            .window(1000)
        };
        for (found, expected) in [
            (window(0, 20), (0, 20)),
            (window(990, 20), (990, 10)),
            (window(usize::MAX, usize::MAX), (1000, 0)),
            (window(5, 0), (5, 0)),
            (page(1, 20), (0, 20)),
            (page(3, 20), (40, 20)),
            (page(0, 20), (0, 0)),
            (page(1, 0), (0, 0)),
            (page(usize::MAX, usize::MAX), (1000, 0)),
        ] {
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn totals_count_what_paging_reaches() {
        let pages = Paging::Pages {
            page: 2,
            hits_per_page: 3,
        };
        assert_eq!(
            pages.answer(10, 1000),
            PagingAnswer::Pages {
                page: 2,
                hits_per_page: 3,
                total_pages: 4,
                total_hits: 10
            }
        );
        let none = Paging::Pages {
            page: 1,
            hits_per_page: 0,
        };
        assert_eq!(
            none.answer(10, 1000),
            PagingAnswer::Pages {
                page: 1,
                hits_per_page: 0,
                total_pages: 0,
                total_hits: 10
            }
        );
        let window = Paging::Window {
            offset: 0,
            limit: 20,
        };
        assert_eq!(
            window.answer(5000, 1000),
            PagingAnswer::Window {
                limit: 20,
                offset: 0,
                estimated_total_hits: 1000
            }
        );
    }
}
