// Several indexes on one page, and searching without widgets.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { getAnalyticsMetadata } from "@meilisearch/instant-meilisearch";
import { Page, connectors, stock } from "../shop.js";
import indexWidget from "instantsearch.js/cjs/widgets/index/index.js";

before(async () => {
  await stock("many-a");
  await stock("many-b", { sortableAttributes: ["price"] });
});

test("two indexes on a page are searched together", async (t) => {
  const page = new Page("many-a").with("box", "SearchBox").with("complete", "Autocomplete");
  const index = indexWidget.default({ indexName: "many-b" });
  let other;
  index.addWidgets([connectors.connectHits((state) => { other = state; })({})]);
  page.search.addWidgets([index]);
  t.after(() => page.leave());
  await page.start();
  await page.act(({ box }) => box.refine("porcelain"));
  assert.deepEqual(page.ids, [4]);
  assert.deepEqual(other.items.map((hit) => hit.id), [4]);
  assert.deepEqual(page.shown.complete.indices.map((one) => one.indexName), ["many-a", "many-b"]);
});

test("what the analytics of a page need is told on demand", async (t) => {
  const requestInit = { headers: { "Meili-Include-Metadata": "true" } };
  const page = new Page("many-a", { options: { requestInit } });
  t.after(() => page.leave());
  await page.start();
  const { indexUid, primaryKey, queryUid } = getAnalyticsMetadata(page.shown.hits.results, {
    indexUid: "many-a",
  });
  assert.deepEqual([indexUid, primaryKey], ["many-a", "id"]);
  assert.match(queryUid, /^[0-9a-f-]{36}$/);
});

test("the search client alone", async () => {
  const { searchClient } = new Page("many-a");
  const { results } = await searchClient.search([
    { indexName: "many-a", params: { query: "kettle", facets: ["brand"] } },
    { indexName: "many-b:price:desc", params: { query: "", hitsPerPage: 1 } },
  ]);
  assert.deepEqual(results[0].facets.brand, { Nordholm: 1, "Old Smithy": 1 });
  assert.equal(results[0].nbHits, 2);
  assert.deepEqual(results[1].hits.map((hit) => hit.id), [15]);
  const [facets] = await searchClient.searchForFacetValues([
    { indexName: "many-a", params: { facetName: "brand", facetQuery: "old" } },
  ]);
  assert.deepEqual(facets.facetHits.map((hit) => [hit.value, hit.count]), [["Old Smithy", 5]]);
});
