//! One run of training, batch by batch.

use crate::accelerator::{self, Accelerator, Blueprint, Update};
use crate::adam::{Adam, Schedule};
use crate::batch::{Batch, Plan};
use crate::data::{Dataset, Event, Window};
use crate::device::{Device, DeviceError};
use crate::draw::Sampler;
use crate::error::TrainError;
use crate::items::{ItemTables, Rows};
use crate::layout::Layout;
use crate::likeness::Likes;
use crate::losses::{Losses, Targets};
use crate::network::Network;
use crate::options::Options;
use crate::profile::profile;
use crate::share::{Ask, Pass, Query, Share, Tables, Task};
use crate::sums::sum_into;
use crate::text_tokens::Given;
use fastrand::Rng;
use models::affinity::{AffinityConfig, AffinityWeights, tensors};
use rayon::prelude::*;
use std::ops::Range;

/// Shares of a batch. Their number is fixed, so that sums are taken in one order on any
/// number of threads.
const SHARES: usize = 4;

/// Share of the asks that are put without the query that led to the event, so that the model
/// knows both: what a shopper does, and what a shopper does who asked for something.
const QUERY_DROPOUT: f32 = 0.5;

/// A model in training.
pub(crate) struct Trainer<'a> {
    pub data: &'a Dataset,
    options: &'a Options,
    pub layout: Layout,
    pub width: usize,
    pub max_history: usize,
    windows: Vec<Window>,
    sampler: Sampler,
    network: Network,
    tables: Tables,
    has_profiles: bool,
    has_queries: bool,
    /// Where `shopper.weight` and `query.weight` lie among the parameters of the network;
    /// nowhere without texts.
    shopper: Range<usize>,
    query: Range<usize>,
    pub items: ItemTables,
    /// What texts add to the logits of next items, once the model is trained.
    pub likes: Option<Likes>,
    /// Where the parameters with a decay lie: matrices.
    decayed: Vec<(Range<usize>, bool)>,
    pub parameters: Vec<f32>,
    pub adam: Adam,
    schedule: Schedule,
    shares: Vec<Share>,
    vectors: Vec<f32>,
    /// Of the last step.
    pub gradients: Vec<f32>,
    /// What computes the steps in place of the processor.
    pub accelerator: Option<Box<dyn Accelerator>>,
}

/// Means over an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct EpochLoss {
    pub retrieval: f64,
    pub actions: f64,
}

impl<'a> Trainer<'a> {
    pub fn new(config: &AffinityConfig, data: &'a Dataset, options: &'a Options) -> Self {
        let layout = Layout::new(
            tensors(config)
                .into_iter()
                .map(|tensor| (tensor.name, tensor.shape)),
        );
        let items = ItemTables::new(&layout, data, config.width);
        // Shares have gradients of their own for all that is not of items.
        let network_layout = layout.behind(items.len());
        let windows = data.windows(config.max_history);
        let batches = windows.len().div_ceil(options.batch).max(1);
        let parameters = initial(&layout, &mut Rng::with_seed(options.seed));
        Self {
            data,
            options,
            width: config.width,
            max_history: config.max_history,
            windows,
            sampler: Sampler::new(&data.counts()),
            network: Network::new(&network_layout, config),
            tables: tables(&network_layout, config.width),
            has_profiles: config.profiles,
            has_queries: config.queries,
            shopper: network_layout.find("shopper.weight").unwrap_or_default(),
            query: network_layout.find("query.weight").unwrap_or_default(),
            items,
            likes: None,
            decayed: layout
                .tensors()
                .iter()
                .map(|tensor| (tensor.range.clone(), tensor.shape.len() > 1))
                .collect(),
            adam: Adam::new(parameters.len()),
            layout,
            gradients: vec![0.0; parameters.len()],
            parameters,
            schedule: Schedule {
                peak: options.rate,
                warm_up: options.warm_up,
                steps: (batches * options.epochs) as u32,
            },
            shares: (0..SHARES).map(|_| Share::default()).collect(),
            vectors: Vec::new(),
            accelerator: None,
        }
    }

    /// Lets a device compute the steps.
    pub fn on(mut self, device: Device, config: &AffinityConfig) -> Result<Self, DeviceError> {
        self.accelerator = accelerator::open(device, self.blueprint(config))?;
        Ok(self)
    }

