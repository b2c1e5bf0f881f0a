// All epochs of an object in a row: science above difference, small, in the greys and the orientation of the large images.

import { Coloured } from "./coloured.js";
import { DIFFERENCE, areaOf, turner } from "./drawing.js";
import { alike } from "./greys.js";
import { brush, inksOf, tint } from "./marks.js";
import { seenLook } from "./viewer.js";

const SIDE_PX = 56;
// What is drawn of an epoch, from above; the references differ little.
const SHOWN = [0, DIFFERENCE];

/**
 * @typedef {"large" | "covered" | "left out" | "judged" | "limit"} State
 * @typedef {import("./line.js").Epoch} Epoch
 * @typedef {import("./line.js").View} View
 * @typedef {import("./looks.js").Look} Look
 * @typedef {import("./greys.js").Levels} Levels
 * @typedef {{image: number, canvas: HTMLCanvasElement, coloured: Coloured, levels: Levels | null, like: Levels | null}} Thumb
 * @typedef {{item: HTMLElement, pick: HTMLElement, leave: HTMLButtonElement, thumbs: Thumb[], lack: HTMLElement, sign: HTMLElement}} Box
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
   * @param {HTMLElement} place  a list
   * @param {{onPick: (id: string) => void, onLeaveOut: (id: string) => void}} listeners  hear which epoch somebody wants to
   *   see large, and which to leave out or to take in again
   */
  constructor(place, listeners) {
    this.place = place;
    /** @type {Epoch[]} */
    this.epochs = [];
    /** @type {View | null} */
    this.large = null;
    /** @type {Box[]} */
    this.boxes = [];
    place.addEventListener("click", (event) => {
      const k = this.boxes.findIndex(({ item }) => event.target instanceof Node && item.contains(event.target));
      const button = event.target instanceof Element ? event.target.closest("button") : null;
      const id = this.epochs[k]?.view?.id;
      if (!button || !id) return;
      // Afterwards keys are free again for what they do on the page.
      if (event.detail > 0) button.blur();
      if (button === this.boxes[k].leave) listeners.onLeaveOut(id);
      else listeners.onPick(id);
    });
    place.addEventListener("keydown", (event) => this.#step(event));
  }

  /**
   * Show epochs in the order given; what is drawn already stays where it is.
   * @param {Epoch[]} epochs
   * @param {View | null} large  the one on screen
   * @param {Look} look
   */
  show(epochs, large, look) {
    const isSame = epochs.length === this.epochs.length && epochs.every((epoch, k) => epoch === this.epochs[k]);
    Object.assign(this, { epochs, large });
    this.place.hidden = !epochs.length;
    if (!isSame) {
      this.boxes = epochs.map((epoch) => boxOf(epoch));
      this.place.replaceChildren(...this.boxes.map(({ item }) => item));
    }
    epochs.forEach((epoch, k) => name(this.boxes[k], epoch, this.#stateOf(epoch)));
    this.#giveWay();
    this.draw(look);
  }

  /**
   * Draw the same epochs in another look.
   * @param {Look} look
   */
  draw(look) {
    const inks = inksOf(this.place), seen = seenLook(look, inks);
    const views = this.epochs.map(({ view }) => view);
    const leading = this.large?.cutouts ?? views.find((view) => view?.cutouts)?.cutouts;
    if (!leading) return;
    views.forEach((view, k) => {
      if (view) for (const thumb of this.boxes[k].thumbs) paint(thumb, view, leading.levels, seen, inks.tint);
    });
  }

  /**
   * @param {Epoch} epoch
   * @returns {State}
   */
  #stateOf({ view, isOpen, isLeftOut }) {
    if (!view) return "limit";
    if (view === this.large) return "large";
    if (!isOpen) return "judged";
    return isLeftOut || !view.cutouts ? "left out" : "covered";
  }

  /** Let the tabulator come to the epoch on screen, and bring it into sight. */
  #giveWay() {
    const k = Math.max(this.epochs.findIndex(({ view }) => view && view === this.large), 0);
    this.#reach(this.boxes[k]?.pick);
    const item = this.boxes[k]?.item;
    if (!item) return;
    const left = item.offsetLeft - this.place.offsetLeft, right = left + item.offsetWidth;
    if (left < this.place.scrollLeft) this.place.scrollLeft = left;
    else if (right > this.place.scrollLeft + this.place.clientWidth) this.place.scrollLeft = right - this.place.clientWidth;
  }

  /** @param {HTMLElement | undefined} one */
  #reach(one) {
    for (const { pick } of this.boxes) if (pick instanceof HTMLButtonElement) pick.tabIndex = pick === one ? 0 : -1;
  }

  /** @param {KeyboardEvent} event */
  #step(event) {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const buttons = this.boxes.map(({ pick }) => pick).filter((pick) => pick instanceof HTMLButtonElement);
    const at = buttons.findIndex((pick) => pick === document.activeElement);
    if (!by || at < 0) return;
    event.preventDefault();
    const next = buttons[at + by];
    if (!next) return;
    this.#reach(next);
    next.focus();
  }
}

