"""What the network sees of a difference image: sigmas of its own noise, compressed, at one sampling of the seeing."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from observations.numerics.fits.mapped import Pixels
from observations.numerics.frame import Image, Mask

# Trails are as wide as stars: finer sampling than this shows nothing more of them.
FWHM_PX = 3.0
BLOCK_PX = 64
SIGMA_PER_MAD = 1.4826
# Of a block, so that its spread is known to some per cent.
FEWEST_GOOD = 256
LEAST_SHARE = 0.2


def binning(fwhm_px: float) -> int:
    """Return by how many pixels an image is binned to bring its seeing near 3 px."""
    if not np.isfinite(fwhm_px) or fwhm_px <= 0:
        raise ValueError(f"the seeing of a frame is a positive number of pixels, not {fwhm_px}")
    return max(1, round(fwhm_px / FWHM_PX))


def binned(image: Image, mask: Mask, step: int) -> tuple[Image, Mask]:
    """Return the means of the good pixels of each `step` x `step` square, and which squares are mostly bad.

    Squares that the image's edge cuts are whole with bad pixels. NaN is bad.
    """
    is_bad = mask | ~np.isfinite(image)
    if step == 1:
        return np.where(is_bad, np.float32(0), image).astype(np.float32), is_bad
    rows, columns = np.arange(0, image.shape[0], step), np.arange(0, image.shape[1], step)
    total, good = (
        np.add.reduceat(np.add.reduceat(plane, rows, axis=0), columns, axis=1)
        for plane in (np.where(is_bad, 0, image).astype(np.float32), (~is_bad).astype(np.float32))
    )
    return (total / np.maximum(good, 1)).astype(np.float32), np.asarray(good * 2 < step**2)


@dataclass(frozen=True)
class Noise:
    """The noise of an image: its median, and a grid (ky, kx) of what it is around, in the image's unit.

    shape : of the image, binned. step : by how many pixels it is binned.
    """

    middle: float
    blocks: NDArray[np.float32]
    shape: tuple[int, int]
    step: int

    def around(self, rows: slice, columns: slice) -> Image:
        """Return the noise of a part, linear between the blocks' centres and level beyond the outermost."""
        out = self.blocks
        for axis, (span, size) in enumerate(zip((rows, columns), self.shape, strict=True)):
            count = out.shape[axis]
            at = np.clip((np.arange(span.start, span.stop) + 0.5) * count / size - 0.5, 0, count - 1)
            low = np.minimum(at.astype(int), max(count - 2, 0))
            share = np.expand_dims((at - low).astype(np.float32), 1 - axis)
            out = np.take(out, low, axis) * (1 - share) + np.take(out, np.minimum(low + 1, count - 1), axis) * share
        return out


def noise_of(image: Pixels, mask: Mask, step: int) -> Noise:
    """Measure the noise of an image, binned by `step`, in blocks of 64 px, each the median of it and its neighbours.

    Of each block it is the scaled median absolute deviation; blocks without enough good pixels take the whole image's.
    The image is read one row of blocks after the other, so that it may be a mapped file.

    Parameters
    ----------
    image : (ny, nx); NaN = unknown. mask : (ny, nx), True = bad.

    Raises
    ------
    ValueError : no block has 256 good pixels, or there is no noise at all.
    """
    shape = (-(-image.shape[0] // step), -(-image.shape[1] // step))
    edges = [np.linspace(0, n, max(1, round(n / BLOCK_PX)) + 1).astype(int) for n in shape]
    spread = np.full([len(edge) - 1 for edge in edges], np.nan, dtype=np.float32)
    middle = spread.copy()
    for i, (top, bottom) in enumerate(pairwise(edges[0])):
        part, is_bad = part_of(image, mask, step, (slice(top, bottom), slice(0, shape[1])))
        for j, (left, right) in enumerate(pairwise(edges[1])):
            good = part[:, left:right][~is_bad[:, left:right]]
            if good.size >= FEWEST_GOOD:
                middle[i, j] = np.median(good)
                spread[i, j] = SIGMA_PER_MAD * np.median(np.abs(good - middle[i, j]))
    known = np.isfinite(spread)
    if not known.any():
        raise ValueError("nothing in this image is good")
    overall = float(np.median(spread[known]))
    if not overall > 0:
        raise ValueError("this image has no noise")
    # Where all is flat, as in a filled corner, the noise of the rest is the least that there can be.
    filled = np.where(known, np.maximum(spread, LEAST_SHARE * overall), np.float32(overall))
    blocks = ndimage.median_filter(filled, 3, mode="nearest")
    return Noise(float(np.median(middle[known])), blocks, shape, step)


def part_of(image: Pixels, mask: Mask, step: int, part: tuple[slice, slice]) -> tuple[Image, Mask]:
    """Return a part (of the binned image) and its mask, read from where they lie."""
    whole = tuple(slice(span.start * step, span.stop * step) for span in part)
    return binned(np.asarray(image[whole], dtype=np.float32), mask[whole], step)


def planes_of(image: Pixels, mask: Mask, noise: Noise, part: tuple[slice, slice]) -> tuple[Image, Mask]:
    """Return a part in sigmas, 0 where bad, and its mask."""
    pixels, is_bad = part_of(image, mask, noise.step, part)
    sigmas = (pixels - np.float32(noise.middle)) / noise.around(*part)
    return np.where(is_bad, np.float32(0), sigmas), is_bad


def compressed(sigmas: Image, mask: Mask) -> Image:
    """Return the planes (2, ny, nx) that the network takes: what is faint as it is, what is bright by its logarithm."""
    return np.stack([np.arcsinh(sigmas), mask.astype(np.float32)]).astype(np.float32)
