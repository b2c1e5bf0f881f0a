// Science, reference and difference side by side, drawn from their pixels: stretch, zoom and blink cost no request.

import { part } from "./dom.js";
import { DIFFERENCE, areaOf, turner, unturner } from "./drawing.js";
import { Drawn, drawAnew, onOtherDrawing } from "./drawn.js";
import { STRETCHES } from "./greys.js";
import { MAPS, PACES_MS, after, contrasted, keepLook, keptLook, zoomed } from "./looks.js";
import { Pencil, brush, inksNow, isTinted, tint } from "./marks.js";
import { Pointer } from "./pointer.js";
import { legendOf, rulerWords } from "./readout.js";

/**
 * @typedef {import("./packed.js").Cutouts} Cutouts
 * @typedef {import("./looks.js").Look} Look
 * @typedef {import("./drawing.js").Turn} Turn
 * @typedef {import("./marks.js").Inks} Inks
 * @typedef {import("./marks.js").Point} Point
 * @typedef {{x: number, y: number, turn: Turn, scale_arcsec: number | null}} Place  of a detection in its cutouts
 * @typedef {{figure: HTMLElement, canvas: HTMLCanvasElement, readout: HTMLElement, isPainted: boolean}} Panel
 * @typedef {{from: Point, to: Point}} Ruler  in pixels of a cutout that is not turned
 */

export class Viewer {
  /**
   * @param {NodeListOf<HTMLElement>} figures  three elements with a canvas and a caption each
   * @param {(look: Look) => void} onChange  hears of every change of the look
   * @param {(by: number) => void} onSwipe  hears of a swipe: 1 for the next one, −1 for the one before
   */
  constructor(figures, onChange, onSwipe = () => {}) {
    /** @type {Panel[]} */
    this.panels = [...figures].map((figure) => ({
      figure, canvas: part("canvas", HTMLCanvasElement, figure), readout: readoutIn(figure), isPainted: false,
    }));
    this.drawn = this.panels.map(() => new Drawn());
    this.next = { cutouts: /** @type {Cutouts | null} */ (null), drawn: this.panels.map(() => new Drawn()) };
    /** @type {Cutouts | null} */
    this.cutouts = null;
    /** @type {Place | null} */
    this.place = null;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.blinking = undefined;
    this.length = 0;
    this.ratio = 1;
    this.onChange = onChange;
    this.look = keptLook();
    this.isSwapped = false;
    // Whether a drag measures without a key held.
    this.isMeasuring = false;
    /** @type {Ruler | null} */
    this.ruler = null;
    /** @type {Point} */
    this.pan = [0, 0];
    this.pointer = new Pointer(this, onSwipe);
    onOtherDrawing(() => this.paint());
    for (const { canvas } of this.panels) canvas.addEventListener("contextrestored", drawAnew);
  }

  /** Names of the images on screen; none while one of them is missing. */
  get painted() {
    return this.panels.every((panel) => panel.isPainted) ? this.panels.map((panel) => panel.figure.dataset.panel ?? "") : [];
  }

  /**
   * Draw a detection.
   * @param {Cutouts | null} cutouts
   * @param {Place} place
   */
  show(cutouts, place) {
    if (cutouts && cutouts === this.next.cutouts) [this.drawn, this.next] = [this.next.drawn, { cutouts: null, drawn: this.drawn }];
    Object.assign(this, { cutouts, place, pan: [0, 0], isSwapped: false, ruler: null });
    this.pointer.tell(null, null);
    this.paint();
  }

  /**
   * Draw the images of what comes next, while there is time.
   * @param {Cutouts} cutouts
   * @param {Place} place
   */
  prepare(cutouts, { turn }) {
    this.next.cutouts = cutouts;
    const look = seenLook(this.look, inksNow());
    this.next.drawn.forEach((drawn, k) => drawn.draw(k, cutouts, turn, look, cutouts.levels));
  }

