"""The noise of a frame less what it shares with the other: faint sources, which cancel in the difference."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from differencing.numerics.noise import MAX_LAG_PX, correlation_of, covariance
from observations.numerics.frame import Image, Mask

Stamp = NDArray[np.float64]

# Less than this share of the variance is left: 200 000 pixels know it to a quarter of a per cent.
LEAST_SHARE = 0.02
# Wherever the noise were less than this share of what is seen, something else is wrong.
MOST_SHARE = 0.75
# By no more than this may the narrower PSF's share of the light exceed what both have in common at one lag.
LARGEST_RATIO = 3.0


class OwnNoise(NamedTuple):
    """share : of a pixel's variance on empty sky that is noise. correlation : of that noise, `noise.correlation_of`."""

    share: float
    correlation: NDArray[np.float64]


def own_noise(images: tuple[Image, Image], empty: Mask, psfs: tuple[Stamp, Stamp]) -> tuple[OwnNoise, OwnNoise]:
    """Measure what of both frames' scatter on empty sky is noise, and its correlation.

    Sources too faint to be seen make a frame's empty sky scatter, in the shape of its PSF. They stand in both frames
    and not in the difference, whose noise was predicted too high by 15 % in a crowded field (FWHM 2 px) and by 10 % in
    a sparse one. What is shared is the covariance of the frames; at each lag it is to the variance of one frame's own
    as the products of the PSFs are.

    Parameters
    ----------
    images : on one grid and in one unit, with sky near 0. empty : True = neither shows a source, nor is bad.
    psfs : odd squares of sum 1, of each image.
    """
    between = covariance(*images, empty)
    overlap = _overlap(*psfs)
    found = []
    for image, psf in zip(images, psfs, strict=True):
        shared = between * np.clip(_overlap(psf, psf) / np.maximum(overlap, 1e-12), 0.0, LARGEST_RATIO)
        seen = covariance(image, image, empty)
        whole = seen[MAX_LAG_PX, MAX_LAG_PX]
        share = float(shared[MAX_LAG_PX, MAX_LAG_PX] / whole) if whole > 0 else 0.0
        if share < LEAST_SHARE:
            found.append(OwnNoise(1.0, correlation_of(seen)))
            continue
        shared *= min(1.0, MOST_SHARE / share)
        found.append(OwnNoise(1.0 - min(share, MOST_SHARE), correlation_of(seen - shared)))
    return found[0], found[1]


def _overlap(one: Stamp, other: Stamp) -> NDArray[np.float64]:
    """Return the products of two PSFs at lags of up to 3 px, as lags are arranged in `noise.covariance`."""
    full = signal.fftconvolve(one, other[::-1, ::-1])
    middle = full.shape[0] // 2
    window = slice(middle - MAX_LAG_PX, middle + MAX_LAG_PX + 1)
    cut = full[window, window]
    return np.asarray(0.5 * (cut + cut[::-1, ::-1]))
