//! Vectors of texts as training wants them. Encoders put the texts of one shop into a narrow
//! cone: most of each vector is what all have in common, and a few directions hold most of
//! the rest. What is learned from them is learned many times faster once they are centred and
//! stretched to like size in all directions ("whitened", Zhang et al. 2024,
//! <https://arxiv.org/abs/2402.10602>). A linear map of them is a linear map of the vectors
//! themselves, so the trained weights are turned back and nobody else need know.

use crate::data::Dataset;
use crate::layout::Layout;
use crate::principal;
use crate::product::{self, Into};
use crate::sums::{add, add_scaled};

/// Share of the mean variance that is added in every direction, so that directions that hold
/// hardly anything, or too few texts, are not blown up to noise.
const RIDGE: f64 = 0.3;
/// Length of a stretched vector, in the root of the mean of squares, where an item has one
/// event: against ids, which begin near nothing, it says how much texts count at first.
const LENGTH: f64 = 14.0;

/// `stretched = map · (text − mean)`, for items with a text; zeros stay zeros.
#[derive(Debug)]
pub(crate) struct Whitening {
    dimensions: usize,
    mean: Vec<f32>,
    /// Of queries, which are shorter than texts of items and have a middle of their own.
    query_mean: Vec<f32>,
    /// `[dimensions, dimensions]`, the direction first along which texts differ most.
    map: Vec<f32>,
    /// Whether each item has a text.
    known: Vec<bool>,
}

impl Whitening {
    /// What fits the texts; `None` where there are none, or all are alike.
    pub fn of(data: &Dataset) -> Option<Self> {
        let size = data.text_dimensions;
        if size == 0 {
            return None;
        }
        let rows = data.texts.chunks_exact(size);
        let known: Vec<bool> = rows
            .clone()
            .map(|row| row.iter().any(|number| *number != 0.0))
            .collect();
        let count = known.iter().filter(|known| **known).count();
        let mut mean = vec![0.0; size];
        for row in rows.clone() {
            add_scaled(&mut mean, 1.0 / count.max(1) as f32, row);
        }
        let mut whitening = Self {
            dimensions: size,
            mean,
            query_mean: query_mean(data),
            map: Vec::new(),
            known,
        };
        let centred = whitening.centred(data);
        let mut covariance = vec![0.0; size * size];
        product::transposed_by(
            &centred,
            &centred,
            data.items,
            &mut covariance,
            Into::Replace,
        );
        let covariance: Vec<f64> = covariance
            .iter()
            .map(|&sum| f64::from(sum) / count.max(1) as f64)
            .collect();
        let variance = (0..size).map(|at| covariance[at * size + at]).sum::<f64>() / size as f64;
        if !(variance.is_finite() && variance > f64::from(f32::EPSILON)) {
            return None;
        }
        for (variance_along, direction) in principal::directions(covariance, size) {
            let scale = (variance_along.max(0.0) + RIDGE * variance).sqrt().recip();
            let row = direction.iter().map(|&number| (scale * number) as f32);
            whitening.map.extend(row);
        }
        let squares: f64 = whitening
            .stretched(data)
            .iter()
            .map(|&number| f64::from(number * number))
            .sum();
        let factor = length(data) / (squares / count as f64).sqrt();
        for number in &mut whitening.map {
            *number *= factor as f32;
        }
        Some(whitening)
    }

    /// The vectors to train on.
    pub fn stretched(&self, data: &Dataset) -> Vec<f32> {
        let mut stretched = vec![0.0; data.texts.len()];
        product::by_transposed(
            &self.centred(data),
            &self.map,
            self.dimensions,
            &mut stretched,
            Into::Replace,
        );
        stretched
    }

    /// The vectors of queries to train on.
    pub fn stretched_queries(&self, data: &Dataset) -> Vec<f32> {
        let mut centred = data.queries.clone();
        for row in centred.chunks_exact_mut(self.dimensions) {
            add_scaled(row, -1.0, &self.query_mean);
        }
        let mut stretched = vec![0.0; centred.len()];
        if !centred.is_empty() {
            product::by_transposed(
                &centred,
                &self.map,
                self.dimensions,
                &mut stretched,
                Into::Replace,
            );
        }
        stretched
    }

    fn centred(&self, data: &Dataset) -> Vec<f32> {
        let mut centred = data.texts.clone();
        let rows = centred.chunks_exact_mut(self.dimensions);
        for (row, _) in rows.zip(&self.known).filter(|(_, known)| **known) {
            add_scaled(row, -1.0, &self.mean);
        }
        centred
    }

