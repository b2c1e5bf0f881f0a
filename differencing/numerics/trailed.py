"""Fit what moved during its exposure: a PSF drawn out along a straight line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft, optimize

from observations.numerics.frame import Image, Mask
from observations.numerics.statistics import FWHM_PER_SIGMA

Array = NDArray[np.float64]

# Below half a FWHM a trail widens a star by 5 %: as much as PSF models err. The gain in chi² is that of five sigma.
SHORTEST_FWHM = 0.5
LEAST_CHI2_GAIN = 25.0
# Shapes whose ellipticity times S/N is below this are round within their noise, and not worth a fit.
ELONGATED_SIGMA = 4.0
# The window reaches so many FWHM beyond the trail's ends.
_MARGIN_FWHM = 4.0
_LONGEST_PX = 200.0
_LARGEST_ERROR = 0.3
# A round source is tried with its star blurred by so many FWHM.
_ROUND_FWHM = (1.0, 1.7, 2.6, 3.9)
# A fit has come to its end when a step changes the sum of squares, or itself, by less than this share.
_ENOUGH = 1e-6
# Turns below which the slope of sin(q) / q is its first term.
_SMALL = 1e-6


@dataclass(frozen=True)
class Trails:
    """One entry per peak, NaN where no trail is significant; angles in degrees from +x to +y, 0 to 180.

    x, y : the trail's middle, where the source was in the middle of the exposure. flux : of the whole trail.
    chi2_gain : by how much the trail fits better than a point, two parameters more.
    """

    x: Array
    y: Array
    length_px: Array
    length_error_px: Array
    theta_deg: Array
    theta_error_deg: Array
    flux: Array
    flux_error: Array
    chi2_gain: Array


class Peak(NamedTuple):
    """Where a trail may be: place, flux as of a point, FWHM, ellipticity and angle as measured (NaN allowed)."""

    x: float
    y: float
    flux: float
    fwhm: float
    ellipticity: float
    theta_deg: float


class Scene(NamedTuple):
    """A difference image with its mask, the noise of a pixel, and electrons per count (None: sky noise alone)."""

    image: Image
    mask: Mask
    sigma: float
    gain: float | None


def no_trails(count: int) -> Trails:
    """Return as many entries without a trail."""
    return Trails(*(np.full(count, np.nan) for _ in fields(Trails)))


def fit_trail(scene: Scene, peak: Peak, psf: Array, fwhm_psf: float) -> tuple[float, ...] | None:
    """Fit a trail to a peak of a difference; return the numbers of `Trails`, or None where it is no trail.

    The model is the PSF convolved with a uniform line of length L and angle t, exact in Fourier space:

        M^(k) = F P^(k) sinc(L (k_x cos t + k_y sin t)) exp(-2 pi i (k_x x + k_y y)),  sinc(q) = sin(pi q) / (pi q)

    fitted by least squares with the noise of sky and source; masked pixels take no part, nor does what lies beyond the
    frame. What something round and wider than a star explains as well is no trail, but a coma. The first guess are the
    shape's second moments: a line adds L² / 12 along itself. Veres et al. (2012, PASP
    124, 1197) fit the same model with a Gaussian PSF.

    Parameters
    ----------
    psf : odd square array of sum 1, of the difference. fwhm_psf : px.
    """
    guess = _first_guess(peak, fwhm_psf)
    if scene.sigma <= 0.0:
        return None
    for attempt in range(3):
        window = _window(scene, peak, guess, fwhm_psf)
        found = _fitted(window, guess, psf, fwhm_psf)
        if found is None:
            return None
        guess, covariance, gain = found
        length = float(np.hypot(guess[3], guess[4]))
        if length > _LONGEST_PX:
            return None
        # Where the source's own noise counts, the first fit tells how bright it is.
        if length < window.length and (scene.gain is None or attempt > 0):
            break
    # One end beyond the frame or under a mask: neither length nor flux can be known.
    if (np.diag(covariance) <= 0.0).any():
        return None
    error, angle, angle_error = _polar(guess, covariance)
    if (
        error > _LARGEST_ERROR * length
        or gain < LEAST_CHI2_GAIN
        or length < SHORTEST_FWHM * fwhm_psf
        or length >= window.length
    ):
        return None
    x, y = guess[1] + window.centre[0], guess[2] + window.centre[1]
    flux_error = float(np.sqrt(covariance[0, 0]))
    return (x, y, length, error, angle, angle_error, float(guess[0]), flux_error, gain)


class _Window(NamedTuple):
    """Pixels around a peak: values, weight (1 / sigma, 0 where masked), the peak's pixel, longest trail it holds."""

    values: Array
    mask: NDArray[np.bool_]
    centre: tuple[int, int]
    length: float
    sigma: float
    gain: float | None


