"""What the empty sky of a frame says about its noise: level, correlation, power."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from observations.numerics.compiled import compiled
from observations.numerics.frame import Image, Mask
from observations.numerics.statistics import MAD_TO_SIGMA

# Lags beyond 3 px are below 0.5 % for splines and Lanczos kernels; wider windows only add noise.
MAX_LAG_PX = 3
# A pixel is left out of the noise when the smoothed image stands out of the sky by this many of its sigma. At 2.5 the
# cut takes the noise's own excursions and leaves white noise anticorrelated by 1 % (score noise 1.12 instead of 1.0).
SOURCE_SIGMA = 4.0
# Values that sigma and the correlation are taken from.
LARGEST_SAMPLE = 200_000
FEWEST_PAIRS = 1000
# Correlations below this are sources too faint to be masked, not the camera: the noise counts as white.
WHITE_BELOW = 0.03


def sigma_of_good(image: Image, mask: Mask) -> float:
    """Return `robust_sigma` of what is not masked (mask : True = bad), of large images from rows that tell enough."""
    rows = np.s_[:: max(1, image.size // (4 * LARGEST_SAMPLE))]
    return robust_sigma(image[rows][~mask[rows]])


def robust_sigma(values: NDArray[np.floating]) -> float:
    """Return 1.4826 times the median absolute deviation of the finite values, NaN where there are none.

    Of very many values every so-many-th is taken: a hundred thousand give sigma to half a per cent.
    """
    sample = np.asarray(values).ravel()
    sample = sample[:: max(1, sample.size // LARGEST_SAMPLE)]
    finite = sample[np.isfinite(sample)]
    if finite.size == 0:
        return float("nan")
    return float(MAD_TO_SIGMA * np.median(np.abs(finite - np.median(finite))))


def source_mask(image: Image, mask: Mask, *, smooth_px: float = 1.5, grow_px: int = 3) -> Mask:
    """Mark the pixels that hold flux of sources of either sign, grown by `grow_px`.

    Looked for in bins of 2 x 2 pixels: a source covers several of them.

    Parameters
    ----------
    image : (ny, nx) with its background near 0. mask : (ny, nx) bool, True = bad.

    Returns
    -------
    (ny, nx) bool, True = source or bad.
    """
    if mask.all():
        return mask.copy()
    ny, nx = image.shape
    binned = np.empty(((ny + 1) // 2, (nx + 1) // 2), dtype=np.float32)
    _bin(image, mask, binned)
    smooth = ndimage.gaussian_filter(binned, 0.5 * smooth_px)
    # Bins without a good pixel are 0: where frames overlap by half they would be the commonest.
    some = smooth[::3, ::3]
    known = some[~mask[::6, ::6]]
    known = known if known.size else some
    centre, sigma = float(np.median(known)), robust_sigma(known)
    found = np.abs(smooth - centre) > SOURCE_SIGMA * sigma
    found = ndimage.binary_dilation(found, iterations=(grow_px + 1) // 2)
    return np.repeat(np.repeat(found, 2, axis=0), 2, axis=1)[:ny, :nx] | mask


@compiled
def _bin(image: Image, mask: Mask, binned: Image) -> None:
    """Write the mean of the good ones of each 2 x 2 pixels, 0 where there is none."""
    ny, nx = image.shape
    for j in range(binned.shape[0]):
        for i in range(binned.shape[1]):
            total, count = np.float32(0), 0
            for y in range(2 * j, min(2 * j + 2, ny)):
                for x in range(2 * i, min(2 * i + 2, nx)):
                    if not mask[y, x]:
                        total += image[y, x]
                        count += 1
            binned[j, i] = total / np.float32(max(count, 1))


def correlation_of(covariances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the correlation of neighbouring pixels of noise with these covariances, as `covariance` gives them.

    Returns
    -------
    (2L + 1, 2L + 1) correlation coefficients for lags -L..L (L = 3) in y and x, 1 at the centre, symmetric about it.
    Where no coefficient reaches 3 % all are 0: the noise is white. What is common to the longest lags is structure of
    the sky and not noise of pixels; it is taken off (a crowded field, left in, made the spectrum negative and the score
    ring at 7 sigma).
    """
    whole = covariances[MAX_LAG_PX, MAX_LAG_PX]
    if not whole > 0.0:
        return white_correlation()
    out = _without_structure(covariances / whole)
    return white_correlation() if np.sort(np.abs(out).ravel())[-2] < WHITE_BELOW else out


def white_correlation() -> NDArray[np.float64]:
    """Return the correlation of noise of which neighbours share nothing."""
    out = np.zeros((2 * MAX_LAG_PX + 1,) * 2)
    out[MAX_LAG_PX, MAX_LAG_PX] = 1.0
    return out


def covariance(one: Image, other: Image, empty: Mask) -> NDArray[np.float64]:
    """Measure the covariance of two images, or of one with itself, on empty sky at lags of up to 3 px.

    Parameters
    ----------
    one, other : (ny, nx) with their background near 0. empty : (ny, nx) bool, True = pixel to use (no source, not bad).

    Returns
    -------
    (2L + 1, 2L + 1) for lags -L..L (L = 3) in y and x, symmetric about its centre: of opposite lags one is looked at.
    Lags with less than a thousand pairs are 0: a coefficient's error is 1/sqrt(pairs). Of large images every so-many-th
    row is looked at, and those below it.
    """
    size = 2 * MAX_LAG_PX + 1
    out = np.zeros((size, size))
    step = max(1, one.size // LARGEST_SAMPLE)
    # 4 sigma keeps cosmic rays from setting the coefficient.
    limits = [np.float32(4.0 * robust_sigma(image[::step][empty[::step]])) for image in (one, other)]
    if not all(limit > 0 for limit in limits):
        return out
    sums, pairs = np.zeros((MAX_LAG_PX + 1, size)), np.zeros((MAX_LAG_PX + 1, size))
    _lag_sums((one, other), empty, (limits[0], limits[1]), step, sums, pairs)
    known = np.where(pairs < FEWEST_PAIRS, 0.0, sums / np.maximum(pairs, 1.0))
    known[0] = 0.5 * (known[0] + known[0, ::-1])
    out[MAX_LAG_PX:], out[:MAX_LAG_PX] = known, known[:0:-1, ::-1]
    return out


@compiled
def _lag_sums(
    images: tuple[Image, Image],
    empty: Mask,
    limits: tuple[np.float32, np.float32],
    step: int,
    sums: NDArray[np.float64],
    pairs: NDArray[np.float64],
) -> None:
    """Sum the products of pixels within the limits with the other's at lags (0..L, -L..L), and count them."""
    one, other = images
    ny, nx = one.shape
    lag = sums.shape[0] - 1
    for y in range(0, ny, step):
        for dy in range(min(lag + 1, ny - y)):
            for dx in range(-lag, lag + 1):
                total, count = np.float64(0), 0
                for x in range(max(0, -dx), nx - max(0, dx)):
                    a, b = one[y, x], other[y + dy, x + dx]
                    use = empty[y, x] & empty[y + dy, x + dx] & (abs(a) < limits[0]) & (abs(b) < limits[1])
                    total += a * b if use else np.float32(0)
                    count += use
                sums[dy, lag + dx] += total
                pairs[dy, lag + dx] += count


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
