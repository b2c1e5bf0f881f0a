// One image in its colours on a canvas of its own, made anew only where something changed: zooming and blinking only copy.

import { colours, makingOf } from "./drawing.js";
import { brush } from "./marks.js";

/** @type {Map<number, ImageData>} */
const sheets = new Map();

/**
 * Return what images of a size are written to, one after the other: to make a new one takes longer than to fill it.
 * @param {number} size
 */
function sheet(size) {
  const known = sheets.get(size) ?? new ImageData(size, size);
  sheets.set(size, known);
  return known;
}

export class Coloured {
  constructor() {
    this.canvas = document.createElement("canvas");
    /** @type {unknown[]} what it was made of */
    this.of = [];
  }

  /**
   * Return the canvas with this image; null where it was not sent.
   * @param {number} k  science, reference or difference
   * @param {import("./drawing.js").Pixels} cutouts
   * @param {import("./drawing.js").Turn} turn
   * @param {import("./looks.js").Look} look
   * @param {import("./greys.js").Levels} levels
   */
  draw(k, cutouts, turn, look, levels) {
    const { size } = cutouts, of = makingOf(k, cutouts, turn, look, levels);
    if (of.every((value, n) => value === this.of[n])) return this.canvas;
    const image = sheet(size);
    if (!colours(k, cutouts, turn, look, levels, image.data)) return null;
    if (this.canvas.width !== size) this.canvas.width = this.canvas.height = size;
    brush(this.canvas).putImageData(image, 0, 0);
    this.of = of;
    return this.canvas;
  }
}
