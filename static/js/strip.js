// All epochs of an object in a row: science beside difference, small, in the greys and the orientation of the large images.

import { Coloured } from "./coloured.js";
import { DIFFERENCE, areaOf, turner } from "./drawing.js";
import { alike } from "./greys.js";
import { brush, inksOf, tint } from "./marks.js";
import { seenLook } from "./viewer.js";

const SIDE_PX = 42;
// What is drawn of an epoch, from the left; the reference is the same for all.
const SHOWN = [0, DIFFERENCE];

/**
 * @typedef {"large" | "covered" | "left out" | "judged" | "limit"} State
 * @typedef {import("./packed.js").Cutouts} Cutouts
 * @typedef {import("./looks.js").Look} Look
 *
 * @typedef {object} Epoch
 * @property {string | null} id  null for a frame without a detection
 * @property {string} label  when and in which band
 * @property {Cutouts | null} cutouts  null while they are on their way, or where they do not come
 * @property {string} fault  why they do not
 * @property {import("./drawing.js").Turn} turn
 * @property {{x: number, y: number}} place  of the detection in its cutouts
 * @property {State} state
 *
 * @typedef {import("./greys.js").Levels} Levels
 * @typedef {object} Thumb
 * @property {number} image
 * @property {HTMLCanvasElement} canvas
 * @property {Coloured} coloured
 * @property {Levels | null} levels  in which it is drawn
 * @property {Levels | null} own  of its epoch
 * @property {Levels | null} like  of the leading one
 * @typedef {{button: HTMLElement, thumbs: Thumb[], lack: HTMLElement, label: HTMLElement}} Box
 */

// A sign for each state, for eyes that tell no colours apart, and words for those who hear it.
/** @type {Record<State, {sign: string, words: string}>} */
const STATES = {
  large: { sign: "◉", words: "shown large" },
  covered: { sign: "✓", words: "covered by your answer" },
  "left out": { sign: "✕", words: "left out" },
  judged: { sign: "●", words: "judged already" },
  limit: { sign: "▽", words: "not detected" },
};

export class Strip {
  /**
   * @param {HTMLElement} container
   * @param {{onPick: (id: string) => void}} listeners  hear which epoch somebody wants to see large
   */
  constructor(container, { onPick }) {
    this.container = container;
    /** @type {Epoch[]} */
    this.epochs = [];
    /** @type {Box[]} */
    this.boxes = [];
    /** @type {Look | null} */
    this.look = null;
    /** @type {unknown[]} how the same epochs were drawn last */
    this.as = [];
    container.classList.add("epochs");
    container.setAttribute("role", "group");
    container.ariaLabel ??= "Epochs of this object, by time";
    container.addEventListener("click", (event) => {
      const epoch = this.#epochAt(event.target);
      // Afterwards keys are free again for what they do on the page.
      if (event.detail > 0 && event.target instanceof Element) event.target.closest("button")?.blur();
      if (epoch?.id) onPick(epoch.id);
    });
    container.addEventListener("keydown", (event) => this.#step(event));
  }

  /**
   * Show epochs in the order given; what is drawn already stays where it is.
   * @param {Epoch[]} epochs
   * @param {Look} look
   */
  show(epochs, look) {
    const isSame = epochs.length === this.epochs.length && epochs.every(({ id, label }, k) => {
      const known = this.epochs[k];
      return id === known.id && label === known.label;
    });
    this.epochs = epochs;
    this.as = [];
    if (!isSame) {
      this.boxes = epochs.map((epoch) => boxOf(epoch));
      this.#listen();
      this.container.replaceChildren(...this.boxes.map(({ button }) => button));
    }
    this.#name();
    this.draw(look);
    const large = this.boxes[epochs.findIndex(({ state }) => state === "large")]?.button;
    if (large) bringIntoSight(this.container, large);
  }

  /**
   * Draw the same epochs in another look.
   * @param {Look} look
   */
  draw(look) {
    this.look = look;
    const inks = inksOf(this.container), seen = seenLook(look, inks);
    const leading = this.epochs.find(({ state, cutouts }) => state === "large" && cutouts) ?? this.epochs.find(({ cutouts }) => cutouts);
    if (!leading?.cutouts || this.#isDrawn(seen, inks.tint)) return;
    const { levels } = leading.cutouts;
    this.epochs.forEach((epoch, k) => {
      for (const thumb of this.boxes[k].thumbs) paint(thumb, epoch, levels, seen, inks.tint);
    });
  }

  /** Hear when the browser had lost what was drawn, as it does with a graphics card, and draw it anew. */
  #listen() {
    for (const thumb of this.boxes.flatMap(({ thumbs }) => thumbs)) {
      thumb.canvas.addEventListener("contextrestored", () => {
        thumb.coloured = new Coloured();
        this.as = [];
        if (this.look) this.draw(this.look);
      });
    }
  }

  /**
   * Tell whether this would change nothing, as with another crosshair or pace; remember it.
   * @param {Look} look
   * @param {string} colour
   */
  #isDrawn({ stretch, contrast, map, isInverted, hasMask, zoom }, colour) {
    const as = [stretch, contrast, map, isInverted, hasMask, zoom, colour, window.devicePixelRatio];
    const isSame = as.every((value, n) => value === this.as[n]);
    this.as = as;
    return isSame;
  }

