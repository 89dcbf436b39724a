//! `/indexes`: creating, listing, changing and deleting indexes, and their counts.
//!
//! Changes are tasks; what is listed is what the last published snapshot holds.

use crate::access::Access;
use crate::app::App;
use crate::error::{ApiError, json_response};
use crate::fields::{Fields, Params, Table};
use crate::path::At;
use crate::payload::JsonBody;
use crate::task_json::{accepted, moment};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::IndexUid;
use engine::{EngineError, IndexInfo, IndexStats, Write};
use serde::Serialize;
use std::collections::BTreeMap;

const LIST: Table = &[
    ("offset", "invalid_index_offset"),
    ("limit", "invalid_index_limit"),
];
const CREATE: Table = &[
    ("uid", "invalid_index_uid"),
    ("primaryKey", "invalid_index_primary_key"),
];
const UPDATE: Table = &[
    ("primaryKey", "invalid_index_primary_key"),
    ("uid", "invalid_index_uid"),
    ("createdAt", "immutable_index_created_at"),
    ("updatedAt", "immutable_index_updated_at"),
];

const DEFAULT_LIMIT: usize = 20;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct IndexJson {
    uid: String,
    created_at: String,
    updated_at: String,
    primary_key: Option<String>,
}

#[derive(Serialize)]
struct IndexList {
    results: Vec<IndexJson>,
    offset: usize,
    limit: usize,
    total: usize,
}

/// The counts of an index; those after the field distribution are ours.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StatsJson {
    number_of_documents: u64,
    raw_document_db_size: u64,
    avg_document_size: u64,
    is_indexing: bool,
    number_of_embeddings: u64,
    number_of_embedded_documents: u64,
    /// Ours: documents whose vectors are not up to date yet.
    number_of_waiting_documents: u64,
    /// Ours: the model in use, and why an embedder does not work, by its name.
    embedders: BTreeMap<String, String>,
    embedder_faults: BTreeMap<String, String>,
    field_distribution: BTreeMap<String, u64>,
    number_of_events: u64,
    number_of_shoppers: u64,
    number_of_items_with_events: u64,
    number_of_unknown_items: u64,
}

impl From<IndexInfo> for IndexJson {
    fn from(info: IndexInfo) -> Self {
        Self {
            uid: info.uid.to_string(),
            created_at: moment(info.created_at),
            updated_at: moment(info.updated_at),
            primary_key: info.primary_key,
        }
    }
}

impl From<IndexStats> for StatsJson {
    fn from(stats: IndexStats) -> Self {
        Self {
            number_of_documents: stats.documents,
            raw_document_db_size: stats.bytes,
            avg_document_size: stats.bytes.checked_div(stats.documents).unwrap_or(0),
            is_indexing: stats.is_indexing,
            number_of_embeddings: stats.meaning.documents,
            number_of_embedded_documents: stats.meaning.documents,
            number_of_waiting_documents: stats.meaning.waiting,
            embedders: stats.meaning.models,
            embedder_faults: stats.meaning.faults,
            field_distribution: stats.field_distribution,
            number_of_events: stats.events,
            number_of_shoppers: stats.shoppers,
            number_of_items_with_events: stats.items_with_events,
            number_of_unknown_items: stats.unknown_items,
        }
    }
}

/// `GET /indexes`
pub(crate) async fn list(
    State(app): State<App>,
    access: Access,
    params: Params,
) -> Result<Response, ApiError> {
    let mut fields = params.fields(LIST)?;
    let offset = fields.size("offset")?.unwrap_or(0);
    let limit = fields.size("limit")?.unwrap_or(DEFAULT_LIMIT);
    let mut infos = app.read(|engine| Ok(engine.indexes()?)).await?;
    infos.retain(|info| access.sees(info.uid.as_str()));
    let total = infos.len();
    let results = infos
        .into_iter()
        .skip(offset)
        .take(limit)
        .map(IndexJson::from)
        .collect();
    Ok(json_response(
        StatusCode::OK,
        &IndexList {
            results,
            offset,
            limit,
            total,
        },
    ))
}

/// `POST /indexes`
pub(crate) async fn create(
    State(app): State<App>,
    access: Access,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let mut fields = Fields::body(body, CREATE)?;
    let uid = fields
        .text("uid")?
        .ok_or_else(|| fields.missing("uid", "missing_index_uid"))?;
    let uid = IndexUid::new(uid).map_err(EngineError::from)?;
    access.require(uid.as_str())?;
    let primary_key = fields.text("primaryKey")?;
    Ok(accepted(
        &app.write(Write::CreateIndex { uid, primary_key }).await?,
    ))
}

/// `GET /indexes/{uid}`
pub(crate) async fn get(State(app): State<App>, At(uid): At<String>) -> Result<Response, ApiError> {
    let info = app.read_index(&uid, |reader| Ok(reader.info()?)).await?;
    Ok(json_response(StatusCode::OK, &IndexJson::from(info)))
}

/// `PATCH /indexes/{uid}`
pub(crate) async fn update(
    State(app): State<App>,
    At(uid): At<String>,
    access: Access,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let uid = IndexUid::new(uid).map_err(EngineError::from)?;
    let mut fields = Fields::body(body, UPDATE)?;
    for name in ["createdAt", "updatedAt"] {
        if fields.has(name) {
            let message = format!("Immutable field `{name}`: expected one of `primaryKey`, `uid`");
            return Err(fields.refuse(name, message));
        }
    }
    let primary_key = fields.text("primaryKey")?;
    let write = match fields.text("uid")? {
        Some(name) => {
            let name = IndexUid::new(name).map_err(EngineError::from)?;
            access.require(name.as_str())?;
            Write::RenameIndex {
                uid,
                name,
                primary_key,
            }
        }
        None => Write::UpdateIndex { uid, primary_key },
    };
    Ok(accepted(&app.write(write).await?))
}

/// `DELETE /indexes/{uid}`
pub(crate) async fn delete(
    State(app): State<App>,
    At(uid): At<String>,
) -> Result<Response, ApiError> {
    let uid = IndexUid::new(uid).map_err(EngineError::from)?;
    Ok(accepted(&app.write(Write::DeleteIndex { uid }).await?))
}

/// `GET /indexes/{uid}/stats`
pub(crate) async fn stats(
    State(app): State<App>,
    At(uid): At<String>,
) -> Result<Response, ApiError> {
    let stats = app.read_index(&uid, |reader| Ok(reader.stats()?)).await?;
    Ok(json_response(StatusCode::OK, &StatsJson::from(stats)))
}
