//! Settings of one index, in the words of the Meilisearch convention.
//!
//! A setting that was never set is `None` and means its default; a patch with
//! `null` puts it back. Field roles are ours; everything else is the convention's.

use crate::locales::LOCALES;
use domain::EventKind;
use intake::Roles;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What a shop has set. Serialises only what is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ranking_rules: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub searchable_attributes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub displayed_attributes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filterable_attributes: Option<Vec<FilterableAttribute>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sortable_attributes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distinct_attribute: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_words: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synonyms: Option<BTreeMap<String, Vec<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub typo_tolerance: Option<TypoTolerance>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub faceting: Option<Faceting>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pagination: Option<Pagination>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dictionary: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub separator_tokens: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub non_separator_tokens: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proximity_precision: Option<ProximityPrecision>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_search: Option<PrefixSearch>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facet_search: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search_cutoff_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub localized_attributes: Option<Vec<LocalizedAttributes>>,
    /// Where vectors come from, by the name of the embedder; see `meaning::embedders`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embedders: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub foreign_keys: Option<Vec<Value>>,
    /// Which attribute plays which role; guessed from the first documents unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<Roles>,
    /// Which event a kind of feedback is, in the shop's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feedback_kinds: Option<BTreeMap<String, EventKind>>,
    /// Which items a shopper may be shown, by a class that both have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suitability: Option<Suitability>,
    /// How fast items age in recommendations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freshness: Option<Freshness>,
}

/// An item suits a shopper when its class is no higher than the shopper's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Suitability {
    /// The attribute of documents with the class, a number.
    pub item: String,
    /// The attribute of shoppers' records with theirs; a dotted path.
    pub shopper: String,
}

/// How fast items age, from the time in the attribute of the role `created`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Freshness {
    /// After so many hours an item has lost half of what being new is worth.
    pub half_life_hours: f64,
}

/// The longest half-life: a hundred years.
const LONGEST_HALF_LIFE: f64 = 876_600.0;

/// A name or pattern, or the convention's object form with `attributePatterns`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FilterableAttribute {
    Name(String),
    Patterns(FilterablePatterns),
}

/// The object form of a filterable attribute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FilterablePatterns {
    pub attribute_patterns: Vec<String>,
    #[serde(default)]
    pub features: FilterFeatures,
}

/// What may be done with filterable attributes. Left out, as the convention has it, it is
/// less than for a plain name, with which everything may be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct FilterFeatures {
    pub facet_search: bool,
    pub filter: FilterOperators,
}

/// Which conditions a filter may set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct FilterOperators {
    /// `=`, `!=`, `IN` and parts of texts.
    pub equality: bool,
    /// `<`, `<=`, `>`, `>=` and `TO`.
    pub comparison: bool,
}

impl Default for FilterOperators {
    fn default() -> Self {
        Self {
            equality: true,
            comparison: false,
        }
    }
}

