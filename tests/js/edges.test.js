// Greys found by comparing with edges: the very ones that the formulas give.

import assert from "node:assert/strict";
import { test } from "node:test";

import { GREYS, edges, edgesOf, greyOf } from "../../static/js/edges.js";
import { STRETCHES, sharedScale, symmetricScale } from "../../static/js/greys.js";

const f32 = Math.fround;
/** @type {import("../../static/js/greys.js").Levels[]} */
const SKIES = [
  { sky: 0, sigma: 10, white: 120, limits: [-20, 30], differenceSigma: 10 },
  { sky: f32(60123.4), sigma: 3.3e-5, white: 60124, limits: [60123.39, 60123.41], differenceSigma: 1e-30 },
  { sky: f32(1e30), sigma: 1e-3, white: 2e30, limits: [1e30, 1.1e30], differenceSigma: 1e37 },
  { sky: -1012.25, sigma: 12.7, white: 65000, limits: [-1050.1, -900], differenceSigma: 13.3 },
];
const CONTRASTS = [0.25, 0.7, 1, 4];
const float = new Float32Array(1), bits = new Uint32Array(float.buffer);

/**
 * Return values that are hard to place: beside each edge, in the noise, and any that there are.
 * @param {import("../../static/js/greys.js").Levels} levels
 * @param {Float32Array} found
 */
function* hard({ sky, sigma, differenceSigma }, found) {
  for (const edge of found) {
    if (!Number.isFinite(edge)) continue;
    yield edge;
    for (const by of [1, -2]) {
      float[0] = edge;
      bits[0] += by;
      yield float[0];
    }
  }
  for (let k = 0; k < 2000; k++) {
    const share = ((k * 7919) % 2003) / 2003;
    yield f32(sky + sigma * (40 * share - 10));
    yield f32(differenceSigma * (12 * share - 6));
    bits[0] = k * 2147483 + 17;
    if (Number.isFinite(float[0])) yield float[0];
  }
}

test("comparing finds the grey of the formula for every value, stretch and contrast", () => {
  for (const levels of SKIES) {
    for (const contrast of CONTRASTS) {
      for (const scale of [...STRETCHES.map((stretch) => sharedScale(levels, stretch, contrast)), symmetricScale(levels, contrast)]) {
        const found = edges(scale);
        found.forEach((edge, k) => assert.ok(k === 0 || edge >= found[k - 1], "edges never fall"));
        for (const value of hard(levels, found)) assert.equal(greyOf(found, value), scale.grey(value), `${value} over ${levels.sky}`);
      }
    }
  }
});

test("what is huge is white, what is hugely negative black", () => {
  const found = edges(sharedScale(SKIES[0]));
  assert.equal(found.length, GREYS - 1);
  assert.deepEqual([greyOf(found, 3.4e38), greyOf(found, -3.4e38)], [255, 0]);
});

test("a grey that is never reached has no edge", () => {
  const never = { grey: (/** @type {number} */ value) => (value > 0 ? 200 : 0), value: () => 0 };
  const found = edges(never);
  assert.ok(found[199] < 1e-40 && found[199] > 0);
  assert.equal(found[200], Infinity);
  assert.equal(greyOf(found, 3.4e38), 200);
});

test("edges are made once for a look, and anew for another", () => {
  const [levels] = SKIES, look = { stretch: "log", contrast: 1 };
  assert.equal(edgesOf(false, levels, look), edgesOf(false, levels, { ...look }));
  assert.notEqual(edgesOf(false, levels, look), edgesOf(false, levels, { ...look, contrast: 2 }));
  assert.equal(edgesOf(true, levels, look), edgesOf(true, levels, { ...look, stretch: "asinh" }), "a difference has no stretch");
});
