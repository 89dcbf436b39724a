//! What a model answers, against plain loops and in odd company, on every path.

use super::reference::Reference;
use crate::affinity::*;
use kernels::{Cpu, Format};
use proptest::prelude::*;

/// A model and all that is asked of it.
#[derive(Clone, Debug)]
struct Case {
    weights: AffinityWeights,
    shopper: Option<Vec<f32>>,
    query: Option<Vec<f32>>,
    /// `[events, vector_size]`
    event_items: Vec<f32>,
    /// Kind, gap and quantity.
    bands: Vec<[u32; 3]>,
    /// `[candidates, vector_size]`
    candidates: Vec<f32>,
}

/// Numbers from -1 to 1, always the same for a seed.
fn some(count: usize, seed: u64) -> Vec<f32> {
    // The table of ids, `[count, 1]`, is the first tensor of a model without texts.
    let config = AffinityConfig {
        width: 1,
        heads: 1,
        layers: 1,
        ..AffinityConfig::new(0, count, Vec::new())
    };
    AffinityWeights::random(config, seed).unwrap().numbers()[..count].to_vec()
}

prop_compose! {
    fn sizes()(
        (width, heads) in prop::sample::select(vec![(1, 1), (4, 2), (12, 3), (20, 4), (33, 1), (64, 2)]),
        (layers, candidate_layers) in prop::sample::select(vec![(1, 1), (2, 1), (2, 2), (3, 2)]),
        text in prop::sample::select(vec![0usize, 5, 16]),
        items in prop::sample::select(vec![0usize, 1, 7]),
        fields in 0usize..3,
        likeness in prop::sample::select(vec![0usize, 1, 5]),
        queries in any::<bool>(),
    ) -> AffinityConfig {
        let fields = (0..fields).map(|at| FieldConfig { name: format!("field{at}"), values: at + 1 });
        let likeness = (likeness > 0 && text > 0).then_some(LikenessConfig {
            dimensions: likeness,
            strength: 2.5,
            fading: 0.6,
        });
        let config = AffinityConfig::new(text, items, fields.collect());
        AffinityConfig { width, heads, layers, candidate_layers, likeness, queries, ..config }
    }
}

prop_compose! {
    fn case()(config in sizes())(
        seed in any::<u64>(),
        (shopper, query) in any::<(bool, bool)>(),
        events in prop::sample::select(vec![0usize, 1, 2, 9, 50, 60]),
        candidates in prop::sample::select(vec![0usize, 1, 2, 17, 100]),
        config in Just(config),
    ) -> Case {
        let mut config = config;
        config.calibration[2] = Calibration { scale: 0.8, offset: -0.3 };
        config.query_calibration[1] = Calibration { scale: 1.2, offset: 0.2 };
        let (size, text) = (config.vector_size(), config.text_dimensions);
        let band = |at: usize, bands: usize| (at as u64 * 7 + seed % 97) as u32 % bands as u32;
        Case {
            shopper: shopper.then(|| some(text, seed ^ 1)),
            query: query.then(|| some(text, seed ^ 2)),
            event_items: some(events * size, seed ^ 3),
            bands: (0..events)
                .map(|at| [band(at, KINDS), band(at + 1, GAP_BANDS), band(at + 2, QUANTITY_BANDS)])
                .collect(),
            candidates: some(candidates * size, seed ^ 4),
            weights: AffinityWeights::random(config, seed).unwrap(),
        }
    }
}

impl Case {
    fn size(&self) -> usize {
        self.weights.config().vector_size()
    }

