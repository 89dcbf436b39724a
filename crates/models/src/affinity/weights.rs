//! The weights of an affinity model: which tensors there are, and `model.safetensors`. The
//! trainer and the server take names, shapes and order from here, and nothing of a file is
//! believed before it was compared with them.

use super::config::{ACTIONS, AffinityConfig};
use super::error::AffinityError;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::collections::BTreeMap;
use std::ops::Range;

/// No weight of a model that was trained is near this. It keeps every sum of the forward pass
/// finite, so that no file can make it answer with something that is not a number.
const MOST: f32 = 1e4;

/// One tensor of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorSpec {
    /// As in `docs/affinity.md`.
    pub name: String,
    /// In row order; never with a zero.
    pub shape: Vec<usize>,
}

impl TensorSpec {
    /// Numbers there are.
    pub fn size(&self) -> usize {
        self.shape.iter().product()
    }
}

/// Every tensor of a model in the order of the table in `docs/affinity.md`, the weight of a
/// pair before its bias, one layer behind the other. A
/// tensor of no numbers, such as the one of texts when there are none, is left out.
pub fn tensors(config: &AffinityConfig) -> Vec<TensorSpec> {
    let (width, text) = (config.width, config.text_dimensions);
    let mut all = Vec::new();
    let mut add = |name: String, shape: &[usize]| {
        if !shape.contains(&0) {
            let shape = shape.to_vec();
            all.push(TensorSpec { name, shape });
        }
    };
    add("item.text.weight".to_owned(), &[width, text]);
    add("item.id".to_owned(), &[config.items, width]);
    for field in &config.fields {
        add(format!("item.field.{}", field.name), &[field.values, width]);
    }
    add("event.kind".to_owned(), &[config.kinds, width]);
    add("event.gap".to_owned(), &[config.gaps, width]);
    add("event.quantity".to_owned(), &[config.quantities, width]);
    add("event.position".to_owned(), &[config.max_history, width]);
    add("query.weight".to_owned(), &[width, text]);
    add("shopper.weight".to_owned(), &[width, text]);
    add("marks".to_owned(), &[3, width]);
    for layer in 0..config.layers {
        let mut pair = |part: &str, outputs: usize, inputs: &[usize]| {
            let name = format!("layers.{layer}.{part}");
            add(format!("{name}.weight"), &[&[outputs], inputs].concat());
            add(format!("{name}.bias"), &[outputs]);
        };
        pair("attention.norm", width, &[]);
        pair("attention.in", 3 * width, &[width]);
        pair("attention.out", width, &[width]);
        pair("feed_forward.norm", width, &[]);
        pair("feed_forward.in", 4 * width, &[width]);
        pair("feed_forward.out", width, &[4 * width]);
    }
    add("norm.weight".to_owned(), &[width]);
    add("norm.bias".to_owned(), &[width]);
    add("actions.weight".to_owned(), &[ACTIONS.len(), width]);
    add("actions.bias".to_owned(), &[ACTIONS.len()]);
    if let Some(likeness) = config.likeness {
        add("likeness.weight".to_owned(), &[likeness.dimensions, text]);
        add("likeness.bias".to_owned(), &[likeness.dimensions]);
    }
    all
}

/// The numbers of every tensor of a model, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct AffinityWeights {
    config: AffinityConfig,
    /// Those of all tensors, one behind the other in the order of [`tensors`].
    numbers: Vec<f32>,
    places: BTreeMap<String, Range<usize>>,
}

impl AffinityWeights {
    /// Takes the numbers of all tensors, one behind the other in the order of [`tensors`].
    ///
    /// # Errors
    /// When the settings are refused, there are more or fewer numbers, or one of them is not
    /// finite or absurdly large.
    pub fn new(config: AffinityConfig, numbers: Vec<f32>) -> Result<Self, AffinityError> {
        config.check()?;
        let mut places = BTreeMap::new();
        let mut end = 0;
        for spec in tensors(&config) {
            let start = end;
            end += spec.size();
            let part = numbers.get(start..end).unwrap_or_default();
            let wrong = |number: &f32| number.is_nan() || number.abs() > MOST;
            if let Some(at) = part.iter().position(wrong) {
                return Err(AffinityError::Number {
                    name: spec.name,
                    at,
                    found: part[at],
                    most: MOST,
                });
            }
            places.insert(spec.name, start..end);
        }
        if numbers.len() != end {
            return Err(AffinityError::Numbers {
                found: numbers.len(),
                expected: end,
            });
        }
        Ok(Self {
            config,
            numbers,
            places,
        })
    }

