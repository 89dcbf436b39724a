//! Takes the language out of vectors. A multilingual encoder puts texts of one language near
//! each other: a query finds products in its own language before products that it means.
//! Subtracting what is common to a language, and what a prefix adds to it, leaves the meaning.
//!
//! What is common to a language is the mean of its vectors, and the best texts for that are
//! the same everyday words in each: then the means of two languages differ by language alone.
//! The mean of a catalogue also has in it what the catalogue is about, which is what queries
//! ask for. So [`CentringLearner::add_common_words`] comes first, and samples of a catalogue
//! speak for languages without such words. `docs/decisions/009-language-and-centring.md` has
//! the measurements.

mod bytes;
mod words;

pub use bytes::CentringError;
pub use words::{common_words, has_common_words};

use crate::{Encoder, ModelError, Prefix};
use std::collections::BTreeMap;

/// A language with so many samples is believed half, and the mean of the others for the rest.
/// Of 0, 2, 5, 10 and 20 this found most with two to ten samples of a language, and with
/// thirty it is all the same.
const DOUBT: f64 = 5.0;

/// A vector that is nearer to its mean than this has no direction left, only rounding.
const SHORTEST: f64 = 1e-6;

/// The means to subtract, for each prefix and language.
#[derive(Clone, Debug, PartialEq)]
pub struct Centring {
    dimensions: usize,
    /// For `Prefix::None`, `Query` and `Passage`, in this order; see [`place`].
    means: [Option<Means>; 3],
}

/// The means of one prefix.
#[derive(Clone, Debug, PartialEq)]
struct Means {
    /// By the code of the language.
    languages: BTreeMap<String, Vec<f32>>,
    /// For languages that were not learnt.
    any: Vec<f32>,
}

impl Centring {
    /// Changes nothing: for a model of one language.
    pub fn none(dimensions: usize) -> Self {
        Self {
            dimensions,
            means: [None, None, None],
        }
    }

    /// Numbers of a vector.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Whether [`Centring::apply`] changes nothing, whatever the vector.
    pub fn is_none(&self) -> bool {
        self.means.iter().all(Option::is_none)
    }

    /// Subtracts the mean of the prefix and the language, and makes the length one again. A
    /// language that was not learnt has the mean of all languages, each counted alike. A vector
    /// stays as it was when its prefix was not learnt, and when it is its mean.
    ///
    /// ```
    /// use encode::{Centring, CentringLearner, Prefix};
    ///
    /// let mut learner = CentringLearner::new(2);
    /// learner.add(Prefix::Passage, "zh", &[0.6, 0.8]);
    /// let centring = learner.finish();
    ///
    /// let mut vector = [0.6, -0.8];
    /// centring.apply(Prefix::Passage, "zh", &mut vector);
    /// assert_eq!(vector, [0.0, -1.0]);
    /// ```
    ///
    /// # Panics
    /// When the vector does not have [`Centring::dimensions`] numbers.
    pub fn apply(&self, prefix: Prefix, language: &str, vector: &mut [f32]) {
        assert_eq!(
            vector.len(),
            self.dimensions,
            "vectors of the model the means are of"
        );
        let Some(means) = &self.means[place(prefix)] else {
            return;
        };
        let mean = means.languages.get(language).unwrap_or(&means.any);
        let difference = |(number, mean): (&f32, &f32)| f64::from(*number) - f64::from(*mean);
        let squares = vector.iter().zip(mean).map(difference).map(|x| x * x);
        let length = squares.sum::<f64>().sqrt();
        if !length.is_finite() || length < SHORTEST {
            return;
        }
        for (number, mean) in vector.iter_mut().zip(mean) {
            *number = ((f64::from(*number) - f64::from(*mean)) / length) as f32;
        }
    }
}

/// Learns means from samples as they come by. Sums are kept in `f64`, so that the order of the
/// samples shows in the last bits of a mean at most.
#[derive(Clone, Debug)]
pub struct CentringLearner {
    dimensions: usize,
    /// By prefix, see [`place`], then by the code of the language.
    sums: [BTreeMap<String, Sum>; 3],
}

