//! `GET /api/dashboard/tasks`: what the server does for the index beside its answers.
//!
//! Most of what the convention has tasks for is worked out when it is asked for here, so the
//! list is short: a row stands for work that there is, and says how far it is.

use super::{answer, items, times};
use crate::app::App;
use crate::error::ApiError;
use crate::training::{Progress, Status};
use axum::extract::State;
use axum::response::Response;
use domain::Timestamp;
use engine::{Fitting, FittingState, MeaningStats};
use serde::Serialize;

/// Who does the work.
const TRACER: &str = "vitrine";

/// One task, in the shape of the convention.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Task {
    tracer: &'static str,
    name: &'static str,
    status: TaskStatus,
    error: String,
    count: u64,
    total: u64,
    start_time: String,
    finish_time: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum TaskStatus {
    Pending,
    Running,
    Complete,
    /// It waits to be resumed.
    Suspended,
    Failed,
}

/// `GET /api/dashboard/tasks`
pub(crate) async fn tasks(State(app): State<App>) -> Result<Response, ApiError> {
    let of_index = items::read(&app, |reader| {
        Ok((reader.fitting(), reader.meaning_stats()))
    });
    let mut tasks: Vec<Task> = Vec::new();
    if let Some((fitting, vectors)) = of_index.await? {
        tasks.push(Task::of_fitting(fitting));
        tasks.extend(Task::of_vectors(&vectors));
    }
    let training = app.trainings().of(app.gorse_index());
    tasks.extend(training.map(Task::of_training));
    Ok(answer(&tasks))
}

impl Task {
    fn new(name: &'static str, status: TaskStatus, (count, total): (u64, u64)) -> Self {
        Self {
            tracer: TRACER,
            name,
            status,
            error: String::new(),
            count,
            total,
            start_time: times::none().to_string(),
            finish_time: times::none().to_string(),
        }
    }

    fn at(mut self, started: Option<Timestamp>, ended: Option<Timestamp>) -> Self {
        self.start_time = started.unwrap_or(times::none()).to_string();
        self.finish_time = ended.unwrap_or(times::none()).to_string();
        self
    }

    fn with_error(mut self, error: Option<String>) -> Self {
        self.error = error.unwrap_or_default();
        self
    }

    /// Of the model that is fitted from everybody's histories, counted in events.
    fn of_fitting(fitting: Fitting) -> Self {
        let (status, counts) = match fitting.state {
            FittingState::Waiting => (TaskStatus::Pending, (0, fitting.events)),
            FittingState::Running => (TaskStatus::Running, (0, fitting.events)),
            FittingState::Failed => (TaskStatus::Failed, (0, fitting.events)),
            FittingState::Done => (TaskStatus::Complete, (fitting.fitted, fitting.fitted)),
        };
        Self::new("Train Collaborative Filtering Model", status, counts)
            .at(fitting.started, fitting.ended)
            .with_error(fitting.error)
    }

    /// Of the vectors by which items are near each other, counted in items; nothing without any.
    fn of_vectors(vectors: &MeaningStats) -> Option<Self> {
        let total = vectors.documents + vectors.waiting;
        let status = match vectors.waiting {
            0 => TaskStatus::Complete,
            _ => TaskStatus::Running,
        };
        let counts = (vectors.documents, total);
        (total > 0).then(|| Self::new("Index Item Vectors", status, counts))
    }

    /// Of a training that somebody began, counted in batches.
    fn of_training(progress: Progress) -> Self {
        let status = match progress.status {
            Status::Reading | Status::Training | Status::Measuring => TaskStatus::Running,
            Status::Succeeded => TaskStatus::Complete,
            Status::Failed => TaskStatus::Failed,
            Status::Stopped => TaskStatus::Suspended,
        };
        let (done, batches) = progress.batches;
        let error = progress.message.filter(|_| status == TaskStatus::Failed);
        Self::new(
            "Train Affinity Model",
            status,
            (done as u64, batches as u64),
        )
        .at(Some(progress.started), progress.ended)
        .with_error(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fitting(state: FittingState) -> Fitting {
        Fitting {
            state,
            events: 60,
            fitted: 55,
            started: Some(Timestamp::from_millis(1_000)),
            ended: None,
            error: None,
        }
    }

    #[test]
    fn a_row_has_the_shape_of_the_convention() {
        let row = Task::of_fitting(fitting(FittingState::Done));
        let expected = json!({
            "Tracer": "vitrine", "Name": "Train Collaborative Filtering Model",
            "Status": "Complete", "Error": "", "Count": 55, "Total": 55,
            "StartTime": "1970-01-01T00:00:01Z", "FinishTime": "0001-01-01T00:00:00Z",
        });
        assert_eq!(json!(row), expected);
    }

    #[test]
    fn nothing_is_complete_before_it_is() {
        for (state, status) in [
            (FittingState::Waiting, TaskStatus::Pending),
            (FittingState::Running, TaskStatus::Running),
            (FittingState::Failed, TaskStatus::Failed),
        ] {
            let row = Task::of_fitting(fitting(state));
            assert_eq!((row.status, row.count, row.total), (status, 0, 60));
        }
        let mut vectors = MeaningStats::default();
        assert_eq!(Task::of_vectors(&vectors), None);
        vectors.waiting = 2;
        let status = |vectors: &MeaningStats| Task::of_vectors(vectors).map(|row| row.status);
        assert_eq!(status(&vectors), Some(TaskStatus::Running));
        (vectors.documents, vectors.waiting) = (2, 0);
        assert_eq!(status(&vectors), Some(TaskStatus::Complete));
    }
}
