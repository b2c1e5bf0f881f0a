// What is said of the pixel under the pointer and of a ruler.

import assert from "node:assert/strict";
import { test } from "node:test";

import { apart, legendOf, positionAt, rulerWords, valueAt } from "../../static/js/readout.js";
import { cutouts } from "./epochs.js";

const SCALE = 2 / 3600;
// North up, east left, two arcseconds a pixel, at the middle of 5 × 5 pixels.
const WCS = { CRVAL1: 150, CRVAL2: 60, CRPIX1: 3, CRPIX2: 3, CD1_1: -SCALE, CD1_2: 0, CD2_1: 0, CD2_2: SCALE };

test("a pixel says its value as finely as its noise, and why it is bad", () => {
  const one = cutouts(5);
  const [science, reference, difference] = one.images;
  if (!science || !reference || !difference) throw new Error("images");
  science[7] = -1234.567;
  reference[7] = NaN;
  difference[7] = 0.004;
  assert.equal(valueAt(one, 0, [2.4, 0.6]), "−1235");
  assert.equal(valueAt(one, 1, [2, 1]), "no data");
  assert.equal(valueAt(one, 2, [2, 1]), "0");
  one.levels.sigma = 0.02;
  one.mask[7] = 1;
  assert.equal(valueAt(one, 0, [2, 1]), "−1234.567, masked");
  one.mask[7] = 3;
  assert.equal(valueAt(one, 0, [2, 1]), "−1234.567, saturated");
  assert.equal(valueAt({ ...one, images: [science, null, difference] }, 1, [2, 1]), "", "what was not sent says nothing");
});

test("a place is told on the sky, or from the detection where nobody knows the sky", () => {
  const place = { x: 2, y: 2, scale_arcsec: 2 };
  assert.equal(positionAt(cutouts(5, { wcs: WCS }), [2, 2], place), "10:00:00.00 +60:00:00.0");
  assert.equal(positionAt(cutouts(5, { wcs: WCS }), [2, 4], place), "10:00:00.00 +60:00:04.0");
  assert.equal(positionAt(cutouts(5), [2, 4], place), "4.0″ from it");
  assert.equal(positionAt(cutouts(5), [5, 6], { ...place, scale_arcsec: null }), "5.0 px from it");
});

test("a ruler tells length and position angle, east of north", () => {
  const one = cutouts(5, { wcs: WCS });
  assert.equal(rulerWords(one, [2, 0], [2, 4], 2), "8.0″ · 4.0 px · PA 0°");
  assert.equal(rulerWords(one, [4, 2], [0, 2], 2), "8.0″ · 4.0 px · PA 90°");
  assert.equal(rulerWords(one, [0, 4], [4, 0], 2), "11.3″ · 5.7 px · PA 225°");
  assert.equal(rulerWords(one, [1, 1], [1, 1], 2), "0.0″ · 0.0 px");
  assert.equal(rulerWords(cutouts(5), [0, 0], [3, 4], 2), "10.0″ · 5.0 px");
  assert.equal(rulerWords(cutouts(5), [0, 0], [3, 4], null), "5.0 px");
});

test("distances hold at the pole and across the first meridian", () => {
  const near = apart([359.9995, 0], [0.0005, 0]);
  assert.ok(Math.abs(near.arcsec - 3.6) < 1e-6 && Math.abs(near.angle - 90) < 1e-6);
  assert.ok(Math.abs(apart([0, 89.999], [180, 89.999]).arcsec - 7.2) < 1e-6);
});

test("screen readers hear what brighter looks like", () => {
  assert.match(legendOf({ map: "grey", isInverted: false }), /white is brighter than before, black is fainter/);
  assert.match(legendOf({ map: "grey", isInverted: true }), /black is brighter than before, white is fainter/);
  assert.match(legendOf({ map: "colour", isInverted: false }), /orange is brighter than before, blue is fainter/);
});
