//! One share of a batch: from its windows to the losses and the gradients.

use crate::data::{Dataset, Event, Window};
use crate::layout::Pair;
use crate::losses::{self, Losses, Targets};
use crate::network::{Back, Dropout, Mask, Network, Sight, Tokens, Trace};
use crate::sums::add;
use fastrand::Rng;
use std::ops::Range;

/// Where the parameters that stand in tokens lie.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    pub kind: Range<usize>,
    pub gap: Range<usize>,
    pub quantity: Range<usize>,
    pub position: Range<usize>,
    /// What marks a query, a profile and a candidate, one row each.
    pub query: Range<usize>,
    pub profile: Range<usize>,
    pub candidate: Range<usize>,
    pub actions: Pair,
}

/// A question put to the actions' head: would the shopper, after some events, do something
/// with an item?
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask {
    /// Events of the window that were before.
    pub before: usize,
    /// Row of the item's vector.
    pub row: u32,
    /// What the shopper did: view, cart, purchase.
    pub actions: [bool; 3],
    /// Place among the task's queries of what was asked for.
    pub query: Option<usize>,
}

/// What a shopper asked for after some events.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Query {
    /// Events of the window that were before.
    pub before: usize,
    /// Row of its token among those of queries.
    pub row: u32,
}

/// One window of a batch, its items as rows of the batch's item vectors.
#[derive(Clone, Debug)]
pub(crate) struct Task<'a> {
    /// Row of the profile that the shopper has from before the window.
    pub profile: Option<u32>,
    pub events: &'a [Event],
    /// `[events]`
    pub rows: Vec<u32>,
    pub queries: Vec<Query>,
    pub asks: Vec<Ask>,
}

/// One pass over a batch: what all its shares have in common.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'a> {
    pub network: &'a Network,
    pub tables: &'a Tables,
    pub width: usize,
    /// Those of the network, without those of items.
    pub parameters: &'a [f32],
    /// Item vectors of this batch, `[rows, width]`.
    pub vectors: &'a [f32],
    /// Tokens of profiles, and behind them of queries, without their marks, `[rows, width]`.
    pub given: &'a [f32],
    /// How many of them are profiles.
    pub profiles: usize,
    pub targets: Targets<'a>,
    pub dropout: f32,
    /// One over the number of next items, and over the number of asks, in the whole batch.
    pub retrieval_weight: f32,
    pub actions_weight: f32,
}

/// The memory of a share, and what it found.
#[derive(Debug, Default)]
pub(crate) struct Share {
    trace: Trace,
    back: Back,
    laid_out: LaidOut,
    tokens: Vec<f32>,
    token_mask: Mask,
    d_output: Vec<f32>,
    d_tokens: Vec<f32>,
    losses_scratch: losses::Scratch,
    /// Gradients of the network's parameters.
    pub gradients: Vec<f32>,
    /// Gradients of the vectors of items, `[rows, width]`, and behind them of what is given.
    pub d_vectors: Vec<f32>,
    pub losses: Losses,
}

impl Pass<'_> {
    /// The vector of a row: those of profiles stand behind those of items, queries at the end.
    fn vector(&self, row: u32) -> &[f32] {
        let place = row as usize * self.width;
        match place.checked_sub(self.vectors.len()) {
            None => &self.vectors[place..][..self.width],
            Some(place) => &self.given[place..][..self.width],
        }
    }

    fn shape(&self) -> Shape {
        Shape {
            width: self.width,
            items: self.vectors.len() / self.width,
            profiles: self.profiles,
        }
    }
}

/// How the vectors lie that tokens are laid out for: those of items, of profiles, of queries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub width: usize,
    pub items: usize,
    pub profiles: usize,
}

impl Shape {
    /// The row of a profile among all vectors.
    fn profile_row(&self, profile: u32) -> u32 {
        self.items as u32 + profile
    }

    /// The row of a query among all vectors.
    fn query_row(&self, query: u32) -> u32 {
        self.profile_row(self.profiles as u32 + query)
    }
}

/// Windows as tokens, all candidates behind all histories.
#[derive(Debug, Default)]
pub(crate) struct LaidOut {
    pub sights: Vec<Sight>,
    /// Tokens before the candidates.
    pub early: usize,
    /// Row of the vector of each token: of an item, a profile or a query.
    pub rows: Vec<u32>,
    /// The places of the parameters that are added to the vector.
    pub added: Vec<[Option<u32>; 4]>,
    /// The token of the query by which each candidate is widened or narrowed.
    pub queries: Vec<Option<usize>>,
    /// Which token has which item next.
    pub nexts: Vec<Next>,
    /// Which token is which ask.
    pub asks: Vec<Asked>,
}

