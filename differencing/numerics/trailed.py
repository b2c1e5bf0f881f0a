"""Fit what moved during its exposure: a PSF drawn out along a straight line."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from differencing.numerics.profiles import (
    COMA,
    DRAWN_COMA,
    ENOUGH,
    NUMBERS,
    POINT,
    TRAIL,
    Fitted,
    Peak,
    Profile,
    Scene,
    Window,
    window_about,
)
from observations.numerics.statistics import FWHM_PER_SIGMA

Array = NDArray[np.float64]

# Below half a FWHM a trail widens a star by 5 %: as much as PSF models err. The gain in chi² is that of five sigma.
SHORTEST_FWHM = 0.5
LEAST_CHI2_GAIN = 25.0
# A trail is fitted with a blur beside where its slope foretells this share of that gain: it is a first order's.
_PERHAPS_BLURRED = 0.2
# A fit whose steps gain less than this share has a few hundredths to gain still: with half as much again as the trail
# leaves, it will not come near.
_ROUGHLY, _FAR_WORSE = 0.01, 1.5
# Shapes whose ellipticity times S/N is below this are round within their noise, and not worth a fit.
ELONGATED_SIGMA = 4.0
_LONGEST_PX = 200.0
_LARGEST_ERROR = 0.3
# Of a trail longer than so many FWHM each third must have this part of its share, within so many errors.
_LONG_FWHM, _LEAST_SHARE, _SHARE_SIGMA = 2.0, 0.5, 3.0
# A round source is tried with its star blurred by so many FWHM at first.
_ROUND_FWHM = (1.2, 2.8)


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


def no_trails(count: int) -> Trails:
    """Return as many entries without a trail."""
    return Trails(*(np.full(count, np.nan) for _ in fields(Trails)))


def fit_trail(scene: Scene, peak: Peak, psf: Array, fwhm_psf: float) -> tuple[float, ...] | None:
    """Fit a trail to a peak of a difference; return the numbers of `Trails`, or None where it is no trail.

    The model is the PSF convolved with a uniform line of length L and angle t, see `profiles.Profile`, fitted by least
    squares with the noise of sky and source; masked pixels take no part, nor does what lies beyond the frame. What
    something round and wider than a star explains as well is no trail, but a coma, unless a coma that is drawn out
    explains it better: then that is the trail. The first guess are the shape's second moments: a line adds L² / 12
    along itself. Veres et al. (2012, PASP 124, 1197) fit the same model with a Gaussian PSF.

    Parameters
    ----------
    psf : odd square array of sum 1, of the difference. fwhm_psf : px.
    """
    guess = _first_guess(peak, fwhm_psf)
    if scene.sigma <= 0.0:
        return None
    for attempt in range(3):
        length = 2.0 * float(np.hypot(guess[3], guess[4])) + 2.0 * fwhm_psf
        window = window_about(scene, peak, length, float(np.hypot(fwhm_psf, 0.6 * FWHM_PER_SIGMA * guess[5])))
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
    error, angle, angle_error = _polar(guess, covariance)
    if (
        error > _LARGEST_ERROR * length
        or gain < LEAST_CHI2_GAIN
        or length < SHORTEST_FWHM * float(np.hypot(fwhm_psf, FWHM_PER_SIGMA * guess[5]))
        or length >= window.length
    ):
        return None
    x, y = guess[1] + window.centre[0], guess[2] + window.centre[1]
    flux_error = float(np.sqrt(covariance[0, 0]))
    return (x, y, length, error, angle, angle_error, float(guess[0]), flux_error, gain)


def _first_guess(peak: Peak, fwhm_psf: float) -> Array:
    """Return flux, x, y (from the peak's pixel) and the line's vector from the moments; never of length 0."""
    length, theta = 0.0, 0.0
    if np.isfinite(peak.fwhm + peak.ellipticity) and peak.ellipticity < 1.0:
        ratio = 1.0 - peak.ellipticity
        spread = (peak.fwhm / FWHM_PER_SIGMA) ** 2 * (1.0 / ratio - ratio)
        length, theta = float(np.sqrt(12.0 * max(spread, 0.0))), float(np.radians(peak.theta_deg))
    length = max(length, 0.5 * fwhm_psf)
    guess = np.zeros(NUMBERS)
    guess[0] = peak.flux * np.hypot(1.0, length / fwhm_psf)
    guess[1:5] = peak.x - round(peak.x), peak.y - round(peak.y), length * np.cos(theta), length * np.sin(theta)
    return guess


def _fitted(window: Window, guess: Array, psf: Array, fwhm_psf: float) -> tuple[Array, Array, float] | None:
    """Return the numbers of a trail, their covariance and the gain in chi² over what is as wide and no trail.

    None where there is no fit.
    """
    profile = Profile(psf, window, guess)
    sharp = np.append(guess[:5], (0.0, 0.0))
    point = profile.fit(_without_line(sharp), POINT)
    trail = profile.fit(sharp, TRAIL)
    if trail.numbers[0] <= 0.0:
        return None
    if 2.0 * (point.cost - trail.cost) >= LEAST_CHI2_GAIN:
        point, trail = _wider(profile, trail, fwhm_psf) or (point, trail)
    numbers = trail.numbers
    # A middle that has left the peak by more than the trail's half is that of another source.
    farthest = 0.5 * np.hypot(numbers[3], numbers[4]) + np.hypot(fwhm_psf, FWHM_PER_SIGMA * numbers[5])
    covariance = trail.covariance()
    if numbers[0] <= 0.0 or np.hypot(numbers[1], numbers[2]) > farthest or covariance is None:
        return None
    if not _is_even(profile, numbers, fwhm_psf):
        return None
    return numbers, covariance, 2.0 * (point.cost - trail.cost)


def _is_even(profile: Profile, numbers: Array, fwhm_psf: float) -> bool:
    """Tell whether each third of a long trail has its share of light: a coma with its wings, or two stars, lack it."""
    line = numbers[3:5]
    if np.hypot(*line) < _LONG_FWHM * np.hypot(fwhm_psf, FWHM_PER_SIGMA * numbers[5]):
        return True
    parts = []
    for third in (-1, 0, 1):
        part = numbers.copy()
        part[1:3] += third * line / 3.0
        part[3:5] = line / 3.0
        parts.append(part)
    flux, error = profile.fluxes(parts)
    return bool((flux + _SHARE_SIGMA * error > _LEAST_SHARE * numbers[0] / 3.0).all())


def _without_line(p: Array) -> Array:
    out = p.copy()
    out[3:5] = 0.0
    return out


def _wider(profile: Profile, trail: Fitted, fwhm_psf: float) -> tuple[Fitted, Fitted] | None:
    """Return a coma, and one that is drawn out, where either explains a trail better; None where it is a sharp one."""
    # A sharp trail needs no blur, and the fit of one that has none to find does not come to its end.
    is_blurred = profile.gain_of_blur(trail) > _PERHAPS_BLURRED * LEAST_CHI2_GAIN
    # Nor need a coma be known well that is far worse.
    if not is_blurred and _coma(profile, trail, fwhm_psf, enough=_ROUGHLY).cost > _FAR_WORSE * trail.cost:
        return None
    coma = _coma(profile, trail, fwhm_psf)
    if not is_blurred and coma.cost > trail.cost:
        return None
    drawn = profile.fit(np.concatenate([coma.numbers[:3], trail.numbers[3:5], coma.numbers[5:]]), DRAWN_COMA)
    is_better = coma.cost <= trail.cost or 2.0 * (trail.cost - drawn.cost) >= LEAST_CHI2_GAIN
    return (coma, drawn) if is_better else None


def _coma(profile: Profile, trail: Fitted, fwhm_psf: float, *, enough: float = ENOUGH) -> Fitted:
    """Fit something round and wider than a star in a trail's place: noise draws out a coma's moments."""
    starts = []
    for width in _ROUND_FWHM:
        start = _without_line(trail.numbers)
        start[5] = width * fwhm_psf / FWHM_PER_SIGMA
        starts.append(start)
    return min((profile.fit(start, COMA, enough=enough) for start in starts), key=lambda each: each.cost)


def _polar(p: Array, covariance: Array) -> tuple[float, float, float]:
    """Return the error of the length, the angle and its error, in degrees."""
    length = float(np.hypot(p[3], p[4]))
    along, across = np.array([p[3], p[4]]) / length, np.array([-p[4], p[3]]) / length
    part = covariance[3:5, 3:5]
    angle = float(np.degrees(np.arctan2(p[4], p[3])) % 180.0)
    return (
        float(np.sqrt(along @ part @ along)),
        angle,
        float(np.degrees(np.sqrt(across @ part @ across) / length)),
    )
