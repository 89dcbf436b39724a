//! The one thread that appends to the log.
//!
//! It takes every write that is waiting, gives the group one append and one fsync,
//! folds events into the profiles, hands catalogue writes to the applier, and only
//! then answers. More clients make larger groups, not more fsyncs.

mod exchange;

pub(crate) use exchange::Exchange;

use crate::event_ids::{self, EventKey};
use crate::known_items::KnownItems;
use crate::ledger::{self, Settled, Statement, Unapplied};
use crate::record::{Asked, Body, Entry, EraseBody, IndexNo, ModelsBody};
use crate::shared::{Shared, now};
use crate::shoppers;
use crate::tables::{Applied, EVENT_IDS};
use crate::{Accepted, EngineError, EventsReceipt, erase, settings, swap};
use domain::{Event, IndexUid};
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;
use store::NewRecord;

/// Most writes and most bytes in one group.
const GROUP_WRITES: usize = 512;
const GROUP_BYTES: usize = 16 << 20;
/// Profiles are saved when the log has been quiet for this long …
const QUIET: Duration = Duration::from_secs(2);
/// … or when a crash would mean folding more events than this again (a few seconds).
const EVENTS_BETWEEN_CHECKPOINTS: u64 = 500_000;

/// Called once, on the writer's thread, when the write is durable or refused.
pub(crate) type Done = Box<dyn FnOnce(Result<Accepted, EngineError>) + Send>;

/// A write whose payload is ready to be logged.
pub(crate) struct Prepared {
    /// `None` for what concerns the whole folder.
    pub uid: Option<IndexUid>,
    pub body: Body,
    pub asked: Asked,
    pub done: Done,
}

pub(crate) enum Command {
    Write(Prepared),
    /// Save the profiles now and say when it is done.
    Checkpoint(Box<dyn FnOnce() + Send>),
    /// Put other profiles in the place of those of an index.
    Exchange(Box<Exchange>),
    Close,
}

/// What the applier is told.
pub(crate) enum Apply {
    Record(u64),
    /// Every record before this one needs nothing more from the catalogue.
    Advance(u64),
}

pub(crate) struct Writer {
    shared: Arc<Shared>,
    applier: Sender<Apply>,
    /// Existing indexes as of the last record appended.
    indexes: BTreeMap<String, IndexNo>,
    /// Ids of events since the last checkpoint; older ones are in the view.
    fresh_ids: FxHashSet<EventKey>,
    since_checkpoint: u64,
    /// A statement is in the log only: what the views hold must not be taken for all there is.
    ledger_is_behind: bool,
    catalogue: KnownItems,
}

/// One write of a group between being checked and being answered.
struct Member {
    entry: Entry,
    ids: Vec<EventKey>,
    duplicates: u64,
    done: Done,
}

impl Writer {
    /// A writer for a folder whose last `replayed` events are in no checkpoint.
    pub(crate) fn new(
        shared: Arc<Shared>,
        applier: Sender<Apply>,
        indexes: BTreeMap<String, IndexNo>,
        replayed: u64,
    ) -> Self {
        Self {
            shared,
            applier,
            indexes,
            fresh_ids: FxHashSet::default(),
            since_checkpoint: replayed,
            ledger_is_behind: false,
            catalogue: KnownItems::default(),
        }
    }

