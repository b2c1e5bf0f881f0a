// Tiles as the server packs them (differencing/pictures/tiles.py): asked for in the order of need, a bounded number kept.

import { TILE_PX } from "./pyramid.js";

const MOST_AT_ONCE = 6, MOST_KEPT = 200;
export const RETRY_AFTER_MS = 3000;
const MIDDLE = 0x80808080, NO_DATA = 0, LINE_END = 10;

/**
 * @typedef {object} Tile
 * @property {number} size  pixels on a side
 * @property {Float32Array[]} images  the same values whatever they are drawn as; rows from the bottom, NaN: no data
 * @property {Uint8Array} mask  why a pixel is bad, 0 for a good one
 * @property {number} step  by which neighbouring codes differ: 1/128 of the noise
 *
 * @typedef {{kind: string, name: string}} Wanted  an image, and the place of a tile in it
 */

/**
 * Decode a tile; throws an Error with a sentence for what is none.
 * @param {ArrayBuffer} buffer
 * @returns {Tile}
 */
export function readTile(buffer) {
  const { head, start } = firstLine(buffer);
  const count = TILE_PX * TILE_PX, bytes = new Uint8Array(buffer, start);
  if (bytes.length !== count * (head.has_mask ? 5 : 4)) throw new Error("A part of the image did not arrive whole.");
  const values = new Float32Array(count);
  for (let k = 0; k < count; k++) {
    const upper = bytes[2 * count + k] + 256 * bytes[3 * count + k];
    const code = bytes[k] + 256 * (bytes[count + k] + 256 * upper);
    values[k] = code === NO_DATA ? NaN : head.zero + (code - MIDDLE) * head.step;
  }
  const mask = head.has_mask ? bytes.slice(4 * count) : new Uint8Array(count);
  return { size: TILE_PX, images: [values, values, values], mask, step: head.step };
}

/**
 * Decode the pixels that greys are made from: some of science, reference and difference.
 * @param {ArrayBuffer} buffer
 * @returns {Float32Array[]}
 */
export function readSample(buffer) {
  const { head, start } = firstLine(buffer);
  let at = start;
  return head.counts.map((/** @type {number} */ count) => new Float32Array(buffer.slice(at, at += 4 * count)));
}

/** @param {ArrayBuffer} buffer */
function firstLine(buffer) {
  const bytes = new Uint8Array(buffer), end = bytes.indexOf(LINE_END);
  return { head: JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))), start: end + 1 };
}

/** Keeps tiles, and asks for those that are wanted: the first of the list first. */
export class Tiles {
  /**
   * @param {(wanted: Wanted) => Promise<ArrayBuffer>} ask
   * @param {(wanted: Wanted, fault: unknown) => void} onChange  hears of every tile that came, and of each that did not
   */
  constructor(ask, onChange) {
    this.ask = ask;
    this.onChange = onChange;
    /** @type {Map<string, Tile>} the one that was looked at longest ago first */
    this.kept = new Map();
    /** @type {Wanted[]} */
    this.wanted = [];
    /** @type {Set<string>} */
    this.asked = new Set();
    /** @type {Map<string, number>} when a tile did not come */
    this.missed = new Map();
  }

  /**
   * Return a tile if it is here.
   * @param {Wanted} wanted
   */
  get({ kind, name }) {
    const key = `${kind}/${name}`, tile = this.kept.get(key);
    if (!tile) return null;
    this.kept.delete(key);
    this.kept.set(key, tile);
    return tile;
  }

  /**
   * Ask for tiles instead of all that were asked for before and have not been begun.
   * @param {Wanted[]} wanted
   */
  want(wanted) {
    this.wanted = wanted;
    this.#drop();
    this.#next();
  }

  #next() {
    const now = performance.now();
    for (const one of this.wanted) {
      if (this.asked.size >= MOST_AT_ONCE) return;
      const key = `${one.kind}/${one.name}`;
      const isMissed = now - (this.missed.get(key) ?? -Infinity) < RETRY_AFTER_MS;
      if (!this.kept.has(key) && !this.asked.has(key) && !isMissed) this.#fetch(one, key);
    }
  }

  /**
   * @param {Wanted} wanted
   * @param {string} key
   */
  async #fetch(wanted, key) {
    this.asked.add(key);
    let fault = null;
    try {
      this.kept.set(key, readTile(await this.ask(wanted)));
      this.missed.delete(key);
    } catch (error) {
      fault = error;
      this.missed.set(key, performance.now());
    }
    this.asked.delete(key);
    this.onChange(wanted, fault);
    this.#next();
  }

  #drop() {
    const needed = new Set(this.wanted.map(({ kind, name }) => `${kind}/${name}`));
    for (const key of this.kept.keys()) {
      if (this.kept.size <= Math.max(MOST_KEPT, needed.size)) return;
      if (!needed.has(key)) this.kept.delete(key);
    }
  }
}
