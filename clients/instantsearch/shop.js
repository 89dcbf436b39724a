// What the tests share: an index with the products, and a page whose widgets draw nothing.
//
// The page is InstantSearch itself with the stock adapter. A connector hands each widget what
// it would draw, so that no DOM is needed.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { instantMeiliSearch } from "@meilisearch/instant-meilisearch";
import instantsearchModule from "instantsearch.js";
import connectors from "instantsearch.js/cjs/connectors/index.js";
import { Meilisearch } from "meilisearch";

const instantsearch = instantsearchModule.default;
const host = setting("VITRINE_URL");
const apiKey = setting("VITRINE_MASTER_KEY");

export { connectors };
export const products = JSON.parse(
  readFileSync(new URL("../products.json", import.meta.url), "utf8"),
);

function setting(name) {
  const value = process.env[name];
  assert.ok(value, `${name} is not set; run \`cargo xtask clients\``);
  return value;
}

/** Makes an index with all products, ready for every widget. */
export async function stock(uid, settings = {}) {
  const client = new Meilisearch({ host, apiKey, defaultWaitOptions: { timeout: 30_000, interval: 20 } });
  await client.createIndex(uid, { primaryKey: "id" }).waitTask();
  const index = client.index(uid);
  const filterableAttributes = [
    "brand", "category", "tags", "price", "rating", "stock", "color", "warehouse", "levels.one", "levels.two", "_geo",
  ];
  const sortableAttributes = ["price", "rating", "_geo"];
  await index.updateSettings({ filterableAttributes, sortableAttributes, ...settings }).waitTask();
  const documents = products.map((product) => ({
    ...product,
    levels: { one: product.warehouse, two: `${product.warehouse} > ${product.category}` },
  }));
  const task = await index.addDocuments(documents).waitTask();
  assert.equal(task.status, "succeeded", JSON.stringify(task));
}

/** A page of the shop. What its widgets show last is in `shown`, by their names. */
export class Page {
  shown = {};

  constructor(indexName, { options = {}, uiState } = {}) {
    const { searchClient, setMeiliSearchParams } = instantMeiliSearch(host, apiKey, options);
    this.searchClient = searchClient;
    this.setMeiliSearchParams = setMeiliSearchParams;
    const initialUiState = uiState === undefined ? undefined : { [indexName]: uiState };
    this.search = instantsearch({ indexName, searchClient, initialUiState });
    this.with("hits", "Hits");
  }

  /** Adds a widget by the name of its connector. */
  with(name, connector, parameters = {}) {
    const draw = (state) => {
      this.shown[name] = state;
    };
    const widget = connectors[`connect${connector}`](draw)(parameters);
    this.search.addWidgets([widget]);
    return this;
  }

  async start() {
    const ready = this.settled();
    this.search.start();
    await ready;
    return this;
  }

  /** Does what a visitor does, and waits until the page shows the answer. */
  async act(deed) {
    const ready = this.settled();
    deed(this.shown);
    await ready;
    return this;
  }

  /** Waits until the page shows something of which it is not told by a new search. */
  async until(condition) {
    for (let tries = 0; !condition(this.shown); tries += 1) {
      assert.ok(tries < 500, `never shown: ${condition}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return this;
  }

  async settled() {
    do {
      await once(this.search, "render", { signal: AbortSignal.timeout(10_000) });
    } while (this.search.status !== "idle");
  }

  leave() {
    this.search.dispose();
  }

  get hits() {
    return this.shown.hits.items ?? this.shown.hits.hits;
  }

  get ids() {
    return this.hits.map((hit) => hit.id);
  }

  get sortedIds() {
    return [...this.ids].sort((a, b) => a - b);
  }
}

/** The ids of the products that a plain predicate picks, ascending. */
export function idsWhere(predicate) {
  return products.filter(predicate).map((product) => product.id);
}

/** Counts each value. */
export function counts(values) {
  const all = {};
  for (const value of values) {
    all[value] = (all[value] ?? 0) + 1;
  }
  return all;
}

/** What a list of refinements shows, as counts. */
export function shownCounts(items) {
  return Object.fromEntries(items.map((item) => [item.value, item.count]));
}
