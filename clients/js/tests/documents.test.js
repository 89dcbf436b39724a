// Documents: added in three formats, laid over each other, shown, listed and deleted.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  client, done, fails, ids, idsWhere, indexFor, products, refused, searchSettings,
} from "../shop.js";

test("documents are added and come back as they were given", async (t) => {
  const index = await indexFor(t, "given");
  assert.deepEqual(await index.getDocument(5), products[4]);
  assert.deepEqual(await index.getDocument("5", { fields: ["title", "sizes"] }), {
    title: products[4].title,
    sizes: products[4].sizes,
  });
  await refused(index.getDocument(999), 404, "document_not_found");
});

test("an addition says what it took", async (t) => {
  const index = await indexFor(t, "taken", undefined, []);
  const task = await done(index.addDocuments(products));
  assert.equal(task.type, "documentAdditionOrUpdate");
  assert.equal(task.details.receivedDocuments, products.length);
  assert.equal(task.details.indexedDocuments, products.length);
});

test("an index is made by its first documents, the primary key is found", async (t) => {
  await client.deleteIndexIfExists("inferred");
  t.after(() => client.deleteIndexIfExists("inferred"));
  const index = client.index("inferred");
  await done(index.addDocuments([{ product_id: 1, name: "a" }]));
  assert.equal(await index.fetchPrimaryKey(), "product_id");
});

test("no primary key to be found fails the task", async (t) => {
  t.after(() => client.deleteIndexIfExists("keyless"));
  const index = client.index("keyless");
  await fails(
    index.addDocuments([{ name: "a" }]),
    "index_primary_key_no_candidate_found",
  );
});

test("two candidates for the primary key fail the task", async (t) => {
  t.after(() => client.deleteIndexIfExists("undecided"));
  const index = client.index("undecided");
  await fails(
    index.addDocuments([{ id: 1, other_id: 2 }]),
    "index_primary_key_multiple_candidates_found",
  );
});

test("a primary key can be named with the documents", async (t) => {
  t.after(() => client.deleteIndexIfExists("named"));
  const index = client.index("named");
  await done(index.addDocuments([{ code: "x-1", id: 4 }], { primaryKey: "code" }));
  assert.equal((await index.getDocument("x-1")).id, 4);
});

test("a known id is replaced by an addition", async (t) => {
  const index = await indexFor(t, "replaced");
  await done(index.addDocuments([{ id: 1, title: "Only a title" }]));
  assert.deepEqual(await index.getDocument(1), { id: 1, title: "Only a title" });
  assert.equal((await index.getStats()).numberOfDocuments, products.length);
});

test("a known id keeps its other attributes in an update", async (t) => {
  const index = await indexFor(t, "updated");
  await done(index.updateDocuments([{ id: 1, price: 1 }, { id: 100, title: "New" }]));
  assert.deepEqual(await index.getDocument(1), { ...products[0], price: 1 });
  assert.deepEqual(await index.getDocument(100), { id: 100, title: "New" });
});

test("documents are sent in batches", async (t) => {
  const index = await indexFor(t, "batches", undefined, []);
  for (const enqueued of index.addDocumentsInBatches(products, 10)) {
    await done(enqueued);
  }
  for (const enqueued of index.updateDocumentsInBatches([{ id: 1, a: 1 }, { id: 2, a: 1 }], 1)) {
    await done(enqueued);
  }
  assert.equal((await index.getStats()).numberOfDocuments, products.length);
  assert.equal((await index.getDocument(2)).a, 1);
});

test("NDJSON is read", async (t) => {
  const index = await indexFor(t, "ndjson", undefined, []);
  const lines = products.map((product) => JSON.stringify(product)).join("\n");
  await done(index.addDocumentsFromString(lines, "application/x-ndjson", { primaryKey: "id" }));
  assert.deepEqual(await index.getDocument(24), products[23]);
  const update = '{"id": 24, "price": 1}\n{"id": 25, "price": 2}';
  await done(index.updateDocumentsFromString(update, "application/x-ndjson"));
  assert.equal((await index.getDocument(24)).price, 1);
  assert.equal((await index.getDocument(24)).title, "Garden bench");
});

test("CSV is read, with types and with another delimiter", async (t) => {
  const index = await indexFor(t, "csv", undefined, []);
  const rows = 'id,title,price:number,sold:boolean\n1,"Mug, red",9.5,true\n2,Cup,14,false\n';
  await done(index.addDocumentsFromString(rows, "text/csv", { primaryKey: "id" }));
  const mug = await index.getDocument("1");
  assert.deepEqual([mug.title, mug.price, mug.sold], ["Mug, red", 9.5, true]);
  await done(index.updateDocumentsFromString("id;price:number\n1;8", "text/csv", { csvDelimiter: ";" }));
  assert.equal((await index.getDocument("1")).price, 8);
  assert.equal((await index.getDocument("1")).title, "Mug, red");
});

