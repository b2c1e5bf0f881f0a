// Packed epochs and images for tests, written as the server writes them.

const MIDDLE = 0x8080;

/**
 * Return the two planes of an image, and the numbers that unpack them.
 * @param {number[]} values  NaN for no data
 * @param {[number, number, number]} numbers  zero, softening, step
 */
export function planes(values, [zero, soft, step]) {
  const codes = values.map((v) => (Number.isNaN(v) ? 0 : MIDDLE + Math.round(Math.asinh((v - zero) / soft) / step)));
  return [...codes.map((code) => code & 255), ...codes.map((code) => code >> 8)];
}

/**
 * Return the body of an answer.
 * @param {object[]} epochs
 * @param {number[]} bytes
 */
export function body(epochs, bytes) {
  return Uint8Array.from([...new TextEncoder().encode(`${JSON.stringify({ epochs })}\n`), ...bytes]).buffer;
}

/**
 * Return cutouts of `size` pixels on a side.
 * @param {number} size
 * @param {Partial<import("../../static/js/packed.js").Cutouts>} more
 * @returns {import("../../static/js/packed.js").Cutouts}
 */
export function cutouts(size, more = {}) {
  const image = () => new Float32Array(size * size);
  return {
    size, images: [image(), image(), image()], mask: new Uint8Array(size * size), wcs: null, sky: 0,
    levels: { sky: 0, sigma: 10, white: 120, limits: [-20, 30], differenceSigma: 10 }, ...more,
  };
}

export const LOOK = {
  stretch: "asinh", isInverted: false, hasMask: false, hasCrosshair: true, zoom: 1, contrast: 1, map: "grey", pace: "normal",
};
