// Searches: what is found, in what order, and what is shown of it.
import assert from "node:assert/strict";
import { before, after, test } from "node:test";
import { client, done, ids, idsWhere, products, refused, searchSettings } from "../shop.js";

const index = client.index("searched");

before(async () => {
  await client.deleteIndexIfExists("searched");
  await done(client.createIndex("searched", { primaryKey: "id" }));
  await done(index.updateSettings(searchSettings));
  await done(index.addDocuments(products));
});

after(() => client.deleteIndexIfExists("searched"));

async function filtered(filter, predicate) {
  const { hits } = await index.search("", { filter, limit: 100 });
  const shown = ids(hits).sort((a, b) => a - b);
  assert.deepEqual(shown, idsWhere(predicate), JSON.stringify(filter));
}

test("words find titles and descriptions, and the answer has the usual shape", async () => {
  const result = await index.search("enamel mug");
  assert.deepEqual(ids(result.hits).slice(0, 3).sort(), [1, 2, 3]);
  assert.equal(result.query, "enamel mug");
  assert.equal(typeof result.processingTimeMs, "number");
  assert.deepEqual([result.limit, result.offset], [20, 0]);
  assert.equal(result.estimatedTotalHits, result.hits.length);
  for (const absent of ["totalHits", "totalPages", "page", "facetDistribution", "facetStats"]) {
    assert.ok(!(absent in result), absent);
  }
});

test("hits are the documents as they were given", async () => {
  const { hits } = await index.search("beeswax");
  assert.deepEqual(hits, [products[20]]);
});

test("the same search by GET", async () => {
  const options = {
    filter: "price < 12 AND category = Mugs", sort: ["price:desc"], facets: ["brand", "color"],
    attributesToRetrieve: ["id"], limit: 2, offset: 1, showRankingScore: true,
    attributesToHighlight: ["title"], attributesToSearchOn: ["title"], showMatchesPosition: true,
  };
  const posted = await index.search("mug", options);
  const got = await index.searchGet("mug", options);
  assert.deepEqual({ ...got, processingTimeMs: 0 }, { ...posted, processingTimeMs: 0 });
  assert.equal(got.hits.length, 2);
});

test("typos and beginnings are forgiven", async () => {
  assert.deepEqual(ids((await index.search("lavendar")).hits), [22]);
  assert.deepEqual(ids((await index.search("porc")).hits), [4]);
});

test("phrases and excluded words", async () => {
  assert.deepEqual(ids((await index.search('"desk lamp"')).hits).sort(), [10, 9]);
  const without = ids((await index.search("kettle -copper")).hits);
  assert.deepEqual(without, [7]);
});

test("filters of equality", async () => {
  await filtered("brand = Kaito", (p) => p.brand === "Kaito");
  await filtered('brand = "Lumen & Co"', (p) => p.brand === "Lumen & Co");
  await filtered("brand = 'Old Smithy'", (p) => p.brand === "Old Smithy");
  await filtered("brand != Kaito", (p) => p.brand !== "Kaito");
  await filtered("tags = gift", (p) => p.tags.includes("gift"));
  await filtered("id = 7", (p) => p.id === 7);
});

test("filters of comparison", async () => {
  await filtered("price > 50", (p) => p.price > 50);
  await filtered("price >= 49", (p) => p.price >= 49);
  await filtered("price < 9.5", (p) => p.price < 9.5);
  await filtered("price <= 9.5", (p) => p.price <= 9.5);
  await filtered("price 10 TO 30", (p) => p.price >= 10 && p.price <= 30);
  await filtered("sizes.volume >= 1", (p) => (p.sizes?.volume ?? 0) >= 1);
});

test("filters of sets, presence and emptiness", async () => {
  await filtered("color IN [red, blue]", (p) => ["red", "blue"].includes(p.color));
  await filtered("color NOT IN [red, blue]", (p) => !["red", "blue"].includes(p.color));
  await filtered("stock EXISTS", (p) => "stock" in p);
  await filtered("stock NOT EXISTS", (p) => !("stock" in p));
  await filtered("stock IS NULL", (p) => p.stock === null);
  await filtered("stock IS NOT NULL", (p) => p.stock !== null);
  await filtered("tags IS EMPTY", (p) => p.tags.length === 0);
  await filtered("tags IS NOT EMPTY", (p) => p.tags.length > 0);
});

test("filters of text", async () => {
  await client.updateExperimentalFeatures({ containsFilter: true });
  await filtered("brand CONTAINS smith", (p) => p.brand.includes("Smith"));
  await filtered("brand NOT CONTAINS smith", (p) => !p.brand.includes("Smith"));
  await filtered("brand STARTS WITH Lum", (p) => p.brand.startsWith("Lum"));
  await filtered("brand NOT STARTS WITH Lum", (p) => !p.brand.startsWith("Lum"));
});

