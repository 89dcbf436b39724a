"""Settings: each is shown, changed, and reset to what it was."""

from shop import ShopTest

CHANGES = [
    ("ranking_rules", ["words", "typo", "price:asc"]),
    ("distinct_attribute", "family"),
    ("searchable_attributes", ["title", "brand"]),
    ("displayed_attributes", ["id", "title"]),
    ("stop_words", ["of", "the"]),
    ("synonyms", {"mug": ["cup"], "cup": ["mug"]}),
    ("filterable_attributes", ["brand", "price"]),
    ("sortable_attributes", ["price"]),
    ("facet_search_settings", False),
    ("dictionary", ["J. R. R."]),
    ("separator_tokens", ["|"]),
    ("non_separator_tokens", ["#"]),
    ("search_cutoff_ms", 150),
]


class Settings(ShopTest):
    def setUp(self):
        super().setUp()
        self.index = self.index_for("py-settings", documents=[])

    def test_plain_settings(self):
        for name, value in CHANGES:
            with self.subTest(name):
                before = getattr(self.index, f"get_{name}")()
                self.done(getattr(self.index, f"update_{name}")(value))
                self.assertEqual(getattr(self.index, f"get_{name}")(), value)
                self.done(getattr(self.index, f"reset_{name}")())
                self.assertEqual(getattr(self.index, f"get_{name}")(), before)

    def test_typo_tolerance(self):
        before = self.index.get_typo_tolerance()
        self.assertEqual(before.min_word_size_for_typos.one_typo, 5)
        self.done(self.index.update_typo_tolerance({
            "enabled": True, "minWordSizeForTypos": {"oneTypo": 6, "twoTypos": 10},
            "disableOnWords": ["nordholm"], "disableOnAttributes": ["brand"],
        }))
        after = self.index.get_typo_tolerance()
        self.assertEqual(after.min_word_size_for_typos.two_typos, 10)
        self.assertEqual((after.disable_on_words, after.disable_on_attributes), (["nordholm"], ["brand"]))
        self.done(self.index.reset_typo_tolerance())
        self.assertEqual(self.index.get_typo_tolerance(), before)

    def test_pagination_and_faceting(self):
        self.done(self.index.update_pagination_settings({"maxTotalHits": 17}))
        self.assertEqual(self.index.get_pagination_settings().max_total_hits, 17)
        self.done(self.index.reset_pagination_settings())
        self.assertEqual(self.index.get_pagination_settings().max_total_hits, 1000)
        change = {"maxValuesPerFacet": 5, "sortFacetValuesBy": {"*": "count"}}
        self.done(self.index.update_faceting_settings(change))
        faceting = self.index.get_faceting_settings()
        self.assertEqual((faceting.max_values_per_facet, faceting.sort_facet_values_by), (5, {"*": "count"}))
        self.done(self.index.reset_faceting_settings())
        self.assertEqual(self.index.get_faceting_settings().sort_facet_values_by, {"*": "alpha"})

    def test_switches(self):
        self.done(self.index.update_prefix_search("disabled"))
        self.assertEqual(self.index.get_prefix_search(), "disabled")
        self.done(self.index.reset_prefix_search())
        self.assertEqual(self.index.get_prefix_search(), "indexingTime")
        self.done(self.index.update_proximity_precision("byAttribute"))
        self.assertEqual(self.index.get_proximity_precision(), "byAttribute")
        self.done(self.index.reset_proximity_precision())
        self.assertEqual(self.index.get_proximity_precision(), "byWord")

    def test_localized_attributes(self):
        self.assertIsNone(self.index.get_localized_attributes())
        rule = {"attributePatterns": ["title*"], "locales": ["eng"]}
        self.done(self.index.update_localized_attributes([rule]))
        self.assertEqual(self.index.get_localized_attributes()[0].locales, ["eng"])
        self.done(self.index.reset_localized_attributes())
        self.assertIsNone(self.index.get_localized_attributes())

    def test_all_at_once(self):
        before = self.index.get_settings()
        self.done(self.index.update_settings({"stopWords": ["a"], "sortableAttributes": ["price"]}))
        self.assertEqual(self.index.get_settings()["stopWords"], ["a"])
        self.done(self.index.reset_settings())
        self.assertEqual(self.index.get_settings(), before)

    def test_wrong_values_are_refused(self):
        self.refused(400, "invalid_settings_ranking_rules", self.index.update_ranking_rules, ["x"])
        self.refused(400, "invalid_settings_stop_words", self.index.update_stop_words, "x")