test("JSON as a string is read", async (t) => {
  const index = await indexFor(t, "text", undefined, []);
  await done(index.addDocumentsFromString(JSON.stringify(products), "application/json"));
  assert.equal((await index.getStats()).numberOfDocuments, products.length);
});

test("payloads that cannot be read are refused", async (t) => {
  const index = await indexFor(t, "unread");
  const send = (text, type, options) => index.addDocumentsFromString(text, type, options);
  await refused(send("{", "application/json"), 400, "malformed_payload");
  await refused(send("", "application/json"), 400, "missing_payload");
  await refused(send("id\n1", "text/plain"), 415, "invalid_content_type");
  await refused(
    send("id\n1", "text/csv", { csvDelimiter: "ab" }), 400, "invalid_document_csv_delimiter",
  );
});

test("an id that cannot be one fails the task", async (t) => {
  const index = await indexFor(t, "ill-named");
  await fails(index.addDocuments([{ id: "no spaces allowed" }]), "invalid_document_id");
  await fails(index.addDocuments([{ title: "no id" }]), "missing_document_id");
});

test("documents can be kept from being made", async (t) => {
  const index = await indexFor(t, "no-creation");
  const changes = [{ id: 1, price: 2 }, { id: 100, price: 2 }];
  await done(index.updateDocuments(changes, { skipCreation: true }));
  assert.equal((await index.getDocument(1)).price, 2);
  await refused(index.getDocument(100), 404, "document_not_found");
});

test("a task carries the note it was given", async (t) => {
  const index = await indexFor(t, "noted");
  const task = await done(index.addDocuments([{ id: 1 }], { customMetadata: "nightly" }));
  assert.equal(task.customMetadata, "nightly");
});

test("documents are listed in pages with the fields asked for", async (t) => {
  const index = await indexFor(t, "listed");
  const page = await index.getDocuments({ limit: 5, offset: 20, fields: ["id"] });
  assert.deepEqual(page.results, [21, 22, 23, 24].map((id) => ({ id })));
  assert.deepEqual([page.total, page.limit, page.offset], [products.length, 5, 20]);
  const usual = await index.getDocuments();
  assert.deepEqual([usual.results.length, usual.limit], [20, 20]);
});

test("documents are listed by filter, by ids and in order", async (t) => {
  const index = await indexFor(t, "picked", searchSettings);
  const cheap = await index.getDocuments({ filter: "price < 10", limit: 100 });
  assert.deepEqual(ids(cheap.results).sort((a, b) => a - b), idsWhere((p) => p.price < 10));
  const some = await index.getDocuments({ ids: [3, 1, 77] });
  assert.deepEqual(ids(some.results).sort(), [1, 3]);
  const sorted = await index.getDocuments({ sort: ["price:desc"], limit: 3 });
  assert.deepEqual(ids(sorted.results), [15, 24, 13]);
  const nested = await index.getDocuments({ filter: [["brand = Kaito", "brand = Foliant"], "price > 20"] });
  assert.deepEqual(ids(nested.results).sort((a, b) => a - b), [5, 6, 20]);
});

test("requests for documents are checked", async (t) => {
  const index = await indexFor(t, "checked");
  await refused(index.getDocuments({ filter: "price < 10" }), 400, "invalid_document_filter");
  await refused(index.getDocuments({ limit: "x" }), 400, "invalid_document_limit");
  await refused(index.getDocuments({ offset: -1 }), 400, "invalid_document_offset");
  await refused(index.getDocuments({ sort: ["price:asc"] }), 400, "invalid_document_sort");
  await refused(client.index("nowhere").getDocuments(), 404, "index_not_found");
});

test("documents are deleted one by one, by ids, by filter, and all", async (t) => {
  const index = await indexFor(t, "emptied", searchSettings);
  const one = await done(index.deleteDocument(1));
  assert.deepEqual([one.details.providedIds, one.details.deletedDocuments], [1, 1]);
  assert.equal(one.type, "documentDeletion");
  const some = await done(index.deleteDocuments([2, "3", 999]));
  assert.deepEqual([some.details.providedIds, some.details.deletedDocuments], [3, 2]);
  const expected = products.filter((p) => p.brand === "Kaito").length;
  const filtered = await done(index.deleteDocuments({ filter: 'brand = "Kaito"' }));
  assert.equal(filtered.details.deletedDocuments, expected);
  assert.match(filtered.details.originalFilter, /^".*Kaito.*"$/);
  assert.equal((await index.getStats()).numberOfDocuments, products.length - 3 - expected);
  await done(index.deleteAllDocuments());
  assert.equal((await index.getDocuments()).total, 0);
  assert.equal((await index.search("")).hits.length, 0);
});

test("deletions are checked", async (t) => {
  const index = await indexFor(t, "undeletable");
  await refused(index.deleteDocuments({}), 400, "missing_document_filter");
  await refused(index.deleteDocuments({ filter: 7 }), 400, "invalid_document_filter");
  await fails(index.deleteDocuments({ filter: "color = red" }), "invalid_document_filter");
  await fails(client.index("nowhere").deleteDocument(1), "index_not_found");
});
