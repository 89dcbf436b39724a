//! How much two items are alike: by their vectors, else by category and brand.
//!
//! Only items in hand are compared, a few hundred at most, so everything is looked up by
//! their places and nothing is kept.

use super::candidate::Passed;
use crate::EngineError;
use crate::meaning::{DEFAULT_EMBEDDER, Space};
use crate::snapshot::IndexReader;
use intake::Role;
use kernels::Cpu;
use lexical::{Column, Place, QueryError};
use std::sync::Arc;

/// What a common category counts beside a common brand.
const CATEGORY: f64 = 0.6;
const BRAND: f64 = 0.4;

/// What items can be compared by.
pub(super) struct Likeness<'a> {
    reader: &'a IndexReader,
    space: Option<(Arc<Space>, Cpu)>,
    categories: Option<Column>,
    brands: Option<Column>,
}

/// One item as far as it can be compared.
pub(super) struct Face {
    vector: Option<Vec<f32>>,
    pub traits: Traits,
}

/// Categories and brands, each text as a number.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Traits {
    pub categories: Vec<u32>,
    pub brands: Vec<u32>,
}

impl<'a> Likeness<'a> {
    pub fn new(reader: &'a IndexReader) -> Result<Self, EngineError> {
        let column = |role| -> Result<Option<Column>, QueryError> {
            let path = reader.state.roles.first(role);
            path.map(|path| reader.state.words.column(path)).transpose()
        };
        let space = reader.meaning.now();
        // An embedder that fails is told by search; here categories stand in for it.
        let space = space.space(DEFAULT_EMBEDDER).ok().flatten().cloned();
        Ok(Self {
            reader,
            space: space
                .map(|space| Ok::<_, EngineError>((space, Cpu::detect()?)))
                .transpose()?,
            categories: column(Role::Categories)?,
            brands: column(Role::Brand)?,
        })
    }

    /// Nothing tells items apart.
    pub fn is_blind(&self) -> bool {
        self.space.is_none() && self.categories.is_none() && self.brands.is_none()
    }

    /// Categories and brands of the item at a place.
    pub fn traits(&self, place: Place) -> Result<Traits, QueryError> {
        let texts = |column: &Option<Column>| match column {
            Some(column) => column.texts(place),
            None => Ok(Vec::new()),
        };
        Ok(Traits {
            categories: texts(&self.categories)?,
            brands: texts(&self.brands)?,
        })
    }

    /// The item at a place.
    pub fn face(&self, place: Place) -> Result<Face, QueryError> {
        let number = self.reader.state.words.number_at(place);
        let vector = self.space.as_ref().and_then(|(space, _)| {
            let slot = space.slots.slot(number)?;
            Some(space.vectors.vector(slot))
        });
        Ok(Face {
            vector,
            traits: self.traits(place)?,
        })
    }

    /// The items that passed, in their order.
    pub fn faces(&self, passed: &[Passed]) -> Result<Vec<Face>, QueryError> {
        passed.iter().map(|item| self.face(item.place)).collect()
    }

    /// The cosine of the vectors of two items, if both have one.
    pub fn cosine(&self, one: &Face, other: &Face) -> Option<f64> {
        let (_, cpu) = self.space.as_ref()?;
        let (one, other) = (one.vector.as_ref()?, other.vector.as_ref()?);
        Some(f64::from(kernels::dot(*cpu, one, other)).clamp(-1.0, 1.0))
    }

    /// From 0, nothing in common, to 1, the same.
    pub fn of(&self, one: &Face, other: &Face) -> f64 {
        match self.cosine(one, other) {
            Some(cosine) => cosine.max(0.0),
            None => one.traits.likeness(&other.traits),
        }
    }
}

impl Traits {
    /// The common share of what both have: categories and brands.
    pub fn likeness(&self, other: &Self) -> f64 {
        let aspects = [
            (CATEGORY, shared(&self.categories, &other.categories)),
            (BRAND, shared(&self.brands, &other.brands)),
        ];
        let known = aspects
            .iter()
            .filter_map(|(weight, share)| Some((weight, (*share)?)));
        let (weights, sum) = known.fold((0.0, 0.0), |(weights, sum), (weight, share)| {
            (weights + weight, sum + weight * share)
        });
        if weights > 0.0 { sum / weights } else { 0.0 }
    }

    /// Whether both have a brand and a category in common.
    pub fn is_of_same_shelf(&self, other: &Self) -> bool {
        let some = |share: Option<f64>| share.is_some_and(|share| share > 0.0);
        some(shared(&self.categories, &other.categories))
            && some(shared(&self.brands, &other.brands))
    }
}

/// What two lists have in common of what they have together (Jaccard); `None` when one is empty.
pub(super) fn shared(one: &[u32], other: &[u32]) -> Option<f64> {
    if one.is_empty() || other.is_empty() {
        return None;
    }
    let common = one.iter().filter(|value| other.contains(value)).count();
    Some(common as f64 / (one.len() + other.len() - common) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traits(categories: &[u32], brands: &[u32]) -> Traits {
        Traits {
            categories: categories.to_vec(),
            brands: brands.to_vec(),
        }
    }

    #[test]
    fn what_is_not_known_of_both_does_not_count() {
        for (one, other, expected) in [
            (traits(&[1, 2], &[7]), traits(&[1, 2], &[7]), 1.0),
            (
                traits(&[1, 2], &[7]),
                traits(&[1, 3], &[7]),
                0.6 / 3.0 + 0.4,
            ),
            (traits(&[1], &[7]), traits(&[2], &[8]), 0.0),
            (traits(&[1], &[]), traits(&[1], &[8]), 1.0),
            (traits(&[], &[7]), traits(&[1], &[7]), 1.0),
            (traits(&[], &[]), traits(&[1], &[7]), 0.0),
        ] {
            let found = one.likeness(&other);
            assert!((found - expected).abs() < 1e-12, "{one:?} {other:?}");
        }
        assert!(traits(&[1, 2], &[7]).is_of_same_shelf(&traits(&[2], &[7])));
        assert!(!traits(&[1, 2], &[7]).is_of_same_shelf(&traits(&[2], &[])));
    }
}
