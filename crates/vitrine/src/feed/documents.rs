//! Streams documents into an index and adds up what became of them.
//!
//! Chunks are sent while the next ones are read; the tasks are awaited at the end.

use super::{Failure, Input, Refusal, Refusals, Sink};
use crate::progress;
use domain::IndexUid;
use engine::{DocumentsWrite, WriteMode};
use intake::{Rejected, Row};

/// Documents of one record of the log.
const CHUNK_ROWS: usize = 10_000;
/// Bytes of one record of the log, about.
const CHUNK_BYTES: usize = 16 << 20;

/// Feeds one index.
pub struct DocumentsFeed<'a> {
    sink: &'a Sink,
    uid: IndexUid,
    primary_key: Option<String>,
    mode: WriteMode,
    sent: Vec<Sent>,
    report: DocumentsReport,
}

/// What became of the documents.
pub struct DocumentsReport {
    /// Rows seen, good and bad.
    pub read: u64,
    pub added: u64,
    pub changed: u64,
    pub refusals: Refusals,
    /// Rows that were cleaned, as far as they are listed.
    pub changes: Vec<Refusal>,
    /// Why a chunk failed as a whole; its rows are counted as refused.
    pub failures: Vec<Failure>,
    pub tasks: Vec<u64>,
}

/// A chunk that the engine has accepted.
struct Sent {
    task: u64,
    file: String,
    /// The file's row of each document.
    rows: Vec<u64>,
    /// Rows that were refused while reading and sent along to be listed with the task.
    rejected: usize,
}

#[derive(Default)]
struct Chunk {
    documents: Vec<intake::Map>,
    rows: Vec<u64>,
    rejected: Vec<Rejected>,
    bytes: usize,
}

impl<'a> DocumentsFeed<'a> {
    /// Documents go to this index; a missing primary key is inferred.
    pub fn new(
        sink: &'a Sink,
        uid: IndexUid,
        primary_key: Option<String>,
        mode: WriteMode,
        refusals: Refusals,
    ) -> Self {
        let report = DocumentsReport {
            read: 0,
            added: 0,
            changed: 0,
            refusals,
            changes: Vec::new(),
            failures: Vec::new(),
            tasks: Vec::new(),
        };
        Self {
            sink,
            uid,
            primary_key,
            mode,
            sent: Vec::new(),
            report,
        }
    }

    /// Sends every row that `keep` lets pass.
    pub fn send(
        &mut self,
        mut input: Input,
        mut keep: impl FnMut(&Row) -> bool,
    ) -> anyhow::Result<()> {
        let mut chunk = Chunk::default();
        for row in input.rows.by_ref() {
            match row {
                Ok(row) if !keep(&row) => continue,
                Ok(row) => chunk.add(row),
                Err(rejected) => chunk.rejected.push(rejected),
            }
            self.report.read += 1;
            if chunk.is_full() {
                self.flush(&input.name, std::mem::take(&mut chunk))?;
            }
        }
        self.flush(&input.name, chunk)?;
        if let Some(fault) = input.rows.fault() {
            self.report.refusals.add_fault(&input.name, fault);
        }
        input.bar.finish_and_clear();
        Ok(())
    }

    fn flush(&mut self, file: &str, chunk: Chunk) -> anyhow::Result<()> {
        for rejected in &chunk.rejected {
            self.report.refusals.add_rejected(file, rejected);
        }
        if chunk.documents.is_empty() {
            return Ok(());
        }
        let (rows, rejected) = (chunk.rows.clone(), chunk.rejected.len());
        let task = self.sink.documents(DocumentsWrite {
            uid: self.uid.clone(),
            primary_key: self.primary_key.clone(),
            mode: self.mode,
            documents: chunk.documents,
            rows: chunk.rows,
            rejected: chunk.rejected,
        })?;
        self.sent.push(Sent {
            task,
            file: file.to_owned(),
            rows,
            rejected,
        });
        Ok(())
    }

    /// Waits for every task and adds up the report.
    pub fn finish(mut self) -> anyhow::Result<DocumentsReport> {
        let bar = progress::count("index", self.sent.len() as u64);
        for sent in std::mem::take(&mut self.sent) {
            let finished = self.sink.wait(sent.task)?;
            self.report.tasks.push(sent.task);
            self.report.added += finished.count("indexedDocuments");
            self.report.changed += finished.count("changedRows");
            match finished.error {
                Some(failure) => self.add_failure(&sent, failure),
                None => self.add_notes(&sent)?,
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(self.report)
    }

    /// A chunk that failed as a whole.
    fn add_failure(&mut self, sent: &Sent, failure: Failure) {
        let refusal = Refusal {
            file: sent.file.clone(),
            row: sent.rows.first().copied().unwrap_or(1),
            field: None,
            reason: failure.message.clone(),
        };
        self.report
            .refusals
            .add_many(refusal, sent.rows.len() as u64);
        self.report.failures.push(failure);
    }

    /// Rows that the engine refused or changed, in the numbers of the file.
    fn add_notes(&mut self, sent: &Sent) -> anyhow::Result<()> {
        let counted = if self.sink.keeps_rejected() {
            sent.rejected
        } else {
            0
        };
        // What was refused while reading stands first in the list, and is counted already.
        for note in self.sink.notes(sent.task)?.into_iter().skip(counted) {
            let row = self.sink.row_of_file(&sent.rows, note.row);
            let refusal = Refusal {
                file: sent.file.clone(),
                row,
                field: note.field,
                reason: note.what,
            };
            if note.refused {
                self.report.refusals.add(refusal);
            } else {
                self.report.changes.push(refusal);
            }
        }
        Ok(())
    }
}

impl Chunk {
    fn add(&mut self, row: Row) {
        self.rows.push(row.number);
        self.bytes += size(&row.object);
        self.documents.push(row.object);
    }

    fn is_full(&self) -> bool {
        self.rows.len() + self.rejected.len() >= CHUNK_ROWS || self.bytes >= CHUNK_BYTES
    }
}

/// Bytes of a document, about: enough to bound a chunk.
fn size(object: &intake::Map) -> usize {
    object
        .iter()
        .map(|(name, value)| name.len() + value_size(value))
        .sum()
}

fn value_size(value: &serde_json::Value) -> usize {
    use serde_json::Value::{Array, Object, String};
    match value {
        String(text) => text.len() + 4,
        Array(items) => items.iter().map(value_size).sum::<usize>() + 4,
        Object(fields) => size(fields) + 4,
        _ => 8,
    }
}
