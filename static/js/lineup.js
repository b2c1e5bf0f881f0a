// Keeps the line of detections filled: asks the server for the next ones, loads their images, gives back what it left.

import { isOpen, viewsOf, wantedAhead } from "./line.js";
import { readEpochs } from "./packed.js";

const ASK_AGAIN_MS = 10000, LOAD_AGAIN_MS = 3000;
// As many as the server gives at once.
const MOST_AT_ONCE = 8;

/**
 * @typedef {import("./line.js").Item} Item
 * @typedef {import("./line.js").Given} Given
 * @typedef {import("./line.js").View} View
 * @typedef {{code: string, title: string, text: string}} Empty
 * @typedef {{items: Given[], lost: string[], lease_seconds: number, remaining: number, empty?: Empty}} Answer
 * @typedef {"current" | "pixels" | "lease" | "state"} Change
 */

export class Lineup {
  /**
   * @param {import("./line.js").Line} line
   * @param {(body: object) => Promise<Answer>} ask
   * @param {{onChange: (change: Change) => void, onRelease: (keys: string[]) => void, remaining: () => number}} listeners
   */
  constructor(line, ask, listeners) {
    this.line = line;
    this.ask = ask;
    this.listeners = listeners;
    /** @type {Empty | null} */
    this.empty = null;
    this.trouble = "";
    /** @type {Empty | null} why the detection that was asked for last is not here */
    this.refusal = null;
    /** @type {Promise<void> | null} */
    this.asking = null;
    this.leaseMs = 0;
    this.leaseEnds = 0;
    this.isTouching = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /**
   * Take the first ones.
   * @param {string | undefined} former  this window's key before it was loaded again
   * @param {string | null} after  where it was
   */
  async start(former, after) {
    this.line.last = after;
    await this.refill({ former });
  }

  /** Ask for so many that enough lie ahead; where there is none, ask again after a while. */
  refill(more = {}) {
    clearTimeout(this.timer);
    this.asking ??= this.#askForEnough(more).finally(() => {
      this.asking = null;
      if (!this.line.ahead) {
        const isQuiet = this.line.current || !this.trouble;
        this.timer = setTimeout(() => this.refill(), isQuiet ? ASK_AGAIN_MS : LOAD_AGAIN_MS);
      }
      this.listeners.onChange("state");
    });
    return this.asking;
  }

  /** @param {object} more */
  async #askForEnough(more) {
    // The first by itself, so that it is on screen soon.
    const lacking = () => (this.line.current ? wantedAhead(this.listeners.remaining()) - this.line.ahead : 1);
    try {
      for (let count = lacking(); count > 0; count = lacking()) {
        const asked = Math.min(count, MOST_AT_ONCE);
        const { items } = await this.#take({ count: asked, after: this.line.last ?? undefined, ...more });
        this.trouble = "";
        if (items.length < asked) return;
        more = {};
      }
    } catch (error) {
      this.trouble = wordsOf(error);
    }
  }

  /** Say that somebody is here; what was taken over meanwhile is told. */
  async touch() {
    if (this.isTouching || !this.leaseEnds || Date.now() < this.leaseEnds - (2 / 3) * this.leaseMs) return;
    this.isTouching = true;
    try {
      await this.#take({ count: 0 });
    } catch { /* It is tried again with the next touch. */ } finally {
      this.isTouching = false;
    }
  }

  get hasLapsed() { return Boolean(this.line.current?.isHeld && Date.now() > this.leaseEnds); }

  /** Go on after an answer. */
  advance() {
    this.#goTo(this.line.next());
  }

  /**
   * Go by one item, answered or not. Returns whether there was one.
   * @param {number} by
   */
  async step(by) {
    if (by > 0 && !this.line.items[this.line.position + 1]) await this.asking;
    const to = this.line.beside(by);
    if (to < 0) return false;
    const item = this.line.items[to];
    if (isOpen(item) && !item.isHeld && !(await this.fetchOne(item.id))) {
      this.line.remove(to);
      return true;
    }
    this.#goTo(this.line.find(item.id));
    const left = this.line.letGo();
    if (left.length) this.listeners.onRelease(left);
    return true;
  }

  /**
   * Come back to a detection, which need not be here any more; where it cannot be had, `refusal` says why.
   * @param {string} id
   */
  async comeBackTo(id) {
    if (this.line.findWith(id) < 0 && !(await this.fetchOne(id))) return false;
    this.#goTo(this.line.findWith(id));
    return true;
  }

  /**
   * Take one certain detection; false where somebody else has it.
   * @param {string} id
   */
  async fetchOne(id) {
    const given = await this.#take({ count: 0, one: id });
    this.refusal = given.items.length ? null : given.empty ?? null;
    return given.items.length > 0;
  }

  /** Load the images of the item on screen once more. */
  loadAgain() {
    const item = this.line.current;
    if (!item) return;
    for (const view of viewsOf(item)) if (!view.isWhole) view.fault = "";
    this.#loadAll(item);
    this.listeners.onChange("pixels");
  }

  /**
   * Load all three images of the epoch that was turned to; the strip has shown two.
   * @param {Item} item
   */
  async loadLarge(item) {
    const { large } = item;
    if (!large.isWhole) await this.#load(large, item, large.pixels);
  }

  /** @param {{count: number, after?: string, one?: string}} body */
  async #take(body) {
    const given = await this.ask({ ...body, holding: this.line.held });
    this.leaseMs = 1000 * given.lease_seconds;
    this.leaseEnds = Date.now() + this.leaseMs;
    for (const id of given.lost) this.line.lose(id);
    for (const item of given.items) {
      const added = this.line.add(item, Boolean(body.one));
      if (added) this.#loadAll(added);
    }
    // What is said of one item that is not to be had says nothing of the queue.
    if (given.items.length) this.empty = null;
    else if (body.count) this.empty = given.empty ?? null;
    if (!this.line.current) this.advance();
    this.listeners.onChange("lease");
    return given;
  }

  /** @param {number} position */
  #goTo(position) {
    this.line.goTo(position);
    const item = this.line.current;
    if (item) this.#loadAll(item);
    this.listeners.onChange("current");
    this.refill();
  }

  /**
   * Load the images of an item with one request, and those of the epoch that was turned to.
   * @param {Item} item
   */
  async #loadAll(item) {
    if (viewsOf(item).some(({ cutouts, isLost }) => !cutouts && !isLost)) await this.#load(item, item, item.all_pixels);
    await this.loadLarge(item);
  }

  /**
   * @param {View} view  whose images are wanted
   * @param {Item} item
   * @param {string | null} address  of them, and maybe of others of the item
   */
  async #load(view, item, address) {
    if (view.isLoading) return;
    view.isLoading = true;
    await this.#fetch(view, item, address);
    view.isLoading = false;
    if (item === this.line.current) this.listeners.onChange("pixels");
  }

  /**
   * @param {View} view
   * @param {Item} item
   * @param {string | null} address
   */
  async #fetch(view, item, address) {
    view.isLost = address === null;
    if (address === null) {
      view.fault = "The cutouts are no longer stored. They will be back once the frame has been processed again.";
      return;
    }
    view.fault = "";
    try {
      const response = await fetch(address);
      if (!response.ok) throw new TypeError(String(response.status));
      take(item, readEpochs(await response.arrayBuffer()));
    } catch (error) {
      const isAway = error instanceof TypeError;
      view.isLost = !isAway;
      view.fault = isAway ? "The images could not be loaded yet." : `The images cannot be drawn. ${wordsOf(error)}`;
      if (isAway) setTimeout(() => { if (!view.isWhole) this.#load(view, item, address); }, LOAD_AGAIN_MS);
    }
  }
}

/**
 * Give the epochs of an item the images that came, the leading one all of them.
 * @param {Item} item
 * @param {import("./packed.js").EpochPixels[]} epochs
 */
function take(item, epochs) {
  const views = new Map(viewsOf(item).map((view) => [view.id, view]));
  for (const { id, cutouts, fault } of epochs) {
    const view = views.get(id);
    const isWhole = Boolean(cutouts?.images.every(Boolean));
    if (view && (isWhole || !view.isWhole)) Object.assign(view, { cutouts, isWhole, fault, isLost: Boolean(fault) });
  }
}

/** @param {unknown} error */
function wordsOf(error) {
  return error instanceof Error ? error.message : String(error);
}
