//! Users: the records of the index's shoppers, of which labels and comment are the convention's.
//!
//! What a record holds beside them, put there through `/indexes/{uid}/users`, stays.

use super::params::Asked;
use super::{answer, done, ids, setup, with_body};
use crate::app::App;
use crate::error::ApiError;
use crate::path::At;
use crate::shoppers::{LARGEST_RECORD, shopper};
use axum::extract::{Request, State};
use axum::response::Response;
use domain::UserId;
use engine::{EngineError, LedgerChange, Write};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A user, or what is to change of one.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Given {
    pub user_id: String,
    pub labels: Option<Value>,
    pub comment: Option<String>,
    /// Of older clients.
    pub subscribe: Option<Vec<String>>,
}

/// A user as it is shown.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct User {
    pub user_id: String,
    pub labels: Value,
    pub comment: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscribe: Option<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Users {
    cursor: String,
    users: Vec<User>,
}

impl Given {
    /// The whole of what the convention knows: what is not given is taken out.
    pub(super) fn whole(self) -> Result<LedgerChange, ApiError> {
        let user = shopper(self.user_id)?;
        let attributes = Map::from_iter([
            ("Labels".to_owned(), self.labels.unwrap_or_default()),
            ("Comment".to_owned(), json!(self.comment)),
            ("Subscribe".to_owned(), json!(self.subscribe)),
        ]);
        checked(user, attributes)
    }

    /// What is given.
    fn changes(self, user: UserId) -> Result<LedgerChange, ApiError> {
        let mut attributes = Map::new();
        attributes.extend(self.labels.map(|labels| ("Labels".to_owned(), labels)));
        let comment = self.comment;
        attributes.extend(comment.map(|comment| ("Comment".to_owned(), json!(comment))));
        let subscribe = self.subscribe;
        attributes.extend(subscribe.map(|list| ("Subscribe".to_owned(), json!(list))));
        checked(user, attributes)
    }
}

fn checked(user: UserId, attributes: Map<String, Value>) -> Result<LedgerChange, ApiError> {
    let bytes = serde_json::to_vec(&attributes).map_or(0, |text| text.len());
    if bytes > LARGEST_RECORD {
        let message = format!("user `{user}` has {bytes} bytes; {LARGEST_RECORD} are the most");
        return Err(ApiError::invalid("payload_too_large", message));
    }
    Ok(LedgerChange::PatchShopper(user, attributes))
}

impl User {
    pub(super) fn of(user_id: String, mut attributes: Map<String, Value>) -> Self {
        Self {
            user_id,
            labels: attributes.shift_remove("Labels").unwrap_or_default(),
            comment: attributes.shift_remove("Comment").unwrap_or(json!("")),
            subscribe: attributes.shift_remove("Subscribe"),
        }
    }
}

/// `POST /api/user`
pub(crate) async fn insert(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    let change = with_body(&app, request, Given::whole).await?;
    write(&app, vec![change]).await?;
    Ok(done(1))
}

/// `POST /api/users`
pub(crate) async fn insert_all(
    State(app): State<App>,
    request: Request,
) -> Result<Response, ApiError> {
    let changes = with_body(&app, request, |users: Vec<Given>| {
        users
            .into_iter()
            .map(Given::whole)
            .collect::<Result<Vec<_>, _>>()
    })
    .await?;
    let count = changes.len() as u64;
    if count > 0 {
        write(&app, changes).await?;
    }
    Ok(done(count))
}

/// `PATCH /api/user/{user}`
pub(crate) async fn update(
    State(app): State<App>,
    At(id): At<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let user = shopper(id)?;
    let known = user.clone();
    let change = with_body(&app, request, move |given: Given| given.changes(user)).await?;
    record(&app, known.as_str()).await?;
    write(&app, vec![change]).await?;
    Ok(done(1))
}

/// `GET /api/user/{user}`
pub(crate) async fn get(State(app): State<App>, At(id): At<String>) -> Result<Response, ApiError> {
    let attributes = record(&app, &id).await?;
    Ok(answer(&User::of(id, attributes)))
}

/// `GET /api/users`
pub(crate) async fn list(State(app): State<App>, asked: Asked) -> Result<Response, ApiError> {
    let n = asked.listed()?;
    let after = ids::of_cursor(asked.text("cursor").unwrap_or_default())?;
    let mut records = app
        .read(|engine| match engine.index(app.gorse_index().as_str()) {
            Ok(reader) => Ok(reader.shopper_records(after.as_deref(), n + 1)?),
            Err(EngineError::IndexNotFound(_)) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        })
        .await?;
    let has_more = records.len() > n;
    records.truncate(n);
    let last = records.last().filter(|_| has_more);
    let cursor = last.map_or_else(String::new, |(id, _)| ids::cursor(id));
    let users = records
        .into_iter()
        .map(|(id, attributes)| User::of(id, attributes))
        .collect();
    Ok(answer(&Users { cursor, users }))
}

/// `DELETE /api/user/{user}`: everything there is of the shopper.
pub(crate) async fn delete(
    State(app): State<App>,
    At(id): At<String>,
) -> Result<Response, ApiError> {
    let user = shopper(id)?;
    let uid = app.gorse_index().clone();
    let erased = app
        .read(|engine| match engine.erase_shopper(uid.as_str(), &user) {
            Err(EngineError::ShopperNotFound(_) | EngineError::IndexNotFound(_)) => Ok(()),
            erased => Ok(erased.map(|_| ())?),
        })
        .await;
    erased?;
    Ok(done(1))
}

/// Writes the records of users.
pub(super) async fn write(app: &App, changes: Vec<LedgerChange>) -> Result<(), ApiError> {
    setup::ensure_index(app).await?;
    let uid = app.gorse_index().clone();
    app.write(Write::Ledger { uid, changes }).await.map(|_| ())
}

async fn record(app: &App, id: &str) -> Result<Map<String, Value>, ApiError> {
    let unknown = || ApiError::not_found("user_not_found", format!("{id}: user not found"));
    let found = app
        .read(|engine| match engine.index(app.gorse_index().as_str()) {
            Ok(reader) => Ok(reader.shopper_record(id)?),
            Err(EngineError::IndexNotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        })
        .await?;
    found.ok_or_else(unknown)
}
