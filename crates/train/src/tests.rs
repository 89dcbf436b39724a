//! What a server computes is what was measured.

use crate::data::{Dataset, Event};
use crate::{Options, Run, Trained, Unobserved};
use fastrand::Rng;
use kernels::{Cpu, dot};
use models::affinity::{Affinity, AffinityRoom, DISLIKE, EventInput, Format, ItemInput};
use std::sync::Mutex;

const ITEMS: usize = 60;
const SIZE: usize = 16;

/// Items of twelve kinds whose texts differ by kind; some have no text.
fn texts() -> Vec<f32> {
    let number = |at: usize| {
        let (item, at) = (at / SIZE, at % SIZE);
        let own = f32::from(u8::from(at == item / 5));
        if item % 10 == 9 { 0.0 } else { 0.3 + own }
    };
    (0..ITEMS * SIZE).map(number).collect()
}

fn shop(histories: &[Vec<u32>]) -> Dataset {
    Dataset {
        texts: texts(),
        text_dimensions: SIZE,
        ..Dataset::of_sequences(histories, ITEMS)
    }
}

fn trained(data: &Dataset, options: &Options) -> Trained {
    let run = Run {
        data,
        options,
        validation: None,
        checkpoint: None,
    };
    run.train(&mut Unobserved).expect("enough to train on")
}

/// The mean of the texts of what was not disliked.
fn profile(data: &Dataset, older: &[Event]) -> Option<Vec<f32>> {
    let text = |event: &Event| data.texts[event.item as usize * SIZE..][..SIZE].to_vec();
    let texts: Vec<Vec<f32>> = older
        .iter()
        .filter(|event| event.kind != DISLIKE)
        .map(text)
        .filter(|text| text.iter().any(|number| *number != 0.0))
        .collect();
    let mean = |at| texts.iter().map(|text| text[at]).sum::<f32>() / texts.len() as f32;
    (!texts.is_empty()).then(|| (0..SIZE).map(mean).collect())
}

#[test]
fn served_scores_are_those_of_training() {
    let mut rng = Rng::with_seed(5);
    // Shoppers stay with a kind; some did more than the model sees at once.
    let history = |rng: &mut Rng, length: usize| -> Vec<u32> {
        let kind = rng.u32(..12);
        (0..length).map(|_| kind * 5 + rng.u32(..5)).collect()
    };
    let lengths = [1, 6, 40, 51, 52, 70, 240];
    let histories: Vec<Vec<u32>> = (0..40)
        .map(|at| history(&mut rng, lengths[at % lengths.len()]))
        .collect();
    let mut data = shop(&histories);
    data.histories[5][12].kind = DISLIKE;
    data.histories[5][68].kind = DISLIKE;
    let options = Options {
        epochs: 1,
        ..Options::default()
    };
    let trained = trained(&data, &options);
    let config = trained.weights.config();
    assert!(config.profiles);
    let dimensions = config.likeness.map(|likeness| likeness.dimensions);
    assert_eq!(dimensions, Some(SIZE));

    let cpu = Cpu::detect().expect("a known processor");
    let model = Affinity::new(&trained.weights, cpu, Format::Float);
    let size = config.vector_size();
    let inputs: Vec<ItemInput<'_>> = data
        .texts
        .chunks_exact(SIZE)
        .zip(0..)
        .map(|(text, id)| ItemInput {
            text: Some(text),
            id: Some(id),
            fields: &[],
        })
        .collect();
    let mut vectors = vec![0.0; ITEMS * size];
    model.item_vectors(&inputs, &mut vectors);
    let vector = |item: u32| &vectors[item as usize * size..][..size];

    let histories = &data.histories[..14];
    let compared = Mutex::new(0);
    trained.scores(&data, histories, &|at, scores| {
        let history = &histories[at];
        let seen = history.len().min(config.max_history);
        let (older, newest) = history.split_at(history.len() - seen);
        let older = &older[older.len().saturating_sub(150)..];
        let events: Vec<EventInput<'_>> = newest
            .iter()
            .map(|event| EventInput {
                item: Some(vector(event.item)),
                kind: event.kind.into(),
                gap: event.gap.into(),
                quantity: event.quantity.into(),
            })
            .collect();
        let profile = profile(&data, older);
        let room = &mut AffinityRoom::default();
        let history = model.history(profile.as_deref(), &events, room);
        let wanted = model.retrieval(&history).expect("events");
        for (item, score) in scores.iter().enumerate() {
            let served = dot(cpu, wanted, vector(item as u32));
            assert!((served - score).abs() < 1e-4, "{at}: {served}, not {score}");
        }
        *compared.lock().unwrap() += 1;
    });
    assert_eq!(compared.into_inner().unwrap(), histories.len());
}
