//! Every setting once: its path, its JSON name, its error code and its default.
//!
//! Routes, error codes and what `GET` shows for unset settings all follow from
//! this table, so that a new setting is one more row.

use crate::error::ApiError;
use crate::fields::{listed, shortened};
use engine::{DEFAULT_FACET_VALUES, DEFAULT_MAX_TOTAL_HITS, DEFAULT_RANKING_RULES, Settings};
use serde_json::{Map, Value, json};

/// How a sub-setting is written: whole values with PUT, objects merged with PATCH.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Put,
    Patch,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// The last part of its route.
    pub(crate) path: &'static str,
    /// The name in JSON.
    pub(crate) name: &'static str,
    pub(crate) code: &'static str,
    pub(crate) verb: Verb,
}

const fn put(path: &'static str, name: &'static str, code: &'static str) -> Setting {
    Setting {
        path,
        name,
        code,
        verb: Verb::Put,
    }
}

const fn patch(path: &'static str, name: &'static str, code: &'static str) -> Setting {
    Setting {
        path,
        name,
        code,
        verb: Verb::Patch,
    }
}

/// The settings of the convention, in the order in which they are shown.
pub(crate) const SETTINGS: [Setting; 21] = [
    put(
        "displayed-attributes",
        "displayedAttributes",
        "invalid_settings_displayed_attributes",
    ),
    put(
        "searchable-attributes",
        "searchableAttributes",
        "invalid_settings_searchable_attributes",
    ),
    put(
        "filterable-attributes",
        "filterableAttributes",
        "invalid_settings_filterable_attributes",
    ),
    put(
        "sortable-attributes",
        "sortableAttributes",
        "invalid_settings_sortable_attributes",
    ),
    put(
        "foreign-keys",
        "foreignKeys",
        "invalid_settings_foreign_keys",
    ),
    put(
        "ranking-rules",
        "rankingRules",
        "invalid_settings_ranking_rules",
    ),
    put("stop-words", "stopWords", "invalid_settings_stop_words"),
    put(
        "non-separator-tokens",
        "nonSeparatorTokens",
        "invalid_settings_non_separator_tokens",
    ),
    put(
        "separator-tokens",
        "separatorTokens",
        "invalid_settings_separator_tokens",
    ),
    put("dictionary", "dictionary", "invalid_settings_dictionary"),
    put("synonyms", "synonyms", "invalid_settings_synonyms"),
    put(
        "distinct-attribute",
        "distinctAttribute",
        "invalid_settings_distinct_attribute",
    ),
    put(
        "proximity-precision",
        "proximityPrecision",
        "invalid_settings_proximity_precision",
    ),
    patch(
        "typo-tolerance",
        "typoTolerance",
        "invalid_settings_typo_tolerance",
    ),
    patch("faceting", "faceting", "invalid_settings_faceting"),
    patch("pagination", "pagination", "invalid_settings_pagination"),
    patch("embedders", "embedders", "invalid_settings_embedders"),
    put(
        "search-cutoff-ms",
        "searchCutoffMs",
        "invalid_settings_search_cutoff_ms",
    ),
    put(
        "localized-attributes",
        "localizedAttributes",
        "invalid_settings_localized_attributes",
    ),
    put(
        "facet-search",
        "facetSearch",
        "invalid_settings_facet_search",
    ),
    put(
        "prefix-search",
        "prefixSearch",
        "invalid_settings_prefix_search",
    ),
];

/// Ours; its `GET` shows more than what is set, so it has handlers of its own.
pub(crate) const ROLES: Setting = put("roles", "roles", "invalid_settings_roles");

/// Ours too; shown where they are set.
pub(crate) const OURS: [Setting; 3] = [
    put(
        "feedback-kinds",
        "feedbackKinds",
        "invalid_settings_feedback_kinds",
    ),
    put("suitability", "suitability", "invalid_settings_suitability"),
    put("freshness", "freshness", "invalid_settings_freshness"),
];

/// Every setting there is.
fn all() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().chain([&ROLES]).chain(&OURS)
}

/// Settings whose order means nothing; they are shown sorted.
const UNORDERED: [&str; 5] = [
    "sortableAttributes",
    "stopWords",
    "nonSeparatorTokens",
    "separatorTokens",
    "dictionary",
];

