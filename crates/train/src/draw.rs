//! Drawing items that stand for all the others.

use fastrand::Rng;

/// Draws items, often seen ones more often, but less so than they are seen.
#[derive(Clone, Debug)]
pub(crate) struct Sampler {
    /// Sums of the shares of the items up to and with each.
    sums: Vec<f64>,
}

/// How much a share grows with the count.
const POWER: f64 = 0.5;

impl Sampler {
    pub fn new(counts: &[u32]) -> Self {
        let mut sum = 0.0;
        let sums = counts.iter().map(|&count| {
            sum += (f64::from(count) + 1.0).powf(POWER);
            sum
        });
        Self {
            sums: sums.collect(),
        }
    }

    pub fn draw(&self, rng: &mut Rng) -> u32 {
        let all = self.sums.last().copied().unwrap_or(0.0);
        let at = rng.f64() * all;
        let item = self.sums.partition_point(|&sum| sum <= at);
        item.min(self.sums.len().saturating_sub(1)) as u32
    }

    /// The logarithm of how often an item is expected among `draws`.
    pub fn log_expected(&self, item: u32, draws: usize) -> f32 {
        let at = item as usize;
        let before = if at == 0 { 0.0 } else { self.sums[at - 1] };
        let all = self.sums.last().copied().unwrap_or(1.0);
        (draws as f64 * (self.sums[at] - before) / all).ln() as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_drawn_as_often_as_expected() {
        let sampler = Sampler::new(&[0, 8, 99, 3]);
        let mut rng = Rng::with_seed(5);
        let mut drawn = [0.0; 4];
        for _ in 0..100_000 {
            drawn[sampler.draw(&mut rng) as usize] += 1.0;
        }
        for (item, drawn) in (0..).zip(drawn) {
            let expected = f64::from(sampler.log_expected(item, 100_000).exp());
            assert!(
                (drawn / expected - 1.0_f64).abs() < 0.05,
                "{item}: {drawn} of {expected}"
            );
        }
    }
}
