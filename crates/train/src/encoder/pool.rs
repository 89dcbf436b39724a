//! From the states of a text's tokens to its vector of length one, and back.

use super::bert::Packed;
use encode::Pooling;

/// Shorter sums than this have no direction, and no gradient.
const SHORTEST: f32 = 1e-9;

/// The vectors of texts, and how long they were before.
#[derive(Debug, Default)]
pub(super) struct Pooled {
    /// `[texts, width]`
    pub vectors: Vec<f32>,
    lengths: Vec<f32>,
}

impl Pooled {
    pub fn forward(&mut self, pooling: Pooling, packed: &Packed, states: &[f32], width: usize) {
        self.vectors.clear();
        self.lengths.clear();
        for text in &packed.texts {
            let start = self.vectors.len();
            let rows = &states[text.start * width..text.end * width];
            self.vectors.extend_from_slice(&rows[..width]);
            let vector = &mut self.vectors[start..];
            for row in rows.chunks_exact(width).skip(1) {
                match pooling {
                    Pooling::Cls => {}
                    Pooling::Mean => {
                        for (sum, number) in vector.iter_mut().zip(row) {
                            *sum += number;
                        }
                    }
                    Pooling::Max => {
                        for (most, &number) in vector.iter_mut().zip(row) {
                            *most = most.max(number);
                        }
                    }
                }
            }
            if pooling == Pooling::Mean {
                let share = 1.0 / text.len() as f32;
                vector.iter_mut().for_each(|number| *number *= share);
            }
            let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
            let factor = 1.0 / length.max(SHORTEST);
            vector.iter_mut().for_each(|number| *number *= factor);
            self.lengths.push(length);
        }
    }

    /// Writes the gradient of the states.
    pub fn backward(
        &self,
        pooling: Pooling,
        packed: &Packed,
        states: &[f32],
        d_vectors: &[f32],
        d_states: &mut Vec<f32>,
    ) {
        let width = self.vectors.len() / packed.texts.len().max(1);
        d_states.clear();
        d_states.resize(packed.tokens.len() * width, 0.0);
        let vectors = self.vectors.chunks_exact(width).zip(&self.lengths);
        let of_texts = packed.texts.iter().zip(d_vectors.chunks_exact(width));
        for ((vector, &length), (text, d_vector)) in vectors.zip(of_texts) {
            if length < SHORTEST {
                continue;
            }
            let along: f32 = vector.iter().zip(d_vector).map(|(x, d)| x * d).sum();
            let share = match pooling {
                Pooling::Mean => 1.0 / (length * text.len() as f32),
                Pooling::Cls | Pooling::Max => 1.0 / length,
            };
            for at in 0..width {
                let gradient = share * (d_vector[at] - along * vector[at]);
                match pooling {
                    Pooling::Cls => d_states[text.start * width + at] = gradient,
                    Pooling::Mean => {
                        for token in text.clone() {
                            d_states[token * width + at] = gradient;
                        }
                    }
                    Pooling::Max => {
                        let state = |token: &usize| states[token * width + at];
                        let most = text
                            .clone()
                            .max_by(|a, b| state(a).total_cmp(&state(b)).then_with(|| b.cmp(a)));
                        if let Some(token) = most {
                            d_states[token * width + at] = gradient;
                        }
                    }
                }
            }
        }
    }
}
