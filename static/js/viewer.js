// Science, reference and difference side by side, drawn from float pixels: stretch, zoom and blink cost no request.

import { readNpy } from "./npy.js";
import { STRETCHES, measure, sharedGrey, symmetricGrey } from "./greys.js";

// As in detection/numerics/display.py.
const MASKED = [214, 51, 132], MASKED_SHARE = 0.6, NO_DATA = [46, 16, 101];
const MARK = "#ffd23f", INK = "#f0f3f7", OUTLINE = "#0c0d10";
const ZOOMS = [1, 1.5, 2, 3, 4, 6];
const CONTRASTS = [0.25, 0.5, 0.7, 1, 1.4, 2, 4];
const BLINK_MS = 500;
const KEPT_LOOK = "astrid.look";
const DEFAULT_LOOK = { stretch: "asinh", isInverted: false, hasMask: false, hasCrosshair: true, zoom: 1, contrast: 1 };
// Crosshair: its arms begin and end so many pixels from the middle, so that the source itself stays free.
const OPEN_PX = 6, ARM_PX = 11;

/** Decode cutouts and measure their greys; throws an Error with a sentence for what are none. */
export function decode(buffer) {
  const { shape, values } = readNpy(buffer);
  const [count, rows, columns] = shape;
  if (shape.length !== 3 || count !== 4 || rows !== columns) throw new Error("This is not a set of four square images.");
  const images = [0, 1, 2, 3].map((k) => values.subarray(k * rows * columns, (k + 1) * rows * columns));
  return { size: rows, images, levels: measure(...images) };
}

export class Viewer {
  /** `figures`: three elements with a canvas each; `onChange` hears of every change of the look. */
  constructor(figures, onChange) {
    this.panels = [...figures].map((figure) => ({ figure, canvas: figure.querySelector("canvas"), raw: document.createElement("canvas") }));
    this.onChange = onChange;
    this.look = { ...DEFAULT_LOOK, ...stored() };
    this.isSwapped = false;
    this.pan = [0, 0];
    for (const panel of this.panels) this.#listen(panel.canvas);
  }

  /** Draw a detection: `cutouts` as decoded, null for none; `place`: position, turn and scale. */
  show(cutouts, place) {
    this.cutouts = cutouts;
    this.place = place;
    this.pan = [0, 0];
    this.isSwapped = false;
    this.paint();
  }

  /** Change the look, keep it for the next time, draw. */
  set(change) {
    this.look = { ...this.look, ...change };
    try { localStorage.setItem(KEPT_LOOK, JSON.stringify(this.look)); } catch { /* Then it lasts until the page is left. */ }
    this.paint();
    this.onChange(this.look);
  }

  nextStretch() { this.set({ stretch: STRETCHES[(STRETCHES.indexOf(this.look.stretch) + 1) % STRETCHES.length] }); }
  zoom(step) { this.set({ zoom: stepped(ZOOMS, this.look.zoom, step) }); }
  contrast(step) { this.set({ contrast: stepped(CONTRASTS, this.look.contrast, step) }); }
  resetZoom() { this.pan = [0, 0]; this.set({ zoom: 1 }); }

  /** Show the reference in the place of the science image, or the science image again. */
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

  /** Give each image as many whole screen dots per pixel as fit into `side` (CSS px). */
  fit(side, size = 63) {
    const ratio = window.devicePixelRatio || 1;
    const exact = (side * ratio) / size;
    const dots = exact >= 4 ? Math.floor(exact) : exact;
    const length = Math.round(dots * size);
    if (this.length === length && this.ratio === ratio) return;
    Object.assign(this, { length, ratio });
    for (const { canvas } of this.panels) {
      canvas.width = canvas.height = length;
      canvas.style.width = canvas.style.height = `${length / ratio}px`;
    }
    this.paint();
  }

  paint() {
    this.panels.forEach((panel, k) => this.#paint(panel, k));
    this.panels[0].figure.toggleAttribute("data-swapped", this.isSwapped);
  }

  /** Return the greys and colours (RGBA, first row at the top) of an image as it is drawn, before zoom. */
  colours(k) {
    const { size, images, levels } = this.cutouts;
    const { stretch, contrast, isInverted, hasMask } = this.look;
    const image = images[k], mask = images[3];
    const greys = k === 2 ? symmetricGrey(image, levels, contrast) : sharedGrey(image, levels, stretch, contrast);
    const out = new Uint8ClampedArray(4 * size * size);
    const put = turner(size, this.place.turn);
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

  #paint(panel, k) {
    const context = panel.canvas.getContext("2d");
    context.fillStyle = "#000";
    context.fillRect(0, 0, panel.canvas.width, panel.canvas.height);
    if (!this.cutouts) return;
    const { size } = this.cutouts;
    panel.raw.width = panel.raw.height = size;
    const shown = k === 0 && this.isSwapped ? 1 : k;
    panel.raw.getContext("2d").putImageData(new ImageData(this.colours(shown), size, size), 0, 0);
    const area = this.#area();
    context.imageSmoothingEnabled = false;
    context.drawImage(panel.raw, area.left, area.top, area.side, area.side, 0, 0, panel.canvas.width, panel.canvas.height);
    this.#mark(context, k, area);
  }

  /** Return the part of the image that is shown: its corner and side in pixels, rows counted from the top. */
  #area() {
    const { size } = this.cutouts;
    const side = size / this.look.zoom;
    const [x, y] = this.#target();
    const within = (value) => Math.min(Math.max(value, 0), size - side);
    return { left: within(x + 0.5 - side / 2 - this.pan[0]), top: within(size - y - 0.5 - side / 2 - this.pan[1]), side };
  }

