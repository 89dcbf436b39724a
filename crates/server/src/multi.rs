//! `POST /multi-search`: several searches in one request.
//!
//! Without `federation` each query has its own answer; with it, `federation`
//! merges them into one list. An index that several queries name is read from
//! one snapshot.

use crate::access::Access;
use crate::app::App;
use crate::error::{ApiError, json_bytes};
use crate::federation::{self, FederationParams};
use crate::fields::{Fields, Row, Table, joined};
use crate::hits::JsonText;
use crate::metadata;
use crate::payload::JsonBody;
use crate::search::Found;
use crate::search_params::{SEARCH, SearchParams};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::IndexUid;
use engine::{Engine, EngineError, IndexReader};
use serde_json::Value;
use std::collections::HashMap;

const MULTI: Table = &[
    ("queries", "invalid_multi_search_queries"),
    ("federation", "invalid_multi_search_federation"),
];

const QUERY_ONLY: Table = &[
    ("indexUid", "invalid_index_uid"),
    (
        "federationOptions",
        "invalid_multi_search_federation_options",
    ),
];
const QUERY_ROWS: [Row; QUERY_ONLY.len() + SEARCH.len()] = joined(QUERY_ONLY, SEARCH);
const QUERY: Table = &QUERY_ROWS;

const OPTIONS: Table = &[
    ("weight", "invalid_multi_search_weight"),
    ("remote", "invalid_multi_search_remote"),
    ("queryPosition", "invalid_multi_search_query_position"),
];

/// One query of a multi-search.
pub(crate) struct MultiQuery {
    pub(crate) index_uid: IndexUid,
    pub(crate) params: SearchParams,
    pub(crate) options: Options,
}

/// `federationOptions` of a query.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// What the scores of this query are multiplied by; 1 unless given.
    pub(crate) weight: f64,
    /// Where the answer says the query stood.
    pub(crate) position: usize,
}

/// `POST /multi-search`
pub(crate) async fn post(
    State(app): State<App>,
    access: Access,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let mut fields = Fields::body(body, MULTI)?;
    let federation = match fields.value("federation") {
        Some(value) => Some(FederationParams::read(value)?),
        None => None,
    };
    let mut queries = take_queries(&mut fields, &app, federation.is_some())?;
    for query in &mut queries {
        let uid = query.index_uid.as_str();
        access.require(uid)?;
        query.params.narrow(&access, uid)?;
    }
    let with_metadata = metadata::is_wanted(&headers);
    let body = app
        .read(|engine| {
            let mut readers = Readers {
                engine,
                open: HashMap::new(),
            };
            match federation {
                Some(federation) => {
                    federation::run(&federation, queries, &mut readers, with_metadata)
                }
                None => separately(queries, &mut readers, with_metadata),
            }
        })
        .await?;
    Ok(json_bytes(StatusCode::OK, body))
}

/// Snapshots of the indexes that the queries name, each opened once.
pub(crate) struct Readers<'a> {
    engine: &'a Engine,
    open: HashMap<String, IndexReader>,
}

impl Readers<'_> {
    pub(crate) fn get(&mut self, uid: &IndexUid) -> Result<IndexReader, EngineError> {
        if let Some(reader) = self.open.get(uid.as_str()) {
            return Ok(reader.clone());
        }
        let reader = self.engine.index(uid.as_str())?;
        self.open.insert(uid.as_str().to_owned(), reader.clone());
        Ok(reader)
    }
}

fn separately(
    queries: Vec<MultiQuery>,
    readers: &mut Readers<'_>,
    with_metadata: bool,
) -> Result<Vec<u8>, ApiError> {
    let mut text = JsonText::with_capacity(16_384);
    text.raw("{\"results\":[");
    for (place, query) in queries.into_iter().enumerate() {
        let inside = |error: ApiError| error.inside_query(place);
        let reader = readers
            .get(&query.index_uid)
            .map_err(|error| inside(error.into()))?;
        let mut found = Found::search(&reader, query.params).map_err(inside)?;
        if with_metadata {
            found
                .add_metadata(query.index_uid.as_str(), &reader)
                .map_err(inside)?;
        }
        if place > 0 {
            text.raw(",");
        }
        text.raw("{\"indexUid\":");
        text.value(&query.index_uid).map_err(ApiError::internal)?;
        text.raw(",");
        found.write_fields(&mut text).map_err(ApiError::internal)?;
    }
    text.raw("]}");
    Ok(text.finish())
}

