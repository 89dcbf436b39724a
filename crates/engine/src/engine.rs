//! The facade: one open data folder.
//!
//! [`Engine`] owns the writer, applier and learner threads and hands out
//! [`IndexReader`]s. It is cheap to clone; the last clone that goes closes the folder.

use crate::learn::Learner;
use crate::record::{
    Asked, Body, DocumentsBody, IndexNo, LedgerBody, RenameBody, SelectionBody, SwapBody,
};
use crate::shared::Shared;
use crate::snapshot::{IndexInfo, IndexReader, IndexStats};
use crate::writer::{Command, Prepared};
use crate::{
    Accepted, DocumentsWrite, Encoders, EngineError, Registry, RowNote, Selection, Write, folder,
};
use domain::{IndexUid, Timestamp};
use parking_lot::Mutex;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, sync_channel};
use std::thread::JoinHandle;
use store::{BackupReport, FolderLock, RestoreReport, VerifyReport};

/// How a data folder is opened.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    pub learn: Learn,
    /// Models for search by meaning. Without them only vectors that shops give are searched.
    pub encoders: Option<Arc<Encoders>>,
}

/// When sequence models are fitted again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Learn {
    /// On a thread of its own, as events come: for a server.
    #[default]
    Background,
    /// When the folder is closed: for a command that loads and ends.
    AtClose,
}

/// One open data folder.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub shared: Arc<Shared>,
    pub commands: Sender<Command>,
    pub threads: Mutex<Option<Threads>>,
    pub learner: Learner,
    pub lock: FolderLock,
}

/// The writer and the applier, in the order in which they are joined.
pub(crate) struct Threads {
    pub writer: JoinHandle<()>,
    pub applier: JoinHandle<()>,
}

/// Counts of the whole folder.
#[derive(Clone, Debug)]
pub struct EngineStats {
    /// Bytes on disk: log, views and indexes.
    pub database_size: u64,
    pub log_bytes: u64,
    pub log_records: u64,
    pub last_update: Option<Timestamp>,
    pub indexes: Vec<(String, IndexStats)>,
}