def _first_guess(peak: Peak, fwhm_psf: float) -> Array:
    """Return flux, x, y (from the peak's pixel) and the line's vector from the moments; never of length 0."""
    length, theta = 0.0, 0.0
    if np.isfinite(peak.fwhm + peak.ellipticity) and peak.ellipticity < 1.0:
        ratio = 1.0 - peak.ellipticity
        spread = (peak.fwhm / FWHM_PER_SIGMA) ** 2 * (1.0 / ratio - ratio)
        length, theta = float(np.sqrt(12.0 * max(spread, 0.0))), float(np.radians(peak.theta_deg))
    length = max(length, 0.5 * fwhm_psf)
    start = (peak.x - round(peak.x), peak.y - round(peak.y), length * np.cos(theta), length * np.sin(theta))
    return np.array([peak.flux * np.hypot(1.0, length / fwhm_psf), *start])


def _window(scene: Scene, peak: Peak, guess: Array, fwhm_psf: float) -> _Window:
    """Cut a square that holds twice the guessed trail; what lies beyond the frame is masked."""
    length = 2.0 * float(np.hypot(guess[3], guess[4])) + 2.0 * fwhm_psf
    half = int(np.ceil(0.5 * length + _MARGIN_FWHM * fwhm_psf))
    row, column = round(peak.y), round(peak.x)
    ys, xs = (np.arange(c - half, c + half + 1) for c in (row, column))
    ny, nx = scene.image.shape
    inside = np.ix_(np.clip(ys, 0, ny - 1), np.clip(xs, 0, nx - 1))
    outside = ((ys < 0) | (ys >= ny))[:, None] | ((xs < 0) | (xs >= nx))[None, :]
    values = scene.image[inside].astype(np.float64)
    mask = scene.mask[inside] | outside | ~np.isfinite(values)
    return _Window(np.where(mask, 0.0, values), mask, (column, row), length, scene.sigma, scene.gain)


