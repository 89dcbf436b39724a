//! A shop with a past in a folder of its own, from a file of products and a file of events, for
//! commands that measure.

use crate::feed::{DocumentsFeed, Input, Refusals, Sink};
use crate::trial::{INDEX, Trial};
use anyhow::{Context as _, bail};
use domain::{Event, IndexUid};
use engine::{Learn, OpenOptions, WriteMode};
use intake::{EventMapping, EventRows};

/// Events of one record of the log.
const CHUNK: usize = 10_000;

/// The files of the shop.
#[derive(Debug, clap::Args)]
pub struct ShopArgs {
    /// The catalogue: JSON, NDJSON or CSV, also gzipped.
    #[arg(long, value_name = "FILE")]
    products: String,
    /// The attribute that identifies a product.
    #[arg(long, value_name = "ATTRIBUTE")]
    primary_key: Option<String>,
    /// Products that are none, such as postage, e.g. `POST,DOT`.
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    leave_out: Vec<String>,
    /// What shoppers did: JSON, NDJSON or CSV, also gzipped.
    #[arg(long, value_name = "FILE")]
    log: String,
    /// Which column is what, e.g. `user=CustomerID,item=StockCode,time=InvoiceDate,kind:=purchase`.
    #[arg(long, value_name = "MAPPING")]
    map: Option<String>,
    /// Make vectors of the products too, with the model that suits their languages.
    #[arg(long)]
    meaning: bool,
}

impl ShopArgs {
    /// The catalogue in an index, without events yet.
    pub fn shop(&self) -> anyhow::Result<Trial> {
        let encoders = self.meaning.then(|| crate::folder::encoders(None));
        let mut trial = Trial::opened(OpenOptions {
            learn: Learn::AtClose,
            encoders,
        })?;
        let sink = Sink::Local(trial.engine.clone());
        let uid = IndexUid::new(INDEX)?;
        sink.create_index(&uid, self.primary_key.as_deref())?;
        let key = self.primary_key.clone();
        let mut feed =
            DocumentsFeed::new(&sink, uid, key, WriteMode::Replace, Refusals::first_ones());
        feed.send(Input::open(&self.products, None)?, |row| {
            let key = self
                .primary_key
                .as_ref()
                .and_then(|key| row.object.get(key));
            let id = key.and_then(|id| id.as_str());
            id.is_none_or(|id| self.leave_out.iter().all(|out| out != id))
        })?;
        let report = feed.finish()?;
        if let Some(failure) = report.failures.first() {
            bail!("{}", failure.message);
        }
        if report.added == 0 {
            bail!("{} has no product that can be indexed", self.products);
        }
        trial.products = report.added;
        if self.meaning {
            trial.engine.catch_up_meaning(INDEX)?;
        }
        Ok(trial)
    }

    /// The events, the oldest first, and how many rows could not be read.
    pub fn events(&self) -> anyhow::Result<(Vec<Event>, u64)> {
        let mut events = Vec::new();
        let refused = self.each_event(|event| events.push(event))?;
        // Stable: what happened at one moment stays in the order of the file.
        events.sort_by_key(|event| event.time);
        Ok((events, refused))
    }

    /// Reads the events in the order of the file; gives how many rows could not be read.
    pub fn each_event(&self, mut each: impl FnMut(Event)) -> anyhow::Result<u64> {
        let mapping = self.map.as_deref().map(EventMapping::parse);
        let mapping = mapping.transpose().context("--map")?;
        let Input { name, rows, bar } = Input::open(&self.log, None)?;
        let mut rows = EventRows::new(rows, mapping, engine::now());
        let (mut read, mut refused) = (0_u64, 0);
        for event in rows.by_ref() {
            match event {
                Ok(event) => {
                    read += 1;
                    each(event);
                }
                Err(_) => refused += 1,
            }
        }
        bar.finish_and_clear();
        if let Some(fault) = rows.fault() {
            bail!("{name} cannot be read to its end: {fault}");
        }
        if read == 0 {
            bail!("{name} has no event that can be read");
        }
        Ok(refused)
    }
}

/// Folds events into the profiles of the shop.
pub fn fold(trial: &Trial, events: &[Event]) -> anyhow::Result<()> {
    let sink = Sink::Local(trial.engine.clone());
    let uid = IndexUid::new(INDEX)?;
    for chunk in events.chunks(CHUNK) {
        sink.events(&uid, chunk.to_vec())?;
    }
    Ok(())
}
