//! `GET /api/recommend/{user}` and its like: what is for one user, or for one visit.
//!
//! What the models say of a user's history comes first, then what is like the items of it, then
//! what is new. What a user has given feedback on does not come again.

use super::feedback::{Given, history, seen, write_back};
use super::lists::{add_newest, asked_of, ids_of};
use super::neighbours::{Neighbours, shown};
use super::params::{Asked, Part};
use super::slate::{Score, Scored, Slate};
use super::{answer, ids, items, kinds, times, with_body};
use crate::access::{Access, refusal};
use crate::app::App;
use crate::error::ApiError;
use crate::path::At;
use crate::shoppers::shopper;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use domain::{EventKind, Filter, ItemId, Timestamp, UserId};
use engine::{Feedback, FeedbackKind, IndexReader, RecommendKind, RecommendRequest};

/// The newest items of a history whose neighbours are looked at.
const NEWEST: usize = 10;
/// Least of the nearest documents that are compared for each of them.
const NEAREST: usize = 30;
/// Feedback in one visit.
const VISIT: usize = 1_000;
/// With this header lists have scores.
const VERSION: &str = "x-api-version";

/// `GET /api/recommend/{user}[/{category}]`
pub(crate) async fn for_user(
    State(app): State<App>,
    At(parts): At<Vec<(String, String)>>,
    access: Access,
    headers: HeaderMap,
    asked: Asked,
) -> Result<Response, ApiError> {
    let (user, filter) = whose(parts, &asked)?;
    let part = asked.part()?;
    let back = shown_as(&access, &asked)?;
    let scores = items::read(&app, |reader| recommended(reader, &user, &filter, part));
    let scores = scores.await?.unwrap_or_default();
    if let Some((kind, time)) = back {
        let items = scores.iter().map(|score| score.id.clone()).collect();
        write_back(&app, &user, items, kind, time).await?;
    }
    if headers.get(VERSION).is_some_and(|version| version == "2") {
        return Ok(answer(&scores));
    }
    let items: Vec<String> = scores.into_iter().map(|score| score.id).collect();
    Ok(answer(&items))
}

/// `GET /api/collaborative-filtering/{user}[/{category}]`: what the models say alone.
pub(crate) async fn collaborative(
    State(app): State<App>,
    At(parts): At<Vec<(String, String)>>,
    asked: Asked,
) -> Result<Response, ApiError> {
    let (user, filter) = whose(parts, &asked)?;
    let part = asked.part()?;
    let scores = items::read(&app, |reader| {
        let seen = seen(&history(reader, &user)?)?;
        let mut slate = Slate::new(part.end(), ids_of(&seen));
        let request = RecommendRequest {
            user: Some(user.clone()),
            limit: part.end(),
            exclude: seen,
            ..RecommendRequest::new(RecommendKind::ForYou)
        };
        slate.add(modelled(reader, request, &filter)?);
        Ok(slate.part(part))
    });
    Ok(answer(&scores.await?.unwrap_or_default()))
}

/// `POST /api/session/recommend[/{category}]`: for whoever has given this feedback.
pub(crate) async fn for_session(
    State(app): State<App>,
    At(parts): At<Vec<(String, String)>>,
    asked: Asked,
    request: Request,
) -> Result<Response, ApiError> {
    let category = parts.into_iter().next().map(|(_, category)| category);
    let filter = shown(&asked.categories(category)?);
    let part = asked.part()?;
    let mut visit = with_body(&app, request, |list: Vec<Given>| {
        if list.len() > VISIT {
            let message = format!("a session has at most {VISIT} feedback");
            return Err(ApiError::invalid("bad_request", message));
        }
        let list = list.into_iter().map(Given::feedback);
        list.collect::<Result<Vec<_>, _>>()
    })
    .await?;
    visit.sort_by_key(|feedback| feedback.time);
    let scores = items::read(&app, |reader| visited(reader, visit, &filter, part));
    Ok(answer(&scores.await?.unwrap_or_default()))
}

/// The user of a path, and what may be shown.
fn whose(parts: Vec<(String, String)>, asked: &Asked) -> Result<(UserId, Filter), ApiError> {
    let mut parts = parts.into_iter().map(|(_, part)| part);
    let user = shopper(parts.next().unwrap_or_default())?;
    Ok((user, shown(&asked.categories(parts.next())?)))
}

