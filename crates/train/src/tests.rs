//! What a server computes is what was measured.

use crate::data::{Dataset, Event};
use crate::trainer::Trainer;
use crate::validation::Queries;
use crate::{Case, Options, Run, Trained, Unobserved, Validation};
use fastrand::Rng;
use kernels::{Cpu, dot};
use models::affinity::{Affinity, AffinityRoom, DISLIKE, EventInput, Format, History, ItemInput};
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

/// Shoppers stay with a kind of items; some did more than the model sees at once, and some
/// things they asked for by the text of such an item.
fn kinds() -> Dataset {
    let mut rng = Rng::with_seed(5);
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
    data.queries = (0..12 * SIZE).map(|_| rng.f32() - 0.5).collect();
    for event in data.histories.iter_mut().flatten() {
        event.query = (rng.f32() < 0.3).then_some(event.item / 5);
    }
    data
}

/// A trained model as a server has it, with the vectors of all items.
struct Served {
    model: Affinity,
    vectors: Vec<f32>,
}

impl Served {
    fn new(trained: &Trained, data: &Dataset) -> Self {
        let cpu = Cpu::detect().expect("a known processor");
        let model = Affinity::new(&trained.weights, cpu, Format::Float);
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
        let mut vectors = vec![0.0; ITEMS * model.config().vector_size()];
        model.item_vectors(&inputs, &mut vectors);
        Self { model, vectors }
    }

    fn vector(&self, item: u32) -> &[f32] {
        let size = self.model.config().vector_size();
        &self.vectors[item as usize * size..][..size]
    }

    fn history(&self, data: &Dataset, history: &[Event]) -> History {
        let seen = history.len().min(self.model.config().max_history);
        let (older, newest) = history.split_at(history.len() - seen);
        let older = &older[older.len().saturating_sub(150)..];
        let events: Vec<EventInput<'_>> = newest
            .iter()
            .map(|event| EventInput {
                item: Some(self.vector(event.item)),
                kind: event.kind.into(),
                gap: event.gap.into(),
                quantity: event.quantity.into(),
            })
            .collect();
        let profile = profile(data, older);
        let room = &mut AffinityRoom::default();
        self.model.history(profile.as_deref(), &events, room)
    }

    /// P(view), P(cart), P(purchase) of an item.
    fn probabilities(&self, history: &History, query: Option<&[f32]>, item: u32) -> [f32; 3] {
        let (room, mut scores) = (&mut AffinityRoom::default(), Vec::new());
        let candidates = self.vector(item);
        self.model
            .score(history, query, candidates, room, &mut scores);
        [scores[0].view, scores[0].cart, scores[0].purchase]
    }
}

#[test]
fn served_scores_are_those_of_training() {
    let data = kinds();
    let options = Options {
        epochs: 1,
        ..Options::default()
    };
    let trained = trained(&data, &options);
    let config = trained.weights.config();
    assert!(config.profiles);
    assert!(!config.queries, "nothing was asked of the actions");
    let dimensions = config.likeness.map(|likeness| likeness.dimensions);
    assert_eq!(dimensions, Some(SIZE));

    let cpu = Cpu::detect().expect("a known processor");
    let served = Served::new(&trained, &data);
    let histories = &data.histories[..14];
    let compared = Mutex::new(0);
    trained.scores(&data, histories, &|at, scores| {
        let history = served.history(&data, &histories[at]);
        let wanted = served.model.retrieval(&history).expect("events");
        for (item, score) in scores.iter().enumerate() {
            let served = dot(cpu, wanted, served.vector(item as u32));
            assert!((served - score).abs() < 1e-4, "{at}: {served}, not {score}");
        }
        *compared.lock().unwrap() += 1;
    });
    assert_eq!(compared.into_inner().unwrap(), histories.len());
}

/// Every second of some histories' last events as cases.
fn last_events(data: &Dataset) -> Validation {
    let cases = data.histories.iter().filter(|events| events.len() > 1);
    let case = |events: &Vec<Event>| Case {
        history: events[..events.len() - 1].to_vec(),
        next: events[events.len() - 1],
    };
    Validation {
        cases: cases.map(case).collect(),
        repeats: true,
        seed: 3,
    }
}

#[test]
fn served_probabilities_are_those_of_training_with_and_without_a_query() {
    let data = kinds();
    let options = Options {
        epochs: 2,
        asks: 8,
        actions_weight: 1.0,
        ..Options::default()
    };
    let trained = trained(&data, &options);
    assert!(trained.weights.config().queries);
    let served = Served::new(&trained, &data);
    let validation = last_events(&data);
    let drawn = validation.drawn(ITEMS);
    let trainer = Trainer::of(&trained.weights, &data, &options);
    let sigmoid = |logit: f32| 1.0 / (1.0 + (-logit).exp());
    let mut moved = 0.0_f32;
    let mut without = Vec::new();
    for queries in [Queries::Hidden, Queries::Given] {
        let outcomes = trainer.outcomes(&validation, queries);
        for (at, case) in validation.cases.iter().enumerate() {
            let history = served.history(&data, &case.history);
            let query = case.next.query.filter(|_| queries == Queries::Given);
            let query = query.and_then(|query| data.query(query));
            for (item, outcome) in [case.next.item, drawn[at]]
                .into_iter()
                .zip(&outcomes[2 * at..])
            {
                let found = served.probabilities(&history, query, item);
                for (found, expected) in found.into_iter().zip(outcome.logits.map(sigmoid)) {
                    assert!(
                        (found - expected).abs() < 1e-4,
                        "{at}: {found}, not {expected}"
                    );
                }
                match queries {
                    Queries::Hidden => without.push(found[0]),
                    Queries::Given => {
                        let before = without[2 * at + usize::from(item != case.next.item)];
                        moved = moved.max((found[0] - before).abs());
                    }
                }
            }
        }
    }
    assert!(moved > 1e-3, "a query changes probabilities");
}

/// Only what was asked for tells which kind of item is next.
fn asked_for(shoppers: usize, rng: &mut Rng) -> Dataset {
    let histories: Vec<Vec<u32>> = (0..shoppers)
        .map(|_| (0..12).map(|_| rng.u32(..ITEMS as u32)).collect())
        .collect();
    let mut data = shop(&histories);
    data.queries = (0..12)
        .flat_map(|kind| data.texts[kind * 5 * SIZE..][..SIZE].to_vec())
        .collect();
    for event in data.histories.iter_mut().flatten() {
        event.query = Some(event.item / 5);
    }
    data
}

#[test]
fn a_query_tells_the_item_where_nothing_else_does() {
    let mut rng = Rng::with_seed(8);
    let data = asked_for(200, &mut rng);
    let validation = last_events(&asked_for(200, &mut rng));
    let options = Options {
        epochs: 16,
        batch: 20,
        warm_up: 20,
        dropout: 0.1,
        asks: 8,
        actions_weight: 3.0,
        ..Options::default()
    };
    let run = Run {
        data: &data,
        options: &options,
        validation: Some(&validation),
        checkpoint: None,
    };
    let trained = run.train(&mut Unobserved).expect("enough to train on");
    let asked = trained.evaluate(&data, &validation).asked;
    let asked = asked.expect("every case has a query");
    assert_eq!(asked.cases, 200);
    assert!(asked.with.auc > 0.8, "{asked:?}");
    assert!((0.4..0.6).contains(&asked.without.auc), "{asked:?}");
    assert!(asked.with.bce < 0.8 * asked.without.bce, "{asked:?}");
}
