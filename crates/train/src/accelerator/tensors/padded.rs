//! A batch as a device takes it: every window as long as the longest, histories and candidates
//! apart, what each token sees as a mask.

use crate::network::Sight;
use crate::share::{LaidOut, Shape, Tables, Task};
use std::ops::Range;

/// What is added to the weight of a token that is not seen, before the softmax.
const UNSEEN: f32 = -1e30;

/// Tokens of all windows, `[windows, longest]`, those that only fill up marked by nothing.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// Tokens of the longest window.
    pub longest: usize,
    /// Row of the vector of each token.
    pub rows: Vec<i32>,
    /// How often each row of the tables is added to it, `[tokens, rows of tables]`.
    pub added: Vec<f32>,
    /// `[windows, longest, longest history]`, 0 where the history's token is seen.
    pub mask: Vec<f32>,
}

/// A whole batch.
#[derive(Debug, Default)]
pub(super) struct Padded {
    pub windows: usize,
    /// Tokens that go through every block; each also sees itself.
    pub history: Part,
    /// Tokens that see histories and themselves, and are seen by none.
    pub candidates: Part,
    /// Tokens of histories that have a next item, and the row of its vector.
    pub next_tokens: Vec<i32>,
    pub next_rows: Vec<i32>,
    /// Of each candidate the token of its query, and 1 where it has one.
    pub queries: Vec<i32>,
    pub has_query: Vec<f32>,
    /// Candidates that are asked about, and `[asks, 3]` what was done: 1, or −1 where not.
    pub ask_tokens: Vec<i32>,
    pub signs: Vec<f32>,
}

/// The rows of all tables that are added to tokens, one below the other.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    /// Where each table lies among the parameters, and its first row here.
    tables: Vec<(Range<usize>, usize)>,
    width: usize,
    pub len: usize,
}

impl Rows {
    /// Of tables at these places.
    pub fn new(places: impl IntoIterator<Item = Range<usize>>, width: usize) -> Self {
        let mut len = 0;
        let tables = places
            .into_iter()
            .map(|place| {
                let first = len;
                len += place.len() / width;
                (place, first)
            })
            .collect();
        Self { tables, width, len }
    }

    /// The row that begins at a place among the parameters.
    fn of(&self, place: u32) -> usize {
        let place = place as usize;
        let table = self.tables.iter().find(|(range, _)| range.contains(&place));
        let (range, first) = table.expect("a row of a table");
        first + (place - range.start) / self.width
    }
}

impl Padded {
    /// Lays the windows out, each by itself, and fills them up.
    pub fn new(tables: &Tables, rows: &Rows, shape: Shape, tasks: &[Task<'_>]) -> Self {
        let windows: Vec<LaidOut> = tasks
            .iter()
            .map(|task| {
                let mut window = LaidOut::default();
                window.lay_out(tables, shape, std::slice::from_ref(task));
                window
            })
            .collect();
        let longest = |of: fn(&LaidOut) -> usize| windows.iter().map(of).max().unwrap_or(0);
        let early = longest(|window| window.early);
        let late = longest(|window| window.rows.len() - window.early);
        let mut padded = Self {
            windows: windows.len(),
            history: Part::new(windows.len(), early, early, rows),
            candidates: Part::new(windows.len(), late, early, rows),
            queries: vec![0; windows.len() * late],
            has_query: vec![0.0; windows.len() * late],
            ..Self::default()
        };
        padded.history.see_themselves();
        for (at, window) in windows.iter().enumerate() {
            padded.fill(at, window, rows);
        }
        padded
    }

    fn fill(&mut self, at: usize, window: &LaidOut, rows: &Rows) {
        let history = self.history.longest;
        for (token, sight) in window.sights.iter().enumerate() {
            let (part, token_of_part) = match token.checked_sub(window.early) {
                None => (&mut self.history, token),
                Some(late) => (&mut self.candidates, late),
            };
            let place = at * part.longest + token_of_part;
            part.rows[place] = window.rows[token] as i32;
            for added in window.added[token].iter().flatten() {
                part.added[place * rows.len + rows.of(*added)] += 1.0;
            }
            see(&mut part.mask[place * history..][..history], sight);
        }
        for (late, query) in window.queries[window.early..].iter().enumerate() {
            if let Some(query) = query {
                let place = at * self.candidates.longest + late;
                self.queries[place] = (at * history + query) as i32;
                self.has_query[place] = 1.0;
            }
        }
        let token = |place: usize, part: &Part| (at * part.longest + place) as i32;
        for next in &window.nexts {
            self.next_tokens.push(token(next.token, &self.history));
            self.next_rows.push(next.row as i32);
        }
        for ask in &window.asks {
            let place = ask.token - window.early;
            self.ask_tokens.push(token(place, &self.candidates));
            let signs = ask.actions.map(|done| if done { 1.0 } else { -1.0 });
            self.signs.extend(signs);
        }
    }
}

impl Part {
    fn new(windows: usize, longest: usize, history: usize, rows: &Rows) -> Self {
        let tokens = windows * longest;
        Self {
            longest,
            rows: vec![0; tokens],
            added: vec![0.0; tokens * rows.len],
            mask: vec![UNSEEN; tokens * history],
        }
    }

    /// Opens the mask of every token of a history to itself, also of those that only fill up: a
    /// softmax over nothing would be no number.
    fn see_themselves(&mut self) {
        let longest = self.longest;
        for (place, mask) in self.mask.chunks_exact_mut(longest.max(1)).enumerate() {
            mask[place % longest] = 0.0;
        }
    }

    /// Tokens, those that only fill up among them.
    pub fn tokens(&self) -> usize {
        self.rows.len()
    }
}

/// Opens a token's row of the mask.
fn see(mask: &mut [f32], sight: &Sight) {
    for place in sight.run.clone().chain(sight.other) {
        mask[place] = 0.0;
    }
}
