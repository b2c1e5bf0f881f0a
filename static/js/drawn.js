// One large image in its colours, by the graphics card where there is one that can, else by Canvas 2D: who shows it need not
// know. What comes out has as many pixels as the image; zoom, pan and blink only copy it, in larger pixels, and cost a card nothing.

import { Coloured } from "./coloured.js";
import { makingOf } from "./drawing.js";
import { whenIdle } from "./idle.js";

// How it is drawn is chosen by itself; an address that ends in #drawing=canvas or #drawing=webgl chooses.
const CHOICE = /^#drawing=(canvas|webgl)$/;
const CONTEXT = { alpha: true, antialias: false, depth: false, stencil: false };

/** @type {import("./shading.js").Shading | null} of all images of the page */
let shading = null;
// Of what was drawn in a former one nothing is used again: the card, or the browser, has lost it.
let era = 0, isBegun = false;
/** @type {Set<() => void>} */
const listeners = new Set();

/**
 * Hear when all has to be drawn anew: something else draws from now on.
 * @param {() => void} listener
 */
export function onOtherDrawing(listener) { listeners.add(listener); }

export class Drawn {
  constructor() {
    this.coloured = new Coloured();
    /** @type {ImageBitmap | null} */
    this.shaded = null;
    /** @type {unknown[]} what that was made of */
    this.of = [];
    if (!isBegun) begin();
    isBegun = true;
  }

  /** What drew it last. */
  get by() { return this.shaded ? "webgl" : "canvas"; }

  /**
   * Return the image, as many pixels wide as it has; null where it was not sent.
   * @param {number} k  science, reference or difference
   * @param {import("./drawing.js").Pixels} cutouts
   * @param {import("./drawing.js").Turn} turn
   * @param {import("./looks.js").Look} look
   * @param {import("./greys.js").Levels} levels
   * @returns {CanvasImageSource | null}
   */
  draw(k, cutouts, turn, look, levels) {
    const of = [era, ...makingOf(k, cutouts, turn, look, levels)];
    if (this.shaded && of.every((value, n) => value === this.of[n])) return this.shaded;
    this.shaded?.close();
    this.shaded = null;
    if (this.of.length && this.of[0] !== era) this.coloured = new Coloured();
    this.of = of;
    this.shaded = shading?.draw(k, cutouts, turn, look, levels) ?? null;
    return this.shaded ?? this.coloured.draw(k, cutouts, turn, look, levels);
  }
}

/** Canvas draws what is seen first: a context takes longer to make than an image to draw. */
function begin() {
  const chosen = CHOICE.exec(location.hash)?.[1];
  if (chosen === "webgl") take(false);
  else if (chosen !== "canvas") whenIdle(() => take(true));
}

/**
 * Let a card draw from now on; what it needs is loaded only where there is one.
 * @param {boolean} isQuick  whether a card that is computed is as good as none
 */
async function take(isQuick) {
  try {
    const gl = new OffscreenCanvas(1, 1).getContext("webgl2", { ...CONTEXT, failIfMajorPerformanceCaveat: isQuick });
    if (!gl) return;
    const { Shading, isComputed } = await import("./shading.js");
    if (!(isQuick && isComputed(gl))) shading = new Shading(gl, drawAnew);
  } catch { /* No such canvas, or a shader that does not compile: Canvas goes on. */ }
  if (shading) drawAnew();
}

/** Make everything anew, as when the browser has lost what was drawn. */
export function drawAnew() {
  era += 1;
  for (const listener of listeners) listener();
}
