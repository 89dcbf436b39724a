//! `GET /metrics`: what a monitoring system asks for, in the text format of Prometheus.
//!
//! Requests are counted by the pattern of their route, never by their path, so that no
//! client can make the table grow, and nothing of what it asked for stands in it.

use crate::access::Access;
use crate::app::App;
use crate::error::ApiError;
use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::{EngineStats, TaskCounts};
use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper ends of the buckets of answering times, in seconds.
const BUCKETS: [f64; 11] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
];

/// Counts of answered requests.
#[derive(Default)]
pub(crate) struct Requests(Mutex<Counted>);

#[derive(Clone, Default)]
struct Counted {
    by_status: BTreeMap<(String, &'static str, u16), u64>,
    times: BTreeMap<(String, &'static str), Times>,
}

#[derive(Clone, Default)]
struct Times {
    /// Answers in each bucket alone; slower ones are in none.
    buckets: [u64; BUCKETS.len()],
    count: u64,
    seconds: f64,
}

impl Requests {
    /// Counts one answer.
    pub(crate) fn count(
        &self,
        route: Option<&str>,
        method: &Method,
        status: StatusCode,
        took: Duration,
    ) {
        let route = route.unwrap_or("none").to_owned();
        let method = known(method);
        let seconds = took.as_secs_f64();
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let times = counted.times.entry((route.clone(), method)).or_default();
        times.count += 1;
        times.seconds += seconds;
        let bucket = BUCKETS.iter().position(|end| seconds <= *end);
        if let Some(bucket) = bucket.and_then(|place| times.buckets.get_mut(place)) {
            *bucket += 1;
        }
        let statuses = &mut counted.by_status;
        *statuses
            .entry((route, method, status.as_u16()))
            .or_default() += 1;
    }

    fn counted(&self) -> Counted {
        let counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.clone()
    }
}

/// Names of methods come from outside, so there are only these.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// `GET /metrics`
pub(crate) async fn get(State(app): State<App>, access: Access) -> Result<Response, ApiError> {
    let (mut stats, tasks) = app
        .read(|engine| Ok((engine.stats()?, engine.task_counts())))
        .await?;
    stats.indexes.retain(|(uid, _)| access.sees(uid));
    let mut text = String::with_capacity(8192);
    requests(&mut text, &app.requests().counted())
        .and_then(|()| catalogue(&mut text, &stats))
        .and_then(|()| waiting(&mut text, tasks))
        .and_then(|()| memory(&mut text))
        .map_err(ApiError::internal)?;
    let media = "text/plain; version=0.0.4; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, media)], text).into_response())
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) -> fmt::Result {
    writeln!(text, "# HELP vitrine_{name} {help}")?;
    writeln!(text, "# TYPE vitrine_{name} {kind}")
}

fn single(text: &mut String, name: &str, kind: &str, help: &str, value: u64) -> fmt::Result {
    head(text, name, kind, help)?;
    writeln!(text, "vitrine_{name} {value}")
}

fn requests(text: &mut String, counted: &Counted) -> fmt::Result {
    head(text, "http_requests_total", "counter", "Answered requests.")?;
    for ((route, method, status), count) in &counted.by_status {
        writeln!(
            text,
            "vitrine_http_requests_total{{method=\"{method}\",path=\"{route}\",status=\"{status}\"}} {count}"
        )?;
    }
    let name = "http_response_time_seconds";
    head(
        text,
        name,
        "histogram",
        "Seconds from a request's head to its answer's.",
    )?;
    for ((route, method), times) in &counted.times {
        let labels = format!("method=\"{method}\",path=\"{route}\"");
        let mut up_to = 0;
        for (end, count) in BUCKETS.iter().zip(times.buckets) {
            up_to += count;
            writeln!(
                text,
                "vitrine_{name}_bucket{{{labels},le=\"{end}\"}} {up_to}"
            )?;
        }
        let count = times.count;
        writeln!(
            text,
            "vitrine_{name}_bucket{{{labels},le=\"+Inf\"}} {count}"
        )?;
        writeln!(text, "vitrine_{name}_sum{{{labels}}} {}", times.seconds)?;
        writeln!(text, "vitrine_{name}_count{{{labels}}} {count}")?;
    }
    Ok(())
}

fn catalogue(text: &mut String, stats: &EngineStats) -> fmt::Result {
    let indexes = &stats.indexes;
    single(
        text,
        "index_count",
        "gauge",
        "Indexes.",
        indexes.len() as u64,
    )?;
    head(text, "index_docs_count", "gauge", "Documents of an index.")?;
    for (uid, index) in indexes {
        // A uid has no characters that need escaping.
        writeln!(
            text,
            "vitrine_index_docs_count{{index=\"{uid}\"}} {}",
            index.documents
        )?;
    }
    head(text, "index_events_count", "gauge", "Events of an index.")?;
    for (uid, index) in indexes {
        writeln!(
            text,
            "vitrine_index_events_count{{index=\"{uid}\"}} {}",
            index.events
        )?;
    }
    let busy = indexes.iter().any(|(_, index)| index.is_indexing);
    single(
        text,
        "is_indexing",
        "gauge",
        "1 while a task is processed.",
        busy.into(),
    )?;
    let bytes = "Bytes of the data folder.";
    single(text, "db_size_bytes", "gauge", bytes, stats.database_size)?;
    single(
        text,
        "log_size_bytes",
        "gauge",
        "Bytes of the log.",
        stats.log_bytes,
    )?;
    let next = "Sequence number of the next write.";
    single(text, "log_sequence", "counter", next, stats.log_records)
}

fn waiting(text: &mut String, tasks: TaskCounts) -> fmt::Result {
    head(text, "tasks", "gauge", "Tasks that are not finished.")?;
    writeln!(
        text,
        "vitrine_tasks{{status=\"enqueued\"}} {}",
        tasks.enqueued
    )?;
    writeln!(
        text,
        "vitrine_tasks{{status=\"processing\"}} {}",
        tasks.processing
    )?;
    let name = "tasks_finished_total";
    head(
        text,
        name,
        "counter",
        "Tasks finished since the server started.",
    )?;
    for (status, count) in [
        ("succeeded", tasks.succeeded),
        ("failed", tasks.failed),
        ("canceled", tasks.canceled),
    ] {
        writeln!(text, "vitrine_{name}{{status=\"{status}\"}} {count}")?;
    }
    Ok(())
}

/// Where the system tells it.
fn memory(text: &mut String) -> fmt::Result {
    let Some(kilobytes) = resident_kilobytes() else {
        return Ok(());
    };
    let bytes = kilobytes * 1024;
    single(
        text,
        "memory_resident_bytes",
        "gauge",
        "Memory in use.",
        bytes,
    )
}

fn resident_kilobytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_counted_in_growing_buckets() {
        let requests = Requests::default();
        let get = &Method::GET;
        for millis in [1, 2, 40, 9000] {
            requests.count(
                Some("/a"),
                get,
                StatusCode::OK,
                Duration::from_millis(millis),
            );
        }
        let strange = Method::from_bytes(b"DANCE").expect("a method");
        requests.count(None, &strange, StatusCode::NOT_FOUND, Duration::ZERO);
        let mut text = String::new();
        super::requests(&mut text, &requests.counted()).expect("memory takes it");
        for line in [
            "vitrine_http_requests_total{method=\"GET\",path=\"/a\",status=\"200\"} 4",
            "vitrine_http_requests_total{method=\"other\",path=\"none\",status=\"404\"} 1",
            "vitrine_http_response_time_seconds_bucket{method=\"GET\",path=\"/a\",le=\"0.001\"} 1",
            "vitrine_http_response_time_seconds_bucket{method=\"GET\",path=\"/a\",le=\"0.05\"} 3",
            "vitrine_http_response_time_seconds_bucket{method=\"GET\",path=\"/a\",le=\"2.5\"} 3",
            "vitrine_http_response_time_seconds_bucket{method=\"GET\",path=\"/a\",le=\"+Inf\"} 4",
            "vitrine_http_response_time_seconds_count{method=\"GET\",path=\"/a\"} 4",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
