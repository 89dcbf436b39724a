//! `PUT` and `DELETE /api/item/{item}/category/{category}`: one category of one item.

use super::{done, item, items};
use crate::app::App;
use crate::error::ApiError;
use crate::path::At;
use axum::extract::State;
use axum::response::Response;
use engine::WriteMode;
use serde_json::json;

/// `PUT /api/item/{item}/category/{category}`
pub(crate) async fn add(
    State(app): State<App>,
    At((id, category)): At<(String, String)>,
) -> Result<Response, ApiError> {
    change(&app, &id, |categories| {
        if !categories.contains(&category) {
            categories.push(category);
        }
    })
    .await
}

/// `DELETE /api/item/{item}/category/{category}`
pub(crate) async fn remove(
    State(app): State<App>,
    At((id, category)): At<(String, String)>,
) -> Result<Response, ApiError> {
    change(&app, &id, |categories| {
        categories.retain(|one| *one != category);
    })
    .await
}

async fn change(
    app: &App,
    id: &str,
    change: impl FnOnce(&mut Vec<String>),
) -> Result<Response, ApiError> {
    let mut categories = item::categories(&items::found(app, id).await?);
    change(&mut categories);
    let mut document = item::named(id)?;
    document.insert("Categories".to_owned(), json!(categories));
    items::write(app, vec![document], WriteMode::UpdateKnown).await?;
    Ok(done(1))
}
