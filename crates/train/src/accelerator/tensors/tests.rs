//! The second computation is held to the first: the same losses, the same gradient of every
//! tensor, the same step, and a model that learns as much.

use super::blocks::drop_out;
use super::{Stepper, numbers};
use crate::Dataset;
use crate::accelerator::{Accelerator, Update};
use crate::options::Options;
use crate::trainer::Trainer;
use burn_autodiff::Autodiff;
use burn_flex::{Flex, FlexDevice};
use burn_tensor::Tensor;
use burn_tensor::backend::{AutodiffBackend, Backend};
use fastrand::Rng;
use models::affinity::{AffinityConfig, FieldConfig};

type Processor = Autodiff<Flex>;

const TEXT: usize = 6;
const ITEMS: usize = 30;
/// Of the length of a gradient or of a row of parameters.
const NEAR: f32 = 1e-4;

/// Histories of all lengths, with events of all kinds, over items with two fields.
fn dataset(rng: &mut Rng) -> Dataset {
    let lengths = [2, 3, 5, 9, 14, 30];
    let history = |rng: &mut Rng, length| (0..length).map(|_| rng.u32(..ITEMS as u32)).collect();
    let histories: Vec<Vec<u32>> = lengths.map(|length| history(rng, length)).into();
    let mut data = Dataset::of_sequences(&histories, ITEMS);
    for event in data.histories.iter_mut().flatten() {
        event.kind = rng.u8(..8);
        event.gap = rng.u8(..4);
        event.quantity = rng.u8(..3);
        event.query = rng.bool().then(|| rng.u32(..4));
    }
    data.text_dimensions = TEXT;
    data.texts = (0..ITEMS * TEXT).map(|_| rng.f32() - 0.5).collect();
    data.queries = (0..4 * TEXT).map(|_| rng.f32() - 0.5).collect();
    data.fields = ["category", "brand"]
        .map(|name| crate::Field {
            name: name.to_owned(),
            values: 3,
            of: (0..ITEMS).map(|_| rng.u32(..3)).collect(),
        })
        .into();
    data
}

fn config(data: &Dataset, candidate_layers: usize) -> AffinityConfig {
    let field = |field: &crate::Field| FieldConfig {
        name: field.name.clone(),
        values: field.values,
    };
    let fields = data.fields.iter().map(field).collect();
    AffinityConfig {
        width: 16,
        heads: 2,
        candidate_layers,
        max_history: 6,
        profiles: data.text_dimensions > 0,
        queries: !data.queries.is_empty(),
        ..AffinityConfig::new(data.text_dimensions, data.items, fields)
    }
}

fn length(numbers: impl Iterator<Item = f32>) -> f32 {
    numbers.map(|number| number * number).sum::<f32>().sqrt()
}

/// Fails where two rows of numbers are further apart than rounding makes them.
#[track_caller]
fn assert_near(near: f32, what: &str, found: &[f32], wanted: &[f32]) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    let off = length(found.iter().zip(wanted).map(|(a, b)| a - b));
    let bound = near * length(wanted.iter().copied());
    assert!(off <= bound, "{what}: {off} apart, more than {bound}");
}

/// One step, there and here, from the same parameters and on the same batch.
#[track_caller]
fn check_step(data: &Dataset, options: &Options, candidate_layers: usize) {
    check_step_on::<Processor>(FlexDevice, NEAR, data, options, candidate_layers);
}

