//! One embedder of one index: its vectors on disk, which item has which, and the encoder that
//! makes them.

use super::Space;
use super::describe::{describe, manner};
use super::embedders::{Plan, Source};
use super::given::given;
use super::maker::Maker;
use super::notes::{self, Entry, Kept};
use super::slots::Slots;
use crate::encoders::{Encoders, OpenEncoder};
use crate::record::IndexNo;
use crate::shared::Shared;
use crate::snapshot::IndexState;
use crate::tables::{DOCUMENTS, Document};
use crate::{EngineError, folder};
use encode::{Centring, Prefix};
use intake::Roles;
use serde_json::{Map, Value};
use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use store::{ViewBatch, ViewSnapshot};
use text::Languages;
use vector::{BuiltGraph, GraphOptions, VectorError, VectorStore};
use xxhash_rust::xxh3::xxh3_64;

/// The choice is looked at again when there are this many times more documents …
const SAMPLE_GROWTH: u64 = 4;
/// … until it rests on this many.
const SAMPLE_ENOUGH: u64 = 1_000;

/// An item to look at: its number, and its document unless it is gone.
#[derive(Clone)]
pub(super) struct Item {
    pub number: u64,
    pub document: Option<Map<String, Value>>,
}

/// What an embedder is opened with.
pub(super) struct Surroundings<'a> {
    pub shared: &'a Shared,
    pub state: &'a IndexState,
    pub views: &'a ViewSnapshot,
    pub encoders: Option<&'a Encoders>,
}

impl Surroundings<'_> {
    /// Where the vectors of an embedder lie.
    pub fn folder(&self, name: &str, epoch: u64) -> PathBuf {
        folder::vectors(&self.shared.dir, &self.state.meta, name, epoch)
    }
}

/// See the module documentation.
pub(super) struct Embedder {
    index: IndexNo,
    name: String,
    pub plan: Plan,
    roles: Roles,
    kept: Kept,
    store: VectorStore,
    slots: Arc<Slots>,
    /// By the item's number: the hash of what its vector was made from; 0 for none.
    hashes: Vec<u64>,
    model: Option<String>,
    encoder: Option<Arc<OpenEncoder>>,
    languages: Languages,
    centring: Centring,
    /// Documents that were there at the start and have not been looked at; the last one first.
    backlog: Vec<(u64, String)>,
    building: Option<Building>,
}

/// A graph in the making.
struct Building {
    thread: JoinHandle<Result<Option<BuiltGraph>, VectorError>>,
    stop: Arc<AtomicBool>,
}

impl Embedder {
    /// Opens what is kept of an embedder, or starts it afresh. `Err` inside says why it cannot
    /// work; `Ok(None)` that there is nothing to do yet.
    pub fn open(
        around: &Surroundings<'_>,
        name: &str,
        plan: &Plan,
        kept: Option<&Kept>,
    ) -> Result<Result<Option<Self>, String>, EngineError> {
        let maker = match Maker::choose(around, plan)? {
            Ok(Some(maker)) => maker,
            Ok(None) => return Ok(Ok(None)),
            Err(why) => return Ok(Err(why)),
        };
        let description = manner(plan.template.as_ref(), &around.state.roles);
        if let Some(kept) = kept.filter(|kept| kept.maker == maker.text) {
            match Self::reopen(around, name, plan, kept, &maker) {
                Ok(mut embedder) => {
                    embedder.kept.sampled_at = maker.sampled_at;
                    if !embedder.kept.complete || embedder.kept.description != description {
                        embedder.kept.description = description;
                        embedder.look_at_everything(around)?;
                    }
                    return Ok(Ok(Some(embedder)));
                }
                Err(err) => tracing::warn!(
                    index = around.state.meta.uid,
                    embedder = name,
                    error = &err as &dyn std::error::Error,
                    "the vectors cannot be read; making them anew"
                ),
            }
        }
        Self::start(around, name, plan, kept, maker, description).map(|new| Ok(Some(new)))
    }

    fn reopen(
        around: &Surroundings<'_>,
        name: &str,
        plan: &Plan,
        kept: &Kept,
        maker: &Maker,
    ) -> Result<Self, EngineError> {
        let folder = around.folder(name, kept.epoch);
        let store = VectorStore::open(&folder, kept.dimensions, kept.slots)?;
        let mut embedder = Self::new(around, name, plan, maker, kept.clone(), store)?;
        for entry in Entry::all(around.views, embedder.index, kept.epoch)? {
            embedder.note(entry);
        }
        Ok(embedder)
    }