/**
 * @param {Epoch} epoch
 * @returns {Box}
 */
function boxOf({ view, when, band }) {
  const [item, pick] = [document.createElement("li"), document.createElement(view ? "button" : "span")];
  const leave = Object.assign(document.createElement("button"), { type: "button", className: "leave" });
  if (pick instanceof HTMLButtonElement) pick.type = "button";
  pick.className = "pick";
  const thumbs = (view ? SHOWN : []).map((image) => ({
    image, canvas: Object.assign(document.createElement("canvas"), { ariaHidden: "true" }), coloured: new Coloured(), levels: null, like: null,
  }));
  const [lack, label, sign] = ["lack", "when", "sign"].map((className) => Object.assign(document.createElement("span"), { className }));
  label.textContent = [when, band].filter(Boolean).join(" ");
  pick.append(...thumbs.map(({ canvas }) => canvas), lack, label);
  item.append(pick, leave, sign);
  return { item, pick, leave, thumbs, lack, sign };
}

/**
 * Say of an epoch what it is, to eyes and to ears.
 * @param {Box} box
 * @param {Epoch} epoch
 * @param {State} state
 */
function name({ item, pick, leave, thumbs, lack, sign }, { view, when, band, brightness }, state) {
  const { sign: letter, words } = STATES[state];
  const why = view && !view.cutouts ? view.fault || "Loading the images …" : "";
  lack.textContent = !view ? brightness || words : !why ? "" : view.fault ? "no images" : "…";
  for (const { canvas } of thumbs) canvas.hidden = Boolean(why);
  item.dataset.state = state;
  const epoch = [when, band, brightness].filter(Boolean).join(" ");
  pick.title = [epoch, words, why].filter(Boolean).join(", ");
  leave.hidden = why !== "" || (state !== "covered" && state !== "left out");
  sign.hidden = !leave.hidden;
  leave.textContent = sign.textContent = letter;
  sign.ariaHidden = "true";
  if (!view) return;
  pick.ariaLabel = pick.title;
  pick.setAttribute("aria-pressed", String(state === "large"));
  leave.setAttribute("aria-pressed", String(state === "left out"));
  leave.ariaLabel = `Leave out ${epoch}`;
  leave.title = state === "left out" ? "Left out of your answer: press to take it in" : "Covered by your answer: press to leave it out";
}

/**
 * @param {Thumb} thumb
 * @param {View} view
 * @param {Levels} leading  what all epochs are drawn like
 * @param {Look} look
 * @param {string} colour  that the theme multiplies greys with
 */
function paint(thumb, { cutouts, turn, x, y }, leading, look, colour) {
  if (!cutouts) return;
  const { canvas, image } = thumb, { size } = cutouts;
  if (thumb.like !== leading || thumb.coloured.of[1] !== cutouts || !thumb.levels) {
    Object.assign(thumb, { like: leading, levels: alike(cutouts.levels, leading) });
  }
  const raw = thumb.levels && thumb.coloured.draw(image, cutouts, turn, look, thumb.levels);
  if (!raw) return;
  const length = Math.round(SIDE_PX * (window.devicePixelRatio || 1));
  // Setting it, even to what it is, takes longer than to draw.
  if (canvas.width !== length) canvas.width = canvas.height = length;
  const { left, top, side } = areaOf(size, turner(size, turn)(x, y), look.zoom);
  const context = brush(canvas);
  // Smaller than its pixels it would lose some of them otherwise, and with them a source.
  context.imageSmoothingEnabled = side > length;
  context.drawImage(raw, left, top, side, side, 0, 0, length, length);
  tint(context, colour);
}
