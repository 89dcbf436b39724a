//! From what shoppers did to what is trained on and what is measured on: the log is cut twice
//! by time, so that no model knows what it is asked about.

use super::clean::{Cleaning, clean};
use super::input::{Action, Input};
use super::texts::Texts;
use crate::data::{Dataset, Event, Field};
use crate::error::TrainError;
use crate::validation::{Case, Validation};
use fastrand::Rng;
use models::affinity::{Fields, ItemTraits, KINDS, gap_band, quantity_band};
use serde::{Deserialize, Serialize};

/// The newest share of the events is looked at once, at the end …
const TEST_SHARE: f64 = 0.05;
/// … and that before it after every epoch.
const VALIDATION_SHARE: f64 = 0.10;
/// Events of a case's history that are kept: more than any model looks at.
const HISTORY: usize = 200;
/// Cases of a slice. More would take longer and tell hardly more.
const VALIDATION_CASES: usize = 4000;
const TEST_CASES: usize = 20_000;
/// Kinds that are no wish for an item: dislike, rate, search.
const NO_WISH: [u8; 3] = [5, 6, 7];

/// Numbers of the data, as they stand in `metrics.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    pub cleaning: Cleaning,
    /// Those with an event in training, which are the rows of the model.
    pub items: usize,
    pub items_in_catalogue: usize,
    pub items_with_text: usize,
    pub shoppers: usize,
    pub training_events: usize,
    /// Those of them that a query led to.
    #[serde(default)]
    pub asked_events: usize,
    /// Queries with a vector that can be used.
    #[serde(default)]
    pub queries: usize,
    /// What came after training about items that it does not know; left out.
    pub events_of_new_items: usize,
}

/// When what happened, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dates {
    pub first: i64,
    /// The first event that is not trained on.
    pub validation: i64,
    /// The first event of the final test.
    pub test: i64,
    pub last: i64,
}

/// What is trained on and measured on.
#[derive(Debug)]
pub(crate) struct Slices {
    pub data: Dataset,
    /// The place in [`Input::items`] of each row.
    pub rows: Vec<u32>,
    pub fields: Fields,
    pub validation: Validation,
    pub test: Validation,
    /// The newest part of training once more as cases, for what is fitted on cases.
    pub practice: Validation,
    /// The events before it, for what counts before it asks.
    pub before_practice: Vec<Vec<Event>>,
    pub counts: Counts,
    pub dates: Dates,
}

impl Slices {
    /// Cleans and cuts.
    ///
    /// # Errors
    /// When nothing can be learned or measured.
    pub fn new(input: &Input, seed: u64) -> Result<Self, TrainError> {
        check(input)?;
        let (shoppers, cleaning) = clean(&input.shoppers);
        let (dates, practice) = cuts(&shoppers)?;
        let (rows, events) = rows(input, &shoppers, dates.validation)?;
        let mut row_of = vec![None; input.items.len()];
        for (row, &item) in (0..).zip(&rows) {
            row_of[item as usize] = Some(row);
        }
        let texts = Texts::of(input, &rows);
        let known: Vec<Vec<Timed>> = shoppers
            .iter()
            .map(|own| timed(own, &row_of, &texts))
            .collect();
        let until = |end: i64| -> Vec<Vec<Event>> {
            let part = |own: &Vec<Timed>| {
                let own = own.iter().take_while(|timed| timed.time < end);
                own.map(|timed| timed.event).collect()
            };
            known.iter().map(part).collect()
        };
        let fields = fields(input, &rows, &events);
        let data = Dataset {
            items: rows.len(),
            texts: texts.items,
            text_dimensions: texts.dimensions,
            fields: of_fields(&fields),
            queries: texts.queries,
            histories: until(dates.validation),
        };
        let repeats = data.repeats();
        let cases = |from: i64, to: i64, most: usize| Validation {
            cases: cases(&known, from, to, repeats, most, seed),
            repeats,
            seed,
        };
        let is_asked = |event: &&Event| event.query.is_some();
        let counts = Counts {
            items: rows.len(),
            items_in_catalogue: input.items.len(),
            items_with_text: texts.items_with_text,
            shoppers: shoppers.len(),
            training_events: data.histories.iter().map(Vec::len).sum(),
            asked_events: data.histories.iter().flatten().filter(is_asked).count(),
            queries: texts.query_rows.iter().flatten().count(),
            events_of_new_items: shoppers.iter().map(Vec::len).sum::<usize>()
                - known.iter().map(Vec::len).sum::<usize>(),
            cleaning,
        };
        let slices = Self {
            before_practice: until(practice),
            practice: cases(practice, dates.validation, TEST_CASES),
            validation: cases(dates.validation, dates.test, VALIDATION_CASES),
            test: cases(dates.test, i64::MAX, TEST_CASES),
            data,
            rows,
            fields,
            counts,
            dates,
        };
        if slices.validation.cases.is_empty() || slices.test.cases.is_empty() {
            return Err(TrainError::NothingToMeasure);
        }
        Ok(slices)
    }
}

