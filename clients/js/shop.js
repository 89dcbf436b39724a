// What the tests share: the client, the products, and an index for each test.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Meilisearch, MeilisearchApiError } from "meilisearch";

export const host = setting("VITRINE_URL");
export const masterKey = setting("VITRINE_MASTER_KEY");
export const client = clientWith(masterKey);
export const products = JSON.parse(
  readFileSync(new URL("../products.json", import.meta.url), "utf8"),
);

/** What an index needs for the tests of searches. */
export const searchSettings = {
  searchableAttributes: ["title", "description", "brand", "category"],
  filterableAttributes: [
    "id", "brand", "category", "tags", "price", "rating", "stock", "color", "family",
    "released", "sizes", "warehouse", "_geo",
  ],
  sortableAttributes: ["price", "rating", "title", "_geo"],
};

function setting(name) {
  const value = process.env[name];
  assert.ok(value, `${name} is not set; run \`cargo xtask clients\``);
  return value;
}

export function clientWith(apiKey) {
  return new Meilisearch({
    host,
    apiKey,
    defaultWaitOptions: { timeout: 30_000, interval: 20 },
  });
}

/** Waits for a task and expects it to have succeeded. */
export async function done(enqueued) {
  const task = await enqueued.waitTask();
  assert.equal(task.status, "succeeded", JSON.stringify(task));
  return task;
}

/** Waits for a task and expects it to have failed with a code. */
export async function fails(enqueued, code) {
  const task = await enqueued.waitTask();
  assert.equal(task.status, "failed", JSON.stringify(task));
  assert.equal(task.error.code, code);
  return task;
}

/** Expects the server to refuse a request with a status and a code. */
export async function refused(promise, status, code) {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof MeilisearchApiError, String(error));
    assert.deepEqual([error.response.status, error.cause?.code], [status, code], error.message);
    assert.ok(error.cause.message && error.cause.type && error.cause.link);
    return true;
  });
}

/** A fresh index with documents, deleted with the test that asked for it. */
export async function indexFor(test, uid, settings, documents = products) {
  await client.deleteIndexIfExists(uid);
  test.after(() => client.deleteIndexIfExists(uid));
  await done(client.createIndex(uid, { primaryKey: "id" }));
  const index = client.index(uid);
  if (settings !== undefined) {
    await done(index.updateSettings(settings));
  }
  await done(index.addDocuments(documents));
  return index;
}

/** The ids of hits or documents, in their order. */
export function ids(hits) {
  return hits.map((hit) => hit.id);
}

/** The ids of the products that a plain predicate picks, ascending. */
export function idsWhere(predicate) {
  return ids(products.filter(predicate)).sort((a, b) => a - b);
}
