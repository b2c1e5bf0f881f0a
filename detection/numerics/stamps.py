"""Stamps around candidates, and the form in which the real/bogus network sees them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from observations.numerics.statistics import MAD_TO_SIGMA

Stamps = NDArray[np.float32]

STAMP_SIZE_PX = 63  # the size of ZTF's public stamps, so that imported packets and our own frames share one network
CHANNELS = ("science", "reference", "difference", "mask")

# The network's grid: 31 px at a FWHM of 3 px see 10 FWHM across, which holds a dipole, a trail piece and the host.
# 3 px is the coarsest sampling at which a cosmic ray (one pixel) still differs from a star (three).
NETWORK_SIZE_PX = 31
NETWORK_FWHM_PX = 3.0

# No detector counts so far: surveys fill with the largest number where they know nothing.
BEYOND_COUNTS = 1e30

# A stamp whose core (one FWHM around the candidate) is known by less than half of its weight is no evidence.
LEAST_KNOWN_CORE_SHARE = 0.5


def cut_stamps(
    science: NDArray[np.number],
    reference: NDArray[np.number],
    difference: NDArray[np.number],
    mask: NDArray[np.bool_],
    positions: tuple[ArrayLike, ArrayLike],
    size: int = STAMP_SIZE_PX,
) -> Stamps:
    """Cut raw stamps out of three images on one grid and their mask.

    The stamp's central pixel is the one that holds the position; values are copied, never resampled. Beyond the
    image the three images are NaN and the mask is 1 (bad).

    Parameters
    ----------
    science, reference, difference : (ny, nx), counts; NaN allowed. Mapped ones will do: only what is cut out is read.
    mask : (ny, nx) bool, True = bad.
    positions : x and y, each (n,), pixels, 0-based centres.
    size : odd number of pixels.

    Returns
    -------
    (n, 4, size, size) float32 in the order of `CHANNELS`; the mask is 0 or 1.

    Raises
    ------
    ValueError : the images differ in shape, `size` is even, or a position is not finite.
    """
    x, y = (np.atleast_1d(np.asarray(axis, dtype=np.float64)) for axis in positions)
    if size < 1 or size % 2 == 0:
        raise ValueError(f"a stamp has a central pixel, so its size is odd: {size} is not")
    if len({image.shape for image in (science, reference, difference, mask)}) != 1:
        raise ValueError("science, reference, difference and mask must share one grid")
    if x.shape != y.shape or not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("positions need as many finite x as y")
    stamps = np.full((x.size, len(CHANNELS), size, size), np.nan, dtype=np.float32)
    stamps[:, 3] = 1.0
    ny, nx = science.shape
    left = np.rint(x).astype(int) - size // 2
    bottom = np.rint(y).astype(int) - size // 2
    for stamp, x0, y0 in zip(stamps, left, bottom, strict=True):
        columns = slice(max(x0, 0), min(x0 + size, nx))
        rows = slice(max(y0, 0), min(y0 + size, ny))
        if columns.start >= columns.stop or rows.start >= rows.stop:
            continue
        inside = (slice(rows.start - y0, rows.stop - y0), slice(columns.start - x0, columns.stop - x0))
        for channel, image in enumerate((science, reference, difference, mask)):
            stamp[channel][inside] = image[rows, columns]
    return stamps


def network_input(stamps: Stamps, fwhm_px: ArrayLike) -> tuple[Stamps, NDArray[np.bool_]]:
    """Bring stamps to one FWHM and one brightness scale, without NaN.

    Each image is resampled so that a star is 3 px wide (area-weighted, so that noise averages as it should), its
    median is subtracted, it is divided by 1.4826 MAD of its good pixels and compressed by asinh. Unknown pixels
    become 0 (the sky) and are told apart by the mask channel. Frames of any pixel scale thus look alike.

    Parameters
    ----------
    stamps : (n, 4, size, size) raw stamps; NaN = unknown.
    fwhm_px : one number or (n,), FWHM of a star in the raw stamps, pixels.

    Returns
    -------
    (n, 4, 31, 31) float32, finite; and (n,) bool: False where the core is unknown in one of the images or where
    an image is constant, so that no score can be given.

    Raises
    ------
    ValueError : wrong shape, or a FWHM that is not a positive number.
    """
    if stamps.ndim != 4 or stamps.shape[1] != len(CHANNELS) or stamps.shape[2] != stamps.shape[3]:
        raise ValueError(f"stamps are (n, 4, size, size), not {stamps.shape}")
    count, size = stamps.shape[0], stamps.shape[2]
    fwhm = np.broadcast_to(np.asarray(fwhm_px, dtype=np.float64), (count,))
    if not (np.isfinite(fwhm).all() and (fwhm > 0).all()):
        raise ValueError("the FWHM must be a positive number of pixels")
    weights = resampling_weights(fwhm, size)
    finite = np.abs(stamps[:, :3]) < BEYOND_COUNTS  # False for NaN too
    images, known = _resample(np.where(finite, stamps[:, :3], 0.0).astype(np.float32), finite, weights)
    bad, inside = _resample(np.nan_to_num(stamps[:, 3:], nan=1.0), np.ones_like(finite[:, :1]), weights)
    bad = np.where(inside > 0, bad, 1.0)
    unknown = np.maximum(bad[:, 0], 1.0 - known.min(axis=1))
    values, is_scaled = _standardise(images, known > 0, unknown > 0.5)
    core = _core(known)
    is_usable: NDArray[np.bool_] = is_scaled & (core >= LEAST_KNOWN_CORE_SHARE).all(axis=1)
    return np.concatenate([values, unknown[:, None]], axis=1).astype(np.float32), is_usable


def resampling_weights(fwhm_px: NDArray[np.float64], size: int) -> NDArray[np.float32]:
    """Give the one-dimensional weights that bring `size` raw pixels to the network's grid.

    A triangle of the coarser grid's pitch: linear interpolation where the stamp is enlarged, area-weighted
    averaging where it is shrunk.

    Parameters
    ----------
    fwhm_px : (n,), pixels.

    Returns
    -------
    (n, 31, size) float32; a row sums to 1, or less where it reaches beyond the stamp.
    """
    pitch = (fwhm_px / NETWORK_FWHM_PX)[:, None, None]
    target = (np.arange(NETWORK_SIZE_PX) - NETWORK_SIZE_PX // 2)[None, :, None] * pitch
    width = np.maximum(pitch, 1.0)
    half = size // 2
    # The sum runs over an endless row of pixels, so that what a stamp lacks at its edge is seen as lacking.
    reach = max(half, int(np.ceil(np.abs(target).max(initial=0.0) + width.max(initial=0.0))))
    source = np.arange(-reach, reach + 1)[None, None, :]
    weights = np.clip(1.0 - np.abs(source - target) / width, 0.0, None)
    weights /= weights.sum(axis=2, keepdims=True)
    return weights[:, :, reach - half : reach - half + size].astype(np.float32)


def _resample(
    images: NDArray[np.float32], known: NDArray[np.bool_], weights: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the weighted mean of the known pixels and their share of the weight, both (n, channels, 31, 31)."""
    rows = weights[:, None]
    columns = np.swapaxes(rows, 2, 3)
    share = rows @ known.astype(np.float32) @ columns
    total = rows @ images @ columns
    # Below a tenth of the weight the mean is one far pixel's noise: unknown.
    mean = np.divide(total, share, out=np.zeros_like(total), where=share > 0.1)
    return mean, np.clip(np.where(share > 0.1, share, 0.0), 0.0, 1.0)


