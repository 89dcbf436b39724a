// Indexes: made, listed, shown, changed and deleted, each as a task.
import assert from "node:assert/strict";
import { test } from "node:test";
import { client, done, fails, indexFor, products, refused } from "../shop.js";

async function fresh(context, ...uids) {
  for (const uid of uids) {
    await client.deleteIndexIfExists(uid);
    context.after(() => client.deleteIndexIfExists(uid));
  }
}

test("an index is made by a task", async (t) => {
  await fresh(t, "made");
  const enqueued = await client.createIndex("made", { primaryKey: "sku" });
  assert.deepEqual(
    [enqueued.indexUid, enqueued.status, enqueued.type],
    ["made", "enqueued", "indexCreation"],
  );
  const task = await client.tasks.waitForTask(enqueued);
  assert.equal(task.status, "succeeded");
  assert.equal(task.uid, enqueued.taskUid);
  assert.equal(task.details.primaryKey, "sku");
  assert.equal(task.error, null);
  assert.match(task.duration, /^PT/);
  for (const moment of [task.enqueuedAt, task.startedAt, task.finishedAt]) {
    assert.ok(!Number.isNaN(Date.parse(moment)), moment);
  }
  const index = await client.getIndex("made");
  assert.equal(index.uid, "made");
  assert.equal(index.primaryKey, "sku");
  assert.ok(index.createdAt instanceof Date && index.updatedAt instanceof Date);
});

test("an index is shown raw too", async (t) => {
  await fresh(t, "raw");
  await done(client.createIndex("raw"));
  const raw = await client.getRawIndex("raw");
  assert.deepEqual(Object.keys(raw).sort(), ["createdAt", "primaryKey", "uid", "updatedAt"]);
  assert.equal(raw.primaryKey, null);
  assert.deepEqual(await client.index("raw").getRawInfo(), raw);
});

test("indexes are listed in pages", async (t) => {
  await fresh(t, "list-a", "list-b", "list-c");
  for (const uid of ["list-b", "list-a", "list-c"]) {
    await done(client.createIndex(uid));
  }
  const all = await client.getIndexes({ limit: 1000 });
  const listed = all.results.map((index) => index.uid).filter((uid) => uid.startsWith("list-"));
  assert.deepEqual(listed, ["list-a", "list-b", "list-c"]);
  assert.ok(all.total >= 3 && all.offset === 0 && all.limit === 1000);
  const page = await client.getRawIndexes({ limit: 1, offset: 1 });
  assert.equal(page.results.length, 1);
  assert.equal(page.offset, 1);
});

test("a primary key is set while there is no document, and not after", async (t) => {
  await fresh(t, "keyed");
  await done(client.createIndex("keyed"));
  const task = await done(client.updateIndex("keyed", { primaryKey: "id" }));
  assert.equal(task.type, "indexUpdate");
  const index = client.index("keyed");
  assert.equal(await index.fetchPrimaryKey(), "id");
  await done(index.addDocuments(products));
  await fails(index.update({ primaryKey: "title" }), "index_primary_key_already_exists");
  assert.equal((await index.fetchInfo()).primaryKey, "id");
});

test("an index is renamed", async (t) => {
  await fresh(t, "old-name", "new-name");
  await indexFor(t, "old-name");
  await done(client.updateIndex("old-name", { uid: "new-name" }));
  await refused(client.getRawIndex("old-name"), 404, "index_not_found");
  assert.equal((await client.index("new-name").getDocuments()).total, products.length);
});

test("an index that is there cannot be made again", async (t) => {
  await fresh(t, "twice");
  await done(client.createIndex("twice"));
  await fails(client.createIndex("twice"), "index_already_exists");
});

test("a deleted index is gone", async (t) => {
  const index = await indexFor(t, "gone");
  const task = await done(index.delete());
  assert.equal(task.type, "indexDeletion");
  assert.equal(task.details.deletedDocuments, products.length);
  await refused(client.getRawIndex("gone"), 404, "index_not_found");
  await refused(index.search(""), 404, "index_not_found");
  await fails(client.deleteIndex("gone"), "index_not_found");
});

test("names of indexes are checked", async () => {
  await refused(client.createIndex("no spaces"), 400, "invalid_index_uid");
  await refused(client.createIndex(""), 400, "invalid_index_uid");
  await refused(client.createIndex("fine", { primaryKey: 7 }), 400, "invalid_index_primary_key");
  await refused(client.getIndexes({ limit: -1 }), 400, "invalid_index_limit");
  await refused(client.getIndexes({ offset: -1 }), 400, "invalid_index_offset");
});

test("statistics count documents and their fields", async (t) => {
  const index = await indexFor(t, "counted");
  const stats = await index.getStats();
  assert.equal(stats.numberOfDocuments, products.length);
  assert.equal(stats.isIndexing, false);
  assert.equal(stats.fieldDistribution.title, products.length);
  const withPlace = products.filter((product) => "_geo" in product).length;
  assert.equal(stats.fieldDistribution._geo, withPlace);
  const all = await client.getStats();
  assert.equal(all.indexes.counted.numberOfDocuments, products.length);
  assert.ok(all.databaseSize > 0);
  assert.ok(!Number.isNaN(Date.parse(all.lastUpdate)));
});