#[track_caller]
fn check_step_on<B: AutodiffBackend>(
    device: B::Device,
    near: f32,
    data: &Dataset,
    options: &Options,
    candidate_layers: usize,
) {
    let config = config(data, candidate_layers);
    let mut trainer = Trainer::new(&config, data, options);
    let mut rng = Rng::with_seed(8);
    for number in &mut trainer.parameters {
        *number += 0.3 * (rng.f32() - 0.5);
    }
    // Moments and steps as if the run had gone on for a while.
    trainer.adam.steps = 7;
    trainer.adam.first.fill(0.01);
    trainer.adam.second.fill(0.02);
    let windows: Vec<usize> = (0..data.windows(config.max_history).len()).collect();
    let batch = trainer.batch(&windows, &mut Rng::with_seed(3));

    let mut stepper: Stepper<B> = Stepper::open(trainer.blueprint(&config), device).unwrap();
    stepper.load(&trainer.parameters, &trainer.adam).unwrap();
    let (losses, gradients) = stepper.differentiate(&batch, 1);
    let gradients = numbers(gradients);
    let update = Update {
        rate: trainer.rate(),
        steps: 8,
        seed: 1,
    };
    stepper.step(&batch, update).unwrap();
    let (mut parameters, mut adam) = (Vec::new(), trainer.adam.clone());
    stepper.store(&mut parameters, &mut adam).unwrap();

    let (wanted, _) = trainer.step(&windows, &mut Rng::with_seed(3)).unwrap();
    let is_near = |a: f64, b: f64| (a - b).abs() <= f64::from(near) * b.abs();
    assert!(
        is_near(losses.retrieval, wanted.retrieval),
        "{losses:?}, not {wanted:?}"
    );
    assert!(
        is_near(losses.actions, wanted.actions),
        "{losses:?}, not {wanted:?}"
    );
    let tensors = trainer.layout.tensors();
    for tensor in tensors {
        let range = || tensor.range.clone();
        let wanted = &trainer.gradients[range()];
        assert_eq!(
            length(wanted.iter().copied()) > 0.0,
            is_used(options, &tensor.name),
            "{}",
            tensor.name
        );
        let (moved, wanted_moved) = (&parameters[range()], &trainer.parameters[range()]);
        assert_near(near, &tensor.name, &gradients[range()], wanted);
        assert_near(near, &tensor.name, moved, wanted_moved);
    }
    assert_near(near, "first moments", &adam.first, &trainer.adam.first);
    assert_near(near, "second moments", &adam.second, &trainer.adam.second);
}

/// Whether a step with these settings gives a tensor a gradient.
fn is_used(options: &Options, name: &str) -> bool {
    options.asks > 0 || !["actions.weight", "actions.bias", "query.weight"].contains(&name)
}

fn options() -> Options {
    Options {
        negatives: 0,
        dropout: 0.0,
        id_dropout: 0.3,
        asks: 3,
        actions_weight: 2.0,
        decay: 0.1,
        ..Options::default()
    }
}

#[test]
fn losses_gradients_and_steps_are_those_of_the_processor() {
    let data = dataset(&mut Rng::with_seed(2));
    // Among all items, and among some that are drawn, often the next ones themselves.
    for negatives in [0, 12] {
        for candidate_layers in [1, 2] {
            let options = Options {
                negatives,
                ..options()
            };
            check_step(&data, &options, candidate_layers);
        }
    }
}

#[test]
fn next_items_are_learned_without_asks() {
    let data = dataset(&mut Rng::with_seed(4));
    let options = Options {
        asks: 0,
        ..options()
    };
    check_step(&data, &options, 1);
}

#[test]
fn items_without_texts_or_fields_are_trained_by_their_ids() {
    let histories: Vec<Vec<u32>> = (0..9)
        .map(|at| (0..5).map(|step| (at + step) % 9).collect())
        .collect();
    let data = Dataset::of_sequences(&histories, 9);
    check_step(&data, &options(), 1);
}

/// Shoppers go from each item to the next, mostly.
fn circle(rng: &mut Rng) -> Dataset {
    let mut history = || -> Vec<u32> {
        let mut item = rng.u32(..ITEMS as u32);
        (0..12)
            .map(|_| {
                let step = if rng.f32() < 0.8 {
                    1
                } else {
                    rng.u32(..ITEMS as u32)
                };
                item = (item + step) % ITEMS as u32;
                item
            })
            .collect()
    };
    let histories: Vec<Vec<u32>> = (0..120).map(|_| history()).collect();
    Dataset::of_sequences(&histories, ITEMS)
}