impl Share {
    /// Runs the windows there and back.
    pub fn run(&mut self, pass: &Pass<'_>, tasks: &[Task<'_>], rng: &mut Rng) {
        self.gradients.clear();
        self.gradients.resize(pass.parameters.len(), 0.0);
        self.d_vectors.clear();
        self.d_vectors
            .resize(pass.vectors.len() + pass.given.len(), 0.0);
        self.losses = Losses::default();
        self.laid_out.lay_out(pass.tables, pass.shape(), tasks);
        self.embed(pass);
        self.token_mask.draw(self.tokens.len(), pass.dropout, rng);
        self.token_mask.apply(&mut self.tokens);
        let dropout = Dropout {
            rate: pass.dropout,
            rng,
        };
        pass.network.forward(
            pass.parameters,
            &mut self.tokens,
            self.laid_out.tokens(),
            Some(dropout),
            &mut self.trace,
        );

        self.d_output.clear();
        self.d_output.resize(self.tokens.len(), 0.0);
        self.losses.retrieval = losses::retrieval(
            pass,
            &self.laid_out.nexts,
            &self.trace.output,
            &mut self.losses_scratch,
            &mut self.d_output,
            &mut self.d_vectors,
        );
        self.losses.actions = losses::actions(
            pass,
            &self.laid_out.asks,
            &self.trace.output,
            &mut self.gradients,
            &mut self.d_output,
        );

        pass.network.backward(
            pass.parameters,
            &self.d_output,
            self.laid_out.tokens(),
            &self.trace,
            &mut self.back,
            &mut self.gradients,
            &mut self.d_tokens,
        );
        self.token_mask.apply(&mut self.d_tokens);
        self.unembed(pass);
    }

    /// Runs the windows there, without dropout.
    pub fn look(
        &mut self,
        pass: &Pass<'_>,
        tasks: &[Task<'_>],
        trace: &mut Trace,
    ) -> (&[Next], &[Asked]) {
        self.laid_out.lay_out(pass.tables, pass.shape(), tasks);
        self.embed(pass);
        let tokens = self.laid_out.tokens();
        pass.network
            .forward(pass.parameters, &mut self.tokens, tokens, None, trace);
        (&self.laid_out.nexts, &self.laid_out.asks)
    }

    /// Adds up the tokens. A candidate that is asked about with a query is multiplied by one
    /// more than the query's, number by number.
    fn embed(&mut self, pass: &Pass<'_>) {
        self.tokens.clear();
        for at in 0..self.laid_out.rows.len() {
            self.append_sum(pass, at);
            if let Some(query) = self.laid_out.queries[at] {
                let (queries, token) = self.tokens.split_at_mut(at * pass.width);
                let query = &queries[query * pass.width..][..pass.width];
                widen(token, query);
            }
        }
    }

    /// Adds up the vector of a token and its circumstances, behind what is in `tokens`.
    fn append_sum(&mut self, pass: &Pass<'_>, at: usize) {
        let start = self.tokens.len();
        self.tokens
            .extend_from_slice(pass.vector(self.laid_out.rows[at]));
        for place in self.laid_out.added[at].iter().flatten() {
            let parameters = &pass.parameters[*place as usize..][..pass.width];
            add(&mut self.tokens[start..], parameters);
        }
    }

    /// From the gradients of the tokens to those of what was added up.
    fn unembed(&mut self, pass: &Pass<'_>) {
        let width = pass.width;
        for at in self.laid_out.early..self.laid_out.rows.len() {
            let Some(query) = self.laid_out.queries[at] else {
                continue;
            };
            // The blocks have made others of the tokens.
            self.tokens.clear();
            self.append_sum(pass, query);
            self.append_sum(pass, at);
            let (asked, token) = self.tokens.split_at(width);
            let (before, from_here) = self.d_tokens.split_at_mut(at * width);
            let d_token = &mut from_here[..width];
            add_product(&mut before[query * width..][..width], d_token, token);
            widen(d_token, asked);
        }
        let tokens = self.d_tokens.chunks_exact(width).zip(&self.laid_out.rows);
        for ((d_token, &row), added) in tokens.zip(&self.laid_out.added) {
            add(
                &mut self.d_vectors[row as usize * width..][..width],
                d_token,
            );
            for place in added.iter().flatten() {
                add(&mut self.gradients[*place as usize..][..width], d_token);
            }
        }
    }
}

