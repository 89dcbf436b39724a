//! Opening a data folder: take the lock, open log and views, catch up, start the threads.
//!
//! Each view knows the sequence number it has applied. What came after is read from the
//! log and folded before anything is served. A views folder that cannot be read is put
//! aside and built anew, because the log holds everything.

use crate::apply::{Applier, Group, OpenIndex};
use crate::behaviour::Behaviour;
use crate::engine::{Inner, Learn, OpenOptions, Threads};
use crate::learn::Learner;
use crate::record::{Body, CANCELATIONS, EVENTS, Entry, IndexNo, LEDGER};
use crate::shared::{Shared, now};
use crate::snapshot::IndexReader;
use crate::tables::{self, Applied, IndexMeta};
use crate::writer::Writer;
use crate::{EngineError, Registry, erase, event_ids, folder, ledger, plan, shoppers};
use lexical::WordsIndex;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Instant;
use store::{FolderLock, Log, LogOptions, Views, ViewsError};

/// Ids of events that are read from the log again are saved in parts of this size.
const IDS_AT_ONCE: usize = 200_000;

pub(crate) fn open(dir: &Path, options: OpenOptions) -> Result<Inner, EngineError> {
    let started = Instant::now();
    fs::create_dir_all(dir).map_err(|source| EngineError::Folder {
        path: dir.to_owned(),
        source,
    })?;
    let lock = FolderLock::acquire(dir)?;
    let (log, recovery) = Log::open(&folder::log(dir), LogOptions::default())?;
    if recovery.torn_bytes > 0 {
        tracing::warn!(
            bytes = recovery.torn_bytes,
            "cut off a write that was never acknowledged"
        );
    }
    let views = open_views(dir)?;
    let shoppers = erase::finish_all(dir, &log, &views, shoppers::open(dir)?)?;
    let (shoppers, behaviours) = open_behaviours(dir, shoppers)?;
    let shared = Shared::new(
        dir.to_owned(),
        log,
        views,
        shoppers,
        options.encoders.clone(),
    );
    let by_number = behaviours
        .into_iter()
        .map(|behaviour| (behaviour.no, behaviour));
    shared.behaviours.write().extend(by_number);
    let shared = Arc::new(shared);
    let mut applier = Applier::new(shared.clone());
    applier.registry = Registry::read(&shared.views.snapshot())?;
    open_indexes(&mut applier)?;
    let replayed = catch_up(&mut applier)?;
    shared.registry.store(Arc::new(applier.registry.clone()));
    remove_strays(&applier);
    applier.publish(None, now());
    load_models(&applier);
    let indexes: BTreeMap<String, IndexNo> = applier
        .open
        .iter()
        .map(|(no, index)| (index.meta.uid.clone(), *no))
        .collect();
    tracing::info!(
        indexes = indexes.len(),
        records = shared.log.next_seq(),
        elapsed_ms = started.elapsed().as_millis() as u64,
        "data folder open"
    );
    start(shared, applier, indexes, replayed, lock, options)
}

/// Starts the threads; each is named, so that a panic or a profile says whose it is.
fn start(
    shared: Arc<Shared>,
    applier: Applier,
    indexes: BTreeMap<String, IndexNo>,
    replayed: u64,
    lock: FolderLock,
    options: OpenOptions,
) -> Result<Inner, EngineError> {
    let spawn = |name: &str, run: Box<dyn FnOnce() + Send>| {
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(run)
            .map_err(|source| EngineError::Folder {
                path: shared.dir.clone(),
                source,
            })
    };
    let (commands, commanded) = channel();
    let (to_applier, records) = channel();
    let writer = Writer::new(shared.clone(), to_applier, indexes, replayed);
    let (of_writer, of_applier) = (shared.clone(), shared.clone());
    let write = move || of_writer.guard(|| writer.run(&commanded));
    let apply = move || of_applier.guard(|| applier.run(&records));
    let threads = Threads {
        writer: spawn("vitrine-writer", Box::new(write))?,
        applier: spawn("vitrine-applier", Box::new(apply))?,
    };
    shared.worker.start(shared.clone())?;
    shared.shadows.start(&shared.dir)?;
    let learner = match options.learn {
        Learn::Background => Learner::start(shared.clone())?,
        Learn::AtClose => Learner::at_close(),
    };
    Ok(Inner {
        shared,
        commands,
        threads: Mutex::new(Some(threads)),
        learner,
        lock,
    })
}

