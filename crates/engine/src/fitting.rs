//! How far the sequence model of an index is, for those who wait for it.

use crate::learn;
use crate::snapshot::IndexReader;
use domain::Timestamp;

/// What is going on with a sequence model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FittingState {
    /// There are too few events, or a fit is due and has not begun.
    Waiting,
    Running,
    /// There is a model, and no reason to fit it anew.
    Done,
    /// The last fit failed. It is tried again.
    Failed,
}

/// The fitting of a sequence model.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitting {
    pub state: FittingState,
    /// Events of the index.
    pub events: u64,
    /// Events that the model knows; 0 without one.
    pub fitted: u64,
    /// Of the last fit, where it is known.
    pub started: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    pub error: Option<String>,
}

/// The last fit of a model.
#[derive(Clone, Debug, Default)]
pub(crate) struct LastFit {
    pub started: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    pub error: Option<String>,
}

impl IndexReader {
    /// How far the sequence model is.
    pub fn fitting(&self) -> Fitting {
        let behaviour = &self.state.behaviour;
        let last = behaviour.last_fit.lock().clone();
        let model = behaviour.model();
        let state = match (&last, &model) {
            (last, _) if last.started.is_some() && last.ended.is_none() => FittingState::Running,
            (last, _) if last.error.is_some() => FittingState::Failed,
            (_, Some(_)) if !learn::is_due(behaviour) => FittingState::Done,
            _ => FittingState::Waiting,
        };
        Fitting {
            state,
            events: behaviour.profiles().events(),
            fitted: model.map_or(0, |model| model.events),
            started: last.started,
            ended: last.ended,
            error: last.error,
        }
    }
}
