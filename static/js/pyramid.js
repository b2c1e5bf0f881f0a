// How tiles of an image at halved resolutions lie over it, and which of them a view needs. No document and no state.
// Tiles count from the first pixel of the file, which is the lower left one; as in differencing/numerics/pyramid.py.

export const TILE_PX = 256;

/**
 * @typedef {{width: number, height: number, top: number}} Pyramid  size of the image in pixels, and its highest level
 * @typedef {{level: number, column: number, row: number}} Place
 * @typedef {{left: number, right: number, bottom: number, top: number}} Area  edges in pixels, from the lower left corner
 */

/**
 * Return the level whose pixels are as large as dots of the screen, or a little smaller.
 * @param {Pyramid} pyramid
 * @param {number} dots  per pixel of the image
 */
export function levelFor({ top }, dots) { return Math.min(Math.max(Math.floor(Math.log2(1 / dots)), 0), top); }

/**
 * Return the tiles of a level that an area touches, those in its middle first.
 * @param {Pyramid} pyramid
 * @param {number} level
 * @param {Area} area
 * @param {number} margin  so many tiles more on each side
 * @returns {Place[]}
 */
export function tilesIn({ width, height }, level, area, margin = 0) {
  const side = TILE_PX * 2 ** level;
  const [columns, rows] = [Math.ceil(width / side), Math.ceil(height / side)];
  const [first, last] = [Math.floor(area.left / side) - margin, Math.ceil(area.right / side) + margin];
  const [lowest, highest] = [Math.floor(area.bottom / side) - margin, Math.ceil(area.top / side) + margin];
  /** @type {Place[]} */
  const places = [];
  for (let row = Math.max(lowest, 0); row < Math.min(highest, rows); row++) {
    for (let column = Math.max(first, 0); column < Math.min(last, columns); column++) places.push({ level, column, row });
  }
  const [x, y] = [(area.left + area.right) / 2 / side - 0.5, (area.bottom + area.top) / 2 / side - 0.5];
  const far = (/** @type {Place} */ place) => Math.hypot(place.column - x, place.row - y);
  return places.sort((one, other) => far(one) - far(other));
}

/**
 * Return the tile that shows the same part of the image `up` levels coarser.
 * @param {Place} place
 * @param {number} up
 * @returns {Place}
 */
export function above({ level, column, row }, up) { return { level: level + up, column: column >> up, row: row >> up }; }

/**
 * Return the edges of a tile.
 * @param {Place} place
 * @returns {Area}
 */
export function areaOf({ level, column, row }) {
  const side = TILE_PX * 2 ** level;
  return { left: column * side, right: (column + 1) * side, bottom: row * side, top: (row + 1) * side };
}

/**
 * Return where in a coarser tile, drawn with its first row at the bottom, a tile lies: corner and side in its pixels.
 * @param {Place} place
 * @param {number} up  levels between the two
 */
export function partOf({ column, row }, up) {
  const side = TILE_PX / 2 ** up, last = 2 ** up - 1;
  return { left: (column & last) * side, top: (last - (row & last)) * side, side };
}

/** @param {Place} place */
export function nameOf({ level, column, row }) { return `${level}/${column}/${row}`; }
