// Tasks and batches: listed by what they are, canceled and deleted; indexes swapped.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MeilisearchTaskTimeOutError } from "meilisearch";
import { client, done, fails, indexFor, products, refused } from "../shop.js";

test("tasks are listed by index, kind, status and uid", async (t) => {
  const index = await indexFor(t, "tasks-listed", { stopWords: ["a"] });
  await fails(index.deleteDocuments({ filter: "nonsense = 1" }), "invalid_document_filter");
  const list = (query) => client.tasks.getTasks({ indexUids: ["tasks-listed"], ...query });
  const all = await list({});
  const kinds = all.results.map((task) => task.type);
  const expected = ["documentDeletion", "documentAdditionOrUpdate", "settingsUpdate", "indexCreation"];
  assert.deepEqual(kinds.slice(0, 4), expected);
  const one = await list({ types: ["settingsUpdate", "indexUpdate"] });
  assert.deepEqual(one.results.map((task) => task.details.stopWords), [["a"]]);
  const failed = await list({ statuses: ["failed"], limit: 1 });
  assert.deepEqual(failed.results.map((task) => task.type), ["documentDeletion"]);
  const uid = all.results[1].uid;
  assert.deepEqual((await list({ uids: [uid] })).results.map((task) => task.uid), [uid]);
  assert.deepEqual(await client.tasks.getTask(uid), all.results[1]);
});

test("tasks are listed in pages, forwards and backwards", async (t) => {
  await indexFor(t, "tasks-paged", { stopWords: ["a"] });
  const list = (query) => client.tasks.getTasks({ indexUids: ["tasks-paged"], ...query });
  const all = (await list({})).results.map((task) => task.uid);
  const first = await list({ limit: 2 });
  assert.deepEqual(first.results.map((task) => task.uid), all.slice(0, 2));
  assert.deepEqual([first.limit, first.from, first.total], [2, all[0], all.length]);
  const second = await list({ limit: 2, from: first.next });
  assert.deepEqual(second.results.map((task) => task.uid), all.slice(2, 4));
  const backwards = await list({ reverse: true, limit: 1 });
  assert.deepEqual(backwards.results.map((task) => task.uid), all.slice(-1));
});

test("tasks are listed by their times", async (t) => {
  const before = new Date(Date.now() - 60_000).toISOString();
  const later = new Date(Date.now() + 60_000).toISOString();
  await indexFor(t, "tasks-timed");
  const count = async (query) =>
    (await client.tasks.getTasks({ indexUids: ["tasks-timed"], ...query })).results.length;
  for (const moment of ["EnqueuedAt", "StartedAt", "FinishedAt"]) {
    assert.ok((await count({ [`after${moment}`]: before, [`before${moment}`]: later })) >= 2, moment);
    assert.equal(await count({ [`after${moment}`]: later }), 0, moment);
    assert.equal(await count({ [`before${moment}`]: before }), 0, moment);
  }
});

test("requests for tasks are checked", async () => {
  await refused(client.tasks.getTask(4_000_000_000), 404, "task_not_found");
  await refused(client.tasks.getTasks({ statuses: ["lost"] }), 400, "invalid_task_statuses");
  await refused(client.tasks.getTasks({ types: ["dance"] }), 400, "invalid_task_types");
  await refused(client.tasks.getTasks({ uids: ["x"] }), 400, "invalid_task_uids");
  await refused(client.tasks.getTasks({ limit: "x" }), 400, "invalid_task_limit");
  await refused(client.tasks.getTasks({ afterEnqueuedAt: "soon" }), 400, "invalid_task_after_enqueued_at");
  await refused(client.tasks.cancelTasks({}), 400, "missing_task_filters");
  await refused(client.tasks.deleteTasks({}), 400, "missing_task_filters");
});

test("several tasks are waited for, and waiting ends in time", async (t) => {
  const index = await indexFor(t, "tasks-waited", undefined, []);
  const enqueued = [];
  for (const product of products.slice(0, 3)) {
    enqueued.push(await index.addDocuments([product]));
  }
  const tasks = await client.tasks.waitForTasks(enqueued);
  assert.deepEqual(tasks.map((task) => task.status), ["succeeded", "succeeded", "succeeded"]);
  const many = Array.from({ length: 3000 }, (_, id) => ({ ...products[id % 24], id }));
  const slow = await index.addDocuments(many);
  await assert.rejects(
    client.tasks.waitForTask(slow, { timeout: 1, interval: 1 }), MeilisearchTaskTimeOutError,
  );
  await done({ waitTask: () => client.tasks.waitForTask(slow) });
});