    /// The tensors of likeness, which take texts as the encoder made them: the first rows of
    /// the map, `[c, dimensions]`, and `[c]`. Of any length, as likeness minds directions only.
    pub fn likeness(&self, dimensions: usize) -> (Vec<f32>, Vec<f32>) {
        let weight = self.map[..dimensions * self.dimensions].to_vec();
        let mut bias = vec![0.0; dimensions];
        product::by_transposed(
            &self.mean,
            &weight,
            self.dimensions,
            &mut bias,
            Into::Replace,
        );
        bias.iter_mut().for_each(|number| *number = -*number);
        (weight, bias)
    }

    /// Puts `W · map` in the place of a `W`, `[width, dimensions]`; answers `W · map · mean`.
    fn turn(&self, weight: &mut [f32], width: usize, mean: &[f32]) -> Vec<f32> {
        let mut turned = vec![0.0; weight.len()];
        product::by(
            weight,
            &self.map,
            self.dimensions,
            &mut turned,
            Into::Replace,
        );
        weight.copy_from_slice(&turned);
        let mut missing = vec![0.0; width];
        product::by_transposed(mean, weight, self.dimensions, &mut missing, Into::Replace);
        missing
    }

    /// Turns parameters that were trained on stretched vectors into those for the vectors
    /// themselves: `W · map` in the place of `W`. What is then missing, `−W · map · mean`, is
    /// the same in every event and every candidate and goes to their marks; the ids of items
    /// without a text, which would gain by that, lose it; those of a profile and of a query go to their marks.
    /// All scores of one shopper move alike.
    pub fn fold(&self, layout: &Layout, width: usize, parameters: &mut [f32]) {
        let place = |name: &str| layout.find(name).expect("a tensor of the layout");
        let marks = place("marks");
        for (row, name, mean) in [
            (0, "query.weight", &self.query_mean),
            (1, "shopper.weight", &self.mean),
        ] {
            let missing = self.turn(&mut parameters[place(name)], width, mean);
            let mark = marks.start + row * width;
            add_scaled(&mut parameters[mark..mark + width], -1.0, &missing);
        }
        let weight = &mut parameters[place("item.text.weight")];
        let missing = self.turn(weight, width, &self.mean);
        let without: Vec<f32> = missing.iter().map(|number| -number).collect();
        for kind in parameters[place("event.kind")].chunks_exact_mut(width) {
            add(kind, &without);
        }
        let candidate = marks.start + 2 * width..marks.end;
        add(&mut parameters[candidate], &without);
        let ids = parameters[place("item.id")].chunks_exact_mut(width);
        for (id, _) in ids.zip(&self.known).filter(|(_, known)| !**known) {
            add(id, &missing);
        }
    }
}

/// The mean of the queries that led to events; zeros where none did.
fn query_mean(data: &Dataset) -> Vec<f32> {
    let mut mean = vec![0.0; data.text_dimensions];
    let asked = || {
        data.histories
            .iter()
            .flatten()
            .filter_map(|event| event.query)
    };
    let share = 1.0 / asked().count().max(1) as f32;
    for query in asked().filter_map(|query| data.query(query)) {
        add_scaled(&mut mean, share, query);
    }
    mean
}

