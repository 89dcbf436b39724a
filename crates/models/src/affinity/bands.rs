//! Numbers of an event as bands, each with a row in a table of the model. Trainer and server
//! call the same functions, so a number means the same to both.

/// Bands of [`gap_band`].
pub const GAP_BANDS: usize = 12;

/// Bands of [`quantity_band`].
pub const QUANTITY_BANDS: usize = 6;

const MINUTE: f64 = 60.0;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;

/// Where a band of time ends and the next begins, in seconds; the first is band 1.
const GAP_ENDS: [f64; GAP_BANDS - 2] = [
    MINUTE,
    10.0 * MINUTE,
    HOUR,
    6.0 * HOUR,
    DAY,
    3.0 * DAY,
    7.0 * DAY,
    30.0 * DAY,
    90.0 * DAY,
    365.0 * DAY,
];

/// The largest quantity of each band, the first being band 1.
const QUANTITY_ENDS: [f64; QUANTITY_BANDS - 2] = [1.0, 2.0, 5.0, 10.0];

/// The band of the time since the event before: 0 for the first event (or a time that is not
/// a number), then ever longer ones. Events that are out of order are no time apart.
pub fn gap_band(seconds: Option<f64>) -> u32 {
    let Some(seconds) = seconds.filter(|seconds| !seconds.is_nan()) else {
        return 0;
    };
    1 + GAP_ENDS.iter().filter(|&&end| seconds >= end).count() as u32
}

/// The band of a number of pieces: 0 where there is none (nothing was bought, a return, not a
/// number), then one, two, up to five, up to ten, more.
pub fn quantity_band(quantity: f64) -> u32 {
    if quantity.is_nan() || quantity <= 0.0 {
        return 0;
    }
    1 + QUANTITY_ENDS.iter().filter(|&&end| quantity > end).count() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_fall_into_bands_of_growing_length() {
        let check = |seconds, expected| assert_eq!(gap_band(Some(seconds)), expected, "{seconds}");
        assert_eq!(gap_band(None), 0);
        check(f64::NAN, 0);
        check(f64::NEG_INFINITY, 1);
        check(-5.0, 1);
        check(0.0, 1);
        check(59.9, 1);
        check(60.0, 2);
        check(3599.0, 3);
        check(3600.0, 4);
        check(86_399.0, 5);
        check(86_400.0, 6);
        check(6.9 * DAY, 7);
        check(8.0 * DAY, 8);
        check(31.0 * DAY, 9);
        check(364.0 * DAY, 10);
        check(366.0 * DAY, 11);
        check(f64::INFINITY, GAP_BANDS as u32 - 1);
    }

    #[test]
    fn quantities_fall_into_bands() {
        let check =
            |quantity, expected| assert_eq!(quantity_band(quantity), expected, "{quantity}");
        check(f64::NAN, 0);
        check(f64::NEG_INFINITY, 0);
        check(-2.0, 0);
        check(0.0, 0);
        check(0.4, 1);
        check(1.0, 1);
        check(2.0, 2);
        check(5.0, 3);
        check(10.0, 4);
        check(11.0, 5);
        check(f64::INFINITY, QUANTITY_BANDS as u32 - 1);
    }
}
