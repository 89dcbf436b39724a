//! Steps of training on tensors of `burn`, on any of its backends.

mod blocks;
mod inputs;
mod losses;
mod padded;
#[cfg(all(test, feature = "flex"))]
mod tests;
mod weights;

use super::{Accelerator, Blueprint, Update};
use crate::adam::{Adam, BETA_1, BETA_2, EPSILON};
use crate::batch::Batch;
use crate::device::DeviceError;
use crate::layout::Layout;
use crate::losses::Losses;
use crate::share::{Shape, Tables};
use blocks::{Seeing, Sizes, drop_out};
use burn_tensor::backend::{AutodiffBackend, Backend};
use burn_tensor::{Int, Tensor, TensorData};
use inputs::{Inputs, Tokens, places};
use padded::{Padded, Rows};
use std::panic::{AssertUnwindSafe, catch_unwind};
use weights::Weights;

/// The tables whose rows are added to tokens.
const TABLES: [&str; 5] = [
    "event.kind",
    "event.gap",
    "event.quantity",
    "event.position",
    "marks",
];

/// One row of numbers for all parameters, as everywhere else, and likewise their moments.
struct State<B: Backend> {
    parameters: Tensor<B, 1>,
    first: Tensor<B, 1>,
    second: Tensor<B, 1>,
}

/// A model in training on a device.
pub(crate) struct Stepper<B: AutodiffBackend> {
    device: B::Device,
    layout: Layout,
    tables: Tables,
    rows: Rows,
    sizes: Sizes,
    /// `[items, text]`
    texts: Option<Tensor<B, 2>>,
    text_dimensions: usize,
    /// The name of each field's table, and the value of each item.
    fields: Vec<(String, Tensor<B, 1, Int>)>,
    decay: f32,
    /// 1 for each parameter of a matrix, which decay, and 0 for the others.
    decays: Tensor<B::InnerBackend, 1>,
    state: State<B::InnerBackend>,
}

impl<B: AutodiffBackend> Stepper<B> {
    /// Brings the items to the device. Parameters come with [`Accelerator::load`].
    ///
    /// # Errors
    /// When the device gives up.
    pub fn open(blueprint: Blueprint<'_>, device: B::Device) -> Result<Self, DeviceError> {
        guarded(|| Self::new(blueprint, device))
    }

    fn new(blueprint: Blueprint<'_>, device: B::Device) -> Self {
        let Blueprint {
            config,
            options,
            data,
            layout,
            tables,
            network,
        } = blueprint;
        let of_network = layout.behind(network);
        let places_of = TABLES.map(|name| of_network.find(name).expect("a tensor of the layout"));
        let texts = layout.find("item.text.weight").map(|_| {
            let shape = [data.items, data.text_dimensions];
            Tensor::from_data(TensorData::new(data.texts.clone(), shape), &device)
        });
        let fields = data.fields.iter().map(|field| {
            let values = field.of.iter().map(|&value| value as i32).collect();
            let name = format!("item.field.{}", field.name);
            (name, places(values, &device))
        });
        let decays: Vec<f32> = layout
            .tensors()
            .iter()
            .flat_map(|tensor| {
                let decays = if tensor.shape.len() > 1 { 1.0 } else { 0.0 };
                std::iter::repeat_n(decays, tensor.range.len())
            })
            .collect();
        let nothing = vec![0.0; layout.len()];
        Self {
            layout: layout.clone(),
            tables: tables.clone(),
            rows: Rows::new(places_of, config.width),
            sizes: Sizes {
                width: config.width,
                heads: config.heads,
                layers: config.layers,
                joined: config.layers - config.candidate_layers,
                dropout: options.dropout,
            },
            texts,
            text_dimensions: data.text_dimensions,
            fields: fields.collect(),
            decay: options.decay,
            decays: row(&decays, &device),
            state: State::new(&nothing, &nothing, &nothing, &device),
            device,
        }
    }

    /// The losses of a batch, and the gradients of what is minimised in the order of the
    /// parameters.
    pub fn differentiate(
        &self,
        batch: &Batch<'_>,
        seed: u64,
    ) -> (Losses, Tensor<B::InnerBackend, 1>) {
        B::seed(&self.device, seed);
        let weights = Weights::<B>::new(&self.layout, &self.state.parameters);
        let shape = Shape {
            width: self.sizes.width,
            items: batch.rows.items.len(),
            profiles: batch.given.profiles.rows(),
        };
        let padded = Padded::new(&self.tables, &self.rows, shape, &batch.tasks);
        let inputs = Inputs::new(batch, padded, self.text_dimensions, &self.device);
        let vectors = self.item_vectors(&weights, &inputs);
        let all = self.all_vectors(&weights, &inputs, vectors.clone());
        let history = self.embed(&weights, &inputs.history, &all);
        let candidates = inputs.candidates.as_ref().map(|part| {
            // A candidate is multiplied by one more than its query, number by number.
            let queries = history.clone().select(0, inputs.query_tokens.clone());
            let by = queries * inputs.has_query.clone() + 1.0;
            self.seeing(self.embed(&weights, part, &all) * by, part)
        });
        let history = self.seeing(history, &inputs.history);
        let (history, candidates) = blocks::run(&weights, self.sizes, history, candidates);
        let retrieval = losses::retrieval(&inputs, history, vectors);
        let actions = match candidates {
            Some(output) => losses::actions(&weights, &inputs, output),
            None => Tensor::zeros([1], &self.device),
        };
        let loss =
            retrieval.clone() * batch.retrieval_weight + actions.clone() * batch.actions_weight;
        let gradients = weights.gradients(&loss.backward());
        let losses = numbers(Tensor::cat(vec![retrieval, actions], 0).inner());
        let losses = Losses {
            retrieval: f64::from(losses[0]),
            actions: f64::from(losses[1]),
        };
        (losses, gradients)
    }

