// A large image drawn from its tiles: what is not here yet at the wanted resolution is drawn from a coarser tile.

import { Coloured } from "./coloured.js";
import { DIFFERENCE } from "./drawing.js";
import { measure } from "./greys.js";
import { keptLook } from "./looks.js";
import { brush, inksNow, isTinted, tint } from "./marks.js";
import { TILE_PX, above, areaOf, levelFor, nameOf, partOf, tilesIn } from "./pyramid.js";
import { worded } from "./readout.js";
import { RETRY_AFTER_MS, Tiles, readSample } from "./tiles.js";

const NOT_TURNED = { is_flipped: false, quarter_turns: 0, north_deg: null };
const KINDS = ["science", "reference", "difference", "score"];
// A score is in sigma: black and white at 8, where a difference has them at 5 of its noise.
/** @type {Levels} */
const SCORE_LEVELS = { sky: 0, sigma: 1, white: 8, limits: [-8, 8], differenceSigma: 8 / 5 };
// A pointer that stays so long is told the value of the pixel that it is on.
const REST_MS = 60;
// Codes in a sigma, as in differencing/numerics/pyramid.py; values are told as finely as they are sent.
const STEPS_PER_SIGMA = 128;

/**
 * @typedef {import("./pyramid.js").Place} Place
 * @typedef {import("./pyramid.js").Area} Area
 * @typedef {import("./tiles.js").Tile} Tile
 * @typedef {import("./greys.js").Levels} Levels
 * @typedef {{x: number, y: number, scale: number}} View  pixel in the middle, from the lower left corner; screen px per pixel
 * @typedef {{tiles: string, sample: string, version: string}} Addresses
 */

export class Mosaic {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {import("./pyramid.js").Pyramid} pyramid
   * @param {Addresses} addresses
   * @param {(kind: string, fault: unknown) => void} onChange  hears when there is more to draw, or why there is not
   */
  constructor(canvas, pyramid, addresses, onChange) {
    this.canvas = canvas;
    this.pyramid = pyramid;
    this.addresses = addresses;
    this.onChange = onChange;
    this.look = keptLook();
    const ask = (/** @type {import("./tiles.js").Wanted} */ { kind, name }) => this.#ask(`${addresses.tiles}${kind}/${name}`);
    this.tiles = new Tiles(ask, ({ kind }, fault) => onChange(kind, fault));
    /** @type {WeakMap<Tile, Coloured>} */
    this.coloured = new WeakMap();
    /** @type {Map<number, Levels | null>} of each level of resolution; null while they are on their way */
    this.levels = new Map();
    /** @type {import("./tiles.js").Wanted | null} the tile under the pointer */
    this.probe = null;
    /** @type {import("./tiles.js").Wanted[]} */
    this.wanted = [];
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.resting = undefined;
  }

  /**
   * Draw what a view shows of an image, and ask for what is missing.
   * @param {string} kind
   * @param {View} view
   */
  draw(kind, { x, y, scale }) {
    const { canvas, pyramid } = this, ratio = window.devicePixelRatio || 1;
    const { clientWidth: across, clientHeight: down } = canvas;
    const [width, height] = [Math.round(across * ratio), Math.round(down * ratio)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const [wide, high] = [across / 2 / scale, down / 2 / scale];
    const area = { left: x - wide, right: x + wide, bottom: y - high, top: y + high };
    const level = levelFor(pyramid, scale * ratio), levels = this.#levelsAt(level);
    const places = tilesIn(pyramid, level, area);
    const context = brush(canvas);
    context.clearRect(0, 0, width, height);
    let missing = places.length, coarser = 0;
    if (levels) {
      context.save();
      const dots = scale * ratio, whole = { left: 0, right: pyramid.width, bottom: 0, top: pyramid.height };
      const [left, right, bottom, top] = edges(whole, area, dots);
      context.beginPath();
      context.rect(left, top, right - left, bottom - top);
      context.clip();
      for (const place of places) {
        const up = this.#paint(context, kind, place, edges(areaOf(place), area, dots), { dots, levels });
        if (up !== null) missing -= 1;
        if (up) coarser += 1;
      }
      context.restore();
    }
    canvas.dataset.state = missing ? "missing" : coarser ? "coarser" : "whole";
    canvas.dataset.kind = kind;
    this.wanted = this.#needs(kind, level, area, places);
    this.#order();
  }

  /**
   * Return the value of a pixel in words, "" where it is not here yet: then it is asked for, and `onChange` tells.
   * @param {string} kind
   * @param {number} x  0-based, from the lower left
   * @param {number} y
   */
  valueAt(kind, x, y) {
    clearTimeout(this.resting);
    const wanted = { kind, name: nameOf({ level: 0, column: Math.floor(x / TILE_PX), row: Math.floor(y / TILE_PX) }) };
    const tile = this.tiles.get(wanted), from = (y % TILE_PX) * TILE_PX + (x % TILE_PX);
    if (tile) return worded(tile.images[0][from], tile.mask[from], STEPS_PER_SIGMA * tile.step, 1 / STEPS_PER_SIGMA);
    this.resting = setTimeout(() => {
      this.probe = wanted;
      this.#order();
    }, REST_MS);
    return "";
  }

  #order() { this.tiles.want(this.probe ? [this.probe, ...this.wanted] : this.wanted); }

  /**
   * Return all tiles that this view and the next one may need, the most needed first.
   * @param {string} kind
   * @param {number} level
   * @param {Area} area
   * @param {Place[]} places
   */
  #needs(kind, level, area, places) {
    const { pyramid } = this, whole = { level: pyramid.top, column: 0, row: 0 };
    const of = (/** @type {string} */ one, /** @type {Place[]} */ list) => list.map((place) => ({ kind: one, name: nameOf(place) }));
    // Wherever one goes next, the tile of the whole image is there to stand in.
    return [
      ...of(kind, [whole, ...places]),
      ...KINDS.flatMap((one) => (one === kind ? [] : of(one, [whole, ...places]))),
      ...of(kind, tilesIn(pyramid, level, area, 1)),
    ];
  }

