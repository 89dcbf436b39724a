//! The words index: finds items by their words, filters, counts and sorts them.
//!
//! tantivy keeps postings, dictionaries and columns in segments on disk; how a
//! query is evaluated is ours, so that totals are true and every rule is one
//! we chose. [`WordsIndex`] writes one index, [`Words`] reads one state of it.
//!
//! # Which documents a query finds
//!
//! Every word of a query stands for its *forms*: itself; for the last word, if no
//! white space follows, longer words (the 100 most frequent); synonyms; two
//! neighbouring words joined, or an unknown word split in two; and, where the word
//! as typed is in fewer than 10 documents, words with one typo from 5 letters on and
//! two from 9, a wrong first letter counting as two; numbers with a unit in any spelling;
//! and in catalogues with Chinese words those that the letters are the pinyin of, and
//! those with another character. At most ten words are read.
//! Words that occur nowhere and stop words are ignored, unless nothing else is left.
//!
//! - [`Matching::All`]: a document must have every word, unknown ones included.
//! - [`Matching::Last`]: let *S(k)* be the documents that have the first *k* words.
//!   The answer is *S(k)* for the largest *k* that gives 20 documents, else *S(1)*.
//! - [`Matching::Frequency`]: the same with the words ordered from rare to frequent.
//!
//! So an answer depends neither on the page asked for nor on the filter: a facet's
//! count is what the same query finds with that value as a filter. Quoted phrases
//! must be there, words behind a minus must not.
//!
//! # Their order
//!
//! The ranking rules in turn: *words* (more first), *typo* (fewer first), *sort*
//! (what the request asks), *asc* and *desc*. Proximity, attribute and exactness have
//! no step of their own: they are part of the score, which is BM25F over all forms
//! and fields with an extra for query words side by side in the first field. Where an
//! *asc* or *desc* rule stands behind one of those three, documents are first told
//! apart by their score in five coarse steps. Then follow score and id. An empty query
//! finds everything in order of insertion, which is that of the numbers that the caller
//! gives; a replaced document keeps its number.
//!
//! # Together with another source
//!
//! A query may bring items that another source has scored ([`Joined`]). The answer then
//! holds these and what the words find. The *words* and *typo* rules have no step, and
//! relevance is one score from 0 to 1: the document's share of the best share that the
//! words give, and the source's score, weighed by a ratio.

mod answer;
mod bits;
mod checks;
mod chinese;
mod columns;
mod compounds;
mod corrections;
mod error;
mod expand;
mod facets;
mod filter;
mod flatten;
mod format;
mod index;
mod joined;
mod keys;
mod lookup;
mod numbers;
mod order;
mod parse;
mod places;
mod plan;
mod postings;
mod query_plan;
mod recognise;
mod schema;
mod score;
mod snapshot;
mod spread;
#[cfg(test)]
mod tests;
mod translate;
mod understood;
mod units;
mod value;
mod words;

pub use answer::{
    Facet, FacetOrder, FacetOrders, FacetStats, MatchedTerms, Matching, SortBy, SortOrder,
    Understood, WordKind, WordsAnswer, WordsHit, WordsQuery,
};
pub use bits::ItemSet;
pub use error::{LexicalError, QueryError};
pub use index::WordsIndex;
pub use joined::{Again, Joined};
pub use lookup::Column;
pub use places::geo_point;
pub use plan::{AnalyzerPlan, IndexPlan, Localized, QueryPlan, RankingRule, Searchable};
pub use snapshot::Place;
pub use words::{Members, Words};
