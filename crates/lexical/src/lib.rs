//! The words index.

mod answer;
mod bits;
mod columns;
mod error;
mod expand;
mod facets;
mod filter;
mod flatten;
mod format;
mod index;
mod order;
mod parse;
mod plan;
mod postings;
mod query_plan;
mod schema;
mod score;
mod snapshot;
mod units;
mod value;
mod words;

pub use answer::{
    Facet, FacetOrder, FacetStats, MatchedTerms, Matching, SortBy, SortOrder, WordsAnswer, WordsHit, WordsQuery,
};
pub use bits::ItemSet;
pub use error::{LexicalError, QueryError};
pub use index::WordsIndex;
pub use plan::{AnalyzerPlan, IndexPlan, QueryPlan, RankingRule, Searchable};
pub use words::Words;
