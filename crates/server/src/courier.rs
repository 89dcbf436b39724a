//! Carrying finished tasks to webhooks: NDJSON, gzipped, one post for what finished together.
//!
//! One thread delivers to one webhook after the other. A delivery that fails is tried
//! again a few times and then given up, which is said in the log. While a webhook is slow
//! the queue fills; what does not fit is lost, and the catalogue never waits.

use crate::task_json::TaskJson;
use engine::{Engine, Finished, Webhook};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

/// Commits that may wait to be reported.
const QUEUE: usize = 256;
/// Commits reported in one post.
const AT_ONCE: usize = 64;
/// For one post and its answer.
const TIME: Duration = Duration::from_secs(10);
/// Pauses before a post is tried again.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];

/// Starts the thread. It ends when the engine is closed and everything is reported.
pub(crate) fn start(engine: &Engine) -> io::Result<()> {
    let finished = engine.finished_tasks(QUEUE);
    thread::Builder::new()
        .name("vitrine-webhooks".to_owned())
        .spawn(move || run(&finished))
        .map(|_| ())
}

fn run(finished: &Receiver<Finished>) {
    let agent = agent();
    while let Ok(first) = finished.recv() {
        let mut news = vec![first];
        news.extend(finished.try_iter().take(AT_ONCE - 1));
        let Some(registry) = news.last().map(|last| Arc::clone(&last.registry)) else {
            continue;
        };
        if registry.webhooks.is_empty() {
            continue;
        }
        match payload(&news) {
            Ok(body) => {
                for (uuid, hook) in &registry.webhooks {
                    deliver(&agent, uuid, hook, &body);
                }
            }
            Err(error) => tracing::error!(%error, "tasks could not be written for webhooks"),
        }
    }
}

fn agent() -> Agent {
    // The machine says whom it trusts, so that a shop's own authority can be among them.
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .build();
    Agent::config_builder()
        .tls_config(tls)
        .timeout_global(Some(TIME))
        // An address that was checked must not lead to another one.
        .max_redirects(0)
        .build()
        .new_agent()
}

/// One task a line, gzipped.
fn payload(news: &[Finished]) -> io::Result<Vec<u8>> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    for task in news.iter().flat_map(|finished| finished.tasks.iter()) {
        serde_json::to_writer(&mut gzip, &TaskJson::from(task))?;
        gzip.write_all(b"\n")?;
    }
    gzip.finish()
}

fn deliver(agent: &Agent, uuid: &str, hook: &Webhook, body: &[u8]) {
    let mut pauses = PAUSES.into_iter();
    loop {
        let mut request = agent.post(&hook.url);
        for (name, value) in &hook.headers {
            request = request.header(name, value);
        }
        let sent = request
            .header("Content-Type", "application/x-ndjson")
            .header("Content-Encoding", "gzip")
            .send(body);
        let error = match sent {
            Ok(answer) if answer.status().is_success() => return,
            Ok(answer) => ureq::Error::StatusCode(answer.status().as_u16()),
            Err(error) => error,
        };
        // An error of ureq names neither headers nor bodies.
        match pauses.next() {
            Some(pause) => {
                tracing::debug!(uuid, %error, "a webhook did not take its tasks; trying again");
                thread::sleep(pause);
            }
            None => {
                tracing::warn!(uuid, %error, "a webhook did not take its tasks; given up");
                return;
            }
        }
    }
}
