// Tiles of large images: which of them a view needs, what stands in for them, and what becomes of those that fail.

import assert from "node:assert/strict";
import { test } from "node:test";

import { counted } from "../../static/js/known.js";
import { TILE_PX, above, areaOf, levelFor, nameOf, partOf, tilesIn } from "../../static/js/pyramid.js";
import { Tiles, readSample, readTile } from "../../static/js/tiles.js";

const LARGE = { width: 9576, height: 6388, top: 6 };
const COUNT = TILE_PX * TILE_PX;

/**
 * @param {object} head
 * @param {Uint8Array} bytes
 */
function body(head, bytes) {
  const line = new TextEncoder().encode(`${JSON.stringify(head)}\n`);
  const all = new Uint8Array(line.length + bytes.length);
  all.set(line);
  all.set(bytes, line.length);
  return all.buffer;
}

/** @param {number[]} codes  of the first pixels */
function planes(codes, extra = 0) {
  const bytes = new Uint8Array((4 + extra) * COUNT);
  codes.forEach((code, k) => { for (let n = 0; n < 4; n++) bytes[n * COUNT + k] = Math.floor(code / 256 ** n) % 256; });
  return bytes;
}

const EMPTY = body({ zero: 0, step: 1, has_mask: false }, planes([]));

test("a level is never coarser than the screen, and never beyond what there is", () => {
  for (const [dots, level] of [[1, 0], [24, 0], [0.51, 0], [0.5, 1], [0.094, 3], [0.001, 6]]) assert.equal(levelFor(LARGE, dots), level);
});

test("a view asks for the tiles that it touches, the middle first, and for none beside the image", () => {
  const area = { left: -500, right: 700, bottom: 0, top: 256 };
  assert.deepEqual(new Set(tilesIn(LARGE, 0, area).map(nameOf)), new Set(["0/0/0", "0/1/0", "0/2/0"]));
  assert.equal(tilesIn(LARGE, 0, area, 1).length, 8);
  assert.equal(nameOf(tilesIn(LARGE, 0, { left: 512, right: 1280, bottom: 0, top: 768 })[0]), "0/3/1");
  assert.equal(tilesIn(LARGE, 6, { left: 0, right: 9576, bottom: 0, top: 6388 }).length, 1);
  assert.equal(tilesIn(LARGE, 3, { left: 0, right: 9576, bottom: 0, top: 6388 }).length, 20);
});

test("what stands in for a tile shows the same part of the image", () => {
  const place = { level: 1, column: 5, row: 2 };
  for (const up of [0, 1, 2, 3]) {
    const coarse = above(place, up), whole = areaOf(coarse), { left, top, side } = partOf(place, up), wanted = areaOf(place);
    const scale = 2 ** coarse.level;
    assert.equal(whole.left + left * scale, wanted.left);
    assert.equal(whole.top - top * scale, wanted.top);
    assert.equal(side * scale, wanted.right - wanted.left);
  }
});

test("a tile is read with what has no data and why pixels are bad", () => {
  const bytes = planes([0x80808080, 0x80808081, 0, 0x80808080 - 70000], 1);
  bytes[4 * COUNT + 3] = 3;
  const { images, mask } = readTile(body({ zero: 100, step: 0.25, has_mask: true }, bytes));
  assert.deepEqual([...images[0].subarray(0, 4)], [100, 100.25, NaN, 100 - 17500]);
  assert.deepEqual([...mask.subarray(0, 4)], [0, 0, 0, 3]);
  assert.throws(() => readTile(body({ zero: 0, step: 1, has_mask: true }, planes([]))), /did not arrive whole/);
});

test("a sample is read image by image", () => {
  const values = Float32Array.of(1, 2.5, -3);
  const found = readSample(body({ counts: [1, 0, 2] }, new Uint8Array(values.buffer)));
  assert.deepEqual(found.map((part) => [...part]), [[1], [], [2.5, -3]]);
});

test("tiles are asked for in the order of need, a few at once, each once", async () => {
  /** @type {string[]} */
  const asked = [];
  /** @type {(() => void)[]} */
  const answers = [];
  const ask = (/** @type {{name: string}} */ { name }) => {
    asked.push(name);
    return /** @type {Promise<ArrayBuffer>} */ (new Promise((resolve) => { answers.push(() => resolve(EMPTY)); }));
  };
  const tiles = new Tiles(ask, () => {});
  const wanted = Array.from({ length: 9 }, (_, k) => ({ kind: "science", name: String(k) }));
  tiles.want(wanted);
  tiles.want([...wanted].reverse());
  assert.deepEqual(asked, ["0", "1", "2", "3", "4", "5"]);
  answers[0]();
  await new Promise(setImmediate);
  assert.equal(asked.at(-1), "8", "what is wanted now goes before what was wanted first");
  assert.ok(tiles.get(wanted[0]));
});

test("a tile that failed is told of, and not asked for at every drawing", async () => {
  let asked = 0;
  /** @type {unknown[]} */
  const faults = [];
  const tiles = new Tiles(async () => { asked += 1; throw new Error("gone"); }, (_, fault) => faults.push(fault));
  const wanted = [{ kind: "science", name: "0" }];
  tiles.want(wanted);
  await new Promise(setImmediate);
  tiles.want(wanted);
  assert.equal(asked, 1);
  assert.match(String(faults[0]), /gone/);
});

test("tiles that a view needs are kept, of the others the latest ones", async () => {
  const tiles = new Tiles(async () => EMPTY, () => {});
  const wanted = Array.from({ length: 230 }, (_, k) => ({ kind: "science", name: String(k) }));
  tiles.want(wanted);
  while (tiles.kept.size < wanted.length) await new Promise(setImmediate);
  tiles.want([wanted[0]]);
  assert.equal(tiles.kept.size, 200);
  assert.ok(tiles.get(wanted[0]) && tiles.get(wanted[229]));
  assert.equal(tiles.get(wanted[1]), null);
});

test("what is known in a frame is counted in words", () => {
  const of = (/** @type {string[]} */ ...kinds) => counted(kinds.map((kind) => ({ x: 0, y: 0, kind, text: "", url: "" })));
  assert.equal(of("galaxy", "star", "galaxy", "detection"), "Known here: 1 detection, 1 star, 2 galaxies.");
  assert.equal(of(), "Neither detections nor catalogues are known here.");
});
