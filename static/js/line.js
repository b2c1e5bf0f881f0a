// The items that a window holds, in order: those behind, the one on screen, and the next ones. Nothing but state. An item
// is an object in the sky, known by the detection of it that is shown first, with the epochs that belong to it.

/**
 * @typedef {object} Given  one item as the server gives it
 * @property {string} id  of the detection that is shown first
 * @property {string} name
 * @property {number | null} score
 * @property {string | null} pixels  address of its cutouts, null where none are kept
 * @property {string | null} all_pixels  of those, and of what the strip shows of the other epochs
 * @property {number} x
 * @property {number} y
 * @property {{is_flipped: boolean, quarter_turns: number, north_deg: number | null}} turn
 * @property {number | null} scale_arcsec
 * @property {string} warning
 * @property {string[]} brief
 * @property {Own | null} own
 * @property {Record<string, unknown>} context
 * @property {string} html
 * @property {GivenEpoch[]} epochs  by time, the first one among them; none where there is no other
 * @property {string[]} unseen  detections that are not shown, and that an answer is about all the same
 *
 * @typedef {object} GivenEpoch
 * @property {string | null} id  of its detection, null where there is none
 * @property {string} when
 * @property {string} band
 * @property {string} brightness
 * @property {boolean} [is_open]  an answer about the object is about it
 * @property {string | null} [pixels]
 * @property {number} [x]
 * @property {number} [y]
 * @property {Given["turn"]} [turn]
 *
 * @typedef {object} View  what is drawn of one detection
 * @property {string} id
 * @property {string | null} pixels
 * @property {number} x
 * @property {number} y
 * @property {Given["turn"]} turn
 * @property {number | null} scale_arcsec
 * @property {import("./viewer.js").Cutouts | null} cutouts
 * @property {boolean} isWhole  with the reference, which the strip does not show
 * @property {string} fault  why there are no images
 * @property {boolean} isLost  they will not come by waiting
 * @property {boolean} isLoading
 *
 * @typedef {object} Epoch  of an object with several
 * @property {View | null} view  null where nothing was detected
 * @property {string} when
 * @property {string} band
 * @property {string} brightness
 * @property {boolean} isOpen  an answer about the object is about it
 * @property {boolean} isLeftOut  by the person
 * @property {string[]} events  one's own about it, the latest last
 *
 * @typedef {{id: string, said: string}} Own  one's own answer
 *
 * @typedef {object} Kept  what the window adds to it
 * @property {boolean} isHeld  it is this window's, as far as the window knows
 * @property {boolean} wasHeld  it has been once
 * @property {boolean} isAnswered  here
 * @property {boolean} isReturning  its answer is being taken back
 * @property {Own[]} answers  one's own, the latest last
 * @property {View} large  the one of its detections that is on screen
 * @property {Epoch[]} times  its epochs
 * @property {number | null} seenAt  when it was painted first
 * @property {string} note
 * @property {string} said  what people said, as HTML; "" where the server has told nothing since
 * @property {ArrayBuffer | null} packed  its images as they came, until they are needed
 * @property {string} putOff  how its person has put it off, "" where they have not
 *
 * @typedef {Omit<Given, "epochs"> & View & Kept} Item
 */

// So many that were passed over are held a while.
const KEPT_BEHIND = 3;
// Images of those further behind are let go, and loaded again when somebody comes back.
const KEPT_IMAGES = 30;
/**
 * Not answered yet, or come back to.
 * @param {Item} item
 */
export function isOpen(item) { return !item.isAnswered; }

/**
 * Return all of an item that is drawn, what is on screen first.
 * @param {Item} item
 */
export function viewsOf(item) {
  const views = new Set([item.large, item]);
  for (const epoch of item.times) if (epoch.view) views.add(epoch.view);
  return [...views];
}

/**
 * @param {Given} given
 * @returns {Item}
 */
function itemOf({ epochs, ...given }) {
  const unloaded = { cutouts: null, isWhole: false, fault: "", isLost: false, isLoading: false };
  /** @type {any} */
  const item = {
    ...given, ...unloaded, isHeld: true, wasHeld: true, isAnswered: false, isReturning: false, answers: given.own ? [given.own] : [],
    seenAt: null, note: "", said: "", putOff: "", packed: null,
  };
  item.large = item;
  item.times = epochs.map(({ id, when, band, brightness, is_open: waits, ...drawn }) => ({
    view: id === item.id ? item : id && { id, scale_arcsec: given.scale_arcsec, ...drawn, ...unloaded },
    when, band, brightness, isOpen: Boolean(waits), isLeftOut: false, events: [],
  }));
  return item;
}

export class Line {
  /** @param {(id: string) => boolean} isUnsent  tells whether an answer about a detection waits to be sent */
  constructor(isUnsent) {
    this.isUnsent = isUnsent;
    /** @type {Item[]} */
    this.items = [];
    this.position = -1;
    /** @type {string | null} what came last from the queue: it goes on after it */
    this.last = null;
  }

