// What is under the pointer and how long a ruler is, in words.

import { IS_SATURATED } from "./palettes.js";
import { compile, projection } from "./tan.js";

const DEGREE = Math.PI / 180;
// Digits beyond a hundredth of the noise say nothing.
const FINEST_SIGMA = 0.1, MOST_DECIMALS = 7;

/**
 * @typedef {import("./packed.js").Cutouts} Cutouts
 * @typedef {[number, number]} Point  pixels of a cutout that is not turned, 0-based, y up
 */

/**
 * Return the value of a pixel and why it is bad.
 * @param {Cutouts} cutouts
 * @param {number} k  science, reference or difference
 * @param {Point} at
 */
export function valueAt({ size, images, mask, levels }, k, [x, y]) {
  const from = Math.round(y) * size + Math.round(x);
  const value = images[k]?.[from];
  if (value === undefined) return "";
  return worded(value, mask[from], k === 2 ? levels.differenceSigma : levels.sigma);
}

/**
 * Return a value, as finely as the noise makes sense of, and why it is bad.
 * @param {number} value
 * @param {number} cause  0 for a good pixel
 * @param {number} sigma
 * @param {number} finest  what digits must tell apart, in sigma
 */
export function worded(value, cause, sigma, finest = FINEST_SIGMA) {
  if (!Number.isFinite(value)) return "no data";
  const word = cause & IS_SATURATED ? "saturated" : cause ? "masked" : "";
  return [decimal(value, finest * sigma), word].filter(Boolean).join(", ");
}

/**
 * Return where a place is on the sky; where nobody knows that, how far from the detection.
 * @param {Cutouts} cutouts
 * @param {Point} at
 * @param {{x: number, y: number, scale_arcsec: number | null}} place  of the detection
 */
export function positionAt({ wcs }, [x, y], place) {
  if (wcs) return compile(wcs)(x, y);
  return `${lengthOf(Math.hypot(x - place.x, y - place.y), place.scale_arcsec)} from it`;
}

/**
 * Return the length of a ruler, and from north through east where it points, if that is known.
 * @param {Cutouts} cutouts
 * @param {Point} from
 * @param {Point} to
 * @param {number | null} scale  arcsec per pixel
 */
export function rulerWords({ wcs }, from, to, scale) {
  const px = Math.hypot(to[0] - from[0], to[1] - from[1]);
  if (!wcs) return scale ? `${lengthOf(px, scale)} · ${px.toFixed(1)} px` : `${px.toFixed(1)} px`;
  const at = projection(wcs);
  const { arcsec, angle } = apart(at(...from), at(...to));
  return `${arcsec.toFixed(1)}″ · ${px.toFixed(1)} px${px ? ` · PA ${(Math.round(angle) % 360)}°` : ""}`;
}

/**
 * Return what screen readers are told of the image of a difference.
 * @param {{map: string, isInverted: boolean}} look
 */
export function legendOf({ map, isInverted }) {
  const ends = map === "colour" ? ["orange", "blue"] : ["white", "black"];
  const [more, less] = isInverted ? ends.toReversed() : ends;
  return `Difference image: ${more} is brighter than before, ${less} is fainter`;
}

/**
 * Return the distance of two positions and the position angle of the second as the first sees it.
 * @param {[number, number]} from  RA, Dec in degrees
 * @param {[number, number]} to
 */
export function apart(from, to) {
  const [dec1, dec2, dRa] = [from[1] * DEGREE, to[1] * DEGREE, (to[0] - from[0]) * DEGREE];
  const east = Math.sin(dRa) * Math.cos(dec2);
  const north = Math.cos(dec1) * Math.sin(dec2) - Math.sin(dec1) * Math.cos(dec2) * Math.cos(dRa);
  const along = Math.sin(dec1) * Math.sin(dec2) + Math.cos(dec1) * Math.cos(dec2) * Math.cos(dRa);
  return {
    arcsec: (Math.atan2(Math.hypot(east, north), along) / DEGREE) * 3600,
    angle: ((Math.atan2(east, north) / DEGREE) + 360) % 360,
  };
}

/**
 * @param {number} px
 * @param {number | null} scale
 */
function lengthOf(px, scale) { return scale ? `${(px * scale).toFixed(1)}″` : `${px.toFixed(1)} px`; }

/**
 * @param {number} value
 * @param {number} finest
 */
function decimal(value, finest) {
  const decimals = Math.min(Math.max(Math.ceil(-Math.log10(finest)), 0), MOST_DECIMALS);
  const text = value.toFixed(decimals);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}
