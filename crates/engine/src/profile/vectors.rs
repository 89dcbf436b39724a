//! What a shopper is after, as vectors: the *u* vector, and groups in the history.
//!
//! *u* is the mean of the vectors of the shopper's items and queries, weighted like interests
//! (half-life 90 days), and of length one. The groups are those of spherical k-means (Dhillon
//! and Modha, "Concept Decompositions for Large Sparse Text Data Using Clustering", Machine
//! Learning 2001), begun with items far from one another, so that they are the same every time.

use super::interests::{Evidence, Met};
use crate::EngineError;
use crate::meaning::{DEFAULT_EMBEDDER, Space, normalised};
use crate::snapshot::IndexReader;
use serde::Serialize;
use std::sync::Arc;

/// Queries that are encoded for it, the newest.
const QUERIES: usize = 10;
/// Groups there may be, and how many items it takes for one.
const GROUPS: usize = 5;
const ITEMS_OF_A_GROUP: usize = 4;
const ROUNDS: usize = 10;
/// Items named for each group and for *u*.
const RESTS_ON: usize = 5;

/// What a shopper is after, as vectors.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShopperVectors {
    /// The model that made the vectors of the items; absent where the shop gives them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Of length one.
    pub u: Vec<f32>,
    /// What weighs most in it.
    pub rests_on: Vec<Evidence>,
    /// What the history is about, the heaviest first; none in a short history.
    pub groups: Vec<Group>,
}

/// Items of a history that are like one another.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// Its part of the weight of all groups.
    pub share: f64,
    pub items: usize,
    /// The items nearest to its middle.
    pub rests_on: Vec<Evidence>,
}

/// An item of the history with its vector.
struct Placed<'a> {
    met: &'a Met,
    vector: Vec<f32>,
}

impl IndexReader {
    /// The vectors of a shopper; `None` where no item of the history has one.
    pub fn shopper_vectors(&self, user: &str) -> Result<Option<ShopperVectors>, EngineError> {
        let (met, mut asked) = self.history(user)?;
        let now = self.meaning.now();
        let Some(space) = now.space(DEFAULT_EMBEDDER).ok().flatten() else {
            return Ok(None);
        };
        let mut placed = Vec::new();
        for met in met.iter().filter(|met| met.weight > 0.0) {
            if let Some(vector) = self.vector_in(space, &met.id)? {
                placed.push(Placed { met, vector });
            }
        }
        asked.truncate(QUERIES);
        let texts = asked.iter().map(|query| query.text.clone()).collect();
        let queries = space.encode_queries(texts)?.unwrap_or_default();
        let mut sum = vec![0.0; space.vectors.dimensions()];
        let mut rests_on: Vec<(f64, Evidence)> = Vec::new();
        for placed in &placed {
            add(&mut sum, &placed.vector, placed.met.weight as f32);
            let evidence = Evidence::item(&placed.met.id, placed.met.last);
            rests_on.push((placed.met.weight, evidence));
        }
        for (vector, query) in queries.iter().zip(&asked) {
            add(&mut sum, vector, query.weight as f32);
            rests_on.push((query.weight, Evidence::query(&query.text, query.time)));
        }
        let Some(u) = normalised(sum) else {
            return Ok(None);
        };
        rests_on.sort_by(|a, b| b.0.total_cmp(&a.0));
        rests_on.truncate(RESTS_ON);
        Ok(Some(ShopperVectors {
            model: space.model.clone(),
            u,
            rests_on: rests_on.into_iter().map(|(_, evidence)| evidence).collect(),
            groups: groups(&placed),
        }))
    }

    /// The vector of an item's text; `None` where there is none.
    pub fn item_vector(&self, id: &str) -> Result<Option<Vec<f32>>, EngineError> {
        let now = self.meaning.now();
        match now.space(DEFAULT_EMBEDDER).ok().flatten() {
            Some(space) => self.vector_in(space, id),
            None => Ok(None),
        }
    }

    fn vector_in(&self, space: &Arc<Space>, id: &str) -> Result<Option<Vec<f32>>, EngineError> {
        let number = self.state.words.number_of(id)?;
        let slot = number.and_then(|number| space.slots.slot(number));
        Ok(slot.and_then(|slot| normalised(space.vectors.vector(slot))))
    }
}

