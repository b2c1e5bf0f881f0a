// From pixels to the sky by a TAN or TAN-SIP projection, whose numbers a FITS header gives.

const DEGREE = Math.PI / 180;

/**
 * @typedef {Record<string, number>} Cards  of a FITS header
 * @typedef {[number, number, number]} Term  exponents of u and v, coefficient
 */

/**
 * Return what turns a pixel (0-based, FITS directions) into [RA, Dec] in degrees.
 * @param {Cards} cards
 * @returns {(x: number, y: number) => [number, number]}
 */
export function projection(cards) {
  const matrix = [1, 2].map((i) => [1, 2].map((j) => element(cards, i, j)));
  const sip = { A: terms(cards, "A"), B: terms(cards, "B") };
  const [ra0, dec0] = [cards.CRVAL1 * DEGREE, cards.CRVAL2 * DEGREE];
  return (x, y) => {
    const [u, v] = [x + 1 - cards.CRPIX1, y + 1 - cards.CRPIX2];
    const [du, dv] = [u + sum(sip.A, u, v), v + sum(sip.B, u, v)];
    const [xi, eta] = matrix.map((row) => (row[0] * du + row[1] * dv) * DEGREE);
    const below = Math.cos(dec0) - eta * Math.sin(dec0);
    const ra = ra0 + Math.atan2(xi, below);
    const dec = Math.atan2(Math.sin(dec0) + eta * Math.cos(dec0), Math.hypot(xi, below));
    return [(((ra / DEGREE) % 360) + 360) % 360, dec / DEGREE];
  };
}

/**
 * Return what tells the position of a pixel in sexagesimal digits, as the rest of the site writes them.
 * @param {Cards} cards
 * @returns {(x: number, y: number) => string}
 */
export function compile(cards) {
  const at = projection(cards);
  return (x, y) => {
    const [ra, dec] = at(x, y);
    return `${digits(Math.round((ra / 15) * 360000) % 8640000, 100)} ${dec < 0 ? "−" : "+"}${digits(Math.round(Math.abs(dec) * 36000), 10)}`;
  };
}

/**
 * @param {Cards} cards
 * @param {number} i
 * @param {number} j
 */
function element(cards, i, j) {
  if ("CD1_1" in cards || "CD2_2" in cards || "CD1_2" in cards) return cards[`CD${i}_${j}`] ?? 0;
  return (cards[`PC${i}_${j}`] ?? (i === j ? 1 : 0)) * (cards[`CDELT${i}`] ?? 1);
}

/**
 * @param {Cards} cards
 * @param {"A" | "B"} letter
 * @returns {Term[]}
 */
function terms(cards, letter) {
  return Object.entries(cards).flatMap(([name, value]) => {
    const [, kind, p, q] = /^([AB])_(\d+)_(\d+)$/.exec(name) ?? [];
    return kind === letter ? [/** @type {Term} */ ([Number(p), Number(q), value])] : [];
  });
}

/**
 * @param {Term[]} list
 * @param {number} u
 * @param {number} v
 */
function sum(list, u, v) {
  return list.reduce((total, [p, q, value]) => total + value * u ** p * v ** q, 0);
}

/**
 * @param {number} parts
 * @param {number} perSecond
 */
function digits(parts, perSecond) {
  const seconds = Math.floor(parts / perSecond);
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const rest = String(parts % perSecond).padStart(String(perSecond).length - 1, "0");
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}.${rest}`;
}