    /// What a device needs to know of the model.
    pub fn blueprint<'s>(&'s self, config: &'s AffinityConfig) -> Blueprint<'s> {
        Blueprint {
            config,
            options: self.options,
            data: self.data,
            layout: &self.layout,
            tables: &self.tables,
            network: self.items.len(),
        }
    }

    /// A model as it was trained, over the texts as the encoder made them.
    pub fn of(weights: &AffinityWeights, data: &'a Dataset, options: &'a Options) -> Self {
        let config = weights.config();
        let tensors = ["likeness.weight", "likeness.bias"].map(|name| weights.tensor(name));
        let mut trainer = Self::new(config, data, options);
        trainer.parameters = weights.numbers().to_vec();
        trainer.likes = Likes::new(config, tensors.into(), data);
        trainer
    }

    pub fn batches(&self) -> usize {
        self.windows.len().div_ceil(self.options.batch)
    }

    /// Runs over all windows once, in an order that depends on the seed and the epoch alone.
    /// `done` is told of every batch and answers whether to go on.
    ///
    /// # Errors
    /// When it is not gone on, or the device gives up.
    pub fn epoch(
        &mut self,
        epoch: usize,
        done: &mut dyn FnMut(usize) -> bool,
    ) -> Result<EpochLoss, TrainError> {
        if let Some(accelerator) = &mut self.accelerator {
            accelerator.load(&self.parameters, &self.adam)?;
        }
        // An epoch that was ended is thrown away: a run goes on from the whole one before.
        let loss = self.batches_of(epoch, done)?;
        if let Some(accelerator) = &mut self.accelerator {
            accelerator.store(&mut self.parameters, &mut self.adam)?;
        }
        Ok(loss)
    }

    fn batches_of(
        &mut self,
        epoch: usize,
        done: &mut dyn FnMut(usize) -> bool,
    ) -> Result<EpochLoss, TrainError> {
        let mut rng = self.rng(epoch, usize::MAX);
        let mut order: Vec<usize> = (0..self.windows.len()).collect();
        rng.shuffle(&mut order);
        let (mut sum, mut nexts, mut asks) = (Losses::default(), 0, 0);
        for (at, windows) in order.chunks(self.options.batch).enumerate() {
            let mut rng = self.rng(epoch, at);
            let (losses, counts) = self.step(windows, &mut rng)?;
            sum.retrieval += losses.retrieval;
            sum.actions += losses.actions;
            nexts += counts.0;
            asks += counts.1;
            if !done(at) {
                return Err(TrainError::Interrupted { epochs: epoch });
            }
        }
        let mean = |sum: f64, count: usize| if count == 0 { 0.0 } else { sum / count as f64 };
        Ok(EpochLoss {
            retrieval: mean(sum.retrieval, nexts),
            actions: mean(sum.actions, 3 * asks),
        })
    }

    /// Random numbers of one batch.
    fn rng(&self, epoch: usize, batch: usize) -> Rng {
        let mix = |a: u64, b: u64| (a ^ b).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
        Rng::with_seed(mix(mix(self.options.seed, epoch as u64 + 1), batch as u64))
    }

    /// One step; answers the losses and how many next items and answers they are of.
    pub fn step(
        &mut self,
        windows: &[usize],
        rng: &mut Rng,
    ) -> Result<(Losses, (usize, usize)), DeviceError> {
        let batch = self.batch(windows, rng);
        let rate = self.rate();
        self.adam.begin();
        let losses = match &mut self.accelerator {
            Some(accelerator) => {
                let update = Update {
                    rate,
                    steps: self.adam.steps,
                    seed: rng.u64(..),
                };
                accelerator.step(&batch, update)?
            }
            None => {
                let losses = self.differentiate(&batch, rng);
                self.update(rate);
                losses
            }
        };
        Ok((losses, (batch.nexts, batch.asks)))
    }

    /// The learning rate of the next step.
    pub fn rate(&self) -> f32 {
        self.schedule.rate(self.adam.steps)
    }