fn take_queries(
    fields: &mut Fields,
    app: &App,
    federated: bool,
) -> Result<Vec<MultiQuery>, ApiError> {
    let list = match fields.value("queries") {
        Some(Value::Array(list)) => list,
        Some(other) => return Err(fields.mistyped("queries", "an array", &other)),
        None => return Err(fields.missing("queries", "bad_request")),
    };
    let most = app.limits().queries;
    if list.len() > most {
        let message = format!(
            "{} queries were given, but at most {most} are allowed.",
            list.len()
        );
        return Err(fields.refuse("queries", message));
    }
    let mut queries = Vec::with_capacity(list.len());
    for (place, value) in list.into_iter().enumerate() {
        queries.push(read_query(value, place, app, federated)?);
    }
    Ok(queries)
}

fn read_query(
    value: Value,
    place: usize,
    app: &App,
    federated: bool,
) -> Result<MultiQuery, ApiError> {
    let path = format!(".queries[{place}]");
    let mut fields = Fields::object(value, QUERY, path.clone())?;
    let uid = fields
        .text("indexUid")?
        .ok_or_else(|| fields.missing("indexUid", "missing_index_uid"))?;
    let index_uid = IndexUid::new(uid).map_err(|error| ApiError::from(EngineError::from(error)))?;
    let mut options = Options {
        weight: 1.0,
        position: place,
    };
    let given = fields.value("federationOptions");
    if federated {
        refuse_own_paging(&fields)?;
        if let Some(given) = given {
            options = read_options(given, format!("{path}.federationOptions"), options)?;
        }
    } else if given.is_some() {
        return Err(fields.refuse(
            "federationOptions",
            format!(
                "Inside `{path}`: Using `federationOptions` is not allowed in a non-federated search. Add `federation: {{}}` to the body, or remove `federationOptions` from the query."
            ),
        ));
    }
    let params = SearchParams::take(&mut fields, app)?;
    Ok(MultiQuery {
        index_uid,
        params,
        options,
    })
}

/// A federated search is paged as a whole, and its facets are asked for as a whole.
fn refuse_own_paging(fields: &Fields) -> Result<(), ApiError> {
    for name in ["limit", "offset", "page", "hitsPerPage"] {
        if fields.has(name) {
            return Err(ApiError::invalid(
                "invalid_multi_search_query_pagination",
                format!(
                    "Inside `{}`: Using pagination option `{name}` is not allowed in a federated query. Use `federation.{name}` instead.",
                    fields.path()
                ),
            ));
        }
    }
    if fields.has("facets") {
        return Err(ApiError::invalid(
            "invalid_multi_search_query_facets",
            format!(
                "Inside `{}`: Using facet options is not allowed in a federated query. Use `federation.facetsByIndex` instead.",
                fields.path()
            ),
        ));
    }
    Ok(())
}

fn read_options(value: Value, path: String, defaults: Options) -> Result<Options, ApiError> {
    let mut fields = Fields::object(value, OPTIONS, path)?;
    if fields.has("remote") {
        return Err(fields.refuse("remote", "Searching other servers is not available yet."));
    }
    let weight = fields.number("weight")?.unwrap_or(defaults.weight);
    if weight < 0.0 {
        let message = format!(
            "Invalid value at `{}.weight`: expected a positive float (>= 0.0), but found `{weight}`.",
            fields.path()
        );
        return Err(fields.refuse("weight", message));
    }
    let position = fields.size("queryPosition")?.unwrap_or(defaults.position);
    Ok(Options { weight, position })
}
