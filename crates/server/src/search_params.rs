//! The parameters of one search, as a JSON body, a query string or a query of a multi-search.
//!
//! Every parameter of the convention is known by name. Those whose features this
//! engine does not have yet are refused when they would change the answer, so
//! that no client believes it got what it asked for.

use crate::access::Access;
use crate::app::App;
use crate::error::ApiError;
use crate::fields::{Fields, Row, Table, joined, shortened};
use crate::filter;
use crate::meaning;
use crate::paging::Paging;
use domain::{GEO, GeoPoint, UserId};
use engine::{CropAttribute, LOCALES, Matching, SearchRequest, SortBy, SortOrder};

/// What a body and a query string have in common.
const SHARED: Table = &[
    ("q", "invalid_search_q"),
    ("vector", "invalid_search_vector"),
    ("offset", "invalid_search_offset"),
    ("limit", "invalid_search_limit"),
    ("page", "invalid_search_page"),
    ("hitsPerPage", "invalid_search_hits_per_page"),
    (
        "attributesToRetrieve",
        "invalid_search_attributes_to_retrieve",
    ),
    ("retrieveVectors", "invalid_search_retrieve_vectors"),
    ("relevanceCutoff", "invalid_search_relevance_cutoff"),
    ("attributesToCrop", "invalid_search_attributes_to_crop"),
    ("cropLength", "invalid_search_crop_length"),
    (
        "attributesToHighlight",
        "invalid_search_attributes_to_highlight",
    ),
    (
        "showMatchesPosition",
        "invalid_search_show_matches_position",
    ),
    ("showRankingScore", "invalid_search_show_ranking_score"),
    (
        "showRankingScoreDetails",
        "invalid_search_show_ranking_score_details",
    ),
    (
        "showPerformanceDetails",
        "invalid_search_show_performance_details",
    ),
    ("showUnderstood", "invalid_search_show_understood"),
    ("filter", "invalid_search_filter"),
    ("sort", "invalid_search_sort"),
    ("distinct", "invalid_search_distinct"),
    ("facets", "invalid_search_facets"),
    ("highlightPreTag", "invalid_search_highlight_pre_tag"),
    ("highlightPostTag", "invalid_search_highlight_post_tag"),
    ("cropMarker", "invalid_search_crop_marker"),
    ("matchingStrategy", "invalid_search_matching_strategy"),
    (
        "attributesToSearchOn",
        "invalid_search_attributes_to_search_on",
    ),
    (
        "rankingScoreThreshold",
        "invalid_search_ranking_score_threshold",
    ),
    ("locales", "invalid_search_locales"),
    ("useNetwork", "invalid_search_use_network"),
];

const BODY_ONLY: Table = &[
    ("media", "invalid_search_media"),
    ("hybrid", "invalid_search_hybrid_query"),
    ("personalize", "invalid_search_personalize"),
];

const QUERY_ONLY: Table = &[
    ("hybridEmbedder", "invalid_search_embedder"),
    ("hybridSemanticRatio", "invalid_search_semantic_ratio"),
    (
        "personalizeUserContext",
        "invalid_search_personalize_user_context",
    ),
];

/// The fields of `personalize`.
const PERSONALIZE: Table = &[
    ("userId", "invalid_search_personalize_user_id"),
    ("userContext", "invalid_search_personalize_user_context"),
];
/// What is not there yet.
const RANKING: &str = "personalised ranking";

const BODY: [Row; SHARED.len() + BODY_ONLY.len()] = joined(SHARED, BODY_ONLY);
const QUERY: [Row; SHARED.len() + QUERY_ONLY.len()] = joined(SHARED, QUERY_ONLY);

/// The fields of a search body.
pub(crate) const SEARCH: Table = &BODY;
/// The parameters of a search URL.
pub(crate) const SEARCH_QUERY: Table = &QUERY;

/// A search and how its answer is paged.
#[derive(Debug)]
pub(crate) struct SearchParams {
    pub(crate) request: SearchRequest,
    pub(crate) paging: Paging,
    pub(crate) shows_performance: bool,
}

