//! What the engine says, as status and stable code.
//!
//! Faults of the request keep the engine's sentence. Faults of the disk say what
//! to do about them; anything else is internal.

use crate::error::ApiError;
use crate::settings_table;
use axum::http::StatusCode;
use domain::IdError;
use engine::{EngineError, LogError, QueryError, SettingsError};
use serde_json::json;

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        let message = error.to_string();
        match &error {
            EngineError::IndexNotFound(_) => Self::not_found("index_not_found", message),
            EngineError::DocumentNotFound(_) => Self::not_found("document_not_found", message),
            EngineError::TaskNotFound(_) => Self::not_found("task_not_found", message),
            EngineError::ShopperNotFound(_) => Self::not_found("user_not_found", message),
            EngineError::ItemNotFound(_) => Self::not_found("item_not_found", message),
            EngineError::ModelNotFound(_) => Self::not_found("model_not_found", message),
            EngineError::ModelKind(_) => Self::invalid("invalid_model_kind", message),
            EngineError::WorseModel {
                id,
                score,
                live,
                live_score,
            } => {
                let comparison = json!({
                    "metric": "ndcg@10",
                    "model": { "id": id, "value": score },
                    "live": { "id": live, "value": live_score },
                });
                Self::refused(StatusCode::CONFLICT, "model_is_worse", message)
                    .with("comparison", comparison)
            }
            EngineError::NotACandidate { .. } | EngineError::NotTheShadow { .. } => {
                Self::refused(StatusCode::CONFLICT, "model_is_in_another_state", message)
            }
            EngineError::NothingToCompareWith(_) => {
                Self::refused(StatusCode::CONFLICT, "no_live_model", message)
            }
            EngineError::NoModelBefore(_) => {
                Self::refused(StatusCode::CONFLICT, "no_model_before", message)
            }
            EngineError::ModelUnusable { .. } | EngineError::Affinity(_) => Self::refused(
                StatusCode::CONFLICT,
                "model_is_unusable",
                with_causes(&error),
            ),
            EngineError::Id(id) => Self::invalid(id_code(id), message),
            EngineError::Filter(_) => Self::invalid("invalid_search_filter", message),
            EngineError::OperatorNotAllowed { .. } => {
                Self::invalid("invalid_search_filter", message)
            }
            EngineError::NotFacetSearchable(_) => {
                Self::invalid("invalid_facet_search_facet_name", message)
            }
            EngineError::Query(query) => query_error(query, message),
            EngineError::Settings(settings) => settings_error(settings),
            EngineError::Kind(_) => Self::invalid("invalid_recommend_kind", message),
            EngineError::Missing { field, .. } => Self::invalid(missing_code(field), message),
            EngineError::EmbedderNotFound(_) | EngineError::EmbedderFails { .. } => {
                Self::invalid("invalid_search_embedder", message)
            }
            EngineError::Dimensions { .. } => Self::invalid("invalid_vector_dimensions", message),
            EngineError::NoDirection => Self::invalid("invalid_search_vector", message),
            EngineError::Encoder(_) => {
                Self::system(StatusCode::SERVICE_UNAVAILABLE, "encoder_is_busy", message)
            }
            EngineError::Closing => Self::system(
                StatusCode::SERVICE_UNAVAILABLE,
                "server_is_stopping",
                message,
            ),
            EngineError::Full { .. } => no_space(message),
            EngineError::CatalogueStopped(_) => Self::system(
                StatusCode::SERVICE_UNAVAILABLE,
                "catalogue_stopped",
                message,
            ),
            EngineError::Log(log) => log_error(log, &error),
            EngineError::NotWritten(log) => log_error(log, &error),
            _ => internal(&error),
        }
    }
}

/// The code of a refused name.
pub(crate) fn id_code(error: &IdError) -> &'static str {
    match error {
        IdError::IndexUid(_) | IdError::IndexPattern(_) => "invalid_index_uid",
        IdError::DocumentId(_) | IdError::ItemId => "invalid_document_id",
        IdError::UserId => "invalid_user_id",
        _ => "bad_request",
    }
}

fn missing_code(field: &str) -> &'static str {
    match field {
        "userId" => "missing_recommend_user_id",
        "itemId" | "itemIds" => "missing_recommend_item_id",
        "basket" => "missing_recommend_basket",
        _ => "missing_recommend_field",
    }
}

fn query_error(error: &QueryError, message: String) -> ApiError {
    let code = match error {
        QueryError::NotFilterable { .. } => "invalid_search_filter",
        QueryError::NotSortable { .. } => "invalid_search_sort",
        QueryError::NotFacetable { .. } => "invalid_search_facets",
        QueryError::NotSearchable { .. } => "invalid_search_attributes_to_search_on",
        QueryError::NotDistinct { .. } => "invalid_search_distinct",
        _ => return internal(error),
    };
    ApiError::invalid(code, message)
}

/// A refused setting, or a name that is none.
pub(crate) fn settings_error(error: &SettingsError) -> ApiError {
    match settings_table::code(&error.setting) {
        Some(code) => ApiError::invalid(code, error.to_string()),
        None if error.setting.is_empty() => ApiError::invalid("bad_request", error.to_string()),
        None => settings_table::unknown(&error.setting),
    }
}

fn no_space(message: String) -> ApiError {
    ApiError::system(
        StatusCode::INSUFFICIENT_STORAGE,
        "no_space_left_on_device",
        message,
    )
}

fn log_error(log: &LogError, error: &EngineError) -> ApiError {
    let message = error.to_string();
    match log {
        LogError::Full { .. } => no_space(message),
        LogError::ReadOnly { .. } => ApiError::system(
            StatusCode::INTERNAL_SERVER_ERROR,
            "read_only_data_folder",
            message,
        ),
        LogError::TooLarge { .. } => {
            ApiError::refused(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", message)
        }
        _ => internal(error),
    }
}

/// A fault of ours, with all its causes.
fn internal(error: &dyn std::error::Error) -> ApiError {
    ApiError::internal(with_causes(error))
}

/// The sentence of an error and those of all its causes.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        message.push_str(": ");
        message.push_str(&inner.to_string());
        cause = inner.source();
    }
    message
}
