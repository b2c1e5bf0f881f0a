// The script between triage and the network: what a page gets while the server answers, is away, or says nothing.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

const ORIGIN = "https://site.test", TRIAGE = `${ORIGIN}/triage/`, PART = "/static/v1/js/triage.js";
/** @type {Record<string, (event: any) => void>} */
const listeners = {};
/** @type {Map<string, Map<string, Response>>} */
const stores = new Map();
/** @type {(request: Request) => Promise<Response>} */
let network;

/** @param {string} name */
function store(name) {
  const rows = stores.get(name) ?? stores.set(name, new Map()).get(name);
  assert(rows);
  return {
    put: async (/** @type {string} */ address, /** @type {Response} */ answer) => { rows.set(address, answer); },
    keys: async () => [...rows.keys()].map((url) => ({ url })),
    delete: async (/** @type {string} */ address) => rows.delete(address),
  };
}

Object.assign(globalThis, {
  self: {
    registration: { scope: TRIAGE },
    location: new URL(`${TRIAGE}worker.js?part=${PART}`),
    addEventListener: (/** @type {string} */ name, /** @type {(event: any) => void} */ listen) => { listeners[name] = listen; },
  },
  caches: {
    open: async (/** @type {string} */ name) => store(name),
    keys: async () => [...stores.keys()],
    delete: async (/** @type {string} */ name) => stores.delete(name),
    match: async (/** @type {string} */ address, /** @type {{ cacheName: string }} */ { cacheName }) =>
      stores.get(cacheName)?.get(address)?.clone(),
  },
  fetch: (/** @type {Request} */ request) => network(request),
});
// By a name: it is checked against the types of such scripts, and not of pages.
const script = "../../static/js/triage-worker.js";
await import(script);

const OWN_FILES = `triage-files ?part=${PART}`;
/** @param {string} words */
function page(words) { return new Response(`<script src="${PART}"></script>${words}`, { headers: { "Content-Type": "text/html" } }); }

/**
 * Ask for an address; return what the script answers with.
 * @param {string} url
 * @param {string} mode
 * @returns {Promise<Response>}
 */
function answerTo(url, mode = "navigate") {
  return new Promise((resolve) => {
    listeners.fetch({ request: { url, mode }, respondWith: resolve, waitUntil: (/** @type {Promise<void>} */ work) => work });
  });
}

/** Let promises go on until none does. */
async function settle() { for (let k = 0; k < 20; k++) await Promise.resolve(); }

beforeEach(() => {
  mock.timers.reset();
  stores.clear();
  stores.set("triage-page", new Map([[TRIAGE, page("as it was")]]));
  stores.set(OWN_FILES, new Map([[ORIGIN + PART, new Response("kept script")], [`${TRIAGE}away`, new Response("away")]]));
});

test("a server that takes the connection and says nothing is waited for a while, then comes what is kept", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  network = () => new Promise(() => {});
  for (const [address, mode, words] of [[TRIAGE, "navigate", "as it was"], [ORIGIN + PART, "cors", "kept script"]]) {
    /** @type {Response | undefined} */
    let answer;
    void answerTo(address, mode).then((found) => { answer = found; });
    await settle();
    mock.timers.tick(7000);
    await settle();
    assert.equal(answer, undefined, "it may yet answer");
    mock.timers.tick(2000);
    await settle();
    assert.match(await /** @type {any} */ (answer).text(), new RegExp(words));
  }
});

test("nothing takes the place of a page that is kept nowhere, however long it takes", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  network = () => new Promise((resolve) => { setTimeout(resolve, 60_000, page("slow")); });
  const coming = answerTo(`${ORIGIN}/statistics/`);
  await settle();
  mock.timers.tick(60_000);
  assert.match(await (await coming).text(), /slow/);
});

test("what the server answers comes first, and is what is kept from then on", async () => {
  network = async () => page("new");
  assert.match(await (await answerTo(TRIAGE)).text(), /new/);
  network = async () => { throw new TypeError("away"); };
  assert.match(await (await answerTo(TRIAGE)).text(), /new/);
});

test("a page of another version, or none, gives way to the one that says what is kept", async () => {
  network = async () => { throw new TypeError("away"); };
  stores.set("triage-page", new Map([[TRIAGE, new Response("<script src='/static/v0/js/triage.js'>")]]));
  assert.equal(await (await answerTo(TRIAGE)).text(), "away");
});
