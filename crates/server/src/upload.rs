//! `POST|PUT /indexes/{uid}/documents`: adding documents as JSON, NDJSON or CSV.
//!
//! A row that cannot be read costs that row: it is listed with the task, and the
//! good rows go on. So it is with NDJSON and CSV that break off, say in the middle of a
//! gzip stream: the last refused row says so. A JSON value that breaks off is no JSON
//! and is refused whole.

use crate::app::{App, outcome};
use crate::custom_metadata::{CUSTOM_METADATA, noted, take_note};
use crate::error::ApiError;
use crate::fields::{Fields, Params, Table};
use crate::path::At;
use crate::payload::{self, Received, media_type, near};
use crate::task_json::accepted;
use axum::extract::{Request, State};
use axum::response::Response;
use domain::IndexUid;
use engine::{DocumentsWrite, EngineError, Write, WriteMode};
use intake::{Format, IntakeError, Rejected, Rows};
use serde_json::{Value, json};
use std::io::Cursor;

const FIELDS: Table = &[
    ("primaryKey", "invalid_index_primary_key"),
    ("csvDelimiter", "invalid_document_csv_delimiter"),
    ("skipCreation", "invalid_skip_creation"),
    CUSTOM_METADATA,
];

/// Refused rows listed in one answer.
const LISTED: usize = 1000;

/// `POST /indexes/{uid}/documents`: documents take the place of those with the same id.
pub(crate) async fn replace(
    State(app): State<App>,
    At(uid): At<String>,
    params: Params,
    request: Request,
) -> Result<Response, ApiError> {
    let modes = (WriteMode::Replace, WriteMode::ReplaceKnown);
    upload(app, uid, params, request, modes).await
}

/// `PUT /indexes/{uid}/documents`: attributes are laid over those of documents with the same id.
pub(crate) async fn update(
    State(app): State<App>,
    At(uid): At<String>,
    params: Params,
    request: Request,
) -> Result<Response, ApiError> {
    let modes = (WriteMode::Update, WriteMode::UpdateKnown);
    upload(app, uid, params, request, modes).await
}

/// Adds documents in the first mode, or in the second where none is to be made.
async fn upload(
    app: App,
    uid: String,
    params: Params,
    request: Request,
    (usual, known_only): (WriteMode, WriteMode),
) -> Result<Response, ApiError> {
    let uid = IndexUid::new(uid).map_err(EngineError::from)?;
    let mut fields = params.fields(FIELDS)?;
    let mode = match fields.boolean("skipCreation")? {
        Some(true) => known_only,
        _ => usual,
    };
    let note = take_note(&mut fields)?;
    let primary_key = fields.text("primaryKey")?;
    let media = media_type(request.headers())?;
    let format = media.as_deref().and_then(Format::from_content_type);
    let format = format.ok_or_else(|| payload::unknown_upload(media.as_deref()))?;
    let delimiter = take_delimiter(&mut fields, format)?;
    let limit = app.limits().payload_bytes;
    let Received {
        bytes,
        place: _place,
    } = payload::read(request, &app, limit).await?;
    let sender = app.clone();
    let sent = near(bytes, move |bytes| {
        let mut write = DocumentsWrite {
            uid,
            primary_key,
            mode,
            documents: Vec::new(),
            rows: Vec::new(),
            rejected: Vec::new(),
        };
        read_rows(bytes, format, delimiter, &mut write)?;
        Ok(sender.send(noted(Write::Documents(write), note)))
    })
    .await?;
    Ok(accepted(&outcome(sent).await?))
}

fn read_rows(
    bytes: Vec<u8>,
    format: Format,
    delimiter: Option<u8>,
    write: &mut DocumentsWrite,
) -> Result<(), ApiError> {
    let mut rows = rows(bytes, format, delimiter)?;
    for row in &mut rows {
        match row {
            Ok(row) => {
                write.rows.push(row.number);
                write.documents.push(row.object);
            }
            Err(rejected) => write.rejected.push(rejected),
        }
    }
    if let Some(fault) = rows.fault()
        && is_lost(format, write.documents.len())
    {
        return Err(broken(fault, &write.rejected));
    }
    match write.rejected.first() {
        Some(first) if write.documents.is_empty() => {
            let message = format!("No row of the payload can be used: {first}.");
            Err(with_rejected(
                ApiError::invalid("malformed_payload", message),
                &write.rejected,
            ))
        }
        _ => Ok(()),
    }
}

/// Whether a payload with a fault is refused although this many rows were good.
pub(crate) fn is_lost(format: Format, good_rows: usize) -> bool {
    format == Format::Json || good_rows == 0
}

/// The rows of a payload.
pub(crate) fn rows(
    bytes: Vec<u8>,
    format: Format,
    delimiter: Option<u8>,
) -> Result<Rows, ApiError> {
    if bytes.trim_ascii().is_empty() {
        let kind = match format {
            Format::Json => "json",
            Format::Ndjson => "ndjson",
            Format::Csv => "csv",
        };
        return Err(ApiError::invalid(
            "missing_payload",
            format!("A {kind} payload is missing."),
        ));
    }
    let reader = intake::open(Cursor::new(bytes)).map_err(|fault| broken(&fault, &[]))?;
    let rows = Rows::new(reader, format, intake::Limits::default());
    Ok(match delimiter {
        Some(delimiter) => rows.csv_delimiter(delimiter),
        None => rows,
    })
}

/// The refusal of a payload that cannot be read to its end.
pub(crate) fn broken(fault: &IntakeError, rejected: &[Rejected]) -> ApiError {
    let place = match rejected.last() {
        Some(last) => format!(" (row {})", last.row),
        None => String::new(),
    };
    let code = match fault {
        IntakeError::Columns(_) => "invalid_event_map",
        _ => "malformed_payload",
    };
    let message = format!("The payload cannot be read{place}: {fault}. Nothing of it was taken.");
    with_rejected(ApiError::invalid(code, message), rejected)
}

/// An error that lists the rows at fault.
pub(crate) fn with_rejected(error: ApiError, rejected: &[Rejected]) -> ApiError {
    error
        .with("rejected", listed(rejected))
        .with("rejectedTotal", json!(rejected.len()))
}

/// The first refused rows.
pub(crate) fn listed(rejected: &[Rejected]) -> Value {
    let rows: Vec<Value> = rejected
        .iter()
        .take(LISTED)
        .map(|row| json!({ "row": row.row, "field": row.field, "reason": row.reason }))
        .collect();
    Value::Array(rows)
}

/// `csvDelimiter`: one ASCII character, for CSV only.
pub(crate) fn take_delimiter(fields: &mut Fields, format: Format) -> Result<Option<u8>, ApiError> {
    let name = "csvDelimiter";
    let Some(text) = fields.text(name)? else {
        return Ok(None);
    };
    if format != Format::Csv {
        return Err(fields.refuse(
            name,
            "The `csvDelimiter` parameter can be used with the Content-Type `text/csv` only.",
        ));
    }
    match text.as_bytes() {
        [one] if one.is_ascii() => Ok(Some(*one)),
        _ => {
            let message = format!(
                "`{name}` must be one ASCII character, but is `{}`.",
                crate::fields::shortened(&text)
            );
            Err(fields.refuse(name, message))
        }
    }
}