  get current() { return this.items[this.position] ?? null; }
  // Not those whose way back is not saved yet: the server would not know why.
  get held() { return this.items.filter((item) => item.isHeld && !item.isReturning).map((item) => item.id); }
  get ahead() { return this.items.filter((item, k) => k > this.position && isOpen(item)).length; }
  // What waits here, in the order in which it will be seen.
  get open() { return this.items.filter((item, k) => k >= this.position && isOpen(item) && item.isHeld); }
  get before() { return this.items[this.position - 1] ?? null; }

  /**
   * Find the item that a detection leads.
   * @param {string} id
   */
  find(id) { return this.items.findIndex((item) => item.id === id); }

  /**
   * Find the item that a detection leads, else one that it is an epoch of.
   * @param {string} id
   */
  findWith(id) {
    const led = this.find(id);
    return led >= 0 ? led : this.items.findIndex((item) => item.times.some((epoch) => epoch.view?.id === id));
  }

  /** @param {string} id */
  get(id) { return this.items[this.findWith(id)] ?? null; }

  /**
   * Put a detection at the end; one that was asked for by itself where it was, or before the current one. Returns it, or
   * null where it is here already.
   * @param {Given} given
   * @param {boolean} isAskedFor
   */
  add(given, isAskedFor) {
    const known = this.find(given.id);
    if (this.isUnsent(given.id) || (known >= 0 && this.items[known].isHeld && isOpen(this.items[known]))) return null;
    const item = itemOf(given);
    if (!isAskedFor) this.last = item.id;
    if (known >= 0 && (isAskedFor || known === this.position)) {
      this.items[known] = item;
    } else {
      if (known >= 0) this.remove(known);
      this.items.splice(isAskedFor ? Math.max(this.position, 0) : this.items.length, 0, item);
      if (isAskedFor) this.position += 1;
    }
    return item;
  }

  /** @param {number} k */
  remove(k) {
    this.items.splice(k, 1);
    if (k < this.position) this.position -= 1;
  }

  /**
   * Somebody else has it now: it leaves the line, unless it is on screen.
   * @param {string} id
   */
  lose(id) {
    const k = this.find(id);
    if (k < 0) return;
    this.items[k].isHeld = false;
    if (k !== this.position && isOpen(this.items[k])) this.remove(k);
  }

  /**
   * These detections were judged by other means: nothing waits of them. Returns which items have left the line.
   * @param {string[]} detections
   */
  settle(detections) {
    const settled = new Set(detections);
    for (const item of this.items) {
      item.unseen = item.unseen.filter((id) => !settled.has(id));
      for (const epoch of item.times) if (epoch.view && settled.has(epoch.view.id)) epoch.isOpen = false;
    }
    const gone = this.items.filter((item) => settled.has(item.id) && isOpen(item) && item !== this.current).map(({ id }) => id);
    for (const id of gone) this.remove(this.find(id));
    return gone;
  }

  /**
   * Go to a place, -1 for behind the last; images far behind are let go.
   * @param {number} position
   */
  goTo(position) {
    this.position = position >= 0 ? position : this.items.length;
    const far = this.items.slice(0, Math.max(this.position - KEPT_IMAGES, 0));
    for (const view of far.flatMap(viewsOf)) Object.assign(view, { cutouts: null, isWhole: false });
    for (const item of far) item.packed = null;
  }

  /** Return the place to go on to after an answer: the next open one, else one that was passed over, else -1. */
  next() {
    const after = this.items.findIndex((item, k) => k > this.position && isOpen(item));
    return after >= 0 ? after : this.items.findIndex((item) => isOpen(item) && item.isHeld);
  }

  /**
   * Return the place one step away, answered or not, at the end that of one passed over; -1 where there is none.
   * @param {number} by
   */
  beside(by) {
    const to = this.position + by;
    if (this.items[to]) return to;
    return by > 0 ? this.items.findIndex((item, k) => isOpen(item) && item.isHeld && k !== this.position) : -1;
  }

  /**
   * Give up the last ones of those ahead, so that so many are left; return their keys. The queue goes on where they were.
   * @param {number} most
   */
  giveBack(most) {
    const ahead = this.items.filter((item, k) => k > this.position && isOpen(item) && item.isHeld);
    const kept = ahead[most - 1] ?? this.current, surplus = ahead.slice(most);
    if (surplus.length && kept) this.last = kept.id;
    for (const { id } of surplus) this.remove(this.find(id));
    return surplus.map(({ id }) => id);
  }

  /** Let go of what was passed over some time ago; return its keys. */
  letGo() {
    const far = this.items.filter((item, k) => k < this.position - KEPT_BEHIND && item.isHeld && isOpen(item));
    for (const item of far) item.isHeld = false;
    return far.map((item) => item.id);
  }
}
