// Keys with fewer rights, and tenant tokens made by the client's own generator.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MeilisearchApiError } from "meilisearch";
import { generateTenantToken } from "meilisearch/token";
import { client, clientWith, done, ids, idsWhere, indexFor, refused, searchSettings } from "../shop.js";

async function keyFor(context, options) {
  const key = await client.createKey({ expiresAt: null, ...options });
  context.after(() => client.deleteKey(key.uid).catch(() => {}));
  return key;
}

test("a key is made, shown, listed, changed and deleted", async (t) => {
  const expiresAt = new Date(Date.now() + 3_600_000);
  const key = await keyFor(t, {
    name: "storefront", description: "for the shop window", actions: ["search"],
    indexes: ["products*"], expiresAt,
  });
  assert.match(key.uid, /^[0-9a-f-]{36}$/);
  assert.match(key.key, /^[0-9a-f]{64}$/);
  assert.deepEqual([key.name, key.description], ["storefront", "for the shop window"]);
  assert.deepEqual([key.actions, key.indexes], [["search"], ["products*"]]);
  assert.equal(Math.round(Date.parse(key.expiresAt) / 1000), Math.round(expiresAt / 1000));
  assert.deepEqual(await client.getKey(key.uid), key);
  assert.deepEqual(await client.getKey(key.key), key);
  const listed = await client.getKeys({ limit: 1000 });
  assert.ok(listed.results.some((other) => other.uid === key.uid));
  assert.equal(listed.total, listed.results.length);
  const page = await client.getKeys({ limit: 1, offset: 1 });
  assert.deepEqual([page.results.length, page.limit, page.offset], [1, 1, 1]);
  const changed = await client.updateKey(key.key, { name: "window", description: "new" });
  assert.deepEqual([changed.name, changed.description], ["window", "new"]);
  assert.deepEqual([changed.key, changed.createdAt], [key.key, key.createdAt]);
  await client.deleteKey(key.uid);
  await refused(client.getKey(key.uid), 404, "api_key_not_found");
});

test("the keys that every server has", async () => {
  const { results } = await client.getKeys({ limit: 1000 });
  const search = results.find((key) => key.name === "Default Search API Key");
  const admin = results.find((key) => key.name === "Default Admin API Key");
  assert.deepEqual([search?.actions, search?.indexes], [["search"], ["*"]]);
  assert.deepEqual([admin?.actions, admin?.indexes], [["*"], ["*"]]);
});

test("a key can be given its uid, once", async (t) => {
  const uid = "9f3a1c4e-52d7-4b0a-8a77-0e6f2b1d5c11";
  const key = await keyFor(t, { uid, actions: ["*"], indexes: ["*"] });
  assert.equal(key.uid, uid);
  await refused(
    client.createKey({ uid, actions: ["*"], indexes: ["*"], expiresAt: null }), 409, "api_key_already_exists",
  );
});

test("keys are checked", async (t) => {
  const create = (options) => client.createKey({ actions: ["search"], indexes: ["*"], expiresAt: null, ...options });
  await refused(create({ actions: undefined }), 400, "missing_api_key_actions");
  await refused(create({ indexes: undefined }), 400, "missing_api_key_indexes");
  await refused(create({ expiresAt: undefined }), 400, "missing_api_key_expires_at");
  await refused(create({ actions: ["dance"] }), 400, "invalid_api_key_actions");
  await refused(create({ indexes: ["no spaces"] }), 400, "invalid_api_key_indexes");
  await refused(create({ expiresAt: new Date(0) }), 400, "invalid_api_key_expires_at");
  await refused(create({ uid: "x" }), 400, "invalid_api_key_uid");
  await refused(create({ name: 7 }), 400, "invalid_api_key_name");
  await refused(create({ description: 7 }), 400, "invalid_api_key_description");
  await refused(client.deleteKey("nobody"), 404, "api_key_not_found");
  const key = await keyFor(t, { actions: ["search"], indexes: ["*"] });
  await refused(client.updateKey(key.uid, { actions: ["*"] }), 400, "immutable_api_key_actions");
});

test("no key and a wrong one are refused, but health is told", async () => {
  await refused(clientWith("").getStats(), 401, "missing_authorization_header");
  await refused(clientWith("not-the-master-key").getStats(), 403, "invalid_api_key");
  assert.equal(await clientWith("").isHealthy(), true);
});

