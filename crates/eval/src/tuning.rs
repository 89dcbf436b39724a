//! Choosing settings by trying them.
//!
//! A grid is tried on an inner split, never on the final one, and the best
//! score wins; the first of equal ones, so that the default, which stands first
//! in a grid, is left only for something better.

/// What trying a grid found.
#[derive(Clone, Debug, PartialEq)]
pub struct Tuning<C> {
    /// The settings with the best score.
    pub best: C,
    pub score: f64,
    /// Everything tried, in the order of the grid.
    pub tried: Vec<(C, f64)>,
}

/// Scores every setting (higher is better, a score that is not a number is the worst) and gives the best. `None`
/// for an empty grid; the first error ends the search.
pub fn tune<C: Clone, E>(
    grid: &[C],
    mut score: impl FnMut(&C) -> Result<f64, E>,
) -> Result<Option<Tuning<C>>, E> {
    let mut tried: Vec<(C, f64)> = Vec::with_capacity(grid.len());
    let mut best: Option<usize> = None;
    for config in grid {
        let found = score(config)?;
        let found = if found.is_nan() {
            f64::NEG_INFINITY
        } else {
            found
        };
        if best.is_none_or(|at| found > tried[at].1) {
            best = Some(tried.len());
        }
        tried.push((config.clone(), found));
    }
    Ok(best.map(|at| Tuning {
        best: tried[at].0.clone(),
        score: tried[at].1,
        tried,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(scores: &[f64]) -> Option<usize> {
        let grid: Vec<usize> = (0..scores.len()).collect();
        let tuning = tune(&grid, |&at| Ok::<_, ()>(scores[at])).unwrap()?;
        assert_eq!(tuning.tried.len(), scores.len());
        Some(tuning.best)
    }

    #[test]
    fn the_first_of_the_best_wins() {
        assert_eq!(best(&[]), None);
        assert_eq!(best(&[0.5, 0.7, 0.7, 0.1]), Some(1));
        assert_eq!(best(&[f64::NAN, -1.0, f64::NAN]), Some(1));
        assert_eq!(best(&[f64::NAN]), Some(0));
    }

    #[test]
    fn an_error_ends_the_search() {
        let mut calls = 0;
        let found = tune(&[1, 2, 3], |&config| {
            calls += 1;
            if config == 2 { Err("no") } else { Ok(1.0) }
        });
        assert_eq!((found.map(|_| ()), calls), (Err("no"), 2));
    }
}
