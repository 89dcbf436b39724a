//! Lists that are for nobody in particular: what is new, what is popular, and neighbours.

use super::neighbours::{self, Neighbours, shown};
use super::params::{Asked, Part};
use super::slate::{Score, Scored, Slate};
use super::{answer, feedback, ids, items};
use crate::app::App;
use crate::error::ApiError;
use crate::path::At;
use crate::shoppers::shopper;
use axum::extract::State;
use axum::response::Response;
use domain::{Filter, ItemId, Timestamp};
use engine::{
    DocumentsQuery, EngineError, IndexReader, RecommendKind, RecommendRequest, SortBy, SortOrder,
};
use serde_json::Value;
use std::collections::HashSet;

/// Least of the nearest documents that are compared for neighbours.
const NEAREST: usize = 200;
/// Documents looked at beyond those that are missing.
const STEP: usize = 50;
/// The attribute with the time of an item.
const TIME: &str = "Timestamp";
/// The name of the neighbours there are, by vectors or by feedback in common.
const NEIGHBOURS: [&str; 2] = ["neighbors", "similar"];

/// What a list is made of.
#[derive(Clone, Copy)]
enum List {
    Latest,
    Popular,
    Trending,
}

/// `GET /api/latest[/{category}]`
pub(crate) async fn latest(
    State(app): State<App>,
    At(parts): At<Vec<(String, String)>>,
    asked: Asked,
) -> Result<Response, ApiError> {
    list(&app, &asked, List::Latest, first(parts)).await
}

/// `GET /api/popular[/{category}]`
pub(crate) async fn popular(
    State(app): State<App>,
    At(parts): At<Vec<(String, String)>>,
    asked: Asked,
) -> Result<Response, ApiError> {
    list(&app, &asked, List::Popular, first(parts)).await
}

/// `GET /api/non-personalized/{name}`
pub(crate) async fn named(
    State(app): State<App>,
    At(name): At<String>,
    asked: Asked,
) -> Result<Response, ApiError> {
    let kind = match name.as_str() {
        "latest" => List::Latest,
        "popular" => List::Popular,
        "trending" => List::Trending,
        _ => {
            return Err(ApiError::not_found(
                "not_found",
                "this list is not there; there are latest, popular and trending",
            ));
        }
    };
    list(&app, &asked, kind, None).await
}

fn first(parts: Vec<(String, String)>) -> Option<String> {
    parts.into_iter().next().map(|(_, part)| part)
}

async fn list(
    app: &App,
    asked: &Asked,
    kind: List,
    category: Option<String>,
) -> Result<Response, ApiError> {
    let part = asked.part()?;
    let filter = shown(&asked.categories(category)?);
    // Without what this user has seen.
    let user = asked.text("user-id").map(|id| shopper(id.to_owned()));
    let user = user.transpose()?;
    let scores = items::read(app, |reader| {
        let hidden = match &user {
            Some(user) => feedback::seen(&feedback::history(reader, user)?)?,
            None => Vec::new(),
        };
        let mut slate = Slate::new(part.end(), ids_of(&hidden));
        let kind = match kind {
            List::Latest => {
                add_newest(&mut slate, reader, &filter)?;
                return Ok(slate.part(part));
            }
            List::Popular => RecommendKind::Popular,
            List::Trending => RecommendKind::Trending,
        };
        let request = RecommendRequest {
            filter: Some(filter.clone()),
            limit: part.end(),
            exclude: hidden,
            ..RecommendRequest::new(kind)
        };
        slate.add(asked_of(reader, &request)?);
        Ok(slate.part(part))
    });
    Ok(answer(&scores.await?.unwrap_or_default()))
}

pub(super) fn ids_of(items: &[ItemId]) -> HashSet<String> {
    items.iter().map(ItemId::to_string).collect()
}

/// Fills a list with the newest documents, by the seconds of their time.
pub(super) fn add_newest(
    slate: &mut Slate,
    reader: &IndexReader,
    filter: &Filter,
) -> Result<(), ApiError> {
    // Most of them are unseen, so that few more than are missing will do.
    let step = slate.missing() + STEP;
    for offset in (0..).step_by(step) {
        let newest = newest(reader, filter, offset, step)?;
        let is_last = newest.len() < step;
        let mut wanted = Vec::new();
        // Only what comes into the list is read.
        for id in newest.into_iter().filter(|id| slate.takes(id)) {
            if wanted.len() == slate.missing() {
                break;
            }
            let seconds = seconds(reader, &id)?;
            wanted.push((id, seconds));
        }
        slate.add(wanted);
        if is_last || slate.is_full() {
            break;
        }
    }
    Ok(())
}