test("waiting tasks are canceled", async (t) => {
  const busy = await indexFor(t, "tasks-busy", undefined, []);
  const idle = await indexFor(t, "tasks-idle", undefined, []);
  const many = Array.from({ length: 20_000 }, (_, id) => ({ id, title: `thing number ${id}` }));
  const first = await busy.addDocuments(many);
  const waiting = [];
  for (let id = 0; id < 5; id += 1) {
    waiting.push(await idle.addDocuments([{ id }]));
  }
  const uids = waiting.map((enqueued) => enqueued.taskUid);
  const canceling = await done(client.tasks.cancelTasks({ uids }));
  assert.equal(canceling.type, "taskCancelation");
  assert.equal(canceling.details.matchedTasks, 5);
  assert.match(canceling.details.originalFilter, /^\?.*uids=/);
  await done({ waitTask: () => client.tasks.waitForTask(first) });
  const tasks = await client.tasks.waitForTasks(uids);
  const canceled = tasks.filter((task) => task.status === "canceled");
  assert.equal(canceled.length, canceling.details.canceledTasks);
  assert.ok(canceled.length > 0, "nothing waited long enough to be canceled");
  assert.ok(canceled.every((task) => task.canceledBy === canceling.uid));
  const listed = await client.tasks.getTasks({ canceledBy: [canceling.uid] });
  assert.equal(listed.results.length, canceled.length);
  assert.equal((await idle.getStats()).numberOfDocuments, 5 - canceled.length);
});

test("finished tasks are deleted", async (t) => {
  await indexFor(t, "tasks-deleted");
  const query = { indexUids: ["tasks-deleted"] };
  const { total, results } = await client.tasks.getTasks(query);
  const deleting = await done(client.tasks.deleteTasks(query));
  assert.equal(deleting.type, "taskDeletion");
  assert.deepEqual([deleting.details.matchedTasks, deleting.details.deletedTasks], [total, total]);
  assert.equal((await client.tasks.getTasks(query)).total, 0);
  await refused(client.tasks.getTask(results[0].uid), 404, "task_not_found");
});

test("batches tell what was done together", async (t) => {
  const index = await indexFor(t, "batched");
  const task = await done(index.addDocuments([{ id: 1 }]));
  const batch = await client.batches.getBatch(task.batchUid);
  assert.equal(batch.uid, task.batchUid);
  assert.equal(batch.progress, null);
  assert.ok(batch.stats.totalNbTasks >= 1);
  assert.equal(batch.stats.status.succeeded, batch.stats.totalNbTasks);
  assert.ok(batch.stats.types.documentAdditionOrUpdate >= 1);
  assert.ok(batch.stats.indexUids.batched >= 1);
  assert.match(batch.duration, /^PT/);
  const listed = await client.batches.getBatches({ indexUids: ["batched"], limit: 1 });
  assert.deepEqual(listed.results.map((other) => other.uid), [batch.uid]);
  assert.equal(listed.from, batch.uid);
  assert.ok(listed.total >= 2 && listed.next < batch.uid);
  const byBatch = await client.tasks.getTasks({ batchUids: [batch.uid] });
  assert.ok(byBatch.results.some((other) => other.uid === task.uid));
  await refused(client.batches.getBatch(4_000_000_000), 404, "batch_not_found");
});

test("indexes are swapped", async (t) => {
  await indexFor(t, "swap-a", { stopWords: ["a"] }, [{ id: 1, name: "a" }]);
  await indexFor(t, "swap-b", undefined, [{ id: 2, name: "b" }]);
  const task = await done(client.swapIndexes([{ indexes: ["swap-a", "swap-b"] }]));
  assert.equal(task.type, "indexSwap");
  assert.deepEqual(task.details.swaps[0].indexes, ["swap-a", "swap-b"]);
  assert.equal((await client.index("swap-a").getDocument(2)).name, "b");
  assert.deepEqual(await client.index("swap-b").getStopWords(), ["a"]);
});

test("an index is renamed by a swap", async (t) => {
  await indexFor(t, "swap-draft", undefined, [{ id: 1 }]);
  await client.deleteIndexIfExists("swap-live");
  t.after(() => client.deleteIndexIfExists("swap-live"));
  await done(client.swapIndexes([{ indexes: ["swap-draft", "swap-live"], rename: true }]));
  assert.equal((await client.index("swap-live").getDocuments()).total, 1);
  await refused(client.getRawIndex("swap-draft"), 404, "index_not_found");
});

test("swaps are checked", async (t) => {
  await indexFor(t, "swap-alone", undefined, []);
  await fails(client.swapIndexes([{ indexes: ["swap-alone", "nowhere"] }]), "index_not_found");
  await refused(client.swapIndexes([{ indexes: ["swap-alone"] }]), 400, "invalid_swap_indexes");
  await refused(
    client.swapIndexes([{ indexes: ["swap-alone", "swap-alone"] }]),
    400, "invalid_swap_duplicate_index_found",
  );
});
