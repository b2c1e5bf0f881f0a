// From values to greys by comparing alone: the least value of each grey, made once for a look. So a stretch costs the same
// whatever its formula, and a graphics card finds the very grey that a script finds, however it rounds.

import { sharedScale, symmetricScale } from "./greys.js";

export const GREYS = 256;
const LEAST = new Float32Array([-3.4028234663852886e38])[0], MOST = -LEAST;

/**
 * @typedef {import("./greys.js").Levels} Levels
 * @typedef {import("./greys.js").Scale} Scale
 * @typedef {{stretch: string, contrast: number}} Stretched
 */

/** @type {WeakMap<Levels, Map<string, Float32Array>>} */
const known = new WeakMap();

/**
 * Return the least value of each grey from 1 to 255, rising; infinity for a grey that is not reached.
 * @param {boolean} isDifference
 * @param {Levels} levels
 * @param {Stretched} look
 */
export function edgesOf(isDifference, levels, { stretch, contrast }) {
  const name = isDifference ? `difference ${contrast}` : `${stretch} ${contrast}`;
  const made = known.get(levels) ?? new Map();
  known.set(levels, made);
  const found = made.get(name) ?? edges(isDifference ? symmetricScale(levels, contrast) : sharedScale(levels, stretch, contrast));
  made.set(name, found);
  return found;
}

/**
 * Return the least value of each grey of a scale.
 * @param {Scale} scale
 */
export function edges(scale) {
  const found = new Float32Array(GREYS - 1);
  for (let grey = 1; grey < GREYS; grey++) found[grey - 1] = leastOf(scale, grey);
  return found;
}

/**
 * Return the grey of a value: how many edges it has reached. Without branches, which noise would make the processor guess.
 * @param {Float32Array} of  edges
 * @param {number} value
 */
export function greyOf(of, value) {
  let grey = Number(value >= of[127]) << 7;
  grey |= Number(value >= of[grey + 63]) << 6;
  grey |= Number(value >= of[grey + 31]) << 5;
  grey |= Number(value >= of[grey + 15]) << 4;
  grey |= Number(value >= of[grey + 7]) << 3;
  grey |= Number(value >= of[grey + 3]) << 2;
  grey |= Number(value >= of[grey + 1]) << 1;
  return grey + Number(value >= of[grey]);
}

/**
 * Find the least float32 that is at least so bright. The formula's inverse is nearly always right or next to it; from there
 * steps that double, then halves.
 * @param {Scale} scale
 * @param {number} grey
 */
function leastOf(scale, grey) {
  const guess = numberOf(Math.min(Math.max(scale.value(grey - 0.5), LEAST), MOST) || 0);
  const isReached = (/** @type {number} */ number) => scale.grey(valueOf(number)) >= grey;
  let [below, above] = [guess - 1, guess], step = 1;
  if (isReached(guess)) for (; below >= FIRST && isReached(below); step *= 2) [below, above] = [below - step, below];
  else for ([below, above] = [guess, guess + 1]; above <= LAST && !isReached(above); step *= 2) [below, above] = [above, above + step];
  below = Math.max(below, FIRST - 1);
  if (above > LAST) above = LAST + 1;
  while (above - below > 1) {
    const middle = Math.floor((above + below) / 2);
    if (isReached(middle)) above = middle;
    else below = middle;
  }
  return above > LAST ? Infinity : valueOf(above);
}

// Float32 numbers by their rank, so that the next one is one further: both zeros are 0.
const bits = new Int32Array(1), float = new Float32Array(bits.buffer);

/** @param {number} value */
function numberOf(value) {
  float[0] = value;
  return bits[0] >= 0 ? bits[0] : -(bits[0] & 0x7fffffff);
}

/** @param {number} number */
function valueOf(number) {
  bits[0] = Math.abs(number);
  return number < 0 ? -float[0] : float[0];
}

const FIRST = numberOf(LEAST), LAST = numberOf(MOST);