    /// `v = W_text · text + id + Σ field` of each row.
    fn item_vectors(&self, weights: &Weights<'_, B>, inputs: &Inputs<B>) -> Tensor<B, 2> {
        let items = &inputs.items;
        let ids = weights.matrix("item.id").select(0, items.clone());
        let mut vectors = ids * inputs.with_id.clone();
        if let Some(texts) = &self.texts {
            let weight = weights.matrix("item.text.weight");
            let texts = texts.clone().select(0, items.clone());
            vectors = vectors + texts.matmul(weight.transpose());
        }
        for (name, values) in &self.fields {
            let values = values.clone().select(0, items.clone());
            vectors = vectors + weights.matrix(name).select(0, values);
        }
        vectors
    }

    /// The vectors of items, and behind them of the profiles and queries that are given.
    fn all_vectors(
        &self,
        weights: &Weights<'_, B>,
        inputs: &Inputs<B>,
        items: Tensor<B, 2>,
    ) -> Tensor<B, 2> {
        let mut all = vec![items];
        let given = [
            ("shopper.weight", &inputs.profiles),
            ("query.weight", &inputs.queries),
        ];
        for (name, texts) in given {
            if let Some(texts) = texts {
                all.push(texts.clone().matmul(weights.matrix(name).transpose()));
            }
        }
        Tensor::cat(all, 0)
    }

    /// The tokens of one part, given the vectors that stand in tokens.
    fn embed(
        &self,
        weights: &Weights<'_, B>,
        part: &Tokens<B>,
        vectors: &Tensor<B, 2>,
    ) -> Tensor<B, 2> {
        let tables = TABLES.map(|name| weights.matrix(name));
        let added = part.added.clone().matmul(Tensor::cat(tables.to_vec(), 0));
        vectors.clone().select(0, part.rows.clone()) + added
    }

    fn seeing(&self, tokens: Tensor<B, 2>, part: &Tokens<B>) -> Seeing<B> {
        Seeing {
            x: drop_out(tokens, self.sizes.dropout),
            mask: part.mask.clone(),
        }
    }

    /// One step of AdamW, as [`Adam::update`].
    fn update(&mut self, gradients: Tensor<B::InnerBackend, 1>, update: Update) {
        let State {
            parameters,
            first,
            second,
        } = &mut self.state;
        let Update { rate, steps, .. } = update;
        let bias_1 = 1.0 / (1.0 - BETA_1.powi(steps as i32));
        let bias_2 = 1.0 / (1.0 - BETA_2.powi(steps as i32));
        let squares = gradients.clone() * gradients.clone();
        *first = first.clone() * BETA_1 + gradients * (1.0 - BETA_1);
        *second = second.clone() * BETA_2 + squares * (1.0 - BETA_2);
        let deviation = (second.clone() * bias_2).sqrt() + EPSILON;
        let step = first.clone() * bias_1 / deviation;
        let keep = self.decays.clone() * (-rate * self.decay) + 1.0;
        *parameters = parameters.clone() * keep - step * rate;
    }
}

impl<B: AutodiffBackend> Accelerator for Stepper<B>
where
    Self: Send + Sync,
{
    fn load(&mut self, parameters: &[f32], adam: &Adam) -> Result<(), DeviceError> {
        guarded(|| {
            self.state = State::new(parameters, &adam.first, &adam.second, &self.device);
        })
    }

    fn step(&mut self, batch: &Batch<'_>, update: Update) -> Result<Losses, DeviceError> {
        guarded(|| {
            let (losses, gradients) = self.differentiate(batch, update.seed);
            self.update(gradients, update);
            losses
        })
    }

    fn store(&mut self, parameters: &mut Vec<f32>, adam: &mut Adam) -> Result<(), DeviceError> {
        guarded(|| {
            *parameters = numbers(self.state.parameters.clone());
            adam.first = numbers(self.state.first.clone());
            adam.second = numbers(self.state.second.clone());
        })
    }
}

impl<B: Backend> State<B> {
    fn new(parameters: &[f32], first: &[f32], second: &[f32], device: &B::Device) -> Self {
        Self {
            parameters: row(parameters, device),
            first: row(first, device),
            second: row(second, device),
        }
    }
}

fn row<B: Backend>(numbers: &[f32], device: &B::Device) -> Tensor<B, 1> {
    let data = TensorData::new(numbers.to_vec(), [numbers.len()]);
    Tensor::from_data(data, device)
}

/// Brings numbers back from the device.
fn numbers<B: Backend>(tensor: Tensor<B, 1>) -> Vec<f32> {
    let data = tensor.into_data().convert::<f32>();
    data.into_vec().expect("numbers of 32 bits")
}

/// The backends panic where a device gives up: out of memory, a lost GPU, a kernel that does
/// not compile.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, DeviceError> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        DeviceError::Failed(text.unwrap_or("it did not say why").to_owned())
    })
}
