//! GELU (Hendrycks and Gimpel 2016, <https://arxiv.org/abs/1606.08415>), `x · Φ(x)`, and its
//! slope, `Φ(x) + x · φ(x)`. Both need the same exponential, and loops without a branch, which
//! the compiler turns into vectors.

/// `out = x · Φ(x)`.
pub(super) fn forward(x: &[f32], out: &mut Vec<f32>) {
    out.clear();
    out.extend(x.iter().map(|&x| x * bell(x).0));
}

/// Multiplies gradients by the slope at `x`.
pub(super) fn backward(x: &[f32], gradients: &mut [f32]) {
    for (gradient, &x) in gradients.iter_mut().zip(x) {
        let (below, density) = bell(x);
        *gradient *= below + x * density;
    }
}

/// How much of the bell lies below `x`, and how high it is there. The first is formula 7.1.26
/// of Abramowitz and Stegun 1964, whose error is below 1.5e-7.
fn bell(x: f32) -> (f32, f32) {
    const P: f32 = 0.327_591_1 * std::f32::consts::FRAC_1_SQRT_2;
    const HEIGHT: f32 = 0.398_942_3;
    let exponential = exp_of_negative(-0.5 * x * x);
    let t = 1.0 / (1.0 + P * x.abs());
    let sum = ((((1.061_405_4 * t - 1.453_152) * t + 1.421_413_7) * t - 0.284_496_74) * t
        + 0.254_829_6)
        * t;
    let above = 0.5 * sum * exponential;
    let below = if x < 0.0 { above } else { 1.0 - above };
    (below, HEIGHT * exponential)
}

/// `eˣ` of a number that is not above zero: a power of two in the exponent's bits, and a row
/// of powers for the rest.
fn exp_of_negative(x: f32) -> f32 {
    // Added to a small number, it leaves that rounded in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let power = (x * std::f32::consts::LOG2_E).max(-126.0);
    let shifted = power + ROUND;
    let rest = power - (shifted - ROUND);
    let mut sum = 1.540_353e-4;
    for factor in [
        1.333_355_8e-3,
        9.618_129e-3,
        5.550_411e-2,
        0.240_226_5,
        std::f32::consts::LN_2,
        1.0,
    ] {
        sum = sum * rest + factor;
    }
    let whole = f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23));
    whole * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The integral of the bell from 0, by Simpson's rule in f64.
    fn below(x: f64) -> f64 {
        let steps = 2000;
        let height = |x: f64| (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
        let width = x / f64::from(steps);
        let inner: f64 = (1..steps)
            .map(|at| f64::from(2 + 2 * (at % 2)) * height(f64::from(at) * width))
            .sum();
        0.5 + (height(0.0) + inner + height(x)) * width / 3.0
    }

    #[test]
    fn values_and_slopes_are_those_of_the_definition() {
        for at in -60..=60 {
            let x = f64::from(at) / 8.0;
            let density = (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
            let mut out = Vec::new();
            forward(&[x as f32], &mut out);
            let mut slope = [1.0];
            backward(&[x as f32], &mut slope);
            let expected = (x * below(x), below(x) + x * density);
            assert!((f64::from(out[0]) - expected.0).abs() < 2e-6, "{x}");
            assert!((f64::from(slope[0]) - expected.1).abs() < 2e-6, "{x}");
        }
        let mut out = Vec::new();
        forward(&[-1e4, -40.0, 40.0, 1e4], &mut out);
        for (found, expected) in out.iter().zip([0.0, 0.0, 40.0, 1e4]) {
            assert!((found - expected).abs() < 1e-30, "{out:?}");
        }
    }
}
