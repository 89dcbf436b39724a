// The widgets of a shop window over the stock adapter: typing, refining, paging and sorting.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { counts, idsWhere, Page, products, shownCounts, stock } from "../shop.js";

before(() => stock("widgets"));

async function open(context, prepare, options) {
  const page = new Page("widgets", options);
  prepare(page);
  context.after(() => page.leave());
  return page.start();
}

test("typing into the search box changes the hits", async (t) => {
  const page = await open(t, (page) => page.with("box", "SearchBox").with("stats", "Stats"));
  assert.equal(page.hits.length, 20);
  for (const typed of ["b", "be", "bee", "bees"]) {
    await page.act(({ box }) => box.refine(typed));
  }
  assert.deepEqual(page.ids, [21]);
  assert.deepEqual([page.shown.stats.nbHits, page.shown.stats.query], [1, "bees"]);
  await page.act(({ box }) => box.refine("quartz"));
  assert.deepEqual(page.ids, []);
  await page.act(({ box }) => box.clear());
  assert.equal(page.hits.length, 20);
});

test("hits have their matches marked", async (t) => {
  const page = await open(t, (page) => page.with("box", "SearchBox"));
  await page.act(({ box }) => box.refine("beeswax"));
  const [hit] = page.hits;
  assert.equal(hit._highlightResult.title.value, "<mark>Beeswax</mark> candle");
  assert.equal(hit.title, "Beeswax candle");
  assert.deepEqual(hit._highlightResult.tags.map((tag) => tag.value), ["home", "gift"]);
});

test("snippets are cropped and marked", async (t) => {
  const page = await open(t, (page) =>
    page.with("box", "SearchBox").with("configure", "Configure", {
      searchParameters: { attributesToSnippet: ["description:4"], snippetEllipsisText: "[…]" },
    }));
  await page.act(({ box }) => box.refine("honey"));
  const [hit] = page.hits;
  const snippet = hit._snippetResult.description.value;
  assert.match(snippet, /^\[…\].*<mark>honey<\/mark>\.?$/);
  assert.ok(snippet.length < products[20].description.length + "[…]<mark></mark>".length - 10, snippet);
});

test("a list of refinements counts, refines, and joins its values by or", async (t) => {
  const page = await open(t, (page) =>
    page.with("brands", "RefinementList", { attribute: "brand", limit: 20 })
      .with("colors", "RefinementList", { attribute: "color", limit: 20 }));
  assert.deepEqual(shownCounts(page.shown.brands.items), counts(products.map((p) => p.brand)));
  await page.act(({ brands }) => brands.refine("Kaito"));
  assert.deepEqual(page.sortedIds, idsWhere((p) => p.brand === "Kaito"));
  assert.deepEqual(
    shownCounts(page.shown.brands.items), counts(products.map((p) => p.brand)),
    "the other brands can still be chosen",
  );
  assert.deepEqual(
    shownCounts(page.shown.colors.items),
    counts(products.filter((p) => p.brand === "Kaito").map((p) => p.color)),
  );
  await page.act(({ brands }) => brands.refine("Lumen & Co"));
  const chosen = (p) => ["Kaito", "Lumen & Co"].includes(p.brand);
  assert.deepEqual(page.sortedIds, idsWhere(chosen));
  await page.act(({ colors }) => colors.refine("white"));
  assert.deepEqual(page.sortedIds, idsWhere((p) => chosen(p) && p.color === "white"));
  const whites = counts(products.filter((p) => p.color === "white").map((p) => p.brand));
  assert.deepEqual(shownCounts(page.shown.brands.items), whites);
  const refined = page.shown.brands.items.filter((item) => item.isRefined);
  assert.deepEqual(refined.map((item) => item.value).sort(), ["Kaito", "Lumen & Co"]);
});

test("a list of refinements can join its values by and", async (t) => {
  const page = await open(t, (page) =>
    page.with("tags", "RefinementList", { attribute: "tags", operator: "and", limit: 20 }));
  await page.act(({ tags }) => tags.refine("kitchen"));
  await page.act(({ tags }) => tags.refine("gift"));
  const both = (p) => p.tags.includes("kitchen") && p.tags.includes("gift");
  assert.deepEqual(page.sortedIds, idsWhere(both));
  assert.deepEqual(
    shownCounts(page.shown.tags.items), counts(products.filter(both).flatMap((p) => p.tags)),
  );
});

test("the values of a list are searched", async (t) => {
  const page = await open(t, (page) => page.with("brands", "RefinementList", { attribute: "brand" }));
  page.shown.brands.searchForItems("lum");
  await page.until(({ brands }) => brands.isFromSearch);
  assert.deepEqual(shownCounts(page.shown.brands.items), { "Lumen & Co": 4 });
});

test("a menu picks one value", async (t) => {
  const page = await open(t, (page) => page.with("menu", "Menu", { attribute: "category" }));
  await page.act(({ menu }) => menu.refine("Lamps"));
  await page.act(({ menu }) => menu.refine("Mugs"));
  assert.deepEqual(page.sortedIds, idsWhere((p) => p.category === "Mugs"));
});

