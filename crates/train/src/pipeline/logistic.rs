//! Logistic regression on counts: what a shop would do before it trains a Transformer. It is
//! asked the same questions about actions, and shows what order and attention add.

use crate::data::{Dataset, Event};
use crate::validation::{Case, Telling, Validation};

const FEATURES: usize = 7;
type Row = [f64; FEATURES];

/// Steps of gradient descent, on features of mean 0 and deviation 1.
const STEPS: usize = 500;
const RATE: f64 = 0.5;
/// Keeps weights small where a feature parts the cases as a whole.
const RIDGE: f64 = 1e-3;

/// A fitted regression.
#[derive(Debug)]
pub(crate) struct Logistic {
    mean: Row,
    deviation: Row,
    weights: Row,
    offset: f64,
}

/// What is counted before a question.
pub(crate) struct Counted<'a> {
    data: &'a Dataset,
    /// Share of all events, times the number of items.
    popularity: Vec<f64>,
}

impl<'a> Counted<'a> {
    pub fn new(data: &'a Dataset, histories: &[Vec<Event>]) -> Self {
        let mut popularity = vec![0.0; data.items];
        for event in histories.iter().flatten() {
            popularity[event.item as usize] += 1.0;
        }
        let mean = popularity.iter().sum::<f64>() / data.items.max(1) as f64;
        for count in &mut popularity {
            *count /= f64::max(mean, 1e-9);
        }
        Self { data, popularity }
    }

    /// How popular the item is, how often and how lately the shopper had to do with it, and
    /// how much of the history is of its category and its brand.
    fn features(&self, history: &[Event], item: u32) -> Row {
        let same = |field: usize, event: &Event| {
            let values = self.data.fields.get(field).map(|field| &field.of);
            values.is_some_and(|of| {
                let value = of[item as usize];
                value > 0 && value == of[event.item as usize]
            })
        };
        let share = |field: usize| {
            let matches = history.iter().filter(|event| same(field, event)).count();
            matches as f64 / history.len().max(1) as f64
        };
        let own = history.iter().filter(|event| event.item == item).count();
        let ago = history.iter().rev().position(|event| event.item == item);
        let newest = history.last().is_some_and(|event| same(0, event));
        [
            self.popularity[item as usize].ln_1p(),
            (own as f64).ln_1p(),
            ago.map_or(0.0, |ago| 1.0 / (1.0 + ago as f64)),
            f64::from(u8::from(newest)),
            share(0),
            share(1),
            (history.len() as f64).ln_1p(),
        ]
    }

    /// For each case what came next, then the item that was drawn: features and whether the
    /// action was done.
    fn pairs(&self, validation: &Validation, action: usize) -> (Vec<Row>, Vec<bool>) {
        let drawn = validation.drawn(self.data.items);
        let mut rows = Vec::new();
        let mut labels = Vec::new();
        for (Case { history, next }, item) in validation.cases.iter().zip(drawn) {
            rows.push(self.features(history, next.item));
            labels.push(next.actions()[action]);
            rows.push(self.features(history, item));
            labels.push(false);
        }
        (rows, labels)
    }

    /// Fits to the cases; `None` where the action was done in none of them.
    pub fn fit(&self, practice: &Validation, action: usize) -> Option<Logistic> {
        let (rows, labels) = self.pairs(practice, action);
        labels
            .contains(&true)
            .then(|| Logistic::fit(&rows, &labels))
    }

    /// How well the regression tells the action.
    pub fn measure(&self, model: &Logistic, cases: &Validation, action: usize) -> Option<Telling> {
        let (rows, labels) = self.pairs(cases, action);
        let probabilities: Vec<f64> = rows.iter().map(|row| model.probability(row)).collect();
        Some(Telling {
            bce: eval::log_loss(&probabilities, &labels)?,
            auc: eval::auc(&probabilities, &labels)?,
        })
    }
}

impl Logistic {
    fn fit(rows: &[Row], labels: &[bool]) -> Self {
        let count = rows.len().max(1) as f64;
        let (mut mean, mut deviation) = ([0.0; FEATURES], [0.0; FEATURES]);
        for at in 0..FEATURES {
            mean[at] = rows.iter().map(|row| row[at]).sum::<f64>() / count;
            let squares = rows.iter().map(|row| (row[at] - mean[at]).powi(2));
            // A feature that is always the same gets the deviation 1, and with it weighs nothing.
            let found = (squares.sum::<f64>() / count).sqrt();
            deviation[at] = if found > 1e-12 { found } else { 1.0 };
        }
        let mut model = Self {
            mean,
            deviation,
            weights: [0.0; FEATURES],
            offset: 0.0,
        };
        for _ in 0..STEPS {
            let (mut slope, mut slope_offset) = ([0.0; FEATURES], 0.0);
            for (row, &label) in rows.iter().zip(labels) {
                let error = model.probability(row) - f64::from(u8::from(label));
                for (slope, number) in slope.iter_mut().zip(model.scaled(row)) {
                    *slope += error * number;
                }
                slope_offset += error;
            }
            for (weight, slope) in model.weights.iter_mut().zip(slope) {
                *weight -= RATE * (slope / count + RIDGE * *weight);
            }
            model.offset -= RATE * slope_offset / count;
        }
        model
    }

    fn scaled(&self, row: &Row) -> Row {
        std::array::from_fn(|at| (row[at] - self.mean[at]) / self.deviation[at])
    }

    fn probability(&self, row: &Row) -> f64 {
        let scaled = self.scaled(row);
        let sum: f64 = scaled.iter().zip(self.weights).map(|(a, b)| a * b).sum();
        1.0 / (1.0 + (-(sum + self.offset)).exp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_which_number_tells() {
        let mut rng = fastrand::Rng::with_seed(5);
        let rows: Vec<Row> = (0..4000)
            .map(|_| std::array::from_fn(|_| rng.f64() - 0.5))
            .collect();
        let labels: Vec<bool> = rows
            .iter()
            .map(|row| rng.f64() < 1.0 / (1.0 + (-8.0 * row[2]).exp()))
            .collect();
        let model = Logistic::fit(&rows, &labels);
        let strongest = (0..FEATURES).max_by(|&a, &b| {
            let weight = |at: usize| model.weights[at].abs();
            weight(a).total_cmp(&weight(b))
        });
        assert_eq!(strongest, Some(2));
        let slope = model.weights[2] / model.deviation[2];
        assert!((slope - 8.0).abs() < 1.0, "{slope}");
    }
}
