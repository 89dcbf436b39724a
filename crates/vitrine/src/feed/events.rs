//! Streams events into an index and adds up what became of them.
//!
//! Events without an id of their own get one made from their content, so that
//! loading a file twice changes nothing.

use super::{Input, Refusals, Sink};
use domain::{Event, IndexUid, Timestamp};
use intake::{EventMapping, EventRows};

/// Events of one record of the log.
const CHUNK: usize = 10_000;

/// Feeds one index.
pub struct EventsFeed<'a> {
    sink: &'a Sink,
    uid: IndexUid,
    mapping: Option<EventMapping>,
    report: EventsReport,
}

/// What became of the events.
pub struct EventsReport {
    /// Rows seen, good and bad.
    pub read: u64,
    pub accepted: u64,
    /// Events that were there already.
    pub duplicates: u64,
    /// Accepted events whose item is not in the catalogue (yet).
    pub unknown_items: u64,
    pub refusals: Refusals,
    /// Which columns were read as what, for each file.
    pub mappings: Vec<EventMapping>,
}

impl<'a> EventsFeed<'a> {
    /// Events go to this index; a missing mapping is guessed for each file.
    pub fn new(
        sink: &'a Sink,
        uid: IndexUid,
        mapping: Option<EventMapping>,
        refusals: Refusals,
    ) -> Self {
        let report = EventsReport {
            read: 0,
            accepted: 0,
            duplicates: 0,
            unknown_items: 0,
            refusals,
            mappings: Vec::new(),
        };
        Self {
            sink,
            uid,
            mapping,
            report,
        }
    }

    /// Sends every event; `see` looks at each on its way.
    pub fn send(&mut self, input: Input, mut see: impl FnMut(&Event)) -> anyhow::Result<()> {
        let Input { name, rows, bar } = input;
        let mut events = EventRows::new(rows, self.mapping.clone(), now()).with_file_ids();
        let mut chunk = Vec::with_capacity(CHUNK);
        for event in events.by_ref() {
            self.report.read += 1;
            match event {
                Ok(event) => {
                    see(&event);
                    chunk.push(event);
                }
                Err(rejected) => self.report.refusals.add_rejected(&name, &rejected),
            }
            if chunk.len() == CHUNK {
                self.flush(std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK)))?;
            }
        }
        self.flush(chunk)?;
        if let Some(fault) = events.fault() {
            self.report.refusals.add_fault(&name, fault);
        }
        self.report.mappings.push(events.mapping().clone());
        bar.finish_and_clear();
        Ok(())
    }

    /// What became of everything sent.
    pub fn finish(self) -> EventsReport {
        self.report
    }

    fn flush(&mut self, events: Vec<Event>) -> anyhow::Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let receipt = self.sink.events(&self.uid, events)?;
        self.report.accepted += receipt.accepted;
        self.report.duplicates += receipt.duplicates;
        self.report.unknown_items += receipt.unknown_items;
        Ok(())
    }
}

/// The time of events that give none.
fn now() -> Timestamp {
    Timestamp::from_millis(jiff::Timestamp::now().as_millisecond())
}