impl SearchParams {
    /// Takes every search parameter.
    pub(crate) fn take(fields: &mut Fields, app: &App) -> Result<Self, ApiError> {
        refuse_later_features(fields)?;
        let defaults = SearchRequest::default();
        let mut request = SearchRequest {
            q: take_query_text(fields, "q", app)?,
            offset: 0,
            limit: 0,
            filter: filter::take(fields)?,
            facets: fields.texts("facets")?.unwrap_or_default(),
            sort: take_sort(fields)?,
            distinct: fields.text("distinct")?,
            matching: take_matching(fields)?,
            search_on: fields.texts("attributesToSearchOn")?,
            score_threshold: take_threshold(fields)?,
            retrieve: fields
                .texts("attributesToRetrieve")?
                .filter(|names| !has_star(names)),
            highlight: fields.texts("attributesToHighlight")?.unwrap_or_default(),
            crop: take_crop(fields)?,
            crop_length: fields.size("cropLength")?.unwrap_or(defaults.crop_length),
            crop_marker: fields.text("cropMarker")?.unwrap_or(defaults.crop_marker),
            highlight_pre: fields
                .text("highlightPreTag")?
                .unwrap_or(defaults.highlight_pre),
            highlight_post: fields
                .text("highlightPostTag")?
                .unwrap_or(defaults.highlight_post),
            show_matches_position: fields.boolean("showMatchesPosition")?.unwrap_or_default(),
            show_ranking_score: fields.boolean("showRankingScore")?.unwrap_or_default(),
            show_ranking_score_details: fields
                .boolean("showRankingScoreDetails")?
                .unwrap_or_default(),
            show_understood: fields.boolean("showUnderstood")?.unwrap_or_default(),
            retrieve_vectors: fields.boolean("retrieveVectors")?.unwrap_or_default(),
            locales: take_locales(fields)?,
            user: take_shopper(fields)?,
            ..SearchRequest::default()
        };
        meaning::take(fields, &mut request)?;
        Ok(Self {
            request,
            paging: Paging::take(fields)?,
            shows_performance: fields
                .boolean("showPerformanceDetails")?
                .unwrap_or_default(),
        })
    }

    /// Adds what a tenant token asks of every search in this index.
    pub(crate) fn narrow(&mut self, access: &Access, uid: &str) -> Result<(), ApiError> {
        self.request.filter = access.narrow(uid, self.request.filter.take())?;
        Ok(())
    }
}

/// A query text, absent or within the limit.
pub(crate) fn take_query_text(
    fields: &mut Fields,
    name: &str,
    app: &App,
) -> Result<String, ApiError> {
    let text = fields.text(name)?.unwrap_or_default();
    let most = app.limits().query_bytes;
    if text.len() > most {
        let message = format!(
            "`{name}` has {} bytes, but at most {most} are allowed.",
            text.len()
        );
        return Err(fields.refuse(name, message));
    }
    Ok(text)
}

/// `rankingScoreThreshold`, from 0 to 1.
pub(crate) fn take_threshold(fields: &mut Fields) -> Result<Option<f64>, ApiError> {
    let name = "rankingScoreThreshold";
    let threshold = fields.number(name)?;
    match threshold.filter(|score| !(0.0..=1.0).contains(score)) {
        Some(score) => Err(fields.refuse(
            name,
            format!("The value of `{name}` is invalid, expected a float between `0.0` and `1.0`, but found `{score}`."),
        )),
        None => Ok(threshold),
    }
}

/// `matchingStrategy`.
pub(crate) fn take_matching(fields: &mut Fields) -> Result<Matching, ApiError> {
    let Some(word) = fields.text("matchingStrategy")? else {
        return Ok(Matching::Last);
    };
    match word.as_str() {
        "last" => Ok(Matching::Last),
        "all" => Ok(Matching::All),
        "frequency" => Ok(Matching::Frequency),
        other => {
            let known = ["last", "all", "frequency"];
            Err(fields.unknown_word("matchingStrategy", other, &known))
        }
    }
}

/// `locales`: the languages that the text may be in.
pub(crate) fn take_locales(fields: &mut Fields) -> Result<Vec<String>, ApiError> {
    let locales = fields.texts("locales")?.unwrap_or_default();
    for (place, locale) in locales.iter().enumerate() {
        if !LOCALES.contains(&locale.as_str()) {
            return Err(fields.unknown_word(&format!("locales[{place}]"), locale, &LOCALES));
        }
    }
    Ok(locales)
}

fn has_star(names: &[String]) -> bool {
    names.iter().any(|name| name == "*")
}

/// `sort`: `price:asc` and the like.
pub(crate) fn take_sort(fields: &mut Fields) -> Result<Vec<SortBy>, ApiError> {
    let mut sort = Vec::new();
    for text in with_whole_points(fields.texts("sort")?.unwrap_or_default()) {
        match sort_by(&text) {
            Ok(by) => sort.push(by),
            Err(message) => return Err(fields.refuse("sort", message)),
        }
    }
    Ok(sort)
}

/// Mends `_geoPoint(1` and `2):asc`, which the commas of a query string have parted.
fn with_whole_points(parts: Vec<String>) -> Vec<String> {
    let mut whole: Vec<String> = Vec::with_capacity(parts.len());
    for part in parts {
        match whole.last_mut() {
            Some(open) if open.starts_with("_geoPoint(") && !open.contains(')') => {
                open.push(',');
                open.push_str(&part);
            }
            _ => whole.push(part),
        }
    }
    whole
}

