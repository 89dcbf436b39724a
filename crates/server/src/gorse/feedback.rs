//! Feedback: kept in the ledger in the shop's own words, and told to the profiles as events.
//!
//! `POST` adds to the value of what is there and `PUT` takes its place. Either way what happened
//! at one moment is one event, however often it is sent. An event is never taken back, so what
//! feedback said once goes on to count when it is deleted.

use super::params::Asked;
use super::{answer, done, ids, item, items, kinds, setup, times, with_body};
use crate::app::App;
use crate::error::ApiError;
use crate::path::At;
use crate::shoppers::shopper;
use axum::extract::{Request, State};
use axum::response::Response;
use domain::{Event, EventKind, ItemId, Timestamp, UserId};
use engine::{
    EngineError, Feedback, FeedbackKey, FeedbackKind, FeedbackOf, IndexReader, LedgerChange,
    Settings, Write, WriteMode,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashMap};

/// Bytes of one comment.
const LONGEST_COMMENT: usize = 65_536;
/// Feedback of one shopper or one item in one answer.
const MOST: usize = 100_000;
/// Clocks of a shop's machines may be so far apart, in milliseconds.
const CLOCK_ERROR: i64 = 5_000;
/// Pieces that a purchase may be of.
const PIECES: std::ops::RangeInclusive<f64> = 1.0..=1e6;

/// Feedback as clients write it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Given {
    pub feedback_type: String,
    pub user_id: String,
    pub item_id: String,
    pub value: Option<f64>,
    pub timestamp: Option<String>,
    pub comment: Option<String>,
}

/// Feedback as it is shown.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    feedback_type: String,
    user_id: String,
    item_id: String,
    value: f64,
    timestamp: String,
    comment: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    cursor: String,
    feedback: Vec<Shown>,
}

impl Given {
    /// Checked.
    pub(super) fn feedback(self) -> Result<Feedback, ApiError> {
        let kind = FeedbackKind::new(self.feedback_type);
        let comment = self.comment.unwrap_or_default();
        if comment.len() > LONGEST_COMMENT {
            let message = format!("a comment has at most {LONGEST_COMMENT} bytes");
            return Err(ApiError::invalid("payload_too_large", message));
        }
        // What no document can be called cannot be an item.
        ids::document(&self.item_id)?;
        Ok(Feedback {
            user: shopper(self.user_id)?,
            item: ItemId::new(self.item_id).map_err(EngineError::from)?,
            kind: kind.map_err(|error| refused_kind(&error))?,
            value: self.value.unwrap_or_default(),
            time: times::read(self.timestamp.as_deref())?,
            comment,
        })
    }
}

fn refused_kind(error: &engine::FeedbackKindError) -> ApiError {
    ApiError::invalid("invalid_feedback_type", error.to_string())
}

impl Shown {
    fn of(feedback: Feedback) -> Self {
        Self {
            feedback_type: feedback.kind.as_str().to_owned(),
            user_id: feedback.user.to_string(),
            item_id: feedback.item.to_string(),
            value: feedback.value,
            timestamp: feedback.time.to_string(),
            comment: feedback.comment,
        }
    }
}

/// `POST /api/feedback`
pub(crate) async fn add(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    insert(&app, request, LedgerChange::AddFeedback).await
}

/// `PUT /api/feedback`
pub(crate) async fn set(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    insert(&app, request, LedgerChange::SetFeedback).await
}

async fn insert(
    app: &App,
    request: Request,
    change: fn(Feedback) -> LedgerChange,
) -> Result<Response, ApiError> {
    let feedback = with_body(app, request, |list: Vec<Given>| {
        list.into_iter()
            .map(Given::feedback)
            .collect::<Result<Vec<_>, _>>()
    })
    .await?;
    let count = feedback.len() as u64;
    write(app, feedback, change).await?;
    Ok(done(count))
}

