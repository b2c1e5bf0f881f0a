// The greys of cutouts: science and reference on one scale, the difference symmetric about zero.
// By default the same as detection/numerics/display.py, number for number; in float32 where numpy computes in float32.

import { zscale } from "./zscale.js";

const f32 = Math.fround;
const MAD_TO_SIGMA = 1.4826; // of a normal distribution
// Science and reference: black 3 sigma below the sky, linear up to 3 sigma, logarithmic above.
const BLACK_SIGMA = 3, LINEAR_SIGMA = 3;
// White is the brightest but four of 2 × 63² pixels, and never so near the sky that noise alone fills the range.
const WHITE_PERCENTILE = 99.95, LEAST_WHITE_SIGMA = 12;
// The difference: linear between these.
const DIFFERENCE_SIGMA = 5;
// Of the linear stretch of the faintest: white this far above the sky.
const FAINT_SIGMA = 6;
// Of the logarithmic stretch: how much more a step near black counts than one near white, as in other viewers.
const LOG_EXPONENT = 1000;

export const STRETCHES = ["asinh", "linear", "log", "sqrt", "zscale", "faint"];

/**
 * @typedef {object} Levels
 * @property {number} sky
 * @property {number} sigma
 * @property {number} white
 * @property {[number, number]} limits  of zscale: black and white
 * @property {number} differenceSigma
 */

/**
 * Return what the greys of one epoch are made from: the statistics of the good pixels of its images.
 * @param {(Float32Array | null)[]} images  science, reference, difference
 * @param {Uint8Array} mask
 * @returns {Levels}
 */
export function measure(images, mask) {
  const good = images.map((image) => goodOf(image, mask));
  const both = joined(good[0], good[1]);
  const sky = median(both);
  const sigma = Math.max(...good.slice(0, 2).filter((_, k) => images[k]).map(robustSigma));
  const white = Math.max(percentile(both, WHITE_PERCENTILE), sky + LEAST_WHITE_SIGMA * sigma);
  return { sky, sigma, white, limits: zscale(both), differenceSigma: robustSigma(good[2]) };
}

/**
 * Return the sky of one epoch, as `measure` does.
 * @param {(Float32Array | null)[]} images  science, reference, difference
 * @param {Uint8Array} mask
 */
export function skyOf([science, reference], mask) { return median(joined(goodOf(science, mask), goodOf(reference, mask))); }

/**
 * Return the levels that draw an epoch as another one is drawn: so many counts above its own sky are the same grey.
 * @param {number} sky
 * @param {Levels} leading
 * @returns {Levels}
 */
export function alike(sky, leading) {
  const up = sky - leading.sky;
  const [low, high] = leading.limits;
  return { ...leading, sky, white: leading.white + up, limits: [low + up, high + up] };
}

/**
 * @typedef {object} Scale  from values to greys; it never falls
 * @property {(value: number) => number} grey  0–255
 * @property {(grey: number) => number} value  about where that grey, or a part of one, is reached
 */

/**
 * Return the scale of science and reference; `contrast` 1 is the convention, above it white comes nearer.
 * @param {Levels} levels
 * @returns {Scale}
 */
export function sharedScale(levels, stretch = "asinh", contrast = 1) {
  const [black, top] = range(levels, stretch, contrast);
  const { sky, sigma } = levels, soft = LINEAR_SIGMA * sigma, isBent = stretch === "asinh";
  const level = (/** @type {number} */ v) => (isBent ? Math.asinh((v - sky) / soft) : v);
  const unlevel = (/** @type {number} */ v) => (isBent ? sky + soft * Math.sinh(v) : v);
  const [low, high] = [level(black), level(top)], { bend, unbend } = BENDS[stretch] ?? STRAIGHT;
  return {
    grey: (value) => roundEven(255 * bend(clipped((level(value) - low) / (high - low), 0, 1))),
    value: (grey) => unlevel(low + unbend(grey / 255) * (high - low)),
  };
}

/** @typedef {{bend: (share: number) => number, unbend: (share: number) => number}} Bend  and its inverse */
/** @type {Bend} */
const STRAIGHT = { bend: (share) => share, unbend: (share) => share };
/** @type {Record<string, Bend | undefined>} */
const BENDS = {
  sqrt: { bend: Math.sqrt, unbend: (share) => share * share },
  log: {
    bend: (share) => Math.log1p(LOG_EXPONENT * share) / Math.log1p(LOG_EXPONENT),
    unbend: (share) => Math.expm1(share * Math.log1p(LOG_EXPONENT)) / LOG_EXPONENT,
  },
};

/**
 * Return what is black and what is white.
 * @param {Levels} levels
 * @param {string} stretch
 * @param {number} contrast
 */
function range({ sky, sigma, white, limits }, stretch, contrast) {
  if (stretch === "zscale") return [limits[0], limits[0] + (limits[1] - limits[0]) / contrast];
  return [sky - BLACK_SIGMA * sigma, sky + (stretch === "faint" ? FAINT_SIGMA * sigma : white - sky) / contrast];
}

/**
 * Return the scale of a difference: linear, zero in the middle, ±5 sigma at the ends.
 * @param {Levels} levels
 * @returns {Scale}
 */
export function symmetricScale({ differenceSigma }, contrast = 1) {
  const end = f32((DIFFERENCE_SIGMA * differenceSigma) / contrast);
  return {
    grey: (value) => roundEven(f32(127.5 + f32(127.5 * clipped(f32(value / end), -1, 1)))),
    value: (grey) => (end * (grey - 127.5)) / 127.5,
  };
}

/**
 * @param {number} share
 * @param {number} low
 * @param {number} high
 */
function clipped(share, low, high) {
  return Number.isNaN(share) ? 0 : Math.min(Math.max(share, low), high);
}

/**
 * Halves go to the even neighbour, as numpy's rint does.
 * @param {number} value
 */
function roundEven(value) {
  const below = Math.floor(value);
  const rest = value - below;
  return rest < 0.5 || (rest === 0.5 && below % 2 === 0) ? below : below + 1;
}

/**
 * @param {Float32Array | null} image
 * @param {Uint8Array} mask
 */
function goodOf(image, mask) {
  const good = new Float32Array(image?.length ?? 0);
  let count = 0;
  // Neither NaN nor infinite, nor masked.
  for (let k = 0; k < good.length; k++) if (image && image[k] - image[k] === 0 && !mask[k]) good[count++] = image[k];
  return good.subarray(0, count);
}

/**
 * @param {Float32Array} first
 * @param {Float32Array} second
 */
function joined(first, second) {
  const all = new Float32Array(first.length + second.length || 1);
  all.set(first);
  all.set(second, first.length);
  return all.sort();
}

/** @param {Float32Array} sorted */
function median(sorted) {
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : f32(f32(sorted[half - 1] + sorted[half]) / 2);
}

/**
 * @param {Float32Array} sorted
 * @param {number} percent
 */
function percentile(sorted, percent) {
  const place = (sorted.length - 1) * (percent / 100);
  const below = Math.floor(place);
  const [a, b] = [sorted[below], sorted[Math.min(below + 1, sorted.length - 1)]];
  return a + (b - a) * (place - below);
}

/**
 * Return the scatter about the median, 1 where there is none to measure.
 * @param {Float32Array} values
 */
function robustSigma(values) {
  if (!values.length) return 1;
  const middle = median(values.slice().sort());
  return MAD_TO_SIGMA * median(values.map((v) => Math.abs(v - middle)).sort()) || 1;
}
