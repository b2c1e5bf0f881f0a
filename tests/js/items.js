// Detections and entries for tests, with what they need and no more.

/**
 * @param {string} id
 * @returns {import("../../static/js/line.js").Given}
 */
export function given(id, more = {}) {
  return {
    id, name: `name of ${id}`, score: 0.9, pixels: `/pixels/${id}`, x: 31, y: 31,
    turn: { is_flipped: false, quarter_turns: 0, north_deg: null }, scale_arcsec: 1, warning: "", brief: [], own: null,
    context: { blind: false }, html: "", ...more,
  };
}

export const IMAGES = ["science", "reference", "difference"];
