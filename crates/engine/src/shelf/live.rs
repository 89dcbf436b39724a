//! The live affinity model of an index: packed, with the vectors of the whole catalogue. A
//! shadow is kept ready in the same way.
//!
//! A request takes one [`LiveAffinity`] and keeps it to its end, so that no answer is of two
//! models. When the catalogue or its text vectors change, the vectors of the items that
//! changed are made anew on the thread that keeps text vectors, and the whole is exchanged.

use super::{ModelEntry, files};
use crate::EngineError;
use crate::fields::Facts;
use crate::meaning::{DEFAULT_EMBEDDER, Space};
use crate::snapshot::IndexReader;
use crate::tables::from_json;
use domain::{EventKind, Timestamp};
use intake::Roles;
use kernels::{Cpu, Format};
use models::affinity::{
    ActionScores, Affinity, AffinityRoom, EventInput, Fields, History, ItemInput, ItemTraits,
    PROFILE_EVENTS, gap_band, quantity_band,
};
use rustc_hash::FxHashMap;
use serde_json::{Map, Value};
use std::path::Path;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Items whose vectors are made together.
const PART: usize = 256;
/// The share of a model that does not say which was best for it.
const SHARE: f64 = 0.5;
/// Fields of an item; popularity is the last.
const FIELDS: usize = Fields::NAMES.len();

/// See the module documentation.
pub(crate) struct LiveAffinity {
    /// Such as `affinity-3`.
    pub id: String,
    /// Of its scores, where counted pairs speak too.
    pub share: f64,
    model: Arc<Trained>,
    catalogue: Catalogue,
    /// The texts' vectors that those of the catalogue were made from.
    space: Option<Arc<Space>>,
    as_of: AsOf,
}

/// A model as its folder has it.
struct Trained {
    affinity: Affinity,
    cpu: Cpu,
    /// The row of each item that training knew.
    rows: FxHashMap<String, u32>,
    fields: Option<Fields>,
}

/// The vectors of the items there are, by place, which is the order of their first coming.
#[derive(Default)]
struct Catalogue {
    ids: Vec<Box<str>>,
    places: FxHashMap<Box<str>, u32>,
    /// Of what each vector was made from.
    hashes: Vec<u64>,
    /// Where the vector of the text is.
    slots: Vec<Option<u32>>,
    vectors: Vec<f32>,
}

/// What the vectors were made from, as far as it can be told without looking at every item.
#[derive(PartialEq)]
struct AsOf {
    last_seq: u64,
    roles: Roles,
    /// The encoder, and how many vectors it has made for how many items.
    texts: Option<(Option<String>, u32, u64)>,
}

/// Something that the shopper did with an item of the catalogue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PastEvent {
    pub place: u32,
    pub kind: EventKind,
    pub time: Timestamp,
    pub quantity: f64,
}

impl LiveAffinity {
    /// Opens a model and makes the vectors of the catalogue.
    pub(super) fn open(reader: &IndexReader, entry: &ModelEntry) -> Result<Self, EngineError> {
        let folder = reader.model_folder(&entry.kind, entry.number);
        files::check_sum(&folder, &entry.sha256)?;
        let model = Arc::new(Trained::open(&folder)?);
        let share = entry.metrics["blend"]["share"].as_f64();
        let share = share.map_or(SHARE, |share| share.clamp(0.0, 1.0));
        Self::over_catalogue(reader, (&entry.id, share), model, &Catalogue::default())
    }

    /// The same model over the catalogue of now; `None` when nothing has changed.
    pub(super) fn renewed(&self, reader: &IndexReader) -> Result<Option<Self>, EngineError> {
        let as_of = AsOf::now(reader, self.model.space(reader).as_deref());
        if as_of == self.as_of {
            return Ok(None);
        }
        let nothing = Catalogue::default();
        let is_comparable =
            as_of.roles == self.as_of.roles && as_of.encoder() == self.as_of.encoder();
        let before = match is_comparable {
            true => &self.catalogue,
            false => &nothing,
        };
        let name = (self.id.as_str(), self.share);
        Self::over_catalogue(reader, name, self.model.clone(), before).map(Some)
    }

    fn over_catalogue(
        reader: &IndexReader,
        (id, share): (&str, f64),
        model: Arc<Trained>,
        before: &Catalogue,
    ) -> Result<Self, EngineError> {
        let space = model.space(reader);
        let as_of = AsOf::now(reader, space.as_deref());
        let catalogue = model.catalogue(reader, space.as_deref(), before)?;
        Ok(Self {
            id: id.to_owned(),
            share,
            model,
            catalogue,
            space,
            as_of,
        })
    }

