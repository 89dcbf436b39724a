//! `POST /api/restore`: writes what stands in a dump.
//!
//! What a dump holds takes the place of users, items and feedback of the same ids; what it does
//! not hold stays. It is written a batch at a time while it comes in, each batch as its own
//! route would write it, so a dump may be of any size. The batches before a fault are kept, that
//! of the fault is not; the answer says how much was written.

use super::records::{RecordError, read_feedback, read_item, read_user};
use super::stream::{Section, Stream, StreamError};
use crate::app::App;
use crate::error::ApiError;
use crate::gorse::{answer, feedback, items, users};
use crate::payload::Pieces;
use axum::extract::{Request, State};
use axum::response::Response;
use engine::{Feedback, LedgerChange, WriteMode};
use serde::Serialize;
use serde_json::{Map, Value};
use std::time::Instant;

/// Records written together, at most …
const RECORDS: usize = 10_000;
/// … and from so many bytes on.
const BYTES: usize = 8 << 20;

/// What was written.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Restored {
    users: u64,
    items: u64,
    feedback: u64,
    /// In nanoseconds.
    duration: u64,
}

/// Records of one section that wait to be written.
#[derive(Default)]
struct Batch {
    users: Vec<LedgerChange>,
    items: Vec<Map<String, Value>>,
    feedback: Vec<Feedback>,
    section: Option<Section>,
    records: usize,
    bytes: usize,
}

/// `POST /api/restore`
pub(crate) async fn restore(
    State(app): State<App>,
    request: Request,
) -> Result<Response, ApiError> {
    let _turn = app.restore_turn()?;
    let started = Instant::now();
    let mut restored = Restored::default();
    let outcome = write_all(&app, request, &mut restored).await;
    restored.duration = started.elapsed().as_nanos() as u64;
    let Restored {
        users,
        items,
        feedback,
        ..
    } = restored;
    tracing::info!(
        users,
        items,
        feedback,
        whole = outcome.is_ok(),
        elapsed_ms = started.elapsed().as_millis() as u64,
        "dump restored"
    );
    match outcome {
        Ok(()) => Ok(answer(&restored)),
        Err(error) => Err(error.reworded(|why| {
            format!("{why}; written before: {users} users, {items} items, {feedback} feedback")
        })),
    }
}

async fn write_all(app: &App, request: Request, restored: &mut Restored) -> Result<(), ApiError> {
    let mut body = Pieces::of(request)?;
    let mut stream = Stream::default();
    let mut batch = Batch::default();
    while !stream.has_ended() {
        let Some(piece) = body.next(app.limits()).await? else {
            break;
        };
        stream.push(&piece);
        while let Some((section, record)) = stream.next().map_err(no_dump)? {
            if batch.is_full_for(section) {
                batch.write(app, restored).await?;
            }
            batch.add(section, record).map_err(|error| {
                let record = restored.records() + batch.records as u64 + 1;
                error.reworded(|why| format!("record {record} ({}): {why}", section.one()))
            })?;
        }
    }
    stream.finish().map_err(no_dump)?;
    batch.write(app, restored).await
}

fn no_dump(error: StreamError) -> ApiError {
    ApiError::invalid("malformed_payload", error.to_string())
}

fn no_record(error: RecordError) -> ApiError {
    ApiError::invalid("malformed_payload", error.to_string())
}

impl Restored {
    fn records(&self) -> u64 {
        self.users + self.items + self.feedback
    }
}

impl Batch {
    /// Whether it must be written before a record of this section.
    fn is_full_for(&self, section: Section) -> bool {
        let is_another = self.section.is_some_and(|before| before != section);
        is_another || self.records == RECORDS || self.bytes >= BYTES
    }

    fn add(&mut self, section: Section, record: &[u8]) -> Result<(), ApiError> {
        match section {
            Section::Users => {
                let user = read_user(record).map_err(no_record)?;
                self.users.push(user.whole()?);
            }
            Section::Items => {
                let item = read_item(record).map_err(no_record)?;
                self.items.push(item.document()?);
            }
            Section::Feedback => {
                let given = read_feedback(record).map_err(no_record)?;
                self.feedback.push(given.feedback()?);
            }
        }
        self.section = Some(section);
        self.records += 1;
        self.bytes += record.len();
        Ok(())
    }

    /// Writes what waits, and begins anew.
    async fn write(&mut self, app: &App, restored: &mut Restored) -> Result<(), ApiError> {
        let batch = std::mem::take(self);
        let records = batch.records as u64;
        match batch.section {
            None => {}
            Some(Section::Users) => {
                users::write(app, batch.users).await?;
                restored.users += records;
            }
            Some(Section::Items) => {
                items::write(app, batch.items, WriteMode::Replace).await?;
                restored.items += records;
            }
            Some(Section::Feedback) => {
                feedback::write(app, batch.feedback, LedgerChange::SetFeedback).await?;
                restored.feedback += records;
            }
        }
        Ok(())
    }
}