/// Writes feedback, and the items and shoppers that nobody has written yet.
pub(super) async fn write(
    app: &App,
    feedback: Vec<Feedback>,
    change: fn(Feedback) -> LedgerChange,
) -> Result<(), ApiError> {
    if feedback.is_empty() {
        return Ok(());
    }
    setup::ensure_index(app).await?;
    add_items(app, &feedback).await?;
    record(app, feedback, change).await
}

/// Writes feedback with the shoppers who gave it, and the events that it is.
async fn record(
    app: &App,
    feedback: Vec<Feedback>,
    change: fn(Feedback) -> LedgerChange,
) -> Result<(), ApiError> {
    let uid = app.gorse_index().clone();
    let now = engine::now();
    let events = {
        let reader = app.engine().index(uid.as_str())?;
        let settings = reader.settings();
        let events = feedback.iter().map(|given| event(settings, given, now));
        events.collect::<Result<Vec<_>, _>>()?
    };
    let events: Vec<Event> = events.into_iter().flatten().collect();
    let users: BTreeSet<UserId> = feedback.iter().map(|given| given.user.clone()).collect();
    let mut changes: Vec<LedgerChange> = Vec::with_capacity(users.len() + feedback.len());
    changes.extend(users.into_iter().map(LedgerChange::EnsureShopper));
    changes.extend(feedback.into_iter().map(change));
    // Handed over together, so that both are durable with one write to the disk.
    let ledger = app.send(Write::Ledger {
        uid: uid.clone(),
        changes,
    });
    let sent = (!events.is_empty()).then(|| app.send(Write::Events { uid, events }));
    crate::app::outcome(ledger).await?;
    if let Some(sent) = sent {
        crate::app::outcome(sent).await?;
    }
    Ok(())
}

/// The event that feedback is, if its kind is one.
///
/// Its id makes it the same event when the same feedback is sent again.
fn event(
    settings: &Settings,
    feedback: &Feedback,
    now: Timestamp,
) -> Result<Option<Event>, ApiError> {
    let Some(kind) = kinds::event(settings, feedback.kind.as_str()) else {
        return Ok(None);
    };
    let is_timed = times::is_given(feedback.time);
    let FeedbackKey {
        user,
        item,
        kind: word,
    } = feedback.key();
    let millis = feedback.time.millis();
    let value = feedback.value;
    Ok(Some(Event {
        id: is_timed.then(|| format!("feedback\0{word}\0{user}\0{item}\0{millis}")),
        user: feedback.user.clone(),
        kind,
        item: Some(ids::document(&item)?),
        query: None,
        time: if is_timed { feedback.time } else { now },
        value: (kind == EventKind::Rate).then_some(value),
        price: None,
        quantity: (kind == EventKind::Purchase && PIECES.contains(&value)).then_some(value),
        basket: None,
        query_id: None,
    }))
}

/// Adds the items that feedback names and nobody has described yet, with nothing but their ids:
/// should somebody describe one in this moment, that stands.
async fn add_items(app: &App, feedback: &[Feedback]) -> Result<(), ApiError> {
    let mut named: HashMap<&str, ItemId> = HashMap::new();
    for given in feedback {
        let item = given.item.as_str();
        if !named.contains_key(item) {
            named.insert(item, ids::document(item)?);
        }
    }
    let unknown = items::read(app, |reader| {
        let mut unknown = Vec::new();
        for (item, document) in &named {
            if !reader.contains(document.as_str())? {
                unknown.push(*item);
            }
        }
        Ok(unknown)
    });
    let mut unknown = unknown.await?.unwrap_or_default();
    unknown.sort_unstable();
    let documents: Result<Vec<Map<String, Value>>, ApiError> =
        unknown.into_iter().map(item::named).collect();
    let documents = documents?;
    if documents.is_empty() {
        return Ok(());
    }
    items::write(app, documents, WriteMode::Update).await
}

