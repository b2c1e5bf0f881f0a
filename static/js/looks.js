// How images are looked at: what a person chose, kept in the browser from one detection and one day to the next.

import { STRETCHES } from "./greys.js";

const ZOOMS = [1, 1.5, 2, 3, 4, 6];
const CONTRASTS = [0.25, 0.5, 0.7, 1, 1.4, 2, 4];
export const MOST_ZOOM = 6;
// So long each of two blinked images is seen; none is quicker than eyes bear.
/** @type {Record<string, number>} */
export const PACES_MS = { slow: 1000, normal: 500, fast: 250 };
export const MAPS = ["grey", "colour"];
const KEPT_LOOK = "astrid.look";
const DEFAULT_LOOK = {
  stretch: "asinh", isInverted: false, hasMask: false, hasCrosshair: true, zoom: 1, contrast: 1, map: "grey", pace: "normal",
};
const CHOICES = new Map(Object.entries({ stretch: STRETCHES, map: MAPS, pace: Object.keys(PACES_MS) }));

/** @typedef {typeof DEFAULT_LOOK} Look */

/**
 * Return the look that was kept; what is no look any more is as at first.
 * @returns {Look}
 */
export function keptLook() {
  try {
    const look = JSON.parse(localStorage.getItem(KEPT_LOOK) ?? "{}");
    return { ...DEFAULT_LOOK, ...Object.fromEntries(Object.entries(look).filter(isOne)) };
  } catch {
    return { ...DEFAULT_LOOK };
  }
}

/**
 * Tell whether a kept value is still one of a look.
 * @param {[string, unknown]} kept
 */
function isOne([name, value]) {
  const known = new Map(Object.entries(DEFAULT_LOOK)).get(name);
  return typeof value === typeof known && (CHOICES.get(name)?.includes(String(value)) ?? true);
}

/** @type {Look | null} */
let unkept = null;

/**
 * Keep a look for the next time; storing takes longer than drawing, and waits until that is done.
 * @param {Look} look
 */
export function keepLook(look) {
  if (!unkept) setTimeout(store);
  unkept = look;
}

function store() {
  try { localStorage.setItem(KEPT_LOOK, JSON.stringify(unkept)); } catch { /* Then it lasts until the page is left. */ }
  unkept = null;
}

/**
 * Return what comes after a choice, the first after the last.
 * @param {string[]} choices
 * @param {string} now
 */
export function after(choices, now) { return choices[(choices.indexOf(now) + 1) % choices.length]; }

/**
 * @param {number} zoom
 * @param {number} step
 */
export function zoomed(zoom, step) { return stepped(ZOOMS, zoom, step); }

/**
 * @param {number} contrast
 * @param {number} step
 */
export function contrasted(contrast, step) { return stepped(CONTRASTS, contrast, step); }

/**
 * @param {number[]} values
 * @param {number} value
 * @param {number} step
 */
function stepped(values, value, step) {
  const nearest = values.reduce((best, other) => (Math.abs(other - value) < Math.abs(best - value) ? other : best));
  return values[Math.min(Math.max(values.indexOf(nearest) + step, 0), values.length - 1)];
}