  /**
   * Change the look, keep it for the next time, draw.
   * @param {Partial<Look>} change
   */
  set(change) {
    this.look = { ...this.look, ...change };
    keepLook(this.look);
    this.paint();
    this.onChange(this.look);
  }

  nextStretch() { this.set({ stretch: after(STRETCHES, this.look.stretch) }); }
  nextMap() { this.set({ map: after(MAPS, this.look.map) }); }
  /** @param {number} step */
  zoom(step) { this.set({ zoom: zoomed(this.look.zoom, step) }); }
  /** @param {number} step */
  contrast(step) { this.set({ contrast: contrasted(this.look.contrast, step) }); }
  resetZoom() { this.pan = [0, 0]; this.set({ zoom: 1 }); }

  /**
   * Enlarge for the moment, as fingers that still move ask.
   * @param {number} zoom
   */
  enlarge(zoom) {
    this.look = { ...this.look, zoom };
    this.paint();
  }

  /**
   * Move what is enlarged with the pointer.
   * @param {number} dx  CSS px
   * @param {number} dy
   */
  moveBy(dx, dy) {
    if (!this.cutouts || this.look.zoom === 1) return;
    const px = this.cutouts.size / this.look.zoom / (this.length / this.ratio);
    this.pan = [this.pan[0] + dx * px, this.pan[1] + dy * px];
    this.paint();
  }

  /** Let a drag measure, or move again; return whether it measures now. */
  toggleRuler() {
    this.isMeasuring = !this.isMeasuring;
    this.measure(null);
    return this.isMeasuring;
  }

  /**
   * Lay a ruler over the images, or take it away.
   * @param {Ruler | null} ruler
   */
  measure(ruler) {
    if (!ruler && !this.ruler) return;
    this.ruler = ruler;
    this.paint();
  }

  /**
   * Show the reference in the place of the science image, or the science image again.
   * @param {boolean} isSwapped
   */
  swap(isSwapped) {
    if (this.isSwapped === isSwapped) return;
    this.isSwapped = isSwapped;
    this.paint();
  }

  /** Change between the two by itself, until told to stop; return whether it does now. */
  blink() {
    const wasBlinking = this.blinking !== undefined;
    this.stopBlinking();
    if (!wasBlinking) this.#startBlinking();
    return !wasBlinking;
  }

  #startBlinking() { this.blinking = setInterval(() => this.swap(!this.isSwapped), PACES_MS[this.look.pace]); }

  stopBlinking() {
    clearInterval(this.blinking);
    this.blinking = undefined;
    this.swap(false);
  }

  /** Blink slower or faster from now on. */
  nextPace() {
    this.set({ pace: after(Object.keys(PACES_MS), this.look.pace) });
    if (this.blinking === undefined) return;
    clearInterval(this.blinking);
    this.#startBlinking();
  }

  /**
   * Give each image as many whole screen dots per pixel as fit.
   * @param {number} side  CSS px
   */
  fit(side, size = 63) {
    const ratio = window.devicePixelRatio || 1;
    const exact = (side * ratio) / size;
    const dots = exact >= 4 ? Math.floor(exact) : exact;
    // Rounded down, or the last of three would stand in a row of its own.
    const length = Math.floor(dots * size + 1e-6);
    if (this.length === length && this.ratio === ratio) return;
    Object.assign(this, { length, ratio });
    for (const { canvas } of this.panels) {
      canvas.width = canvas.height = length;
      canvas.style.width = canvas.style.height = `${length / ratio}px`;
    }
    this.paint();
  }