/// The more is known of items from events, the shorter: their ids then learn what texts would
/// say, and more than that. Found for 16 and for 170 events an item.
fn length(data: &Dataset) -> f64 {
    let events: usize = data.histories.iter().map(Vec::len).sum();
    let mean = events as f64 / data.items.max(1) as f64;
    LENGTH / mean.max(1.0).powf(0.25)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastrand::Rng;

    const SIZE: usize = 6;

    /// Texts in a cone, each third item without one.
    fn dataset(rng: &mut Rng) -> Dataset {
        let mut data = Dataset::of_sequences(&[vec![0, 1]], 90);
        data.text_dimensions = SIZE;
        for item in 0..data.items {
            let text = (0..SIZE).map(|at| {
                let own = (rng.f32() - 0.5) / (1 + at * at) as f32;
                if item % 3 == 0 { 0.0 } else { 0.8 + own }
            });
            data.texts.extend(text);
        }
        data
    }

    #[test]
    fn stretched_texts_have_no_common_part_and_the_wanted_length() {
        let data = dataset(&mut Rng::with_seed(4));
        let stretched = Whitening::of(&data).unwrap().stretched(&data);
        let rows = || stretched.chunks_exact(SIZE);
        assert!(rows().step_by(3).all(|row| row == [0.0; SIZE]), "no text");
        for at in 0..SIZE {
            let sum: f32 = rows().map(|row| row[at]).sum();
            assert!(sum.abs() < 1e-2, "{sum} at {at}");
        }
        let squares: f32 = stretched.iter().map(|number| number * number).sum();
        let wanted = length(&data) as f32;
        assert!(((squares / 60.0).sqrt() - wanted).abs() < 1e-3, "{squares}");
        let spread = |at: usize| rows().map(|row| row[at] * row[at]).sum::<f32>();
        assert!(spread(0) < 10.0 * spread(2), "{} {}", spread(0), spread(2));
    }

    #[test]
    fn texts_are_shorter_where_items_have_many_events() {
        let shop = |events: usize| Dataset::of_sequences(&vec![vec![0, 1]; events], 2);
        assert_eq!(length(&shop(0)), 14.0);
        assert_eq!(length(&shop(16)), 7.0);
        assert!(length(&shop(170)) < 4.0);
    }

    #[test]
    fn folded_weights_give_the_raw_texts_what_they_gave_the_stretched_ones() {
        let mut rng = Rng::with_seed(9);
        let mut data = dataset(&mut rng);
        data.queries = (0..3 * SIZE).map(|_| rng.f32()).collect();
        data.histories[0][1].query = Some(2);
        let whitening = Whitening::of(&data).unwrap();
        let stretched = whitening.stretched(&data);
        let stretched_queries = whitening.stretched_queries(&data);
        let width = 4;
        let layout = Layout::new([
            ("item.text.weight".to_owned(), vec![width, SIZE]),
            ("item.id".to_owned(), vec![data.items, width]),
            ("event.kind".to_owned(), vec![8, width]),
            ("query.weight".to_owned(), vec![width, SIZE]),
            ("shopper.weight".to_owned(), vec![width, SIZE]),
            ("marks".to_owned(), vec![3, width]),
        ]);
        let before: Vec<f32> = (0..layout.len()).map(|_| rng.f32() - 0.5).collect();
        let mut after = before.clone();
        whitening.fold(&layout, width, &mut after);
        // Of an event, of a candidate, of a profile and of a query.
        let token = |parameters: &[f32], texts: &[f32], item: usize, mark: &str, row: usize| {
            let row_of = |name: &str, row: usize| {
                let start = layout.find(name).unwrap().start + row * width;
                parameters[start..start + width].to_vec()
            };
            let mut token = row_of(mark, row);
            let weight = match (mark, row) {
                ("marks", 0) => "query.weight",
                ("marks", 1) => "shopper.weight",
                _ => {
                    add(&mut token, &row_of("item.id", item));
                    "item.text.weight"
                }
            };
            let weight = &parameters[layout.find(weight).unwrap()];
            for (number, weight) in token.iter_mut().zip(weight.chunks_exact(SIZE)) {
                let text = &texts[item * SIZE..][..SIZE];
                *number += weight.iter().zip(text).map(|(a, b)| a * b).sum::<f32>();
            }
            token
        };
        for item in 0..data.items {
            for (mark, row) in [("event.kind", 3), ("marks", 2), ("marks", 1)] {
                if row == 1 && item % 3 == 0 {
                    continue; // nobody's profile is of an item without a text alone
                }
                let expected = token(&before, &stretched, item, mark, row);
                let found = token(&after, &data.texts, item, mark, row);
                for (expected, found) in expected.iter().zip(found) {
                    assert!((expected - found).abs() < 1e-3, "{expected} {found}");
                }
            }
        }
        for query in 0..3 {
            let expected = token(&before, &stretched_queries, query, "marks", 0);
            let found = token(&after, &data.queries, query, "marks", 0);
            for (expected, found) in expected.iter().zip(found) {
                assert!((expected - found).abs() < 1e-3, "{expected} {found}");
            }
        }
    }

    #[test]
    fn texts_that_are_all_alike_are_left_as_they_are() {
        let mut data = Dataset::of_sequences(&[vec![0, 1]], 3);
        assert!(Whitening::of(&data).is_none(), "no texts");
        data.text_dimensions = 2;
        data.texts = vec![0.6, 0.8, 0.6, 0.8, 0.6, 0.8];
        assert!(Whitening::of(&data).is_none(), "one text");
        data.texts = vec![0.0; 6];
        assert!(Whitening::of(&data).is_none(), "empty texts");
    }
}