  /** Say of each epoch what it is, to eyes and to ears. */
  #name() {
    const large = this.epochs.findIndex(({ state }) => state === "large");
    const first = large >= 0 ? large : this.epochs.findIndex(({ id }) => id);
    this.epochs.forEach((epoch, k) => {
      const { button, thumbs, lack, label } = this.boxes[k], { sign, words } = STATES[epoch.state];
      const why = epoch.id && !epoch.cutouts ? epoch.fault || "Loading the images …" : "";
      label.textContent = `${sign} ${epoch.label}`;
      lack.textContent = !epoch.id ? words : !why ? "" : epoch.fault ? "no images" : "…";
      for (const { canvas } of thumbs) canvas.hidden = Boolean(why);
      button.dataset.state = epoch.state;
      const said = [epoch.label, words, why].filter(Boolean).join(", ");
      button.title = said;
      if (!epoch.id) return;
      button.ariaLabel = said;
      button.tabIndex = k === first ? 0 : -1;
      if (epoch.state === "large") button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    });
  }

  /** @param {KeyboardEvent} event */
  #step(event) {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const buttons = this.boxes.map(({ button }) => button).filter((button) => button instanceof HTMLButtonElement);
    const at = buttons.findIndex((button) => button === document.activeElement);
    const next = buttons[at + by];
    if (!by || at < 0) return;
    event.preventDefault();
    if (!next) return;
    for (const button of buttons) button.tabIndex = button === next ? 0 : -1;
    next.focus();
  }

  /** @param {EventTarget | null} target */
  #epochAt(target) {
    const k = this.boxes.findIndex(({ button }) => target instanceof Node && button.contains(target));
    return this.epochs[k];
  }
}

/**
 * @param {Epoch} epoch
 * @returns {Box}
 */
function boxOf({ id }) {
  const button = document.createElement(id ? "button" : "span");
  if (button instanceof HTMLButtonElement) button.type = "button";
  button.className = "epoch";
  const thumbs = (id ? SHOWN : []).map((image) => ({
    image, canvas: Object.assign(document.createElement("canvas"), { ariaHidden: "true" }), coloured: new Coloured(), levels: null, own: null, like: null,
  }));
  const [lack, label] = ["lack", "when"].map((className) => Object.assign(document.createElement("span"), { className }));
  button.append(...thumbs.map(({ canvas }) => canvas), lack, label);
  return { button, thumbs, lack, label };
}

/**
 * @param {Thumb} thumb
 * @param {Epoch} epoch
 * @param {Levels} leading  what all epochs are drawn like
 * @param {Look} look
 * @param {string} colour  that the theme multiplies greys with
 */
function paint(thumb, { cutouts, turn, place }, leading, look, colour) {
  if (!cutouts) return;
  const { canvas, image } = thumb, { size } = cutouts;
  // An epoch that was brought on screen has come whole, with levels of its own.
  const isKnown = thumb.like === leading && thumb.own === cutouts.levels;
  if (!isKnown) Object.assign(thumb, { like: leading, own: cutouts.levels, levels: alike(cutouts.levels, leading) });
  const raw = thumb.levels && thumb.coloured.draw(image, cutouts, turn, look, thumb.levels);
  if (!raw) return;
  const length = Math.round(SIDE_PX * (window.devicePixelRatio || 1));
  // Setting it, even to what it is, takes longer than to draw.
  if (canvas.width !== length) canvas.width = canvas.height = length;
  const { left, top, side } = areaOf(size, turner(size, turn)(place.x, place.y), look.zoom);
  const context = brush(canvas);
  // Smaller than its pixels it would lose some of them otherwise, and with them a source.
  context.imageSmoothingEnabled = side > length;
  context.drawImage(raw, left, top, side, side, 0, 0, length, length);
  tint(context, colour);
}

/**
 * Scroll the row, and nothing else, so far that one of it is seen.
 * @param {HTMLElement} row
 * @param {HTMLElement} one
 */
function bringIntoSight(row, one) {
  const left = one.offsetLeft - row.offsetLeft, right = left + one.offsetWidth;
  if (left < row.scrollLeft) row.scrollLeft = left;
  else if (right > row.scrollLeft + row.clientWidth) row.scrollLeft = right - row.clientWidth;
}
