//! AdamW (Loshchilov and Hutter 2019, <https://arxiv.org/abs/1711.05101>) and the course of
//! its rate: a warm-up, then a cosine to zero.

use rayon::prelude::*;
use std::ops::Range;

pub(crate) const BETA_1: f32 = 0.9;
pub(crate) const BETA_2: f32 = 0.98;
pub(crate) const EPSILON: f32 = 1e-8;
/// Numbers that one thread takes at a time.
const SHARE: usize = 16_384;

/// Means of the gradients and of their squares, one for each parameter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Adam {
    pub first: Vec<f32>,
    pub second: Vec<f32>,
    pub steps: u32,
}

impl Adam {
    pub fn new(parameters: usize) -> Self {
        Self {
            first: vec![0.0; parameters],
            second: vec![0.0; parameters],
            steps: 0,
        }
    }

    /// Begins a step.
    pub fn begin(&mut self) {
        self.steps += 1;
    }

    /// Moves the parameters of one range against their gradients.
    pub fn update(
        &mut self,
        range: Range<usize>,
        parameters: &mut [f32],
        gradients: &[f32],
        rate: f32,
        decay: f32,
    ) {
        let bias_1 = 1.0 / (1.0 - BETA_1.powi(self.steps as i32));
        let bias_2 = 1.0 / (1.0 - BETA_2.powi(self.steps as i32));
        let keep = 1.0 - rate * decay;
        let first = self.first[range.clone()].par_chunks_mut(SHARE);
        let second = self.second[range.clone()].par_chunks_mut(SHARE);
        let parameters = parameters[range].par_chunks_mut(SHARE);
        let all = parameters
            .zip(gradients.par_chunks(SHARE))
            .zip(first.zip(second));
        all.for_each(|((parameters, gradients), (first, second))| {
            let moments = first.iter_mut().zip(second);
            for ((parameter, gradient), (first, second)) in
                parameters.iter_mut().zip(gradients).zip(moments)
            {
                *first = BETA_1 * *first + (1.0 - BETA_1) * gradient;
                *second = BETA_2 * *second + (1.0 - BETA_2) * gradient * gradient;
                let step = *first * bias_1 / ((*second * bias_2).sqrt() + EPSILON);
                *parameter = keep * *parameter - rate * step;
            }
        });
    }
}

/// The learning rate over the steps of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    pub peak: f32,
    pub warm_up: u32,
    pub steps: u32,
}

impl Schedule {
    /// The rate of a step, the first being 0.
    pub fn rate(self, step: u32) -> f32 {
        if step < self.warm_up {
            return self.peak * (step + 1) as f32 / self.warm_up as f32;
        }
        let rest = self.steps.saturating_sub(self.warm_up).max(1);
        let done = (step - self.warm_up) as f32 / rest as f32;
        self.peak * 0.5 * (1.0 + (std::f32::consts::PI * done.min(1.0)).cos())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_goes_against_the_gradient_by_the_rate() {
        let mut parameters = [1.0, -1.0, 0.5];
        let mut adam = Adam::new(3);
        adam.begin();
        adam.update(0..3, &mut parameters, &[0.2, -3.0, 0.0], 0.1, 0.0);
        for (parameter, expected) in parameters.iter().zip([0.9, -0.9, 0.5]) {
            assert!((parameter - expected).abs() < 1e-5, "{parameters:?}");
        }
        adam.begin();
        adam.update(2..3, &mut parameters, &[0.0], 0.1, 0.5);
        assert!(
            (parameters[2] - 0.475).abs() < 1e-6,
            "decay alone: {parameters:?}"
        );
    }

    #[test]
    fn the_rate_rises_and_falls() {
        let schedule = Schedule {
            peak: 1.0,
            warm_up: 4,
            steps: 104,
        };
        let rates: Vec<f32> = (0..104).map(|step| schedule.rate(step)).collect();
        assert_eq!(rates[..4], [0.25, 0.5, 0.75, 1.0]);
        assert!(rates[4..].is_sorted_by(|a, b| a >= b));
        assert!((schedule.rate(54) - 0.5).abs() < 1e-6);
        assert!(schedule.rate(104) < 1e-6);
    }
}
