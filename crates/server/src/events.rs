//! `POST /indexes/{uid}/events`: what shoppers did, answered when it is durable.
//!
//! The body is one event, an array, NDJSON, or CSV with `?map=` naming its
//! columns. Good rows are kept and bad ones listed; only when no row is good
//! is the answer an error.

use crate::app::{App, outcome};
use crate::error::{ApiError, json_response};
use crate::fields::{Params, Table};
use crate::path::At;
use crate::payload::{self, Received, media_type, near};
use crate::upload::{broken, is_lost, listed, rows, take_delimiter, with_rejected};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Event, IndexUid, Timestamp};
use engine::{EngineError, Write};
use intake::{EventMapping, EventRows, Format, Rejected};
use serde::Serialize;
use serde_json::Value;

const FIELDS: Table = &[
    ("map", "invalid_event_map"),
    ("csvDelimiter", "invalid_document_csv_delimiter"),
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    /// `null` when there was nothing to write.
    task_uid: Option<u64>,
    accepted: u64,
    duplicates: u64,
    unknown_items: u64,
    rejected: Value,
    rejected_total: usize,
}

/// How a payload of events is read.
struct Reading {
    format: Format,
    delimiter: Option<u8>,
    mapping: Option<EventMapping>,
    now: Timestamp,
}

/// `POST /indexes/{uid}/events`
pub(crate) async fn post(
    State(app): State<App>,
    At(uid): At<String>,
    params: Params,
    request: Request,
) -> Result<Response, ApiError> {
    let uid = IndexUid::new(uid).map_err(EngineError::from)?;
    // Looked up before the body is read; a look at the published snapshot, which never blocks.
    app.engine().index(uid.as_str())?;
    let media = media_type(request.headers())?;
    let format = format(media.as_deref())?;
    let mut fields = params.fields(FIELDS)?;
    let mapping = match fields.text("map")? {
        Some(text) => Some(
            EventMapping::parse(&text).map_err(|error| fields.refuse("map", error.to_string()))?,
        ),
        None => None,
    };
    let delimiter = take_delimiter(&mut fields, format)?;
    let reading = Reading {
        format,
        delimiter,
        mapping,
        now: now(),
    };
    let limit = app.limits().payload_bytes;
    let Received {
        bytes,
        place: _place,
    } = payload::read(request, &app, limit).await?;
    let sender = app.clone();
    let (sent, rejected) = near(bytes, move |bytes| {
        let (events, rejected) = reading.read(bytes)?;
        let sent = (!events.is_empty()).then(|| sender.send(Write::Events { uid, events }));
        Ok((sent, rejected))
    })
    .await?;
    let mut receipt = Receipt {
        task_uid: None,
        accepted: 0,
        duplicates: 0,
        unknown_items: 0,
        rejected: listed(&rejected),
        rejected_total: rejected.len(),
    };
    if let Some(sent) = sent {
        let accepted = outcome(sent).await?;
        let counts = accepted.events.unwrap_or_default();
        receipt.task_uid = Some(accepted.task_uid);
        receipt.accepted = counts.accepted;
        receipt.duplicates = counts.duplicates;
        receipt.unknown_items = counts.unknown_items;
    }
    Ok(json_response(StatusCode::OK, &receipt))
}

/// JSON unless another format is named: browsers send beacons as plain text.
fn format(media: Option<&str>) -> Result<Format, ApiError> {
    match media {
        None | Some("text/plain") => Ok(Format::Json),
        Some(media) => {
            Format::from_content_type(media).ok_or_else(|| payload::unknown_upload(Some(media)))
        }
    }
}

/// The time of events that do not say theirs.
fn now() -> Timestamp {
    Timestamp::from_millis(jiff::Timestamp::now().as_millisecond())
}

impl Reading {
    fn read(self, bytes: Vec<u8>) -> Result<(Vec<Event>, Vec<Rejected>), ApiError> {
        let rows = rows(bytes, self.format, self.delimiter)?;
        let mut rows = EventRows::new(rows, self.mapping, self.now);
        if self.format == Format::Csv {
            // A CSV is an export: sent again, it must not count everything twice.
            rows = rows.with_file_ids();
        }
        let mut events = Vec::new();
        let mut rejected = Vec::new();
        for row in &mut rows {
            match row {
                Ok(event) => events.push(event),
                Err(row) => rejected.push(row),
            }
        }
        if let Some(fault) = rows.fault()
            && is_lost(self.format, events.len())
        {
            return Err(broken(fault, &rejected));
        }
        match rejected.first() {
            Some(first) if events.is_empty() => {
                let message = format!("No event can be taken: {first}.");
                Err(with_rejected(
                    ApiError::invalid("invalid_event", message),
                    &rejected,
                ))
            }
            _ => Ok((events, rejected)),
        }
    }
}