    fn start(
        around: &Surroundings<'_>,
        name: &str,
        plan: &Plan,
        before: Option<&Kept>,
        maker: Maker,
        description: String,
    ) -> Result<Self, EngineError> {
        let no = around.state.meta.no;
        let kept = Kept {
            epoch: before.map_or(1, |kept| kept.epoch + 1),
            maker: maker.text.clone(),
            description,
            dimensions: maker.dimensions,
            slots: 0,
            complete: false,
            sampled_at: maker.sampled_at,
        };
        let folder = around.folder(name, kept.epoch);
        remove(&folder)?;
        let store = VectorStore::open(&folder, kept.dimensions, 0)?;
        let mut batch = around.shared.views.batch();
        if let Some(before) = before {
            notes::delete_epoch(around.views, &mut batch, no, before.epoch)?;
            // Readers may still map the files; on Unix they stay until the last one is gone.
            let _ = fs::remove_dir_all(around.folder(name, before.epoch));
        }
        kept.put(&mut batch, no, name)?;
        batch.commit()?;
        tracing::info!(
            index = around.state.meta.uid,
            embedder = name,
            maker = kept.maker,
            "making vectors"
        );
        let mut embedder = Self::new(around, name, plan, &maker, kept, store)?;
        embedder.look_at_everything(around)?;
        Ok(embedder)
    }

    fn new(
        around: &Surroundings<'_>,
        name: &str,
        plan: &Plan,
        maker: &Maker,
        kept: Kept,
        store: VectorStore,
    ) -> Result<Self, EngineError> {
        let centring = maker.centring(around, &around.folder(name, kept.epoch))?;
        Ok(Self {
            index: around.state.meta.no,
            name: name.to_owned(),
            plan: plan.clone(),
            roles: around.state.roles.clone(),
            kept,
            store,
            slots: Arc::default(),
            hashes: Vec::new(),
            model: maker.model.as_ref().map(|model| model.as_str().to_owned()),
            encoder: maker.encoder.clone(),
            languages: maker.languages.clone(),
            centring,
            backlog: Vec::new(),
            building: None,
        })
    }

    /// Whether it still is what is wanted.
    pub fn suits(&self, plan: &Plan, state: &IndexState) -> bool {
        let documents = state.words.count();
        let choice_is_old = plan.source == Source::Auto
            && self.kept.sampled_at < SAMPLE_ENOUGH
            && documents >= self.kept.sampled_at.max(1) * SAMPLE_GROWTH;
        self.plan == *plan && self.roles == state.roles && !choice_is_old
    }

    fn look_at_everything(&mut self, around: &Surroundings<'_>) -> Result<(), EngineError> {
        self.kept.complete = false;
        self.backlog.clear();
        for entry in around
            .views
            .prefix(DOCUMENTS, &self.index.0.to_be_bytes())?
        {
            let (key, value) = entry?;
            let order = Document::order_of(&value)?;
            self.backlog
                .push((order, Document::id_of(&key)?.to_owned()));
        }
        // The first to come is taken first, from the end.
        self.backlog.sort_unstable_by(|a, b| b.cmp(a));
        Ok(())
    }

    /// Documents of the backlog, at most so many.
    pub fn take_backlog(&mut self, most: usize) -> Vec<(u64, String)> {
        let keep = self.backlog.len().saturating_sub(most);
        let mut taken = self.backlog.split_off(keep);
        taken.reverse();
        taken
    }

    pub fn backlog(&self) -> u64 {
        self.backlog.len() as u64
    }

    /// Makes the vectors of some items, where they are not up to date, and writes what is to be
    /// kept to the batch. The vectors themselves are durable afterwards.
    pub fn absorb(&mut self, items: &[Item], batch: &mut ViewBatch) -> Result<(), EngineError> {
        let mut due = Vec::new();
        let mut vectors = Vec::new();
        let mut texts = Vec::new();
        for item in items {
            let found = item
                .document
                .as_ref()
                .and_then(|document| match self.plan.source {
                    // What is wrong with it was noted when the document was written.
                    Source::Given { dimensions } => given(document, &self.name, dimensions)
                        .ok()
                        .flatten()
                        .map(|vector| (vector_hash(&vector), Content::Vector(vector))),
                    _ => Some(self.describe(document))
                        .filter(|text| !text.is_empty())
                        .map(|text| (xxh3_64(text.as_bytes()).max(1), Content::Text(text))),
                });
            match found {
                None => self.forget(item.number, batch),
                Some((hash, _)) if self.hash(item.number) == hash => {}
                Some((hash, content)) => {
                    due.push((item.number, hash));
                    match content {
                        Content::Vector(vector) => vectors.extend(vector),
                        Content::Text(text) => texts.push(text),
                    }
                }
            }
        }
        if !texts.is_empty() {
            vectors = self.encode(&texts, &mut due);
        }
        let slots = self.store.append(&vectors)?;
        self.store.flush()?;
        for ((number, hash), slot) in due.into_iter().zip(slots) {
            let entry = Entry { number, slot, hash };
            entry.put(batch, self.index, self.kept.epoch);
            self.note(entry);
        }
        self.kept.slots = self.store.reader().len();
        self.kept.complete |= self.backlog.is_empty();
        self.kept.put(batch, self.index, &self.name)
    }

    fn describe(&self, document: &Map<String, Value>) -> String {
        describe(self.plan.template.as_ref(), &self.roles, document)
    }

