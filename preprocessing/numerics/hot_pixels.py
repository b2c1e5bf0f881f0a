"""Hot pixels: what stands alone in a frame, and what stands still on the detector while the sky moves over it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

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
# Two stars on one pixel are no rarity where they are many or the dither is small, and one more light's noise is enough
# then. A light that shows light beside the pixel says nothing, and the others have to tell alone. Three lights of
# hatp32 turned against each other then show 59 pixels and not 163, of 2771 that stand still.
BESIDE_SIGMA = 2.0
HOT_AMONG_STARS_SIGMA = 4.0
# The median of eight neighbours has a noise too.
NEIGHBOUR_NOISE = 1.09
STRIP_ROWS = 256
# Light of a star reaches its peak's neighbours: of the four the mean of the three least is a seventh of the peak where
# the FWHM is 1.0 px, a twentieth where it is 0.8 px. A hot pixel has none there, though another may stand beside it.
# Asked with three sigma of noise to spare: of peaks beyond 35 sigma. Fainter ones set no seeing and match no stars.
LONE_SHARE, LONE_SPARE = 0.05, 3.0


def lone_pixels(residual: Image, noise: Image, bad: Mask) -> Mask:
    """Find bright pixels without any light beside them, which no optics make: hot pixels and hits of cosmic rays.

    They can be brighter and more than the stars, and would be taken for them: by the seeing, and by the registration,
    which then locks on the detector.

    Parameters
    ----------
    residual : (ny, nx) image less sky. noise : (ny, nx) rms per pixel. bad : True = known bad, takes no part.

    Returns
    -------
    (ny, nx) bool. A pixel with fewer than three good neighbours of four is left.
    """
    found = np.zeros(residual.shape, dtype=bool)
    by_strips(lambda top, bottom: _mark_lone(residual, noise, bad, top, bottom, found), len(residual), STRIP_ROWS)
    return found


@compiled
def _mark_lone(residual: Image, noise: Image, bad: Mask, top: int, bottom: int, found: Mask) -> None:
    ny, nx = residual.shape
    for y in range(top, bottom):
        for x in range(nx):
            most = np.float32(LONE_SHARE) * residual[y, x] - np.float32(LONE_SPARE / 3**0.5) * noise[y, x]
            if bad[y, x] or not most > 0:
                continue
            total, n, highest = np.float32(0), 0, np.float32(-np.inf)
            for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
                v, u = y + dy, x + dx
                if 0 <= v < ny and 0 <= u < nx and not bad[v, u]:
                    total += residual[v, u]
                    highest = max(highest, residual[v, u])
                    n += 1
            if n == 4:
                total, n = total - highest, 3
            found[y, x] = n == 3 and total < n * most


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
    is_lit = seen & np.stack([_beside(light) > 6**0.5 * BESIDE_SIGMA for light in lights])
    is_hot = (seen.sum(axis=0) >= FEWEST_POINTINGS) & (_together(sharp, seen) > HOT_SIGMA)
    is_hot &= ~is_lit.any(axis=0) | (_together(sharp, seen & ~is_lit) > HOT_AMONG_STARS_SIGMA)
    return np.asarray(is_hot)


def _together(sharp: NDArray[np.float32], telling: NDArray[np.bool_]) -> Image:
    """Return the mean of the lights that tell of a pixel, in sigma of it; 0 where none does."""
    count = telling.sum(axis=0)
    lowest = np.where(telling, sharp, np.float32(np.inf)).min(axis=0)
    capped = np.where(telling, np.minimum(sharp, lowest + np.float32(CAP_SIGMA)), np.float32(0))
    return np.asarray(capped.sum(axis=0) / np.sqrt(np.maximum(count, 1)) / NEIGHBOUR_NOISE, dtype=np.float32)


def _beside(light: Image) -> Image:
    """Return by how much each pixel's four neighbours are above the four behind them, without the highest of each.

    Another hot pixel may stand there.
    """
    ny, nx = light.shape
    known = np.pad(np.nan_to_num(light), 2, mode="edge")
    sums = []
    for k in (1, 2):
        up, down = known[2 - k : ny + 2 - k, 2:-2], known[2 + k : ny + 2 + k, 2:-2]
        left, right = known[2:-2, 2 - k : nx + 2 - k], known[2:-2, 2 + k : nx + 2 + k]
        highest = np.maximum(np.maximum(up, down), np.maximum(left, right))
        sums.append(up + down + left + right - highest)
    return np.asarray(sums[0] - sums[1])


def _pointings(excesses: Sequence[Image]) -> list[Image]:
    """Return the lights whose stars fall upon other pixels than those of every one before."""
    kept: list[tuple[Image, Mask]] = []
    for light in excesses:
        bright = _companied(np.nan_to_num(light) > BRIGHT_SIGMA)
        fewest = max(int(np.count_nonzero(bright)), 1)
        shares = [
            np.count_nonzero(bright & other) / min(fewest, max(int(np.count_nonzero(other)), 1)) for _, other in kept
        ]
        if all(share < SAME_SHARE for share in shares):
            kept.append((light, bright))
    return [light for light, _ in kept]


def _companied(bright: Mask) -> Mask:
    """Return the pixels with another one above or beside them: stars', where hot pixels may be more than stars."""
    beside = np.zeros_like(bright)
    beside[:, 1:] |= bright[:, :-1]
    beside[:, :-1] |= bright[:, 1:]
    beside[1:] |= bright[:-1]
    beside[:-1] |= bright[1:]
    return bright & beside


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