  /**
   * Paint a tile, or what stands in for it; return from how many levels above it came, null for nothing.
   * @param {CanvasRenderingContext2D} context
   * @param {string} kind
   * @param {Place} place
   * @param {number[]} edges  in dots
   * @param {{dots: number, levels: Levels}} how
   */
  #paint(context, kind, place, [left, right, bottom, top], { dots, levels }) {
    for (let up = 0; place.level + up <= this.pyramid.top; up++) {
      const tile = this.tiles.get({ kind, name: nameOf(above(place, up)) });
      const raw = tile && this.#inColours(tile, kind, levels);
      if (!raw) continue;
      const part = partOf(place, up);
      context.imageSmoothingEnabled = dots * 2 ** (place.level + up) < 1;
      context.drawImage(raw, part.left, part.top, part.side, part.side, left, top, right - left, bottom - top);
      tint(context, inksNow().tint, [left, top, right - left, bottom - top]);
      return up;
    }
    return null;
  }

  /**
   * @param {Tile} tile
   * @param {string} kind
   * @param {Levels} levels
   */
  #inColours(tile, kind, levels) {
    const coloured = this.coloured.get(tile) ?? new Coloured();
    this.coloured.set(tile, coloured);
    const k = Math.min(KINDS.indexOf(kind), DIFFERENCE), look = { ...this.look, hasMask: true };
    if (isTinted(inksNow())) look.map = "grey";
    return coloured.draw(k, tile, NOT_TURNED, look, kind === "score" ? SCORE_LEVELS : levels);
  }

  /**
   * Return what greys are made from at a level of resolution; what is nearest while that is on its way.
   * @param {number} level
   */
  #levelsAt(level) {
    if (!this.levels.has(level)) this.#measure(level);
    const known = [...this.levels].filter(([, levels]) => levels).sort(([one], [other]) => Math.abs(one - level) - Math.abs(other - level));
    return known[0]?.[1] ?? null;
  }

  /** @param {number} level */
  async #measure(level) {
    this.levels.set(level, null);
    let fault = null;
    try {
      this.levels.set(level, measure(readSample(await this.#ask(`${this.addresses.sample}${level}`)), new Uint8Array()));
    } catch (error) {
      // It is asked for again with what is drawn then.
      setTimeout(() => this.levels.delete(level), RETRY_AFTER_MS);
      fault = error;
    }
    this.onChange(KINDS[0], fault);
  }

  /** @param {string} address */
  async #ask(address) {
    const answer = await fetch(`${address}?version=${this.addresses.version}`, { credentials: "same-origin" });
    if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
    return answer.arrayBuffer();
  }
}

/**
 * Return where the edges of a part of the image lie on the canvas: left, right, bottom, top, in whole dots, so that
 * tiles meet without a seam.
 * @param {Area} part
 * @param {Area} shown
 * @param {number} dots  per pixel
 */
function edges(part, shown, dots) {
  const [left, right] = [part.left, part.right].map((x) => Math.round((x - shown.left) * dots));
  const [bottom, top] = [part.bottom, part.top].map((y) => Math.round((shown.top - y) * dots));
  return [left, right, bottom, top];
}
