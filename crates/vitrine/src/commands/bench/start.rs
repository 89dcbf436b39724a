//! `vitrine bench start`: how soon a server with many documents answers.
//!
//! The documents are made from real titles, varied by a number and a second word. The
//! server runs as a process of its own, so that the start after `kill -9` can be
//! measured too.

use crate::address::path;
use crate::client::Client;
use crate::feed::{Input, Sink};
use crate::outcome::Outcome;
use crate::output::{self, Format};
use crate::progress;
use anyhow::{Context as _, bail};
use domain::IndexUid;
use engine::{DocumentsWrite, Engine, Learn, OpenOptions, WriteMode};
use serde::Serialize;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many documents are indexed.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    documents: u64,
    /// A catalogue with the attribute `title`: JSON, NDJSON or CSV, also gzipped.
    #[arg(long, value_name = "FILE")]
    titles: String,
    /// The data folder, kept for the next run; a temporary one otherwise.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(flatten)]
    format: Format,
}

#[derive(Serialize)]
struct Answer {
    documents: u64,
    /// Making and indexing the documents; 0 when the folder had them.
    index_seconds: f64,
    /// From the start of the process to the answer to its first search.
    start_seconds: f64,
    /// The same after `kill -9` in the middle of writing.
    start_after_kill_seconds: f64,
}

const INDEX: &str = "bench";
/// A server that is silent for so long will not answer any more.
const PATIENCE: Duration = Duration::from_secs(300);

/// Prints the two times.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let temporary = tempfile::tempdir().context("cannot make a temporary folder")?;
    let folder = args
        .data
        .clone()
        .unwrap_or_else(|| temporary.path().join("data"));
    let started = Instant::now();
    let made = make_documents(&args, &folder)?;
    let index_seconds = if made {
        started.elapsed().as_secs_f64()
    } else {
        0.0
    };
    let (server, start_seconds) = Served::start(&folder)?;
    server.write_a_little()?;
    server.kill()?;
    let (server, start_after_kill_seconds) = Served::start(&folder)?;
    server.kill()?;
    let answer = Answer {
        documents: args.documents,
        index_seconds,
        start_seconds,
        start_after_kill_seconds,
    };
    args.format.print(&answer, |answer| {
        format!(
            "{} documents: first search answered {:.2} s after the start, {:.2} s after `kill -9`",
            answer.documents, answer.start_seconds, answer.start_after_kill_seconds
        )
    })?;
    Ok(Outcome::Fine)
}

/// Fills the folder unless it has the documents already.
fn make_documents(args: &Args, folder: &Path) -> anyhow::Result<bool> {
    let titles = read_titles(&args.titles)?;
    let engine = Engine::open(
        folder,
        OpenOptions {
            learn: Learn::AtClose,
            encoders: None,
        },
    )?;
    let known = engine
        .index(INDEX)
        .and_then(|index| index.stats())
        .map_or(0, |stats| stats.documents);
    if known >= args.documents {
        engine.close();
        return Ok(false);
    }
    output::note(&format!(
        "indexing {} documents made from {} titles",
        args.documents,
        titles.len()
    ));
    let bar = progress::count("index", args.documents);
    let sink = Sink::Local(engine.clone());
    let mut last = None;
    let mut next = 0;
    while next < args.documents {
        let end = (next + 10_000).min(args.documents);
        let documents = (next..end)
            .map(|number| document(&titles, number))
            .collect();
        let write = DocumentsWrite {
            uid: IndexUid::new(INDEX)?,
            primary_key: Some("id".to_owned()),
            mode: WriteMode::Replace,
            documents,
            rows: Vec::new(),
            rejected: Vec::new(),
        };
        last = Some(sink.documents(write)?);
        next = end;
        bar.set_position(next);
    }
    if let Some(task) = last
        && let Some(failure) = sink.wait(task)?.error
    {
        bail!("{}", failure.message);
    }
    bar.finish_and_clear();
    engine.close();
    Ok(true)
}

fn read_titles(file: &str) -> anyhow::Result<Vec<String>> {
    let mut titles = Vec::new();
    for row in Input::open(file, None)?.rows.flatten() {
        if let Some(Value::String(title)) = row
            .object
            .get("title")
            .or_else(|| row.object.get("Description"))
        {
            titles.push(title.clone());
        }
    }
    if titles.is_empty() {
        bail!("{file} has no row with a title");
    }
    Ok(titles)
}

/// The numbered document: a real title with a word of another one and a variant number.
fn document(titles: &[String], number: u64) -> intake::Map {
    let count = titles.len() as u64;
    let title = |at: u64| titles.get((at % count) as usize).map_or("", String::as_str);
    let round = number / count;
    let other = title(number + round * 7919);
    let word = other
        .split_whitespace()
        .nth((round % 3) as usize)
        .unwrap_or_default();
    let mut document = intake::Map::new();
    document.insert("id".to_owned(), json!(number));
    document.insert(
        "title".to_owned(),
        json!(format!("{} {word} {round}", title(number))),
    );
    document.insert(
        "brand".to_owned(),
        json!(other.split_whitespace().next().unwrap_or_default()),
    );
    document.insert(
        "price".to_owned(),
        json!((number * 7919 % 100_000) as f64 / 100.0),
    );
    document
}

/// `vitrine serve` as a process of its own.
struct Served {
    child: Child,
    client: Client,
}

impl Served {
    /// Starts it and waits for the answer to a first search; gives the seconds that took.
    fn start(folder: &Path) -> anyhow::Result<(Self, f64)> {
        let started = Instant::now();
        let child = Command::new(std::env::current_exe()?)
            .arg("serve")
            .arg("--data")
            .arg(folder)
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::null())
            .spawn()
            .context("cannot start the server")?;
        let mut served = Self {
            child,
            client: Client::new("", None),
        };
        while started.elapsed() < PATIENCE {
            if let Some(status) = served.child.try_wait()? {
                bail!("the server ended with {status}");
            }
            if let Some(address) =
                Engine::holder(folder).filter(|holder| holder.starts_with("http"))
            {
                served.client = Client::new(&address, None);
                let answer = served.search()?;
                let total = answer
                    .get("estimatedTotalHits")
                    .and_then(Value::as_u64)
                    .unwrap_or_default();
                if total == 0 {
                    bail!("the first search found nothing");
                }
                return Ok((served, started.elapsed().as_secs_f64()));
            }
            thread::sleep(Duration::from_millis(2));
        }
        bail!("the server did not start within {} s", PATIENCE.as_secs());
    }

    fn search(&self) -> anyhow::Result<Value> {
        self.client
            .post(&path(&["indexes", INDEX, "search"]), &json!({"q": ""}))
    }

    /// Leaves something to catch up with.
    fn write_a_little(&self) -> anyhow::Result<()> {
        for batch in 0..10_u64 {
            let documents: Vec<Value> = (0..1000_u64)
                .map(|number| json!({"id": batch * 1000 + number, "title": format!("changed {number}"), "price": 1}))
                .collect();
            self.client.post(
                &path(&["indexes", INDEX, "documents"]),
                &Value::Array(documents),
            )?;
        }
        Ok(())
    }

    fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Reached with a living child only when something failed; the failure is what is told.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
