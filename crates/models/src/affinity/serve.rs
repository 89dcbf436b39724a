//! [`Affinity`]: a trained model ready to answer. Items become vectors once, a history is
//! computed once and kept, and any number of candidates is then one pass.

use super::config::{ACTIONS, AffinityConfig, Calibration, DISLIKE};
use super::likeness::Likeness;
use super::network::{Loader, Network, Work};
use super::weights::AffinityWeights;
use kernels::{Activation, Cpu, Format, Left, Matrix, Seen, add};

/// Candidates that are scored together. The time is the same from 64 to all of
/// them; this many need little memory.
const BLOCK: usize = 128;

/// Items whose texts are multiplied together.
const ITEM_BLOCK: usize = 256;

/// What is known of an item.
#[derive(Clone, Copy, Debug, Default)]
pub struct ItemInput<'a> {
    /// The vector of its text, `[text_dimensions]`.
    pub text: Option<&'a [f32]>,
    /// Its row; none for an item that came after training, and so is a row that is not there.
    pub id: Option<u32>,
    /// Its value in each field, in the order of the settings. What is missing or was not
    /// there in training is unknown, 0.
    pub fields: &'a [u32],
}

/// An event of a history.
#[derive(Clone, Copy, Debug)]
pub struct EventInput<'a> {
    /// The vector of its item, `[vector_size]`; none for a search.
    pub item: Option<&'a [f32]>,
    /// Place in the order view, click, cart, purchase, like, dislike, rate, search.
    pub kind: u32,
    /// [`super::gap_band`] of the seconds since the event before it.
    pub gap: u32,
    /// [`super::quantity_band`] of the pieces.
    pub quantity: u32,
}

/// What a shopper did, as far as candidates see it: kept, it need not be computed again.
#[derive(Clone, Debug)]
pub struct History {
    /// The shopper and the events at each layer.
    seen: Vec<Seen>,
    /// `h` of the newest event, then what the history wants of likeness: `[vector_size]`.
    newest: Option<Vec<f32>>,
}

impl History {
    /// Bytes in memory.
    pub fn size(&self) -> usize {
        self.seen.iter().map(Seen::size).sum()
    }
}

/// How probable each action is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ActionScores {
    pub view: f32,
    pub cart: f32,
    pub purchase: f32,
}

/// The memory of [`Affinity`]'s work; kept, it allocates once.
#[derive(Debug, Default)]
pub struct AffinityRoom {
    work: Work,
    left: Left,
    tokens: Vec<f32>,
    logits: Vec<f32>,
}

/// A trained model, packed for one processor.
#[derive(Debug)]
pub struct Affinity {
    cpu: Cpu,
    config: AffinityConfig,
    network: Network,
    /// Texts are multiplied in floats whatever the format: it is done once for an item.
    item_text: Option<Matrix>,
    likeness: Option<Likeness>,
    query_text: Option<Matrix>,
    shopper: Option<Matrix>,
    /// `[items, width]`
    ids: Vec<f32>,
    /// Of each field `[values, width]`.
    fields: Vec<Vec<f32>>,
    events: EventTables,
    /// Ask, profile, candidate: `[3, width]`.
    marks: Vec<f32>,
}

/// What the circumstances of an event add, each `[bands, width]`.
#[derive(Debug)]
struct EventTables {
    kind: Vec<f32>,
    gap: Vec<f32>,
    quantity: Vec<f32>,
    position: Vec<f32>,
}

/// Rows of `marks`.
const ASK: usize = 0;
const PROFILE: usize = 1;
const CANDIDATE: usize = 2;

impl Affinity {
    /// Packs a model: its blocks in `format`, what is small or done once in floats.
    pub fn new(weights: &AffinityWeights, cpu: Cpu, format: Format) -> Self {
        let config = weights.config().clone();
        let floats = Loader {
            weights,
            cpu,
            format: Format::Float,
        };
        let table = |name: &str| weights.tensor(name).to_vec();
        let fields = config.fields.iter();
        Self {
            cpu,
            network: Network::new(weights, cpu, format),
            item_text: floats.unbiased("item.text"),
            likeness: Likeness::new(
                &config,
                cpu,
                weights.tensor("likeness.weight"),
                weights.tensor("likeness.bias"),
            ),
            query_text: floats.unbiased("query"),
            shopper: floats.unbiased("shopper"),
            ids: table("item.id"),
            fields: fields
                .map(|field| table(&format!("item.field.{}", field.name)))
                .collect(),
            events: EventTables {
                kind: table("event.kind"),
                gap: table("event.gap"),
                quantity: table("event.quantity"),
                position: table("event.position"),
            },
            marks: table("marks"),
            config,
        }
    }

    /// The settings.
    pub fn config(&self) -> &AffinityConfig {
        &self.config
    }

    /// The vector of one item in `out`, `[vector_size]`.
    ///
    /// # Panics
    /// When a length does not agree with the settings.
    pub fn item_vector(&self, item: ItemInput<'_>, out: &mut [f32]) {
        self.item_vectors(&[item], out);
    }

