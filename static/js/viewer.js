// Science, reference and difference side by side, drawn from float pixels: stretch, zoom and blink cost no request.

import { part } from "./dom.js";
import { Pencil, brush, inksOf, tint } from "./marks.js";
import { readNpy } from "./npy.js";
import { STRETCHES, measure, sharedGrey, symmetricGrey } from "./greys.js";

// As in detection/numerics/display.py.
const MASKED = [214, 51, 132], MASKED_SHARE = 0.6, NO_DATA = [46, 16, 101];
const ZOOMS = [1, 1.5, 2, 3, 4, 6];
const CONTRASTS = [0.25, 0.5, 0.7, 1, 1.4, 2, 4];
const BLINK_MS = 500;
const KEPT_LOOK = "astrid.look";
const DEFAULT_LOOK = { stretch: "asinh", isInverted: false, hasMask: false, hasCrosshair: true, zoom: 1, contrast: 1 };

/**
 * @typedef {{size: number, images: Float32Array[], levels: import("./greys.js").Levels}} Cutouts
 * @typedef {typeof DEFAULT_LOOK} Look
 * @typedef {{is_flipped: boolean, quarter_turns: number, north_deg: number | null}} Turn
 * @typedef {{x: number, y: number, turn: Turn, scale_arcsec: number | null}} Place  of a detection in its cutouts
 * @typedef {{figure: HTMLElement, canvas: HTMLCanvasElement, raw: HTMLCanvasElement, isPainted: boolean}} Panel
 * @typedef {{left: number, top: number, side: number}} Area
 * @typedef {import("./marks.js").Inks} Inks
 * @typedef {import("./marks.js").Point} Point
 */

/**
 * Decode cutouts and measure their greys; throws an Error with a sentence for what are none.
 * @param {ArrayBuffer} buffer
 * @returns {Cutouts}
 */
export function decode(buffer) {
  const { shape, values } = readNpy(buffer);
  const [count, rows, columns] = shape;
  if (shape.length !== 3 || count !== 4 || rows !== columns) throw new Error("This is not a set of four square images.");
  const images = [0, 1, 2, 3].map((k) => values.subarray(k * rows * columns, (k + 1) * rows * columns));
  const [science, reference, difference, mask] = images;
  return { size: rows, images, levels: measure(science, reference, difference, mask) };
}

export class Viewer {
  /**
   * @param {NodeListOf<HTMLElement>} figures  three elements with a canvas each
   * @param {(look: Look) => void} onChange  hears of every change of the look
   */
  constructor(figures, onChange) {
    /** @type {Panel[]} */
    this.panels = [...figures].map((figure) => ({
      figure, canvas: part("canvas", HTMLCanvasElement, figure), raw: document.createElement("canvas"), isPainted: false,
    }));
    /** @type {Cutouts | null} */
    this.cutouts = null;
    /** @type {Place | null} */
    this.place = null;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.blinking = undefined;
    this.length = 0;
    this.ratio = 1;
    this.onChange = onChange;
    /** @type {Look} */
    this.look = { ...DEFAULT_LOOK, ...stored() };
    this.isSwapped = false;
    /** @type {Point} */
    this.pan = [0, 0];
    for (const panel of this.panels) this.#listen(panel.canvas);
  }

  /** Names of the images that are drawn now. */
  get painted() { return this.panels.filter((panel) => panel.isPainted).map((panel) => panel.figure.dataset.panel ?? ""); }

  /**
   * Draw a detection.
   * @param {Cutouts | null} cutouts
   * @param {Place} place
   */
  show(cutouts, place) {
    this.cutouts = cutouts;
    this.place = place;
    this.pan = [0, 0];
    this.isSwapped = false;
    this.paint();
  }

  /**
   * Change the look, keep it for the next time, draw.
   * @param {Partial<Look>} change
   */
  set(change) {
    this.look = { ...this.look, ...change };
    try { localStorage.setItem(KEPT_LOOK, JSON.stringify(this.look)); } catch { /* Then it lasts until the page is left. */ }
    this.paint();
    this.onChange(this.look);
  }

