//! `POST /swap-indexes`: indexes exchange their names, all of a list or none.
//!
//! A shop fills a new index beside the old one and then swaps them, and its pages see the
//! new one from one request to the next.

use crate::access::Access;
use crate::app::App;
use crate::error::ApiError;
use crate::fields::{Fields, Table, listed, wrong_type};
use crate::payload::JsonBody;
use crate::task_json::accepted;
use axum::extract::State;
use axum::response::Response;
use domain::IndexUid;
use engine::{EngineError, IndexSwap, Write};
use serde_json::Value;
use std::collections::BTreeSet;

const SWAP: Table = &[
    ("indexes", "invalid_swap_indexes"),
    ("rename", "invalid_swap_rename"),
];

/// Swaps in one request.
const MOST: usize = 1000;

/// `POST /swap-indexes`
pub(crate) async fn post(
    State(app): State<App>,
    access: Access,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let swaps = read(body)?;
    for swap in &swaps {
        access.require(swap.first.as_str())?;
        access.require(swap.second.as_str())?;
    }
    refuse_repeats(&swaps)?;
    Ok(accepted(&app.write(Write::SwapIndexes(swaps)).await?))
}

fn read(body: Value) -> Result<Vec<IndexSwap>, ApiError> {
    let Value::Array(list) = body else {
        return Err(ApiError::invalid(
            "bad_request",
            wrong_type("", "an array", &body),
        ));
    };
    if list.len() > MOST {
        return Err(ApiError::invalid(
            "invalid_swap_indexes",
            format!(
                "{} swaps were given, but at most {MOST} are allowed.",
                list.len()
            ),
        ));
    }
    let mut swaps = Vec::with_capacity(list.len());
    for (place, value) in list.into_iter().enumerate() {
        let mut fields = Fields::object(value, SWAP, format!("[{place}]"))?;
        let names = fields
            .texts("indexes")?
            .ok_or_else(|| fields.missing("indexes", "missing_swap_indexes"))?;
        let [first, second] = names.as_slice() else {
            let message = format!(
                "Two indexes must be given for each swap. The list `[{}]` contains {} indexes.",
                listed(names.iter().take(10)),
                names.len()
            );
            return Err(fields.refuse("indexes", message));
        };
        let uid = |name: &String| IndexUid::new(name.as_str()).map_err(EngineError::from);
        swaps.push(IndexSwap {
            first: uid(first)?,
            second: uid(second)?,
            rename: fields.boolean("rename")?.unwrap_or_default(),
        });
    }
    Ok(swaps)
}

/// What would be the outcome of two swaps of one index would depend on their order.
fn refuse_repeats(swaps: &[IndexSwap]) -> Result<(), ApiError> {
    let (mut seen, mut repeated) = (BTreeSet::new(), BTreeSet::new());
    for uid in swaps.iter().flat_map(|swap| [&swap.first, &swap.second]) {
        if !seen.insert(uid) {
            repeated.insert(uid);
        }
    }
    if repeated.is_empty() {
        return Ok(());
    }
    let message = format!(
        "Indexes must be declared only once during a swap. {} were specified several times.",
        listed(repeated)
    );
    Err(ApiError::invalid(
        "invalid_swap_duplicate_index_found",
        message,
    ))
}
