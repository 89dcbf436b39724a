//! Sparse sums over item numbers.
//!
//! Each thread keeps one dense array of zeros and clears only what it touched,
//! so adding costs an array access and no allocation however many items there are.

use std::cell::RefCell;

thread_local! {
    static SUMS: RefCell<Sums> = RefCell::default();
}

/// A dense array that is zero except where something was added.
#[derive(Default)]
pub(crate) struct Sums {
    values: Vec<f64>,
    touched: Vec<u32>,
}

impl Sums {
    /// Adds a positive amount to an item.
    pub fn add(&mut self, item: u32, amount: f64) {
        let value = &mut self.values[item as usize];
        if *value == 0.0 {
            self.touched.push(item);
        }
        *value += amount;
    }

    fn clear(&mut self, items: usize) {
        for item in self.touched.drain(..) {
            self.values[item as usize] = 0.0;
        }
        if self.values.len() < items {
            self.values.resize(items, 0.0);
        }
    }

    fn take(&mut self) -> Vec<(u32, f64)> {
        self.touched.sort_unstable();
        // An amount of zero leaves its item listed once per addition.
        self.touched.dedup();
        self.touched
            .iter()
            .map(|&item| (item, self.values[item as usize]))
            .collect()
    }
}

/// The sums that `fill` makes over items below `items`, by ascending number. `fill` must not call this again.
pub(crate) fn summed(items: usize, fill: impl FnOnce(&mut Sums)) -> Vec<(u32, f64)> {
    SUMS.with_borrow_mut(|sums| {
        sums.clear(items);
        fill(sums);
        sums.take()
    })
}