fn open_views(dir: &Path) -> Result<Views, EngineError> {
    let path = folder::views(dir);
    match Views::open(&path, &tables::NAMES) {
        Ok(views) if tables::are_readable(&views)? => return Ok(views),
        Ok(_) => tracing::warn!("the views have another format; building them anew from the log"),
        Err(err @ ViewsError::Damaged { .. }) => tracing::warn!(
            error = &err as &dyn std::error::Error,
            "the views cannot be read; building them anew from the log"
        ),
        Err(err) => return Err(err.into()),
    }
    Views::destroy(&path)?;
    let views = Views::open(&path, &tables::NAMES)?;
    tables::are_readable(&views)?;
    Ok(views)
}

/// The profiles of each index. Those that cannot be used are thrown away, and folded
/// anew from the log.
fn open_behaviours(
    dir: &Path,
    shoppers: Views,
) -> Result<(Views, Vec<Arc<Behaviour>>), EngineError> {
    let mut loaded = Vec::new();
    for (no, entries) in shoppers::entries(&shoppers.snapshot())? {
        match Behaviour::load(no, entries) {
            Ok(behaviour) => loaded.push(Arc::new(behaviour)),
            Err(err) => {
                tracing::warn!(
                    error = &err as &dyn std::error::Error,
                    "profiles cannot be used; folding them anew from the log"
                );
                drop(shoppers);
                shoppers::destroy(dir)?;
                return Ok((shoppers::open(dir)?, Vec::new()));
            }
        }
    }
    Ok((shoppers, loaded))
}

/// Opens what the index view lists; words that are missing, damaged or behind are built anew.
fn open_indexes(applier: &mut Applier) -> Result<(), EngineError> {
    let shared = applier.shared.clone();
    let views = shared.views.snapshot();
    for meta in IndexMeta::all(&views)? {
        shared.behaviour(meta.no).shelf.read(&views, meta.no)?;
        let words = WordsIndex::open(&folder::words(&shared.dir, &meta));
        match words {
            Ok(words)
                if words.applied() > meta.last_seq && *words.plan() == plan::index_plan(&meta) =>
            {
                applier.open.insert(meta.no, OpenIndex { meta, words });
            }
            Ok(_) => {
                tracing::warn!(
                    index = meta.uid,
                    "the words index is behind or of another build; building it anew"
                );
                applier.rebuild(meta)?;
            }
            Err(err) => {
                tracing::warn!(
                    index = meta.uid,
                    error = &err as &dyn std::error::Error,
                    "the words index cannot be read; building it anew"
                );
                applier.rebuild(meta)?;
            }
        }
    }
    Ok(())
}

/// Applies every record that the views have not seen; gives the number of events among them.
fn catch_up(applier: &mut Applier) -> Result<u64, EngineError> {
    let shared = applier.shared.clone();
    let catalogue = Applied::Catalogue.read(&shared.views.snapshot())?;
    let shoppers = shared.shoppers.load_full();
    let events = Applied::Events.read(&shoppers.snapshot())?;
    let mut group = Group::default();
    let mut ids = Vec::new();
    let mut replayed = 0;
    applier.canceled = canceled(&shared, catalogue)?;
    applier.catching_up = true;
    for record in shared.log.read(catalogue.min(events)) {
        let record = record?;
        if record.kind == store::LOST {
            tracing::warn!(
                record = record.seq,
                "skipping a record that was given up by repair"
            );
        } else if record.kind == EVENTS {
            if record.seq >= events {
                replayed += fold(&shared, &Entry::decode(&record)?, &mut ids)?;
            }
        } else if record.kind == LEDGER {
            if record.seq >= events {
                replayed += state_again(applier, &Entry::decode(&record)?)?;
            }
        } else if record.seq >= catalogue {
            applier.apply_record(record.seq, &mut group)?;
        }
    }
    event_ids::save(&shoppers, ids)?;
    applier.commit(&mut group)?;
    applier.catching_up = false;
    // Events of indexes that were deleted later have nobody to belong to.
    shared
        .behaviours
        .write()
        .retain(|no, _| applier.open.contains_key(no));
    Ok(replayed)
}