    fn events(&self) -> Vec<EventInput<'_>> {
        let items = self.event_items.chunks_exact(self.size());
        let events = items.zip(&self.bands);
        events
            .map(|(item, &[kind, gap, quantity])| EventInput {
                // The last kind is a search, which has no item.
                item: (kind < 7).then_some(item),
                kind,
                gap,
                quantity,
            })
            .collect()
    }

    fn history(&self, model: &Affinity) -> History {
        let room = &mut AffinityRoom::default();
        model.history(self.shopper.as_deref(), &self.events(), room)
    }

    fn scores(&self, model: &Affinity, candidates: &[f32]) -> Vec<ActionScores> {
        let mut out = vec![ActionScores::default()];
        let (history, query) = (self.history(model), self.query.as_deref());
        let room = &mut AffinityRoom::default();
        model.score(&history, query, candidates, room, &mut out);
        out
    }

    /// Probabilities of a few of the candidates, by their places.
    fn reference(&self) -> Vec<(usize, Vec<f64>)> {
        let reference = Reference(&self.weights);
        let before = reference.history(self.shopper.as_deref(), &self.events());
        let query = self.query.as_deref();
        let query = query.filter(|_| self.weights.config().queries);
        let candidates = self.candidates.chunks_exact(self.size()).enumerate();
        candidates
            .step_by(45)
            .map(|(at, item)| (at, reference.score(&before, query, item)))
            .collect()
    }
}

fn off(found: ActionScores, expected: &[f64]) -> f64 {
    let found = [found.view, found.cart, found.purchase].map(f64::from);
    let pairs = found.iter().zip(expected);
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn answers_are_those_of_the_definition(case in case()) {
        let expected = case.reference();
        let reference = Reference(&case.weights);
        let tokens = reference.history(case.shopper.as_deref(), &case.events());
        let next = (!case.bands.is_empty()).then(|| {
            [reference.last_hidden(tokens), reference.wanted(&case.events())].concat()
        });
        for cpu in Cpu::available() {
            let model = Affinity::new(&case.weights, cpu, Format::Float);
            let found = case.scores(&model, &case.candidates);
            prop_assert_eq!(found.len(), case.candidates.len() / case.size());
            for (at, expected) in &expected {
                let off = off(found[*at], expected);
                prop_assert!(off < 1e-5, "{cpu}: {:?}, not {expected:?}", found[*at]);
            }
            let history = case.history(&model);
            let found = model.retrieval(&history);
            prop_assert_eq!(found.map(<[f32]>::len), next.as_ref().map(Vec::len));
            for (found, expected) in found.into_iter().flatten().zip(next.iter().flatten()) {
                let off = (f64::from(*found) - expected).abs();
                prop_assert!(off < 1e-5 * (1.0 + expected.abs()), "{cpu}: {found}, not {expected}");
            }

            let model = Affinity::new(&case.weights, cpu, Format::two_bytes(cpu));
            let found = case.scores(&model, &case.candidates);
            // Five units in the last of eight bits, where widths are so small that errors
            // do not cancel out.
            for (at, expected) in &expected {
                let off = off(found[*at], expected);
                prop_assert!(off < 0.05, "{cpu}, two bytes: off by {off}");
            }
        }
    }

    #[test]
    fn a_candidate_has_the_same_scores_in_any_company(case in case()) {
        let size = case.size();
        for cpu in Cpu::available() {
            for format in [Format::Float, Format::two_bytes(cpu)] {
                let model = Affinity::new(&case.weights, cpu, format);
                let all = case.scores(&model, &case.candidates);
                for (at, item) in case.candidates.chunks_exact(size).enumerate().step_by(7) {
                    prop_assert_eq!(case.scores(&model, item), vec![all[at]], "{} {}", cpu, at);
                    let rest = &case.candidates[at * size..];
                    prop_assert_eq!(case.scores(&model, rest), &all[at..], "{} from {}", cpu, at);
                }
            }
        }
    }

    #[test]
    fn items_are_the_sum_of_what_is_known(config in sizes(), count in 0usize..600, seed: u64) {
        let texts = some(count * config.text_dimensions, seed);
        let mut texts = texts.chunks_exact(config.text_dimensions.max(1));
        let values: Vec<u32> = (0..config.fields.len() as u32).collect();
        let items: Vec<ItemInput<'_>> = (0..count)
            .map(|at| ItemInput {
                text: texts.next().filter(|_| at % 3 > 0),
                id: (at < config.items && at % 2 == 0).then_some(at as u32),
                fields: &values,
            })
            .collect();
        let size = config.vector_size();
        let weights = AffinityWeights::random(config, seed).unwrap();
        let reference = Reference(&weights);
        for cpu in Cpu::available() {
            let model = Affinity::new(&weights, cpu, Format::Float);
            let mut found = vec![f32::NAN; count * size];
            model.item_vectors(&items, &mut found);
            for (item, found) in items.iter().zip(found.chunks_exact(size)) {
                let expected = [reference.item(item), reference.like(item)].concat();
                for (found, expected) in found.iter().zip(expected) {
                    prop_assert!((f64::from(*found) - expected).abs() < 1e-5, "{cpu}");
                }
                let mut alone = vec![f32::NAN; size];
                model.item_vector(*item, &mut alone);
                prop_assert_eq!(&alone[..], found, "{} alone", cpu);
            }
        }
    }

    #[test]
    fn extreme_weights_still_give_probabilities(case in case(), size in 1.0_f32..1e4) {
        let signs = case.weights.numbers().iter();
        let numbers = signs.map(|number| number.signum() * size).collect();
        let weights = AffinityWeights::new(case.weights.config().clone(), numbers).unwrap();
        for cpu in Cpu::available() {
            let model = Affinity::new(&weights, cpu, Format::Float);
            for scores in case.scores(&model, &case.candidates) {
                for p in [scores.view, scores.cart, scores.purchase] {
                    prop_assert!((0.0..=1.0).contains(&p), "{cpu}: {p}");
                }
            }
            let history = case.history(&model);
            for number in model.retrieval(&history).into_iter().flatten() {
                prop_assert!(number.is_finite(), "{cpu}: {number}");
            }
        }
    }
}

