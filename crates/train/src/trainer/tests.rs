//! Gradients of a whole step against differences of its loss.

use super::*;
use models::affinity::FieldConfig;

const TEXT: usize = 6;
/// Far enough that floats tell the losses apart, so near that few kinks of the relu are passed.
const STEP: f32 = 2e-3;

fn dataset(rng: &mut Rng) -> Dataset {
    let history = |rng: &mut Rng, length| (0..length).map(|_| rng.u32(..9)).collect();
    let histories: Vec<Vec<u32>> = [2, 5, 9, 14].map(|length| history(rng, length)).into();
    let mut data = Dataset::of_sequences(&histories, 9);
    for event in data.histories.iter_mut().flatten() {
        event.kind = rng.u8(..5);
        event.gap = rng.u8(..4);
        event.quantity = rng.u8(..3);
        event.query = rng.bool().then(|| rng.u32(..4));
    }
    data.text_dimensions = TEXT;
    data.texts = (0..9 * TEXT).map(|_| rng.f32() - 0.5).collect();
    data.queries = (0..4 * TEXT).map(|_| rng.f32() - 0.5).collect();
    data.fields = vec![crate::Field {
        name: "kind".to_owned(),
        values: 3,
        of: (0..9).map(|_| rng.u32(..3)).collect(),
    }];
    data
}

#[test]
fn gradients_of_every_tensor_are_those_of_the_loss() {
    let mut rng = Rng::with_seed(2);
    let data = dataset(&mut rng);
    let field = FieldConfig {
        name: "kind".to_owned(),
        values: 3,
    };
    let config = AffinityConfig {
        width: 8,
        heads: 2,
        layers: 2,
        max_history: 4,
        profiles: true,
        queries: true,
        ..AffinityConfig::new(TEXT, 9, vec![field])
    };
    // Among all items and among some that are drawn.
    for negatives in [0, 5] {
        let options = Options {
            negatives,
            dropout: 0.0,
            asks: 3,
            actions_weight: 2.0,
            ..Options::default()
        };
        let mut trainer = Trainer::new(&config, &data, &options);
        let all: Vec<usize> = (0..trainer.windows.len()).collect();
        for number in &mut trainer.parameters {
            *number += 0.3 * (rng.f32() - 0.5);
        }
        let start = trainer.parameters.clone();
        let loss = |trainer: &mut Trainer<'_>, parameters: Vec<f32>| {
            trainer.parameters = parameters;
            let (losses, (nexts, asks)) = trainer.step(&all, &mut Rng::with_seed(3)).unwrap();
            losses.retrieval / nexts as f64 + 2.0 * losses.actions / (3 * asks) as f64
        };
        loss(&mut trainer, start.clone());
        let gradients = trainer.gradients.clone();
        let tensors = trainer.layout.tensors().to_vec();
        for tensor in &tensors {
            let gradient = &gradients[tensor.range.clone()];
            let length = gradient.iter().map(|x| x * x).sum::<f32>().sqrt();
            assert!(length > 0.0, "{} has no gradient", tensor.name);
            let mut at = |step: f32| {
                let mut moved = start.clone();
                for (number, slope) in moved[tensor.range.clone()].iter_mut().zip(gradient) {
                    *number += step * slope / length;
                }
                loss(&mut trainer, moved)
            };
            let slope = (at(STEP) - at(-STEP)) / f64::from(2.0 * STEP);
            let off = (slope - f64::from(length)).abs() / f64::from(length);
            assert!(off < 0.03, "{}: {slope}, not {length}", tensor.name);
        }
    }
}
