// The server itself: health, version, dumps, snapshots, features and webhooks.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { client, done, indexFor, refused } from "../shop.js";

test("health and version are told", async () => {
  assert.deepEqual(await client.health(), { status: "available" });
  const version = await client.getVersion();
  assert.deepEqual(Object.keys(version).sort(), ["commitDate", "commitSha", "pkgVersion"]);
  assert.match(version.pkgVersion, /^\d+\.\d+\.\d+/);
});

test("dumps and snapshots are tasks", async () => {
  const dump = await done(client.createDump());
  assert.equal(dump.type, "dumpCreation");
  assert.equal(dump.indexUid, null);
  assert.equal(typeof dump.details.dumpUid, "string");
  const snapshot = await done(client.createSnapshot());
  assert.equal(snapshot.type, "snapshotCreation");
});

test("experimental features are shown and switched", async () => {
  const before = await client.getExperimentalFeatures();
  assert.ok(Object.values(before).every((value) => typeof value === "boolean"));
  const changed = await client.updateExperimentalFeatures({ containsFilter: true, metrics: true });
  assert.deepEqual(changed, { ...before, containsFilter: true, metrics: true });
  assert.deepEqual(await client.getExperimentalFeatures(), changed);
  await refused(client.updateExperimentalFeatures({ nonsense: true }), 400, "bad_request");
});

test("webhooks are made, shown, changed and deleted", async () => {
  const webhook = await client.createWebhook({
    url: "http://127.0.0.1:9/hook", headers: { "X-Shop": "abc" },
  });
  assert.match(webhook.uuid, /^[0-9a-f-]{36}$/);
  assert.deepEqual([webhook.url, webhook.isEditable], ["http://127.0.0.1:9/hook", true]);
  assert.deepEqual(Object.keys(webhook.headers).map((name) => name.toLowerCase()), ["x-shop"]);
  assert.equal((await client.getWebhook(webhook.uuid)).url, webhook.url);
  assert.ok((await client.getWebhooks()).results.some(({ uuid }) => uuid === webhook.uuid));
  const changed = await client.updateWebhook(webhook.uuid, { url: "http://127.0.0.1:9/other" });
  assert.equal(changed.url, "http://127.0.0.1:9/other");
  await client.deleteWebhook(webhook.uuid);
  await refused(client.getWebhook(webhook.uuid), 404, "webhook_not_found");
  await refused(client.createWebhook({ url: "not an address" }), 400, "invalid_webhook_url");
});

test("a webhook is told of finished tasks", async (t) => {
  const told = [];
  const receiver = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) {
      chunks.push(chunk);
    }
    const body = Buffer.concat(chunks);
    const text = request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
    for (const line of text.toString().split("\n").filter(Boolean)) {
      told.push({ task: JSON.parse(line), secret: request.headers["x-secret"] });
    }
    response.end();
    receiver.emit("told");
  });
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  const url = `http://127.0.0.1:${receiver.address().port}/`;
  const webhook = await client.createWebhook({ url, headers: { "X-Secret": "s3cret" } });
  t.after(async () => {
    await client.deleteWebhook(webhook.uuid);
    receiver.closeAllConnections();
    receiver.close();
  });
  await indexFor(t, "hooked", undefined, [{ id: 1 }]);
  const heard = () => told.find(({ task }) => task.indexUid === "hooked" && task.type === "documentAdditionOrUpdate");
  while (!heard()) {
    await once(receiver, "told", { signal: AbortSignal.timeout(10_000) });
  }
  assert.deepEqual([heard().task.status, heard().secret], ["succeeded", "s3cret"]);
});
