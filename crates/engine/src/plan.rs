//! From settings and field roles to what the words index does.
//!
//! `searchableAttributes` names and orders what is searched; when it is unset, the
//! field roles do, with the weights below, and every other text attribute counts little.

use crate::locales;
use crate::settings::{FilterableAttribute, PrefixSearch, ProximityPrecision, Settings};
use crate::snapshot::roles_in_force;
use crate::tables::IndexMeta;
use intake::{Role, Roles};
use lexical::{AnalyzerPlan, IndexPlan, Localized, QueryPlan, RankingRule, Searchable};
use serde_json::{Map, Value};
use text::TypoPolicy;

/// Weights of a role's words in BM25F, measured on a product catalogue
/// (`docs/how-ranking-works.md`).
const ROLE_WEIGHTS: [(Role, f32); 4] = [
    (Role::Title, 3.0),
    (Role::Brand, 1.0),
    (Role::Categories, 1.0),
    (Role::Text, 1.0),
];
/// What shops call the numbers by which an item is known, whatever else it is called.
const IDENTIFIERS: [&str; 12] = [
    "name", "model", "sku", "mpn", "ean", "gtin", "upc", "isbn", "asin", "code", "型号", "货号",
];
const IDENTIFIER_WEIGHT: f32 = 1.0;
/// Weight of attributes that play none of these roles.
const REST_WEIGHT: f32 = 0.2;
/// An explicitly searchable attribute weighs this share of the one listed before it.
const LISTED_DECAY: f32 = 0.85;

/// What is indexed, and how.
pub(crate) fn index_plan(meta: &IndexMeta) -> IndexPlan {
    let (settings, roles) = (&meta.settings, &roles_in_force(meta));
    let (searchable, search_rest) = searchable(settings, roles, &meta.identifiers);
    let mut filterable = filterable_names(settings);
    for role in [Role::Price, Role::Brand, Role::Categories, Role::Stock] {
        filterable.extend(roles.get(role).iter().cloned());
    }
    if settings.freshness.is_some() {
        filterable.extend(roles.first(Role::Created).map(str::to_owned));
    }
    let suitability = settings.suitability.as_ref();
    filterable.extend(suitability.map(|suitability| suitability.item.clone()));
    filterable.sort();
    filterable.dedup();
    IndexPlan {
        searchable,
        search_rest,
        filterable,
        sortable: sortable_names(settings),
        distinct: settings.distinct_attribute.clone(),
        analyzer: AnalyzerPlan {
            english_folding: true,
            dictionary: settings.dictionary.clone().unwrap_or_default(),
            separators: settings.separator_tokens.clone().unwrap_or_default(),
            non_separators: settings.non_separator_tokens.clone().unwrap_or_default(),
        },
        localized: localized(settings),
    }
}

/// Which attributes are in which languages. Without any named, all languages are possible.
fn localized(settings: &Settings) -> Vec<Localized> {
    let rules = settings.localized_attributes.iter().flatten();
    let rules = rules.map(|rule| Localized {
        patterns: rule.attribute_patterns.clone(),
        english: rule.locales.is_empty() || locales::has_english(&rule.locales),
    });
    rules.collect()
}

/// What the shop allows to filter by, as it wrote it.
pub(crate) fn filterable_names(settings: &Settings) -> Vec<String> {
    let mut names = Vec::new();
    for attribute in settings.filterable_attributes.iter().flatten() {
        match attribute {
            FilterableAttribute::Name(name) => names.push(name.clone()),
            FilterableAttribute::Patterns(object) => {
                names.extend(object.attribute_patterns.iter().cloned());
            }
        }
    }
    names
}

/// Sortable attributes, with those that custom ranking rules sort by.
fn sortable_names(settings: &Settings) -> Vec<String> {
    let mut names = settings.sortable_attributes.clone().unwrap_or_default();
    for rule in settings.ranking_rules.iter().flatten() {
        if let Some(RankingRule::Asc(path) | RankingRule::Desc(path)) = ranking_rule(rule) {
            names.push(path);
        }
    }
    names.sort();
    names.dedup();
    names
}

/// Attributes of a first document by which people who know an item would look for it: the
/// primary key, and what shops call model and article numbers.
pub(crate) fn identifiers(primary_key: Option<&str>, document: &Map<String, Value>) -> Vec<String> {
    let usual = |name: &str| {
        IDENTIFIERS
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known))
    };
    let named = |name: &&String| usual(name) || primary_key == Some(name.as_str());
    document.keys().filter(named).cloned().collect()
}