/// Notes that items were shown, so that they do not come again from a moment on. To have been
/// shown is no event.
pub(super) async fn write_back(
    app: &App,
    user: &UserId,
    shown: Vec<String>,
    kind: FeedbackKind,
    time: Timestamp,
) -> Result<(), ApiError> {
    let mut changes = vec![LedgerChange::EnsureShopper(user.clone())];
    for item in shown {
        changes.push(LedgerChange::SetFeedback(Feedback {
            user: user.clone(),
            item: ItemId::new(item).map_err(EngineError::from)?,
            kind: kind.clone(),
            value: 0.0,
            time,
            comment: String::new(),
        }));
    }
    let uid = app.gorse_index().clone();
    app.write(Write::Ledger { uid, changes }).await.map(|_| ())
}

/// The feedback of a shopper up to now.
pub(super) fn history(reader: &IndexReader, user: &UserId) -> Result<Vec<Feedback>, ApiError> {
    let of = FeedbackOf::User(user.clone());
    Ok(until_now(reader.feedback(&of, None, MOST)?).collect())
}

/// What feedback is on, in documents of the index.
pub(super) fn seen(history: &[Feedback]) -> Result<Vec<ItemId>, ApiError> {
    let mut seen = Vec::new();
    for given in history {
        seen.push(ids::document(given.item.as_str())?);
    }
    seen.dedup();
    Ok(seen)
}

/// Feedback of a time to come is not there yet.
fn until_now(feedback: Vec<Feedback>) -> impl Iterator<Item = Feedback> {
    let latest = latest();
    feedback
        .into_iter()
        .filter(move |given| given.time <= latest)
}

/// Feedback behind this moment is of a time to come.
pub(super) fn latest() -> Timestamp {
    Timestamp::from_millis(engine::now().millis().saturating_add(CLOCK_ERROR))
}

/// `GET /api/feedback`
pub(crate) async fn list(State(app): State<App>, asked: Asked) -> Result<Response, ApiError> {
    page(&app, &asked, None).await
}

/// `GET /api/feedback/{kind}`
pub(crate) async fn list_kind(
    State(app): State<App>,
    At(kind): At<String>,
    asked: Asked,
) -> Result<Response, ApiError> {
    let kind = FeedbackKind::new(kind).map_err(|error| refused_kind(&error))?;
    page(&app, &asked, Some(kind)).await
}

async fn page(app: &App, asked: &Asked, kind: Option<FeedbackKind>) -> Result<Response, ApiError> {
    let n = asked.listed()?;
    let after = ids::of_cursor(asked.text("cursor").unwrap_or_default())?;
    let after = after.map(|cursor| last_of(&cursor)).transpose()?;
    let feedback = items::read(app, |reader| {
        Ok(reader.all_feedback(after.as_ref(), kind.as_ref(), n + 1)?)
    });
    let mut feedback = feedback.await?.unwrap_or_default();
    let has_more = feedback.len() > n;
    feedback.truncate(n);
    let last = feedback.last().filter(|_| has_more);
    let cursor = last.map_or_else(String::new, |last| {
        let FeedbackKey { user, item, kind } = last.key();
        ids::cursor(&format!("{user}\0{item}\0{kind}"))
    });
    let feedback = until_now(feedback).map(Shown::of).collect();
    Ok(answer(&Page { cursor, feedback }))
}

fn last_of(cursor: &str) -> Result<FeedbackKey, ApiError> {
    let mut parts = cursor.split('\0').map(str::to_owned);
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(user), Some(item), Some(kind), None) => Ok(FeedbackKey { user, item, kind }),
        _ => Err(ApiError::invalid(
            "bad_request",
            "this cursor is none that was given out here",
        )),
    }
}

/// `GET /api/user/{user}/feedback[/{kind}]`
pub(crate) async fn of_user(
    State(app): State<App>,
    At(parts): At<Vec<(String, String)>>,
) -> Result<Response, ApiError> {
    let (user, kind) = named(parts)?;
    some(&app, FeedbackOf::User(shopper(user)?), kind).await
}

