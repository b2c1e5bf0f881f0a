"""Bring one frame onto the pixel grid of another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from differencing.numerics.area import kernel_of, pixel_side, spread, spread_mask, spread_variance
from differencing.numerics.spline import Grid, PixelMap, coefficients, gather, map_nodes
from observations.numerics.compiled import by_strips, compiled
from observations.numerics.frame import BAD_BITS, Frame, Image, Mask, MaskBit

# Quintic B-splines keep stars of FWHM 2 px to 0.3 % in the core where cubic ones lose 2 %.
SPLINE_ORDER = 5
# The bilinear weight of bad pixels above which a resampled pixel is bad itself.
BAD_WEIGHT = 0.05
# A hole is filled from the good pixels within four sigma that hold this share of the Gaussian's weight.
FILL_REACH_SIGMA = 4.0
FEWEST_FILL_WEIGHT = 1e-4
# Rows that one thread takes at a time, and pixels that the median of a whole frame is content with.
STRIP_ROWS = 64
MOST_MEDIAN_PX = 250_000

Number = TypeVar("Number", bound=np.generic)
Turn = Callable[[NDArray[Number]], NDArray[Number]]
Bits = NDArray[np.uint16]
# What compiled loops can hold of the mask's bits.
EDGE, BAD, BAD_CAUSES = np.uint16(MaskBit.EDGE), np.uint16(MaskBit.BAD), np.uint16(BAD_BITS)


def fill_masked(data: Image, mask: Mask, *, sigma_px: float = 2.0) -> Image:
    """Replace masked and non-finite pixels by the weighted mean of their good neighbours.

    A Gaussian weight of `sigma_px` is used; pixels further than about four sigma from any good pixel take
    the median of the good ones, so that no hole reaches a spline or a Fourier transform as NaN.

    Parameters
    ----------
    data : (ny, nx) in any unit; may hold NaN under the mask. mask : (ny, nx) bool, True = bad.

    Returns
    -------
    (ny, nx) float32, finite everywhere, equal to `data` where the mask is False.

    Raises
    ------
    ValueError : no good pixel at all.
    """
    bad = mask | ~np.isfinite(data)
    if not bad.any():
        return np.array(data, dtype=np.float32)
    if bad.all():
        raise ValueError("every pixel is masked: there is nothing to fill from")
    image = np.ascontiguousarray(data, dtype=np.float32)
    filled = image.copy()
    centre = _median(image, bad)
    reach = int(FILL_REACH_SIGMA * sigma_px + 0.5)
    weight = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma_px) ** 2)
    weight = (weight / weight.sum()).astype(np.float32)
    by_strips(lambda top, bottom: _fill(image, bad, centre, weight, filled[top:bottom], top), len(image), STRIP_ROWS)
    return filled


def _median(image: Image, bad: Mask) -> np.float32:
    """Return the median of the good pixels, of evenly spread rows where there are very many."""
    step = max(1, image.size // MOST_MEDIAN_PX)
    values = image[::step][~bad[::step]]
    return np.float32(np.median(values if values.size else image[~bad]))


@compiled
def _fill(image: Image, bad: Mask, centre: np.float32, weight: NDArray[np.float32], filled: Image, top: int) -> None:
    """Fill the bad pixels of the rows that begin at `top`; a row's sums down the columns are made where needed."""
    ny, nx = image.shape
    reach = weight.size // 2
    light, share = np.zeros(nx, dtype=np.float32), np.zeros(nx, dtype=np.float32)
    for y in range(top, top + filled.shape[0]):
        known = -1  # the last column whose sums are made
        for x in range(nx):
            if not bad[y, x]:
                continue
            first, last = max(x - reach, known + 1, 0), min(x + reach + 1, nx)
            light[first:last] = 0
            share[first:last] = 0
            for k in range(weight.size):
                row = min(max(y + k - reach, 0), ny - 1)
                for column in range(first, last):
                    is_good = not bad[row, column]
                    light[column] += weight[k] * (image[row, column] - centre) if is_good else np.float32(0)
                    share[column] += weight[k] if is_good else np.float32(0)
            known = last - 1
            total = whole = np.float32(0)
            for k in range(weight.size):
                column = min(max(x + k - reach, 0), nx - 1)
                total += weight[k] * light[column]
                whole += weight[k] * share[column]
            filled[y - top, x] = centre + (total / whole if whole > FEWEST_FILL_WEIGHT else np.float32(0))


