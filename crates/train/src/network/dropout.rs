//! Dropout (Srivastava et al. 2014): in training a share of the numbers is left out and the
//! others grow, so that the sum stays what it was.

use fastrand::Rng;

/// Which numbers stay, as factors: 0 or 1 / (1 − rate). Empty: all of them.
#[derive(Debug, Default)]
pub(crate) struct Mask(Vec<f32>);

impl Mask {
    /// Draws anew for `count` numbers.
    pub fn draw(&mut self, count: usize, rate: f32, rng: &mut Rng) {
        self.0.clear();
        if rate <= 0.0 {
            return;
        }
        let bar = (f64::from(rate) * 65_536.0) as u16;
        let factors = [0.0, 1.0 / (1.0 - rate)];
        self.0.reserve(count + 3);
        // One number of 64 bits decides for four.
        while self.0.len() < count {
            let bits = rng.u64(..);
            for shift in [0, 16, 32, 48] {
                self.0
                    .push(factors[usize::from((bits >> shift) as u16 >= bar)]);
            }
        }
        self.0.truncate(count);
    }

    /// Takes the numbers out; on the way back the same for their gradients.
    pub fn apply(&self, numbers: &mut [f32]) {
        for (number, factor) in numbers.iter_mut().zip(&self.0) {
            *number *= factor;
        }
    }
}
