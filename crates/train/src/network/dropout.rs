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
        let factor = 1.0 / (1.0 - rate);
        self.0.resize(count.next_multiple_of(4), 0.0);
        // One number of 64 bits decides for four.
        for four in self.0.as_chunks_mut::<4>().0 {
            let bits = rng.u64(..);
            for (at, number) in four.iter_mut().enumerate() {
                let part = (bits >> (16 * at)) as u16;
                *number = if part >= bar { factor } else { 0.0 };
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