    /// Everything that is drawn for a step but dropout.
    pub fn batch(&self, windows: &[usize], rng: &mut Rng) -> Batch<'a> {
        let windows: Vec<&Window> = windows.iter().map(|&at| &self.windows[at]).collect();
        let drawn = self.draw(rng);
        let mut plan = Plan::new(drawn.clone(), self.is_full());
        let mut given = self.nothing_given();
        let tasks: Vec<Task<'_>> = windows
            .iter()
            .map(|window| self.task(window, &mut plan, &mut given, rng))
            .collect();
        let log_expected = drawn
            .iter()
            .map(|&item| self.sampler.log_expected(item, drawn.len()));
        let (nexts, asks) = (
            windows.iter().map(|window| window.len()).sum(),
            tasks.iter().map(|task| task.asks.len()).sum(),
        );
        Batch {
            rows: Rows::new(plan.rows, self.options.id_dropout, rng),
            log_expected: (!self.is_full()).then(|| log_expected.collect()),
            given,
            nexts,
            asks,
            retrieval_weight: 1.0 / nexts.max(1) as f32,
            actions_weight: self.options.actions_weight / (3 * asks).max(1) as f32,
            tasks,
        }
    }

    /// The losses of a batch; their gradients are left in `self.gradients`.
    fn differentiate(&mut self, batch: &Batch<'_>, rng: &mut Rng) -> Losses {
        self.items
            .forward(&self.parameters, self.data, &batch.rows, &mut self.vectors);
        let given_tokens = self.given_tokens(&batch.given);
        let pass = Pass {
            network: &self.network,
            tables: &self.tables,
            width: self.width,
            parameters: &self.parameters[self.items.len()..],
            vectors: &self.vectors,
            given: &given_tokens,
            profiles: batch.given.profiles.rows(),
            targets: batch.targets(),
            dropout: self.options.dropout,
            retrieval_weight: batch.retrieval_weight,
            actions_weight: batch.actions_weight,
        };
        let size = batch.tasks.len().div_ceil(SHARES).max(1);
        let mut rngs: Vec<Rng> = self.shares.iter().map(|_| rng.fork()).collect();
        let used = batch.tasks.len().div_ceil(size);
        let work = self
            .shares
            .par_iter_mut()
            .zip(batch.tasks.par_chunks(size))
            .zip(&mut rngs);
        work.for_each(|((share, tasks), rng)| share.run(&pass, tasks, rng));
        self.gather(used, &batch.rows, &batch.given)
    }

    /// No profiles and queries yet.
    pub fn nothing_given(&self) -> Given {
        Given::new(self.data.text_dimensions)
    }

    /// Adds the profile of events before a window to what is given, where the model has
    /// profiles; answers its row.
    pub fn profile(&self, older: &[Event], given: &mut Given) -> Option<u32> {
        let profile = self.has_profiles.then(|| profile(self.data, older));
        Some(given.profiles.add(&profile.flatten()?))
    }

    /// Adds the query that led to an event to what is given; answers its row.
    pub fn query(&self, event: &Event, given: &mut Given) -> Option<u32> {
        Some(given.queries.add(self.data.query(event.query?)?))
    }

    /// `W_shopper · u` of each profile, then `W_query · text` of each query, `[rows, width]`.
    pub fn given_tokens(&self, given: &Given) -> Vec<f32> {
        let parameters = &self.parameters[self.items.len()..];
        let mut tokens = Vec::new();
        let (profiles, queries) = (&given.profiles, &given.queries);
        profiles.append_tokens(&parameters[self.shopper.clone()], self.width, &mut tokens);
        queries.append_tokens(&parameters[self.query.clone()], self.width, &mut tokens);
        tokens
    }

    /// What a pass without losses needs; of the given tokens so many are profiles.
    pub fn pass<'c>(&'c self, vectors: &'c [f32], given: &'c [f32], profiles: usize) -> Pass<'c> {
        Pass {
            network: &self.network,
            tables: &self.tables,
            width: self.width,
            parameters: &self.parameters[self.items.len()..],
            vectors,
            given,
            profiles,
            targets: Targets::All,
            dropout: 0.0,
            retrieval_weight: 0.0,
            actions_weight: 0.0,
        }
    }

    /// Sums the shares' gradients into `self.gradients`.
    fn gather(&mut self, used: usize, rows: &Rows, given: &Given) -> Losses {
        let (first, others) = self.shares[..used].split_at_mut(1);
        let first = &mut first[0];
        sum_into(
            &mut first.d_vectors,
            others
                .iter()
                .map(|share| share.d_vectors.as_slice())
                .collect(),
        );
        let (of_items, of_network) = self.gradients.split_at_mut(self.items.len());
        of_items.fill(0.0);
        let (d_items, d_given) = first.d_vectors.split_at(rows.items.len() * self.width);
        let (d_profiles, d_queries) = d_given.split_at(given.profiles.rows() * self.width);
        self.items.backward(self.data, rows, d_items, of_items);
        of_network.copy_from_slice(&first.gradients);
        let (shopper, query) = (self.shopper.clone(), self.query.clone());
        given
            .profiles
            .backward(d_profiles, &mut of_network[shopper]);
        given.queries.backward(d_queries, &mut of_network[query]);
        sum_into(
            of_network,
            others
                .iter()
                .map(|share| share.gradients.as_slice())
                .collect(),
        );
        let mut losses = Losses::default();
        for share in &self.shares[..used] {
            losses.retrieval += share.losses.retrieval;
            losses.actions += share.losses.actions;
        }
        losses
    }

    fn update(&mut self, rate: f32) {
        for (range, decays) in &self.decayed {
            let decay = if *decays { self.options.decay } else { 0.0 };
            self.adam.update(
                range.clone(),
                &mut self.parameters,
                &self.gradients[range.clone()],
                rate,
                decay,
            );
        }
    }

    /// Whether every item is told apart from all others.
    fn is_full(&self) -> bool {
        self.options.negatives == 0 || self.options.negatives >= self.data.items
    }

    /// The items at the start of the batch's rows: all, or some that are drawn.
    fn draw(&self, rng: &mut Rng) -> Vec<u32> {
        if self.is_full() {
            return (0..self.data.items as u32).collect();
        }
        (0..self.options.negatives)
            .map(|_| self.sampler.draw(rng))
            .collect()
    }

    fn task(&self, window: &Window, plan: &mut Plan, given: &mut Given, rng: &mut Rng) -> Task<'a> {
        let events = window.of(self.data);
        let rows: Vec<u32> = events.iter().map(|event| plan.row(event.item)).collect();
        let (mut queries, mut asks) = (Vec::new(), Vec::new());
        for _ in 0..self.options.asks.min(window.len()) {
            let before = rng.usize(1..events.len());
            let item = rng.u32(..self.data.items as u32);
            let event = events[before];
            let is_told = self.has_queries && event.query.is_some() && rng.f32() >= QUERY_DROPOUT;
            let row = is_told.then(|| self.query(&event, given)).flatten();
            let query = row.map(|row| {
                queries.push(Query { before, row });
                queries.len() - 1
            });
            let ask = |row, actions| Ask {
                before,
                row,
                actions,
                query,
            };
            asks.push(ask(rows[before], event.actions()));
            asks.push(ask(plan.row(item), [false; 3]));
        }
        Task {
            profile: self.profile(window.before(self.data), given),
            events,
            rows,
            queries,
            asks,
        }
    }
}