def resample(image: Image, xy: tuple[NDArray[np.float64], NDArray[np.float64]], *, order: int = SPLINE_ORDER) -> Image:
    """Interpolate a finite image at the positions `xy`; outside it the value is 0.

    Parameters
    ----------
    image : (ny, nx) float32, finite. xy : two arrays of one shape, x and y in the image's 0-based pixels.

    Returns
    -------
    Array of the shape of xy[0], float32.
    """
    x, y = xy
    return ndimage.map_coordinates(image, [y, x], order=order, mode="grid-constant", cval=0.0, output=np.float32)


def align(frame: Frame, pixel_map: PixelMap, shape: tuple[int, int]) -> Frame:
    """Resample a frame onto a grid of `shape` by quintic splines, conserving surface brightness times area.

    Counts are multiplied by the local area of a target pixel in the source grid, so that the flux of a star
    is conserved also when the scales differ. Target pixels that are a fifth larger and more hold the mean of what they
    cover, light and noise, and are bad where more than 5 % of that is. Masked and non-finite pixels are filled before
    the spline and the mask is interpolated with them: a target pixel is bad when more than 5 % of its bilinear weight
    was bad, or when it lies outside the source. The variance is interpolated linearly, and is that of one pixel:
    resampling correlates neighbours, which `noise.covariance` measures afterwards.

    Parameters
    ----------
    frame : the frame to resample. pixel_map : target (x, y) -> source (x, y), 0-based.
    shape : (ny, nx) of the target grid.

    Returns
    -------
    Frame on the target grid, without PSF, stars and WCS (they change: the caller measures or knows the new ones).

    Raises
    ------
    ValueError : the frame has no good pixel.
    """
    turn, pixel_map = _along(frame.shape, pixel_map, shape)
    bad = turn(frame.mask | ~np.isfinite(frame.data))
    filled = fill_masked(turn(frame.data), bad)
    sky = _median(filled, bad)
    filled -= sky
    cover = kernel_of(pixel_side(pixel_map, shape))
    spline = coefficients(spread(filled, cover))
    del filled
    source_bits = None if frame.mask_bits is None else turn(frame.mask_bits).astype(np.uint16, copy=False)
    source_variance = None if frame.variance is None else spread_variance(fill_masked(turn(frame.variance), bad), cover)
    bad = spread_mask(bad, cover, BAD_WEIGHT)
    data, mask = np.empty(shape, dtype=np.float32), np.empty(shape, dtype=bool)
    bits = None if source_bits is None else np.empty(shape, dtype=np.uint16)
    variance = None if source_variance is None else np.empty(shape, dtype=np.float32)
    nodes = map_nodes(pixel_map, shape)

    def fill_strip(top: int, bottom: int) -> None:
        strip = np.s_[top:bottom]
        x, y, area = nodes.at(top, bottom, shape[1])
        gather(spline, x, y, data[strip])
        data[strip] = (data[strip] + sky) * area
        _carry_mask(bad, x, y, mask[strip])
        if source_bits is not None and bits is not None:
            _carry_bits(source_bits, x, y, mask[strip], bits[strip])
        if source_variance is not None and variance is not None:
            _carry_variance(source_variance, x, y, variance[strip])
            variance[strip] *= area**2

    by_strips(fill_strip, shape[0], STRIP_ROWS)
    return replace(frame, data=data, mask=mask, mask_bits=bits, variance=variance, psf=None, stars=None, wcs=None)


