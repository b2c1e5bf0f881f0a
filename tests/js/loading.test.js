// Images that come, and that come in part: those are asked for again, and not kept.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Line } from "../../static/js/line.js";
import { Loader } from "../../static/js/loading.js";
import { body, planes } from "./epochs.js";
import { given } from "./items.js";

/** @type {[number, number, number]} */
const NUMBERS = [100, 50, 1e-3];
const FACTS = { id: "a", version: "1", size: 2, images: { science: NUMBERS, reference: NUMBERS, difference: NUMBERS }, has_mask: false, wcs: null };
const WHOLE = body([FACTS], [1, 2, 3].flatMap(() => planes([1, 2, 3, 4], NUMBERS)));
const CUT = WHOLE.slice(0, WHOLE.byteLength - 5);

/** @type {ArrayBuffer[]} what the server sends, one after the other */
let answers = [];
/** @type {Map<string, ArrayBuffer>} */
let kept = new Map();

beforeEach(() => {
  [answers, kept] = [[], new Map()];
  mock.timers.enable({ apis: ["setTimeout"] });
  mock.method(globalThis, "fetch", async () => new Response(answers.shift()));
});
afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

/** Let everything happen that waits for nothing else. */
async function settle() { for (let k = 0; k < 20; k += 1) await Promise.resolve(); await new Promise(setImmediate); }

async function loaded() {
  const line = new Line(() => false);
  line.add(given("a"), false);
  line.position = 0;
  const store = { pixels: async (/** @type {string} */ at) => kept.get(at) ?? null, keepPixels: (/** @type {string} */ at, /** @type {ArrayBuffer} */ pixels) => kept.set(at, pixels) };
  const loader = new Loader(line, store, () => {});
  loader.tend();
  await settle();
  const item = line.current;
  assert.ok(item);
  return { loader, item };
}

test("images that were cut off on their way are not kept, and come when they are asked for again", async () => {
  answers = [CUT, WHOLE];
  const { loader, item } = await loaded();
  assert.deepEqual([item.isWhole, item.isLost, item.fault], [false, false, "The images could not be loaded yet."]);
  assert.equal(kept.size, 0);
  loader.loadAgain();
  await settle();
  assert.deepEqual([item.isWhole, item.fault, kept.size], [true, "", 1]);
});

test("they are asked for again after a while by themselves", async () => {
  answers = [CUT, WHOLE];
  const { item } = await loaded();
  mock.timers.tick(3000);
  await settle();
  assert.ok(item.isWhole);
});

test("what was kept in part before is fetched anew", async () => {
  kept.set("/pixels/a,…", CUT);
  answers = [WHOLE];
  const { item } = await loaded();
  assert.ok(item.isWhole);
  assert.equal(kept.get("/pixels/a,…")?.byteLength, WHOLE.byteLength);
});
