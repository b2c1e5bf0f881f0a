"""Hot pixels of a night: what stands still on the detector while the sky moves over it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from observations.numerics.compiled import by_strips, compiled
from observations.numerics.frame import Image, Mask

# With fewer pointings two stars that fall upon one pixel are no rarity.
FEWEST_POINTINGS = 3
# Two lights have one pointing when this share of the bright pixels of one are bright in the other: lights of the 2713
# night, 3 px apart, share .37 of them.
BRIGHT_SIGMA, SAME_SHARE = 20.0, 0.5
# A light counts no more than this above the lowest of them, so that a star in all lights but one makes nothing hot.
CAP_SIGMA = 2.0
# On hatp32 (FWHM 2 px, 10 % of the sky under stars) 2400 pixels are above this; lights turned against each other on the
# detector, where nothing stands still, show 85.
HOT_SIGMA = 5.5
# The median of eight neighbours has a noise too.
NEIGHBOUR_NOISE = 1.09
STRIP_ROWS = 256


def hot_pixels(excesses: Sequence[Image]) -> Mask:
    """Find pixels that stand above their neighbours in every one of several dithered lights.

    Weak ones are no defect of one frame: at five times its noise they look like stars where the PSF is two pixels
    wide. Seen together they stand out of the noise, and stars do not, which fall upon other pixels each time.

    Parameters
    ----------
    excesses : n images (ny, nx) on the detector's own grid, less their sky and over its noise, NaN where bad.

    Returns
    -------
    (ny, nx) bool. Nothing is found where fewer than 3 pointings see a pixel: stars would be taken for hot.
    """
    lights = _pointings(excesses)
    shape = excesses[0].shape
    if len(lights) < FEWEST_POINTINGS:
        return np.zeros(shape, dtype=bool)
    sharp = np.stack([_above_neighbours(light) for light in lights])
    seen = np.isfinite(sharp)
    count = seen.sum(axis=0)
    lowest = np.where(seen, sharp, np.float32(np.inf)).min(axis=0)
    capped = np.where(seen, np.minimum(sharp, lowest + np.float32(CAP_SIGMA)), np.float32(0))
    mean = capped.sum(axis=0) / np.maximum(count, 1)
    return np.asarray(
        (count >= FEWEST_POINTINGS) & (mean > HOT_SIGMA * NEIGHBOUR_NOISE / np.sqrt(np.maximum(count, 1)))
    )


def _pointings(excesses: Sequence[Image]) -> list[Image]:
    """Return the lights whose stars fall upon other pixels than those of every one before."""
    kept: list[tuple[Image, Mask]] = []
    for light in excesses:
        bright = np.nan_to_num(light) > BRIGHT_SIGMA
        fewest = max(int(np.count_nonzero(bright)), 1)
        shares = [
            np.count_nonzero(bright & other) / min(fewest, max(int(np.count_nonzero(other)), 1)) for _, other in kept
        ]
        if all(share < SAME_SHARE for share in shares):
            kept.append((light, bright))
    return [light for light, _ in kept]


def _above_neighbours(light: Image) -> Image:
    """Return each pixel less the median of its eight neighbours, NaN where it is bad or has fewer than four."""
    out = np.empty(light.shape, dtype=np.float32)
    by_strips(lambda top, bottom: _subtract_neighbours(light, top, bottom, out), len(light), STRIP_ROWS)
    return out


@compiled
def _subtract_neighbours(light: Image, top: int, bottom: int, out: Image) -> None:
    ny, nx = light.shape
    known = np.empty(8, dtype=np.float32)
    for y in range(top, bottom):
        for x in range(nx):
            n = 0
            for v in range(max(y - 1, 0), min(y + 2, ny)):
                for u in range(max(x - 1, 0), min(x + 2, nx)):
                    value = light[v, u]
                    if (v == y and u == x) or not np.isfinite(value):
                        continue
                    k = n
                    while k > 0 and known[k - 1] > value:
                        known[k] = known[k - 1]
                        k -= 1
                    known[k] = value
                    n += 1
            out[y, x] = light[y, x] - np.float32(0.5) * (known[(n - 1) // 2] + known[n // 2]) if n >= 4 else np.nan
