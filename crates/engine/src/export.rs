//! All that is known of a shopper, for the shopper: every event as it was accepted, and the
//! profile that was made of them.

use crate::ledger::{Feedback, FeedbackOf};
use crate::profile::ShopperProfile;
use crate::record::{Body, EVENTS, Entry, IndexNo};
use crate::shared::now;
use crate::{Engine, EngineError};
use domain::{Event, EventKind, Timestamp, UserId};
use serde::Serialize;
use serde_json::{Map, Value};
use store::Log;

/// All that is known of a shopper.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShopperExport {
    pub user_id: String,
    pub exported_at: String,
    /// In the order in which they were accepted.
    pub events: Vec<ExportedEvent>,
    /// None for a shopper of whom there are no events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<ShopperProfile>,
    /// What the shop states of the shopper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<Map<String, Value>>,
    pub feedback: Vec<ExportedFeedback>,
    /// Trained models that may have learnt from these events.
    pub models: Vec<String>,
}

/// What the shopper thinks of an item.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportedFeedback {
    pub kind: String,
    pub item_id: String,
    pub value: f64,
    pub time: String,
    pub comment: String,
}

/// An event as it was given.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportedEvent {
    pub accepted_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    pub kind: EventKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    pub time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantity: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basket: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query_id: Option<String>,
}

impl ExportedEvent {
    fn new(event: &Event, accepted_at: Timestamp) -> Self {
        Self {
            accepted_at: accepted_at.to_string(),
            event_id: event.id.clone(),
            kind: event.kind,
            item_id: event.item.as_ref().map(ToString::to_string),
            query: event.query.clone(),
            time: event.time.to_string(),
            value: event.value,
            price: event.price,
            quantity: event.quantity,
            basket: event.basket.clone(),
            query_id: event.query_id.clone(),
        }
    }
}

impl From<Feedback> for ExportedFeedback {
    fn from(feedback: Feedback) -> Self {
        Self {
            kind: feedback.kind.as_str().to_owned(),
            item_id: feedback.item.to_string(),
            value: feedback.value,
            time: feedback.time.to_string(),
            comment: feedback.comment,
        }
    }
}

impl Engine {
    /// All that is known of a shopper of an index. It reads the log from its start.
    pub fn export_shopper(&self, uid: &str, user: &str) -> Result<ShopperExport, EngineError> {
        let reader = self.index(uid)?;
        let record = reader.shopper_record(user)?;
        let feedback = match UserId::new(user) {
            Ok(user) => reader.feedback(&FeedbackOf::User(user), None, usize::MAX)?,
            Err(_) => Vec::new(),
        };
        let profile = match reader.shopper_profile(user) {
            Ok(profile) => Some(profile),
            Err(EngineError::ShopperNotFound(_)) if record.is_some() || !feedback.is_empty() => {
                None
            }
            Err(err) => return Err(err),
        };
        let mut events = Vec::new();
        let mut first = None;
        each_event(
            &self.shared().log,
            reader.state.meta.no,
            |_, entry, event| {
                if event.user.as_str() == user {
                    first.get_or_insert(entry.at);
                    events.push(ExportedEvent::new(event, entry.at));
                }
            },
        )?;
        let models = self.models(uid)?.into_iter();
        let saw = models.filter(|model| first.is_some_and(|first| model.created_at >= first));
        Ok(ShopperExport {
            user_id: user.to_owned(),
            exported_at: now().to_string(),
            events,
            profile,
            record,
            feedback: feedback.into_iter().map(ExportedFeedback::from).collect(),
            models: saw.map(|model| model.id).collect(),
        })
    }
}

/// Every event of an index in the log, with the number of its record.
pub(crate) fn each_event(
    log: &Log,
    index: IndexNo,
    mut each: impl FnMut(u64, &Entry, &Event),
) -> Result<(), EngineError> {
    // Nothing of an index stands before the record that made it.
    for record in log.read(index.0) {
        let record = record?;
        if record.kind != EVENTS {
            continue;
        }
        let entry = Entry::decode(&record)?;
        if let Body::Events(events) = &entry.body
            && entry.index == index
        {
            for event in events {
                each(record.seq, &entry, event);
            }
        }
    }
    Ok(())
}