test("filters joined, nested and as arrays", async () => {
  await filtered(
    "(brand = Kaito OR brand = Bramble) AND NOT price > 100",
    (p) => ["Kaito", "Bramble"].includes(p.brand) && !(p.price > 100),
  );
  await filtered(
    [["color = red", "color = green"], "price < 20"],
    (p) => ["red", "green"].includes(p.color) && p.price < 20,
  );
  await filtered(["brand = Kaito", "price > 20"], (p) => p.brand === "Kaito" && p.price > 20);
  await filtered([], () => true);
});

test("filters by place", async () => {
  const at = (lat, lng) => (p) => p._geo?.lat === lat && p._geo?.lng === lng;
  await filtered("_geoRadius(52.52, 13.405, 5000)", at(52.52, 13.405));
  await filtered("_geoBoundingBox([48.3, 12], [48.0, 11])", at(48.1351, 11.582));
  await filtered("_geoPolygon([53, 9], [54, 9], [54, 11], [53, 11])", at(53.5511, 9.9937));
  await filtered("NOT _geoRadius(52.52, 13.405, 5000)", (p) => !at(52.52, 13.405)(p));
});

test("sorts by value, by two values, and by distance", async () => {
  const sorted = async (...sort) => (await index.search("", { sort, limit: 100 })).hits;
  const ascending = (await sorted("price:asc")).map((hit) => hit.price);
  assert.deepEqual(ascending, products.map((p) => p.price).sort((a, b) => a - b));
  const byTwo = await sorted("rating:desc", "price:asc");
  const expected = [...products].sort((a, b) => b.rating - a.rating || a.price - b.price);
  assert.deepEqual(ids(byTwo), ids(expected));
  const near = await sorted("_geoPoint(48.2, 16.3):asc");
  assert.deepEqual(new Set(ids(near.slice(0, 3))), new Set([4, 10, 16]));
  assert.ok(near[0]._geoDistance < 10_000 && Number.isInteger(near[0]._geoDistance));
  assert.equal(near.at(-1)._geo, undefined);
});

test("facets are counted, with the ends of numbers", async () => {
  const result = await index.search("", { facets: ["brand", "tags", "price"] });
  const counts = (values) => {
    const all = {};
    for (const value of values) all[value] = (all[value] ?? 0) + 1;
    return all;
  };
  assert.deepEqual(result.facetDistribution.brand, counts(products.map((p) => p.brand)));
  assert.deepEqual(result.facetDistribution.tags, counts(products.flatMap((p) => p.tags)));
  assert.equal(result.facetDistribution.price["9.5"], 1);
  assert.equal(result.facetDistribution.price["14"], 1);
  assert.deepEqual(result.facetStats, { price: { min: 6.5, max: 219 } });
  assert.deepEqual(Object.keys(result.facetDistribution.brand), [...new Set(products.map((p) => p.brand))].sort());
  const all = await index.search("", { facets: ["*"] });
  assert.ok("sizes.volume" in all.facetDistribution && "color" in all.facetDistribution);
});

test("matches are highlighted", async () => {
  const { hits } = await index.search("beeswax candle", {
    attributesToHighlight: ["title"], attributesToRetrieve: ["title", "price"], limit: 1,
  });
  assert.equal(hits[0]._formatted.title, "<em>Beeswax</em> <em>candle</em>");
  assert.equal(hits[0].title, "Beeswax candle");
  const own = await index.search("beeswax", {
    attributesToHighlight: ["*"], highlightPreTag: "[", highlightPostTag: "]",
  });
  assert.equal(own.hits[0]._formatted.title, "[Beeswax] candle");
  assert.equal(own.hits[0]._formatted.price, "11");
});

test("of a beginning only the beginning is highlighted", async () => {
  const { hits } = await index.search("bees", { attributesToHighlight: ["title"] });
  assert.equal(hits[0]._formatted.title, "<em>Bees</em>wax candle");
});

test("long texts are cropped around a match", async () => {
  const { hits } = await index.search("honey", {
    attributesToCrop: ["description"], cropLength: 3, cropMarker: "(…)",
  });
  assert.equal(hits[0]._formatted.description, "(…)smells of honey.");
  const own = await index.search("honey", {
    attributesToCrop: ["description:2", "title"], attributesToHighlight: ["description"],
  });
  assert.match(own.hits[0]._formatted.description, /^….*<em>honey<\/em>\.?$/);
});

test("places of matches are told", async () => {
  const { hits } = await index.search("honey", { showMatchesPosition: true });
  const start = products[20].description.indexOf("honey");
  assert.deepEqual(hits[0]._matchesPosition, { description: [{ start, length: 5 }] });
});

test("pages by offset and limit", async () => {
  const all = ids((await index.search("", { limit: 100 })).hits);
  const page = await index.search("", { offset: 10, limit: 5 });
  assert.deepEqual(ids(page.hits), all.slice(10, 15));
  assert.deepEqual([page.offset, page.limit, page.estimatedTotalHits], [10, 5, products.length]);
  const none = await index.search("", { limit: 0 });
  assert.deepEqual([none.hits.length, none.estimatedTotalHits], [0, products.length]);
});

