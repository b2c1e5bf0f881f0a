"""What the empty sky of a frame says about its noise: level, correlation, power."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from observations.numerics.frame import Image, Mask
from observations.numerics.statistics import MAD_TO_SIGMA

# Lags beyond 3 px are below 0.5 % for splines and Lanczos kernels; wider windows only add noise.
MAX_LAG_PX = 3
# A pixel is left out of the noise when the smoothed image stands out of the sky by this many of its sigma. At 2.5 the
# cut takes the noise's own excursions and leaves white noise anticorrelated by 1 % (score noise 1.12 instead of 1.0).
SOURCE_SIGMA = 4.0
# Correlations below this are sources too faint to be masked, not the camera: the noise counts as white.
WHITE_BELOW = 0.03


def robust_sigma(values: NDArray[np.floating]) -> float:
    """Return 1.4826 times the median absolute deviation of the finite values, NaN where there are none."""
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return float("nan")
    return float(MAD_TO_SIGMA * np.median(np.abs(finite - np.median(finite))))


def source_mask(image: Image, mask: Mask, *, smooth_px: float = 1.5, grow_px: int = 3) -> Mask:
    """Mark the pixels that hold flux of sources of either sign, grown by `grow_px`.

    Parameters
    ----------
    image : (ny, nx) with its background near 0. mask : (ny, nx) bool, True = bad.

    Returns
    -------
    (ny, nx) bool, True = source or bad.
    """
    smooth = ndimage.gaussian_filter(np.where(mask, 0.0, image).astype(np.float32), smooth_px)
    if mask.all():
        return mask.copy()
    sample = smooth[~mask]
    centre, sigma = float(np.median(sample)), robust_sigma(sample)
    found = np.abs(smooth - centre) > SOURCE_SIGMA * sigma
    return ndimage.binary_dilation(found, iterations=grow_px) | mask


def correlation(image: Image, empty: Mask) -> NDArray[np.float64]:
    """Measure the correlation of neighbouring pixels on empty sky.

    Parameters
    ----------
    image : (ny, nx) with its background near 0. empty : (ny, nx) bool, True = pixel to use (no source, not bad).

    Returns
    -------
    (2L + 1, 2L + 1) correlation coefficients for lags -L..L (L = 3) in y and x, 1 at the centre, symmetric about it.
    Lags with less than a thousand pairs are 0: a coefficient's error is 1/sqrt(pairs). Where no coefficient reaches
    3 % all are 0: the noise is white. What is common to the longest lags is structure of the sky and not noise of
    pixels; it is taken off (a crowded field, left in, made the spectrum negative and the score ring at 7 sigma).
    """
    size = 2 * MAX_LAG_PX + 1
    out = np.zeros((size, size))
    out[MAX_LAG_PX, MAX_LAG_PX] = 1.0
    values = np.where(empty, image, 0.0).astype(np.float32)
    sigma = robust_sigma(values[empty]) if empty.any() else float("nan")
    if not np.isfinite(sigma) or sigma == 0.0:
        return out
    clipped = empty & (np.abs(values) < 4.0 * sigma)  # 4 sigma keeps cosmic rays from setting the coefficient
    values = np.where(clipped, values, 0.0)
    weight = clipped.astype(np.float32)
    power = float(np.sum(values**2, dtype=np.float64) / max(weight.sum(dtype=np.float64), 1.0))
    ny, nx = image.shape
    for dy in range(MAX_LAG_PX + 1):
        for dx in range(-MAX_LAG_PX, MAX_LAG_PX + 1):
            if dy == 0 and dx <= 0:
                continue
            a = (slice(0, ny - dy), slice(max(0, -dx), nx - max(0, dx)))
            b = (slice(dy, ny), slice(max(0, dx), nx + min(0, dx)))
            pairs = float(np.vdot(weight[a], weight[b]))
            if pairs < 1000.0:
                continue
            rho = float(np.vdot(values[a], values[b])) / pairs / power
            out[MAX_LAG_PX + dy, MAX_LAG_PX + dx] = out[MAX_LAG_PX - dy, MAX_LAG_PX - dx] = rho
    out = _without_structure(out)
    if np.sort(np.abs(out).ravel())[-2] < WHITE_BELOW:
        out[:] = 0.0
        out[MAX_LAG_PX, MAX_LAG_PX] = 1.0
    return out


def _without_structure(coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take the mean of the longest lags, where it is positive, out of all lags, and make the centre 1 again."""
    ring = np.ones(coefficients.shape, dtype=bool)
    ring[1:-1, 1:-1] = False
    level = max(float(coefficients[ring].mean()), 0.0)
    out = (coefficients - level) / (1.0 - level) if level < 1.0 else np.zeros_like(coefficients)
    out[MAX_LAG_PX, MAX_LAG_PX] = 1.0
    return out


def noise_power(coefficients: NDArray[np.float64], shape: tuple[int, int], *, floor: float = 0.1) -> Image:
    """Turn correlation coefficients into the noise power spectrum on the half plane of `rfft2`.

    Parameters
    ----------
    coefficients : as `correlation` returns. shape : (ny, nx) of the transform.
    floor : smallest power. Resampling removes nearly all noise at the Nyquist frequency, where dividing by
        what remains would amplify any error of the model; 0.1 costs < 1 % of the depth in simulated pairs.

    Returns
    -------
    (ny, nx // 2 + 1) float32 of mean about 1 over the whole plane: 1 everywhere for white noise.
    """
    lag = (coefficients.shape[0] - 1) // 2
    kernel = np.zeros(shape)
    rows, columns = np.arange(-lag, lag + 1) % shape[0], np.arange(-lag, lag + 1) % shape[1]
    kernel[np.ix_(rows, columns)] = coefficients
    power = np.fft.rfft2(kernel).real
    return np.maximum(power, floor).astype(np.float32)