    /// Encodes texts; those that cannot be encoded leave `due`.
    fn encode(&self, texts: &[String], due: &mut Vec<(u64, u64)>) -> Vec<f32> {
        let Some(open) = &self.encoder else {
            due.clear();
            return Vec::new();
        };
        let mut all: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut vectors = match open.encoder.encode(&all, Prefix::Passage) {
            Ok(encoded) => encoded.vectors,
            Err(_) => {
                let mut vectors = Vec::new();
                let mut texts = std::mem::take(&mut all).into_iter();
                due.retain(|(number, _)| {
                    let Some(text) = texts.next() else {
                        return false;
                    };
                    match open.encoder.encode(&[text], Prefix::Passage) {
                        Ok(encoded) => {
                            vectors.extend(encoded.vectors);
                            all.push(text);
                        }
                        Err(err) => {
                            let error = &err as &dyn std::error::Error;
                            tracing::warn!(error, number, "an item has no vector");
                            return false;
                        }
                    }
                    true
                });
                vectors
            }
        };
        if !self.centring.is_none() {
            let rows = vectors.chunks_exact_mut(self.kept.dimensions);
            for (vector, text) in rows.zip(&all) {
                let language = self.languages.of(text);
                self.centring
                    .apply(Prefix::Passage, language.code(), vector);
            }
        }
        vectors
    }

    fn hash(&self, number: u64) -> u64 {
        self.hashes.get(number as usize).copied().unwrap_or(0)
    }

    fn note(&mut self, entry: Entry) {
        Arc::make_mut(&mut self.slots).put(entry.number, entry.slot);
        let place = entry.number as usize;
        if self.hashes.len() <= place {
            self.hashes.resize(place + 1, 0);
        }
        self.hashes[place] = entry.hash;
    }

    fn forget(&mut self, number: u64, batch: &mut ViewBatch) {
        if self.slots.slot(number).is_some() {
            Arc::make_mut(&mut self.slots).remove(number);
            Entry::delete(number, batch, self.index, self.kept.epoch);
        }
        if let Some(hash) = self.hashes.get_mut(number as usize) {
            *hash = 0;
        }
    }

    /// What readers get.
    pub fn space(&self) -> Space {
        Space {
            model: self.model.clone(),
            encoder: self.encoder.clone(),
            languages: self.languages.clone(),
            centring: self.centring.clone(),
            vectors: self.store.reader(),
            slots: self.slots.clone(),
        }
    }

    /// Starts a graph when there are vectors enough for one, and takes in one that is ready;
    /// true when it took one in. While more vectors are to come a graph is soon out of date, so
    /// there is another only when it doubles.
    pub fn tend_graph(&mut self, is_more: bool) -> Result<bool, EngineError> {
        if let Some(building) = &self.building {
            if !building.thread.is_finished() {
                return Ok(false);
            }
            let built = self.building.take().map(|building| building.thread.join());
            // A panic has been reported where it happened; scanning goes on without a graph.
            let Some(Ok(built)) = built else {
                return Ok(false);
            };
            if let Some(graph) = built? {
                self.store.publish(graph)?;
                return Ok(true);
            }
            return Ok(false);
        }
        let vectors = self.store.reader();
        let doubles = vectors.graph_slots() <= vectors.len() / 2;
        if !vectors.wants_graph() || (is_more && !doubles) {
            return Ok(false);
        }
        let stop = Arc::new(AtomicBool::new(false));
        let (slots, stopped) = (self.slots.clone(), stop.clone());
        let go_on = move |_: u32| match stopped.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        let threads = thread::available_parallelism().map_or(1, |threads| threads.get());
        let build = move || {
            let options = GraphOptions::new(threads);
            vectors.build_graph(&options, |slot| slots.number(slot).is_some(), go_on)
        };
        let thread = thread::Builder::new().name("vitrine-graph".to_owned());
        let thread = thread.spawn(build).map_err(|source| EngineError::Folder {
            path: PathBuf::from(&self.name),
            source,
        })?;
        self.building = Some(Building { thread, stop });
        Ok(false)
    }

    pub fn is_building(&self) -> bool {
        self.building.is_some()
    }
}

impl Drop for Embedder {
    fn drop(&mut self) {
        if let Some(building) = self.building.take() {
            building.stop.store(true, Ordering::Relaxed);
            // A panic has been reported where it happened.
            let _ = building.thread.join();
        }
    }
}

enum Content {
    Text(String),
    Vector(Vec<f32>),
}

fn remove(folder: &PathBuf) -> Result<(), EngineError> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|source| EngineError::Folder {
            path: folder.clone(),
            source,
        })?;
    }
    Ok(())
}

/// A vector with length one; nothing when it has no direction.
pub(crate) fn normalised(mut vector: Vec<f32>) -> Option<Vec<f32>> {
    let squares: f64 = vector.iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
    let length = squares.sqrt();
    if !length.is_normal() {
        return None;
    }
    vector
        .iter_mut()
        .for_each(|x| *x = (f64::from(*x) / length) as f32);
    Some(vector)
}

fn vector_hash(vector: &[f32]) -> u64 {
    let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
    xxh3_64(&bytes).max(1)
}