  nextStretch() { this.set({ stretch: STRETCHES[(STRETCHES.indexOf(this.look.stretch) + 1) % STRETCHES.length] }); }
  /** @param {number} step */
  zoom(step) { this.set({ zoom: stepped(ZOOMS, this.look.zoom, step) }); }
  /** @param {number} step */
  contrast(step) { this.set({ contrast: stepped(CONTRASTS, this.look.contrast, step) }); }
  resetZoom() { this.pan = [0, 0]; this.set({ zoom: 1 }); }

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
    if (!wasBlinking) this.blinking = setInterval(() => this.swap(!this.isSwapped), BLINK_MS);
    return !wasBlinking;
  }

  stopBlinking() {
    clearInterval(this.blinking);
    this.blinking = undefined;
    this.swap(false);
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
    const inks = inksOf(this.panels[0].figure);
    this.panels.forEach((panel, k) => this.#paint(panel, k, inks));
    this.panels[0].figure.toggleAttribute("data-swapped", this.isSwapped);
  }

  /**
   * Return the greys and colours (RGBA, first row at the top) of an image as it is drawn, before zoom.
   * @param {number} k
   * @param {Cutouts} cutouts
   * @param {Place} place
   */
  colours(k, { size, images, levels }, place) {
    const { stretch, contrast, isInverted, hasMask } = this.look;
    const image = images[k], mask = images[3];
    const greys = k === 2 ? symmetricGrey(image, levels, contrast) : sharedGrey(image, levels, stretch, contrast);
    const out = new Uint8ClampedArray(4 * size * size);
    const put = turner(size, place.turn);
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        const from = y * size + x;
        const [tx, ty] = put(x, y);
        const to = 4 * ((size - 1 - ty) * size + tx);
        const grey = isInverted ? 255 - greys[from] : greys[from];
        const isKnown = Number.isFinite(image[from]);
        const isTinted = hasMask && mask[from] > 0;
        for (let c = 0; c < 3; c++) {
          const shown = isTinted ? (1 - MASKED_SHARE) * grey + MASKED_SHARE * MASKED[c] : grey;
          out[to + c] = isKnown ? shown : NO_DATA[c];
        }
        out[to + 3] = 255;
      }
    }
    return out;
  }

  /**
   * @param {Panel} panel
   * @param {number} k
   * @param {Inks} inks
   */
  #paint(panel, k, inks) {
    const { canvas, raw } = panel, { cutouts, place } = this;
    const context = brush(canvas);
    panel.isPainted = false;
    context.fillStyle = "#000";
    context.fillRect(0, 0, canvas.width, canvas.height);
    if (!cutouts || !place) return;
    const { size } = cutouts;
    raw.width = raw.height = size;
    const shown = k === 0 && this.isSwapped ? 1 : k;
    brush(raw).putImageData(new ImageData(this.colours(shown, cutouts, place), size, size), 0, 0);
    const target = turner(size, place.turn)(place.x, place.y);
    const area = this.#area(size, target);
    context.imageSmoothingEnabled = false;
    context.drawImage(raw, area.left, area.top, area.side, area.side, 0, 0, canvas.width, canvas.height);
    tint(context, inks.tint);
    const pencil = new Pencil(context, inks, this.ratio);
    const dots = canvas.width / area.side;
    if (this.look.hasCrosshair) {
      pencil.crosshair((x, y) => [(target[0] + x + 0.5 - area.left) * dots, (size - target[1] - y - 0.5 - area.top) * dots]);
    }
    if (k === 0) {
      pencil.scale(place.scale_arcsec, dots);
      pencil.compass(place.turn.north_deg);
    }
    panel.isPainted = true;
  }

  /**
   * Return the part of the image that is shown: its corner and side in pixels, rows counted from the top.
   * @param {number} size
   * @param {Point} target
   * @returns {Area}
   */
  #area(size, [x, y]) {
    const side = size / this.look.zoom;
    const within = (/** @type {number} */ value) => Math.min(Math.max(value, 0), size - side);
    return { left: within(x + 0.5 - side / 2 - this.pan[0]), top: within(size - y - 0.5 - side / 2 - this.pan[1]), side };
  }

  /** @param {HTMLCanvasElement} canvas */
  #listen(canvas) {
    /** @type {[number, number, number, number] | null} */
    let from = null;
    canvas.addEventListener("pointerdown", (event) => {
      from = [event.clientX, event.clientY, ...this.pan];
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!from || !this.cutouts || this.look.zoom === 1) return;
      const px = (this.cutouts.size / this.look.zoom) / (this.length / this.ratio);
      this.pan = [from[2] + (event.clientX - from[0]) * px, from[3] + (event.clientY - from[1]) * px];
      this.paint();
    });
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { from = null; });
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(event.deltaY < 0 ? 1 : -1);
    }, { passive: false });
  }
}

/**
 * Return where a pixel of a square image comes to lie (y up) when it is flipped and turned.
 * @param {number} size
 * @param {Turn} turn
 * @returns {(x: number, y: number) => Point}
 */
export function turner(size, { is_flipped: isFlipped, quarter_turns: turns }) {
  return (x, y) => {
    let [a, b] = [isFlipped ? size - 1 - x : x, y];
    for (let k = 0; k < turns; k++) [a, b] = [b, size - 1 - a];
    return [a, b];
  };
}

/** @returns {Partial<Look>} */
function stored() {
  try {
    const look = JSON.parse(localStorage.getItem(KEPT_LOOK) ?? "{}");
    const known = new Map(Object.entries(DEFAULT_LOOK));
    return Object.fromEntries(Object.entries(look).filter(([name, value]) => typeof value === typeof known.get(name)));
  } catch {
    return {};
  }
}

/**
 * @param {number[]} values
 * @param {number} value
 * @param {number} step
 */
function stepped(values, value, step) {
  const nearest = values.reduce((best, other) => (Math.abs(other - value) < Math.abs(best - value) ? other : best));
  return values[Math.min(Math.max(values.indexOf(nearest) + step, 0), values.length - 1)];
}
