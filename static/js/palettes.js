// What greys become on screen: grey, or colours that every kind of eye tells apart, with tints for what is bad.

// As in detection/numerics/display.py; it draws what is saturated as it draws all that is masked.
const MASKED = [214, 51, 132], TINTED_SHARE = 0.6, NO_DATA = [46, 16, 101];
const SATURATED = [255, 176, 0];
// Bits of the mask, as in detection/cutouts/epochs.py.
export const IS_SATURATED = 2;

/** @typedef {[number, number, number]} Rgb */
/** @typedef {{plain: Uint32Array, masked: Uint32Array, saturated: Uint32Array, noData: number}} Palette */

// Blue through grey to yellow, as bright as its grey would be: eyes that lack red or green see what all others see.
/** @type {Rgb[]} */
const RISING = [
  [0, 32, 77], [20, 54, 108], [62, 75, 107], [89, 95, 109], [113, 115, 117], [139, 136, 120], [167, 158, 117], [197, 181, 107],
  [255, 233, 69],
];
// Blue is fainter, white is no change, orange is brighter.
/** @type {Rgb[]} */
const DIVERGING = [
  [5, 48, 97], [33, 102, 172], [107, 172, 211], [196, 222, 236], [248, 248, 246], [253, 219, 170], [243, 160, 72], [198, 93, 10],
  [112, 48, 3],
];
/** @type {Rgb[]} */
const GREYS = [[0, 0, 0], [255, 255, 255]];

/** @type {Map<string, Palette>} */
const made = new Map();

/**
 * Return the palette of an image.
 * @param {boolean} isDifference
 * @param {{map: string, isInverted: boolean}} look
 * @returns {Palette}
 */
export function paletteOf(isDifference, { map, isInverted }) {
  const stops = map !== "colour" ? GREYS : isDifference ? DIVERGING : RISING;
  const name = `${map !== "colour" ? "grey" : isDifference} ${isInverted}`;
  const known = made.get(name) ?? entries(stops, isInverted);
  made.set(name, known);
  return known;
}

// What a pixel is: good, masked, saturated or without data. The rows of a table of colours stand in this order.
const GOOD = 0, IS_MASKED = 1, IS_BRIGHT = 2;
export const WITHOUT_DATA = 3;
// By the bits of its mask.
export const KINDS = Uint8Array.from({ length: 256 }, (_, cause) => (!cause ? GOOD : cause & IS_SATURATED ? IS_BRIGHT : IS_MASKED));

/** @type {Map<string, Uint32Array<ArrayBuffer>>} */
const tables = new Map();

/**
 * Return the colours of an image: 256 for each kind of pixel, by their greys.
 * @param {boolean} isDifference
 * @param {{map: string, isInverted: boolean, hasMask: boolean}} look
 */
export function coloursOf(isDifference, look) {
  const name = `${isDifference} ${look.map} ${look.isInverted} ${look.hasMask}`;
  const known = tables.get(name);
  if (known) return known;
  const { plain, masked, saturated, noData } = paletteOf(isDifference, look);
  const rows = look.hasMask ? [plain, masked, saturated] : [plain, plain, plain];
  const table = new Uint32Array((WITHOUT_DATA + 1) * plain.length).fill(noData);
  rows.forEach((row, kind) => table.set(row, kind * plain.length));
  tables.set(name, table);
  return table;
}

/**
 * @param {Rgb[]} stops
 * @param {boolean} isInverted
 * @returns {Palette}
 */
function entries(stops, isInverted) {
  const colours = Array.from({ length: 256 }, (_, grey) => between(stops, (isInverted ? 255 - grey : grey) / 255));
  const tinted = (/** @type {number[]} */ tint) => packed(colours.map((colour) => mixed(colour, tint, TINTED_SHARE)));
  return { plain: packed(colours), masked: tinted(MASKED), saturated: tinted(SATURATED), noData: packed([NO_DATA])[0] };
}

/**
 * @param {Rgb[]} stops
 * @param {number} share
 */
function between(stops, share) {
  const place = share * (stops.length - 1), below = Math.min(Math.floor(place), stops.length - 2);
  return mixed(stops[below], stops[below + 1], place - below);
}

/**
 * @param {number[]} colour
 * @param {number[]} other
 * @param {number} share
 */
function mixed(colour, other, share) { return colour.map((value, c) => (1 - share) * value + share * other[c]); }

/**
 * Return colours as a canvas keeps them, rounded as numpy rounds.
 * @param {number[][]} colours
 */
function packed(colours) { return new Uint32Array(Uint8ClampedArray.from(colours.flatMap((colour) => [...colour, 255])).buffer); }
