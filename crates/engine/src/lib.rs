//! The engine: one data folder, one writer, immutable snapshots for readers.
//!
//! `engine` joins the log, the catalogue, the words index, the profiles and the
//! counting models. It knows no HTTP: a server, the command line and the tests
//! call the same [`Engine`].

mod allowed;
mod apply;
mod behaviour;
mod compact;
mod copies;
mod documents;
mod encoders;
mod engine;
mod erase;
mod error;
mod event_ids;
mod export;
mod fields;
mod finished;
mod fitting;
mod folder;
mod formatted;
mod found;
mod freshness;
mod known_items;
mod learn;
mod led_to;
mod ledger;
mod lifecycle;
mod locales;
mod meaning;
mod objects;
mod open;
mod outcome;
mod plan;
mod profile;
mod query;
mod recommend;
mod record;
mod registry;
mod search;
mod settings;
mod shared;
mod shelf;
mod shoppers;
mod snapshot;
mod suitability;
mod swap;
mod tables;
mod task;
mod task_list;
mod training;
mod training_texts;
mod waiting;
mod write;
mod writer;

pub use compact::CompactReport;
pub use encode::{Begun, Encoded, Precision, Prefix, ServiceError, ServiceOptions};
pub use encoders::{
    EncoderError, Encoders, InstalledModel, ModelFolders, ModelName, ModelPlace, OpenEncoder,
};
pub use engine::{Engine, EngineStats, Learn, OpenOptions};
pub use erase::Erased;
pub use error::EngineError;
pub use export::ShopperExport;
pub use finished::{Finished, TaskCounts};
pub use fitting::{Fitting, FittingState};
pub use intake::{RoleReason, Roles};
pub use ledger::{
    Feedback, FeedbackKey, FeedbackKind, FeedbackKindError, FeedbackOf, LedgerChange,
};
pub use lexical::{
    FacetStats, ItemSet, Matching, QueryError, SortBy, SortOrder, Understood, WordKind,
};
pub use locales::LOCALES;
pub use meaning::MeaningStats;
pub use profile::{ItemProfile, ShopperProfile, ShopperVectors};
pub use query::DocumentsQuery;
pub use recommend::{
    EXPLORATION, Probabilities, Reason, RecommendKind, RecommendRequest, Recommendation,
    Recommendations, SourceReport, UnknownKind,
};
pub use registry::{ApiKey, Registry, RegistryChange, Webhook};
pub use search::{
    CropAttribute, FacetAnswer, Hybrid, QueryUnderstood, SearchAnswer, SearchHit, SearchRequest,
    Span,
};
pub use settings::{
    DEFAULT_FACET_VALUES, DEFAULT_MAX_TOTAL_HITS, DEFAULT_RANKING_RULES, FacetSort, Faceting,
    FilterFeatures, FilterOperators, FilterableAttribute, Freshness, MinWordSize, Pagination,
    PrefixSearch, ProximityPrecision, Settings, SettingsError, SettingsPatch, Suitability,
    TypoTolerance,
};
pub use shared::now;
pub use shelf::{Comparison, MODEL_FILES, ModelEntry, ModelState, SawErased};
pub use snapshot::{IndexInfo, IndexReader, IndexStats};
pub use store::{BackupReport, LockError, LogError, RestoreReport, VerifyReport};
pub use suitability::Suited;
pub use task::{Period, RowNote, Task, TaskError, TaskKind, TaskPaging, TaskQuery, TaskStatus};
pub use task_list::{Batch, Page};
pub use training::{TrainingEvent, TrainingItem, TrainingLog, TrainingQuery};
pub use training_texts::{TrainingText, TrainingTexts};
pub use write::{
    Accepted, ChosenBy, DocumentsWrite, EventsReceipt, IndexSwap, Selection, Write, WriteMode,
};