impl LaidOut {
    /// What the network needs to know of the tokens.
    fn tokens(&self) -> Tokens<'_> {
        Tokens {
            sights: &self.sights,
            early: self.early,
        }
    }

    /// Lays windows out as tokens.
    pub fn lay_out(&mut self, tables: &Tables, shape: Shape, tasks: &[Task<'_>]) {
        self.sights.clear();
        self.rows.clear();
        self.added.clear();
        self.queries.clear();
        self.nexts.clear();
        self.asks.clear();
        let places: Vec<Places> = tasks
            .iter()
            .map(|task| self.lay_out_history(tables, shape, task))
            .collect();
        self.early = self.sights.len();
        self.queries.resize(self.early, None);
        for (task, places) in tasks.iter().zip(places) {
            for ask in &task.asks {
                self.asks.push(Asked {
                    token: self.sights.len(),
                    actions: ask.actions,
                });
                let query = ask.query.map(|query| places.queries + query);
                let sight = Sight {
                    run: places.before(ask.before),
                    other: query,
                };
                let mark = tables.candidate.start as u32;
                self.push(sight, ask.row, [Some(mark), None, None, None]);
                self.queries.push(query);
            }
        }
    }

    /// Lays out a profile, events and queries, which no event sees; answers where they are.
    fn lay_out_history(&mut self, tables: &Tables, shape: Shape, task: &Task<'_>) -> Places {
        let place =
            |table: &Range<usize>, row: usize| Some((table.start + row * shape.width) as u32);
        let start = self.sights.len();
        if let Some(profile) = task.profile {
            let mark = place(&tables.profile, 0);
            let row = shape.profile_row(profile);
            self.push(Sight::of(start..start), row, [mark, None, None, None]);
        }
        let first = self.sights.len();
        let context = task.events.len() - 1;
        for (at, event) in task.events[..context].iter().enumerate() {
            let token = first + at;
            let added = [
                place(&tables.kind, event.kind.into()),
                place(&tables.gap, event.gap.into()),
                place(&tables.quantity, event.quantity.into()),
                place(&tables.position, context - 1 - at),
            ];
            self.push(Sight::of(start..token), task.rows[at], added);
            self.nexts.push(Next {
                token,
                row: task.rows[at + 1],
            });
        }
        let places = Places {
            start,
            first,
            queries: self.sights.len(),
        };
        for query in &task.queries {
            let mark = place(&tables.query, 0);
            let sight = Sight::of(places.before(query.before));
            self.push(sight, shape.query_row(query.row), [mark, None, None, None]);
        }
        places
    }

    fn push(&mut self, sight: Sight, row: u32, added: [Option<u32>; 4]) {
        self.sights.push(sight);
        self.rows.push(row);
        self.added.push(added);
    }
}

/// Multiplies a token by one more than that of a query, number by number.
fn widen(token: &mut [f32], query: &[f32]) {
    for (number, by) in token.iter_mut().zip(query) {
        *number *= 1.0 + by;
    }
}

/// Adds `a · b`, number by number.
fn add_product(to: &mut [f32], a: &[f32], b: &[f32]) {
    for (to, (a, b)) in to.iter_mut().zip(a.iter().zip(b)) {
        *to += a * b;
    }
}

/// Where the tokens of a history lie: its first, its first event, its first query.
struct Places {
    start: usize,
    first: usize,
    queries: usize,
}

impl Places {
    /// The profile and so many events.
    fn before(&self, events: usize) -> Range<usize> {
        self.start..self.first + events
    }
}

/// A token and the item that came next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Next {
    pub token: usize,
    pub row: u32,
}

/// A token that is an ask.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub token: usize,
    pub actions: [bool; 3],
}

impl Window {
    /// The events of the window.
    pub fn of<'a>(&self, data: &'a Dataset) -> &'a [Event] {
        &data.histories[self.history][self.events.clone()]
    }

    /// The events of the history before the window.
    pub fn before<'a>(&self, data: &'a Dataset) -> &'a [Event] {
        &data.histories[self.history][..self.events.start]
    }
}
