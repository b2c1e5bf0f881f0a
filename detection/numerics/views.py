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
# Every second pixel of a view tells its median and spread to some per cent, in half the time.
_SAMPLED = 2


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
    count = len(stamps)
    fwhm = np.ascontiguousarray(np.broadcast_to(np.asarray(fwhm_px, dtype=np.float64), (count,)))
    if not (np.isfinite(fwhm).all() and (fwhm > 0).all()):
        raise ValueError("the FWHM must be a positive number of pixels")
    raw = np.ascontiguousarray(stamps, dtype=np.float32)
    prepared = np.empty((count, len(VIEWS_FWHM_PX), len(CHANNELS), NETWORK_SIZE_PX, NETWORK_SIZE_PX), dtype=np.float32)
    is_usable = np.ones(count, dtype=np.bool_)
    # Most stamps lack nothing, and what lacks nothing is worked off in half the time. False for NaN too.
    flat = raw.reshape(count, -1)
    is_whole = (flat.max(axis=1) < BEYOND_COUNTS) & (flat.min(axis=1) > -BEYOND_COUNTS)
    for chosen in (is_whole, ~is_whole):
        if chosen.all():
            is_usable[:] = _write_views(raw, fwhm, prepared, may_lack=not is_whole[0])
        elif chosen.any():
            views = np.empty((int(chosen.sum()), *prepared.shape[1:]), dtype=np.float32)
            is_usable[chosen] = _write_views(raw[chosen], fwhm[chosen], views, may_lack=chosen is not is_whole)
            prepared[chosen] = views
    return prepared.reshape(count, -1, NETWORK_SIZE_PX, NETWORK_SIZE_PX), is_usable


def _write_views(stamps: Stamps, fwhm_px: NDArray[np.float64], out: Stamps, *, may_lack: bool) -> NDArray[np.bool_]:
    """Write both views of stamps, (n, 2, 4, 31, 31), and return which of them can be scored."""
    known = None
    if may_lack:
        is_known = np.abs(stamps) < BEYOND_COUNTS
        # A mask that nobody knows is bad.
        is_known[:, -1] = True
        stamps = np.where(is_known, stamps, np.float32(0.0))
        stamps[:, -1] = np.nan_to_num(stamps[:, -1], nan=1.0)
        known = is_known.astype(np.float32)
    is_usable = np.ones(len(stamps), dtype=np.bool_)
    for pixels, view in zip(VIEWS_FWHM_PX, np.moveaxis(out, 1, 0), strict=True):
        first, weights = taps_of(fwhm_px / pixels, stamps.shape[2])
        # Of all four, or one for all where nothing lacks.
        share = _inside(first, weights, stamps.shape[2]) if known is None else _resampled(known, first, weights)
        np.minimum(share, np.float32(1.0), out=share)
        share[share <= _LEAST_SHARE] = 0.0
        np.divide(_resampled(stamps, first, weights), np.where(share > 0.0, share, np.float32(np.inf)), out=view)
        # Bad is what the mask says, what lies beyond the stamp, and what any image lacks.
        view[:, -1][share[:, -1] == 0.0] = 1.0
        np.maximum(view[:, -1], np.float32(1.0) - share[:, :3].min(axis=1), out=view[:, -1])
        is_scaled = _standardise(view[:, :-1], share[:, :3] > 0.0, view[:, -1] > 0.5)
        if pixels == NETWORK_FWHM_PX:
            is_usable = is_scaled & (_core(share[:, :3]) >= LEAST_KNOWN_CORE_SHARE).all(axis=1)
    return is_usable


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


def _inside(first: NDArray[np.int64], weights: Floats, size: int) -> Floats:
    """Return the share of the weight that lies in stamps that lack nothing, the same for all images: (n, 1, 31, 31)."""
    place = first[:, :, None] + np.arange(weights.shape[2])
    along = np.where((place >= 0) & (place < size), weights, np.float32(0.0)).sum(axis=2)
    return (along[:, :, None] * along[:, None, :])[:, None]


