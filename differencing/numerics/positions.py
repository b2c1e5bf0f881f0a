"""Where a source stands: the extremum of its PSF flux, and how far noise may have moved it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from differencing.numerics.difference import Difference
from differencing.numerics.peaks import Peaks
from observations.numerics.frame import Image

Array = NDArray[np.float64]

# A peak is looked for in a window of so many pixels on each side, whose boundary its spline does not feel.
_REACH_PX = 6
# Steps of Newton's method: the second moves it by less than 0.01 px. Slopes are taken over so many pixels.
_STEPS, _STEP_PX = 3, 0.2
# The flux's extremum is farther from the score's only where a mask or a neighbour has made it another one.
_FARTHEST_PX = 1.0
# A peak is the most that position and flux, three numbers, can make of the noise: its S/N² is too high by so much.
_FITTED = 3.0


def at_flux_extremum(difference: Difference, peaks: Peaks) -> Peaks:
    """Return the peaks at the extrema of the PSF flux.

    That is the position of least squares; the score's own extremum leans to where the error is smaller, away from a
    host's core. A peak beside masked pixels, or without an extremum of the flux near by, stays where it is.
    """
    x, y = peaks.x.copy(), peaks.y.copy()
    for k in range(len(peaks)):
        place = _extremum(difference.flux, difference.score, (x[k], y[k]), -1.0 if peaks.is_negative[k] else 1.0)
        if place is not None:
            x[k], y[k] = place
    return Peaks(x, y, peaks.score, peaks.is_negative)


def _extremum(flux: Image, score: Image, start: tuple[float, float], sign: float) -> tuple[float, float] | None:
    """Follow the flux to its extremum by Newton's method; None where that leads nowhere."""
    row, column = round(start[1]), round(start[0])
    ny, nx = flux.shape
    if not (_REACH_PX <= row < ny - _REACH_PX and _REACH_PX <= column < nx - _REACH_PX):
        return None
    window = np.s_[row - _REACH_PX : row + _REACH_PX + 1, column - _REACH_PX : column + _REACH_PX + 1]
    if not np.isfinite(score[window][1:-1, 1:-1]).all():
        return None
    spline = ndimage.spline_filter(sign * flux[window].astype(np.float64), order=5)
    begin = np.array([start[1] - row, start[0] - column]) + _REACH_PX
    steps = _STEP_PX * np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, -1], [1, -1], [-1, 1]]).T
    place = begin
    for _ in range(_STEPS):
        v = ndimage.map_coordinates(spline, place[:, None] + steps, order=5, prefilter=False)
        slope = np.array([v[1] - v[2], v[3] - v[4]]) / (2.0 * _STEP_PX)
        mixed = (v[5] + v[6] - v[7] - v[8]) / (4.0 * _STEP_PX**2)
        bend = np.array([[v[1] + v[2] - 2 * v[0], 0.0], [0.0, v[3] + v[4] - 2 * v[0]]]) / _STEP_PX**2
        bend += mixed * np.array([[0.0, 1.0], [1.0, 0.0]])
        if not (bend[0, 0] < 0.0 and np.linalg.det(bend) > 0.0):
            return None
        place = place - np.linalg.solve(bend, slope)
        if not np.hypot(*(place - begin)) < _FARTHEST_PX:
            return None
    return float(place[1] - _REACH_PX + column), float(place[0] - _REACH_PX + row)


def squared_slope(stamp: Array) -> float:
    """Return sum(|grad P|²) / sum(P²) of a PSF, per px²."""
    power = np.abs(np.fft.fft2(stamp)) ** 2
    ky, kx = (2.0 * np.pi * np.fft.fftfreq(n) for n in stamp.shape)
    return float((power * (ky[:, None] ** 2 + kx[None, :] ** 2)).sum() / power.sum())


def position_errors_px(difference: Difference, x: Array, y: Array, snr: Array) -> Array:
    """Return the error of the positions of peaks, 1 sigma in one axis.

    sigma = sqrt(2 sum(P²) / sum(|grad P|²)) / (S/N), with P the PSF of D, whose noise is white: that of least squares.
    A Gaussian PSF gives FWHM 0.60 / (S/N). The S/N is that of a peak, of which the noise's own share is taken off.
    """
    slopes = np.array([squared_slope(difference.psf_d(a, b)) for a, b in zip(x, y, strict=True)])
    return np.sqrt(2.0 / (slopes * np.maximum(snr**2 - _FITTED, 1.0)))
