"""Cosmic rays and unlisted hot pixels: what is sharper than any star can be."""

from __future__ import annotations

import numpy as np

from observations.numerics.compiled import by_strips, compiled
from observations.numerics.frame import Image, Mask
from observations.numerics.statistics import FWHM_PER_SIGMA

# Ratios of the pairs, and sigma.
Bound = tuple[Image, float]

COSMIC_EDGE_SIGMA = 4.0
# Real cores are allowed to be sharper than the mean PSF says: by this factor in neighbour-to-peak ratio...
SHARPNESS_MARGIN = 0.65
# ...and pairs at a distance help only where a star must reach that far: on hatp32 (FWHM 2.0 px) diagonal pairs at a
# bound of 0.19 ate one clean star in ten, whose diagonal neighbours lie at 0.16.
LOWEST_USEFUL_RATIO = 0.25
COSMIC_ROUNDS = 3
# (dy, dx) of one member of each pair; the other lies opposite.
PAIRS = ((0, 1), (0, 2), (1, 0), (2, 0), (1, 1), (1, -1))
# Rows that one thread takes at a time.
STRIP_ROWS = 256


def cosmic_rays(residual: Image, noise: Image, bad: Mask, fwhm_px: float, *, sigma: float) -> Mask:
    """Find pixels that are sharper than any star can be: cosmic rays and unlisted hot pixels.

    For a Gaussian of width s, the mean of the two pixels at distance d on opposite sides of any pixel is at least
    exp(-d² / 2 s²) of that pixel, wherever the star's centre lies; a real PSF has wider wings and stays above. A pixel
    whose pair falls short of that bound, by a margin for PSF variation and 6 sigma of noise, in any of four directions
    is no star. Found pixels are replaced and the search repeated, so that tracks and small blobs are eaten from their
    rims; then neighbours with a weaker sign are added.

    Parameters
    ----------
    residual : (ny, nx) image less sky. noise : (ny, nx) rms per pixel. bad : True = known bad, takes no part.
    fwhm_px : seeing, of the sharpest stars. Below about 1.7 px a star cannot be told from a hot pixel, and nothing is
        flagged.

    Returns
    -------
    (ny, nx) bool.

    Notes
    -----
    In the spirit of van Dokkum 2001 (PASP 113, 1420), with the PSF's own bound in place of the fine-structure image:
    on undersampled frames (FWHM 2 px) the latter eats cores.
    """
    ratios = _pair_ratios(fwhm_px)
    # A pair with an unknown member says nothing: comparisons with NaN are false.
    image = np.where(bad, np.float32(np.nan), residual).astype(np.float32, copy=False)
    found, now = np.zeros(image.shape, dtype=bool), np.zeros(image.shape, dtype=bool)

    def mark(top: int, bottom: int) -> None:
        _mark_sharp(image, noise, found, (ratios, sigma), now[top:bottom], top)

    def mark_rim(top: int, bottom: int) -> None:
        _mark_rim(image, noise, found, ratios, now[top:bottom], top)

    for _ in range(COSMIC_ROUNDS):
        by_strips(mark, len(image), STRIP_ROWS)
        if not now.any():
            break
        found |= now
        _patch(image, found, now)
    now[:] = False
    by_strips(mark_rim, len(image), STRIP_ROWS)
    return found | now


def _pair_ratios(fwhm_px: float) -> Image:
    """Return the least that the mean of each pair of `PAIRS` is of a star's pixel; 0 for pairs of no use."""
    squared = np.array([dy * dy + dx * dx for dy, dx in PAIRS])
    ratios = SHARPNESS_MARGIN * np.exp(-0.5 * squared * (FWHM_PER_SIGMA / fwhm_px) ** 2)
    return np.where(ratios < LOWEST_USEFUL_RATIO, 0, ratios).astype(np.float32)


@compiled
def _is_sharp(image: Image, noise: Image, y: int, x: int, ratios: Image, sigma: float) -> bool:
    """Tell whether a pixel exceeds what a star may be beside its neighbours, in at least one direction."""
    ny, nx = image.shape
    for k in range(len(PAIRS)):
        ratio = ratios[k]
        if ratio == 0:
            continue
        dy, dx = PAIRS[k]
        one = image[min(max(y + dy, 0), ny - 1), min(max(x + dx, 0), nx - 1)]
        other = image[min(max(y - dy, 0), ny - 1), min(max(x - dx, 0), nx - 1)]
        lack = ratio * image[y, x] - np.float32(0.5) * (one + other)
        if lack > sigma * noise[y, x] * np.sqrt(ratio * ratio + np.float32(0.5)):
            return True
    return False


@compiled
def _mark_sharp(image: Image, noise: Image, found: Mask, bound: Bound, now: Mask, top: int) -> None:
    """Say which pixels of the rows that begin at `top` stand out, are too sharp, and are not found yet."""
    ratios, sigma = bound
    for row in range(now.shape[0]):
        y = top + row
        for x in range(now.shape[1]):
            stands_out = image[y, x] > sigma * noise[y, x] and not found[y, x]
            now[row, x] = stands_out and _is_sharp(image, noise, y, x, ratios, sigma)


@compiled
def _mark_rim(image: Image, noise: Image, found: Mask, ratios: Image, rim: Mask, top: int) -> None:
    """Mark the neighbours of found pixels that stand out less and are somewhat too sharp."""
    ny, nx = image.shape
    for row in range(rim.shape[0]):
        y = top + row
        for x in range(nx):
            if found[y, x] or not image[y, x] > COSMIC_EDGE_SIGMA * noise[y, x]:
                continue
            if found[max(y - 1, 0) : min(y + 2, ny), max(x - 1, 0) : min(x + 2, nx)].any():
                rim[row, x] = _is_sharp(image, noise, y, x, ratios, COSMIC_EDGE_SIGMA / 2)


@compiled
def _patch(image: Image, found: Mask, now: Mask) -> None:
    """Replace the pixels of `now` by the median of the known ones in the 5 x 5 around them, NaN where there is none."""
    ny, nx = image.shape
    known = np.empty(25, dtype=np.float32)
    for y in range(ny):
        for x in range(nx):
            if not now[y, x]:
                continue
            n = 0
            for v in range(max(y - 2, 0), min(y + 3, ny)):
                for u in range(max(x - 2, 0), min(x + 3, nx)):
                    if not found[v, u] and np.isfinite(image[v, u]):
                        known[n] = image[v, u]
                        n += 1
            image[y, x] = np.sort(known[:n])[(n - 1) // 2] if n else np.float32(np.nan)