    /// Weights as training starts from them, always the same for a seed: for tests and for
    /// measurements, which do not care what a model says.
    ///
    /// # Errors
    /// When the settings are refused.
    pub fn random(config: AffinityConfig, seed: u64) -> Result<Self, AffinityError> {
        config.check()?;
        let mut state = seed;
        let mut numbers = Vec::new();
        for spec in tensors(&config) {
            let spread = match spec.shape.as_slice() {
                [_, inputs] => 1.0 / (*inputs as f32).sqrt(),
                _ => 0.1,
            };
            let middle = if spec.name.ends_with("norm.weight") {
                1.0
            } else {
                0.0
            };
            let some = (0..spec.size()).map(|_| middle + spread * uniform(&mut state));
            numbers.extend(some);
        }
        Self::new(config, numbers)
    }

    /// Reads `model.safetensors`: exactly the tensors of [`tensors`], in any order.
    ///
    /// # Errors
    /// When a tensor is missing, unknown, or of another shape or type, or the file is cut.
    pub fn from_safetensors(config: AffinityConfig, bytes: &[u8]) -> Result<Self, AffinityError> {
        config.check()?;
        let file = SafeTensors::deserialize(bytes).map_err(AffinityError::Safetensors)?;
        let specs = tensors(&config);
        let mut numbers = Vec::new();
        for spec in &specs {
            let found = file.tensor(&spec.name);
            let tensor = found.map_err(|_| AffinityError::Missing {
                name: spec.name.clone(),
                expected: spec.shape.clone(),
            })?;
            if tensor.dtype() != Dtype::F32 {
                return Err(AffinityError::Type {
                    name: spec.name.clone(),
                    found: format!("{:?}", tensor.dtype()),
                    expected: spec.shape.clone(),
                });
            }
            if tensor.shape() != spec.shape {
                return Err(AffinityError::Shape {
                    name: spec.name.clone(),
                    found: tensor.shape().to_vec(),
                    expected: spec.shape.clone(),
                });
            }
            let (words, _) = tensor.data().as_chunks::<4>();
            numbers.extend(words.iter().map(|word| f32::from_le_bytes(*word)));
        }
        let mut names = file.names();
        names.sort_unstable();
        for name in names {
            if !specs.iter().any(|spec| spec.name == name) {
                return Err(AffinityError::Extra {
                    name: name.to_owned(),
                });
            }
        }
        Self::new(config, numbers)
    }

    /// What [`AffinityWeights::from_safetensors`] reads.
    pub fn to_safetensors(&self) -> Vec<u8> {
        let bytes: Vec<u8> = self.numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
        let views = tensors(&self.config).into_iter().map(|spec| {
            let place = &self.places[&spec.name];
            let bytes = &bytes[4 * place.start..4 * place.end];
            let view = TensorView::new(Dtype::F32, spec.shape, bytes);
            (spec.name, view.expect("as many bytes as the shape says"))
        });
        safetensors::serialize(views, None).expect("tensors of one file have names of their own")
    }

    /// The settings that the shapes follow from.
    pub fn config(&self) -> &AffinityConfig {
        &self.config
    }

    /// The numbers of all tensors, one behind the other in the order of [`tensors`].
    pub fn numbers(&self) -> &[f32] {
        &self.numbers
    }

    /// The numbers of one tensor; none where it has none or is not one of the model.
    pub fn tensor(&self, name: &str) -> &[f32] {
        let place = self.places.get(name).cloned();
        place.map_or(&[], |place| &self.numbers[place])
    }
}

/// A number in -1..1 and the next state (SplitMix64, Steele et al. 2014).
fn uniform(state: &mut u64) -> f32 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    (mixed >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
}