/// The tasks that records from here on cancel, and by which; known before any is applied.
fn canceled(shared: &Shared, from: u64) -> Result<BTreeMap<u64, u64>, EngineError> {
    let mut canceled = BTreeMap::new();
    for record in shared.log.read(from) {
        let record = record?;
        if record.kind == CANCELATIONS
            && let Body::CancelTasks(chosen) = Entry::decode(&record)?.body
        {
            canceled.extend(chosen.uids.into_iter().map(|uid| (uid, record.seq)));
        }
    }
    Ok(canceled)
}

/// Folds the events of one record again.
fn fold(
    shared: &Shared,
    entry: &Entry,
    ids: &mut Vec<event_ids::EventKey>,
) -> Result<u64, EngineError> {
    let Body::Events(events) = &entry.body else {
        return Ok(0);
    };
    shared.behaviour(entry.index).fold(events);
    ids.extend(
        events
            .iter()
            .filter_map(|event| event_ids::key(entry.index, event)),
    );
    if ids.len() >= IDS_AT_ONCE {
        event_ids::save(&shared.shoppers.load(), ids.drain(..))?;
    }
    Ok(events.len() as u64)
}

/// Applies the statements of one record again, unless their index has been deleted since.
fn state_again(applier: &Applier, entry: &Entry) -> Result<u64, EngineError> {
    match &entry.body {
        Body::Ledger(body) if applier.open.contains_key(&entry.index) => {
            ledger::apply(
                &applier.shared.shoppers.load(),
                entry.index,
                &body.statements,
            )?;
            Ok(body.statements.len() as u64)
        }
        _ => Ok(0),
    }
}

/// Removes index folders that no index owns: left by a crash during a rebuild or deletion.
fn remove_strays(applier: &Applier) {
    let dir = &applier.shared.dir;
    let mut kept: Vec<_> = Vec::new();
    for index in applier.open.values() {
        kept.push(folder::index(dir, &index.meta));
        kept.push(folder::words(dir, &index.meta));
        kept.push(folder::model(dir, &index.meta));
        kept.push(folder::models(dir, &index.meta));
    }
    let entries = |path: &Path| fs::read_dir(path).into_iter().flatten().flatten();
    for index in entries(&folder::indexes(dir)) {
        if !kept.contains(&index.path()) {
            let _ = fs::remove_dir_all(index.path());
            continue;
        }
        for part in entries(&index.path()) {
            let path = part.path();
            if path.is_dir() && !kept.contains(&path) && !folder::has_vectors(&path) {
                let _ = fs::remove_dir_all(part.path());
            }
        }
    }
}

fn load_models(applier: &Applier) {
    for index in applier.open.values() {
        crate::shelf::remove_strays(&applier.shared, &index.meta);
        let path = folder::model(&applier.shared.dir, &index.meta);
        if let Err(err) = crate::learn::load(&applier.shared.behaviour(index.meta.no), &path) {
            tracing::warn!(
                index = index.meta.uid,
                error = &err as &dyn std::error::Error,
                "the sequence model cannot be read; it will be fitted anew"
            );
        }
        // Without its text vectors, which are not there yet, a model may say anything.
        match IndexReader::new(&applier.shared, &index.meta.uid) {
            Ok(reader) if applier.shared.encoders.is_none() => {
                reader.state.behaviour.shelf.renew(&reader);
            }
            _ => {}
        }
    }
}