/// As what the recommendations are to be noted, and from when on.
fn shown_as(access: &Access, asked: &Asked) -> Result<Option<(FeedbackKind, Timestamp)>, ApiError> {
    let delay = times::duration(asked.text("write-back-delay").unwrap_or_default())?;
    let Some(kind) = asked.text("write-back-type") else {
        return Ok(None);
    };
    if !access.allows("events.add") {
        return Err(refusal("This key cannot write feedback back."));
    }
    let kind = FeedbackKind::new(kind)
        .map_err(|error| ApiError::invalid("invalid_feedback_type", error.to_string()))?;
    let time = engine::now().millis().saturating_add(delay);
    Ok(Some((kind, Timestamp::from_millis(time))))
}

fn recommended(
    reader: &IndexReader,
    user: &UserId,
    filter: &Filter,
    part: Part,
) -> Result<Vec<Score>, ApiError> {
    let mut history = history(reader, user)?;
    let seen = seen(&history)?;
    let mut slate = Slate::new(part.end(), ids_of(&seen));
    let request = RecommendRequest {
        user: Some(user.clone()),
        limit: part.end(),
        exclude: seen,
        ..RecommendRequest::new(RecommendKind::ForYou)
    };
    slate.add(modelled(reader, request, filter)?);
    history.sort_by_key(|feedback| feedback.time);
    add_like(&mut slate, reader, history, filter)?;
    if !slate.is_full() {
        add_newest(&mut slate, reader, filter)?;
    }
    Ok(slate.part(part))
}

fn visited(
    reader: &IndexReader,
    visit: Vec<Feedback>,
    filter: &Filter,
    part: Part,
) -> Result<Vec<Score>, ApiError> {
    let items: Result<Vec<ItemId>, ApiError> = visit
        .iter()
        .map(|feedback| ids::document(feedback.item.as_str()))
        .collect();
    let items = items?;
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let mut slate = Slate::new(part.end(), ids_of(&items));
    let request = RecommendRequest {
        items,
        limit: part.end(),
        ..RecommendRequest::new(RecommendKind::Session)
    };
    slate.add(modelled(reader, request, filter)?);
    add_like(&mut slate, reader, visit, filter)?;
    Ok(slate.part(part))
}

/// What follows a history by the models alone: what is like it and what is new come behind them
/// here, and nobody has asked for what is popular.
fn modelled(
    reader: &IndexReader,
    request: RecommendRequest,
    filter: &Filter,
) -> Result<Vec<Scored>, ApiError> {
    let request = RecommendRequest {
        filter: Some(filter.clone()),
        models_alone: true,
        exploration: 0.0,
        ..request
    };
    asked_of(reader, &request)
}

/// Fills a list with what is like the newest items of a history, the oldest of which stands
/// first: by vectors or users in common, and behind that by words and categories.
fn add_like(
    slate: &mut Slate,
    reader: &IndexReader,
    history: Vec<Feedback>,
    filter: &Filter,
) -> Result<(), ApiError> {
    let newest = newest(reader, history);
    if slate.is_full() || newest.is_empty() {
        return Ok(());
    }
    let reach = NEAREST.max(2 * slate.missing());
    slate.add(Neighbours::new(reader, filter)?.of_items(&newest, reach)?);
    if slate.is_full() {
        return Ok(());
    }
    let oldest_first = newest.iter().rev();
    let documents = oldest_first.map(|item| ids::document(item.as_str()));
    let request = RecommendRequest {
        items: documents.collect::<Result<_, _>>()?,
        filter: Some(filter.clone()),
        limit: slate.missing(),
        exclude: slate.hidden()?,
        ..RecommendRequest::new(RecommendKind::Similar)
    };
    slate.add(asked_of(reader, &request)?);
    Ok(())
}

/// The newest items of a history that are not disliked, the newest first.
fn newest(reader: &IndexReader, history: Vec<Feedback>) -> Vec<ItemId> {
    let settings = reader.settings();
    let mut newest: Vec<ItemId> = Vec::new();
    for feedback in history.into_iter().rev() {
        let kind = kinds::event(settings, feedback.kind.as_str());
        if kind == Some(EventKind::Dislike) || newest.contains(&feedback.item) {
            continue;
        }
        newest.push(feedback.item);
        if newest.len() == NEWEST {
            break;
        }
    }
    newest
}
