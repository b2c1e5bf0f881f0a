"""What larger pixels gather: the light of all the smaller ones that they cover."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from differencing.numerics.spline import PixelMap
from observations.numerics.frame import Image, Mask

Kernel = NDArray[np.float32]

# Pixels of one camera: optics wander by some per cent, and a spline alone serves.
SAME_SIDE = 1.2


def pixel_side(pixel_map: PixelMap, shape: tuple[int, int]) -> float:
    """Return the side of a target pixel in source pixels, at the middle of a target of `shape`."""
    x, y = (shape[1] - 1) / 2, (shape[0] - 1) / 2
    at_x, at_y = pixel_map(np.array([x - 0.5, x + 0.5, x, x]), np.array([y, y, y - 0.5, y + 0.5]))
    return float(np.sqrt(abs((at_x[1] - at_x[0]) * (at_y[3] - at_y[2]) - (at_x[3] - at_x[2]) * (at_y[1] - at_y[0]))))


def is_same(side: float) -> bool:
    """Tell whether pixels of this side are as good as of side 1."""
    return 1.0 / SAME_SIDE <= side <= SAME_SIDE


def kernel_of(side: float) -> Kernel | None:
    """Return the shares, of sum 1, of what a pixel of this side covers along an axis; None where that is one pixel."""
    if side <= SAME_SIDE:
        return None
    reach = int(np.ceil((side - 1.0) / 2.0))
    at = np.abs(np.arange(-reach, reach + 1))
    covered = np.clip(side / 2.0 - (at - 0.5), 0.0, 1.0)
    return np.asarray(covered / covered.sum(), dtype=np.float32)


def spread(image: Image, kernel: Kernel | None) -> Image:
    """Return the mean over larger pixels about every pixel; beyond the edge its last pixels count on."""
    if kernel is None:
        return image
    once = ndimage.convolve1d(image, kernel, axis=0, mode="nearest")
    return np.asarray(ndimage.convolve1d(once, kernel, axis=1, mode="nearest"), dtype=np.float32)


def spread_variance(variance: Image, kernel: Kernel | None) -> Image:
    """Return the variance of such a mean, where the pixels' noises are their own."""
    return variance if kernel is None else spread(variance, kernel**2)


def spread_mask(bad: Mask, kernel: Kernel | None, most: float) -> Mask:
    """Tell which larger pixels hold more than the share `most` of bad or missing ones."""
    if kernel is None:
        return bad
    once = ndimage.convolve1d(bad.astype(np.float32), kernel, axis=0, mode="constant", cval=1.0)
    return np.asarray(ndimage.convolve1d(once, kernel, axis=1, mode="constant", cval=1.0) > most)
