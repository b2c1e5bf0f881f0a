// What a window has fetched ahead survives its reload, and is nobody else's.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { forget, forgetOthers } from "../../static/js/forget.js";
import { Kept, keepInTab, keptInTab } from "../../static/js/kept.js";
import { given } from "./items.js";

/** A browser's stores, as far as they are used. */
class Stores {
  constructor() {
    /** @type {Map<string, Map<string, Response>>} */
    this.rows = new Map();
  }

  async keys() { return [...this.rows.keys()]; }
  /** @param {string} name */
  async has(name) { return this.rows.has(name); }
  /** @param {string} name */
  async delete(name) { return this.rows.delete(name); }
  /** @param {string} name */
  async open(name) {
    const rows = this.rows.get(name) ?? new Map();
    this.rows.set(name, rows);
    return {
      /** @param {string} address @param {Response} answer */
      put: async (address, answer) => { rows.set(address, answer); },
      /** @param {string} address */
      match: async (address) => rows.get(address)?.clone(),
      /** @param {string} address */
      delete: async (address) => rows.delete(address),
    };
  }
}

const ME = { person: "me", query: "?a=1", isDone: () => false };
/** @type {Stores} */
let stores;

beforeEach(() => {
  stores = new Stores();
  const rows = new Map();
  Object.assign(globalThis, {
    caches: stores,
    localStorage: {
      getItem: (/** @type {string} */ key) => rows.get(key) ?? null,
      setItem: (/** @type {string} */ key, /** @type {string} */ text) => rows.set(key, text),
      removeItem: (/** @type {string} */ key) => rows.delete(key),
    },
  });
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
});

/** Let everything that waits happen. */
async function settled() {
  mock.timers.tick(1000);
  for (let k = 0; k < 20; k++) await new Promise((done) => setImmediate(done));
}

/** @param {string} keys */
async function keptOf(keys) {
  const kept = new Kept(ME, "tab");
  const items = [...keys].map((id) => given(id));
  for (const item of items) {
    await kept.keep(item);
    await kept.keepPixels(item.all_pixels ?? "", new Uint8Array([1, 2]).buffer);
  }
  kept.note(items, 7);
  await settled();
  return kept;
}

/** @param {Kept} kept */
const idsOf = async (kept) => (await kept.former()).items.map(({ id }) => id).join("");

test("loaded again, a tab has its items in order, with their images and the end of their leases", async () => {
  await keptOf("cab");
  const again = new Kept(ME, "tab");
  assert.equal(await idsOf(again), "cab");
  assert.equal((await again.former()).leaseEnds, 7);
  assert.equal((await again.pixels("/pixels/a,…"))?.byteLength, 2);
  assert.equal(await again.pixels("/pixels/x"), null);
});

test("what does not wait any more is dropped, images and all", async () => {
  const kept = await keptOf("abc");
  kept.note([given("b")], 7);
  await settled();
  assert.equal(await idsOf(kept), "b");
  assert.equal(await kept.pixels("/pixels/a,…"), null);
});

test("nothing is shown to another person, in another query or tab, nor what was answered meanwhile", async () => {
  await keptOf("abc");
  assert.equal(await idsOf(new Kept({ ...ME, query: "" }, "tab")), "");
  assert.equal(await idsOf(new Kept(ME, "another tab")), "");
  assert.equal(await idsOf(new Kept({ ...ME, isDone: ({ id }) => id === "b" }, "tab")), "ac");
  assert.equal(await idsOf(new Kept({ ...ME, person: "you" }, "tab")), "");
  assert.equal(await idsOf(new Kept(ME, "tab")), "", "it has gone with the other's coming");
});

test("a log-out drops the page and the queue, and the same person coming again drops nothing", async () => {
  await keptOf("abc");
  await stores.open("triage-page");
  await stores.open("triage-files v1");
  await forgetOthers("me");
  assert.equal((await stores.keys()).length, 3);
  await forgetOthers("");
  assert.deepEqual(await stores.keys(), ["triage-files v1"]);
  await forget();
});

test("what a tab kept that was closed long ago is dropped by the next one", async () => {
  await keptOf("abc");
  mock.method(Date, "now", () => 9e14);
  const later = new Kept(ME, "later");
  await later.cache;
  await settled();
  assert.deepEqual(await stores.keys(), ["triage-queue later"]);
  mock.restoreAll();
});

test("a browser without such a store goes on as before", async () => {
  Object.assign(globalThis, { caches: undefined });
  const kept = await keptOf("abc");
  assert.equal(await idsOf(kept), "");
  assert.equal(await kept.pixels("/pixels/a,…"), null);
});

test("a tab that keeps nothing, or has no room left, stops nobody", () => {
  const never = () => { throw new Error("QuotaExceededError"); };
  for (const storage of [null, { getItem: never, setItem: never, removeItem: never }]) {
    Object.assign(globalThis, { sessionStorage: storage });
    keepInTab("astrid.undo", [{ id: "a" }]);
    keepInTab("astrid.undo", null);
    assert.equal(keptInTab("astrid.undo"), null);
  }
});

test("what a tab keeps is read as it was, and can be dropped", () => {
  const rows = new Map();
  Object.assign(globalThis, {
    sessionStorage: {
      getItem: (/** @type {string} */ key) => rows.get(key) ?? null,
      setItem: (/** @type {string} */ key, /** @type {string} */ text) => rows.set(key, text),
      removeItem: (/** @type {string} */ key) => rows.delete(key),
    },
  });
  keepInTab("astrid.place", { tab: "t", after: "" });
  assert.deepEqual(keptInTab("astrid.place"), { tab: "t", after: "" });
  keepInTab("astrid.place", null);
  assert.equal(keptInTab("astrid.place"), null);
});