def _standardise(
    images: NDArray[np.float32], is_known: NDArray[np.bool_], is_bad: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return asinh of the deviations in robust sigmas, 0 where unknown, and whether all three images have a scale."""
    good = np.where(is_known & ~is_bad[:, None], images, np.nan).reshape(*images.shape[:2], -1)
    # A stamp that is masked all over is judged by its known pixels: the mask channel still says what they are.
    is_hopeless = np.isnan(good).all(axis=2, keepdims=True)
    good = np.where(is_hopeless & is_known.reshape(good.shape), images.reshape(good.shape), good)
    centre = _median(good)
    scale = MAD_TO_SIGMA * _median(np.abs(good - centre[:, :, None]))
    has_scale = scale > 0  # False for NaN too
    deviation = images - centre[:, :, None, None]
    is_valued = has_scale[:, :, None, None] & is_known
    deviation = np.divide(deviation, scale[:, :, None, None], out=np.zeros_like(images), where=is_valued)
    return np.arcsinh(deviation), np.all(has_scale, axis=1)


def _median(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the (upper) median along the last axis without NaN; NaN if all are. `nanmedian` is slower."""
    in_order = np.sort(values, axis=-1)  # NaN last
    middle = np.isfinite(in_order).sum(axis=-1, keepdims=True) // 2
    return np.take_along_axis(in_order, middle, axis=-1)[..., 0]


def _core(known: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the known share of the core, one FWHM square, for each image: (n, 3)."""
    middle, half = NETWORK_SIZE_PX // 2, int(NETWORK_FWHM_PX) // 2
    core = slice(middle - half, middle + half + 1)
    return known[:, :, core, core].mean(axis=(2, 3))