test("a key may do what it is for and nothing else", async (t) => {
  const mine = await indexFor(t, "key-mine");
  await indexFor(t, "key-other");
  const key = await keyFor(t, { actions: ["search", "documents.get"], indexes: ["key-mine"] });
  const limited = clientWith(key.key);
  assert.equal((await limited.index("key-mine").search("kettle")).hits.length, 2);
  assert.equal((await limited.index("key-mine").getDocument(1)).id, 1);
  await refused(limited.index("key-other").search(""), 403, "invalid_api_key");
  await refused(limited.index("key-mine").addDocuments([{ id: 1 }]), 403, "invalid_api_key");
  await refused(limited.getKeys(), 403, "invalid_api_key");
  await client.deleteKey(key.uid);
  await refused(limited.index("key-mine").search(""), 403, "invalid_api_key");
  assert.equal((await mine.getDocument(1)).title, "Red enamel mug");
});

test("a key of documents adds them, and sees its own tasks and indexes only", async (t) => {
  await indexFor(t, "writer-mine");
  await indexFor(t, "writer-other");
  const key = await keyFor(t, {
    actions: ["documents.*", "tasks.get", "indexes.get", "stats.get"], indexes: ["writer-mine"],
  });
  const writer = clientWith(key.key);
  await done(writer.index("writer-mine").addDocuments([{ id: 1, title: "New" }]));
  const { results } = await writer.tasks.getTasks({ limit: 100 });
  assert.ok(results.length > 0 && results.every((task) => task.indexUid === "writer-mine"));
  const indexes = await writer.getIndexes();
  assert.deepEqual(indexes.results.map((index) => index.uid), ["writer-mine"]);
  assert.deepEqual(Object.keys((await writer.getStats()).indexes), ["writer-mine"]);
});

test("an expired key is refused", async (t) => {
  const soon = new Date(Date.now() + 2_000);
  const key = await keyFor(t, { actions: ["*"], indexes: ["*"], expiresAt: soon });
  await clientWith(key.key).getVersion();
  await new Promise((resolve) => setTimeout(resolve, soon - Date.now() + 50));
  await refused(clientWith(key.key).getVersion(), 403, "invalid_api_key");
});

test("tenant tokens search what their rules allow", async (t) => {
  const index = await indexFor(t, "tenants", searchSettings);
  const { uid, key } = await keyFor(t, { actions: ["search"], indexes: ["tenants"] });
  const visitor = async (options) =>
    clientWith(await generateTenantToken({ apiKey: key, apiKeyUid: uid, ...options }));
  const everything = await visitor({});
  assert.equal((await everything.index("tenants").search("", { limit: 100 })).hits.length, 24);
  for (const algorithm of ["HS256", "HS384", "HS512"]) {
    const north = await visitor({
      searchRules: { tenants: { filter: "warehouse = north" } }, algorithm,
      expiresAt: new Date(Date.now() + 60_000),
    });
    const { hits } = await north.index("tenants").search("", { filter: "price < 10", limit: 100 });
    const expected = idsWhere((p) => p.warehouse === "north" && p.price < 10);
    assert.deepEqual(ids(hits).sort((a, b) => a - b), expected, algorithm);
    const multi = await north.multiSearch({ queries: [{ indexUid: "tenants", limit: 0 }] });
    assert.equal(multi.results[0].estimatedTotalHits, idsWhere((p) => p.warehouse === "north").length);
    const facets = await north.index("tenants").searchForFacetValues({ facetName: "warehouse" });
    assert.deepEqual(facets.facetHits.map((hit) => hit.value), ["north"]);
    await refused(north.index("tenants").getDocuments(), 403, "invalid_api_key");
  }
  assert.equal((await index.search("", { limit: 0 })).estimatedTotalHits, 24);
});

test("tenant tokens that are foreign, expired or for other indexes are refused", async (t) => {
  await indexFor(t, "strangers", searchSettings);
  const { uid, key } = await keyFor(t, { actions: ["search"], indexes: ["strangers"] });
  const search = async (options) => {
    const token = await generateTenantToken({ apiKey: key, apiKeyUid: uid, ...options });
    return clientWith(token).index("strangers").search("");
  };
  await refused(search({ searchRules: ["others"] }), 403, "invalid_api_key");
  await refused(search({ expiresAt: Math.floor(Date.now() / 1000) - 10 }), 403, "invalid_api_key");
  await refused(search({ apiKey: "0".repeat(64) }), 403, "invalid_api_key");
  await assert.doesNotReject(search({ searchRules: ["strang*"] }));
  await client.deleteKey(uid);
  await assert.rejects(search({}), MeilisearchApiError);
});
