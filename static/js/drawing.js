// One image of a cutout as pixels of a canvas: stretched, coloured, turned north up. No document and no state.

import { GREYS, edgesOf, greyOf } from "./edges.js";
import { KINDS, WITHOUT_DATA, coloursOf } from "./palettes.js";

export const DIFFERENCE = 2;

/**
 * @typedef {import("./packed.js").Cutouts} Cutouts
 * @typedef {Pick<Cutouts, "size" | "images" | "mask">} Pixels
 * @typedef {import("./looks.js").Look} Look
 * @typedef {{is_flipped: boolean, quarter_turns: number, north_deg: number | null}} Turn
 * @typedef {[number, number]} Point
 */

/**
 * Write an image of cutouts in its colours (RGBA, first row at the top); return it, null where it was not sent.
 * @param {number} k  science, reference or difference
 * @param {Pixels} cutouts
 * @param {Turn} turn
 * @param {Look} look
 * @param {import("./greys.js").Levels} levels
 * @returns {Uint8ClampedArray<ArrayBuffer> | null}
 */
export function colours(k, { size, images, mask }, turn, look, levels, into = new Uint8ClampedArray(4 * size * size)) {
  const image = images[k];
  if (!image) return null;
  const edges = edgesOf(k === DIFFERENCE, levels, look), table = coloursOf(k === DIFFERENCE, look);
  const out = new Uint32Array(into.buffer), to = placesOf(size, turn);
  for (let from = 0; from < out.length; from++) {
    const value = image[from];
    // Neither NaN nor infinite.
    const kind = value - value === 0 ? KINDS[mask[from]] : WITHOUT_DATA;
    out[to[from]] = table[kind * GREYS + greyOf(edges, value)];
  }
  return into;
}

/**
 * Return all that the colours of an image depend on: where it is the same, they are. A difference has no stretch, say.
 * @param {number} k  science, reference or difference
 * @param {Pixels} cutouts
 * @param {Turn} turn
 * @param {Look} look
 * @param {import("./greys.js").Levels} levels
 */
export function makingOf(k, cutouts, turn, look, levels) {
  return [k, cutouts, turn, edgesOf(k === DIFFERENCE, levels, look), coloursOf(k === DIFFERENCE, look)];
}

/**
 * Return where a pixel of a square image comes to lie (y up) when it is flipped and turned.
 * @param {number} size
 * @param {Turn} turn
 * @returns {(x: number, y: number) => Point}
 */
export function turner(size, { is_flipped: isFlipped, quarter_turns: turns }) {
  return (x, y) => {
    let [a, b] = [isFlipped ? size - 1 - x : x, y];
    for (let k = 0; k < turns; k++) [a, b] = [b, size - 1 - a];
    return [a, b];
  };
}

/**
 * Return the pixel that lies at a place of the turned image.
 * @param {number} size
 * @param {Turn} turn
 * @returns {(x: number, y: number) => Point}
 */
export function unturner(size, { is_flipped: isFlipped, quarter_turns: turns }) {
  return (x, y) => {
    let [a, b] = [x, y];
    for (let k = 0; k < turns; k++) [a, b] = [size - 1 - b, a];
    return [isFlipped ? size - 1 - a : a, b];
  };
}

/**
 * Return the part of a turned image that is shown: its corner and side in pixels, rows counted from the top.
 * @param {number} size
 * @param {Point} target  in the turned image
 * @param {number} zoom
 * @param {Point} pan
 */
export function areaOf(size, [x, y], zoom, pan = [0, 0]) {
  const side = size / zoom;
  const within = (/** @type {number} */ value) => Math.min(Math.max(value, 0), size - side);
  return { left: within(x + 0.5 - side / 2 - pan[0]), top: within(size - y - 0.5 - side / 2 - pan[1]), side };
}

/** @type {Map<string, Int32Array>} */
const places = new Map();

/**
 * Return for each pixel the number of its place on the canvas.
 * @param {number} size
 * @param {Turn} turn
 */
function placesOf(size, turn) {
  const name = `${size} ${turn.is_flipped} ${turn.quarter_turns}`;
  const known = places.get(name);
  if (known) return known;
  const put = turner(size, turn);
  const found = Int32Array.from({ length: size * size }, (_, from) => {
    const [x, y] = put(from % size, Math.floor(from / size));
    return (size - 1 - y) * size + x;
  });
  places.set(name, found);
  return found;
}
