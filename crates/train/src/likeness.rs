//! Likeness of texts: the vectors of all items, and what a history wants of them. Training
//! knows nothing of it: with likeness in its logits the model leaves what texts say to it and
//! learns the rest by heart. The maths is [`models::affinity::Likeness`].

use crate::data::{Dataset, Event};
use crate::error::TrainError;
use crate::options::Options;
use crate::texts::Whitening;
use crate::trainer::Trainer;
use crate::validation::{Validation, mean_gain};
use kernels::Cpu;
use models::affinity::{AffinityConfig, AffinityWeights, DISLIKE, Likeness, LikenessConfig};

/// Found on the inner split of Amazon Beauty, see decision 019.
const USUAL: LikenessConfig = LikenessConfig {
    dimensions: 128,
    strength: 3.0,
    fading: 0.6,
};
/// Strengths to choose from where there is something to measure them by; 0 is none.
const STRENGTHS: [f32; 6] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];

/// Items whose vectors are made together.
const CHUNK: usize = 512;

/// A trained model with likeness, as strong as is best for the cases; as usual without cases.
pub(crate) fn added(
    weights: AffinityWeights,
    whitening: &Whitening,
    data: &Dataset,
    validation: Option<&Validation>,
) -> Result<AffinityWeights, TrainError> {
    let dimensions = USUAL.dimensions.min(data.text_dimensions);
    let tensors = whitening.likeness(dimensions);
    let with = |strength| -> Result<AffinityWeights, TrainError> {
        let mut config = weights.config().clone();
        config.likeness = Some(LikenessConfig {
            dimensions,
            strength,
            ..USUAL
        });
        // They are the last of a model's tensors.
        let numbers = [weights.numbers(), &tensors.0, &tensors.1].concat();
        Ok(AffinityWeights::new(config, numbers)?)
    };
    let Some(validation) = validation.filter(|validation| !validation.cases.is_empty()) else {
        return with(USUAL.strength);
    };
    let options = Options::default();
    let mut best = (f64::NEG_INFINITY, 0.0);
    for strength in STRENGTHS {
        let ranks = Trainer::of(&with(strength)?, data, &options).ranks(validation);
        let gain = mean_gain(&ranks);
        if gain > best.0 {
            best = (gain, strength);
        }
    }
    match best.1 {
        0.0 => Ok(weights),
        strength => with(strength),
    }
}

/// Likeness vectors of all items.
#[derive(Debug)]
pub(crate) struct Likes {
    model: Likeness,
    /// `[items, c]`
    items: Vec<f32>,
}

impl Likes {
    /// Of the items' texts as the encoder made them; none where the model has no likeness.
    pub fn new(
        config: &AffinityConfig,
        (weight, bias): (&[f32], &[f32]),
        data: &Dataset,
    ) -> Option<Self> {
        let model = Likeness::new(config, Cpu::detect().ok()?, weight, bias)?;
        let size = model.dimensions();
        let mut items = vec![0.0; data.items * size];
        let texts = data.texts.chunks(CHUNK * data.text_dimensions);
        for (texts, out) in texts.zip(items.chunks_mut(CHUNK * size)) {
            model.of_texts(texts, out);
        }
        Some(Self { model, items })
    }

    /// The likeness vectors of all items, `[items, c]`.
    pub fn all(&self) -> &[f32] {
        &self.items
    }

    /// What a history wants, `[c]`.
    pub fn wanted(&self, history: &[Event]) -> Vec<f32> {
        let mut memory = vec![0.0; self.model.dimensions()];
        for event in history.iter().filter(|event| event.kind != DISLIKE) {
            self.model.remember(&mut memory, self.row(event.item));
        }
        self.model.wanted(&memory)
    }

    /// Numbers of a likeness vector, `c`.
    pub fn dimensions(&self) -> usize {
        self.model.dimensions()
    }

    fn row(&self, item: u32) -> &[f32] {
        let size = self.model.dimensions();
        &self.items[item as usize * size..][..size]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validation::Case;
    use fastrand::Rng;

    const ITEMS: usize = 60;
    const SIZE: usize = 16;

    /// Items of twelve kinds whose texts differ by kind; some have no text. Shoppers stay with
    /// a kind.
    fn shop(rng: &mut Rng) -> Dataset {
        let history = |rng: &mut Rng| -> Vec<u32> {
            let kind = rng.u32(..12);
            (0..6).map(|_| kind * 5 + rng.u32(..5)).collect()
        };
        let histories: Vec<Vec<u32>> = (0..80).map(|_| history(rng)).collect();
        let mut data = Dataset::of_sequences(&histories, ITEMS);
        data.text_dimensions = SIZE;
        for item in 0..ITEMS {
            let number = |at: usize| {
                let own = f32::from(u8::from(at == item / 5));
                if item % 10 == 9 { 0.0 } else { 0.3 + own }
            };
            let text: Vec<f32> = (0..SIZE).map(number).collect();
            data.texts.extend(text);
        }
        data
    }

    #[test]
    fn likeness_is_as_strong_as_is_best_for_what_came_next() {
        let mut rng = Rng::with_seed(6);
        let data = shop(&mut rng);
        let cases = |next: &dyn Fn(u32, &mut Rng) -> u32, rng: &mut Rng| Validation {
            cases: data.histories[..40]
                .iter()
                .map(|history| {
                    let mut next_event = history[5];
                    next_event.item = next(next_event.item, rng);
                    Case {
                        history: history.clone(),
                        next: next_event,
                    }
                })
                .collect(),
            repeats: true,
            seed: 1,
        };
        // A model that knows nothing of texts.
        let config = AffinityConfig::new(SIZE, ITEMS, Vec::new());
        let mut numbers = AffinityWeights::random(config.clone(), 7)
            .unwrap()
            .numbers()
            .to_vec();
        numbers[..config.width * SIZE].fill(0.0);
        let weights = AffinityWeights::new(config, numbers).unwrap();
        let whitening = Whitening::of(&data).expect("texts that differ");
        let found = |validation: &Validation| {
            let weights = added(weights.clone(), &whitening, &data, Some(validation));
            weights.unwrap().config().likeness
        };
        let alike = cases(&|item, rng| item / 5 * 5 + rng.u32(..5), &mut rng);
        assert!(found(&alike).expect("texts help").strength > 0.0);
        let others = cases(&|item, _| (item + 25) % 60, &mut rng);
        assert_eq!(found(&others), None, "what comes next is never alike");
    }
}
