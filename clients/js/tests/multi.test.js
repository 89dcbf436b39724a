// Several searches in one request, answered one by one or as one list.
import assert from "node:assert/strict";
import { before, after, test } from "node:test";
import { client, done, ids, products, refused, searchSettings } from "../shop.js";

const guides = [
  { id: 1, title: "How to choose a kettle", topic: "kitchen" },
  { id: 2, title: "Light for your desk", topic: "office" },
  { id: 3, title: "Care for wool", topic: "home" },
];

before(async () => {
  for (const uid of ["multi-products", "multi-guides"]) {
    await client.deleteIndexIfExists(uid);
  }
  await done(client.index("multi-products").updateSettings(searchSettings));
  await done(client.index("multi-products").addDocuments(products, { primaryKey: "id" }));
  await done(client.index("multi-guides").updateSettings({ filterableAttributes: ["topic"] }));
  await done(client.index("multi-guides").addDocuments(guides, { primaryKey: "id" }));
});

after(async () => {
  await client.deleteIndex("multi-products").waitTask();
  await client.deleteIndex("multi-guides").waitTask();
});

test("each search has its own answer", async () => {
  const { results } = await client.multiSearch({
    queries: [
      { indexUid: "multi-products", q: "kettle", filter: "price > 50" },
      { indexUid: "multi-guides", q: "wool", attributesToHighlight: ["title"] },
      { indexUid: "multi-products", facets: ["brand"], page: 1, hitsPerPage: 1 },
    ],
  });
  assert.deepEqual(results.map((result) => result.indexUid), ["multi-products", "multi-guides", "multi-products"]);
  assert.deepEqual(ids(results[0].hits), [8]);
  assert.equal(results[1].hits[0]._formatted.title, "Care for <em>wool</em>");
  assert.deepEqual([results[2].totalHits, results[2].hits.length], [24, 1]);
  assert.equal(results[2].facetDistribution.brand.Kaito, 3);
});

test("one bad search fails the request", async () => {
  await refused(client.multiSearch({
    queries: [{ indexUid: "multi-products" }, { indexUid: "nowhere" }],
  }), 400, "index_not_found");
  await refused(client.multiSearch({
    queries: [{ indexUid: "multi-products", filter: "nonsense = 1" }],
  }), 400, "invalid_search_filter");
  await refused(client.multiSearch({ queries: [{ q: "x" }] }), 400, "missing_index_uid");
  assert.deepEqual((await client.multiSearch({ queries: [] })).results, []);
});

test("federated searches come as one list", async () => {
  const result = await client.multiSearch({
    federation: {},
    queries: [
      { indexUid: "multi-products", q: "kettle", showRankingScore: true },
      { indexUid: "multi-guides", q: "kettle" },
    ],
  });
  const found = result.hits.map((hit) => hit._federation.indexUid);
  assert.ok(found.includes("multi-products") && found.includes("multi-guides"));
  assert.equal(result.hits.length, 3);
  assert.deepEqual([result.limit, result.offset, result.estimatedTotalHits], [20, 0, 3]);
  for (const hit of result.hits) {
    const { queriesPosition, weightedRankingScore } = hit._federation;
    assert.ok([0, 1].includes(queriesPosition) && weightedRankingScore <= 1);
  }
});

test("weights, pages and facets of a federated search", async () => {
  const queries = [
    { indexUid: "multi-products", q: "desk" },
    { indexUid: "multi-guides", q: "desk", federationOptions: { weight: 10 } },
  ];
  const weighted = await client.multiSearch({ federation: { limit: 1 }, queries });
  assert.deepEqual(weighted.hits.map((hit) => hit.title), ["Light for your desk"]);
  const next = await client.multiSearch({ federation: { limit: 2, offset: 1 }, queries });
  assert.ok(next.hits.every((hit) => hit._federation.indexUid === "multi-products"));
  const facetsByIndex = { "multi-products": ["brand"], "multi-guides": ["topic"] };
  const faceted = await client.multiSearch({ federation: { facetsByIndex }, queries });
  assert.equal(faceted.facetsByIndex["multi-guides"].distribution.topic.office, 1);
  assert.ok("Lumen & Co" in faceted.facetsByIndex["multi-products"].distribution.brand);
  const merged = await client.multiSearch({
    federation: { facetsByIndex, mergeFacets: { maxValuesPerFacet: 10 } }, queries,
  });
  assert.equal(merged.facetDistribution.topic.office, 1);
  assert.ok("Lumen & Co" in merged.facetDistribution.brand);
});

test("what belongs to a federation is refused in its queries", async () => {
  await refused(client.multiSearch({
    federation: {}, queries: [{ indexUid: "multi-products", limit: 3 }],
  }), 400, "invalid_multi_search_query_pagination");
  await refused(client.multiSearch({
    federation: {}, queries: [{ indexUid: "multi-products", facets: ["brand"] }],
  }), 400, "invalid_multi_search_query_facets");
});
