// Brings the images of items: what is on screen at once, then those ahead in the order in which they will be seen, a few at
// a time. They stay packed until they are near the one on screen.

import { whenIdle } from "./idle.js";
import { isOpen, viewsOf } from "./line.js";
import { hasArrived, readEpochs } from "./packed.js";

/**
 * @typedef {import("./line.js").Item} Item
 * @typedef {import("./line.js").View} View
 *
 * @typedef {object} Store  where images lie in the browser
 * @property {(address: string) => Promise<ArrayBuffer | null>} pixels
 * @property {(address: string, pixels: ArrayBuffer) => unknown} keepPixels
 */

const LOAD_AGAIN_MS = 3000;
// So many requests at once: an answer always finds a connection.
const AT_ONCE = 3;
// So many ahead are unpacked, each within a moment in which nothing else is to be done.
const NEAR = 3;
const GONE = "The cutouts are no longer stored. They will be back once the frame has been processed again.";

export class Loader {
  /**
   * @param {import("./line.js").Line} line
   * @param {Store} store
   * @param {(isOnScreen: boolean) => void} onPixels  images have come, or why they have not
   */
  constructor(line, store, onPixels) {
    this.line = line;
    this.store = store;
    this.onPixels = onPixels;
    this.underWay = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.again = undefined;
    /** @type {() => void} calls off what is to be unpacked next */
    this.callOff = () => {};
  }

  /** See to what is on screen, then to what comes next. */
  tend() {
    const { current } = this.line;
    if (current) {
      this.#unpack(current);
      if (lacksImages(current)) this.#bring(current);
      this.loadLarge(current);
    }
    for (const item of this.#ahead) if (this.underWay < AT_ONCE && lacksImages(item)) this.#bring(item);
    this.#unpackLater();
  }

  /** Load the images of the item on screen once more. */
  loadAgain() {
    if (this.line.current) for (const view of viewsOf(this.line.current)) if (!view.isWhole) view.fault = "";
    this.tend();
  }

  /**
   * Load all three images of the epoch that was turned to; the strip has shown two.
   * @param {Item} item
   */
  async loadLarge(item) {
    const { large } = item;
    if (large !== item && !large.isWhole && !large.isLoading && !large.fault) await this.#load(large, item, large.pixels);
  }

  /** Return how many ahead have their images here. */
  get ready() { return this.#ahead.filter((item) => item.packed || item.cutouts).length; }

  get #ahead() { return this.line.items.filter((item, k) => k > this.line.position && isOpen(item)); }

  /** @param {Item} item */
  async #bring(item) {
    this.underWay += 1;
    await this.#load(item, item, item.all_pixels);
    this.underWay -= 1;
    this.tend();
  }

  #unpackLater() {
    this.callOff();
    const next = this.#ahead.slice(0, NEAR).find((item) => item.packed);
    if (next) this.callOff = whenIdle(() => this.#unpackAhead(next));
  }

  /** @param {Item} item */
  #unpackAhead(item) {
    this.#unpack(item);
    this.onPixels(false);
    this.#unpackLater();
  }

  /**
   * @param {View} view  whose images are wanted
   * @param {Item} item
   * @param {string | null} address  of them, and maybe of others of the item
   */
  async #load(view, item, address) {
    view.isLoading = true;
    view.isLost = address === null;
    view.fault = address === null ? GONE : "";
    if (address !== null) await this.#fetch(view, item, address);
    view.isLoading = false;
    const isOnScreen = item === this.line.current;
    if (isOnScreen) this.#unpack(item);
    this.onPixels(isOnScreen);
  }

  /**
   * @param {View} view
   * @param {Item} item
   * @param {string} address
   */
  async #fetch(view, item, address) {
    try {
      const stored = await this.store.pixels(address), kept = stored && hasArrived(stored) ? stored : null;
      const pixels = kept ?? (await fetched(address));
      if (!kept) this.store.keepPixels(address, pixels);
      if (view === item) item.packed = pixels;
      else take(item, pixels, view);
    } catch {
      view.fault = "The images could not be loaded yet.";
      this.again ??= setTimeout(() => this.#tryAgain(), LOAD_AGAIN_MS);
    }
  }

  /** What did not come is asked for once more; on screen it goes on to be said that it did not. */
  #tryAgain() {
    this.again = undefined;
    for (const view of this.line.items.flatMap(viewsOf)) if (view.fault && !view.isWhole && !view.isLost) view.fault = "";
    this.tend();
  }

  /** @param {Item} item */
  #unpack(item) {
    const { packed } = item;
    item.packed = null;
    if (packed) take(item, packed, item);
  }
}

/** @param {Item} item */
function lacksImages(item) {
  if (item.packed || item.isLoading || item.fault) return false;
  return viewsOf(item).some(({ cutouts, isLost, fault }) => !cutouts && !isLost && !fault);
}

/** @param {string} address */
async function fetched(address) {
  const response = await fetch(address);
  if (!response.ok) throw new TypeError(String(response.status));
  const pixels = await response.arrayBuffer();
  // What was cut off on its way would otherwise be kept, and come again each time.
  if (!hasArrived(pixels)) throw new TypeError("The images did not arrive whole.");
  return pixels;
}

/**
 * Give the epochs of an item the images that came, the leading one all of them.
 * @param {Item} item
 * @param {ArrayBuffer} pixels
 * @param {View} view  whose they are said to be, where they cannot be read
 */
function take(item, pixels, view) {
  const views = new Map(viewsOf(item).map((one) => [one.id, one]));
  try {
    for (const { id, cutouts, fault } of readEpochs(pixels)) {
      const one = views.get(id), isWhole = Boolean(cutouts?.images.every(Boolean));
      if (one && (isWhole || !one.isWhole)) Object.assign(one, { cutouts, isWhole, fault, isLost: Boolean(fault) });
    }
  } catch (error) {
    view.isLost = true;
    view.fault = `The images cannot be drawn. ${error instanceof Error ? error.message : error}`;
  }
}