impl FilterFeatures {
    /// What may be done with an attribute that is simply named.
    pub const ALL: Self = Self {
        facet_search: true,
        filter: FilterOperators {
            equality: true,
            comparison: true,
        },
    };
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TypoTolerance {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_word_size_for_typos: Option<MinWordSize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disable_on_words: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disable_on_attributes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disable_on_numbers: Option<bool>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct MinWordSize {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_typo: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub two_typos: Option<u8>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Faceting {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_values_per_facet: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort_facet_values_by: Option<BTreeMap<String, FacetSort>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FacetSort {
    Alpha,
    Count,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Pagination {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_total_hits: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ProximityPrecision {
    ByWord,
    ByAttribute,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PrefixSearch {
    IndexingTime,
    Disabled,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LocalizedAttributes {
    pub attribute_patterns: Vec<String>,
    pub locales: Vec<String>,
}

/// The ranking rules of an index that has not set its own.
pub const DEFAULT_RANKING_RULES: [&str; 6] = [
    "words",
    "typo",
    "proximity",
    "attribute",
    "sort",
    "exactness",
];
/// `faceting.maxValuesPerFacet` when unset.
pub const DEFAULT_FACET_VALUES: usize = 100;
/// `pagination.maxTotalHits` when unset.
pub const DEFAULT_MAX_TOTAL_HITS: usize = 1000;

/// A refused setting: which one, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid value for the setting `{setting}`: {reason}")]
pub struct SettingsError {
    /// The name as in JSON, e.g. `sortableAttributes`; empty when the whole body is wrong.
    pub setting: String,
    pub reason: String,
}

/// A checked change of settings. `null` resets a setting, a missing one stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SettingsPatch(Map<String, Value>);

impl SettingsPatch {
    /// Checks every named setting by itself, so that the error names the one at fault.
    pub fn new(changes: Map<String, Value>) -> Result<Self, SettingsError> {
        for (name, value) in &changes {
            if value.is_null() && Settings::is_known(name) {
                continue;
            }
            let one = Map::from_iter([(name.clone(), value.clone())]);
            let settings: Settings =
                serde_json::from_value(Value::Object(one)).map_err(|err| SettingsError {
                    setting: name.clone(),
                    reason: err.to_string(),
                })?;
            settings.check(name)?;
        }
        Ok(Self(changes))
    }

    /// A patch that resets every setting.
    pub fn reset_all() -> Self {
        Self(
            Settings::NAMES
                .iter()
                .map(|name| ((*name).to_owned(), Value::Null))
                .collect(),
        )
    }

    /// The changes as given.
    pub fn changes(&self) -> &Map<String, Value> {
        &self.0
    }
}

impl Settings {
    /// The names of all settings in JSON.
    pub const NAMES: [&'static str; 25] = [
        "rankingRules",
        "searchableAttributes",
        "displayedAttributes",
        "filterableAttributes",
        "sortableAttributes",
        "distinctAttribute",
        "stopWords",
        "synonyms",
        "typoTolerance",
        "faceting",
        "pagination",
        "dictionary",
        "separatorTokens",
        "nonSeparatorTokens",
        "proximityPrecision",
        "prefixSearch",
        "facetSearch",
        "searchCutoffMs",
        "localizedAttributes",
        "embedders",
        "foreignKeys",
        "roles",
        "feedbackKinds",
        "suitability",
        "freshness",
    ];

    fn is_known(name: &str) -> bool {
        Self::NAMES.contains(&name)
    }

    /// The settings after a patch. Objects (`typoTolerance`, `faceting`, `pagination`) are
    /// merged key by key; everything else is replaced.
    pub fn patched(&self, patch: &SettingsPatch) -> Result<Self, SettingsError> {
        let whole = |reason: String| SettingsError {
            setting: String::new(),
            reason,
        };
        let Value::Object(mut merged) =
            serde_json::to_value(self).map_err(|err| whole(err.to_string()))?
        else {
            return Err(whole("settings are an object".to_owned()));
        };
        for (name, value) in patch.changes() {
            merge(&mut merged, name, value);
        }
        serde_json::from_value(Value::Object(merged)).map_err(|err| whole(err.to_string()))
    }

    fn check(&self, name: &str) -> Result<(), SettingsError> {
        let refuse = |reason: String| {
            Err(SettingsError {
                setting: name.to_owned(),
                reason,
            })
        };
        for rule in self.ranking_rules.iter().flatten() {
            if let Some(word) = ["_geoPoint", "_geoDistance", "_geoRadius", "_geoBoundingBox"]
                .into_iter()
                .find(|word| rule.starts_with(word))
            {
                return refuse(format!(
                    "`{rule}` ranking rule is invalid: `{word}` is a reserved keyword and can only be used for sorting or filtering at search time."
                ));
            }
            if crate::plan::ranking_rule(rule).is_none() {
                return refuse(format!(
                    "`{rule}` ranking rule is invalid. Valid ranking rules are words, typo, sort, proximity, attribute, exactness and custom ranking rules (`price:asc`, `price:desc`)."
                ));
            }
        }
        for (place, rule) in self.localized_attributes.iter().flatten().enumerate() {
            let known = |locale: &&String| LOCALES.contains(&locale.as_str());
            if let Some(unknown) = rule.locales.iter().find(|locale| !known(locale)) {
                return refuse(format!(
                    "unknown value `{unknown}` at `[{place}].locales`: expected one of `{}`",
                    LOCALES.join("`, `")
                ));
            }
        }
        if let Some(embedders) = &self.embedders
            && let Err(why) = crate::meaning::check_embedders(embedders)
        {
            return refuse(why);
        }
        if let Some(suitability) = &self.suitability
            && (suitability.item.is_empty() || suitability.shopper.is_empty())
        {
            return refuse("`item` and `shopper` name an attribute each".to_owned());
        }
        if let Some(Freshness { half_life_hours }) = self.freshness
            && !(half_life_hours > 0.0 && half_life_hours <= LONGEST_HALF_LIFE)
        {
            return refuse(format!(
                "`halfLifeHours` is a number above 0 and up to {LONGEST_HALF_LIFE}, not {half_life_hours}"
            ));
        }
        if let Some(typo) = &self.typo_tolerance
            && let Some(MinWordSize {
                one_typo: Some(one),
                two_typos: Some(two),
            }) = typo.min_word_size_for_typos
            && one > two
        {
            return refuse(format!(
                "`minWordSizeForTypos` setting is invalid. `oneTypo` and `twoTypos` fields should be between `0` and `255`, and `twoTypos` should be greater or equals to `oneTypo` but found `oneTypo: {one}` and twoTypos: {two}`."
            ));
        }
        Ok(())
    }
}

/// Whether a patch, as JSON text, sets nothing and resets something.
pub(crate) fn only_resets(patch: &str) -> bool {
    let changes: Map<String, Value> = serde_json::from_str(patch).unwrap_or_default();
    !changes.is_empty() && changes.values().all(Value::is_null)
}

fn merge(into: &mut Map<String, Value>, name: &str, value: &Value) {
    let deep = matches!(
        name,
        "typoTolerance" | "faceting" | "pagination" | "minWordSizeForTypos"
    );
    match value {
        Value::Null => {
            into.remove(name);
        }
        Value::Object(changes) if deep => {
            let slot = into
                .entry(name.to_owned())
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = slot {
                for (key, change) in changes {
                    merge(inner, key, change);
                }
            }
        }
        other => {
            into.insert(name.to_owned(), other.clone());
        }
    }
}