/// The error code of a setting.
pub(crate) fn code(name: &str) -> Option<&'static str> {
    all()
        .find(|setting| setting.name == name)
        .map(|setting| setting.code)
}

/// The error for a name that is no setting.
pub(crate) fn unknown(name: &str) -> ApiError {
    let known = all().map(|setting| setting.name);
    ApiError::invalid(
        "bad_request",
        format!(
            "Unknown field `{}`: expected one of {}",
            shortened(name),
            listed(known)
        ),
    )
}

/// All settings of an index with the defaults of those that are not set.
pub(crate) fn shown(settings: &Settings) -> Result<Map<String, Value>, serde_json::Error> {
    let mut set = match serde_json::to_value(settings)? {
        Value::Object(set) => set,
        _ => Map::new(),
    };
    let mut shown = Map::new();
    for setting in &SETTINGS {
        let mut value = default(setting.name);
        if let Some(own) = set.remove(setting.name) {
            overlay(&mut value, own, setting.name);
        }
        if let (true, Value::Array(list)) = (UNORDERED.contains(&setting.name), &mut value) {
            list.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
        }
        shown.insert(setting.name.to_owned(), value);
    }
    for setting in OURS.iter().chain([&ROLES]) {
        let own = set.remove(setting.name);
        shown.extend(own.map(|own| (setting.name.to_owned(), own)));
    }
    Ok(shown)
}

/// What a setting means when it is not set.
fn default(name: &str) -> Value {
    match name {
        "displayedAttributes" | "searchableAttributes" => json!(["*"]),
        "rankingRules" => json!(DEFAULT_RANKING_RULES),
        "synonyms" | "embedders" => json!({}),
        "distinctAttribute" | "searchCutoffMs" | "localizedAttributes" => Value::Null,
        "proximityPrecision" => json!("byWord"),
        "prefixSearch" => json!("indexingTime"),
        "facetSearch" => json!(true),
        "typoTolerance" => json!({
            "enabled": true,
            "minWordSizeForTypos": { "oneTypo": 5, "twoTypos": 9 },
            "disableOnWords": [],
            "disableOnAttributes": [],
            "disableOnNumbers": false,
        }),
        "faceting" => {
            json!({ "maxValuesPerFacet": DEFAULT_FACET_VALUES, "sortFacetValuesBy": { "*": "alpha" } })
        }
        "pagination" => json!({ "maxTotalHits": DEFAULT_MAX_TOTAL_HITS }),
        _ => json!([]),
    }
}

/// Lays what is set over the default; `typoTolerance` and its like key by key.
fn overlay(value: &mut Value, own: Value, name: &str) {
    let merged = matches!(
        name,
        "typoTolerance" | "minWordSizeForTypos" | "faceting" | "sortFacetValuesBy" | "pagination"
    );
    match (value, own) {
        (Value::Object(fields), Value::Object(own)) if merged => {
            for (key, inner) in own {
                overlay(
                    fields.entry(key.clone()).or_insert(Value::Null),
                    inner,
                    &key,
                );
            }
        }
        (slot, own) => *slot = own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_of_the_engine_has_a_route() {
        for name in Settings::NAMES {
            assert!(code(name).is_some(), "{name}");
        }
        assert_eq!(Settings::NAMES.len(), all().count());
    }

    #[test]
    fn what_is_set_is_laid_over_the_defaults() {
        let settings: Settings = serde_json::from_value(json!({
            "stopWords": ["the", "a"],
            "typoTolerance": { "minWordSizeForTypos": { "oneTypo": 4 } },
            "faceting": { "sortFacetValuesBy": { "brand": "count" } },
        }))
        .expect("good settings");
        let shown = shown(&settings).expect("serialises");
        assert_eq!(shown["stopWords"], json!(["a", "the"]));
        assert_eq!(
            shown["typoTolerance"]["minWordSizeForTypos"],
            json!({ "oneTypo": 4, "twoTypos": 9 })
        );
        assert_eq!(shown["typoTolerance"]["enabled"], json!(true));
        assert_eq!(
            shown["faceting"],
            json!({ "maxValuesPerFacet": DEFAULT_FACET_VALUES, "sortFacetValuesBy": { "*": "alpha", "brand": "count" } })
        );
        assert_eq!(shown["distinctAttribute"], Value::Null);
        assert_eq!(shown.len(), SETTINGS.len());
    }
}
