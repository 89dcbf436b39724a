//! Walking a row vector by vector. The last vector of a row may be partly filled: it is
//! loaded with zeros behind and stored without them.

use crate::lanes::Lanes;
use std::marker::PhantomData;

/// Numbers in the widest vector.
pub(crate) const MOST_LANES: usize = 16;

/// The place of one vector in a row.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    pub at: usize,
    /// Numbers of the row in this vector.
    pub count: usize,
}

/// The vectors of a row of `len` numbers.
#[inline(always)]
pub(crate) fn spans<L: Lanes>(len: usize) -> Spans<L> {
    Spans {
        at: 0,
        len,
        lanes: PhantomData,
    }
}

pub(crate) struct Spans<L> {
    at: usize,
    len: usize,
    lanes: PhantomData<L>,
}

impl<L: Lanes> Iterator for Spans<L> {
    type Item = Span;

    #[inline(always)]
    fn next(&mut self) -> Option<Span> {
        let at = self.at;
        if at >= self.len {
            return None;
        }
        self.at += L::WIDTH;
        let count = L::WIDTH.min(self.len - at);
        Some(Span { at, count })
    }
}

impl Span {
    #[inline(always)]
    pub fn load<L: Lanes>(self, lanes: L, row: &[f32]) -> L::Floats {
        if self.count == L::WIDTH {
            return lanes.load(&row[self.at..]);
        }
        let mut all = [0.0; MOST_LANES];
        all[..self.count].copy_from_slice(&row[self.at..][..self.count]);
        lanes.load(&all)
    }

    #[inline(always)]
    pub fn store<L: Lanes>(self, lanes: L, value: L::Floats, row: &mut [f32]) {
        if self.count == L::WIDTH {
            return lanes.store(value, &mut row[self.at..]);
        }
        let mut all = [0.0; MOST_LANES];
        lanes.store(value, &mut all);
        row[self.at..][..self.count].copy_from_slice(&all[..self.count]);
    }
}

/// Stores vectors side by side, as many numbers as there is room for.
#[inline(always)]
pub(crate) fn store_vectors<L: Lanes, const N: usize>(
    lanes: L,
    vectors: [L::Floats; N],
    to: &mut [f32],
) {
    for (vector, value) in vectors.into_iter().enumerate() {
        let at = vector * L::WIDTH;
        if at < to.len() {
            let count = L::WIDTH.min(to.len() - at);
            Span { at, count }.store(lanes, value, to);
        }
    }
}

/// Stores two vectors side by side as brain floats, as many as there is room for.
#[inline(always)]
pub(crate) fn store_brain_floats<L: Lanes>(lanes: L, pair: [L::Floats; 2], to: &mut [u16]) {
    let mut all = [0; 2 * MOST_LANES];
    let count = to.len();
    let is_cut = count < 2 * L::WIDTH;
    lanes.store_brain_pair(pair, if is_cut { &mut all } else { &mut *to });
    if is_cut {
        to.copy_from_slice(&all[..count]);
    }
}