class _Model:
    """The trail's image and its derivatives on one window."""

    def __init__(self, psf: Array, window: _Window, *, blur_fwhm: float = 0.0) -> None:
        half = (window.values.shape[0] - 1) // 2
        reach = min((psf.shape[0] - 1) // 2, half)
        # What a trail throws beyond one side must not come back from the other.
        size = fft.next_fast_len(half + reach + int(0.5 * window.length) + 2 + half // 2, real=True)
        middle = (psf.shape[0] - 1) // 2
        stamp = np.zeros((size, size))
        index = np.arange(-reach, reach + 1)
        cut = psf[middle - reach : middle + reach + 1, middle - reach : middle + reach + 1]
        stamp[np.ix_(index % size, index % size)] = cut
        self._psf = fft.rfft2(stamp)
        self._ky, self._kx = fft.fftfreq(size)[:, None], fft.rfftfreq(size)[None, :]
        blur = 2.0 * (np.pi * blur_fwhm / FWHM_PER_SIGMA) ** 2
        self._psf *= np.exp(-blur * (self._kx**2 + self._ky**2))
        self._size, self._index = size, np.ix_(np.arange(-half, half + 1) % size, np.arange(-half, half + 1) % size)

    def image(self, p: Array) -> Array:
        """Return the image of unit flux, (size, size)."""
        return self._drawn(self._placed(p) * _sinc(self._turns(p)))

    def with_slopes(self, p: Array) -> Array:
        """Return that image and its derivatives by x, y and, of a trail, the two parts of its line's vector."""
        placed = self._placed(p)
        if p[3] == p[4] == 0.0:
            return self._drawn(np.stack([placed, -2j * np.pi * self._kx * placed, -2j * np.pi * self._ky * placed]))
        q = self._turns(p)
        sinc = _sinc(q)
        with np.errstate(invalid="ignore", divide="ignore"):
            slope = np.where(np.abs(q) < _SMALL, -q / 3.0, (np.cos(q) - sinc) / q)
        image, along = placed * sinc, np.pi * slope * placed
        moved = [-2j * np.pi * self._kx * image, -2j * np.pi * self._ky * image]
        return self._drawn(np.stack([image, *moved, self._kx * along, self._ky * along]))

    def _drawn(self, spectra: NDArray[np.complex128]) -> Array:
        return np.asarray(fft.irfft2(spectra, (self._size, self._size))[(..., *self._index)])

    def _turns(self, p: Array) -> Array:
        return np.asarray(np.pi * (self._kx * p[3] + self._ky * p[4]))

    def _placed(self, p: Array) -> NDArray[np.complex128]:
        return np.asarray(self._psf * np.exp(-2j * np.pi * self._ky * p[2]) * np.exp(-2j * np.pi * self._kx * p[1]))


def _sinc(q: Array) -> Array:
    """Return sin(q) / q."""
    return np.asarray(np.sinc(q / np.pi))


def _fitted(window: _Window, guess: Array, psf: Array, fwhm_psf: float) -> tuple[Array, Array, float] | None:
    """Return parameters, covariance and the gain in chi² over a point; None where there is no fit."""
    model = _Model(psf, window)
    brightness = guess[0] * model.image(guess)
    noise = np.full(window.values.shape, window.sigma**2)
    if window.gain is not None:
        noise += np.maximum(brightness, 0.0) / window.gain
    weight = np.where(window.mask, 0.0, 1.0 / np.sqrt(noise))

    def residual(p: Array) -> Array:
        return np.asarray((weight * (p[0] * model.image(p) - window.values)).ravel())

    def jacobian(p: Array) -> Array:
        columns = weight * model.with_slopes(p)
        columns[1:] *= p[0]
        return np.asarray(columns.reshape(len(columns), -1).T)

    trail = _least_squares(residual, guess, jacobian)
    point = _least_squares(
        lambda p: residual(np.append(p, (0.0, 0.0))), guess[:3], lambda p: jacobian(np.append(p, (0.0, 0.0)))
    )
    # A middle that has left the peak by more than the trail's half is that of another source.
    if trail.x[0] <= 0.0 or np.hypot(trail.x[1], trail.x[2]) > 0.5 * np.hypot(trail.x[3], trail.x[4]) + fwhm_psf:
        return None
    try:
        covariance = np.linalg.inv(trail.jac.T @ trail.jac)
    except np.linalg.LinAlgError:
        return None
    gain = 2.0 * float(point.cost - trail.cost)
    if gain >= LEAST_CHI2_GAIN and _is_round(window, weight, trail, psf, fwhm_psf):
        return None
    return trail.x, covariance, gain


def _is_round(window: _Window, weight: Array, trail: optimize.OptimizeResult, psf: Array, fwhm_psf: float) -> bool:
    """Tell whether something round and wider than a star fits as well as a trail: noise draws out a coma's moments."""
    for width in _ROUND_FWHM:
        model = _Model(psf, window, blur_fwhm=width * fwhm_psf)

        def residual(p: Array, model: _Model = model) -> Array:
            return np.asarray((weight * (p[0] * model.image(np.append(p, (0.0, 0.0))) - window.values)).ravel())

        def jacobian(p: Array, model: _Model = model) -> Array:
            columns = weight * model.with_slopes(np.append(p, (0.0, 0.0)))
            columns[1:] *= p[0]
            return np.asarray(columns.reshape(len(columns), -1).T)

        if _least_squares(residual, trail.x[:3], jacobian).cost <= trail.cost:
            return True
    return False


def _least_squares(
    residual: Callable[[Array], Array], guess: Array, jacobian: Callable[[Array], Array]
) -> optimize.OptimizeResult:
    """Fit until steps change the sum of squares by far less than its noise does."""
    return optimize.least_squares(residual, guess, jacobian, method="lm", max_nfev=60, ftol=_ENOUGH, xtol=_ENOUGH)


def _polar(p: Array, covariance: Array) -> tuple[float, float, float]:
    """Return the error of the length, the angle and its error, in degrees."""
    length = float(np.hypot(p[3], p[4]))
    along, across = np.array([p[3], p[4]]) / length, np.array([-p[4], p[3]]) / length
    part = covariance[3:, 3:]
    angle = float(np.degrees(np.arctan2(p[4], p[3])) % 180.0)
    return (
        float(np.sqrt(along @ part @ along)),
        angle,
        float(np.degrees(np.sqrt(across @ part @ across) / length)),
    )
