// The detections that this window holds: those behind, the one on screen, and the next ones, already here.

import { decode } from "./viewer.js";

// So many lie ready, images and all, before they are needed; and so many that were passed over are held a while.
const AHEAD = 4, KEPT_BEHIND = 3;
// Images of those further behind are let go, and loaded again when somebody comes back.
const KEPT_IMAGES = 30;
const ASK_AGAIN_MS = 10000, LOAD_AGAIN_MS = 3000;

export class Lineup {
  /**
   * `ask(body)` returns what the server gives; listeners: `onChange(change)` with "current", "pixels", "lease" or "state".
   * `isUnsent(id)` tells whether an answer about a detection waits to be sent.
   */
  constructor(ask, isUnsent, onChange) {
    Object.assign(this, { ask, isUnsent, onChange });
    this.items = [];
    this.position = -1;
    this.last = null;
    this.empty = null;
  }

  get current() { return this.items[this.position] ?? null; }
  // Not those whose way back is not saved yet: the server would not know why.
  get held() { return this.items.filter((item) => item.isHeld && !item.isReturning).map((item) => item.id); }
  get ahead() { return this.items.filter((item, k) => k > this.position && isOpen(item)).length; }

  /** Take the first ones. `former`: this window's key before it was loaded again; `after`: where it was. */
  async start(former, after) {
    this.last = after;
    await this.refill({ former });
  }

  /** Ask for so many that enough lie ahead; where there is none, ask again after a while. */
  refill(more = {}) {
    clearTimeout(this.timer);
    this.asking ??= this.#ask(more).finally(() => {
      this.asking = null;
      if (!this.ahead) this.timer = setTimeout(() => this.refill(), this.current || !this.trouble ? ASK_AGAIN_MS : LOAD_AGAIN_MS);
      this.onChange("state");
    });
    return this.asking;
  }

  async #ask(more) {
    // The first by itself, so that it is on screen soon.
    const lacking = () => (this.current ? AHEAD - this.ahead : 1);
    try {
      for (let count = lacking(); count > 0; count = lacking()) {
        const { items } = await this.#take({ count, after: this.last ?? undefined, ...more });
        this.trouble = "";
        if (items.length < count) return;
        more = {};
      }
    } catch (error) {
      this.trouble = error.message;
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

  get hasLapsed() { return Boolean(this.current?.isHeld && Date.now() > this.leaseEnds); }

  /** Go on after an answer: to the next open one, else to one that was passed over. */
  advance() {
    const next = this.items.findIndex((item, k) => k > this.position && isOpen(item));
    this.#goTo(next >= 0 ? next : this.items.findIndex((item) => isOpen(item) && item.isHeld));
  }

  /** Go by one item, answered or not; at the end to what was passed over. Returns whether there was one. */
  async step(by) {
    if (by > 0 && !this.items[this.position + 1]) await this.asking;
    let to = this.position + by;
    if (by > 0 && to >= this.items.length) to = this.items.findIndex((item, k) => isOpen(item) && item.isHeld && k !== this.position);
    if (!this.items[to]) return false;
    const item = this.items[to];
    if (isOpen(item) && !item.isHeld && !(await this.fetchOne(item.id))) {
      this.#remove(to);
      return true;
    }
    this.#goTo(this.#find(item.id));
    this.#giveBack();
    return true;
  }

  /** Come back to a detection, which need not be here any more. */
  async comeBackTo(id) {
    if (this.#find(id) < 0 && !(await this.fetchOne(id))) return false;
    this.#goTo(this.#find(id));
    return true;
  }

  /** Take one certain detection; false where somebody else has it. */
  async fetchOne(id) {
    const given = await this.#take({ count: 0, one: id });
    return given.items.length > 0;
  }

  async #take(body) {
    const given = await this.ask({ ...body, holding: this.held });
    this.leaseMs = 1000 * given.lease_seconds;
    this.leaseEnds = Date.now() + this.leaseMs;
    for (const id of given.lost) this.#lose(id);
    for (const item of given.items) this.#add(item, Boolean(body.one));
    // Where there is a passed-over one to go back to, or one on screen, nothing is empty.
    this.empty = given.items.length ? null : given.empty ?? (body.count ? null : this.empty);
    if (!this.current) this.advance();
    this.onChange("lease");
    return given;
  }

  /** Put a detection at the end of the line; one that was asked for by itself where it was, or before the current one. */
  #add(given, isAskedFor) {
    const known = this.#find(given.id);
    if (this.isUnsent(given.id) || (known >= 0 && this.items[known].isHeld && isOpen(this.items[known]))) return;
    const item = { ...given, isHeld: true, wasHeld: true, answers: given.own ? [given.own] : [], cutouts: null, fault: "" };
    if (!isAskedFor) this.last = item.id;
    if (known >= 0 && (isAskedFor || known === this.position)) {
      this.items[known] = item;
    } else {
      if (known >= 0) this.#remove(known);
      const place = isAskedFor ? Math.max(this.position, 0) : this.items.length;
      this.items.splice(place, 0, item);
      if (isAskedFor) this.position += 1;
    }
    this.#load(item);
  }

  #remove(k) {
    this.items.splice(k, 1);
    if (k < this.position) this.position -= 1;
  }

  /** Somebody else has it now: it leaves the line, unless it is on screen. */
  #lose(id) {
    const k = this.#find(id);
    if (k < 0) return;
    this.items[k].isHeld = false;
    if (k === this.position) this.onChange("lease");
    else if (isOpen(this.items[k])) this.#remove(k);
  }

  #goTo(position) {
    this.position = position >= 0 ? position : this.items.length;
    const item = this.current;
    if (item && !item.cutouts) this.#load(item);
    for (const far of this.items.slice(0, Math.max(this.position - KEPT_IMAGES, 0))) far.cutouts = null;
    this.onChange("current");
    this.refill();
  }

  /** Give back what was passed over some time ago. */
  #giveBack() {
    const far = this.items.filter((item, k) => k < this.position - KEPT_BEHIND && item.isHeld && isOpen(item));
    if (!far.length) return;
    for (const item of far) item.isHeld = false;
    this.onRelease?.(far.map((item) => item.id));
  }

  async #load(item) {
    if (item.isLoading) return;
    item.isLoading = true;
    await this.#fetch(item);
    item.isLoading = false;
    if (item === this.current) this.onChange("pixels");
  }

  async #fetch(item) {
    if (item.pixels === null) {
      item.fault = "The cutouts are not stored any more. It can be judged by its facts, or its frame detected again.";
    } else {
      item.fault = "";
      try {
        const response = await fetch(item.pixels);
        if (!response.ok) throw new TypeError(String(response.status));
        item.cutouts = decode(await response.arrayBuffer());
      } catch (error) {
        const isAway = error instanceof TypeError;
        item.fault = isAway ? "The images could not be loaded yet." : `The images cannot be drawn. ${error.message}`;
        if (isAway) setTimeout(() => this.#load(item), LOAD_AGAIN_MS);
      }
    }
  }

  #find(id) { return this.items.findIndex((item) => item.id === id); }
}

/** Not answered yet, or come back to. */
export function isOpen(item) { return !item.isAnswered; }
