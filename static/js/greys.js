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
  const good = images.map((image) => (image ?? new Float32Array()).filter((v, k) => Number.isFinite(v) && !mask[k]));
  const both = joined(good[0], good[1]);
  const sky = median(both);
  const sigma = Math.max(...good.slice(0, 2).filter((_, k) => images[k]).map(robustSigma));
  const white = Math.max(percentile(both, WHITE_PERCENTILE), sky + LEAST_WHITE_SIGMA * sigma);
  return { sky, sigma, white, limits: zscale(both), differenceSigma: robustSigma(good[2]) };
}

/**
 * Return the levels that draw an epoch as another one is drawn: so many counts above its own sky are the same grey.
 * @param {Levels} own
 * @param {Levels} leading
 * @returns {Levels}
 */
export function alike(own, leading) {
  const up = own.sky - leading.sky;
  const [low, high] = leading.limits;
  return { ...leading, sky: own.sky, white: leading.white + up, limits: [low + up, high + up] };
}

/**
 * Return the greys (0–255) of science or reference; `contrast` 1 is the convention, above it white comes nearer.
 * @param {Float32Array} image
 * @param {Levels} levels
 */
export function sharedGrey(image, levels, stretch = "asinh", contrast = 1) {
  const [black, top] = range(levels, stretch, contrast);
  const { sky, sigma } = levels;
  const level = stretch === "asinh" ? (/** @type {number} */ v) => Math.asinh((v - sky) / (LINEAR_SIGMA * sigma)) : null;
  const [low, high] = level ? [level(black), level(top)] : [black, top];
  const bend = BENDS[stretch];
  const greys = new Uint8Array(image.length);
  for (let k = 0; k < image.length; k++) {
    const share = clipped(((level ? level(image[k]) : image[k]) - low) / (high - low), 0, 1);
    greys[k] = roundEven(255 * (bend ? bend(share) : share));
  }
  return greys;
}

/** @type {Record<string, ((share: number) => number) | undefined>} */
const BENDS = { sqrt: Math.sqrt, log: (share) => Math.log1p(LOG_EXPONENT * share) / Math.log1p(LOG_EXPONENT) };

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
 * Return the greys (0–255) of a difference: linear, zero in the middle, ±5 sigma at the ends.
 * @param {Float32Array} image
 * @param {Levels} levels
 */
export function symmetricGrey(image, { differenceSigma }, contrast = 1) {
  const end = f32((DIFFERENCE_SIGMA * differenceSigma) / contrast);
  const greys = new Uint8Array(image.length);
  for (let k = 0; k < image.length; k++) greys[k] = roundEven(f32(127.5 + f32(127.5 * clipped(f32(image[k] / end), -1, 1))));
  return greys;
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