    /// Where an item stands, if it is in the catalogue.
    pub(crate) fn place(&self, id: &str) -> Option<u32> {
        self.catalogue.places.get(id).copied()
    }

    /// The item at a place; empty for none.
    pub(crate) fn item_id(&self, place: u32) -> &str {
        let id = self.catalogue.ids.get(place as usize);
        id.map_or("", |id| id)
    }

    /// By place: the logit of each item being next after these events, the oldest first.
    /// Nothing without an event.
    pub(crate) fn scores(&self, events: &[PastEvent]) -> Vec<f32> {
        let affinity = &self.model.affinity;
        let history = self.history(events, &mut AffinityRoom::default());
        let Some(wanted) = affinity.retrieval(&history) else {
            return Vec::new();
        };
        let vectors = self.catalogue.vectors.chunks_exact(wanted.len());
        vectors
            .map(|vector| kernels::dot(self.model.cpu, vector, wanted))
            .collect()
    }

    /// How probable the actions are on items of the catalogue after these events, the oldest
    /// first; `None` for an item that is not in it.
    pub(crate) fn probabilities(
        &self,
        events: &[PastEvent],
        ids: &[&str],
    ) -> Vec<Option<ActionScores>> {
        let room = &mut AffinityRoom::default();
        let history = self.history(events, room);
        let mut candidates = Vec::new();
        let mut are_known = Vec::with_capacity(ids.len());
        for id in ids {
            let vector = self.place(id).and_then(|place| self.vector(place));
            candidates.extend_from_slice(vector.unwrap_or_default());
            are_known.push(vector.is_some());
        }
        let mut scores = Vec::new();
        let affinity = &self.model.affinity;
        affinity.score(&history, None, &candidates, room, &mut scores);
        let mut scores = scores.into_iter();
        are_known
            .into_iter()
            .map(|is_known| is_known.then(|| scores.next()).flatten())
            .collect()
    }

    /// What candidates see: the newest events, and a profile of those before.
    fn history(&self, events: &[PastEvent], room: &mut AffinityRoom) -> History {
        let affinity = &self.model.affinity;
        let seen = events.len().min(affinity.config().max_history);
        let (older, events) = events.split_at(events.len() - seen);
        let mut inputs = Vec::with_capacity(events.len());
        let mut before = older.last().map(|event| event.time);
        for event in events {
            let seconds =
                before.map(|before| (event.time.millis() as f64 - before.millis() as f64) / 1000.0);
            before = Some(event.time);
            inputs.push(EventInput {
                item: self.vector(event.place),
                kind: event.kind as u32,
                gap: gap_band(seconds),
                quantity: quantity_band(event.quantity),
            });
        }
        affinity.history(self.profile(older).as_deref(), &inputs, room)
    }

    /// The mean of the texts of what the shopper did before the events that the model sees;
    /// `u` of `docs/affinity.md`.
    fn profile(&self, older: &[PastEvent]) -> Option<Vec<f32>> {
        let space = self
            .space
            .as_ref()
            .filter(|_| self.model.affinity.config().profiles)?;
        let newest = &older[older.len().saturating_sub(PROFILE_EVENTS)..];
        let mut sum = vec![0.0; space.vectors.dimensions()];
        let mut count = 0.0;
        for event in newest
            .iter()
            .filter(|event| event.kind != EventKind::Dislike)
        {
            let Some(Some(slot)) = self.catalogue.slots.get(event.place as usize) else {
                continue;
            };
            kernels::add(self.model.cpu, &mut sum, &space.vectors.vector(*slot));
            count += 1.0;
        }
        kernels::scale(self.model.cpu, &mut sum, 1.0 / count);
        (count > 0.0).then_some(sum)
    }

    fn vector(&self, place: u32) -> Option<&[f32]> {
        let size = self.model.affinity.config().vector_size();
        self.catalogue
            .vectors
            .chunks_exact(size)
            .nth(place as usize)
    }
}

impl AsOf {
    /// Slots of another encoder hold other vectors.
    fn encoder(&self) -> Option<&str> {
        self.texts.as_ref()?.0.as_deref()
    }

    fn now(reader: &IndexReader, space: Option<&Space>) -> Self {
        Self {
            last_seq: reader.state.meta.last_seq,
            roles: reader.state.roles.clone(),
            texts: space.map(|space| {
                let made = space.vectors.len();
                (space.model.clone(), made, space.slots.items())
            }),
        }
    }
}

