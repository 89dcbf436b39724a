//! Recommendations: a context without a query, answered with what a shopper may want.
//!
//! Each kind has a source in a module of its own that proposes items, the best first. What
//! is common to all kinds stands in the others: [`gate`] lets pass what may be shown,
//! [`dislikes`], [`exploration`] and [`diversity`] change places among the best of that, each
//! with an addend of its own in the score, and [`answer`] goes through the steps.

mod answer;
mod beside;
mod candidate;
mod dislikes;
mod diversity;
mod exploration;
mod fewer;
mod gate;
mod given;
mod likeness;
mod lists;
mod mixture;
mod next_item;
mod request;
mod similar;
mod sources;
mod taste;
mod together;

pub(crate) use beside::Asked;
pub(crate) use lists::Lists;
pub use request::{
    EXPLORATION, Probabilities, Reason, RecommendKind, RecommendRequest, Recommendation,
    Recommendations, SourceReport, UnknownKind,
};
