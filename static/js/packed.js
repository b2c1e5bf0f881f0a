// The pixels of epochs as the server packs them (detection/cutouts/epochs.py): a line of JSON, then planes of bytes.

import { measure, skyOf } from "./greys.js";

// Codes as in detection/numerics/packing.py.
const MIDDLE = 0x8080, NO_DATA = 0;
const LINE_END = 10;
export const PARTS = ["science", "reference", "difference"];

/**
 * @typedef {object} Cutouts
 * @property {number} size  pixels on a side
 * @property {(Float32Array | null)[]} images  science, reference, difference, NaN where there are no data; null for what was not sent
 * @property {Uint8Array} mask  why a pixel is bad, 0 for a good one
 * @property {number} sky
 * @property {import("./greys.js").Levels} levels
 * @property {import("./tan.js").Cards | null} wcs  of the cutout itself, null where the position of its frame is not known
 *
 * @typedef {{id: string, cutouts: Cutouts | null, fault: string}} EpochPixels  with a sentence where there are none
 *
 * @typedef {object} Facts  what the first line tells of an epoch
 * @property {string} id
 * @property {string} [fault]
 * @property {number} size
 * @property {Record<string, [number, number, number]>} images  zero, softening and step of each
 * @property {boolean} has_mask
 * @property {import("./tan.js").Cards | null} wcs
 */

/**
 * Tell whether a body holds all that its first line tells of.
 * @param {ArrayBuffer} buffer
 */
export function hasArrived(buffer) {
  const bytes = new Uint8Array(buffer);
  try {
    const { epochs, start } = head(bytes);
    return bytes.length >= epochs.reduce((sum, facts) => sum + lengthOf(facts), start);
  } catch {
    return false;
  }
}

/** @param {Facts} facts */
function lengthOf({ fault, size, images, has_mask: hasMask }) {
  if (fault) return 0;
  return size * size * (2 * PARTS.filter((name) => images[name]).length + (hasMask ? 1 : 0));
}

/**
 * Decode the epochs of an object, the leading one first; throws an Error with a sentence for what are none.
 * @param {ArrayBuffer} buffer
 * @returns {EpochPixels[]}
 */
export function readEpochs(buffer) {
  const bytes = new Uint8Array(buffer);
  const { epochs, start } = head(bytes);
  let at = start;
  const take = (/** @type {number} */ length) => {
    if (at + length > bytes.length) throw new Error("The images did not arrive whole.");
    at += length;
    return bytes.subarray(at - length, at);
  };
  return epochs.map((facts) => {
    if (facts.fault) return { id: facts.id, cutouts: null, fault: facts.fault };
    const { size } = facts, count = size * size;
    const images = PARTS.map((name) => (facts.images[name] ? unpacked(take(2 * count), facts.images[name]) : null));
    const mask = facts.has_mask ? take(count) : new Uint8Array(count);
    return { id: facts.id, cutouts: measured({ size, images, mask, wcs: facts.wcs }), fault: "" };
  });
}

/**
 * Return cutouts whose statistics are made when they are asked for first: of most epochs of an object only the sky is.
 * @param {Omit<Cutouts, "sky" | "levels">} pixels
 * @returns {Cutouts}
 */
function measured(pixels) {
  const { images, mask } = pixels;
  /** @type {Partial<Cutouts>} */
  const known = {};
  return {
    ...pixels,
    get sky() { return (known.sky ??= skyOf(images, mask)); },
    get levels() { return (known.levels ??= measure(images, mask)); },
  };
}

/**
 * @param {Uint8Array} bytes
 * @returns {{epochs: Facts[], start: number}}
 */
function head(bytes) {
  const end = bytes.indexOf(LINE_END);
  try {
    const { epochs } = JSON.parse(new TextDecoder().decode(bytes.subarray(0, Math.max(end, 0))));
    if (epochs.length) return { epochs, start: end + 1 };
  } catch { /* It is said below. */ }
  throw new Error("What was sent are no images.");
}

/**
 * @param {Uint8Array} planes  lower bytes, then upper ones
 * @param {[number, number, number]} numbers
 */
function unpacked(planes, [zero, soft, step]) {
  const count = planes.length / 2;
  const values = new Float32Array(count);
  for (let k = 0; k < count; k++) {
    const code = planes[k] + 256 * planes[count + k];
    values[k] = code === NO_DATA ? NaN : zero + soft * Math.sinh((code - MIDDLE) * step);
  }
  return values;
}
