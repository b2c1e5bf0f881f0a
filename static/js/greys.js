// The greys of cutouts: science and reference on one scale, the difference symmetric about zero.
// The same as detection/numerics/display.py, number for number; in float32 where numpy computes in float32.

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

export const STRETCHES = ["asinh", "linear", "faint"];

/** @typedef {{sky: number, sigma: number, white: number, differenceSigma: number}} Levels */

/**
 * Return what the greys of one detection are made from: the statistics of the good pixels of its three images.
 * @param {Float32Array} science
 * @param {Float32Array} reference
 * @param {Float32Array} difference
 * @param {Float32Array} mask
 * @returns {Levels}
 */
export function measure(science, reference, difference, mask) {
  const good = [science, reference, difference].map((image) => image.filter((v, k) => Number.isFinite(v) && !(mask[k] > 0)));
  const both = joined(good[0], good[1]);
  const sky = median(both);
  const sigma = Math.max(robustSigma(good[0]), robustSigma(good[1]));
  const white = Math.max(percentile(both, WHITE_PERCENTILE), sky + LEAST_WHITE_SIGMA * sigma);
  return { sky, sigma, white, differenceSigma: robustSigma(good[2]) };
}

/**
 * Return the greys (0–255) of science or reference; `contrast` 1 is the convention, above it white comes nearer.
 * @param {Float32Array} image
 * @param {Levels} levels
 */
export function sharedGrey(image, { sky, sigma, white }, stretch = "asinh", contrast = 1) {
  const black = sky - BLACK_SIGMA * sigma;
  const top = sky + (stretch === "faint" ? FAINT_SIGMA * sigma : white - sky) / contrast;
  const level = (/** @type {number} */ v) => (stretch === "asinh" ? Math.asinh((v - sky) / (LINEAR_SIGMA * sigma)) : v);
  const low = level(black), high = level(top);
  return Uint8Array.from(image, (v) => roundEven(255 * clipped((level(v) - low) / (high - low), 0, 1)));
}

/**
 * Return the greys (0–255) of a difference: linear, zero in the middle, ±5 sigma at the ends.
 * @param {Float32Array} image
 * @param {Levels} levels
 */
export function symmetricGrey(image, { differenceSigma }, contrast = 1) {
  const end = f32((DIFFERENCE_SIGMA * differenceSigma) / contrast);
  return Uint8Array.from(image, (v) => roundEven(f32(127.5 + f32(127.5 * clipped(f32(v / end), -1, 1)))));
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
