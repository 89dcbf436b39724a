//! How the numbers of one event are read.
//!
//! A missing quantity is one piece; a negative quantity is a return. Numbers
//! are clamped so that no sum can ever become infinite or not a number.

use domain::{Event, EventKind};

/// Beyond any price or quantity of a real shop, far below where sums overflow.
const LARGEST: f64 = 1e12;

/// A purchase line or a return.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Line {
    /// Pieces; negative for a return.
    pub units: f64,
    /// Pieces times price; negative for a return.
    pub amount: f64,
    /// Price of one piece where it is known and above zero.
    pub price: Option<f64>,
}

impl Line {
    /// The line a purchase event stands for; `None` for every other kind.
    pub fn of(event: &Event) -> Option<Self> {
        if event.kind != EventKind::Purchase {
            return None;
        }
        let units = tamed(event.quantity).unwrap_or(1.0);
        let price = tamed(event.price).filter(|&price| price > 0.0);
        // Adding 0.0 folds -0.0 into 0.0, so that a return without a price prints as 0.
        let amount = units * price.unwrap_or(0.0) + 0.0;
        Some(Self {
            units,
            amount,
            price,
        })
    }

    pub fn is_return(&self) -> bool {
        self.units < 0.0
    }
}

/// A finite number within bounds; `None` for none and for a number that is not finite.
pub(crate) fn tamed(number: Option<f64>) -> Option<f64> {
    number
        .filter(|number| number.is_finite())
        .map(|number| number.clamp(-LARGEST, LARGEST))
}
