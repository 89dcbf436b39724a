//! One list out of several sources: what an earlier one gave stands before what a later one
//! gives, nothing comes twice, and no score is higher than one before it.

use super::ids;
use super::params::Part;
use crate::error::ApiError;
use domain::ItemId;
use engine::EngineError;
use serde::Serialize;
use std::collections::HashSet;

/// A document of the index, or a shopper, and how much speaks for it.
pub(super) type Scored = (String, f64);

/// An entry of a list as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Score {
    pub id: String,
    pub score: f64,
}

/// A list of documents that grows until it is long enough.
pub(super) struct Slate {
    reach: usize,
    hidden: HashSet<String>,
    list: Vec<Scored>,
}

impl Slate {
    /// A list of so many documents, without those that are hidden.
    pub(super) fn new(reach: usize, hidden: HashSet<String>) -> Self {
        Self {
            reach,
            hidden,
            list: Vec::new(),
        }
    }

    /// Whether it takes no more.
    pub(super) fn is_full(&self) -> bool {
        self.list.len() >= self.reach
    }

    /// How many documents it takes still.
    pub(super) fn missing(&self) -> usize {
        self.reach.saturating_sub(self.list.len())
    }

    /// Whether it would take this document.
    pub(super) fn takes(&self, id: &str) -> bool {
        !self.hidden.contains(id)
    }

    /// The documents it takes no more, those it has among them.
    pub(super) fn hidden(&self) -> Result<Vec<ItemId>, ApiError> {
        let ids = self.hidden.iter().map(ItemId::new);
        Ok(ids.collect::<Result<_, _>>().map_err(EngineError::from)?)
    }

    /// Appends what a source gives, best first.
    pub(super) fn add(&mut self, source: Vec<Scored>) {
        let floor = self.list.last().map(|(_, score)| *score);
        let mut lowered = None;
        for (id, score) in source {
            if self.is_full() {
                break;
            }
            // Whatever stands in the list is hidden for what comes.
            if !self.hidden.insert(id.clone()) {
                continue;
            }
            let lowered = *lowered.get_or_insert(match floor {
                Some(floor) if score >= floor => score - floor + 1.0,
                _ => 0.0,
            });
            self.list.push((id, score - lowered));
        }
    }

    /// A part of the list, by items.
    pub(super) fn part(self, part: Part) -> Vec<Score> {
        let shown = part.of(self.list).into_iter().map(|(id, score)| Score {
            id: ids::item(&id),
            score,
        });
        shown.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_follow_one_another_without_repeats_and_with_falling_scores() {
        let scored = |list: &[(&str, f64)]| {
            let list = list.iter().map(|(id, score)| ((*id).to_owned(), *score));
            list.collect::<Vec<_>>()
        };
        let mut slate = Slate::new(5, HashSet::from(["seen".to_owned()]));
        slate.add(scored(&[("a", 0.5), ("seen", 0.4), ("b", -0.5)]));
        slate.add(scored(&[("b", 100.0), ("c", 90.0), ("d", 80.0)]));
        assert!(!slate.is_full());
        slate.add(scored(&[("e", -20.0), ("f", -30.0)]));
        assert!(slate.is_full());
        let part = Part { n: 10, offset: 1 };
        let shown = slate.part(part);
        let ids: Vec<&str> = shown.iter().map(|score| score.id.as_str()).collect();
        assert_eq!(ids, ["b", "c", "d", "e"]);
        assert!(shown.is_sorted_by(|a, b| a.score >= b.score), "{shown:?}");
    }
}
