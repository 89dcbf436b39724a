//! `/indexes/{uid}/models/training`: beginning, watching and stopping the training of a model.

mod runs;

pub(crate) use runs::{Progress, Status, Trainings};

use crate::app::App;
use crate::error::{ApiError, json_response};
use crate::fields::{Fields, Table};
use crate::path::At;
use crate::payload::JsonBody;
use crate::task_json::moment;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use domain::IndexUid;
use engine::EngineError;
use runs::{Occupied, Order};
use serde::Serialize;
use serde_json::{Value, json};
use train::Device;
use train::pipeline::{Counts, DEFAULT_EPOCHS, Settings};

const ORDER: Table = &[
    ("kind", "invalid_model_kind"),
    ("epochs", "invalid_training_epochs"),
    ("seed", "invalid_training_seed"),
    ("device", "invalid_training_device"),
    ("promote", "invalid_training_promote"),
    ("resume", "invalid_training_resume"),
];
/// More would take days.
const MOST_EPOCHS: usize = 200;

/// The routes.
pub(crate) fn routes() -> Router<App> {
    Router::new().route(
        "/indexes/{uid}/models/training",
        post(start).get(show).delete(stop),
    )
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TrainingJson {
    index_uid: String,
    kind: &'static str,
    status: Status,
    started_at: String,
    ended_at: Option<String>,
    settings: Option<Settings>,
    counts: Option<Counts>,
    batches_done: usize,
    batches: usize,
    seconds_left: Option<f64>,
    epochs: Vec<Value>,
    model: Option<String>,
    message: Option<String>,
}

impl TrainingJson {
    fn new(uid: &IndexUid, progress: Progress) -> Self {
        Self {
            index_uid: uid.to_string(),
            kind: "affinity",
            status: progress.status,
            started_at: moment(progress.started),
            ended_at: progress.ended.map(moment),
            settings: progress.settings,
            counts: progress.counts,
            batches_done: progress.batches.0,
            batches: progress.batches.1,
            seconds_left: progress.seconds_left,
            epochs: progress.epochs.iter().map(|epoch| json!(epoch)).collect(),
            model: progress.model,
            message: progress.message,
        }
    }
}

/// `POST /indexes/{uid}/models/training`
async fn start(
    State(app): State<App>,
    At(uid): At<String>,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let uid = IndexUid::new(uid).map_err(EngineError::from)?;
    let order = order(body)?;
    app.read_index(uid.as_str(), |_| Ok(())).await?;
    let begun = app.trainings().start(app.engine(), uid.clone(), order);
    let progress = begun.map_err(|Occupied(other)| {
        let message = format!(
            "The index `{other}` is being trained for; wait until that ends, or stop it with `DELETE /indexes/{other}/models/training`."
        );
        ApiError::refused(StatusCode::CONFLICT, "training_in_progress", message)
    })?;
    let answer = TrainingJson::new(&uid, progress);
    Ok(json_response(StatusCode::ACCEPTED, &answer))
}

fn order(body: Value) -> Result<Order, ApiError> {
    let mut fields = Fields::body(body, ORDER)?;
    if let Some(kind) = fields.text("kind")?
        && kind != "affinity"
    {
        return Err(EngineError::ModelKind(kind).into());
    }
    let epochs = fields.size("epochs")?;
    if let Some(epochs) = epochs
        && !(1..=MOST_EPOCHS).contains(&epochs)
    {
        let rule = format!("`epochs` must be from 1 to {MOST_EPOCHS}, not {epochs}.");
        return Err(ApiError::invalid("invalid_training_epochs", rule));
    }
    let seed = fields.size("seed")?;
    let device = fields.text("device")?.map(device).transpose()?;
    let promote = fields.boolean("promote")?.unwrap_or(true);
    let resume = fields.boolean("resume")?.unwrap_or_default();
    if resume && (epochs.is_some() || seed.is_some() || device.is_some()) {
        return Err(ApiError::invalid(
            "invalid_training_resume",
            "A training is resumed with the settings it began with; leave out `epochs`, `seed` and `device`.",
        ));
    }
    let settings = Settings {
        epochs: epochs.unwrap_or(DEFAULT_EPOCHS),
        seed: seed.unwrap_or(1) as u64,
        device: device.unwrap_or_default(),
    };
    Ok(Order {
        settings: (!resume).then_some(settings),
        promote,
    })
}

/// A device by name that can be used here.
fn device(name: String) -> Result<Device, ApiError> {
    let refuse = |rule| ApiError::invalid("invalid_training_device", rule);
    let known = [Device::Cpu, Device::Cuda];
    let Some(device) = known.into_iter().find(|device| device.as_str() == name) else {
        return Err(refuse(format!(
            "`device` must be `cpu` or `cuda`, not `{name}`."
        )));
    };
    match device.check() {
        Ok(()) => Ok(device),
        Err(error) => Err(refuse(format!("`device` cannot be `{name}`: {error}."))),
    }
}

/// `GET /indexes/{uid}/models/training`
async fn show(State(app): State<App>, At(uid): At<String>) -> Result<Response, ApiError> {
    let uid = IndexUid::new(uid).map_err(EngineError::from)?;
    app.read_index(uid.as_str(), |_| Ok(())).await?;
    let progress = app.trainings().of(&uid).ok_or_else(|| none(&uid))?;
    Ok(json_response(
        StatusCode::OK,
        &TrainingJson::new(&uid, progress),
    ))
}

/// `DELETE /indexes/{uid}/models/training`
async fn stop(State(app): State<App>, At(uid): At<String>) -> Result<Response, ApiError> {
    let uid = IndexUid::new(uid).map_err(EngineError::from)?;
    if !app.trainings().stop(&uid) {
        return Err(none(&uid));
    }
    let progress = app.trainings().of(&uid).ok_or_else(|| none(&uid))?;
    Ok(json_response(
        StatusCode::ACCEPTED,
        &TrainingJson::new(&uid, progress),
    ))
}

fn none(uid: &IndexUid) -> ApiError {
    let message = format!("The index `{uid}` is not being trained for.");
    ApiError::not_found("training_not_found", message)
}
