// The limits of IRAF's zscale: from a line through the sorted pixels, whose slope is that of the sky's noise alone.

const CONTRAST = 0.25, MOST_SAMPLED = 1000, LEAST_KEPT_SHARE = 0.5, LEAST_KEPT = 5, REJECT_SIGMA = 2.5, ROUNDS = 5;

/**
 * Return what is black and what is white.
 * @param {Float32Array} sorted  good pixels, at least one
 * @returns {[number, number]}
 */
export function zscale(sorted) {
  const sample = spread(sorted);
  const count = sample.length, middle = (count - 1) >> 1;
  const [low, high] = [sample[0], sample[count - 1]];
  const median = (sample[middle] + sample[count >> 1]) / 2;
  const { slope, kept } = line(sample);
  if (kept < Math.max(LEAST_KEPT, LEAST_KEPT_SHARE * count)) return apart(low, high);
  const steep = slope / CONTRAST;
  return apart(Math.max(low, median - (middle - 1) * steep), Math.min(high, median + (count - middle) * steep));
}

/** @param {Float32Array} sorted */
function spread(sorted) {
  const step = Math.max(1, sorted.length / MOST_SAMPLED);
  return Float64Array.from({ length: Math.min(sorted.length, MOST_SAMPLED) }, (_, k) => sorted[Math.floor(k * step)]);
}

/**
 * Fit a line through values over their number; what lies far from it is left out with its neighbours, and it is fitted again.
 * @param {Float64Array} sample
 */
function line(sample) {
  const count = sample.length, grown = Math.max(1, Math.floor(count * 0.01));
  let isOut = new Uint8Array(count), kept = count, before = count + 1, slope = 0;
  for (let round = 0; round < ROUNDS && kept < before && kept >= Math.max(LEAST_KEPT, LEAST_KEPT_SHARE * count); round++) {
    const fit = leastSquares(sample, isOut);
    slope = fit.slope;
    isOut = rejected(sample, fit, grown, isOut);
    [before, kept] = [kept, isOut.reduce((sum, out) => sum + (out ? 0 : 1), 0)];
  }
  return { slope, kept };
}

/**
 * @param {Float64Array} sample
 * @param {Uint8Array} isOut
 */
function leastSquares(sample, isOut) {
  let [n, x, y, xx, xy] = [0, 0, 0, 0, 0];
  sample.forEach((value, k) => {
    if (isOut[k]) return;
    n += 1;
    x += k;
    y += value;
    xx += k * k;
    xy += k * value;
  });
  const slope = (n * xy - x * y) / (n * xx - x * x || 1);
  const zero = (y - slope * x) / n;
  let squares = 0;
  sample.forEach((value, k) => { if (!isOut[k]) squares += (value - zero - slope * k) ** 2; });
  return { slope, zero, sigma: Math.sqrt(squares / n) };
}

/**
 * @param {Float64Array} sample
 * @param {{slope: number, zero: number, sigma: number}} fit
 * @param {number} grown  so many about each one go too
 * @param {Uint8Array} wasOut
 */
function rejected(sample, { slope, zero, sigma }, grown, wasOut) {
  const isOut = new Uint8Array(sample.length);
  sample.forEach((value, k) => {
    if (!wasOut[k] && Math.abs(value - zero - slope * k) <= REJECT_SIGMA * sigma) return;
    isOut.fill(1, Math.max(0, k - (grown >> 1)), Math.min(sample.length, k + ((grown + 1) >> 1)));
  });
  return isOut;
}

/**
 * @param {number} low
 * @param {number} high
 * @returns {[number, number]}
 */
function apart(low, high) { return high > low ? [low, high] : [low, low + 1]; }