test("a hierarchical menu goes down", async (t) => {
  const page = await open(t, (page) =>
    page.with("menu", "HierarchicalMenu", { attributes: ["levels.one", "levels.two"] }));
  await page.act(({ menu }) => menu.refine("south"));
  assert.deepEqual(page.sortedIds, idsWhere((p) => p.warehouse === "south"));
  const south = page.shown.menu.items.find((item) => item.value === "south");
  assert.ok(south.data.some((item) => item.label === "Candles" && item.count === 3));
  await page.act(({ menu }) => menu.refine("south > Candles"));
  assert.deepEqual(page.sortedIds, [21, 22, 23]);
});

test("a numeric menu bounds a number", async (t) => {
  const items = [
    { label: "all" }, { label: "to 10", end: 10 }, { label: "10 to 50", start: 10, end: 50 },
    { label: "from 100", start: 100 },
  ];
  const page = await open(t, (page) => page.with("prices", "NumericMenu", { attribute: "price", items }));
  const choose = (label) => page.act(({ prices }) =>
    prices.refine(prices.items.find((item) => item.label === label).value));
  await choose("to 10");
  assert.deepEqual(page.sortedIds, idsWhere((p) => p.price <= 10));
  await choose("10 to 50");
  assert.deepEqual(page.sortedIds, idsWhere((p) => p.price >= 10 && p.price <= 50));
  await choose("from 100");
  assert.deepEqual(page.sortedIds, idsWhere((p) => p.price >= 100));
});

test("a range knows the ends of a number and narrows them", async (t) => {
  const page = await open(t, (page) => page.with("range", "Range", { attribute: "price" }));
  assert.deepEqual(page.shown.range.range, { min: 6, max: 219 });
  await page.act(({ range }) => range.refine([30, 60]));
  assert.deepEqual(page.sortedIds, idsWhere((p) => p.price >= 30 && p.price <= 60));
});

test("a menu of ratings", async (t) => {
  const page = await open(t, (page) => page.with("ratings", "RatingMenu", { attribute: "rating" }));
  await page.act(({ ratings }) => ratings.refine("4"));
  assert.deepEqual(page.sortedIds.length, Math.min(20, idsWhere((p) => p.rating >= 4).length));
  assert.ok(page.hits.every((hit) => hit.rating >= 4));
});

test("a switch refines", async (t) => {
  const page = await open(t, (page) =>
    page.with("north", "ToggleRefinement", { attribute: "warehouse", on: "north" }));
  await page.act(({ north }) => north.refine({ isRefined: false }));
  assert.deepEqual(page.sortedIds, idsWhere((p) => p.warehouse === "north"));
});

test("refinements are named and cleared", async (t) => {
  const page = await open(t, (page) =>
    page.with("brands", "RefinementList", { attribute: "brand" })
      .with("current", "CurrentRefinements").with("clear", "ClearRefinements"));
  await page.act(({ brands }) => brands.refine("Bramble"));
  assert.deepEqual(page.shown.current.items.map((item) => item.attribute), ["brand"]);
  await page.act(({ clear }) => clear.refine());
  assert.equal(page.hits.length, 20);
});

test("another index name sorts", async (t) => {
  const items = ["widgets", "widgets:price:asc", "widgets:price:desc"]
    .map((value) => ({ value, label: value }));
  const page = await open(t, (page) => page.with("sort", "SortBy", { items }));
  const prices = products.map((p) => p.price).sort((a, b) => a - b);
  await page.act(({ sort }) => sort.refine("widgets:price:asc"));
  assert.deepEqual(page.hits.map((hit) => hit.price), prices.slice(0, 20));
  await page.act(({ sort }) => sort.refine("widgets:price:desc"));
  assert.deepEqual(page.hits.map((hit) => hit.price), prices.reverse().slice(0, 20));
});

test("pages without a known end", async (t) => {
  const page = await open(t, (page) =>
    page.with("pages", "Pagination").with("size", "HitsPerPage", {
      items: [{ label: "10", value: 10, default: true }, { label: "5", value: 5 }],
    }));
  const first = page.ids;
  assert.equal(first.length, 10);
  assert.equal(page.shown.pages.isLastPage, false);
  await page.act(({ pages }) => pages.refine(2));
  assert.equal(page.ids.length, 4);
  assert.equal(page.shown.pages.isLastPage, true);
  assert.ok(page.ids.every((id) => !first.includes(id)));
});

test("pages with a known end", async (t) => {
  const page = await open(
    t,
    (page) => page.with("pages", "Pagination").with("stats", "Stats")
      .with("configure", "Configure", { searchParameters: { hitsPerPage: 10 } }),
    { options: { finitePagination: true } },
  );
  assert.deepEqual([page.shown.pages.nbPages, page.shown.stats.nbHits], [3, 24]);
  await page.act(({ pages }) => pages.refine(2));
  assert.deepEqual([page.ids.length, page.shown.pages.isLastPage], [4, true]);
});

test("hits without end", async (t) => {
  const page = await open(t, (page) =>
    page.with("hits", "InfiniteHits").with("configure", "Configure", { searchParameters: { hitsPerPage: 10 } }));
  await page.act(({ hits }) => hits.showMore());
  await page.act(({ hits }) => hits.showMore());
  assert.equal(new Set(page.ids).size, 24);
  assert.equal(page.shown.hits.isLastPage, true);
});

test("a page opens in the state it is given", async (t) => {
  const page = await open(
    t,
    (page) => page.with("box", "SearchBox").with("brands", "RefinementList", { attribute: "brand" }),
    { uiState: { query: "lamp", refinementList: { brand: ["Lumen & Co"] } } },
  );
  assert.deepEqual(page.sortedIds, [9, 10]);
});