impl Trained {
    fn open(folder: &Path) -> Result<Self, EngineError> {
        let cpu = Cpu::detect()?;
        let (affinity, items) = Affinity::open(folder, cpu, Format::Float)?;
        Ok(Self {
            fields: Fields::read(folder, affinity.config())?,
            rows: items.into_iter().zip(0..).collect(),
            affinity,
            cpu,
        })
    }

    /// The text vectors that the model can use.
    fn space(&self, reader: &IndexReader) -> Option<Arc<Space>> {
        let meaning = reader.meaning.now();
        let space = meaning.space(DEFAULT_EMBEDDER).ok()??;
        let wanted = self.affinity.config().text_dimensions;
        (space.vectors.dimensions() == wanted).then(|| space.clone())
    }

    /// The vectors of all items; those that have not changed are taken from before.
    fn catalogue(
        &self,
        reader: &IndexReader,
        space: Option<&Space>,
        before: &Catalogue,
    ) -> Result<Catalogue, EngineError> {
        let mut catalogue = Catalogue::default();
        let mut part = Part::default();
        let size = self.affinity.config().vector_size();
        reader.each_document(&mut |id, order, json| {
            let slot = space.and_then(|space| space.slots.slot(order));
            let hash = xxh3_64_with_seed(json.as_bytes(), slot.map_or(u64::MAX, u64::from));
            let place = catalogue.ids.len();
            catalogue.ids.push(id.into());
            catalogue.places.insert(id.into(), place as u32);
            catalogue.hashes.push(hash);
            catalogue.slots.push(slot);
            catalogue.vectors.resize((place + 1) * size, 0.0);
            if let Some(&known) = before.places.get(id)
                && before.hashes.get(known as usize) == Some(&hash)
                && let Some(vector) = before.vectors.chunks_exact(size).nth(known as usize)
            {
                catalogue.vectors[place * size..].copy_from_slice(vector);
                return Ok(());
            }
            let text = space.and_then(|space| Some(space.vectors.vector(slot?)));
            let row = self.rows.get(id).copied();
            let fields = match &self.fields {
                Some(fields) => {
                    let document: Map<String, Value> = from_json(json.as_bytes())?;
                    values(fields, row, &reader.facts(&document))
                }
                None => [0; FIELDS],
            };
            part.push(place, text, row, fields);
            if part.places.len() == PART {
                part.make(&self.affinity, &mut catalogue.vectors);
            }
            Ok(())
        })?;
        part.make(&self.affinity, &mut catalogue.vectors);
        Ok(catalogue)
    }
}

/// What an item is now, but as popular as it was in training: the model has learned what
/// follows from that popularity, and a new item has none.
fn values(fields: &Fields, row: Option<u32>, facts: &Facts) -> [u32; FIELDS] {
    let mut values = fields.values(ItemTraits {
        category: facts.category.as_deref(),
        brand: facts.brand.as_deref(),
        price: facts.price,
        events: 0,
    });
    if let Some(trained) = row.and_then(|row| fields.rows().get(row as usize)) {
        values[FIELDS - 1] = trained[FIELDS - 1];
    }
    values
}

/// Items whose vectors are made together.
#[derive(Default)]
struct Part {
    places: Vec<usize>,
    texts: Vec<Option<Vec<f32>>>,
    rows: Vec<Option<u32>>,
    fields: Vec<[u32; FIELDS]>,
}

impl Part {
    fn push(
        &mut self,
        place: usize,
        text: Option<Vec<f32>>,
        row: Option<u32>,
        fields: [u32; FIELDS],
    ) {
        self.places.push(place);
        self.texts.push(text);
        self.rows.push(row);
        self.fields.push(fields);
    }

    /// Makes their vectors, puts them into their places, and is empty again.
    fn make(&mut self, affinity: &Affinity, vectors: &mut [f32]) {
        let mut inputs = Vec::with_capacity(self.places.len());
        for ((text, row), fields) in self.texts.iter().zip(&self.rows).zip(&self.fields) {
            inputs.push(ItemInput {
                text: text.as_deref(),
                id: *row,
                fields,
            });
        }
        let size = affinity.config().vector_size();
        let mut made = vec![0.0; inputs.len() * size];
        affinity.item_vectors(&inputs, &mut made);
        for (place, vector) in self.places.iter().zip(made.chunks_exact(size)) {
            vectors[place * size..][..size].copy_from_slice(vector);
        }
        *self = Self::default();
    }
}