#[derive(Clone, Debug)]
struct Sum {
    samples: u64,
    totals: Vec<f64>,
}

impl CentringLearner {
    /// Nothing learnt yet, for vectors of so many numbers.
    pub fn new(dimensions: usize) -> Self {
        Self {
            dimensions,
            sums: Default::default(),
        }
    }

    /// Encodes the [`common_words`] of every language as queries and as passages and learns
    /// from them.
    ///
    /// # Errors
    /// When the encoder cannot encode them.
    ///
    /// # Panics
    /// When the encoder makes vectors of another length.
    pub fn add_common_words(&mut self, encoder: &Encoder) -> Result<(), ModelError> {
        for (language, words) in common_words() {
            for prefix in [Prefix::Query, Prefix::Passage] {
                let encoded = encoder.encode(&words, prefix)?;
                for vector in encoded.vectors.chunks_exact(encoder.dimensions()) {
                    self.add(prefix, language, vector);
                }
            }
        }
        Ok(())
    }

    /// Learns from the vector of one text. For a language that [`has_common_words`] samples of
    /// a catalogue make the means worse. A vector that is not finite is passed over.
    ///
    /// # Panics
    /// When the vector does not have as many numbers as [`CentringLearner::new`] was told.
    pub fn add(&mut self, prefix: Prefix, language: &str, vector: &[f32]) {
        assert_eq!(vector.len(), self.dimensions, "vectors of one model");
        // One such number would be the whole mean.
        if !vector.iter().all(|number| number.is_finite()) {
            return;
        }
        let sums = &mut self.sums[place(prefix)];
        // Samples come by the thousand in few languages: no new name for each.
        let sum = match sums.get_mut(language) {
            Some(sum) => sum,
            None => sums.entry(language.to_owned()).or_insert_with(|| Sum {
                samples: 0,
                totals: vec![0.0; self.dimensions],
            }),
        };
        sum.samples += 1;
        for (total, number) in sum.totals.iter_mut().zip(vector) {
            *total += f64::from(*number);
        }
    }

    /// The means. Of few samples they are drawn towards the mean of all languages.
    pub fn finish(&self) -> Centring {
        Centring {
            dimensions: self.dimensions,
            means: self.sums.each_ref().map(|sums| self.means(sums)),
        }
    }

    fn means(&self, sums: &BTreeMap<String, Sum>) -> Option<Means> {
        // Each language counts alike however many samples it has, less only if it has few:
        // what a catalogue has most of must not decide what is common to all languages.
        let weight: f64 = sums.values().map(Sum::trust).sum();
        let mut any = vec![0.0; self.dimensions];
        for sum in sums.values() {
            for (any, mean) in any.iter_mut().zip(sum.mean()) {
                *any += mean * sum.trust() / weight;
            }
        }
        let drawn = |sum: &Sum| -> Vec<f32> {
            let numbers = sum.mean().zip(&any);
            let mix = |(mean, any): (f64, &f64)| any + (mean - any) * sum.trust();
            numbers.map(mix).map(|number| number as f32).collect()
        };
        let languages: BTreeMap<_, _> = sums
            .iter()
            .map(|(language, sum)| (language.clone(), drawn(sum)))
            .collect();
        Some(Means {
            languages,
            any: any.iter().map(|&number| number as f32).collect(),
        })
        .filter(|means| !means.languages.is_empty())
    }
}

impl Sum {
    /// How far the mean is believed, from 0 to 1.
    fn trust(&self) -> f64 {
        let samples = self.samples as f64;
        samples / (samples + DOUBT)
    }

    fn mean(&self) -> impl Iterator<Item = f64> {
        let samples = self.samples as f64;
        self.totals.iter().map(move |total| total / samples)
    }
}

/// Where the means of a prefix are; also its number in files.
fn place(prefix: Prefix) -> usize {
    match prefix {
        Prefix::None => 0,
        Prefix::Query => 1,
        Prefix::Passage => 2,
    }
}

#[cfg(test)]
mod tests;
