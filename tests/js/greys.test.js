// Stretches, palettes and the places of pixels.

import assert from "node:assert/strict";
import { test } from "node:test";

import { colours, turner, unturner } from "../../static/js/drawing.js";
import { STRETCHES, alike, measure, sharedScale } from "../../static/js/greys.js";
import { paletteOf } from "../../static/js/palettes.js";
import { zscale } from "../../static/js/zscale.js";
import { LOOK, cutouts } from "./epochs.js";

const LEVELS = cutouts(1).levels;
/**
 * @param {Float32Array} image
 * @param {import("../../static/js/greys.js").Levels} levels
 */
const sharedGrey = (image, levels, stretch = "asinh", contrast = 1) => Uint8Array.from(image, sharedScale(levels, stretch, contrast).grey);
const RISING = Float32Array.from({ length: 151 }, (_, k) => k - 30);

test("every stretch goes from black to white and never back", () => {
  for (const stretch of STRETCHES) {
    for (const contrast of [0.5, 1, 2]) {
      const greys = sharedGrey(RISING, LEVELS, stretch, contrast);
      greys.forEach((grey, k) => assert.ok(k === 0 || grey >= greys[k - 1], `${stretch} falls at ${RISING[k]}`));
      assert.equal(greys[0], 0, `${stretch}: three sigma below the sky is black`);
      if (contrast >= 1) assert.equal(greys.at(-1), 255, `${stretch}: the brightest is white`);
    }
  }
});

test("what the stretches make of the sky and of half the way to white", () => {
  const grey = (/** @type {string} */ stretch, /** @type {number} */ value) => sharedGrey(Float32Array.of(value), LEVELS, stretch)[0];
  assert.equal(grey("linear", 45), 128, "from −30 to 120 by the middle");
  assert.equal(grey("sqrt", 7.5), 128, "a quarter of the way is half the grey");
  assert.equal(grey("log", 120 - 150 * (1 - 0.1)), Math.round((255 * Math.log1p(100)) / Math.log1p(1000)));
  assert.equal(grey("zscale", 5), 128, "between its own limits");
  assert.equal(grey("faint", 15), 128, "white is six sigma above the sky");
  assert.equal(grey("log", NaN), 0);
});

test("the limits of zscale are those of astropy", () => {
  const numbers = Array.from({ length: 900 }, (_, k) => k);
  const share = (/** @type {number} */ k) => (((k * 7919) % 1009) + 0.5) / 1009;
  const stars = (/** @type {number} */ k) => (k % 97 ? 0 : 500) + (k % 31 ? 0 : 40);
  const flat = numbers.map((k) => 100 + 10 * (share(k) - 0.5) + stars(k));
  const noise = numbers.map((k) => 100 + 5 * Math.log(share(k) / (1 - share(k))) + stars(k));
  // astropy.visualization.ZScaleInterval().get_limits of the same values.
  /** @type {[number[], number, number][]} */
  const known = [[flat, 95.01487, 121.256726], [noise, 67.45119, 154.286962], [[...Array(500).fill(3), ...Array(400).keys()], 0, 399]];
  for (const [values, low, high] of known) {
    const found = zscale(Float32Array.from(values).sort());
    assert.ok(Math.abs(found[0] - low) < 1e-3 && Math.abs(found[1] - high) < 1e-3, `${found} for ${low}, ${high}`);
  }
  assert.deepEqual(zscale(Float32Array.of(7)), [7, 8], "one value has no range");
});

test("epochs are drawn alike above their own skies", () => {
  const levels = alike(500, LEVELS);
  for (const stretch of STRETCHES) {
    const here = sharedGrey(RISING.map((v) => v + 500), levels, stretch), there = sharedGrey(RISING, LEVELS, stretch);
    assert.deepEqual(here, there, stretch);
  }
  assert.equal(levels.differenceSigma, LEVELS.differenceSigma);
});

test("an epoch without its reference is measured by what it has", () => {
  const science = Float32Array.from({ length: 400 }, (_, k) => 100 + ((k * 37) % 41) - 20);
  const levels = measure([science, null, science.map((v) => v - 100)], new Uint8Array(400));
  assert.ok(Math.abs(levels.sky - 100) < 1);
  assert.ok(levels.sigma > 5);
});

test("a place and its pixel are each other's, however an image is turned", () => {
  for (const isFlipped of [false, true]) {
    for (const turns of [0, 1, 2, 3]) {
      const turn = { is_flipped: isFlipped, quarter_turns: turns, north_deg: null };
      const [x, y] = turner(9, turn)(2.25, 7);
      assert.deepEqual(unturner(9, turn)(x, y), [2.25, 7]);
    }
  }
});

test("the palettes keep zero without colour, rise in brightness, and turn about when inverted", () => {
  const rgb = (/** @type {number} */ entry) => [entry & 255, (entry >> 8) & 255, (entry >> 16) & 255];
  const light = (/** @type {number} */ entry) => rgb(entry).reduce((sum, v, c) => sum + v * [0.2126, 0.7152, 0.0722][c], 0);
  const rising = [...paletteOf(false, { map: "colour", isInverted: false }).plain];
  rising.forEach((entry, k) => assert.ok(k === 0 || light(entry) >= light(rising[k - 1]) - 0.6, `darker at ${k}`));
  const diverging = [...paletteOf(true, { map: "colour", isInverted: false }).plain];
  const [red, , blue] = rgb(diverging[127]);
  assert.ok(Math.abs(red - blue) < 8, "no change has no colour");
  assert.ok(rgb(diverging[200])[0] > rgb(diverging[200])[2], "brighter is orange");
  assert.ok(rgb(diverging[55])[0] < rgb(diverging[55])[2], "fainter is blue");
  const inverted = [...paletteOf(true, { map: "colour", isInverted: true }).plain];
  assert.deepEqual(inverted, diverging.toReversed());
  const greys = paletteOf(true, { map: "grey", isInverted: false }).plain;
  assert.deepEqual(rgb(greys[77]), [77, 77, 77]);
});

test("masked, saturated and lacking pixels each have a colour of their own, the first two on request", () => {
  const one = cutouts(2, { mask: Uint8Array.of(0, 1, 3, 0) });
  const [science] = one.images;
  if (science) science[3] = NaN;
  const turn = { is_flipped: false, quarter_turns: 0, north_deg: null };
  const seen = (/** @type {object} */ look) => {
    const all = new Uint32Array(colours(0, one, turn, { ...LOOK, ...look }, LEVELS)?.buffer ?? new ArrayBuffer(0));
    // The first row of a canvas is the upper one.
    return [all[2], all[3], all[0], all[1]];
  };
  const [good, masked, saturated, lacking] = seen({ hasMask: true });
  assert.equal(new Set([good, masked, saturated, lacking]).size, 4);
  const plain = seen({ hasMask: false });
  assert.deepEqual(plain, [good, good, good, lacking]);
  assert.equal(colours(1, { ...one, images: [science, null, null] }, turn, LOOK, LEVELS), null);
});