#[test]
fn what_was_not_there_in_training_is_unknown() {
    let field = FieldConfig {
        name: "brand".to_owned(),
        values: 3,
    };
    let config = AffinityConfig::new(2, 4, vec![field]);
    let weights = AffinityWeights::random(config, 9).unwrap();
    let model = Affinity::new(&weights, Cpu::detect().unwrap(), Format::Float);
    let vector = |item: ItemInput<'_>| {
        let mut out = vec![f32::NAN; 128];
        model.item_vector(item, &mut out);
        out
    };
    let unknown = vector(ItemInput::default());
    let (nan, infinite) = ([f32::NAN, 0.0], [0.0, f32::INFINITY]);
    for item in [
        ItemInput {
            id: Some(4),
            ..ItemInput::default()
        },
        ItemInput {
            fields: &[u32::MAX],
            ..ItemInput::default()
        },
        ItemInput {
            text: Some(&nan),
            ..ItemInput::default()
        },
        ItemInput {
            text: Some(&infinite),
            ..ItemInput::default()
        },
    ] {
        assert_eq!(vector(item), unknown, "{item:?}");
    }
    let known = ItemInput {
        id: Some(3),
        ..ItemInput::default()
    };
    assert_ne!(vector(known), unknown);
}

#[test]
fn a_history_is_the_newest_events() {
    let config = AffinityConfig {
        max_history: 3,
        ..AffinityConfig::new(0, 0, Vec::new())
    };
    let weights = AffinityWeights::random(config, 5).unwrap();
    let model = Affinity::new(&weights, Cpu::detect().unwrap(), Format::Float);
    let items = some(5 * 128, 6);
    let events: Vec<EventInput<'_>> = items
        .chunks_exact(128)
        .map(|item| EventInput {
            item: Some(item),
            kind: 0,
            gap: 1,
            quantity: 0,
        })
        .collect();
    let mut room = AffinityRoom::default();
    let mut scores = |events: &[EventInput<'_>]| {
        let mut out = Vec::new();
        let history = model.history(None, events, &mut room);
        model.score(&history, Some(&[]), &items, &mut room, &mut out);
        (out, model.retrieval(&history).map(<[f32]>::to_vec))
    };
    assert_eq!(scores(&events), scores(&events[2..]));
    assert_ne!(scores(&events), scores(&events[3..]));
    assert_eq!(scores(&[]).1, None);
}