    /// Runs until told to close or until nobody can send any more.
    pub(crate) fn run(mut self, commands: &Receiver<Command>) {
        loop {
            let first = match commands.recv_timeout(QUIET) {
                Ok(command) => command,
                Err(RecvTimeoutError::Timeout) => {
                    self.checkpoint_if(1);
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            };
            match first {
                Command::Write(write) => {
                    let after = self.gather_and_append(write, commands);
                    if !self.obey(after) {
                        break;
                    }
                }
                other => {
                    if !self.obey(Some(other)) {
                        break;
                    }
                }
            }
            self.checkpoint_if(EVENTS_BETWEEN_CHECKPOINTS);
        }
        self.checkpoint_if(1);
        // Whatever is still queued is refused rather than forgotten.
        while let Ok(command) = commands.try_recv() {
            if let Command::Write(write) = command {
                (write.done)(Err(EngineError::Closing));
            }
        }
    }

    /// Carries out a command that is no write; false to stop.
    fn obey(&mut self, command: Option<Command>) -> bool {
        match command {
            Some(Command::Checkpoint(done)) => {
                self.checkpoint_if(1);
                done();
                true
            }
            Some(Command::Exchange(exchange)) => {
                let Exchange {
                    profiles,
                    next,
                    forgotten,
                    done,
                } = *exchange;
                done(self.exchange(profiles, next, &forgotten));
                true
            }
            Some(Command::Close) => false,
            Some(Command::Write(_)) | None => true,
        }
    }

    /// Appends this write and all that wait behind it; returns a command that ended the group.
    fn gather_and_append(
        &mut self,
        first: Prepared,
        commands: &Receiver<Command>,
    ) -> Option<Command> {
        let before = self.indexes.clone();
        let mut group = Group::default();
        self.add(&mut group, first);
        let mut ended_by = None;
        while group.members.len() < GROUP_WRITES && group.bytes < GROUP_BYTES {
            match commands.try_recv() {
                Ok(Command::Write(write)) => self.add(&mut group, write),
                Ok(other) => {
                    ended_by = Some(other);
                    break;
                }
                Err(_) => break,
            }
        }
        if !group.members.is_empty() {
            self.append(group, before);
        }
        ended_by
    }

    /// Checks one write against what is known and adds it to the group, or refuses it at once.
    fn add(&mut self, group: &mut Group, write: Prepared) {
        let seq = self.shared.log.next_seq() + group.members.len() as u64;
        let Prepared {
            uid,
            mut body,
            asked,
            done,
        } = write;
        if let (false, Some(why)) = (matches!(body, Body::Events(_)), self.shared.stopped()) {
            return done(Err(why));
        }
        let uid = uid.map(|uid| uid.to_string()).unwrap_or_default();
        let index = match self.index_of(&body, &uid, seq) {
            Ok(index) => index,
            Err(err) => return done(Err(err)),
        };
        self.resolve_names(&mut body);
        let mut ids = Vec::new();
        let mut duplicates = 0;
        if let Body::Ledger(ledger) = &mut body {
            let asked = std::mem::take(&mut ledger.asked);
            let views = self.shared.shoppers.load().snapshot();
            match Settled::new(views, index, &group.unapplied).settle(asked) {
                Ok(statements) => ledger.statements = statements,
                Err(err) => return done(Err(err)),
            }
        }
        if let Body::Events(events) = &mut body {
            let given = events.len();
            match self.drop_duplicates(index, events, &mut ids) {
                Ok(()) => duplicates = (given - events.len()) as u64,
                Err(err) => return done(Err(err)),
            }
        }
        let entry = Entry {
            at: now(),
            index,
            uid,
            body,
            asked,
        };
        match entry.encode() {
            Ok(record) => group.push(
                record,
                Member {
                    entry,
                    ids,
                    duplicates,
                    done,
                },
            ),
            Err(err) => {
                self.forget(&ids);
                done(Err(err));
            }
        }
    }

    /// Names as of now become numbers, which stay what they are.
    fn resolve_names(&mut self, body: &mut Body) {
        match body {
            Body::SwapIndexes(swaps) => swap::resolve(swaps, &mut self.indexes),
            Body::RenameIndex(rename) => swap::resolve_rename(rename, &mut self.indexes),
            _ => {}
        }
    }

    /// The index that a write concerns, as of the writes before it; a name is given or taken
    /// away.
    fn index_of(&mut self, body: &Body, uid: &str, seq: u64) -> Result<IndexNo, EngineError> {
        let known = self.indexes.get(uid).copied();
        Ok(match (body, known) {
            (
                Body::Registry(_)
                | Body::CancelTasks(_)
                | Body::DeleteTasks(_)
                | Body::SwapIndexes(_)
                | Body::Dump
                | Body::Snapshot,
                _,
            ) => IndexNo::NONE,
            (Body::Events(_) | Body::Ledger(_), None) => {
                return Err(EngineError::IndexNotFound(uid.to_owned()));
            }
            // It may have another name by now, or be gone.
            (
                Body::Models(ModelsBody { index, .. })
                | Body::EraseShopper(EraseBody { index, .. }),
                _,
            ) => {
                if !self.indexes.values().any(|no| no == index) {
                    return Err(EngineError::IndexNotFound(uid.to_owned()));
                }
                *index
            }
            // A reset makes no index; its task fails.
            (Body::Settings(text), None) if settings::only_resets(text) => IndexNo::NONE,
            (Body::CreateIndex { .. } | Body::Documents(_) | Body::Settings(_), None) => {
                self.indexes.insert(uid.to_owned(), IndexNo(seq));
                IndexNo(seq)
            }
            (Body::DeleteIndex, Some(no)) => {
                self.indexes.remove(uid);
                no
            }
            (_, Some(no)) => no,
            (_, None) => IndexNo::NONE,
        })
    }

    fn drop_duplicates(
        &mut self,
        index: IndexNo,
        events: &mut Vec<Event>,
        ids: &mut Vec<EventKey>,
    ) -> Result<(), EngineError> {
        let mut kept = Vec::with_capacity(events.len());
        let shoppers = self.shared.shoppers.load();
        for event in events.drain(..) {
            if let Some(key) = event_ids::key(index, &event) {
                if self.fresh_ids.contains(&key) || shoppers.contains(EVENT_IDS, &key)? {
                    continue;
                }
                self.fresh_ids.insert(key);
                ids.push(key);
            }
            kept.push(event);
        }
        *events = kept;
        Ok(())
    }

    fn forget(&mut self, ids: &[EventKey]) {
        for id in ids {
            self.fresh_ids.remove(id);
        }
    }

    fn append(&mut self, group: Group, indexes_before: BTreeMap<String, IndexNo>) {
        let Group {
            records, members, ..
        } = group;
        match self.shared.log.append(&records) {
            Ok(seqs) => {
                for (seq, member) in seqs.zip(members) {
                    self.acknowledge(seq, member);
                }
            }
            Err(err) => {
                self.indexes = indexes_before;
                let err = Arc::new(err);
                for member in members {
                    self.forget(&member.ids);
                    (member.done)(Err(EngineError::NotWritten(err.clone())));
                }
            }
        }
    }

    fn acknowledge(&mut self, seq: u64, member: Member) {
        let Member {
            entry,
            duplicates,
            done,
            ..
        } = member;
        let mut events = None;
        let mut statements = 0;
        if let Body::Ledger(ledger) = &entry.body {
            statements = ledger.statements.len() as u64;
            self.state(entry.index, &ledger.statements);
        } else if let Body::Events(accepted) = &entry.body {
            let behaviour = self.shared.behaviour(entry.index);
            behaviour.fold(accepted);
            behaviour.shelf.trial.judge(accepted);
            self.since_checkpoint += accepted.len() as u64;
            let unknown_items = self
                .catalogue
                .count_unknown(&self.shared, entry.index, accepted);
            events = Some(EventsReceipt {
                accepted: accepted.len() as u64,
                duplicates,
                unknown_items,
            });
        } else {
            if let Body::Registry(change) = &entry.body
                && let Err(err) = self.shared.change_registry(change)
            {
                // It was written by this very build, so it can be read.
                tracing::error!(
                    error = &err as &dyn std::error::Error,
                    "change not in force"
                );
            }
            if let Body::Models(models) = &entry.body
                && let Err(err) = self.shared.behaviour(entry.index).shelf.set(&models.list)
            {
                // As above.
                tracing::error!(error = &err as &dyn std::error::Error, "models not listed");
            }
            if let Body::EraseShopper(_) = &entry.body
                && let Err(err) = erase::note(&self.shared.shoppers.load(), seq)
            {
                // As long as the views stand where they do, the log is read for it.
                tracing::error!(error = &err as &dyn std::error::Error, "erasure not noted");
            }
            self.shared.waiting.add(seq, &entry);
            // The applier ends only after the writer.
            let _ = self.applier.send(Apply::Record(seq));
        }
        done(Ok(Accepted {
            task_uid: seq,
            index_uid: IndexUid::new(entry.uid).ok(),
            kind: entry.body.task_kind(),
            enqueued_at: entry.at,
            custom_metadata: entry.asked.custom_metadata,
            events,
            statements,
        }));
    }

    /// Writes statements to the views.
    fn state(&mut self, index: IndexNo, statements: &[Statement]) {
        self.since_checkpoint += statements.len() as u64;
        if let Err(err) = ledger::apply(&self.shared.shoppers.load(), index, statements) {
            // The log has them, so a restart catches up; until then nothing may rest on less.
            tracing::error!(
                error = &err as &dyn std::error::Error,
                "the ledger was not written"
            );
            self.ledger_is_behind = true;
            self.shared.stop(err);
        }
    }

    /// Saves profiles and event ids with the sequence they stand at, if enough is new.
    fn checkpoint_if(&mut self, at_least: u64) {
        if self.since_checkpoint < at_least || self.ledger_is_behind {
            return;
        }
        let next = self.shared.log.next_seq();
        let views = self.shared.shoppers.load();
        let mut batch = views.batch();
        for behaviour in self.shared.all_behaviours() {
            shoppers::put_changes(&mut batch, &behaviour);
            behaviour.shelf.trial.save();
        }
        Applied::Events.write(&mut batch, next);
        let ids = self.fresh_ids.iter().copied();
        match event_ids::save(&views, ids).and_then(|()| batch.commit()) {
            Ok(()) => {
                self.fresh_ids.clear();
                self.since_checkpoint = 0;
                let _ = self.applier.send(Apply::Advance(next));
            }
            // The log has everything; the next start folds it again.
            Err(err) => {
                tracing::error!(error = &err as &dyn std::error::Error, "checkpoint failed")
            }
        }
    }
}

/// Records of one append with whom to answer.
#[derive(Default)]
struct Group {
    records: Vec<NewRecord>,
    members: Vec<Member>,
    bytes: usize,
    /// What its members have settled, which the views do not hold yet.
    unapplied: Unapplied,
}

impl Group {
    fn push(&mut self, record: NewRecord, member: Member) {
        if let Body::Ledger(ledger) = &member.entry.body {
            self.unapplied
                .extend(member.entry.index, &ledger.statements);
        }
        self.bytes += record.payload.len();
        self.records.push(record);
        self.members.push(member);
    }
}
