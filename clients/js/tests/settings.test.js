// Settings: each is shown, changed, seen to take effect, and reset to what it was.
import assert from "node:assert/strict";
import { test } from "node:test";
import { client, done, fails, ids, indexFor, products, refused } from "../shop.js";

/** Changes one setting by its own methods, looks at the effect, and resets it. */
async function roundTrip(index, name, value, effect = async () => {}) {
  const before = await index[`get${name}`]();
  const task = await done(index[`update${name}`](value));
  assert.equal(task.type, "settingsUpdate");
  const shown = await index[`get${name}`]();
  if (value !== null && typeof value === "object" && !Array.isArray(value)) {
    assert.deepEqual({ ...shown, ...value }, shown, name);
  } else {
    assert.deepEqual(shown, value, name);
  }
  await effect();
  await done(index[`reset${name}`]());
  assert.deepEqual(await index[`get${name}`](), before, `${name} after its reset`);
}

async function found(index, query, options) {
  return ids((await index.search(query, options)).hits).sort((a, b) => a - b);
}

test("a new index has the usual settings", async (t) => {
  const index = await indexFor(t, "usual", undefined, []);
  const settings = await index.getSettings();
  const usual = {
    displayedAttributes: ["*"],
    searchableAttributes: ["*"],
    filterableAttributes: [],
    sortableAttributes: [],
    rankingRules: ["words", "typo", "proximity", "attributeRank", "sort", "wordPosition", "exactness"],
    stopWords: [],
    nonSeparatorTokens: [],
    separatorTokens: [],
    dictionary: [],
    synonyms: {},
    distinctAttribute: null,
    proximityPrecision: "byWord",
    typoTolerance: {
      enabled: true,
      minWordSizeForTypos: { oneTypo: 5, twoTypos: 9 },
      disableOnWords: [],
      disableOnAttributes: [],
      disableOnNumbers: false,
    },
    faceting: { maxValuesPerFacet: 100, sortFacetValuesBy: { "*": "alpha" } },
    pagination: { maxTotalHits: 1000 },
    embedders: {},
    searchCutoffMs: null,
    localizedAttributes: null,
    facetSearch: true,
    prefixSearch: "indexingTime",
  };
  const { rankingRules, ...others } = settings;
  for (const [name, value] of Object.entries(others)) {
    if (name in usual) {
      assert.deepEqual(value, usual[name], name);
    }
  }
  for (const name of Object.keys(usual)) {
    assert.ok(name in settings, `${name} is missing`);
  }
  for (const rule of ["words", "typo", "proximity", "sort", "exactness"]) {
    assert.ok(rankingRules.includes(rule), rule);
  }
});

test("several settings change at once, null resets one, and all are reset", async (t) => {
  const index = await indexFor(t, "together", undefined, []);
  const before = await index.getSettings();
  const change = {
    stopWords: ["the"],
    synonyms: { mug: ["cup"] },
    filterableAttributes: ["brand"],
    pagination: { maxTotalHits: 7 },
  };
  const task = await done(index.updateSettings(change));
  assert.deepEqual(task.details, { ...task.details, ...change });
  const after = await index.getSettings();
  assert.deepEqual(after, { ...before, ...change });
  await done(index.updateSettings({ stopWords: null }));
  assert.deepEqual(await index.getSettings(), { ...after, stopWords: [] });
  await done(index.resetSettings());
  assert.deepEqual(await index.getSettings(), before);
});

test("settings of an index that is not there make it, or are not found", async (t) => {
  t.after(() => client.deleteIndexIfExists("by-settings"));
  await done(client.index("by-settings").updateSettings({ stopWords: ["a"] }));
  assert.deepEqual(await client.index("by-settings").getStopWords(), ["a"]);
  await refused(client.index("nowhere").getSettings(), 404, "index_not_found");
  await fails(client.index("nowhere").resetSettings(), "index_not_found");
});

test("searchable attributes", async (t) => {
  const index = await indexFor(t, "searchable");
  assert.deepEqual(await found(index, "honey"), [21]);
  await roundTrip(index, "SearchableAttributes", ["title"], async () => {
    assert.deepEqual(await found(index, "honey"), []);
    assert.deepEqual(await found(index, "beeswax"), [21]);
  });
  assert.deepEqual(await found(index, "honey"), [21]);
});

