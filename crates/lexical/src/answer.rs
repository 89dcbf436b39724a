//! What is asked of the words index, and what it answers.
//!
//! The query borrows from the request; the answer owns everything, so that it
//! outlives the snapshot it was computed on.

use crate::joined::Joined;
use domain::{Filter, GeoPoint};
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;
use std::time::Instant;
use text::{Extent, Token};

/// One search request.
#[derive(Clone, Debug)]
pub struct WordsQuery<'a> {
    /// What was typed; empty finds everything.
    pub text: &'a str,
    pub filter: Option<&'a Filter>,
    pub sort: &'a [SortBy],
    /// Attributes to count values of; `*` stands for every filterable one.
    pub facets: &'a [String],
    /// Overrides the distinct attribute of the index.
    pub distinct: Option<&'a str>,
    pub offset: usize,
    pub limit: usize,
    pub matching: Matching,
    /// Search only in these searchable attributes.
    pub attributes: Option<&'a [String]>,
    /// Leave out hits that score lower.
    pub score_threshold: Option<f64>,
    /// Most values listed for one facet.
    pub facet_limit: usize,
    pub facet_orders: FacetOrders,
    /// From this moment on typos are not forgiven and nearness is not looked at.
    pub deadline: Option<Instant>,
    /// What another source found for the same request.
    pub joined: Option<Joined<'a>>,
    /// Say what the words of the text were taken for.
    pub explain: bool,
    /// Whether the text is English, where that is known.
    pub english: Option<bool>,
}

impl<'a> WordsQuery<'a> {
    /// The first 20 hits for a text, nothing else asked.
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            filter: None,
            sort: &[],
            facets: &[],
            distinct: None,
            offset: 0,
            limit: 20,
            matching: Matching::Last,
            attributes: None,
            score_threshold: None,
            facet_limit: 100,
            facet_orders: FacetOrders::default(),
            deadline: None,
            joined: None,
            explain: false,
            english: None,
        }
    }
}

/// Order by one attribute, or by how far away an item is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortBy {
    /// `_geo` for distances.
    pub path: String,
    pub order: SortOrder,
    /// Order by the distance from here.
    pub from: Option<GeoPoint>,
}

/// Small first or large first. Items without the attribute come last either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortOrder {
    Ascending,
    Descending,
}

/// Which words of a query may be missing from a hit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Matching {
    /// Words may be dropped from the end of the query.
    #[default]
    Last,
    /// None may be dropped.
    All,
    /// The most frequent words may be dropped.
    Frequency,
}

/// How the values of a facet are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FacetOrder {
    /// Numbers, then text in alphabetical order.
    #[default]
    Alpha,
    /// The most frequent value first.
    Count,
}

/// How the values of each facet are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FacetOrders {
    /// By attribute, where it is another than the usual one.
    pub own: BTreeMap<String, FacetOrder>,
    pub usual: FacetOrder,
}

impl FacetOrders {
    /// The order for one attribute.
    pub fn of(&self, path: &str) -> FacetOrder {
        self.own.get(path).copied().unwrap_or(self.usual)
    }
}

/// The answer to one [`WordsQuery`].
#[derive(Clone, Debug)]
pub struct WordsAnswer {
    pub hits: Vec<WordsHit>,
    /// Exactly as many hits as paging through would reach.
    pub total: usize,
    /// In the order they were asked for.
    pub facets: Vec<(String, Facet)>,
    /// What to highlight.
    pub terms: MatchedTerms,
    /// What the words were taken for, where the query asks for it.
    pub understood: Vec<Understood>,
}

/// One found document.
#[derive(Clone, Debug, PartialEq)]
pub struct WordsHit {
    pub id: String,
    /// From 0 to 1; the share of the query's weight that the document carries. 1 for an empty query.
    /// Where another source was joined, the joined score.
    pub score: f64,
    /// What the words give, before it is divided by the most that the query could give.
    pub bm25: f32,
    /// The same after it is divided, from 0 to 1.
    pub share: f32,
    /// Query words that the document has.
    pub words: u8,
    /// Of so many.
    pub asked: usize,
    /// Typos that had to be forgiven for that.
    pub typos: u8,
    /// Where another source was joined: the joined score. What of it is not
    /// [`other`](Self::other) comes from the words.
    pub joined: Option<f32>,
    /// Where another source was joined: what that contributes to the joined score.
    pub other: Option<f32>,
}

/// The values of one attribute among all hits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facet {
    pub values: Vec<(String, u64)>,
    /// Set when any hit has a number there.
    pub stats: Option<FacetStats>,
}

/// The range of an attribute's numbers among all hits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FacetStats {
    pub min: f64,
    pub max: f64,
}

/// A word of a query, and what it was taken for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Understood {
    /// As it was typed; a phrase has its words with spaces between them.
    pub text: String,
    pub kind: WordKind,
    /// What it was taken for, where that is not the word itself.
    pub meant: Option<String>,
    /// The attribute that has it as a value.
    pub attribute: Option<String>,
}

/// What a word of a query is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordKind {
    /// Itself.
    Word,
    /// In quotation marks.
    Phrase,
    /// What must not occur.
    Excluded,
    /// Latin letters for a Chinese word.
    Pinyin,
    /// A word that was spelt wrong.
    Typo,
    /// A compound of which only the kind is known: 行李箱 taken for 箱.
    Broader,
    /// A word of another language.
    Translation,
    /// A part of a number with its unit.
    Unit,
    /// A value of an attribute that has the role of a brand.
    Brand,
    /// A value of an attribute that has the role of categories.
    Category,
    /// A value of another filterable attribute.
    Attribute,
}

/// Every word form that could make a document a hit.
#[derive(Clone, Debug, Default)]
pub struct MatchedTerms {
    pub(crate) forms: FxHashSet<String>,
    /// Forms of the word to which more letters may be typed.
    pub(crate) open_forms: FxHashSet<String>,
    pub(crate) prefix: Option<String>,
}

impl MatchedTerms {
    /// How much of a word of a document is what the query was looking for.
    pub fn matched(&self, token: &Token) -> Option<Extent> {
        // In attributes of other languages words are indexed as they are written.
        let among = |forms: &FxHashSet<String>| {
            forms.contains(token.text.as_str()) || forms.contains(token.surface.as_str())
        };
        if among(&self.forms) {
            return Some(Extent::Whole);
        }
        match &self.prefix {
            Some(prefix) if token.surface.starts_with(prefix.as_str()) => {
                Some(Extent::Start(prefix.chars().count()))
            }
            _ => among(&self.open_forms).then_some(Extent::Whole),
        }
    }

    /// Whether there is nothing to highlight.
    pub fn is_empty(&self) -> bool {
        self.forms.is_empty() && self.open_forms.is_empty() && self.prefix.is_none()
    }
}
