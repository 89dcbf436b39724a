//! Search over one snapshot: words find and order, the documents view gives the JSON.

use crate::allowed::{check_facet, check_facet_search, check_filterable, check_search};
use crate::formatted::Formatter;
use crate::search::{FacetAnswer, Hybrid, QueryUnderstood, SearchAnswer, SearchHit, SearchRequest};
use crate::settings::{DEFAULT_FACET_VALUES, FacetSort, Settings};
use crate::snapshot::IndexReader;
use crate::tables::{self, Document};
use crate::{EngineError, locales, plan};
use domain::Filter;
use lexical::{
    Facet, FacetOrder, FacetOrders, Members, SortBy, Understood, WordKind, WordsAnswer, WordsHit,
    WordsQuery,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Typos from here on make a score no worse.
const MOST_TYPOS: u8 = 3;

/// Which documents to list.
#[derive(Clone, Debug)]
pub struct DocumentsQuery {
    pub offset: usize,
    pub limit: usize,
    /// Attributes to return; `None` is all of them.
    pub fields: Option<Vec<String>>,
    pub filter: Option<Filter>,
    pub ids: Option<Vec<String>>,
    pub sort: Vec<SortBy>,
    /// Documents have their vectors, under `_vectors`.
    pub retrieve_vectors: bool,
}

impl Default for DocumentsQuery {
    fn default() -> Self {
        Self {
            offset: 0,
            limit: 20,
            fields: None,
            filter: None,
            ids: None,
            sort: Vec::new(),
            retrieve_vectors: false,
        }
    }
}

/// Whole metres between a document and the first point that a request sorts by.
fn distance(request: &SearchRequest, json: &str) -> Result<Option<u64>, EngineError> {
    #[derive(Deserialize)]
    struct Placed {
        #[serde(default, rename = "_geo")]
        geo: Value,
    }
    let Some(from) = request.sort.iter().find_map(|by| by.from) else {
        return Ok(None);
    };
    let placed: Placed = tables::from_json(json.as_bytes())?;
    let place = lexical::geo_point(&placed.geo);
    Ok(place.map(|place| from.distance(place).round() as u64))
}

/// From `sortFacetValuesBy`, where `*` stands for every attribute that is not named.
fn facet_orders(set: BTreeMap<String, FacetSort>) -> FacetOrders {
    let own = set.into_iter().map(|(path, sort)| match sort {
        FacetSort::Alpha => (path, FacetOrder::Alpha),
        FacetSort::Count => (path, FacetOrder::Count),
    });
    let mut own: BTreeMap<String, FacetOrder> = own.collect();
    let usual = own.remove("*").unwrap_or_default();
    FacetOrders { own, usual }
}

impl IndexReader {
    /// Answers one search.
    pub fn search(&self, request: &SearchRequest) -> Result<SearchAnswer, EngineError> {
        check_search(&self.state.meta, request)?;
        let (narrowed, suited) = self.suited_search(request)?;
        let answer = self.find(&narrowed)?;
        let by_meaning = |hit: &&WordsHit| hit.words == 0 && hit.other.is_some();
        let is_on = |hybrid: &Hybrid| hybrid.ratio != Some(0.0);
        let takes_part = request.hybrid.as_ref().is_some_and(is_on) || request.like.is_some();
        let semantic_hits = takes_part.then(|| answer.hits.iter().filter(by_meaning).count());
        let mut hits = Vec::with_capacity(answer.hits.len());
        let formatter = Formatter {
            request,
            analyzer: &self.state.analyzer,
            terms: &answer.terms,
        };
        for hit in &answer.hits {
            if let Some(json) = self.shown(&hit.id, request.retrieve_vectors)? {
                hits.push(self.hit(request, &formatter, hit, json)?);
            }
        }
        Ok(SearchAnswer {
            hits,
            total: answer.total,
            facets: self.facet_answers(answer.facets),
            semantic_hits,
            meaning_lacks: takes_part.then(|| self.meaning_lacks(request)).flatten(),
            understood: request
                .show_understood
                .then(|| self.understood(&request.q, answer.understood)),
            suited,
            as_of: self.published.as_of,
        })
    }

    /// Facets of the items that at least one of several searches finds.
    pub fn facets_of_all(
        &self,
        requests: &[&SearchRequest],
        facets: &[String],
    ) -> Result<Vec<FacetAnswer>, EngineError> {
        for facet in facets.iter().filter(|facet| facet.as_str() != "*") {
            check_facet(&self.state.meta, facet)?;
        }
        let words = &self.state.words;
        let mut members = Members::default();
        for request in requests {
            if let Some(filter) = &request.filter {
                check_filterable(&self.state.meta, filter)?;
            }
            let (narrowed, _) = self.suited_search(request)?;
            members.extend(self.with_meaning(&narrowed, facets, |query| words.members(query))?);
        }
        let any = SearchRequest::default();
        let counted = words.facets_among(&members, &self.words_query(&any, facets))?;
        Ok(self.facet_answers(counted))
    }

    /// `*` counts every column there is; shown are those the shop has made filterable.
    fn facet_answers(&self, counted: Vec<(String, Facet)>) -> Vec<FacetAnswer> {
        let allowed = plan::filterable_names(self.settings());
        let shown = |path: &str| allowed.iter().any(|pattern| plan::covers(pattern, path));
        let facets = counted.into_iter().filter(|(path, _)| shown(path));
        let facets = facets.map(|(attribute, facet)| FacetAnswer {
            attribute,
            values: facet.values,
            stats: facet.stats,
        });
        facets.collect()
    }

    /// Values of attributes that the shop has not made filterable are words like others.
    fn understood(&self, query: &str, mut words: Vec<Understood>) -> QueryUnderstood {
        let allowed = plan::filterable_names(self.settings());
        for word in &mut words {
            let is_hidden = word.attribute.as_ref().is_some_and(|path| {
                word.kind == WordKind::Attribute
                    && !allowed.iter().any(|pattern| plan::covers(pattern, path))
            });
            if is_hidden {
                (word.kind, word.meant, word.attribute) = (WordKind::Word, None, None);
            }
        }
        QueryUnderstood {
            language: text::language(query).map(text::Language::code),
            words,
        }
    }

    pub(crate) fn find(&self, request: &SearchRequest) -> Result<WordsAnswer, EngineError> {
        let words = &self.state.words;
        self.with_meaning(request, &request.facets, |query| words.search(query))
    }

    /// Asks the words index, with what the request means if that is wanted.
    fn with_meaning<T>(
        &self,
        request: &SearchRequest,
        facets: &[String],
        ask: impl FnOnce(&WordsQuery<'_>) -> Result<T, lexical::QueryError>,
    ) -> Result<T, EngineError> {
        let meant = self.meant(request)?;
        let scores = |items: &[u64]| match &meant {
            Some(meant) => meant.relevances(items),
            None => Vec::new(),
        };
        let again = |best: &[u64], items: &[u64]| meant.as_ref()?.again(best, items);
        let query = WordsQuery {
            joined: meant.as_ref().map(|meant| meant.joined(&scores, &again)),
            ..self.words_query(request, facets)
        };
        Ok(ask(&query)?)
    }

    fn words_query<'a>(&self, request: &'a SearchRequest, facets: &'a [String]) -> WordsQuery<'a> {
        let faceting = self.settings().faceting.clone().unwrap_or_default();
        WordsQuery {
            filter: request.filter.as_ref(),
            sort: &request.sort,
            facets,
            distinct: request.distinct.as_deref(),
            offset: request.offset,
            limit: request.limit,
            matching: request.matching,
            attributes: request.search_on.as_deref(),
            score_threshold: request.score_threshold,
            facet_limit: faceting
                .max_values_per_facet
                .unwrap_or(DEFAULT_FACET_VALUES),
            deadline: self
                .settings()
                .search_cutoff_ms
                .and_then(|millis| Instant::now().checked_add(Duration::from_millis(millis))),
            explain: request.show_understood,
            english: (!request.locales.is_empty()).then(|| locales::has_english(&request.locales)),
            facet_orders: facet_orders(faceting.sort_facet_values_by.unwrap_or_default()),
            ..WordsQuery::new(&request.q)
        }
    }

    /// Values of one facet that begin with a text, among the hits of a search.
    pub fn facet_search(
        &self,
        facet: &str,
        facet_text: &str,
        request: &SearchRequest,
    ) -> Result<Vec<(String, u64)>, EngineError> {
        if let Some(filter) = &request.filter {
            check_filterable(&self.state.meta, filter)?;
        }
        check_facet_search(&self.state.meta, facet)?;
        let words = &self.state.words;
        let (narrowed, _) = self.suited_search(request)?;
        self.with_meaning(&narrowed, &[], |query| {
            words.facet_search(facet, facet_text, query)
        })
    }

    fn hit(
        &self,
        request: &SearchRequest,
        formatter: &Formatter,
        hit: &WordsHit,
        json: String,
    ) -> Result<SearchHit, EngineError> {
        let wanted = Attributes::new(self.settings(), request.retrieve.as_deref());
        let geo_distance = distance(request, &json)?;
        let wants_object = Formatter::is_wanted(request) || request.show_matches_position;
        let (document, formatted, matches_position) = if wants_object || !wanted.is_everything() {
            let object: Map<String, Value> = tables::from_json(json.as_bytes())?;
            let formatted = Formatter::is_wanted(request)
                .then(|| wanted.displayed(formatter.format(&object, &|name| wanted.keeps(name))));
            let positions = request
                .show_matches_position
                .then(|| formatter.positions(&object));
            let document = if wanted.is_everything() {
                raw(json)?
            } else {
                wanted.cut(object)?
            };
            (document, formatted, positions)
        } else {
            (raw(json)?, None, None)
        };
        Ok(SearchHit {
            document,
            geo_distance,
            formatted,
            matches_position,
            ranking_score: request.show_ranking_score.then_some(hit.score),
            ranking_score_details: request.show_ranking_score_details.then(|| details(hit)),
        })
    }

    pub(crate) fn json(&self, id: &str) -> Result<Option<String>, EngineError> {
        let document = Document::get(&self.published.views, self.state.meta.no, id)?;
        Ok(document.map(|document| document.json))
    }

    /// The JSON of one document as a hit of a recommendation, cut to what is displayed.
    pub(crate) fn displayed(&self, id: &str) -> Result<Option<Box<RawValue>>, EngineError> {
        let Some(json) = self.shown(id, false)? else {
            return Ok(None);
        };
        let wanted = Attributes::new(self.settings(), None);
        if wanted.is_everything() {
            return raw(json).map(Some);
        }
        wanted.cut(tables::from_json(json.as_bytes())?).map(Some)
    }

    /// One document by its id, with all or some of its attributes.
    pub fn document(
        &self,
        id: &str,
        fields: Option<&[String]>,
        with_vectors: bool,
    ) -> Result<Box<RawValue>, EngineError> {
        let json = self
            .shown(id, with_vectors)?
            .ok_or_else(|| EngineError::DocumentNotFound(id.to_owned()))?;
        chosen(json, fields)
    }

    /// A page of documents in the order of the words index, and how many there are in all.
    pub fn documents(
        &self,
        query: &DocumentsQuery,
    ) -> Result<(Vec<Box<RawValue>>, u64), EngineError> {
        let (ids, total) = self.document_ids(query)?;
        let mut documents = Vec::with_capacity(ids.len());
        for id in ids {
            if let Some(json) = self.shown(&id, query.retrieve_vectors)? {
                documents.push(chosen(json, query.fields.as_deref())?);
            }
        }
        Ok((documents, total))
    }
}

/// Which attributes an answer may and should hold.
struct Attributes<'a> {
    displayed: Option<&'a [String]>,
    retrieve: Option<&'a [String]>,
}

impl<'a> Attributes<'a> {
    fn new(settings: &'a Settings, retrieve: Option<&'a [String]>) -> Self {
        let restricts = |names: &&[String]| !names.iter().any(|name| name == "*");
        Self {
            displayed: settings.displayed_attributes.as_deref().filter(restricts),
            retrieve: retrieve.filter(restricts),
        }
    }

    fn is_everything(&self) -> bool {
        self.displayed.is_none() && self.retrieve.is_none()
    }

    fn keeps(&self, name: &str) -> bool {
        keeps(self.displayed, name) && keeps(self.retrieve, name)
    }

    fn cut(&self, document: Map<String, Value>) -> Result<Box<RawValue>, EngineError> {
        let document = pick(self.displayed, document);
        let document = pick(self.retrieve, document);
        serde_json::value::to_raw_value(&document).map_err(view_error)
    }

    fn displayed(&self, document: Map<String, Value>) -> Map<String, Value> {
        pick(self.displayed, document)
    }
}

fn keeps(names: Option<&[String]>, attribute: &str) -> bool {
    names.is_none_or(|names| {
        names.iter().any(|name| {
            plan::covers(name, attribute)
                || name
                    .strip_prefix(attribute)
                    .is_some_and(|rest| rest.starts_with('.'))
        })
    })
}

/// The document with only the named attributes; a name may reach into objects.
fn pick(names: Option<&[String]>, document: Map<String, Value>) -> Map<String, Value> {
    let Some(names) = names else { return document };
    let mut picked = Map::new();
    for (key, value) in document {
        if names.iter().any(|name| plan::covers(name, &key)) {
            picked.insert(key, value);
            continue;
        }
        let prefix = format!("{key}.");
        let inner: Vec<String> = names
            .iter()
            .filter_map(|name| name.strip_prefix(&prefix))
            .map(str::to_owned)
            .collect();
        if !inner.is_empty() {
            picked.insert(key, pick_inside(&inner, value));
        }
    }
    picked
}

fn pick_inside(names: &[String], value: Value) -> Value {
    match value {
        Value::Object(object) => Value::Object(pick(Some(names), object)),
        Value::Array(list) => list
            .into_iter()
            .map(|element| pick_inside(names, element))
            .collect(),
        other => other,
    }
}

fn chosen(json: String, fields: Option<&[String]>) -> Result<Box<RawValue>, EngineError> {
    match fields.filter(|names| !names.iter().any(|name| name == "*")) {
        None => raw(json),
        Some(names) => {
            let document = pick(Some(names), tables::from_json(json.as_bytes())?);
            serde_json::value::to_raw_value(&document).map_err(view_error)
        }
    }
}

fn raw(json: String) -> Result<Box<RawValue>, EngineError> {
    RawValue::from_string(json).map_err(view_error)
}

fn view_error(err: serde_json::Error) -> EngineError {
    EngineError::View {
        what: "a document",
        reason: err.to_string(),
    }
}

/// `_rankingScoreDetails`: what each rule of ours saw. Nearness, the attribute and the number of
/// occurrences are in `bm25`. Where meaning takes part it and the words share one step.
fn details(hit: &WordsHit) -> Map<String, Value> {
    let (words, asked) = (f64::from(hit.words), hit.asked.max(1) as f64);
    let typos = f64::from(hit.typos.min(MOST_TYPOS));
    let mut details = json!({
        "words": {
            "order": 0, "matchingWords": hit.words, "maxMatchingWords": hit.asked,
            "score": if hit.asked == 0 { 1.0 } else { words / asked },
        },
        "typo": {
            "order": 1, "typoCount": hit.typos, "maxTypoCount": MOST_TYPOS,
            "score": 1.0 - typos / f64::from(MOST_TYPOS),
        },
        "bm25": { "order": 2, "value": hit.bm25, "score": hit.share },
    });
    if let (Some(joined), Some(part)) = (hit.joined, hit.other) {
        details = json!({
            "bm25": { "order": 0, "value": hit.bm25, "score": joined - part },
            "semantic": { "order": 0, "score": part },
        });
    }
    crate::outcome::object(details)
}