    /// The vectors of many items, `[items, vector_size]`; each is what it would be alone: `v`,
    /// and behind it the likeness vector where the model has such.
    ///
    /// # Panics
    /// When a length does not agree with the settings.
    pub fn item_vectors(&self, items: &[ItemInput<'_>], out: &mut [f32]) {
        let size = self.config.vector_size();
        let (width, text) = (self.config.width, self.config.text_dimensions);
        assert_eq!(
            out.len(),
            items.len() * size,
            "vectors are [items, vector_size]"
        );
        let block = ITEM_BLOCK.min(items.len());
        let mut left = Left::default();
        let mut texts = vec![0.0; block * text];
        let mut vectors = vec![0.0; block * width];
        let mut likes = vec![0.0; block * (size - width)];
        let blocks = items
            .chunks(ITEM_BLOCK)
            .zip(out.chunks_mut(ITEM_BLOCK * size));
        for (items, out) in blocks {
            let texts = &mut texts[..items.len() * text];
            let vectors = &mut vectors[..items.len() * width];
            let likes = &mut likes[..items.len() * (size - width)];
            if let Some(matrix) = &self.item_text {
                for (row, item) in texts.chunks_exact_mut(text).zip(items) {
                    match usable(item.text, text) {
                        Some(vector) => row.copy_from_slice(vector),
                        None => row.fill(0.0),
                    }
                }
                left.fill(matrix, texts);
                matrix.multiply(&left, Activation::None, vectors);
            } else {
                vectors.fill(0.0);
            }
            if let Some(likeness) = &self.likeness {
                likeness.of_texts(texts, likes);
            }
            for (at, (row, item)) in out.chunks_exact_mut(size).zip(items).enumerate() {
                let (vector, like) = row.split_at_mut(width);
                vector.copy_from_slice(&vectors[at * width..][..width]);
                self.add_id_and_fields(item, vector);
                like.copy_from_slice(&likes[at * like.len()..][..like.len()]);
            }
        }
    }

    fn add_id_and_fields(&self, item: &ItemInput<'_>, row: &mut [f32]) {
        let mut rows = self.ids.chunks_exact(row.len());
        if let Some(id) = item.id.and_then(|id| rows.nth(id as usize)) {
            add(self.cpu, row, id);
        }
        for (at, table) in self.fields.iter().enumerate() {
            let value = item.fields.get(at).map_or(0, |&value| value as usize);
            let mut rows = table.chunks_exact(row.len());
            let unknown = &table[..row.len()];
            add(self.cpu, row, rows.nth(value).unwrap_or(unknown));
        }
    }

    /// Computes what candidates will see: the shopper's profile, `[text_dimensions]`, and the
    /// newest events, the oldest first. Both may be absent.
    ///
    /// # Panics
    /// When a length does not agree with the settings or a band is not one of them.
    pub fn history(
        &self,
        shopper: Option<&[f32]>,
        events: &[EventInput<'_>],
        room: &mut AffinityRoom,
    ) -> History {
        let width = self.config.width;
        let events = &events[events.len().saturating_sub(self.config.max_history)..];
        let shopper = usable(shopper, self.config.text_dimensions);
        let before = usize::from(shopper.is_some());
        room.tokens.clear();
        room.tokens.resize((before + events.len()) * width, 0.0);
        let (first, rest) = room.tokens.split_at_mut(before * width);
        if let Some(profile) = shopper {
            self.text_token(
                self.shopper.as_ref(),
                profile,
                PROFILE,
                &mut room.left,
                first,
            );
        }
        for (at, (row, event)) in rest.chunks_exact_mut(width).zip(events).enumerate() {
            self.event_token(event, events.len() - 1 - at, row);
        }
        let mut seen = self.network.nothing_seen();
        self.network
            .keep_sequence(&mut room.tokens, &mut seen, &mut room.work);
        let newest = (!events.is_empty()).then(|| {
            let mut newest = vec![0.0; width];
            let last = room.tokens.len() - width;
            self.network.normalise(&room.tokens[last..], &mut newest);
            if let Some(likeness) = &self.likeness {
                newest.extend(self.wanted(likeness, events));
            }
            newest
        });
        History { seen, newest }
    }

    /// What the events want of likeness, `[c]`; what was disliked is not wanted.
    fn wanted(&self, likeness: &Likeness, events: &[EventInput<'_>]) -> Vec<f32> {
        let mut memory = vec![0.0; likeness.dimensions()];
        for event in events
            .iter()
            .filter(|event| event.kind != u32::from(DISLIKE))
        {
            if let Some(item) = event.item {
                likeness.remember(&mut memory, &item[self.config.width..]);
            }
        }
        likeness.wanted(&memory)
    }

    /// The token of a text with its mark, `[width]`; without a matrix the mark alone.
    fn text_token(
        &self,
        matrix: Option<&Matrix>,
        text: &[f32],
        mark: usize,
        left: &mut Left,
        out: &mut [f32],
    ) {
        out.fill(0.0);
        if let Some(matrix) = matrix {
            left.fill(matrix, text);
            matrix.multiply(left, Activation::None, out);
        }
        add(self.cpu, out, self.mark(mark));
    }

    fn mark(&self, mark: usize) -> &[f32] {
        &self.marks[mark * self.config.width..][..self.config.width]
    }

    /// Adds up the token of an event; `position` is counted from the newest.
    fn event_token(&self, event: &EventInput<'_>, position: usize, out: &mut [f32]) {
        let width = out.len();
        if let Some(item) = event.item {
            add(self.cpu, out, &item[..width]);
        }
        let tables = &self.events;
        let parts = [
            (&tables.kind, event.kind as usize),
            (&tables.gap, event.gap as usize),
            (&tables.quantity, event.quantity as usize),
            (&tables.position, position),
        ];
        for (table, band) in parts {
            add(self.cpu, out, &table[band * width..][..width]);
        }
    }

    /// The query vector of retrieval, `[vector_size]`: its product with the vector of an item is
    /// the logit of that item being next. None where there is no event.
    pub fn retrieval<'h>(&self, history: &'h History) -> Option<&'h [f32]> {
        history.newest.as_deref()
    }

    /// How probable a shopper's actions are on candidates, `[candidates, vector_size]` vectors
    /// of items, in `out`, one each. A candidate's scores do not depend on the others. A query
    /// is the vector of a text, `[text_dimensions]`; it is left out where the model was trained
    /// without queries.
    ///
    /// # Panics
    /// When a length does not agree with the settings, or the history is of another model.
    pub fn score(
        &self,
        history: &History,
        query: Option<&[f32]>,
        candidates: &[f32],
        room: &mut AffinityRoom,
        out: &mut Vec<ActionScores>,
    ) {
        let (width, size) = (self.config.width, self.config.vector_size());
        assert_eq!(
            candidates.len() % size,
            0,
            "candidates are [candidates, vector_size]"
        );
        out.clear();
        let query = query.filter(|_| self.config.queries);
        let query = usable(query, self.config.text_dimensions);
        let asked = query.map(|query| self.asked(history, query, room));
        let seen = asked.as_ref().map_or(&history.seen, |asked| &asked.seen);
        let calibration = self.config.calibration(asked.is_some());
        for block in candidates.chunks(BLOCK * size) {
            room.tokens.clear();
            for item in block.chunks_exact(size) {
                room.tokens.extend_from_slice(&item[..width]);
            }
            for token in room.tokens.chunks_exact_mut(width) {
                add(self.cpu, token, self.mark(CANDIDATE));
                if let Some(asked) = &asked {
                    asked.widen(token);
                }
            }
            let AffinityRoom {
                work,
                tokens,
                logits,
                ..
            } = &mut *room;
            self.network.judge(tokens, seen, work, logits);
            let (logits, _) = logits.as_chunks::<{ ACTIONS.len() }>();
            out.extend(
                logits
                    .iter()
                    .map(|logits| probabilities(calibration, logits)),
            );
        }
    }

    /// What candidates see when there is a query.
    fn asked(&self, history: &History, query: &[f32], room: &mut AffinityRoom) -> Asked {
        let mut seen = history.seen.clone();
        let mut token = vec![0.0; self.config.width];
        let matrix = self.query_text.as_ref();
        self.text_token(matrix, query, ASK, &mut room.left, &mut token);
        let by = token.iter().map(|number| 1.0 + number).collect();
        self.network
            .keep_token(&mut token, &mut seen, &mut room.work);
        Asked { seen, by }
    }
}

fn probabilities(calibration: &[Calibration], logits: &[f32; ACTIONS.len()]) -> ActionScores {
    let of = |action: usize| {
        let Calibration { scale, offset } = calibration[action];
        sigmoid(scale * logits[action] + offset)
    };
    ActionScores {
        view: of(0),
        cart: of(1),
        purchase: of(2),
    }
}

/// A query behind a history.
struct Asked {
    /// The history, then the query, at each layer.
    seen: Vec<Seen>,
    /// One more than the query's token, `[width]`.
    by: Vec<f32>,
}

impl Asked {
    /// Multiplies the token of a candidate, so that what it and the query have in common is
    /// in it from the start.
    fn widen(&self, token: &mut [f32]) {
        for (number, by) in token.iter_mut().zip(&self.by) {
            *number *= by;
        }
    }
}

/// A vector that can be multiplied. One that is not finite says nothing, and must not make
/// every score say nothing.
fn usable(text: Option<&[f32]>, dimensions: usize) -> Option<&[f32]> {
    let text = text?;
    assert_eq!(
        text.len(),
        dimensions,
        "vectors of texts are [text_dimensions]"
    );
    text.iter().all(|number| number.is_finite()).then_some(text)
}

/// `1 / (1 + e^-x)`; nothing where `x` is not a number, so that it wins no place.
fn sigmoid(x: f32) -> f32 {
    if x.is_nan() {
        0.0
    } else {
        1.0 / (1.0 + (-x).exp())
    }
}
