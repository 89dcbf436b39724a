//! A [`QueryPlan`] made ready for lookups.
//!
//! Stop words and synonyms pass the same analyser as the documents, once, so
//! that a search only compares finished word forms.

use crate::plan::QueryPlan;
use crate::schema::storable;
use rustc_hash::{FxHashMap, FxHashSet};
use text::Analyzer;

/// See the module documentation.
pub(crate) struct CompiledPlan {
    pub plan: QueryPlan,
    pub stop_words: FxHashSet<String>,
    /// By the first word of what is replaced.
    synonyms: FxHashMap<String, Vec<Synonym>>,
}

/// Words that follow one another, and what else they may be called.
pub(crate) struct Synonym {
    pub words: Vec<String>,
    pub alternatives: Vec<Vec<String>>,
}

impl CompiledPlan {
    pub fn new(plan: &QueryPlan, analyzer: &Analyzer) -> Self {
        let words = |text: &str| -> Vec<String> {
            let tokens = analyzer.query_tokens(text);
            let words = tokens.iter().map(|token| storable(&token.text));
            words.filter(|word| !word.is_empty()).collect()
        };
        let stop_words = plan
            .stop_words
            .iter()
            .flat_map(|text| words(text))
            .collect();
        let mut synonyms: FxHashMap<String, Vec<Synonym>> = FxHashMap::default();
        for (left, right) in &plan.synonyms {
            let left = words(left);
            let Some(first) = left.first().cloned() else {
                continue;
            };
            let alternatives = right.iter().map(|text| words(text));
            synonyms.entry(first).or_default().push(Synonym {
                alternatives: alternatives
                    .filter(|alternative| !alternative.is_empty() && *alternative != left)
                    .collect(),
                words: left,
            });
        }
        Self {
            plan: plan.clone(),
            stop_words,
            synonyms,
        }
    }

    /// The synonyms of a beginning of `words`.
    pub fn synonyms<'a>(&'a self, words: &'a [String]) -> impl Iterator<Item = &'a Synonym> {
        let starting = words.first().and_then(|first| self.synonyms.get(first));
        let starting = starting.into_iter().flatten();
        starting.filter(move |synonym| words.starts_with(&synonym.words))
    }
}
