// What is drawn over a cutout: crosshair, scale and compass, in the colours of the theme.

// Crosshair: its arms begin and end so many pixels from the middle, so that the source itself stays free.
const OPEN_PX = 6, ARM_PX = 11;

/**
 * @typedef {{mark: string, ink: string, outline: string, tint: string}} Inks
 * @typedef {[number, number]} Point
 */

/** @type {Map<string, Inks>} by theme: to ask makes the browser reckon all styles, amid what it has to show next */
const known = new Map();

/**
 * Return the colours that the stylesheet gives for marks, and what greys are multiplied with, "" for nothing.
 * @returns {Inks}
 */
export function inksNow() {
  const theme = document.documentElement.dataset.theme ?? "";
  const found = known.get(theme) ?? inksOf(document.documentElement);
  known.set(theme, found);
  return found;
}

/**
 * @param {Element} element
 * @returns {Inks}
 */
function inksOf(element) {
  const style = getComputedStyle(element);
  const value = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  return { mark: value("--mark"), ink: value("--mark-ink"), outline: value("--mark-outline"), tint: value("--image-tint") };
}

/**
 * @param {HTMLCanvasElement} canvas
 * @returns {CanvasRenderingContext2D}
 */
export function brush(canvas) {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser cannot draw.");
  return context;
}

/**
 * Multiply what is drawn with a colour, before marks come over it; where nothing is drawn the colour itself comes.
 * @param {CanvasRenderingContext2D} context
 * @param {string} colour
 * @param {[number, number, number, number]} box  left, top, width and height in dots, by default all of the canvas
 */
export function tint(context, colour, box = [0, 0, context.canvas.width, context.canvas.height]) {
  if (!isTint(colour)) return;
  context.globalCompositeOperation = "multiply";
  context.fillStyle = colour;
  context.fillRect(...box);
  context.globalCompositeOperation = "source-over";
}

/**
 * Tell whether greys are multiplied with a colour.
 * @param {Inks} inks
 */
export function isTinted(inks) { return isTint(inks.tint); }

/** @param {string} colour */
function isTint(colour) { return Boolean(colour) && colour !== "none"; }

/** Draws marks; all lengths in screen dots. */
export class Pencil {
  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Inks} inks
   * @param {number} ratio  screen dots per CSS px
   */
  constructor(context, inks, ratio) {
    this.context = context;
    this.inks = inks;
    this.ratio = ratio;
  }

  /** @param {(x: number, y: number) => Point} at  where a place lies that is so many pixels from the middle */
  crosshair(at) {
    for (const [x, y] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      this.#line(at(OPEN_PX * x, OPEN_PX * y), at(ARM_PX * x, ARM_PX * y), this.inks.mark, this.ratio);
    }
  }

  /**
   * @param {number | null} arcsecPerPixel
   * @param {number} dots  per pixel
   */
  scale(arcsecPerPixel, dots) {
    if (!arcsecPerPixel) return;
    const { width, height } = this.context.canvas;
    const length = roundLength((arcsecPerPixel * width) / dots / 3);
    const pad = 8 * this.ratio, y = height - pad;
    this.#line([pad, y], [pad + (length / arcsecPerPixel) * dots, y], this.inks.ink, 2 * this.ratio);
    this.#write(`${Number(length.toPrecision(3))}″`, [pad, y - 5 * this.ratio], "left");
  }

  /**
   * Draw north and east in the upper right corner.
   * @param {number | null} northDeg  from up towards the left, null where it is not known
   */
  compass(northDeg) {
    if (northDeg === null) return;
    const { ratio } = this;
    const [x, y] = [this.context.canvas.width - 16 * ratio, 44 * ratio];
    for (const { name, angle } of [{ name: "N", angle: northDeg }, { name: "E", angle: northDeg + 90 }]) {
      const radians = (angle * Math.PI) / 180;
      const [dx, dy] = [-Math.sin(radians), -Math.cos(radians)];
      this.#line([x, y], [x + 20 * ratio * dx, y + 20 * ratio * dy], this.inks.ink, ratio * 1.5);
      this.#write(name, [x + 29 * ratio * dx, y + 29 * ratio * dy + 4 * ratio]);
    }
  }

  /**
   * @param {Point} from
   * @param {Point} to
   * @param {string} words
   */
  ruler(from, to, words) {
    const { ratio } = this, { width, height } = this.context.canvas;
    this.#line(from, to, this.inks.mark, 1.5 * ratio);
    const [dx, dy] = [to[0] - from[0], to[1] - from[1]], length = Math.hypot(dx, dy) || 1;
    const [px, py] = [(-5 * ratio * dy) / length, (5 * ratio * dx) / length];
    for (const [x, y] of [from, to]) this.#line([x - px, y - py], [x + px, y + py], this.inks.mark, 1.5 * ratio);
    // Beside its middle, as far as there is room.
    const half = 80 * ratio, middle = (from[0] + to[0]) / 2, below = Math.max(from[1], to[1]) + 16 * ratio;
    const y = below < height - 4 * ratio ? below : Math.min(from[1], to[1]) - 8 * ratio;
    this.#write(words, [Math.min(Math.max(middle, half), width - half), Math.max(y, 12 * ratio)]);
  }

  /**
   * @param {Point} from
   * @param {Point} to
   * @param {string} colour
   * @param {number} width
   */
  #line(from, to, colour, width) {
    const { context } = this;
    context.lineCap = "butt";
    for (const { style, extra } of [{ style: this.inks.outline, extra: 2 }, { style: colour, extra: 0 }]) {
      context.beginPath();
      context.moveTo(...from);
      context.lineTo(...to);
      context.strokeStyle = style;
      context.lineWidth = width + extra;
      context.stroke();
    }
  }

  /**
   * @param {string} text
   * @param {Point} at
   * @param {CanvasTextAlign} align
   */
  #write(text, [x, y], align = "center") {
    const { context, ratio } = this;
    context.font = `600 ${11 * ratio}px system-ui, sans-serif`;
    context.textAlign = align;
    context.lineWidth = 3 * ratio;
    context.strokeStyle = this.inks.outline;
    context.fillStyle = this.inks.ink;
    context.strokeText(text, x, y);
    context.fillText(text, x, y);
  }
}

/**
 * Return the largest of 1, 2, 5 × 10^k that is not above `longest`.
 * @param {number} longest
 */
export function roundLength(longest) {
  const decade = 10 ** Math.floor(Math.log10(longest));
  return Math.max(...[1, 2, 5].map((step) => step * decade).filter((length) => length <= longest * (1 + 1e-9)));
}