  /** Draw everything anew, also in the colours of another theme. */
  paint() {
    const inks = inksNow();
    this.panels.forEach((panel, k) => this.#paint(panel, k, inks));
    this.panels[0].figure.toggleAttribute("data-swapped", this.isSwapped);
    for (const { canvas } of this.panels) canvas.classList.toggle("enlarged", this.look.zoom > 1);
    this.panels[DIFFERENCE].canvas.ariaLabel = legendOf(seenLook(this.look, inks));
  }

  /**
   * Return which image a panel shows now.
   * @param {number} k
   */
  shownIn(k) { return k === 0 && this.isSwapped ? 1 : k; }

  /**
   * Return the place in the cutout under the pointer; null beside it.
   * @param {HTMLCanvasElement} canvas
   * @param {{clientX: number, clientY: number}} pointer
   * @returns {Point | null}
   */
  pixelAt(canvas, { clientX, clientY }) {
    if (!this.cutouts || !this.place) return null;
    const { size } = this.cutouts, box = canvas.getBoundingClientRect(), area = this.#area(size, this.place);
    const [right, down] = [(clientX - box.left) / box.width, (clientY - box.top) / box.height];
    if (!(right >= 0 && right < 1 && down >= 0 && down < 1)) return null;
    return unturner(size, this.place.turn)(area.left + right * area.side - 0.5, size - 0.5 - area.top - down * area.side);
  }

  /**
   * @param {Panel} panel
   * @param {number} k
   * @param {Inks} inks
   */
  #paint(panel, k, inks) {
    const { canvas } = panel, { cutouts, place } = this;
    const context = brush(canvas);
    panel.isPainted = false;
    context.fillStyle = "#000";
    context.fillRect(0, 0, canvas.width, canvas.height);
    if (!cutouts || !place) return;
    const shown = this.shownIn(k);
    const raw = this.drawn[shown].draw(shown, cutouts, place.turn, seenLook(this.look, inks), cutouts.levels);
    if (!raw) return;
    const { left, top, side } = this.#area(cutouts.size, place);
    context.imageSmoothingEnabled = false;
    context.drawImage(raw, left, top, side, side, 0, 0, canvas.width, canvas.height);
    tint(context, inks.tint);
    this.#mark(new Pencil(context, inks, this.ratio), k, cutouts, place);
    panel.isPainted = true;
    panel.figure.dataset.drawnBy = this.drawn[shown].by;
  }

  /**
   * @param {Pencil} pencil
   * @param {number} k
   * @param {Cutouts} cutouts
   * @param {Place} place
   */
  #mark(pencil, k, cutouts, place) {
    const { size } = cutouts, area = this.#area(size, place), dots = pencil.context.canvas.width / area.side;
    const put = turner(size, place.turn);
    const [x, y] = put(place.x, place.y);
    const dot = (/** @type {Point} */ [a, b]) => /** @type {Point} */ ([(a + 0.5 - area.left) * dots, (size - b - 0.5 - area.top) * dots]);
    if (this.look.hasCrosshair) pencil.crosshair((dx, dy) => dot([x + dx, y + dy]));
    if (k === 0) {
      pencil.scale(place.scale_arcsec, dots);
      pencil.compass(place.turn.north_deg);
    }
    if (!this.ruler) return;
    const { from, to } = this.ruler;
    pencil.ruler(dot(put(...from)), dot(put(...to)), rulerWords(cutouts, from, to, place.scale_arcsec));
  }

  /**
   * @param {number} size
   * @param {Place} place
   */
  #area(size, { x, y, turn }) { return areaOf(size, turner(size, turn)(x, y), this.look.zoom, this.pan); }
}

/**
 * Return the look as this theme shows it: where all is red, colours would only be darker greys.
 * @param {Look} look
 * @param {Inks} inks
 * @returns {Look}
 */
export function seenLook(look, inks) { return isTinted(inks) ? { ...look, map: "grey" } : look; }

/** @param {HTMLElement} figure */
function readoutIn(figure) {
  // What a pointer shows is for eyes: the facts below say it in words.
  const readout = Object.assign(document.createElement("span"), { className: "readout", ariaHidden: "true" });
  part("figcaption", HTMLElement, figure).append(readout);
  return readout;
}
