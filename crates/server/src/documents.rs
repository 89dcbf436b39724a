//! Reading and deleting documents.
//!
//! Adding them is `upload`. Documents leave as the JSON text that was given, cut
//! to the fields asked for.

use crate::app::App;
use crate::custom_metadata::{CUSTOM_METADATA, noted, take_note};
use crate::error::{ApiError, json_bytes};
use crate::fields::{Fields, Params, Table, id_text, wrong_type};
use crate::filter;
use crate::hits::JsonText;
use crate::path::At;
use crate::payload::JsonBody;
use crate::search_params::take_sort;
use crate::task_json::accepted;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::IndexUid;
use engine::{DocumentsQuery, EngineError, Selection, Write};
use serde::Serialize;
use serde_json::Value;

const LIST: Table = &[
    ("offset", "invalid_document_offset"),
    ("limit", "invalid_document_limit"),
    ("fields", "invalid_document_fields"),
    ("retrieveVectors", "invalid_document_retrieve_vectors"),
    ("filter", "invalid_document_filter"),
    ("ids", "invalid_document_ids"),
    ("sort", "invalid_document_sort"),
];
const ONE: Table = &[
    ("fields", "invalid_document_fields"),
    ("retrieveVectors", "invalid_document_retrieve_vectors"),
];
const DELETE: Table = &[("filter", "invalid_document_filter")];
const NOTE: Table = &[CUSTOM_METADATA];

const DEFAULT_LIMIT: usize = 20;

#[derive(Serialize)]
struct Page {
    offset: usize,
    limit: usize,
    total: u64,
}

/// `GET /indexes/{uid}/documents`
pub(crate) async fn list(
    State(app): State<App>,
    At(uid): At<String>,
    params: Params,
) -> Result<Response, ApiError> {
    page(&app, &uid, params.fields(LIST)?).await
}

/// `POST /indexes/{uid}/documents/fetch`
pub(crate) async fn fetch(
    State(app): State<App>,
    At(uid): At<String>,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    page(&app, &uid, Fields::body(body, LIST)?).await
}

async fn page(app: &App, uid: &str, mut fields: Fields) -> Result<Response, ApiError> {
    let query = DocumentsQuery {
        retrieve_vectors: fields.boolean("retrieveVectors")?.unwrap_or_default(),
        offset: fields.size("offset")?.unwrap_or(0),
        limit: fields
            .size("limit")?
            .unwrap_or(DEFAULT_LIMIT)
            .min(app.limits().documents),
        fields: fields.texts("fields")?,
        filter: filter::take(&mut fields)?,
        ids: fields.ids("ids")?,
        sort: take_sort(&mut fields)?,
    };
    let body = app
        .read_index(uid, |reader| {
            let (documents, total) = reader.documents(&query).map_err(document_error)?;
            let bytes: usize = documents
                .iter()
                .map(|document| document.get().len() + 1)
                .sum();
            let mut text = JsonText::with_capacity(bytes + 128);
            text.raw("{\"results\":");
            text.documents(documents.iter().map(AsRef::as_ref));
            let page = Page {
                offset: query.offset,
                limit: query.limit,
                total,
            };
            text.rest_of_object(&page).map_err(ApiError::internal)?;
            Ok(text.finish())
        })
        .await?;
    Ok(json_bytes(StatusCode::OK, body))
}

/// The same faults have codes of their own outside searches.
fn document_error(error: EngineError) -> ApiError {
    let error = ApiError::from(error);
    match error.code() {
        "invalid_search_filter" => error.coded("invalid_document_filter"),
        "invalid_search_sort" => error.coded("invalid_document_sort"),
        _ => error,
    }
}

/// `GET /indexes/{uid}/documents/{id}`
pub(crate) async fn get(
    State(app): State<App>,
    At((uid, id)): At<(String, String)>,
    params: Params,
) -> Result<Response, ApiError> {
    let mut fields = params.fields(ONE)?;
    let with_vectors = fields.boolean("retrieveVectors")?.unwrap_or_default();
    let wanted = fields.texts("fields")?;
    let document = app
        .read_index(&uid, |reader| {
            Ok(reader.document(&id, wanted.as_deref(), with_vectors)?)
        })
        .await?;
    Ok(json_bytes(
        StatusCode::OK,
        document.get().as_bytes().to_vec(),
    ))
}

/// `DELETE /indexes/{uid}/documents/{id}`
pub(crate) async fn delete_one(
    State(app): State<App>,
    At((uid, id)): At<(String, String)>,
    params: Params,
) -> Result<Response, ApiError> {
    delete(&app, uid, params, Selection::Ids(vec![id])).await
}

/// `DELETE /indexes/{uid}/documents`
pub(crate) async fn delete_all(
    State(app): State<App>,
    At(uid): At<String>,
    params: Params,
) -> Result<Response, ApiError> {
    delete(&app, uid, params, Selection::All).await
}

/// `POST /indexes/{uid}/documents/delete-batch`
pub(crate) async fn delete_batch(
    State(app): State<App>,
    At(uid): At<String>,
    params: Params,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let refuse = |message| ApiError::invalid("invalid_document_ids", message);
    let Value::Array(list) = body else {
        return Err(refuse(wrong_type("", "an array", &body)));
    };
    let mut ids = Vec::with_capacity(list.len());
    for (place, value) in list.into_iter().enumerate() {
        let id = id_text(value).map_err(|other| {
            refuse(wrong_type(
                &format!("[{place}]"),
                "a string or an integer",
                &other,
            ))
        })?;
        ids.push(id);
    }
    delete(&app, uid, params, Selection::Ids(ids)).await
}

/// `POST /indexes/{uid}/documents/delete`
pub(crate) async fn delete_by_filter(
    State(app): State<App>,
    At(uid): At<String>,
    params: Params,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let given = body.get("filter").unwrap_or(&Value::Null).to_string();
    let mut fields = Fields::body(body, DELETE)?;
    match filter::take(&mut fields)? {
        Some(filter) => {
            let filter = filter.to_string();
            delete(&app, uid, params, Selection::GivenFilter { filter, given }).await
        }
        // An empty filter must not delete everything by accident.
        None => Err(fields.missing("filter", "missing_document_filter")),
    }
}

async fn delete(
    app: &App,
    uid: String,
    params: Params,
    selection: Selection,
) -> Result<Response, ApiError> {
    let uid = IndexUid::new(uid).map_err(EngineError::from)?;
    let note = take_note(&mut params.fields(NOTE)?)?;
    let write = noted(Write::DeleteDocuments { uid, selection }, note);
    Ok(accepted(&app.write(write).await?))
}
