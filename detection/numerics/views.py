"""The form in which networks see stamps: two views of one brightness scale, of whatever telescope."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from detection.numerics.stamps import BEYOND_COUNTS, CHANNELS, Stamps
from observations.numerics.compiled import compiled
from observations.numerics.statistics import MAD_TO_SIGMA

Floats = NDArray[np.float32]

# The grids, 31 px each. A FWHM of 3 px is the coarsest sampling at which a cosmic ray (one pixel) still differs from a
# star (three), and sees 10 FWHM across: a dipole, a piece of a trail, the host. A FWHM of 1 px sees 31: whether there
# is a galaxy, a spike of a bright star, a trail, or the next flash of a train.
NETWORK_SIZE_PX = 31
NETWORK_FWHM_PX = 3.0
VIEWS_FWHM_PX = (NETWORK_FWHM_PX, 1.0)

# A stamp whose core (one FWHM around the candidate) is known by less than half of its weight is no evidence.
LEAST_KNOWN_CORE_SHARE = 0.5
# Below a tenth of the weight a mean is one far pixel's noise: unknown.
_LEAST_SHARE = 0.1


def network_input(stamps: NDArray[np.floating], fwhm_px: ArrayLike) -> tuple[Stamps, NDArray[np.bool_]]:
    """Bring stamps to one FWHM and one brightness scale in two views, near and wide, without NaN.

    Each image is resampled so that a star is 3 px wide, and again so that it is 1 px wide (area-weighted, so that noise
    averages as it should); in each view its median is subtracted, it is divided by 1.4826 MAD of its good pixels and
    compressed by asinh. Unknown pixels become 0 (the sky) and are told apart by the mask channel. Frames of any pixel
    scale thus look alike.

    Parameters
    ----------
    stamps : (n, 4, size, size) raw stamps, or as `examples.standardised` keeps them; NaN = unknown.
    fwhm_px : one number or (n,), FWHM of a star in the stamps, pixels.

    Returns
    -------
    (n, 8, 31, 31) float32, finite: four channels of the near view, then of the wide one; and (n,) bool: False where the
    core is unknown in one of the images or where an image is constant, so that no score can be given.

    Raises
    ------
    ValueError : wrong shape, or a FWHM that is not a positive number.
    """
    if stamps.ndim != 4 or stamps.shape[1] != len(CHANNELS) or stamps.shape[2] != stamps.shape[3]:
        raise ValueError(f"stamps are (n, 4, size, size), not {stamps.shape}")
    count, _, size, _ = stamps.shape
    fwhm = np.ascontiguousarray(np.broadcast_to(np.asarray(fwhm_px, dtype=np.float64), (count,)))
    if not (np.isfinite(fwhm).all() and (fwhm > 0).all()):
        raise ValueError("the FWHM must be a positive number of pixels")
    raw = np.ascontiguousarray(stamps, dtype=np.float32)
    parts, is_usable = [], np.ones(count, dtype=np.bool_)
    for pixels in VIEWS_FWHM_PX:
        images, share = _resampled(raw, *taps_of(fwhm / pixels, size))
        known = share[:, :-1]
        # Bad is what the mask says, what lies beyond the stamp, and what any image lacks.
        bad = np.where(share[:, -1] > 0.0, images[:, -1], np.float32(1.0))
        unknown = np.maximum(bad, np.float32(1.0) - known.min(axis=1))
        values, is_scaled = _standardised(images[:, :-1], known > 0.0, unknown > 0.5)
        parts += [values, unknown[:, None]]
        if pixels == NETWORK_FWHM_PX:
            is_usable = is_scaled & (_core(known) >= LEAST_KNOWN_CORE_SHARE).all(axis=1)
    return np.concatenate(parts, axis=1), is_usable


def taps_of(pitch: NDArray[np.float64], size: int) -> tuple[NDArray[np.int64], Floats]:
    """Give the one-dimensional weights that bring `size` raw pixels to 31 px of a pitch: first pixel, and weights.

    A triangle of the coarser grid's pitch: linear interpolation where the stamp is enlarged, area-weighted averaging
    where it is shrunk. The weights of an endless row of pixels sum to 1; those that lie beyond the stamp are there, so
    that what it lacks at its edge is seen as lacking.

    Returns
    -------
    (n, 31) of the first raw pixel, which may lie beyond the stamp, and (n, 31, taps).
    """
    width = np.maximum(pitch, 1.0)[:, None]
    middle = (np.arange(NETWORK_SIZE_PX) - NETWORK_SIZE_PX // 2)[None, :] * pitch[:, None] + size // 2
    first = np.ceil(middle - width).astype(np.int64)
    taps = first[:, :, None] + np.arange(int(2 * np.ceil(width.max(initial=1.0))) + 1)
    weights = np.clip(1.0 - np.abs(taps - middle[:, :, None]) / width[:, :, None], 0.0, None)
    weights /= weights.sum(axis=2, keepdims=True)
    return first, weights.astype(np.float32)


@compiled
def _weighted(image: Floats, first: NDArray[np.int64], weights: Floats) -> Floats:
    """Return the weighted sums of rows (m, k), transposed, so that doing it twice does both axes: (k, 31)."""
    size, width = image.shape
    side, taps = weights.shape
    line, out = np.empty(width, dtype=np.float32), np.empty((width, side), dtype=np.float32)
    for j in range(side):
        for k in range(width):
            line[k] = 0.0
        for t in range(max(0, -first[j]), min(taps, size - first[j])):
            weight = weights[j, t]
            for k in range(width):
                line[k] += weight * image[first[j] + t, k]
        for k in range(width):
            out[k, j] = line[k]
    return out


@compiled
def _resampled(stamps: Stamps, first: NDArray[np.int64], weights: Floats) -> tuple[Floats, Floats]:
    """Return the weighted mean of the known pixels and their share of the weight, both (n, 4, 31, 31).

    A mask that is not known is bad.
    """
    count, channels, size, _ = stamps.shape
    side, taps = weights.shape[1], weights.shape[2]
    images = np.zeros((count, channels, side, side), dtype=np.float32)
    share = np.zeros((count, channels, side, side), dtype=np.float32)
    values, known = np.empty((size, size), dtype=np.float32), np.empty((size, size), dtype=np.float32)
    inside = np.empty(side, dtype=np.float32)
    for n in range(count):
        for i in range(side):
            inside[i] = 0.0
            for t in range(max(0, -first[n, i]), min(taps, size - first[n, i])):
                inside[i] += weights[n, i, t]
        for channel in range(channels):
            lacks = 0
            for j in range(size):
                for k in range(size):
                    value = stamps[n, channel, j, k]
                    if channel == channels - 1 and value != value:
                        value = np.float32(1.0)
                    is_known = abs(value) < BEYOND_COUNTS
                    lacks += 0 if is_known else 1
                    values[j, k] = value if is_known else np.float32(0.0)
                    known[j, k] = np.float32(1.0) if is_known else np.float32(0.0)
            total = _weighted(_weighted(values, first[n], weights[n]), first[n], weights[n])
            seen = np.outer(inside, inside)
            if lacks > 0:
                seen = _weighted(_weighted(known, first[n], weights[n]), first[n], weights[n])
            for j in range(side):
                for i in range(side):
                    if seen[j, i] > _LEAST_SHARE:
                        images[n, channel, j, i] = total[j, i] / seen[j, i]
                        share[n, channel, j, i] = min(seen[j, i], np.float32(1.0))
    return images, share


def _standardised(
    images: Floats, is_known: NDArray[np.bool_], is_bad: NDArray[np.bool_]
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return asinh of the deviations in robust sigmas, 0 where unknown, and whether all three images have a scale."""
    good = np.where(is_known & ~is_bad[:, None], images, np.float32(np.nan)).reshape(*images.shape[:2], -1)
    # A stamp that is masked all over is judged by its known pixels: the mask channel still says what they are.
    is_hopeless = np.isnan(good).all(axis=2, keepdims=True)
    if is_hopeless.any():
        good = np.where(is_hopeless & is_known.reshape(good.shape), images.reshape(good.shape), good)
    centre = median_of_known(good)
    good -= centre[:, :, None]
    scale = np.float32(MAD_TO_SIGMA) * median_of_known(np.abs(good, out=good))
    has_scale = scale > 0  # False for NaN too
    deviation = images - np.where(has_scale, centre, 0.0)[:, :, None, None]
    deviation /= np.where(has_scale, scale, 1.0)[:, :, None, None]
    deviation[~(has_scale[:, :, None, None] & is_known)] = 0.0
    return np.arcsinh(deviation, out=deviation), np.all(has_scale, axis=1)


def median_of_known(values: Floats) -> Floats:
    """Return the (upper) median along the last axis without NaN; NaN if all are. `nanmedian` is slower."""
    in_order = np.sort(values, axis=-1)  # NaN last
    middle = np.minimum(np.isfinite(in_order).sum(axis=-1, keepdims=True) // 2, values.shape[-1] - 1)
    return np.take_along_axis(in_order, middle, axis=-1)[..., 0]


def _core(known: Floats) -> Floats:
    """Return the known share of the core, one FWHM square, for each image: (n, 3)."""
    middle, half = NETWORK_SIZE_PX // 2, int(NETWORK_FWHM_PX) // 2
    core = slice(middle - half, middle + half + 1)
    return known[:, :, core, core].mean(axis=(2, 3))
