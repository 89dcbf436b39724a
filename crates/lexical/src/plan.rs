//! What an index is built from, and what may change without rebuilding it.
//!
//! [`IndexPlan`] decides which words and columns are written, so a change of it
//! means a new index. [`QueryPlan`] is read at query time only: stop words,
//! synonyms, typo rules and ranking rules apply to the very next search.

use serde::{Deserialize, Serialize};

/// Explicit searchable attributes that get a field of their own; further ones share the rest field.
pub(crate) const OWN_FIELDS: usize = 30;

/// How documents become words and columns. A change means the index is built anew.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct IndexPlan {
    /// Most important first: dotted paths; a path also covers what is nested under it.
    /// The first 30 get a field of their own, the others share the rest field.
    pub searchable: Vec<Searchable>,
    /// `Some(weight)`: every other text attribute is searchable too, in one shared field.
    pub search_rest: Option<f32>,
    /// Dotted paths or patterns (`*`, `attr_*`, `specs.*`); a path also covers what is nested under it.
    pub filterable: Vec<String>,
    /// As `filterable`, for sorting.
    pub sortable: Vec<String>,
    /// Of documents with the same value here an answer holds only the best one.
    pub distinct: Option<String>,
    /// How text is cut into words.
    pub analyzer: AnalyzerPlan,
    /// Which attributes are in which languages; the first rule that covers an attribute counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub localized: Vec<Localized>,
}

/// Attributes whose languages are known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Localized {
    /// As [`IndexPlan::filterable`].
    pub patterns: Vec<String>,
    /// Whether English is among the languages.
    pub english: bool,
}

impl IndexPlan {
    /// Whether the words of an attribute are folded as English ones.
    pub(crate) fn is_english(&self, path: &str) -> bool {
        let mut rules = self.localized.iter();
        let rule = rules.find(|rule| covers(&rule.patterns, path));
        rule.is_none_or(|rule| rule.english)
    }

    /// Whether there may be attributes whose words are not folded.
    pub(crate) fn has_other_languages(&self) -> bool {
        self.localized.iter().any(|rule| !rule.english)
    }
}

/// One searchable attribute and how much a word in it counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Searchable {
    pub path: String,
    pub weight: f32,
}

/// [`text::AnalyzerConfig`], in a form that is kept beside the index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AnalyzerPlan {
    /// Plural folding for English catalogues.
    pub english_folding: bool,
    /// Words kept whole when met in the text.
    pub dictionary: Vec<String>,
    /// Extra strings that separate words.
    pub separators: Vec<String>,
    /// Strings that do not separate words although they would.
    pub non_separators: Vec<String>,
}

impl Default for AnalyzerPlan {
    fn default() -> Self {
        let config = text::AnalyzerConfig::default();
        Self {
            english_folding: config.english_folding,
            dictionary: config.dictionary,
            separators: config.separators,
            non_separators: config.non_separators,
        }
    }
}

impl AnalyzerPlan {
    /// The same for text that is not English.
    pub(crate) fn without_english(&self) -> Self {
        Self {
            english_folding: false,
            ..self.clone()
        }
    }

    /// The analyser this plan describes.
    pub fn analyzer(&self) -> text::Analyzer {
        text::Analyzer::new(text::AnalyzerConfig {
            english_folding: self.english_folding,
            dictionary: self.dictionary.clone(),
            separators: self.separators.clone(),
            non_separators: self.non_separators.clone(),
        })
    }
}

/// What may change without rebuilding the index.
#[derive(Clone, Debug)]
pub struct QueryPlan {
    /// Words that never count in a query, unless it has no others.
    pub stop_words: Vec<String>,
    /// A word or several words, and what else they may be called.
    pub synonyms: Vec<(String, Vec<String>)>,
    pub typo: text::TypoPolicy,
    /// Searchable attributes in which a word must be spelt right.
    pub typo_disabled_attributes: Vec<String>,
    /// Whether the last word of a query also stands for longer words.
    pub prefix: bool,
    /// Whether words that stand side by side in a document count for more there.
    pub nearness: bool,
    /// In order of importance.
    pub ranking_rules: Vec<RankingRule>,
    /// Attributes whose values are brands, and those whose values are categories.
    pub brands: Vec<String>,
    pub categories: Vec<String>,
}

impl Default for QueryPlan {
    fn default() -> Self {
        Self {
            stop_words: Vec::new(),
            synonyms: Vec::new(),
            typo: text::TypoPolicy::default(),
            typo_disabled_attributes: Vec::new(),
            prefix: true,
            nearness: true,
            ranking_rules: RankingRule::defaults(),
            brands: Vec::new(),
            categories: Vec::new(),
        }
    }
}

/// One criterion of the order of an answer. See the crate documentation for what each does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RankingRule {
    Words,
    Typo,
    Proximity,
    Attribute,
    /// The sort that the request asks for.
    Sort,
    Exactness,
    /// Small values of an attribute first.
    Asc(String),
    /// Large values of an attribute first.
    Desc(String),
}

impl RankingRule {
    /// The rules of an index that sets none.
    pub fn defaults() -> Vec<Self> {
        vec![
            Self::Words,
            Self::Typo,
            Self::Proximity,
            Self::Attribute,
            Self::Sort,
            Self::Exactness,
        ]
    }
}

/// Whether a path equals `root` or is nested under it.
pub(crate) fn is_under(path: &str, root: &str) -> bool {
    path.strip_prefix(root)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Whether any of the paths or patterns covers an attribute.
pub(crate) fn covers(patterns: &[String], path: &str) -> bool {
    patterns.iter().any(|pattern| pattern_covers(pattern, path))
}

fn pattern_covers(pattern: &str, path: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(""), _) => true,
        (Some(inner), Some(_)) => path.contains(inner.trim_end_matches('*')),
        (Some(end), None) => path.ends_with(end),
        (None, Some(start)) => path.starts_with(start),
        (None, None) => is_under(path, pattern),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cover_what_they_say() {
        for (pattern, path, expected) in [
            ("*", "anything.at.all", true),
            ("attr_*", "attr_colour", true),
            ("attr_*", "colour", false),
            ("*_colour", "attr_colour", true),
            ("*attr*", "my_attr_x", true),
            ("specs.*", "specs.colour", true),
            ("specs.*", "specs", false),
            ("specs", "specs.colour", true),
            ("specs", "specs", true),
            ("specs", "specsheet", false),
            ("specs.colour", "specs", false),
        ] {
            assert_eq!(
                pattern_covers(pattern, path),
                expected,
                "{pattern} on {path}"
            );
        }
    }
}
