//! Sums of rows of numbers, the step that most gradients end with.

use rayon::prelude::*;

/// `to += from`, as far as the shorter goes.
pub(crate) fn add(to: &mut [f32], from: &[f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += from;
    }
}

/// `to += factor · from`, as far as the shorter goes.
pub(crate) fn add_scaled(to: &mut [f32], factor: f32, from: &[f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += factor * from;
    }
}

/// Adds rows to one, on all threads.
pub(crate) fn sum_into(to: &mut [f32], parts: Vec<&[f32]>) {
    const SHARE: usize = 32_768;
    to.par_chunks_mut(SHARE).enumerate().for_each(|(at, to)| {
        for part in &parts {
            for (to, from) in to.iter_mut().zip(&part[at * SHARE..]) {
                *to += from;
            }
        }
    });
}
