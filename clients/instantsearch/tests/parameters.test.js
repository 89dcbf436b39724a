// Parameters without a widget to click: configured filters, places, and those of the adapter.
import assert from "node:assert/strict";
import { once } from "node:events";
import { before, test } from "node:test";
import { idsWhere, Page, products, stock } from "../shop.js";

before(() => stock("parameters"));

async function configured(context, searchParameters, { query = "", ...options } = {}) {
  const page = new Page("parameters", { ...options, uiState: { query } });
  page.with("box", "SearchBox").with("configure", "Configure", { searchParameters });
  context.after(() => page.leave());
  return page.start();
}

test("filters are handed through", async (t) => {
  const page = await configured(t, { filters: "price < 10 AND warehouse = north" });
  assert.deepEqual(page.sortedIds, idsWhere((p) => p.price < 10 && p.warehouse === "north"));
});

test("facet filters are joined by and, inner ones by or", async (t) => {
  const page = await configured(t, {
    facetFilters: [["brand:Kaito", "brand:Lumen & Co"], "color:white"],
  });
  const expected = idsWhere((p) => ["Kaito", "Lumen & Co"].includes(p.brand) && p.color === "white");
  assert.deepEqual(page.sortedIds, expected);
});

test("numeric filters", async (t) => {
  const page = await configured(t, { numericFilters: ["price>=100"] });
  assert.deepEqual(page.sortedIds, idsWhere((p) => p.price >= 100));
});

test("only some attributes are retrieved and searched", async (t) => {
  const page = await configured(
    t, { attributesToRetrieve: ["id", "title"], restrictSearchableAttributes: ["title"] }, { query: "honey" },
  );
  assert.deepEqual(page.ids, []);
  const other = await configured(t, { attributesToRetrieve: ["id", "title"] }, { query: "honey" });
  const { id, title, price } = other.hits[0];
  assert.deepEqual([id, title, price], [21, "Beeswax candle", undefined]);
});

test("no hits can be asked for", async (t) => {
  const page = await configured(t, { hitsPerPage: 0 });
  assert.deepEqual(page.ids, []);
});

test("a place and a radius", async (t) => {
  const page = await configured(t, { aroundLatLng: "52.52, 13.405", aroundRadius: 10_000 });
  assert.deepEqual(page.sortedIds, idsWhere((p) => p._geo?.lat === 52.52));
  assert.deepEqual(page.hits[0]._geoloc ?? page.hits[0]._geo, { lat: 52.52, lng: 13.405 });
});

test("a box on the map", async (t) => {
  const page = await configured(t, { insideBoundingBox: "48.3,12,48.0,11" });
  assert.deepEqual(page.sortedIds, idsWhere((p) => p._geo?.lat === 48.1351));
});

test("a shape on the map", async (t) => {
  const page = await configured(t, { insidePolygon: [[53, 9], [54, 9], [54, 11], [53, 11]] });
  assert.deepEqual(page.sortedIds, idsWhere((p) => p._geo?.lat === 53.5511));
});

test("the map widget searches where it is moved to", async (t) => {
  const page = new Page("parameters").with("map", "GeoSearch");
  t.after(() => page.leave());
  await page.start();
  assert.ok(page.shown.map.items.length > 0);
  assert.ok(page.shown.map.items.every((item) => Number.isFinite(item._geoloc.lat)));
  await page.act(({ map }) => map.refine({
    northEast: { lat: 48.3, lng: 12 }, southWest: { lat: 48.0, lng: 11 },
  }));
  assert.deepEqual(page.sortedIds, idsWhere((p) => p._geo?.lat === 48.1351));
});

test("the adapter's own parameters", async (t) => {
  const meiliSearchParams = {
    matchingStrategy: "all", showRankingScore: true, showMatchesPosition: true,
    attributesToSearchOn: ["title"], sort: ["price:desc"], distinct: "brand",
    highlightPreTag: "<b>", highlightPostTag: "</b>", rankingScoreThreshold: 0.1,
  };
  const page = await configured(t, {}, { query: "lamp", options: { meiliSearchParams, primaryKey: "id" } });
  assert.equal(page.ids.length, 1);
  const [hit] = page.hits;
  assert.equal(hit.objectID, hit.id);
  assert.ok(hit._rankingScore > 0);
  assert.ok(hit._matchesPosition.title.length > 0);
});

test("zero counts can be kept, and an empty search box can show nothing", async (t) => {
  const page = new Page("parameters", { options: { keepZeroFacets: true, placeholderSearch: false } });
  page.with("box", "SearchBox").with("brands", "RefinementList", { attribute: "brand" });
  t.after(() => page.leave());
  await page.start();
  assert.deepEqual(page.ids, []);
  await page.act(({ box }) => box.refine("teapot"));
  const zeros = page.shown.brands.items.filter((item) => item.count === 0);
  assert.equal(zeros.length, new Set(products.map((p) => p.brand)).size - page.shown.brands.items.filter((item) => item.count > 0).length);
});

test("a missing index is an error that the page is told of", async (t) => {
  const page = new Page("nowhere");
  t.after(() => page.leave());
  t.mock.method(console, "error", () => {});
  const told = once(page.search, "error").catch((error) => [error]);
  page.search.start();
  const [{ error }] = await told;
  assert.match(error.message, /`nowhere` not found/);
  assert.equal(error.cause.cause.code, "index_not_found");
});
