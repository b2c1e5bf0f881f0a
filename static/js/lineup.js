// Keeps the line of detections filled: asks the server for the next ones, loads their images, gives back what it left.

import { afterPaint } from "./dom.js";
import { isOpen } from "./line.js";
import { Loader } from "./loading.js";
import { ServerAway } from "./triage-server.js";

const ASK_AGAIN_MS = 10000, TRY_AGAIN_MS = 3000;
const AT_ONCE_MS = 200;
// So many lie ready until the server has told how many may.
const FIRST_AHEAD = 4;
// As many as the server gives at once.
const MOST_AT_ONCE = 16;

/**
 * @typedef {import("./line.js").Item} Item
 * @typedef {import("./line.js").Given} Given
 * @typedef {{code: string, title: string, text: string}} Empty
 * @typedef {{items: Given[], lost: string[], lease_seconds: number, remaining: number, empty?: Empty} & Bounds} Answer
 * @typedef {{ahead: number, bundle: number, windows: number}} Bounds  how many lie ready here, for how many windows that is reckoned
 * @typedef {"current" | "pixels" | "ahead" | "lease" | "state"} Change
 */

export class Lineup {
  /**
   * @param {import("./line.js").Line} line
   * @param {(body: object) => Promise<Answer>} ask
   * @param {import("./kept.js").Kept} store
   * @param {{onChange: (change: Change) => void, onRelease: (keys: string[]) => void}} listeners
   */
  constructor(line, ask, store, listeners) {
    this.line = line;
    this.ask = ask;
    this.store = store;
    this.listeners = listeners;
    this.loader = new Loader(line, store, (isOnScreen) => listeners.onChange(isOnScreen ? "pixels" : "ahead"));
    this.ahead = FIRST_AHEAD;
    this.bundle = 1;
    this.windows = 1;
    /** @type {string | undefined} this window's key before it was loaded again, until the server knows */
    this.former = undefined;
    /** @type {Empty | null} */
    this.empty = null;
    this.trouble = "";
    // Whether the trouble is that it cannot be reached, or is not itself.
    this.isAway = false;
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
   * Take the first ones; while the server is away, those that the window had before it was loaded again.
   * @param {string | undefined} former  its key then
   * @param {string | null} after  where it was
   */
  async start(former, after) {
    this.line.last = after;
    this.former = former;
    await this.refill();
    if (!this.isAway || !former || this.line.items.length) return;
    const { items, leaseEnds } = await this.store.former();
    for (const item of items) if (this.line.add(item, false)) this.store.keep(item);
    this.leaseEnds = leaseEnds;
    if (this.line.items.length) this.advance();
  }

  /** Ask for so many that enough lie ahead; where there is none, ask again after a while. */
  refill(more = {}) {
    clearTimeout(this.timer);
    this.asking ??= this.#askForEnough(more).finally(() => {
      this.asking = null;
      // What was asked while more was held says nothing of a line that has become empty meanwhile.
      const isAnswered = this.line.current || this.empty;
      const wait = this.trouble ? TRY_AGAIN_MS : isAnswered ? ASK_AGAIN_MS : AT_ONCE_MS;
      if (this.trouble || !this.line.ahead) this.timer = setTimeout(() => this.refill(), wait);
      this.listeners.onChange("state");
    });
    return this.asking;
  }

  /** @param {object} more */
  async #askForEnough(more) {
    // The first by itself, so that it is on screen soon.
    const lacking = () => (this.line.current ? this.#lacking : 1);
    try {
      // Whether the server is there again, and what of this is still this window's.
      if (this.trouble && this.line.current) await this.#take({ count: 0 });
      for (let count = lacking(); count > 0; count = lacking()) {
        const asked = Math.min(count, MOST_AT_ONCE);
        const { items } = await this.#take({ count: asked, after: this.line.last ?? undefined, ...more });
        if (items.length < asked) return;
        more = {};
      }
    } catch (error) {
      this.trouble = wordsOf(error);
      this.isAway = error instanceof ServerAway;
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

  /**
   * Somebody has come, or gone: how many may lie ready here has changed.
   * @param {number} windows  that hold something now
   */
  async seeWindows(windows) {
    if (windows === this.windows || !this.line.current) return;
    this.windows = windows;
    await this.#take({ count: 0 }).catch(() => { /* It is learnt with the next ones. */ });
    this.refill();
  }

  /** Load the images of the item on screen once more. */
  loadAgain() {
    this.loader.loadAgain();
    this.listeners.onChange("pixels");
  }

  /** @param {Item} item */
  loadLarge(item) { return this.loader.loadLarge(item); }

  /** @param {{count: number, after?: string, one?: string}} body */
  async #take(body) {
    const given = await this.ask({ ...body, former: this.former, holding: this.line.held });
    this.former = undefined;
    this.trouble = "";
    this.isAway = false;
    this.ahead = given.ahead;
    this.bundle = given.bundle;
    this.windows = given.windows;
    this.leaseMs = 1000 * given.lease_seconds;
    this.leaseEnds = Date.now() + this.leaseMs;
    for (const id of given.lost) this.line.lose(id);
    for (const item of given.items) if (this.line.add(item, Boolean(body.one))) this.store.keep(item);
    const surplus = this.line.ahead < this.ahead + 2 * this.bundle ? [] : this.line.giveBack(this.ahead);
    if (surplus.length) this.listeners.onRelease(surplus);
    this.loader.tend();
    // What is said of one item that is not to be had says nothing of the queue.
    if (given.items.length) this.empty = null;
    else if (body.count) this.empty = given.empty ?? null;
    if (!this.line.current) this.advance();
    this.#note();
    this.listeners.onChange("lease");
    return given;
  }

  /** @param {number} position */
  #goTo(position) {
    this.line.goTo(position);
    this.loader.tend();
    this.#note();
    this.listeners.onChange("current");
    if (this.trouble || !this.line.current || this.#lacking > 0) afterPaint(() => this.refill());
  }

  // As soon as less lies ready than may, several are asked for at once, and one by one where few may.
  get #lacking() { return this.line.ahead < this.ahead ? this.ahead + this.bundle - 1 - this.line.ahead : 0; }

  #note() { this.store.note(this.line.open, this.leaseEnds); }
}

/** @param {unknown} error */
function wordsOf(error) {
  return error instanceof Error ? error.message : String(error);
}
