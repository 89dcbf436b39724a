//! Settings: each is shown, changed, and reset to what it was.

use meilisearch_sdk::errors::ErrorCode;
use meilisearch_sdk::settings::{
    FacetSortValue, FacetingSettings, FilterFeatureModes, FilterFeatures, FilterableAttribute,
    FilterableAttributesSettings, LocalizedAttributes, MinWordSizeForTypos, PaginationSetting,
    PrefixSearchSettings, Settings, TypoToleranceSettings,
};
use std::collections::{BTreeMap, HashMap};
use vitrine_clients::{done, empty, refused};

/// Changes one setting by its own calls, and resets it.
macro_rules! round_trip {
    ($index:ident, $get:ident, $set:ident, $reset:ident, $value:expr, $given:expr) => {
        let before = $index.$get().await.expect("shown");
        done($index.$set($given).await).await;
        assert_eq!(
            $index.$get().await.expect("shown"),
            $value,
            stringify!($get)
        );
        done($index.$reset().await).await;
        assert_eq!(
            $index.$get().await.expect("shown"),
            before,
            stringify!($reset)
        );
    };
}

#[tokio::test]
async fn lists_of_attributes_and_words() {
    let index = empty("rs-lists", None).await;
    let names = ["title", "brand"];
    round_trip!(
        index,
        get_stop_words,
        set_stop_words,
        reset_stop_words,
        ["of", "the"],
        ["of", "the"]
    );
    round_trip!(
        index,
        get_sortable_attributes,
        set_sortable_attributes,
        reset_sortable_attributes,
        ["brand", "title"],
        names
    );
    round_trip!(
        index,
        get_searchable_attributes,
        set_searchable_attributes,
        reset_searchable_attributes,
        names,
        names
    );
    round_trip!(
        index,
        get_displayed_attributes,
        set_displayed_attributes,
        reset_displayed_attributes,
        names,
        names
    );
    round_trip!(
        index,
        get_dictionary,
        set_dictionary,
        reset_dictionary,
        ["J. R. R."],
        ["J. R. R."]
    );
    let rules = ["words", "typo", "price:asc"];
    round_trip!(
        index,
        get_ranking_rules,
        set_ranking_rules,
        reset_ranking_rules,
        rules,
        rules
    );
    let tokens = vec!["#".to_owned(), "|".to_owned()];
    round_trip!(
        index,
        get_separator_tokens,
        set_separator_tokens,
        reset_separator_tokens,
        tokens,
        &tokens
    );
    round_trip!(
        index,
        get_non_separator_tokens,
        set_non_separator_tokens,
        reset_non_separator_tokens,
        tokens,
        &tokens
    );
    let synonyms = HashMap::from([("mug".to_owned(), vec!["cup".to_owned()])]);
    round_trip!(
        index,
        get_synonyms,
        set_synonyms,
        reset_synonyms,
        synonyms,
        &synonyms
    );
    let brand = Some("brand".to_owned());
    round_trip!(
        index,
        get_distinct_attribute,
        set_distinct_attribute,
        reset_distinct_attribute,
        brand,
        "brand"
    );
    refused(
        index.set_ranking_rules(["nonsense"]).await,
        ErrorCode::InvalidSettingsRankingRules,
    );
}

#[tokio::test]
async fn filterable_attributes_plain_and_with_their_features() {
    let index = empty("rs-filterable", None).await;
    round_trip!(
        index,
        get_filterable_attributes,
        set_filterable_attributes,
        reset_filterable_attributes,
        ["brand"],
        ["brand"]
    );
    let filter = FilterFeatureModes {
        equality: true,
        comparison: false,
    };
    let features = FilterFeatures {
        facet_search: false,
        filter,
    };
    let attribute_patterns = vec!["bra*".to_owned()];
    let wanted = vec![
        FilterableAttribute::Settings(FilterableAttributesSettings {
            attribute_patterns,
            features,
        }),
        FilterableAttribute::Attribute("price".to_owned()),
    ];
    done(
        index
            .set_filterable_attributes_advanced(wanted.clone())
            .await,
    )
    .await;
    assert_eq!(
        index
            .get_filterable_attributes_advanced()
            .await
            .expect("shown"),
        wanted
    );
}

#[tokio::test]
async fn numbers_and_switches() {
    let index = empty("rs-switches", None).await;
    let paging = PaginationSetting { max_total_hits: 17 };
    round_trip!(
        index,
        get_pagination,
        set_pagination,
        reset_pagination,
        paging,
        paging
    );
    let faceting = FacetingSettings {
        max_values_per_facet: 5,
        sort_facet_values_by: Some(BTreeMap::from([("*".to_owned(), FacetSortValue::Count)])),
    };
    round_trip!(
        index,
        get_faceting,
        set_faceting,
        reset_faceting,
        faceting,
        &faceting
    );
    round_trip!(
        index,
        get_search_cutoff_ms,
        set_search_cutoff_ms,
        reset_search_cutoff_ms,
        Some(150),
        Some(150)
    );
    round_trip!(
        index,
        get_facet_search,
        set_facet_search,
        reset_facet_search,
        false,
        false
    );
    let off = PrefixSearchSettings::Disabled;
    round_trip!(
        index,
        get_prefix_search,
        set_prefix_search,
        reset_prefix_search,
        off,
        off.clone()
    );
    let by_attribute = "byAttribute".to_owned();
    round_trip!(
        index,
        get_proximity_precision,
        set_proximity_precision,
        reset_proximity_precision,
        by_attribute,
        by_attribute.clone()
    );
    let typos = TypoToleranceSettings {
        enabled: Some(true),
        disable_on_attributes: Some(vec!["brand".to_owned()]),
        disable_on_words: Some(vec!["kaito".to_owned()]),
        min_word_size_for_typos: Some(MinWordSizeForTypos {
            one_typo: Some(6),
            two_typos: Some(10),
        }),
        disable_on_numbers: Some(true),
    };
    round_trip!(
        index,
        get_typo_tolerance,
        set_typo_tolerance,
        reset_typo_tolerance,
        typos,
        &typos
    );
    let locales = vec![LocalizedAttributes {
        locales: vec!["eng".to_owned()],
        attribute_patterns: vec!["title*".to_owned()],
    }];
    round_trip!(
        index,
        get_localized_attributes,
        set_localized_attributes,
        reset_localized_attributes,
        Some(locales.clone()),
        &locales
    );
}

#[tokio::test]
async fn all_at_once() {
    let index = empty("rs-together", None).await;
    let change = Settings::new()
        .with_stop_words(["a"])
        .with_distinct_attribute(Some("brand"));
    done(index.set_settings(&change).await).await;
    let after = index.get_settings().await.expect("shown");
    assert_eq!(after.stop_words, Some(vec!["a".to_owned()]));
    assert_eq!(after.distinct_attribute, Some(Some("brand".to_owned())));
    assert_eq!(
        after.pagination,
        Some(PaginationSetting {
            max_total_hits: 1000
        })
    );
    done(index.reset_settings().await).await;
    let reset = index.get_settings().await.expect("shown");
    assert_eq!(reset.stop_words, Some(Vec::new()));
}