fn searchable(
    settings: &Settings,
    roles: &Roles,
    identifiers: &[String],
) -> (Vec<Searchable>, Option<f32>) {
    let listed = settings.searchable_attributes.as_deref().unwrap_or(&[]);
    let everything = listed.is_empty() || listed.iter().any(|name| name == "*");
    if everything {
        let mut named = Vec::new();
        for (role, weight) in ROLE_WEIGHTS {
            for path in roles.get(role) {
                named.push(Searchable {
                    path: path.clone(),
                    weight,
                });
            }
        }
        for path in identifiers {
            if named.iter().all(|known| known.path != *path) {
                let (path, weight) = (path.clone(), IDENTIFIER_WEIGHT);
                named.push(Searchable { path, weight });
            }
        }
        // In the field that the rest shares one attribute cannot be told from another.
        let typo = settings.typo_tolerance.as_ref();
        for path in typo
            .and_then(|typo| typo.disable_on_attributes.as_ref())
            .into_iter()
            .flatten()
        {
            if named.iter().all(|known| known.path != *path) {
                let (path, weight) = (path.clone(), REST_WEIGHT);
                named.push(Searchable { path, weight });
            }
        }
        return (named, Some(REST_WEIGHT));
    }
    let mut weight = 2.0;
    let mut named = Vec::new();
    for path in listed {
        named.push(Searchable {
            path: path.clone(),
            weight,
        });
        weight *= LISTED_DECAY;
    }
    (named, None)
}

/// What may change without indexing again.
pub(crate) fn query_plan(meta: &IndexMeta) -> QueryPlan {
    let (settings, roles) = (&meta.settings, roles_in_force(meta));
    let typo = settings.typo_tolerance.clone().unwrap_or_default();
    let sizes = typo.min_word_size_for_typos.unwrap_or_default();
    let rules = match &settings.ranking_rules {
        Some(rules) => rules.iter().filter_map(|rule| ranking_rule(rule)).collect(),
        None => crate::settings::DEFAULT_RANKING_RULES
            .iter()
            .filter_map(|rule| ranking_rule(rule))
            .collect(),
    };
    QueryPlan {
        stop_words: settings.stop_words.clone().unwrap_or_default(),
        synonyms: settings
            .synonyms
            .clone()
            .unwrap_or_default()
            .into_iter()
            .collect(),
        typo: TypoPolicy {
            enabled: typo.enabled.unwrap_or(true),
            one_from: usize::from(sizes.one_typo.unwrap_or(5)),
            two_from: usize::from(sizes.two_typos.unwrap_or(9)),
            disabled_words: typo.disable_on_words.unwrap_or_default(),
            no_typos_on_numbers: typo.disable_on_numbers.unwrap_or(false),
        },
        typo_disabled_attributes: typo.disable_on_attributes.unwrap_or_default(),
        prefix: settings.prefix_search != Some(PrefixSearch::Disabled),
        nearness: settings.proximity_precision != Some(ProximityPrecision::ByAttribute),
        ranking_rules: rules,
        brands: roles.get(Role::Brand).to_vec(),
        categories: roles.get(Role::Categories).to_vec(),
    }
}

/// Reads one ranking rule; `None` when it is none.
pub(crate) fn ranking_rule(rule: &str) -> Option<RankingRule> {
    Some(match rule {
        "words" => RankingRule::Words,
        "typo" => RankingRule::Typo,
        "proximity" => RankingRule::Proximity,
        "attribute" | "attributeRank" | "wordPosition" => RankingRule::Attribute,
        "sort" => RankingRule::Sort,
        "exactness" => RankingRule::Exactness,
        other => {
            let (path, order) = other.rsplit_once(':')?;
            if path.is_empty() {
                return None;
            }
            match order {
                "asc" => RankingRule::Asc(path.to_owned()),
                "desc" => RankingRule::Desc(path.to_owned()),
                _ => return None,
            }
        }
    })
}

/// Whether a name or pattern of the settings (`*`, `attr_*`, `specs`) covers an attribute.
pub(crate) fn covers(pattern: &str, attribute: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => attribute.starts_with(prefix),
        None => {
            attribute == pattern
                || attribute
                    .strip_prefix(pattern)
                    .is_some_and(|rest| rest.starts_with('.'))
        }
    }
}