fn newest(
    reader: &IndexReader,
    filter: &Filter,
    offset: usize,
    most: usize,
) -> Result<Vec<String>, ApiError> {
    let query = DocumentsQuery {
        filter: Some(filter.clone()),
        sort: vec![SortBy {
            path: TIME.to_owned(),
            order: SortOrder::Descending,
            from: None,
        }],
        offset,
        limit: most,
        ..DocumentsQuery::default()
    };
    Ok(reader.document_ids(&query)?.0)
}

/// The time of a document in seconds; 0 without one.
fn seconds(reader: &IndexReader, id: &str) -> Result<f64, ApiError> {
    let document = reader.object(id)?.unwrap_or_default();
    let text = document.get(TIME).and_then(Value::as_str);
    let time = text.and_then(|text| Timestamp::parse(text).ok());
    Ok(time.map_or(0.0, |time| time.millis().div_euclid(1000) as f64))
}

/// What the engine recommends.
pub(super) fn asked_of(
    reader: &IndexReader,
    request: &RecommendRequest,
) -> Result<Vec<Scored>, ApiError> {
    let items = reader.recommended_items(request)?.into_iter();
    let scored = items.map(|(item, score)| (item.to_string(), f64::from(score.get())));
    Ok(scored.collect())
}

/// `GET /api/item/{item}/neighbors[/{category}]`
pub(crate) async fn item_neighbours(
    State(app): State<App>,
    At(parts): At<Vec<(String, String)>>,
    asked: Asked,
) -> Result<Response, ApiError> {
    let mut parts = parts.into_iter().map(|(_, part)| part);
    let item = parts.next().unwrap_or_default();
    like_item(&app, &asked, item, parts.next()).await
}

/// `GET /api/item-to-item/{name}/{item}`
pub(crate) async fn named_item_neighbours(
    State(app): State<App>,
    At((name, item)): At<(String, String)>,
    asked: Asked,
) -> Result<Response, ApiError> {
    check_name(&name)?;
    like_item(&app, &asked, item, None).await
}

async fn like_item(
    app: &App,
    asked: &Asked,
    item: String,
    category: Option<String>,
) -> Result<Response, ApiError> {
    let part = asked.part()?;
    let filter = shown(&asked.categories(category)?);
    let item = ItemId::new(item).map_err(EngineError::from)?;
    let scores = items::read(app, |reader| {
        let reach = NEAREST.max(2 * part.end());
        let scored = Neighbours::new(reader, &filter)?.of_item(&item, reach)?;
        Ok(scores(scored, part, ids::item))
    });
    Ok(answer(&scores.await?.unwrap_or_default()))
}

/// `GET /api/user/{user}/neighbors`
pub(crate) async fn user_neighbours(
    State(app): State<App>,
    At(user): At<String>,
    asked: Asked,
) -> Result<Response, ApiError> {
    like_user(&app, &asked, user).await
}

/// `GET /api/user-to-user/{name}/{user}`
pub(crate) async fn named_user_neighbours(
    State(app): State<App>,
    At((name, user)): At<(String, String)>,
    asked: Asked,
) -> Result<Response, ApiError> {
    check_name(&name)?;
    like_user(&app, &asked, user).await
}

async fn like_user(app: &App, asked: &Asked, user: String) -> Result<Response, ApiError> {
    let part = asked.part()?;
    let user = shopper(user)?;
    let found = items::read(app, |reader| {
        let scored = neighbours::of_user(reader, &user)?;
        Ok(scores(scored, part, str::to_owned))
    });
    Ok(answer(&found.await?.unwrap_or_default()))
}

fn scores(scored: Vec<Scored>, part: Part, name: fn(&str) -> String) -> Vec<Score> {
    let part = part.of(scored).into_iter();
    part.map(|(id, score)| Score {
        id: name(&id),
        score,
    })
    .collect()
}

fn check_name(name: &str) -> Result<(), ApiError> {
    if NEIGHBOURS.contains(&name) {
        return Ok(());
    }
    let message = "this recommender is not there; there is neighbors";
    Err(ApiError::not_found("not_found", message))
}