test("displayed attributes", async (t) => {
  const index = await indexFor(t, "displayed");
  await roundTrip(index, "DisplayedAttributes", ["id", "title"], async () => {
    const { hits } = await index.search("beeswax");
    assert.deepEqual(hits, [{ id: 21, title: "Beeswax candle" }]);
    assert.deepEqual(await index.getDocument(21), products[20], "only searches leave them out");
  });
});

test("filterable attributes, plain and with their features", async (t) => {
  const index = await indexFor(t, "filterable");
  await refused(index.search("", { filter: "brand = Kaito" }), 400, "invalid_search_filter");
  await roundTrip(index, "FilterableAttributes", ["brand"], async () => {
    assert.deepEqual(await found(index, "", { filter: "brand = Kaito" }), [5, 6, 11]);
  });
  const granular = {
    attributePatterns: ["bra*"],
    features: { facetSearch: false, filter: { equality: true, comparison: false } },
  };
  await roundTrip(index, "FilterableAttributes", [granular, "price"], async () => {
    assert.deepEqual(await found(index, "", { filter: "brand = Kaito" }), [5, 6, 11]);
    await refused(index.search("", { filter: "brand > 3" }), 400, "invalid_search_filter");
    await refused(
      index.searchForFacetValues({ facetName: "brand" }), 400, "invalid_facet_search_facet_name",
    );
  });
});

test("sortable attributes", async (t) => {
  const index = await indexFor(t, "sortable");
  await refused(index.search("", { sort: ["price:asc"] }), 400, "invalid_search_sort");
  await roundTrip(index, "SortableAttributes", ["price"], async () => {
    const { hits } = await index.search("", { sort: ["price:asc"], limit: 2 });
    assert.deepEqual(ids(hits), [18, 19]);
  });
});

test("ranking rules", async (t) => {
  const index = await indexFor(t, "ranked");
  const rules = ["price:desc", "words", "typo", "proximity", "attribute", "sort", "exactness"];
  await roundTrip(index, "RankingRules", rules, async () => {
    const { hits } = await index.search("lamp");
    assert.deepEqual(ids(hits).slice(0, 2), [10, 9]);
    const all = await index.search("", { limit: 3 });
    assert.deepEqual(ids(all.hits), [15, 24, 13]);
  });
  await refused(index.updateRankingRules(["nonsense"]), 400, "invalid_settings_ranking_rules");
});

test("stop words", async (t) => {
  const index = await indexFor(t, "stopped");
  await roundTrip(index, "StopWords", ["with"], async () => {
    const { hits } = await index.search("with honey", { matchingStrategy: "all" });
    assert.deepEqual(ids(hits), [21]);
  });
});

test("synonyms", async (t) => {
  const index = await indexFor(t, "synonyms");
  assert.deepEqual(await found(index, "taper"), []);
  await roundTrip(index, "Synonyms", { taper: ["candle"] }, async () => {
    assert.deepEqual(await found(index, "taper"), [21, 22, 23]);
  });
});

test("distinct attribute", async (t) => {
  const index = await indexFor(t, "distinct", { filterableAttributes: ["family"] });
  await roundTrip(index, "DistinctAttribute", "family", async () => {
    const result = await index.search("enamel");
    assert.equal(result.hits.length, 1);
  });
});

test("typo tolerance", async (t) => {
  const index = await indexFor(t, "typos", { searchableAttributes: ["title", "description"] });
  assert.deepEqual(await found(index, "porcelian"), [4]);
  await roundTrip(index, "TypoTolerance", { enabled: false }, async () => {
    assert.deepEqual(await found(index, "porcelian"), []);
  });
  await roundTrip(index, "TypoTolerance", { disableOnWords: ["porcelian"] }, async () => {
    assert.deepEqual(await found(index, "porcelian"), []);
  });
  await roundTrip(index, "TypoTolerance", { disableOnAttributes: ["title", "description"] }, async () => {
    assert.deepEqual(await found(index, "porcelian"), []);
  });
  const sizes = { minWordSizeForTypos: { oneTypo: 10, twoTypos: 12 } };
  await roundTrip(index, "TypoTolerance", sizes, async () => {
    assert.deepEqual(await found(index, "porcelian"), []);
  });
  await roundTrip(index, "TypoTolerance", { disableOnNumbers: true });
  const wrong = { minWordSizeForTypos: { oneTypo: 9, twoTypos: 5 } };
  await refused(index.updateTypoTolerance(wrong), 400, "invalid_settings_typo_tolerance");
});