/// When the slices begin, and when the practice does.
fn cuts(shoppers: &[Vec<Action>]) -> Result<(Dates, i64), TrainError> {
    let mut times: Vec<i64> = shoppers
        .iter()
        .flatten()
        .map(|action| action.time)
        .collect();
    times.sort_unstable();
    let (Some(&first), Some(&last)) = (times.first(), times.last()) else {
        return Err(TrainError::TooLittle);
    };
    let cut = |newest: f64| {
        let at = (times.len() as f64 * (1.0 - newest)) as usize;
        times.get(at).copied().unwrap_or(last)
    };
    let dates = Dates {
        first,
        validation: cut(TEST_SHARE + VALIDATION_SHARE),
        test: cut(TEST_SHARE),
        last,
    };
    Ok((dates, cut(TEST_SHARE + 2.0 * VALIDATION_SHARE)))
}

/// The items with an event in training, and how many each item has there.
fn rows(
    input: &Input,
    shoppers: &[Vec<Action>],
    end: i64,
) -> Result<(Vec<u32>, Vec<u64>), TrainError> {
    let mut events = vec![0_u64; input.items.len()];
    for action in shoppers.iter().flatten() {
        events[action.item as usize] += u64::from(action.time < end);
    }
    let rows: Vec<u32> = (0..input.items.len() as u32)
        .filter(|&item| events[item as usize] > 0)
        .collect();
    if rows.len() < 2 {
        return Err(TrainError::TooFewItems);
    }
    Ok((rows, events))
}

/// Refuses numbers that the rest takes for granted.
fn check(input: &Input) -> Result<(), TrainError> {
    if input.items.len() > u32::MAX as usize {
        return Err(TrainError::Data("there are too many items".to_owned()));
    }
    for action in input.shoppers.iter().flatten() {
        if action.item as usize >= input.items.len() || usize::from(action.kind) >= KINDS {
            return Err(TrainError::Data(format!("no item or kind for {action:?}")));
        }
        let is_known = |query: u32| (query as usize) < input.queries.len();
        if !action.query.is_none_or(is_known) {
            return Err(TrainError::Data(format!("no query for {action:?}")));
        }
    }
    Ok(())
}

#[derive(Clone, Copy, Debug)]
struct Timed {
    event: Event,
    time: i64,
}

/// The events of a shopper on items that the model knows.
fn timed(actions: &[Action], row_of: &[Option<u32>], texts: &Texts) -> Vec<Timed> {
    let mut before = None;
    let mut events = Vec::with_capacity(actions.len());
    for action in actions {
        let Some(item) = row_of[action.item as usize] else {
            continue;
        };
        // As floats, because times from outside may be farther apart than a number can say.
        let gap = before.map(|before: i64| (action.time as f64 - before as f64) / 1000.0);
        before = Some(action.time);
        events.push(Timed {
            event: Event {
                item,
                kind: action.kind,
                gap: gap_band(gap) as u8,
                quantity: quantity_band(action.quantity.unwrap_or(0.0)) as u8,
                query: action
                    .query
                    .and_then(|query| texts.query_rows[query as usize]),
            },
            time: action.time,
        });
    }
    events
}

/// What happened in a stretch of time, each with what the shopper did before. An event on the
/// item of the event before (a view, then its purchase) is no case: every model would know it.
fn cases(
    shoppers: &[Vec<Timed>],
    from: i64,
    to: i64,
    repeats: bool,
    most: usize,
    seed: u64,
) -> Vec<Case> {
    let mut places = Vec::new();
    for (shopper, events) in shoppers.iter().enumerate() {
        for at in 1..events.len() {
            let Timed { event, time } = events[at];
            let is_here = (from..to).contains(&time);
            let goes_on = events[at - 1].event.item == event.item;
            if !is_here || goes_on || NO_WISH.contains(&event.kind) {
                continue;
            }
            let is_new = || {
                events[..at]
                    .iter()
                    .all(|before| before.event.item != event.item)
            };
            if repeats || is_new() {
                places.push((shopper, at));
            }
        }
    }
    if places.len() > most {
        Rng::with_seed(seed).shuffle(&mut places);
        places.truncate(most);
        places.sort_unstable();
    }
    let case = |(shopper, at): (usize, usize)| {
        let events: &Vec<Timed> = &shoppers[shopper];
        let history = &events[at.saturating_sub(HISTORY)..at];
        Case {
            history: history.iter().map(|timed| timed.event).collect(),
            next: events[at].event,
        }
    };
    places.into_iter().map(case).collect()
}

fn fields(input: &Input, rows: &[u32], events: &[u64]) -> Fields {
    let traits: Vec<ItemTraits<'_>> = rows
        .iter()
        .map(|&item| {
            let events = events[item as usize];
            let item = &input.items[item as usize];
            ItemTraits {
                category: item.category.as_deref(),
                brand: item.brand.as_deref(),
                price: item.price,
                events,
            }
        })
        .collect();
    Fields::learn(&traits)
}

fn of_fields(fields: &Fields) -> Vec<Field> {
    let configs = fields.configs().into_iter().enumerate();
    let field = |(at, config): (usize, models::affinity::FieldConfig)| Field {
        name: config.name,
        values: config.values,
        of: fields.rows().iter().map(|row| row[at]).collect(),
    };
    configs.map(field).collect()
}
