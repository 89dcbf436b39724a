//! Searches through the graph beside exact scans, with and without a filter.
//!
//! A filter keeps slots by a hash of their number, as one that has nothing to do with what is
//! near does. Both ways are measured in any case; which of them a search of an index takes
//! stands beside.

use crate::progress;
use crate::quantiles::Quantiles;
use serde::Serialize;
use std::collections::HashSet;
use std::time::Instant;
use vector::{Neighbour, VectorError, Vectors};

/// Items wanted of a search. An index asks for the last.
const NEAREST: [usize; 3] = [10, 100, 1_000];
/// What a shopper looks at.
const TEN: usize = 10;
/// Of a hundred slots so many pass the filter.
const PERCENT: [u32; 3] = [100, 10, 1];

/// One filter and number of wanted items, over all queries.
#[derive(Debug, Serialize)]
pub struct Asked {
    /// Of a hundred items so many pass the filter.
    pub percent: u32,
    /// Items that do.
    pub matching: usize,
    pub nearest: usize,
    /// Of those that the scan finds, the share that the graph finds too.
    pub recall: f64,
    /// The same of the first ten: the rest of a long list is asked for so that these are in it.
    pub recall_of_ten: f64,
    /// Milliseconds of a search through the graph.
    pub graph_ms: Quantiles,
    /// Milliseconds of an exact scan of what passes the filter.
    pub scan_ms: Quantiles,
    /// What a search of an index does: `graph` or `scan`.
    pub chosen: &'static str,
}

/// Asks every query, given one vector after the other.
pub fn ask_all(vectors: &Vectors, queries: &[f32]) -> Result<Vec<Asked>, VectorError> {
    let queries: Vec<&[f32]> = queries.chunks_exact(vectors.dimensions()).collect();
    let steps = PERCENT.len() * (NEAREST.len() + 1) * queries.len();
    let bar = progress::count("search", steps as u64);
    let mut all = Vec::new();
    for percent in PERCENT {
        let kept: Vec<bool> = (0..vectors.len())
            .map(|slot| passes(slot, percent))
            .collect();
        let slots: Vec<u32> = (0..vectors.len())
            .filter(|&slot| passes(slot, percent))
            .collect();
        let most = NEAREST.into_iter().max().unwrap_or_default();
        let (exact, scan_ms) = timed(
            &queries,
            || bar.inc(1),
            |query| vectors.scan(query, slots.iter().copied(), most, f32::NEG_INFINITY),
        )?;
        for nearest in NEAREST {
            let alive = |slot: u32| kept.get(slot as usize).copied().unwrap_or_default();
            let (found, graph_ms) = timed(
                &queries,
                || bar.inc(1),
                |query| {
                    let matching = slots.len();
                    vectors.nearest_among(query, nearest, f32::NEG_INFINITY, matching, alive)
                },
            )?;
            let is_scan = vectors.is_scan_cheaper(slots.len(), nearest);
            all.push(Asked {
                percent,
                matching: slots.len(),
                nearest,
                recall: recall(&exact, &found, nearest),
                recall_of_ten: recall(&exact, &found, TEN),
                graph_ms: Quantiles::of(graph_ms),
                scan_ms: Quantiles::of(scan_ms.clone()),
                chosen: if is_scan { "scan" } else { "graph" },
            });
        }
    }
    bar.finish_and_clear();
    Ok(all)
}

fn passes(slot: u32, percent: u32) -> bool {
    // A multiplicative hash, whose high bits are the mixed ones.
    let mixed = u64::from(slot).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    mixed % 100 < u64::from(percent)
}

type Found = Vec<Vec<Neighbour>>;

/// The answers of all queries and the milliseconds of each. A first round, not measured, brings
/// into memory what the queries read.
fn timed(
    queries: &[&[f32]],
    done: impl Fn(),
    ask: impl Fn(&[f32]) -> Result<Vec<Neighbour>, VectorError>,
) -> Result<(Found, Vec<f64>), VectorError> {
    for query in queries {
        ask(query)?;
    }
    let mut found = Vec::with_capacity(queries.len());
    let mut millis = Vec::with_capacity(queries.len());
    for query in queries {
        let started = Instant::now();
        let neighbours = ask(query)?;
        millis.push(started.elapsed().as_secs_f64() * 1e3);
        found.push(neighbours);
        done();
    }
    Ok((found, millis))
}

/// Of the first so many that should be found, the share that was.
fn recall(exact: &Found, found: &Found, nearest: usize) -> f64 {
    let (mut hits, mut all) = (0, 0);
    for (exact, found) in exact.iter().zip(found) {
        let found: HashSet<u32> = found.iter().map(|neighbour| neighbour.slot).collect();
        let wanted = exact.iter().take(nearest);
        all += wanted.len();
        hits += wanted
            .filter(|neighbour| found.contains(&neighbour.slot))
            .count();
    }
    if all == 0 {
        return 1.0;
    }
    hits as f64 / all as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn neighbours(slots: &[u32]) -> Vec<Neighbour> {
        let neighbour = |&slot: &u32| Neighbour {
            slot,
            similarity: 0.0,
        };
        slots.iter().map(neighbour).collect()
    }

    #[test]
    fn recall_counts_what_should_have_been_found() {
        let exact = vec![neighbours(&[1, 2, 3]), neighbours(&[4])];
        let found = vec![neighbours(&[2, 9]), neighbours(&[4, 1])];
        assert_eq!(recall(&exact, &found, 2), 2.0 / 3.0);
        assert_eq!(recall(&exact, &found, 3), 0.5);
        assert_eq!(recall(&Vec::new(), &Vec::new(), 3), 1.0);
    }

    #[test]
    fn filters_keep_about_their_share() {
        for percent in PERCENT {
            let kept = (0..100_000).filter(|&slot| passes(slot, percent)).count();
            let expected = percent as usize * 1_000;
            assert!(kept.abs_diff(expected) < 200, "{percent} %: {kept}");
        }
    }
}