impl Engine {
    /// Opens a data folder, makes it when it is missing, and catches up from the log.
    pub fn open(dir: &Path, options: OpenOptions) -> Result<Self, EngineError> {
        let inner = crate::open::open(dir, options).map_err(|err| err.or_full(dir))?;
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Writes an address into the lock file, for commands that find the folder in use.
    pub fn describe_holder(&self, text: &str) -> Result<(), EngineError> {
        let described = self.inner.lock.describe(text);
        described.map_err(|err| EngineError::from(err).or_full(&self.inner.shared.dir))
    }

    /// The data folder.
    pub fn dir(&self) -> &Path {
        &self.inner.shared.dir
    }

    /// What the process that holds a folder wrote there; `None` when nobody holds it.
    pub fn holder(dir: &Path) -> Option<String> {
        FolderLock::holder(dir).map(|holder| holder.description)
    }

    /// Finishes what was accepted, saves the profiles and ends the threads. Safe to call twice.
    pub fn close(&self) {
        self.inner.close();
    }

    /// Writes and waits until it is durable.
    pub fn write(&self, write: Write) -> Result<Accepted, EngineError> {
        let (answer, answered) = sync_channel(1);
        self.submit(write, move |result| {
            // The waiting side is this very call.
            let _ = answer.send(result);
        });
        let dropped = |_| self.stopped().unwrap_or(EngineError::Closing);
        answered.recv().map_err(dropped)?
    }

    /// Writes; `done` is called on the writer's thread once it is durable, so it must be quick.
    pub fn submit(
        &self,
        write: Write,
        done: impl FnOnce(Result<Accepted, EngineError>) + Send + 'static,
    ) {
        let asked = asked(&write);
        let (uid, body) = match self.prepare(write) {
            Ok(prepared) => prepared,
            Err(err) => return done(Err(err)),
        };
        let done = self.deciding(&body, Box::new(done));
        self.send(Prepared {
            uid,
            body,
            asked,
            done,
        });
    }

    /// Hands a write over to the writer.
    pub(crate) fn send(&self, write: Prepared) {
        let command = Command::Write(write);
        if let Err(unsent) = self.inner.commands.send(command)
            && let Command::Write(write) = unsent.0
        {
            let why = self.stopped().unwrap_or(EngineError::Closing);
            (write.done)(Err(why));
        }
    }

    /// Hands a command that is no write over to the writer.
    pub(crate) fn command(&self, command: Command) -> Result<(), EngineError> {
        let closing = |_| self.stopped().unwrap_or(EngineError::Closing);
        self.inner.commands.send(command).map_err(closing)
    }

    /// Why the catalogue takes no more writes before a restart, if so; it is still searched.
    pub fn stopped(&self) -> Option<EngineError> {
        self.inner.shared.stopped()
    }

    /// Turns a write into what is logged, on the caller's thread.
    fn prepare(&self, write: Write) -> Result<(Option<IndexUid>, Body), EngineError> {
        let (uid, body) = match write {
            Write::CreateIndex { uid, primary_key } => (uid, Body::CreateIndex { primary_key }),
            Write::UpdateIndex { uid, primary_key } => (uid, Body::UpdateIndex { primary_key }),
            Write::RenameIndex {
                uid,
                name,
                primary_key,
            } => {
                let body = RenameBody {
                    names: (uid.to_string(), name.to_string()),
                    primary_key,
                    taken_by: None,
                };
                (uid, Body::RenameIndex(body))
            }
            Write::Noted(write, _) => return self.prepare(*write),
            Write::DeleteIndex { uid } => (uid, Body::DeleteIndex),
            Write::Documents(documents) => prepare_documents(documents)?,
            Write::DeleteDocuments { uid, selection } => {
                let selection = match selection {
                    Selection::All => SelectionBody::All,
                    Selection::Ids(ids) => SelectionBody::Ids(ids),
                    Selection::Filter(filter) | Selection::GivenFilter { filter, .. } => {
                        SelectionBody::Filter(filter)
                    }
                };
                (uid, Body::DeleteDocuments(selection))
            }
            Write::Settings { uid, patch } => {
                let text =
                    serde_json::to_string(patch.changes()).map_err(|err| EngineError::View {
                        what: "settings",
                        reason: err.to_string(),
                    })?;
                (uid, Body::Settings(text))
            }
            Write::Events { uid, events } => (uid, Body::Events(events)),
            Write::Ledger { uid, changes } => {
                let body = LedgerBody {
                    statements: Vec::new(),
                    asked: changes,
                };
                (uid, Body::Ledger(body))
            }
            Write::CancelTasks(chosen) => return Ok((None, self.prepare_cancelation(chosen)?)),
            Write::DeleteTasks(chosen) => return Ok((None, self.prepare_deletion(chosen)?)),
            Write::SwapIndexes(swaps) => {
                let swaps = swaps.into_iter().map(|swap| SwapBody {
                    names: (swap.first.to_string(), swap.second.to_string()),
                    rename: swap.rename,
                    numbers: (IndexNo::NONE, IndexNo::NONE),
                });
                return Ok((None, Body::SwapIndexes(swaps.collect())));
            }
            Write::Dump => return Ok((None, Body::Dump)),
            Write::Snapshot => return Ok((None, Body::Snapshot)),
            Write::Registry(change) => return Ok((None, Body::Registry(change.to_json()?))),
        };
        Ok((Some(uid), body))
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.inner.shared
    }

    /// API keys, webhooks and switched features, as of the last write that was answered.
    pub fn registry(&self) -> Arc<Registry> {
        self.inner.shared.registry.load_full()
    }

    /// Every index, by uid.
    pub fn indexes(&self) -> Result<Vec<IndexInfo>, EngineError> {
        let published = self.inner.shared.published.load_full();
        published
            .indexes
            .values()
            .map(|state| crate::snapshot::info(&state.meta))
            .collect()
    }

    /// One index as of now. Keep the reader for a whole request.
    pub fn index(&self, uid: &str) -> Result<IndexReader, EngineError> {
        IndexReader::new(&self.inner.shared, uid)
    }

    /// Counts of the folder and of each index.
    pub fn stats(&self) -> Result<EngineStats, EngineError> {
        let shared = &self.inner.shared;
        let mut indexes = Vec::new();
        let mut last_update = None;
        for info in self.indexes()? {
            last_update = last_update.max(Some(info.updated_at));
            let reader = self.index(info.uid.as_str())?;
            indexes.push((info.uid.to_string(), reader.stats()?));
        }
        Ok(EngineStats {
            database_size: folder::size(&shared.dir),
            log_bytes: shared.log.bytes(),
            log_records: shared.log.next_seq(),
            last_update,
            indexes,
        })
    }

    /// Fits the sequence models that are out of date now, and waits for it.
    pub fn learn(&self) -> Result<(), EngineError> {
        crate::learn::fit_all(&self.inner.shared)
    }

    /// The models for search by meaning that this folder was opened with.
    pub fn encoders(&self) -> Option<&Arc<Encoders>> {
        self.inner.shared.encoders.as_ref()
    }

    /// Makes the vectors of an index that wait to be made, on this thread.
    pub fn catch_up_meaning(&self, uid: &str) -> Result<(), EngineError> {
        let reader = self.index(uid)?;
        let shared = &self.inner.shared;
        shared.meaning(reader.state.meta.no).catch_up_now(shared)
    }

    /// Saves profiles and event ids, so that the next start folds nothing again.
    pub fn checkpoint(&self) {
        let (answer, answered) = sync_channel(1);
        let done = Box::new(move || {
            let _ = answer.send(());
        });
        if self.inner.commands.send(Command::Checkpoint(done)).is_ok() {
            let _ = answered.recv();
        }
    }

    /// Writes every durable record and the files of trained models into one file, consistently,
    /// while serving.
    pub fn backup(&self, out: &mut dyn io::Write) -> Result<BackupReport, EngineError> {
        crate::copies::backup(&self.inner.shared, out)
    }

    /// Makes a data folder from a backup. Its views are built at the first start.
    pub fn restore(input: &mut dyn io::Read, dir: &Path) -> Result<RestoreReport, EngineError> {
        let report = store::restore(input, &folder::log(dir), dir)?;
        // Should profiles of another log stand there, they would be believed.
        crate::shoppers::destroy(dir)?;
        Ok(report)
    }

    /// Reads and checks every record of the log.
    pub fn verify(&self) -> Result<VerifyReport, EngineError> {
        Ok(self.inner.shared.log.verify()?)
    }

    /// Drops document versions that later ones supersede from the sealed part of the log.
    pub fn compact(&self) -> Result<crate::compact::CompactReport, EngineError> {
        crate::compact::compact(&self.inner.shared)
    }
}

impl Inner {
    fn close(&self) {
        let Some(threads) = self.threads.lock().take() else {
            return;
        };
        if self.learner.is_at_close()
            && let Err(err) = crate::learn::fit_all(&self.shared)
        {
            tracing::error!(
                error = &err as &dyn std::error::Error,
                "models were not fitted"
            );
        }
        self.shared.worker.stop();
        self.shared.shadows.stop();
        self.learner.stop();
        let _ = self.commands.send(Command::Close);
        // A panicked thread has said so already; closing goes on with the other one.
        let _ = threads.writer.join();
        let _ = threads.applier.join();
        for behaviour in self.shared.all_behaviours() {
            behaviour.shelf.trial.save();
        }
        self.shared.announcer.close();
        let saved = self.shared.views.persist();
        if let Err(err) = saved.and_then(|()| self.shared.shoppers.load().persist()) {
            tracing::error!(
                error = &err as &dyn std::error::Error,
                "views were not saved"
            );
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

/// What is asked of a write beside its content.
fn asked(write: &Write) -> Asked {
    match write {
        Write::Noted(write, note) => Asked {
            custom_metadata: Some(note.clone()),
            ..asked(write)
        },
        Write::Documents(documents) => Asked {
            known_only: documents.mode.is_known_only(),
            ..Asked::default()
        },
        Write::DeleteDocuments {
            selection: Selection::GivenFilter { given, .. },
            ..
        } => Asked {
            given_filter: Some(given.clone()),
            ..Asked::default()
        },
        _ => Asked::default(),
    }
}

fn prepare_documents(write: DocumentsWrite) -> Result<(IndexUid, Body), EngineError> {
    let mut documents = Vec::with_capacity(write.documents.len());
    for document in &write.documents {
        let json = serde_json::to_string(document).map_err(|err| EngineError::View {
            what: "a document",
            reason: err.to_string(),
        })?;
        documents.push(Some(json));
    }
    let refused = write.rejected.into_iter().map(|rejected| RowNote {
        row: rejected.row,
        field: rejected.field,
        refused: true,
        what: rejected.reason,
    });
    let body = DocumentsBody {
        primary_key: write.primary_key,
        update: write.mode.is_update(),
        documents,
        rows: write.rows,
        refused: refused.collect(),
    };
    Ok((write.uid, Body::Documents(body)))
}
