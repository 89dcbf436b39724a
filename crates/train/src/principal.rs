//! Principal directions: the eigenvectors of a symmetric matrix.

/// Sweeps after which all is as near to diagonal as numbers allow; eight are usual.
const SWEEPS: usize = 30;

/// The eigenvalues of a symmetric matrix, `[size, size]`, the largest first, each with its unit
/// vector. By cyclic rotations (Jacobi 1846; Golub and Van Loan, Matrix Computations, 8.5).
pub(crate) fn directions(mut matrix: Vec<f64>, size: usize) -> Vec<(f64, Vec<f64>)> {
    // Row `i` becomes the vector of the value that row `i` of the matrix comes to hold.
    let mut vectors = vec![0.0; size * size];
    for at in 0..size {
        vectors[at * size + at] = 1.0;
    }
    let total: f64 = matrix.iter().map(|number| number * number).sum();
    for _ in 0..SWEEPS {
        let on: f64 = (0..size).map(|at| matrix[at * size + at].powi(2)).sum();
        if total - on <= f64::EPSILON * total {
            break;
        }
        for p in 0..size {
            for q in p + 1..size {
                rotate(&mut matrix, &mut vectors, size, p, q);
            }
        }
    }
    let mut found: Vec<(f64, Vec<f64>)> = vectors
        .chunks_exact(size)
        .enumerate()
        .map(|(at, vector)| (matrix[at * size + at], vector.to_vec()))
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found
}

/// Turns two directions so that the matrix has nothing between them.
fn rotate(matrix: &mut [f64], vectors: &mut [f64], size: usize, p: usize, q: usize) {
    let between = matrix[p * size + q];
    if between == 0.0 {
        return;
    }
    let ratio = (matrix[q * size + q] - matrix[p * size + p]) / (2.0 * between);
    let tangent = ratio.signum() / (ratio.abs() + ratio.hypot(1.0));
    let cosine = tangent.hypot(1.0).recip();
    let sine = tangent * cosine;
    let turn = |a: &mut f64, b: &mut f64| {
        (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
    };
    for row in matrix.chunks_exact_mut(size) {
        let (before, from_q) = row.split_at_mut(q);
        turn(&mut before[p], &mut from_q[0]);
    }
    for rows in [matrix, vectors] {
        let (before, from_q) = rows.split_at_mut(q * size);
        let pairs = before[p * size..][..size].iter_mut().zip(from_q);
        pairs.for_each(|(a, b)| turn(a, b));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastrand::Rng;

    #[test]
    fn directions_are_at_right_angles_and_give_the_matrix_back() {
        let mut rng = Rng::with_seed(3);
        for size in [1, 2, 5, 40] {
            let half: Vec<f64> = (0..size * size).map(|_| rng.f64() - 0.5).collect();
            let of =
                |row: usize, column: usize| half[row * size + column] + half[column * size + row];
            let matrix: Vec<f64> = (0..size * size)
                .map(|at| of(at / size, at % size))
                .collect();
            let found = directions(matrix.clone(), size);
            assert!(found.is_sorted_by(|a, b| a.0 >= b.0), "{size}");
            for (at, &expected) in matrix.iter().enumerate() {
                let (row, column) = (at / size, at % size);
                let sum: f64 = found
                    .iter()
                    .map(|(value, v)| value * v[row] * v[column])
                    .sum();
                assert!((sum - expected).abs() < 1e-9, "{sum}, not {expected}");
            }
            for (at, (_, a)) in found.iter().enumerate() {
                for (other, (_, b)) in found.iter().enumerate() {
                    let dot: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                    let expected = f64::from(u8::from(at == other));
                    assert!((dot - expected).abs() < 1e-9, "{at} {other}: {dot}");
                }
            }
        }
    }

    #[test]
    fn what_is_diagonal_stays() {
        let found = directions(vec![0.0, 0.0, 0.0, 2.0], 2);
        assert_eq!(found, [(2.0, vec![0.0, 1.0]), (0.0, vec![1.0, 0.0])]);
    }
}