/// The losses of next items, epoch by epoch, here and with tensors.
fn learned(data: &Dataset, dropout: f32, seed: u64) -> [Vec<f64>; 2] {
    const EPOCHS: usize = 12;
    let options = Options {
        epochs: EPOCHS,
        batch: 16,
        rate: 2e-2,
        warm_up: 10,
        dropout,
        seed,
        id_dropout: 0.0,
        ..options()
    };
    let config = config(data, 1);
    [false, true].map(|has_device| {
        let mut trainer = Trainer::new(&config, data, &options);
        if has_device {
            let blueprint = trainer.blueprint(&config);
            let stepper: Stepper<Processor> = Stepper::open(blueprint, FlexDevice).unwrap();
            trainer.accelerator = Some(Box::new(stepper));
        }
        let start = trainer.parameters.clone();
        let losses = (0..EPOCHS).map(|epoch| trainer.epoch(epoch, &mut |_| true).unwrap());
        let losses = losses.map(|loss| loss.retrieval).collect();
        assert_ne!(trainer.parameters, start, "what was learned comes back");
        losses
    })
}

#[test]
fn a_run_learns_as_much_as_on_the_processor() {
    let data = circle(&mut Rng::with_seed(5));
    let apart = |a: f64, b: f64| (a / b - 1.0).abs();
    // Without dropout only rounding differs, which training makes more of.
    let [wanted, found] = learned(&data, 0.0, 1);
    let last = wanted.len() - 1;
    assert!(
        wanted[last] < 0.8 * wanted[0],
        "nothing learned: {wanted:?}"
    );
    for (wanted, found) in wanted.iter().zip(&found) {
        assert!(apart(*found, *wanted) < 0.03, "{found}, not {wanted}");
    }
    // With it every run is another one.
    let runs = [1, 2, 3].map(|seed| learned(&data, 0.2, seed).map(|losses| losses[last]));
    let [wanted, found] = [0, 1].map(|at| runs.iter().map(|run| run[at]).sum::<f64>());
    assert!(apart(found, wanted) < 0.12, "of here and there: {runs:?}");
}

#[test]
fn dropout_leaves_out_its_share_and_keeps_the_mean() {
    Processor::seed(&FlexDevice, 4);
    let ones = Tensor::<Processor, 2>::ones([100, 200], &FlexDevice);
    let dropped = numbers(drop_out(ones, 0.4).reshape([20_000]));
    let kept = dropped.iter().filter(|number| **number != 0.0);
    assert!(kept.clone().all(|number| (number - 1.0 / 0.6).abs() < 1e-6));
    assert!((kept.count() as f32 / 20_000.0 - 0.6).abs() < 0.02);
}

#[test]
fn a_run_is_the_same_again() {
    let data = circle(&mut Rng::with_seed(6));
    let options = Options {
        dropout: 0.3,
        ..options()
    };
    let config = config(&data, 1);
    let run = || {
        let mut trainer = Trainer::new(&config, &data, &options);
        let blueprint = trainer.blueprint(&config);
        let stepper: Stepper<Processor> = Stepper::open(blueprint, FlexDevice).unwrap();
        trainer.accelerator = Some(Box::new(stepper));
        trainer.epoch(0, &mut |_| true).unwrap();
        trainer.parameters
    };
    assert_eq!(run(), run());
}

/// Where there is no GPU, it is missed with an error; where there is one, it computes the same.
#[cfg(feature = "cuda")]
#[test]
fn a_gpu_is_missed_or_computes_the_same() {
    use burn_cuda::{Cuda, CudaDevice};
    /// Its products round to 10 bits.
    const ROUNDED: f32 = 2e-2;
    match crate::Device::Cuda.check() {
        Ok(()) => {
            let data = dataset(&mut Rng::with_seed(2));
            let device = CudaDevice::default();
            check_step_on::<Autodiff<Cuda>>(device, ROUNDED, &data, &options(), 1);
        }
        Err(error) => assert!(!matches!(error, crate::DeviceError::NotBuilt), "{error}"),
    }
}
