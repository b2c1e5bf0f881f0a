// The epochs of one object in a row of small images: science beside difference, in the greys of the one that is shown large.

import { Coloured } from "./coloured.js";
import { DIFFERENCE, areaOf, turner } from "./drawing.js";
import { alike } from "./greys.js";
import { brush, inksNow, tint } from "./marks.js";
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
 * @property {number} sky  of its epoch
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

export class Row {
  /** @param {Epoch[]} epochs  in the order in which they stand */
  constructor(epochs) {
    this.epochs = epochs;
    this.boxes = epochs.map((epoch) => boxOf(epoch));
    /** @type {Look | null} */
    this.look = null;
    /** @type {unknown[]} of what it was drawn last */
    this.of = [];
    this.#listen();
  }

  /**
   * Tell whether these are its epochs, whatever is known of them by now.
   * @param {Epoch[]} epochs
   */
  isOf(epochs) {
    return epochs.length === this.epochs.length && epochs.every(({ id, label }, k) => {
      const known = this.epochs[k];
      return id === known.id && label === known.label;
    });
  }

  /**
   * Show what is known of its epochs now.
   * @param {Epoch[]} epochs
   * @param {Look} look
   */
  show(epochs, look) {
    this.epochs = epochs;
    this.#name();
    this.draw(look);
  }

  /**
   * Draw the same epochs in another look.
   * @param {Look} look
   */
  draw(look) {
    this.look = look;
    const { tint: colour } = inksNow(), seen = seenLook(look, inksNow());
    const leading = this.epochs.find(({ state, cutouts }) => state === "large" && cutouts) ?? this.epochs.find(({ cutouts }) => cutouts);
    if (!leading?.cutouts || this.#isDrawn(leading.cutouts, seen, colour)) return;
    const { levels } = leading.cutouts;
    this.epochs.forEach((epoch, k) => {
      for (const thumb of this.boxes[k].thumbs) paint(thumb, epoch, levels, seen, colour);
    });
  }

  /** Hear when the browser had lost what was drawn, as it does with a graphics card, and draw it anew. */
  #listen() {
    for (const thumb of this.boxes.flatMap(({ thumbs }) => thumbs)) {
      thumb.canvas.addEventListener("contextrestored", () => {
        thumb.coloured = new Coloured();
        this.of = [];
        if (this.look) this.draw(this.look);
      });
    }
  }

  /**
   * Tell whether this would change nothing, as with another crosshair or pace; remember it.
   * @param {Cutouts} leading
   * @param {Look} look
   * @param {string} colour
   */
  #isDrawn(leading, { stretch, contrast, map, isInverted, hasMask, zoom }, colour) {
    const shown = this.epochs.map(({ cutouts }) => cutouts);
    const of = [leading, ...shown, stretch, contrast, map, isInverted, hasMask, zoom, colour, window.devicePixelRatio];
    const isSame = of.every((value, n) => value === this.of[n]);
    this.of = of;
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
    image, canvas: Object.assign(document.createElement("canvas"), { ariaHidden: "true" }), coloured: new Coloured(), levels: null, sky: NaN, like: null,
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
  const { canvas, image } = thumb, { size, sky } = cutouts;
  const isKnown = thumb.like === leading && thumb.sky === sky;
  if (!isKnown) Object.assign(thumb, { like: leading, sky, levels: alike(sky, leading) });
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
