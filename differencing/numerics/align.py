"""Bring one frame onto the pixel grid of another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from observations.numerics.frame import BAD_BITS, Frame, Image, Mask, MaskBit

# (x, y) of the target grid -> (x, y) in the frame that is resampled; arrays in, arrays out.
PixelMap = Callable[[NDArray[np.float64], NDArray[np.float64]], tuple[NDArray[np.float64], NDArray[np.float64]]]

# Quintic B-splines keep stars of FWHM 2 px to 0.3 % in the core where cubic ones lose 2 %.
SPLINE_ORDER = 5
# The bilinear weight of bad pixels above which a resampled pixel is bad itself.
BAD_WEIGHT = 0.05


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
    good = ~bad
    centre = float(np.median(data[good]))
    filled = np.where(good, data - centre, 0.0).astype(np.float32)
    weight = ndimage.gaussian_filter(good.astype(np.float32), sigma_px, mode="nearest", truncate=4.0)
    blurred = ndimage.gaussian_filter(filled, sigma_px, mode="nearest", truncate=4.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = np.where(weight > 1e-4, blurred / np.maximum(weight, 1e-4), 0.0)
    filled[bad] = estimate[bad]
    return (filled + np.float32(centre)).astype(np.float32)


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
    is conserved also when the scales differ. Masked and non-finite pixels are filled before the spline and the mask
    is interpolated with them: a target pixel is bad when more than 5 % of its bilinear weight was bad, or when
    it lies outside the source. The variance is interpolated linearly, and is that of one pixel: resampling
    correlates neighbours, which `noise.correlation` measures afterwards.

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
    ny, nx = shape
    y, x = np.mgrid[0:ny, 0:nx].astype(np.float64)
    source_x, source_y = pixel_map(x.ravel(), y.ravel())
    source_x, source_y = source_x.reshape(shape), source_y.reshape(shape)
    area = _pixel_area(source_x, source_y)
    bad = frame.mask | ~np.isfinite(frame.data)
    filled = fill_masked(frame.data, bad)
    sky = np.float32(np.median(frame.data[~bad]))
    data = (resample(filled - sky, (source_x, source_y)) + sky) * area
    bad_weight = ndimage.map_coordinates(
        bad.astype(np.float32), [source_y, source_x], order=1, mode="grid-constant", cval=1.0
    )
    mask = bad_weight > BAD_WEIGHT
    bits = _align_bits(frame, source_x, source_y, mask)
    variance = None
    if frame.variance is not None:
        variance = resample(fill_masked(frame.variance, bad), (source_x, source_y), order=1) * area**2
    return replace(
        frame,
        data=data.astype(np.float32),
        mask=mask,
        mask_bits=bits,
        variance=variance,
        psf=None,
        stars=None,
        wcs=None,
    )


def _pixel_area(x: NDArray[np.float64], y: NDArray[np.float64]) -> Image:
    """Return the area of each target pixel in source pixels (the Jacobian of the map)."""
    dx_dy, dx_dx = np.gradient(x)
    dy_dy, dy_dx = np.gradient(y)
    return np.abs(dx_dx * dy_dy - dx_dy * dy_dx).astype(np.float32)


def _align_bits(frame: Frame, x: NDArray[np.float64], y: NDArray[np.float64], mask: Mask) -> NDArray[np.uint16] | None:
    """Carry the mask's causes over by nearest pixel; bad pixels without a cause are edge where outside, else bad."""
    if frame.mask_bits is None:
        return None
    ny, nx = frame.shape
    column, row = np.rint(x).astype(int), np.rint(y).astype(int)
    inside = (column >= 0) & (column < nx) & (row >= 0) & (row < ny)
    bits = np.full(x.shape, int(MaskBit.EDGE), dtype=np.uint16)
    bits[inside] = frame.mask_bits[row[inside], column[inside]]
    bits[mask & (bits & BAD_BITS == 0)] |= int(MaskBit.BAD)
    return bits