def _along(source: tuple[int, int], pixel_map: PixelMap, shape: tuple[int, int]) -> tuple[Turn, PixelMap]:
    """Return how to turn images of a frame by quarters so that its lines run along the target's, and the map to them.

    Then memory runs along with the lines.
    """
    middle_x, middle_y = (shape[1] - 1) / 2, (shape[0] - 1) / 2
    offset = np.array([0.5, -0.5, 0.0, 0.0])
    x, y = pixel_map(middle_x + offset, middle_y + np.roll(offset, 2))
    is_transposed = bool(abs(x[2] - x[3]) > abs(x[0] - x[1]))
    step_x, step_y = (y[0] - y[1], x[2] - x[3]) if is_transposed else (x[0] - x[1], y[2] - y[3])
    is_flipped_x, is_flipped_y = bool(step_x < 0), bool(step_y < 0)
    ny, nx = source[::-1] if is_transposed else source

    def turn(image: NDArray[Number]) -> NDArray[Number]:
        image = image.T if is_transposed else image
        return np.ascontiguousarray(image[:: -1 if is_flipped_y else 1, :: -1 if is_flipped_x else 1])

    def turned_map(x: Grid, y: Grid) -> tuple[Grid, Grid]:
        x, y = reversed(pixel_map(x, y)) if is_transposed else pixel_map(x, y)
        return nx - 1 - x if is_flipped_x else x, ny - 1 - y if is_flipped_y else y

    return turn, turned_map if is_transposed or is_flipped_x or is_flipped_y else pixel_map


@compiled
def _carry_mask(bad: Mask, x: Grid, y: Grid, mask: Mask) -> None:
    """Mark pixels of which more than 5 % of the bilinear weight is bad, or outside."""
    ny, nx = bad.shape
    for j in range(x.shape[0]):
        for i in range(x.shape[1]):
            left, below = np.floor(x[j, i]), np.floor(y[j, i])
            if not (-1 <= left < nx and -1 <= below < ny):
                mask[j, i] = True
                continue
            column, row = np.int64(left), np.int64(below)
            if 0 <= column < nx - 1 and 0 <= row < ny - 1:
                lower, upper = bad[row], bad[row + 1]
                if not (lower[column] | lower[column + 1] | upper[column] | upper[column + 1]):
                    mask[j, i] = False
                    continue
            weight = 0.0
            for k in range(4):
                u, v = k & 1, k >> 1
                c, r = column + u, row + v
                if c < 0 or c >= nx or r < 0 or r >= ny or bad[r, c]:
                    along = x[j, i] - left if u else 1.0 - (x[j, i] - left)
                    weight += along * (y[j, i] - below if v else 1.0 - (y[j, i] - below))
            mask[j, i] = weight > BAD_WEIGHT


@compiled
def _carry_bits(source: Bits, x: Grid, y: Grid, mask: Mask, bits: Bits) -> None:
    """Take the causes of the nearest pixel; bad pixels without one are edge where outside, else bad."""
    ny, nx = source.shape
    for j in range(x.shape[0]):
        for i in range(x.shape[1]):
            column, row = np.rint(x[j, i]), np.rint(y[j, i])
            found = EDGE
            if 0 <= column < nx and 0 <= row < ny:
                found = source[np.int64(row), np.int64(column)]
            bits[j, i] = found | BAD if mask[j, i] and not found & BAD_CAUSES else found


@compiled
def _carry_variance(source: Image, x: Grid, y: Grid, variance: Image) -> None:
    """Interpolate linearly; what lies outside counts as 0."""
    ny, nx = source.shape
    for j in range(x.shape[0]):
        for i in range(x.shape[1]):
            variance[j, i] = 0.0
            left, below = np.floor(x[j, i]), np.floor(y[j, i])
            if not (-1 <= left < nx and -1 <= below < ny):
                continue
            column, row = np.int64(left), np.int64(below)
            u, v = x[j, i] - left, y[j, i] - below
            if 0 <= column < nx - 1 and 0 <= row < ny - 1:
                lower, upper = source[row], source[row + 1]
                variance[j, i] = (1 - v) * ((1 - u) * lower[column] + u * lower[column + 1])
                variance[j, i] += v * ((1 - u) * upper[column] + u * upper[column + 1])
                continue
            for k in range(4):
                c, r = column + (k & 1), row + (k >> 1)
                if 0 <= c < nx and 0 <= r < ny:
                    weight = (u if k & 1 else 1 - u) * (v if k >> 1 else 1 - v)
                    variance[j, i] += weight * source[r, c]
