import assert from "node:assert/strict";
import { test } from "node:test";

import { Presence } from "../../static/js/presence.js";

const NEWS = { keys: ["a", "b"], text: "Rosalind said bogus.", detection: "d" };

/**
 * @param {(import("../../static/js/presence.js").News | null)[]} given  news of one request after another
 */
function page(given) {
  /** @type {string[][]} */
  const asked = [];
  /** @type {string[]} */
  const told = [];
  const state = { isTelling: false };
  const presence = new Presence(
    async (keys = []) => {
      asked.push(keys);
      return { windows: 1, news: given.shift() ?? null };
    },
    { onWindows: () => {}, isTelling: () => state.isTelling, tell: ({ text }) => { told.push(text); } },
  );
  return { presence, asked, told, state };
}

test("news is told, and the server hears at once that it was", async () => {
  const { presence, asked, told } = page([NEWS]);
  await presence.beat();
  assert.deepEqual(told, [NEWS.text]);
  assert.deepEqual(asked, [[], ["a", "b"]]);
});

test("news that comes again because the server has not heard is not told again, and the server hears again", async () => {
  const { presence, asked, told } = page([NEWS, null, NEWS]);
  await presence.beat();
  await presence.beat();
  assert.deepEqual(told, [NEWS.text]);
  assert.deepEqual(asked, [[], ["a", "b"], [], ["a", "b"]]);
});

test("while one stands there the next one waits, and the server is told nothing of it", async () => {
  const { presence, asked, told, state } = page([NEWS, null, NEWS]);
  state.isTelling = true;
  await presence.beat();
  assert.deepEqual([told, asked], [[], [[]]]);
  state.isTelling = false;
  await presence.beat();
  await presence.beat();
  assert.deepEqual(told, [NEWS.text]);
});

test("a server that is away says nothing, and is asked again", async () => {
  let count = 0;
  const presence = new Presence(async () => { count += 1; throw new Error("away"); }, {
    onWindows: () => assert.fail(), isTelling: () => false, tell: () => assert.fail(),
  });
  await presence.beat();
  await presence.beat();
  assert.equal(count, 2);
});
