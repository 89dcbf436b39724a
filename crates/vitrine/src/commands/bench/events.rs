//! `vitrine bench events`: durable events a second over HTTP.
//!
//! Every connection sends its next request when the last one is acknowledged, which
//! means on disk. Ids are unique, so that nothing is saved by dropping duplicates.

use super::wire::{Connection, post};
use crate::hosted::Hosted;
use crate::outcome::Outcome;
use crate::output::Format;
use crate::progress;
use crate::quantiles::Quantiles;
use anyhow::{Context as _, bail};
use domain::IndexUid;
use engine::{Engine, Learn, OpenOptions, Write};
use serde::Serialize;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Keep-alive connections.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=4096))]
    connections: u64,
    /// How long to send.
    #[arg(long, value_name = "N", default_value_t = 10)]
    seconds: u64,
    /// Events of one request.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    batch: u64,
    /// Where the data folder is made: durability costs what this disk costs. A temporary one otherwise.
    #[arg(long, value_name = "DIR")]
    within: Option<PathBuf>,
    #[command(flatten)]
    format: Format,
}

#[derive(Serialize)]
struct Answer {
    connections: u64,
    batch: u64,
    seconds: f64,
    requests: usize,
    events: u64,
    events_per_second: f64,
    /// Milliseconds from sending a request to its acknowledgement.
    #[serde(flatten)]
    millis: Quantiles,
}

/// Prints the rate and the quantiles; exit 2 when the folder holds another number of events than acknowledged.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let folder = match &args.within {
        Some(within) => tempfile::tempdir_in(within),
        None => tempfile::tempdir(),
    };
    let folder = folder.context("cannot make a data folder")?;
    let engine = Engine::open(
        folder.path(),
        OpenOptions {
            learn: Learn::Background,
            encoders: None,
        },
    )?;
    let created = engine.write(Write::CreateIndex {
        uid: IndexUid::new(INDEX)?,
        primary_key: Some("id".to_owned()),
    })?;
    engine.wait(created.task_uid, Duration::from_secs(10))?;
    let hosted = Hosted::start(engine.clone())?;
    let started = Instant::now();
    let measured = send_all(&args, &hosted);
    let seconds = started.elapsed().as_secs_f64();
    let stored = engine.index(INDEX)?.stats()?.events;
    hosted.stop()?;
    let millis = measured?;
    let events = millis.len() as u64 * args.batch;
    if stored != events {
        bail!("{events} events were acknowledged, but {stored} are there");
    }
    let answer = Answer {
        connections: args.connections,
        batch: args.batch,
        seconds,
        requests: millis.len(),
        events,
        events_per_second: (events as f64 / seconds).round(),
        millis: Quantiles::of(millis),
    };
    args.format.print(&answer, |answer| {
        format!(
            "{} events in {:.1} s over {} connections, {} a request: {} a second, {}",
            answer.events,
            answer.seconds,
            answer.connections,
            answer.batch,
            answer.events_per_second,
            answer.millis
        )
    })?;
    Ok(Outcome::Fine)
}

const INDEX: &str = "bench";

fn send_all(args: &Args, hosted: &Hosted) -> anyhow::Result<Vec<f64>> {
    let until = Instant::now() + Duration::from_secs(args.seconds);
    let address = hosted.address();
    let batch = args.batch;
    let bar = progress::wait("send events");
    let senders: Vec<_> = (0..args.connections)
        .map(|sender| {
            thread::spawn(move || send(&mut Connection::open(address)?, sender, batch, until))
        })
        .collect();
    let mut millis = Vec::new();
    for sender in senders {
        match sender.join() {
            Ok(measured) => millis.extend(measured?),
            Err(_) => bail!("a sender panicked"),
        }
    }
    bar.finish_and_clear();
    Ok(millis)
}

fn send(
    connection: &mut Connection,
    sender: u64,
    batch: u64,
    until: Instant,
) -> anyhow::Result<Vec<f64>> {
    let path = format!("/indexes/{INDEX}/events");
    let mut millis = Vec::new();
    let mut next = 0;
    while Instant::now() < until {
        let body = match batch {
            1 => event(sender, next),
            _ => (next..next + batch)
                .map(|number| event(sender, number))
                .collect(),
        };
        next += batch;
        let request = post(&path, body.to_string().as_bytes());
        let started = Instant::now();
        let reply = connection.exchange(&request)?;
        millis.push(started.elapsed().as_secs_f64() * 1e3);
        if !(200..300).contains(&reply.status) {
            bail!(
                "the server answered {}: {}",
                reply.status,
                String::from_utf8_lossy(reply.body)
            );
        }
    }
    Ok(millis)
}

/// Events as of a shop: 10,000 shoppers, 5,000 items, mostly views.
fn event(sender: u64, number: u64) -> Value {
    // A multiplicative hash spreads neighbours over shoppers and items.
    let mixed = (sender << 40 | number).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    json!({
        "id": format!("{sender}-{number}"),
        "userId": format!("u{}", mixed % 10_000),
        "itemId": format!("i{}", mixed / 10_000 % 5_000),
        "kind": match mixed % 20 { 0 => "purchase", 1 | 2 => "cart", _ => "view" },
        "time": 1_700_000_000 + number,
        "price": 9.5,
        "quantity": 1
    })
}