test("pages by number", async () => {
  const all = ids((await index.search("", { limit: 100 })).hits);
  const page = await index.search("", { page: 3, hitsPerPage: 10 });
  assert.deepEqual(ids(page.hits), all.slice(20));
  const { hitsPerPage, totalHits, totalPages } = page;
  assert.deepEqual([page.page, hitsPerPage, totalHits, totalPages], [3, 10, 24, 3]);
  assert.ok(!("estimatedTotalHits" in page) && !("limit" in page) && !("offset" in page));
  const none = await index.search("", { page: 1, hitsPerPage: 0 });
  assert.deepEqual([none.hits.length, none.totalHits, none.totalPages], [0, 24, 0]);
});

test("one of each family", async () => {
  const { hits } = await index.search("", { distinct: "family", limit: 100 });
  const families = hits.map((hit) => hit.family);
  assert.equal(new Set(families).size, families.length);
  assert.equal(families.length, new Set(products.map((p) => p.family)).size);
});

test("words may be dropped or not", async () => {
  const search = async (matchingStrategy) =>
    ids((await index.search("storm lantern teapot", { matchingStrategy })).hits);
  assert.deepEqual(await search("all"), []);
  assert.equal((await search("last"))[0], 12);
  assert.ok((await search("frequency")).length > 0);
});

test("scores are between 0 and 1, told in detail, and a threshold holds", async () => {
  const { hits } = await index.search("desk lamp", {
    showRankingScore: true, showRankingScoreDetails: true,
  });
  const scores = hits.map((hit) => hit._rankingScore);
  assert.ok(scores.every((score) => score >= 0 && score <= 1), String(scores));
  assert.deepEqual(scores, [...scores].sort((a, b) => b - a));
  assert.ok(typeof hits[0]._rankingScoreDetails === "object");
  const rankingScoreThreshold = scores[1];
  const kept = await index.search("desk lamp", { rankingScoreThreshold });
  assert.ok(kept.hits.length < hits.length || scores.every((score) => score >= scores[1]));
  assert.equal(kept.estimatedTotalHits, kept.hits.length);
});

test("only some attributes are searched", async () => {
  assert.deepEqual(ids((await index.search("honey", { attributesToSearchOn: ["description"] })).hits), [21]);
  assert.deepEqual(ids((await index.search("honey", { attributesToSearchOn: ["title"] })).hits), []);
});

test("only some attributes are shown", async () => {
  const { hits } = await index.search("beeswax", { attributesToRetrieve: ["title", "id"] });
  assert.deepEqual(hits, [{ id: 21, title: "Beeswax candle" }]);
});

test("values of a facet are searched", async () => {
  const result = await index.searchForFacetValues({ facetName: "brand", facetQuery: "lum" });
  assert.deepEqual(result.facetHits, [{ value: "Lumen & Co", count: 4 }]);
  assert.equal(result.facetQuery, "lum");
  assert.equal(typeof result.processingTimeMs, "number");
  const narrowed = await index.searchForFacetValues({
    facetName: "brand", q: "kettle", filter: "price > 50",
  });
  assert.deepEqual(narrowed.facetHits, [{ value: "Old Smithy", count: 1 }]);
  assert.equal(narrowed.facetQuery, null);
});

test("found values of a facet are in the order that is set, by name", async () => {
  const { facetHits } = await index.searchForFacetValues({ facetName: "brand" });
  const values = facetHits.map((hit) => hit.value);
  assert.deepEqual(values, [...values].sort());
});

test("languages can be named", async () => {
  assert.deepEqual(ids((await index.search("beeswax", { locales: ["eng"] })).hits), [21]);
});

test("requests are checked", async () => {
  for (const [options, code] of [
    [{ filter: "nonsense = 1" }, "invalid_search_filter"],
    [{ filter: "price >" }, "invalid_search_filter"],
    [{ filter: 7 }, "invalid_search_filter"],
    [{ sort: ["color:asc"] }, "invalid_search_sort"],
    [{ sort: ["price:sideways"] }, "invalid_search_sort"],
    [{ facets: ["nonsense"] }, "invalid_search_facets"],
    [{ limit: -1 }, "invalid_search_limit"],
    [{ offset: "x" }, "invalid_search_offset"],
    [{ page: -1 }, "invalid_search_page"],
    [{ hitsPerPage: "x" }, "invalid_search_hits_per_page"],
    [{ matchingStrategy: "some" }, "invalid_search_matching_strategy"],
    [{ attributesToSearchOn: ["nonsense"] }, "invalid_search_attributes_to_search_on"],
    [{ rankingScoreThreshold: 2 }, "invalid_search_ranking_score_threshold"],
    [{ distinct: "title" }, "invalid_search_distinct"],
    [{ cropLength: "x" }, "invalid_search_crop_length"],
    [{ attributesToHighlight: "title" }, "invalid_search_attributes_to_highlight"],
    [{ nonsense: 1 }, "bad_request"],
  ]) {
    await refused(index.search("", options), 400, code);
  }
  await refused(index.searchForFacetValues({ facetName: "title" }), 400, "invalid_facet_search_facet_name");
  await refused(client.index("nowhere").search(""), 404, "index_not_found");
});