/// `GET /api/item/{item}/feedback[/{kind}]`
pub(crate) async fn of_item(
    State(app): State<App>,
    At(parts): At<Vec<(String, String)>>,
) -> Result<Response, ApiError> {
    let (item, kind) = named(parts)?;
    let item = ItemId::new(item).map_err(EngineError::from)?;
    some(&app, FeedbackOf::Item(item), kind).await
}

/// The first part of a path, and the kind of feedback where it names one.
fn named(parts: Vec<(String, String)>) -> Result<(String, Option<FeedbackKind>), ApiError> {
    let mut parts = parts.into_iter().map(|(_, part)| part);
    let whose = parts.next().unwrap_or_default();
    let kind = parts.next().map(FeedbackKind::new).transpose();
    Ok((whose, kind.map_err(|error| refused_kind(&error))?))
}

async fn some(app: &App, of: FeedbackOf, kind: Option<FeedbackKind>) -> Result<Response, ApiError> {
    let feedback = items::read(app, |reader| {
        Ok(reader.feedback(&of, kind.as_ref(), MOST)?)
    });
    let feedback = until_now(feedback.await?.unwrap_or_default());
    let shown: Vec<Shown> = feedback.map(Shown::of).collect();
    Ok(answer(&shown))
}

/// `GET /api/feedback/{user}/{item}`
pub(crate) async fn of_pair(
    State(app): State<App>,
    At((user, item)): At<(String, String)>,
) -> Result<Response, ApiError> {
    let of = pair(user, item)?;
    let feedback = items::read(&app, |reader| Ok(reader.feedback(&of, None, MOST)?));
    let feedback = feedback.await?.unwrap_or_default();
    let shown: Vec<Shown> = feedback.into_iter().map(Shown::of).collect();
    Ok(answer(&shown))
}

/// `DELETE /api/feedback/{user}/{item}`
pub(crate) async fn delete_pair(
    State(app): State<App>,
    At((user, item)): At<(String, String)>,
) -> Result<Response, ApiError> {
    remove(&app, pair(user, item)?, None).await
}

/// `GET /api/feedback/{kind}/{user}/{item}`
pub(crate) async fn one(
    State(app): State<App>,
    At((kind, user, item)): At<(String, String, String)>,
) -> Result<Response, ApiError> {
    let unknown = || {
        let message = format!("{kind}, {user}, {item}: feedback not found");
        ApiError::not_found("feedback_not_found", message)
    };
    let of = pair(user.clone(), item.clone())?;
    let word = FeedbackKind::new(kind.clone()).map_err(|error| refused_kind(&error))?;
    let feedback = items::read(&app, |reader| Ok(reader.feedback(&of, Some(&word), 1)?));
    let found = feedback.await?.unwrap_or_default().pop();
    Ok(answer(&Shown::of(found.ok_or_else(unknown)?)))
}

/// `DELETE /api/feedback/{kind}/{user}/{item}`
pub(crate) async fn delete_one(
    State(app): State<App>,
    At((kind, user, item)): At<(String, String, String)>,
) -> Result<Response, ApiError> {
    let kind = FeedbackKind::new(kind).map_err(|error| refused_kind(&error))?;
    remove(&app, pair(user, item)?, Some(kind)).await
}

fn pair(user: String, item: String) -> Result<FeedbackOf, ApiError> {
    let item = ItemId::new(item).map_err(EngineError::from)?;
    Ok(FeedbackOf::Pair(shopper(user)?, item))
}

async fn remove(
    app: &App,
    of: FeedbackOf,
    kind: Option<FeedbackKind>,
) -> Result<Response, ApiError> {
    let changes = vec![LedgerChange::RemoveFeedback(of, kind)];
    Ok(done(setup::take_back(app, changes).await?))
}
