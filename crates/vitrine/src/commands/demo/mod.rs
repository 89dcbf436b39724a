//! `vitrine demo`: two years of a real shop, from its files to its answers.
//!
//! The bundled shop is loaded into a data folder as any shop would be, and asked over
//! HTTP as any client would. A folder that is built already is only asked.

mod shop;
mod tour;
mod training;

pub use shop::{PRIMARY_KEY, is_product, items};

use crate::folder::FolderArgs;
use crate::hosted::Hosted;
use crate::memory;
use crate::outcome::Outcome;
use crate::output::{self, Format};
use anyhow::bail;
use engine::{Engine, Learn, ModelFolders};
use serde_json::{Map, Value, json};
use server::ServerConfig;
use std::net::SocketAddr;
use std::time::Instant;

/// The name of the bundled shop's index.
const INDEX: &str = "online-retail";

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: FolderArgs,
    /// Where the shop is served afterwards.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7700")]
    listen: SocketAddr,
    /// End after the tour instead of serving.
    #[arg(long)]
    once: bool,
    /// Serve without training a model.
    #[arg(long)]
    no_training: bool,
    #[command(flatten)]
    format: Format,
}

/// Loads, shows and serves.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    if let Some(server) = args.folder.server() {
        bail!(
            "{} is served already at {}: ask it there, stop it, or name another folder with --data",
            args.folder.data.display(),
            server.base()
        );
    }
    let config = config(&args)?;
    // Fitted once, when everything is there: what is recommended must not depend on timing.
    let engine = args.folder.open(Learn::AtClose)?;
    let mut story = Story::new(args.format);
    story.tell(
        "index",
        json!(INDEX),
        &format!("data folder {}, index {INDEX}", args.folder.data.display()),
    )?;
    let shopper = shop::build(&engine, &mut story)?;
    let engine = if args.once {
        engine
    } else {
        learning(engine, &args)?
    };
    let hosted = Hosted::start_with(engine, config)?;
    let toured = tour::show(
        &hosted.client_with(args.folder.key.key()),
        &shopper,
        &mut story,
    );
    let told = toured.and_then(|()| close_story(&mut story, &hosted, &args, started));
    if told.is_ok() && !args.once {
        if !args.no_training {
            training::begin(hosted.client_with(args.folder.key.key()), args.format)?;
        }
        hosted.run_until_told()?;
    } else {
        hosted.stop()?;
    }
    told.map(|()| Outcome::Fine)
}

/// The same folder, with models that follow the events that are still to come.
fn learning(engine: Engine, args: &Args) -> anyhow::Result<Engine> {
    engine.close();
    drop(engine);
    args.folder.open(Learn::Background)
}

/// With `--once` nobody else needs to find the server, so it takes any free port.
fn config(args: &Args) -> anyhow::Result<ServerConfig> {
    let listen = if args.once {
        SocketAddr::from(([127, 0, 0, 1], 0))
    } else {
        args.listen
    };
    let models = ModelFolders::of_environment(Some(&args.folder.data));
    Ok(ServerConfig::new(listen, args.folder.key.key())?.with_models(models))
}

fn close_story(
    story: &mut Story,
    hosted: &Hosted,
    args: &Args,
    started: Instant,
) -> anyhow::Result<()> {
    let seconds = started.elapsed().as_secs_f64();
    story.note("seconds", json!(rounded(seconds)));
    let mut text = format!("\nall of it in {seconds:.1} s");
    if let Some(mebibytes) = memory::peak_mebibytes() {
        story.note("peakMemoryMiB", json!(mebibytes));
        text.push_str(&format!(", at most {mebibytes} MiB of memory"));
    }
    if !args.once {
        story.note("address", json!(hosted.base()));
        text.push_str(&tour::invitation(&hosted.base()));
    }
    story.say(&text)?;
    story.end()
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 1e3).round() / 1e3
}

/// What happened so far: told at once to a person, at the end to a program.
struct Story {
    format: Format,
    facts: Map<String, Value>,
}

impl Story {
    fn new(format: Format) -> Self {
        Self {
            format,
            facts: Map::new(),
        }
    }

    /// Keeps a fact and tells it.
    fn tell(&mut self, name: &str, fact: Value, text: &str) -> anyhow::Result<()> {
        self.note(name, fact);
        self.say(text)
    }

    /// Keeps a fact.
    fn note(&mut self, name: &str, fact: Value) {
        self.facts.insert(name.to_owned(), fact);
    }

    /// Tells a person.
    fn say(&self, text: &str) -> anyhow::Result<()> {
        if self.format.json {
            Ok(())
        } else {
            output::text(text)
        }
    }

    /// Tells a program.
    fn end(&self) -> anyhow::Result<()> {
        if self.format.json {
            output::json(&self.facts)
        } else {
            Ok(())
        }
    }
}
