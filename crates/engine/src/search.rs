//! A search request and its answer.

use crate::suitability::Suited;
use domain::{Filter, Timestamp, UserId};
use lexical::{FacetStats, Matching, SortBy, Understood};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// One search. `SearchRequest::default()` is a placeholder search with limit 20.
#[derive(Clone, Debug)]
pub struct SearchRequest {
    pub q: String,
    pub offset: usize,
    pub limit: usize,
    pub filter: Option<Filter>,
    pub facets: Vec<String>,
    pub sort: Vec<SortBy>,
    pub distinct: Option<String>,
    pub matching: Matching,
    /// Say what was understood of the text.
    pub show_understood: bool,
    /// `attributesToSearchOn`.
    pub search_on: Option<Vec<String>>,
    /// `rankingScoreThreshold`.
    pub score_threshold: Option<f64>,
    /// `attributesToRetrieve`; `None` is everything displayed.
    pub retrieve: Option<Vec<String>>,
    pub highlight: Vec<String>,
    pub crop: Vec<CropAttribute>,
    pub crop_length: usize,
    pub crop_marker: String,
    pub highlight_pre: String,
    pub highlight_post: String,
    pub show_matches_position: bool,
    pub show_ranking_score: bool,
    pub show_ranking_score_details: bool,
    /// Hits have their vectors, under `_vectors`.
    pub retrieve_vectors: bool,
    /// Search by meaning as well as by words.
    pub hybrid: Option<Hybrid>,
    /// The query as a vector, for `hybrid`.
    pub vector: Option<Vec<f32>>,
    /// `relevanceCutoff`: how relevant by meaning an item must be to belong to the answer when
    /// no word of it matches, from 0 to 1.
    pub relevance_cutoff: Option<f32>,
    /// Languages that the text may be in; any where none are named.
    pub locales: Vec<String>,
    /// The answer is what this item is like, by its id; then there is no text.
    pub like: Option<String>,
    /// Who asks; of weight where the shop has set which items suit whom.
    pub user: Option<UserId>,
}

/// How meaning takes part in a search.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hybrid {
    /// The embedder by name; the standard one unless told.
    pub embedder: Option<String>,
    /// From 0, words alone, to 1, meaning alone; derived from the query unless told.
    pub ratio: Option<f32>,
}

impl Default for SearchRequest {
    fn default() -> Self {
        Self {
            q: String::new(),
            offset: 0,
            limit: 20,
            filter: None,
            facets: Vec::new(),
            sort: Vec::new(),
            distinct: None,
            matching: Matching::Last,
            show_understood: false,
            search_on: None,
            score_threshold: None,
            retrieve: None,
            highlight: Vec::new(),
            crop: Vec::new(),
            crop_length: 10,
            crop_marker: "…".to_owned(),
            highlight_pre: "<em>".to_owned(),
            highlight_post: "</em>".to_owned(),
            show_matches_position: false,
            show_ranking_score: false,
            show_ranking_score_details: false,
            retrieve_vectors: false,
            hybrid: None,
            vector: None,
            relevance_cutoff: None,
            locales: Vec::new(),
            like: None,
            user: None,
        }
    }
}

/// An attribute to crop (`*` for all), with its own length in words if given as `name:12`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CropAttribute {
    pub name: String,
    pub words: Option<usize>,
}

/// The ordered answer. `total` counts exactly what paging would reach.
#[derive(Debug)]
pub struct SearchAnswer {
    pub hits: Vec<SearchHit>,
    pub total: usize,
    pub facets: Vec<FacetAnswer>,
    /// Hits of this page that no word found, where meaning took part.
    pub semantic_hits: Option<usize>,
    /// What meaning lacked where it was to take part, so that the answer may lack items.
    pub meaning_lacks: Option<String>,
    /// What was understood of the text, where the request asks for it.
    pub understood: Option<QueryUnderstood>,
    /// The rule of suitability that held, if one did.
    pub suited: Option<Suited>,
    /// When the snapshot that answered was published.
    pub as_of: Timestamp,
}

/// What was understood of a query.
#[derive(Clone, Debug)]
pub struct QueryUnderstood {
    /// As ISO 639-1 has it; nothing for a text that is too short to tell.
    pub language: Option<&'static str>,
    pub words: Vec<Understood>,
}

/// One document of the answer.
#[derive(Debug)]
pub struct SearchHit {
    /// The document's JSON object, already cut to the attributes to retrieve.
    pub document: Box<RawValue>,
    /// Metres from the point that the request sorts by.
    pub geo_distance: Option<u64>,
    pub formatted: Option<Map<String, Value>>,
    /// Attribute path to the matches in its text.
    pub matches_position: Option<Vec<(String, Vec<Span>)>>,
    pub ranking_score: Option<f64>,
    pub ranking_score_details: Option<Map<String, Value>>,
}

/// A match: `start` and `length` in bytes; `indices` names the elements of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: usize,
    pub length: usize,
    pub indices: Vec<usize>,
}

/// Counts of one attribute's values over the whole result set.
#[derive(Clone, Debug)]
pub struct FacetAnswer {
    pub attribute: String,
    pub values: Vec<(String, u64)>,
    pub stats: Option<FacetStats>,
}