/// The groups of a history, the heaviest first.
fn groups(placed: &[Placed<'_>]) -> Vec<Group> {
    let count = (placed.len() / ITEMS_OF_A_GROUP).min(GROUPS);
    if count < 2 {
        return Vec::new();
    }
    let mut middles = far_apart(placed, count);
    let mut of: Vec<usize> = Vec::new();
    for _ in 0..ROUNDS {
        let nearest: Vec<usize> = placed.iter().map(|one| nearest(&middles, one)).collect();
        if nearest == of {
            break;
        }
        of = nearest;
        for (group, middle) in middles.iter_mut().enumerate() {
            let mut sum = vec![0.0; middle.len()];
            for (one, _) in placed.iter().zip(&of).filter(|(_, of)| **of == group) {
                add(&mut sum, &one.vector, one.met.weight as f32);
            }
            // A group that nothing is nearest to keeps its middle.
            if let Some(sum) = normalised(sum) {
                *middle = sum;
            }
        }
    }
    let all: f64 = placed.iter().map(|one| one.met.weight).sum();
    let mut groups = Vec::new();
    for (group, middle) in middles.iter().enumerate() {
        let members = placed.iter().zip(&of).filter(|(_, of)| **of == group);
        let mut members: Vec<(f32, &Met)> = members
            .map(|(one, _)| (dot(middle, &one.vector), one.met))
            .collect();
        if members.is_empty() {
            continue;
        }
        members.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.id.cmp(&b.1.id)));
        let nearest = members.iter().take(RESTS_ON);
        groups.push(Group {
            share: members.iter().map(|(_, met)| met.weight).sum::<f64>() / all,
            items: members.len(),
            rests_on: nearest
                .map(|(_, met)| Evidence::item(&met.id, met.last))
                .collect(),
        });
    }
    groups.sort_by(|a, b| b.share.total_cmp(&a.share));
    groups
}

/// The heaviest item, then again and again the one that is least like those chosen (Gonzalez,
/// "Clustering to Minimize the Maximum Intercluster Distance", 1985).
fn far_apart(placed: &[Placed<'_>], count: usize) -> Vec<Vec<f32>> {
    let mut chosen = vec![placed[0].vector.clone()];
    while chosen.len() < count {
        let likeness = |one: &Placed<'_>| {
            let all = chosen.iter().map(|middle| dot(middle, &one.vector));
            all.fold(f32::NEG_INFINITY, f32::max)
        };
        let least = placed
            .iter()
            .min_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        chosen.extend(least.map(|one| one.vector.clone()));
    }
    chosen
}

fn nearest(middles: &[Vec<f32>], one: &Placed<'_>) -> usize {
    let mut best = (f32::NEG_INFINITY, 0);
    for (group, middle) in middles.iter().enumerate() {
        let likeness = dot(middle, &one.vector);
        if likeness > best.0 {
            best = (likeness, group);
        }
    }
    best.1
}

fn add(sum: &mut [f32], vector: &[f32], weight: f32) {
    for (sum, value) in sum.iter_mut().zip(vector) {
        *sum += weight * value;
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::super::facts::ItemFacts;
    use super::*;
    use domain::Timestamp;

    fn met(id: usize, weight: f64) -> Met {
        Met {
            id: format!("i{id}").into(),
            weight,
            last: Timestamp::from_millis(0),
            facts: Arc::new(ItemFacts::default()),
        }
    }

    #[test]
    fn two_directions_are_two_groups() {
        let mets: Vec<Met> = (0..9).map(|id| met(id, 10.0 - id as f64)).collect();
        let placed: Vec<Placed<'_>> = mets
            .iter()
            .enumerate()
            .map(|(id, met)| {
                let near = 0.1 * (id % 3) as f32;
                let vector = if id < 5 {
                    vec![1.0, near]
                } else {
                    vec![near, 1.0]
                };
                let vector = normalised(vector).expect("a direction");
                Placed { met, vector }
            })
            .collect();
        let found = groups(&placed);
        assert_eq!(
            found.iter().map(|group| group.items).collect::<Vec<_>>(),
            [5, 4]
        );
        assert!((found[0].share - 40.0 / 54.0).abs() < 1e-9);
        assert!(groups(&placed[..7]).is_empty(), "too few for two");
    }
}