  #target() {
    return turner(this.cutouts.size, this.place.turn)(this.place.x, this.place.y);
  }

  #mark(context, k, area) {
    const dots = context.canvas.width / area.side;
    const { size } = this.cutouts;
    const [x, y] = this.#target();
    const at = (px, py) => [(px + 0.5 - area.left) * dots, (size - py - 0.5 - area.top) * dots];
    context.lineCap = "butt";
    if (this.look.hasCrosshair) {
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        line(context, at(x + OPEN_PX * dx, y + OPEN_PX * dy), at(x + ARM_PX * dx, y + ARM_PX * dy), MARK, this.ratio);
      }
    }
    if (k === 0) {
      this.#drawScale(context, dots);
      if (this.place.turn.north_deg !== null) drawCompass(context, this.place.turn.north_deg, this.ratio);
    }
  }

  #drawScale(context, dots) {
    const { scale_arcsec: scale } = this.place;
    if (!scale) return;
    const length = roundLength((scale * context.canvas.width) / dots / 3);
    const pad = 8 * this.ratio, y = context.canvas.height - pad;
    line(context, [pad, y], [pad + (length / scale) * dots, y], INK, 2 * this.ratio);
    write(context, `${Number(length.toPrecision(3))}″`, [pad, y - 5 * this.ratio], this.ratio, "left");
  }

  #listen(canvas) {
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

/** Return where a pixel of a square image comes to lie (y up) when it is flipped and turned. */
export function turner(size, { is_flipped: isFlipped, quarter_turns: turns }) {
  return (x, y) => {
    let [a, b] = [isFlipped ? size - 1 - x : x, y];
    for (let k = 0; k < turns; k++) [a, b] = [b, size - 1 - a];
    return [a, b];
  };
}

/** Return the largest of 1, 2, 5 × 10^k that is not above `longest`. */
export function roundLength(longest) {
  const decade = 10 ** Math.floor(Math.log10(longest));
  return Math.max(...[1, 2, 5].map((step) => step * decade).filter((length) => length <= longest * (1 + 1e-9)));
}

function stored() {
  try {
    const look = JSON.parse(localStorage.getItem(KEPT_LOOK) ?? "{}");
    return Object.fromEntries(Object.entries(look).filter(([name, value]) => typeof value === typeof DEFAULT_LOOK[name]));
  } catch {
    return {};
  }
}

function stepped(values, value, step) {
  const nearest = values.reduce((best, other) => (Math.abs(other - value) < Math.abs(best - value) ? other : best));
  return values[Math.min(Math.max(values.indexOf(nearest) + step, 0), values.length - 1)];
}

function line(context, from, to, colour, width) {
  for (const [style, extra] of [[OUTLINE, 2], [colour, 0]]) {
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(...to);
    context.strokeStyle = style;
    context.lineWidth = width + extra;
    context.stroke();
  }
}

function write(context, text, [x, y], ratio, align = "center") {
  context.font = `600 ${11 * ratio}px system-ui, sans-serif`;
  context.textAlign = align;
  context.lineWidth = 3 * ratio;
  context.strokeStyle = OUTLINE;
  context.fillStyle = INK;
  context.strokeText(text, x, y);
  context.fillText(text, x, y);
}

/** Draw north and east in the upper right corner; `northDeg` counts from up towards the left. */
function drawCompass(context, northDeg, ratio) {
  const [x, y] = [context.canvas.width - 16 * ratio, 44 * ratio];
  for (const [name, angle] of [["N", northDeg], ["E", northDeg + 90]]) {
    const radians = (angle * Math.PI) / 180;
    const [dx, dy] = [-Math.sin(radians), -Math.cos(radians)];
    line(context, [x, y], [x + 20 * ratio * dx, y + 20 * ratio * dy], INK, ratio * 1.5);
    write(context, name, [x + 29 * ratio * dx, y + 29 * ratio * dy + 4 * ratio], ratio);
  }
}