fn tables(layout: &Layout, width: usize) -> Tables {
    let table = |name: &str| layout.find(name).expect("a tensor of the layout");
    let marks = table("marks");
    Tables {
        kind: table("event.kind"),
        gap: table("event.gap"),
        quantity: table("event.quantity"),
        position: table("event.position"),
        query: marks.start..marks.start + width,
        profile: marks.start + width..marks.start + 2 * width,
        candidate: marks.start + 2 * width..marks.end,
        actions: layout.pair("actions"),
    }
}

/// Weights before training: norms leave their input as it is, biases are nothing, tables and
/// matrices are drawn from a bell of deviation .02 and 1 / √inputs.
fn initial(layout: &Layout, rng: &mut Rng) -> Vec<f32> {
    let mut numbers = vec![0.0; layout.len()];
    for tensor in layout.tensors() {
        let numbers = &mut numbers[tensor.range.clone()];
        let is_table = tensor.name.starts_with("event.")
            || tensor.name.starts_with("item.id")
            || tensor.name.starts_with("item.field")
            || tensor.name == "marks";
        match tensor.shape[..] {
            [_] if tensor.name.ends_with(".weight") => numbers.fill(1.0),
            [_, inputs] => {
                let deviation = if is_table {
                    0.02
                } else {
                    1.0 / (3.0 * inputs as f32).sqrt()
                };
                for number in numbers {
                    *number = deviation * bell(rng);
                }
            }
            _ => {}
        }
    }
    numbers
}

/// Box and Muller 1958.
fn bell(rng: &mut Rng) -> f32 {
    let radius = (-2.0 * (1.0 - rng.f64()).ln()).sqrt();
    (radius * (std::f64::consts::TAU * rng.f64()).cos()) as f32
}

#[cfg(test)]
mod tests;
