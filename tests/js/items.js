// Detections and entries for tests, with what they need and no more.

/**
 * @param {string} id
 * @returns {import("../../static/js/line.js").Given}
 */
export function given(id, more = {}) {
  return {
    id, name: `name of ${id}`, score: 0.9, pixels: `/pixels/${id}`, all_pixels: `/pixels/${id},…`, x: 31, y: 31,
    turn: { is_flipped: false, quarter_turns: 0, north_deg: null }, scale_arcsec: 1, warning: "", brief: [], own: null,
    context: { blind: false }, html: "", epochs: [], unseen: [], ...more,
  };
}

export const IMAGES = ["science", "reference", "difference"];

/**
 * Return an epoch of an object as the server gives it.
 * @param {string | null} id
 */
export function epochOf(id, more = {}) {
  const drawn = id ? { pixels: `/pixels/${id}`, x: 31, y: 31, turn: given("").turn, is_open: true } : {};
  return { id, when: "02:24:00", band: "R", brightness: "S/N +12", ...drawn, ...more };
}

/** Images of which nothing is looked at. */
export const CUTOUTS = /** @type {import("../../static/js/viewer.js").Cutouts} */ (/** @type {unknown} */ ({ size: 63 }));