@compiled
def _resampled(images: Floats, first: NDArray[np.int64], weights: Floats) -> Floats:
    """Return the weighted sums of images (n, c, size, size) along both axes: (n, c, 31, 31)."""
    count, channels, size, _ = images.shape
    side, taps = weights.shape[1], weights.shape[2]
    out = np.empty((count, channels, side, side), dtype=np.float32)
    line = np.empty(size, dtype=np.float32)
    turned = np.empty((size, side), dtype=np.float32)
    for n in range(count):
        for channel in range(channels):
            is_empty = True  # as most masks are
            for row in range(size):
                for k in range(size):
                    is_empty &= images[n, channel, row, k] == 0.0
            if is_empty:
                out[n, channel] = 0.0
                continue
            # The sums over rows, with what is across put along, so that both sums run through memory in its order.
            for j in range(side):
                line[:] = 0.0
                for t in range(max(0, -first[n, j]), min(taps, size - first[n, j])):
                    weight, row = weights[n, j, t], first[n, j] + t
                    for k in range(size):
                        line[k] += weight * images[n, channel, row, k]
                for k in range(size):
                    turned[k, j] = line[k]
            for i in range(side):
                line[:] = 0.0
                for t in range(max(0, -first[n, i]), min(taps, size - first[n, i])):
                    weight, row = weights[n, i, t], first[n, i] + t
                    for j in range(side):
                        line[j] += weight * turned[row, j]
                for j in range(side):
                    out[n, channel, j, i] = line[j]
    return out


def _standardise(images: Floats, is_known: NDArray[np.bool_], is_bad: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Put asinh of the deviations in robust sigmas in place of images (n, 3, 31, 31), 0 where unknown.

    is_known : (n, 3, 31, 31), or (n, 1, 31, 31) for all three. Returns (n,) bool, whether all three have a scale.
    """
    whole = (is_known.all(axis=1) & ~is_bad).all(axis=(1, 2))
    centre, scale = (np.empty(images.shape[:2], dtype=np.float32) for _ in range(2))
    pixels = images.reshape(*images.shape[:2], -1)[..., ::_SAMPLED]
    for chosen, is_whole in ((whole, True), (~whole, False)):
        if not chosen.any():
            continue
        good = pixels[chosen]
        if not is_whole:
            known = is_known[chosen].reshape(len(good), is_known.shape[1], -1)[..., ::_SAMPLED]
            known = np.broadcast_to(known, good.shape)
            fair = known & ~is_bad[chosen].reshape(len(good), 1, -1)[..., ::_SAMPLED]
            # A stamp that is masked all over is judged by its known pixels: the mask still says what they are.
            fair = np.where(fair.any(axis=2, keepdims=True), fair, known)
            good = np.where(fair, good, np.float32(np.nan))
        centre[chosen] = median_of_known(good)
        good -= centre[chosen][:, :, None]
        scale[chosen] = np.float32(MAD_TO_SIGMA) * median_of_known(np.abs(good, out=good))
    has_scale = scale > 0  # False for NaN too
    images -= np.where(has_scale, centre, np.float32(0.0))[:, :, None, None]
    images /= np.where(has_scale, scale, np.float32(np.inf))[:, :, None, None]
    if not whole.all():
        images *= is_known
    np.arcsinh(images, out=images)
    is_scaled: NDArray[np.bool_] = np.all(has_scale, axis=1)
    return is_scaled


def median_of_known(values: Floats) -> Floats:
    """Return the (upper) median along the last axis without NaN; NaN if all are. `nanmedian` is slower."""
    count = values.shape[-1]
    known = np.isfinite(values).sum(axis=-1)
    if (known == count).all():
        whole: Floats = np.partition(values, count // 2, axis=-1)[..., count // 2]
        return whole
    in_order = np.sort(values, axis=-1)  # NaN last
    return np.take_along_axis(in_order, np.minimum(known // 2, count - 1)[..., None], axis=-1)[..., 0]


def _core(known: Floats) -> Floats:
    """Return the known share of the core, one FWHM square, for each image: (n, 3)."""
    middle, half = NETWORK_SIZE_PX // 2, int(NETWORK_FWHM_PX) // 2
    core = slice(middle - half, middle + half + 1)
    return known[:, :, core, core].mean(axis=(2, 3))
