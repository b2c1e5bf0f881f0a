// What a window has fetched ahead lies in the browser as well: loaded again while the server is away, the page goes on with
// it. It is one person's, and goes with them (forget.js).

import { QUEUE, forgetOthers, remember } from "./forget.js";

/**
 * @typedef {import("./line.js").Given} Given
 * @typedef {{version: string, person: string, query: string, order: string[], leaseEnds: number, at: number}} Index
 *
 * @typedef {object} Whose
 * @property {string} person
 * @property {string} query  of the page
 * @property {(item: Given) => boolean} isDone  answered here, before the page was loaded again
 */

const INDEX = "/kept/index", NOTE_AFTER_MS = 200, KEPT_FOR_MS = 12 * 3600 * 1000;
// What one version of the program keeps, another does not read: its address tells which it is.
const VERSION = import.meta.url;

/** @param {string} id */
const addressOf = (id) => `/kept/items/${id}`;

export class Kept {
  /**
   * @param {Whose} whose
   * @param {string} tab  key of what this tab keeps, the same after it was loaded again
   */
  constructor(whose, tab) {
    this.whose = whose;
    this.tab = tab;
    /** @type {Promise<Cache | null>} */
    this.cache = this.#open();
    /** @type {Map<string, string | null>} where the images of what is kept are */
    this.images = new Map();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /**
   * Keep an item until it is dropped from the line.
   * @param {Given} given
   */
  keep(given) {
    this.images.set(given.id, given.all_pixels);
    return this.#write(addressOf(given.id), JSON.stringify(given));
  }

  /**
   * @param {string} address
   * @param {ArrayBuffer} pixels
   */
  keepPixels(address, pixels) { return this.#write(address, pixels); }

  /**
   * @param {string} address
   * @returns {Promise<ArrayBuffer | null>}
   */
  async pixels(address) { return (await this.#read(address))?.arrayBuffer() ?? null; }

  /**
   * Note what of it waits, in order; what does not wait any more is dropped.
   * @param {{id: string}[]} open
   * @param {number} leaseEnds
   */
  note(open, leaseEnds) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#note(open.map(({ id }) => id), leaseEnds), NOTE_AFTER_MS);
  }

  /** Return what this tab had before it was loaded again, unless it is somebody else's, or of another query or version. */
  async former() {
    const nothing = { items: /** @type {Given[]} */ ([]), leaseEnds: 0 };
    const index = /** @type {Index | undefined} */ (await this.#readJson(INDEX));
    if (!index || !this.#isOurs(index)) return nothing;
    const items = await Promise.all(index.order.map((id) => this.#readJson(addressOf(id))));
    return { items: items.filter((item) => item && !this.whose.isDone(item)), leaseEnds: index.leaseEnds };
  }

  /** @param {Index} index */
  #isOurs({ version, person, query }) {
    return version === VERSION && person === this.whose.person && query === this.whose.query;
  }

  async #open() {
    // Pages without HTTPS have no such store.
    if (typeof caches === "undefined") return null;
    try {
      await forgetOthers(this.whose.person);
      remember(this.whose.person);
      const cache = await caches.open(QUEUE + this.tab);
      dropOld();
      return cache;
    } catch { return null; }
  }

  /**
   * @param {string[]} order
   * @param {number} leaseEnds
   */
  async #note(order, leaseEnds) {
    const { person, query } = this.whose, waits = new Set(order);
    await this.#write(INDEX, JSON.stringify({ version: VERSION, person, query, order, leaseEnds, at: Date.now() }));
    const cache = await this.cache;
    for (const [id, images] of this.images) {
      if (waits.has(id)) continue;
      this.images.delete(id);
      for (const address of [addressOf(id), images]) if (address) cache?.delete(address).catch(() => {});
    }
  }

  /**
   * @param {string} address
   * @param {BodyInit} body
   */
  async #write(address, body) {
    try { await (await this.cache)?.put(address, new Response(body)); } catch { /* It is full: then less survives. */ }
  }

  /** @param {string} address */
  async #read(address) {
    try { return await (await this.cache)?.match(address); } catch { return undefined; }
  }

  /**
   * @param {string} address
   * @returns {Promise<any>}
   */
  async #readJson(address) {
    try { return await (await this.#read(address))?.json(); } catch { return undefined; }
  }
}

/** Drop what tabs have kept that were closed long ago. */
async function dropOld() {
  for (const name of await caches.keys()) {
    if (!name.startsWith(QUEUE)) continue;
    const index = await (await caches.open(name)).match(INDEX);
    const { at } = index ? await index.json() : { at: Date.now() };
    if (at < Date.now() - KEPT_FOR_MS) await caches.delete(name);
  }
}

/**
 * Return what this tab keeps under a name; null where it is nothing that can be read.
 * @param {string} name
 */
export function keptInTab(name) {
  try { return JSON.parse(sessionStorage.getItem(name) ?? "null"); } catch { return null; }
}

/**
 * Keep something in this tab, null for nothing any more; a tab that keeps nothing, or has no room left, goes without.
 * @param {string} name
 * @param {unknown} value
 */
export function keepInTab(name, value) {
  try {
    if (value === null) sessionStorage.removeItem(name);
    else sessionStorage.setItem(name, JSON.stringify(value));
  } catch { /* Then it lasts until the page is left. */ }
}
