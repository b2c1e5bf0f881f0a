// Epochs as the server sends them, and what becomes of an answer that is none.

import assert from "node:assert/strict";
import { test } from "node:test";

import { hasArrived, readEpochs } from "../../static/js/packed.js";
import { body, planes } from "./epochs.js";

/** @type {[number, number, number]} */
const NUMBERS = [100, 50, 1e-3];
const VALUES = [100, 103.25, NaN, -4e4];
const WHOLE = { id: "a", version: "1", size: 2, images: { science: NUMBERS, reference: NUMBERS, difference: NUMBERS }, has_mask: true, wcs: null };
const OTHER = { id: "b", version: "2", size: 2, images: { science: NUMBERS, difference: NUMBERS }, has_mask: false, wcs: { CRPIX1: 1 } };
const GONE = { id: "c", fault: "It is gone." };
const BYTES = [...[1, 2, 3].flatMap(() => planes(VALUES, NUMBERS)), 0, 1, 3, 0, ...[1, 2].flatMap(() => planes([1, 2, 3, 4], NUMBERS))];

test("all epochs of an answer are read, with what each of them lacks", () => {
  const [leading, gone, other] = readEpochs(body([WHOLE, GONE, OTHER], BYTES));
  for (const image of leading.cutouts?.images ?? []) {
    VALUES.forEach((value, k) => {
      const found = image?.[k] ?? 0;
      if (Number.isNaN(value)) assert.ok(Number.isNaN(found));
      else assert.ok(Math.abs(found - value) <= Math.max(0.03, 1e-3 * Math.abs(value - 100)), `${found} for ${value}`);
    });
  }
  assert.deepEqual([...leading.cutouts?.mask ?? []], [0, 1, 3, 0]);
  assert.deepEqual(gone, { id: "c", cutouts: null, fault: "It is gone." });
  assert.equal(other.cutouts?.images[1], null, "the reference is sent once");
  assert.deepEqual([...other.cutouts?.mask ?? []], [0, 0, 0, 0]);
  assert.equal(other.cutouts?.wcs?.CRPIX1, 1);
});

test("an answer that is cut off or something else is refused with a sentence", () => {
  assert.throws(() => readEpochs(body([WHOLE], BYTES.slice(0, 20))), /did not arrive whole/);
  for (const text of ["", "<html>\n", "{}\n", '{"epochs":[]}\n', '{"epochs"']) {
    assert.throws(() => readEpochs(new TextEncoder().encode(text).buffer), /no images/, text);
  }
});

test("whether all has arrived is told from the first line", () => {
  assert.ok(hasArrived(body([WHOLE, GONE, OTHER], BYTES)));
  assert.ok(hasArrived(body([GONE], [])));
  for (const length of [0, 20, BYTES.length - 1]) assert.ok(!hasArrived(body([WHOLE, GONE, OTHER], BYTES.slice(0, length))), `${length}`);
  for (const text of ["", "<html>\n", "{}\n"]) assert.ok(!hasArrived(new TextEncoder().encode(text).buffer), text);
});