fn sort_by(text: &str) -> Result<SortBy, String> {
    let broken = || {
        format!(
            "Invalid syntax for the sort parameter: expected expression ending by `:asc` or `:desc`, found `{}`.",
            shortened(text)
        )
    };
    let (path, word) = text.rsplit_once(':').ok_or_else(broken)?;
    let order = match word {
        "asc" => SortOrder::Ascending,
        "desc" => SortOrder::Descending,
        _ => return Err(broken()),
    };
    if path.is_empty() {
        return Err(broken());
    }
    let from = if path.starts_with("_geo") && path.contains('(') {
        Some(geo_point(path)?)
    } else {
        None
    };
    let path = if from.is_some() { GEO } else { path };
    Ok(SortBy {
        path: path.to_owned(),
        order,
        from,
    })
}

/// `_geoPoint(45.4, 9.1)`: the place to count distances from.
fn geo_point(text: &str) -> Result<GeoPoint, String> {
    let broken = || {
        format!(
            "Invalid syntax for the geo parameter: expected expression formatted like `_geoPoint(latitude, longitude)` and ending by `:asc` or `:desc`, found `{}`.",
            shortened(text)
        )
    };
    let inner = text.strip_prefix("_geoPoint(");
    let inner = inner.and_then(|rest| rest.strip_suffix(')'));
    let (lat, lng) = inner
        .and_then(|inner| inner.split_once(','))
        .ok_or_else(broken)?;
    let degrees = |text: &str| text.trim().parse::<f64>().map_err(|_| broken());
    let point = GeoPoint::new(degrees(lat)?, degrees(lng)?);
    point.map_err(|error| format!("{error}, found `{}`.", shortened(text)))
}

/// `attributesToCrop`: a name, or `name:12` with its own length.
fn take_crop(fields: &mut Fields) -> Result<Vec<CropAttribute>, ApiError> {
    let names = fields.texts("attributesToCrop")?.unwrap_or_default();
    Ok(names.iter().map(|name| crop_attribute(name)).collect())
}

fn crop_attribute(text: &str) -> CropAttribute {
    if let Some((name, words)) = text.rsplit_once(':')
        && let Ok(words) = words.parse()
    {
        return CropAttribute {
            name: name.to_owned(),
            words: Some(words),
        };
    }
    CropAttribute {
        name: text.to_owned(),
        words: None,
    }
}

/// Refuses what would silently be ignored otherwise.
pub(crate) fn refuse_later_features(fields: &mut Fields) -> Result<(), ApiError> {
    if fields.has("media") {
        return Err(not_enabled("media", "searching by images"));
    }
    if fields.has("personalizeUserContext") {
        return Err(not_enabled("personalizeUserContext", RANKING));
    }
    if fields.boolean("useNetwork")? == Some(true) {
        return Err(not_enabled("useNetwork", "searching other servers"));
    }
    Ok(())
}

/// `personalize`: who asks. It changes which items suit, and no order yet.
fn take_shopper(fields: &mut Fields) -> Result<Option<UserId>, ApiError> {
    if !fields.is_known("personalize") {
        return Ok(None);
    }
    let Some(value) = fields.value("personalize") else {
        return Ok(None);
    };
    if !value.is_object() {
        return Err(fields.mistyped("personalize", "an object", &value));
    }
    let path = format!("{}.personalize", fields.path());
    let mut inside = Fields::object(value, PERSONALIZE, path)?;
    if inside.has("userContext") {
        return Err(not_enabled("userContext", RANKING));
    }
    let user = inside.id("userId")?.map(UserId::new).transpose();
    user.map_err(|error| inside.refuse("userId", error.to_string()))
}

fn not_enabled(name: &str, what: &str) -> ApiError {
    ApiError::invalid(
        "feature_not_enabled",
        format!("Cannot use `{name}`: {what} is not available yet."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sort_texts_name_path_and_order() {
        let by = |path: &str, order| {
            Ok(SortBy {
                path: path.to_owned(),
                order,
                from: None,
            })
        };
        assert_eq!(sort_by("price:asc"), by("price", SortOrder::Ascending));
        assert_eq!(sort_by("a:b:desc"), by("a:b", SortOrder::Descending));
        for broken in [
            "price",
            "price:up",
            ":asc",
            "_geoPoint(1):asc",
            "_geoPoint(a,2):asc",
            "_geoPoint(95,2):asc",
            "_geoPoint(1,2)",
            "_geoPoint(1,2):up",
            "_geoRadius(1,2,3):asc",
        ] {
            assert!(sort_by(broken).is_err(), "{broken}");
        }
        let by = sort_by("_geoPoint(45.5, -9):desc").expect("a good sort");
        assert_eq!(
            (by.path.as_str(), by.order),
            ("_geo", SortOrder::Descending)
        );
        assert_eq!(by.from, GeoPoint::new(45.5, -9.0).ok());
    }

    #[test]
    fn a_crop_length_may_follow_the_name() {
        let crop = |name: &str, words| CropAttribute {
            name: name.to_owned(),
            words,
        };
        assert_eq!(crop_attribute("title"), crop("title", None));
        assert_eq!(crop_attribute("title:5"), crop("title", Some(5)));
        assert_eq!(crop_attribute("a:b"), crop("a:b", None));
    }
}