test("faceting", async (t) => {
  const index = await indexFor(t, "faceting", { filterableAttributes: ["brand"] });
  const change = { maxValuesPerFacet: 2, sortFacetValuesBy: { "*": "alpha", brand: "count" } };
  await roundTrip(index, "Faceting", change, async () => {
    const { facetDistribution } = await index.search("", { facets: ["brand"] });
    assert.deepEqual(Object.entries(facetDistribution.brand), [["Bramble", 5], ["Old Smithy", 5]]);
  });
});

test("pagination", async (t) => {
  const index = await indexFor(t, "paginated");
  await roundTrip(index, "Pagination", { maxTotalHits: 3 }, async () => {
    assert.equal((await index.search("", { limit: 10 })).hits.length, 3);
    const paged = await index.search("", { page: 1, hitsPerPage: 2 });
    assert.deepEqual([paged.totalHits, paged.totalPages], [3, 2]);
  });
});

test("separators and words of one's own", async (t) => {
  const index = await indexFor(t, "tokens", undefined, [
    { id: 1, title: "alpha|beta" }, { id: 2, title: "c# course" }, { id: 3, title: "J. R. R. Tolkien" },
  ]);
  await roundTrip(index, "SeparatorTokens", ["|"], async () => {
    assert.deepEqual(await found(index, "beta"), [1]);
  });
  await roundTrip(index, "NonSeparatorTokens", ["#"], async () => {
    assert.deepEqual(await found(index, "c#"), [2]);
  });
  await roundTrip(index, "Dictionary", ["J. R. R."], async () => {
    assert.deepEqual(await found(index, "J. R. R."), [3]);
  });
});

test("prefix search and facet search can be turned off", async (t) => {
  const index = await indexFor(t, "switches", { filterableAttributes: ["brand"] });
  assert.deepEqual(await found(index, "bees"), [21]);
  await roundTrip(index, "PrefixSearch", "disabled", async () => {
    assert.deepEqual(await found(index, "bees"), []);
  });
  await roundTrip(index, "FacetSearch", false, async () => {
    await refused(index.searchForFacetValues({ facetName: "brand" }), 400, "facet_search_disabled");
  });
  const { facetHits } = await index.searchForFacetValues({ facetName: "brand" });
  assert.equal(facetHits.length, 6);
});

test("settings that are kept", async (t) => {
  const index = await indexFor(t, "kept");
  await roundTrip(index, "ProximityPrecision", "byAttribute");
  await roundTrip(index, "SearchCutoffMs", 150);
  await roundTrip(index, "LocalizedAttributes", [
    { attributePatterns: ["title*"], locales: ["eng", "deu"] },
  ]);
});

test("settings are checked", async (t) => {
  const index = await indexFor(t, "settings-checked", undefined, []);
  for (const [name, value, code] of [
    ["StopWords", "the", "invalid_settings_stop_words"],
    ["Synonyms", ["a"], "invalid_settings_synonyms"],
    ["FilterableAttributes", "brand", "invalid_settings_filterable_attributes"],
    ["SortableAttributes", 7, "invalid_settings_sortable_attributes"],
    ["SearchableAttributes", { a: 1 }, "invalid_settings_searchable_attributes"],
    ["DisplayedAttributes", "x", "invalid_settings_displayed_attributes"],
    ["DistinctAttribute", ["x"], "invalid_settings_distinct_attribute"],
    ["Pagination", { maxTotalHits: "x" }, "invalid_settings_pagination"],
    ["Faceting", { maxValuesPerFacet: [] }, "invalid_settings_faceting"],
    ["ProximityPrecision", "byFoot", "invalid_settings_proximity_precision"],
    ["PrefixSearch", "always", "invalid_settings_prefix_search"],
    ["SearchCutoffMs", "x", "invalid_settings_search_cutoff_ms"],
    ["Dictionary", "x", "invalid_settings_dictionary"],
    ["SeparatorTokens", "x", "invalid_settings_separator_tokens"],
    ["NonSeparatorTokens", "x", "invalid_settings_non_separator_tokens"],
    ["LocalizedAttributes", "x", "invalid_settings_localized_attributes"],
    ["FacetSearch", "x", "invalid_settings_facet_search"],
  ]) {
    await refused(index[`update${name}`](value), 400, code);
  }
  assert.equal((await index.getStats()).numberOfDocuments, 0);
  assert.equal(products.length, 24);
});
