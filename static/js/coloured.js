// One image in its colours on a canvas of its own, made anew only where something changed: zooming and blinking only copy.

import { colours } from "./drawing.js";
import { brush } from "./marks.js";

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
    const { size } = cutouts, { stretch, contrast, map, isInverted, hasMask } = look;
    const of = [k, cutouts, turn, levels, stretch, contrast, map, isInverted, hasMask];
    if (of.every((value, n) => value === this.of[n])) return this.canvas;
    const painted = colours(k, cutouts, turn, look, levels);
    if (!painted) return null;
    if (this.canvas.width !== size) this.canvas.width = this.canvas.height = size;
    brush(this.canvas).putImageData(new ImageData(painted, size, size), 0, 0);
    this.of = of;
    return this.canvas;
  }
}
