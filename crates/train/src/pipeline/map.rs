//! A map of item vectors: their first two principal components, by power iteration.

/// Rounds of the iteration; enough for a picture.
const ROUNDS: usize = 60;

/// The two coordinates of each vector. Always the same for the same vectors.
pub(crate) fn map(vectors: &[f32], width: usize) -> Vec<(f64, f64)> {
    let count = (vectors.len() / width.max(1)).max(1) as f64;
    let mut mean = vec![0.0; width];
    for vector in vectors.chunks_exact(width) {
        for (mean, &number) in mean.iter_mut().zip(vector) {
            *mean += f64::from(number) / count;
        }
    }
    let mut rows: Vec<Vec<f64>> = vectors
        .chunks_exact(width)
        .map(|vector| {
            vector
                .iter()
                .zip(&mean)
                .map(|(&a, b)| f64::from(a) - b)
                .collect()
        })
        .collect();
    let first = component(&mut rows, width, 0);
    let second = component(&mut rows, width, 1);
    first.into_iter().zip(second).collect()
}

/// The coordinates along the direction in which the rows differ most, which is then taken out
/// of them.
fn component(rows: &mut [Vec<f64>], width: usize, seed: u64) -> Vec<f64> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut direction: Vec<f64> = (0..width).map(|_| rng.f64() - 0.5).collect();
    for _ in 0..ROUNDS {
        let mut next = vec![0.0; width];
        for row in rows.iter() {
            let along = dot(row, &direction);
            for (next, number) in next.iter_mut().zip(row) {
                *next += along * number;
            }
        }
        let length = dot(&next, &next).sqrt();
        // All vectors are the same: any direction shows it.
        if !(length > 0.0 && length.is_finite()) {
            break;
        }
        direction = next.into_iter().map(|number| number / length).collect();
    }
    let mut places = Vec::with_capacity(rows.len());
    for row in rows {
        let along = dot(row, &direction);
        for (number, direction) in row.iter_mut().zip(&direction) {
            *number -= along * direction;
        }
        places.push(along);
    }
    places
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directions_of_most_difference_are_found() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut vectors = Vec::new();
        let mut known = Vec::new();
        for _ in 0..200 {
            let (a, b) = (10.0 * (rng.f32() - 0.5), 3.0 * (rng.f32() - 0.5));
            vectors.extend([0.1 * rng.f32(), b, 5.0, a]);
            known.push((a, b));
        }
        let places = map(&vectors, 4);
        let turn = (places[0].0 * f64::from(known[0].0)).signum();
        for ((x, _), (a, _)) in places.iter().zip(&known) {
            assert!((turn * x - f64::from(*a)).abs() < 1.0);
        }
        assert_eq!(map(&[], 4), []);
        assert!(
            map(&[1.0; 8], 4)
                .iter()
                .all(|(x, y)| x.abs() < 1e-9 && y.abs() < 1e-9)
        );
    }
}
