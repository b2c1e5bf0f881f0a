"""Whether a peak has the shape of a star: sharper is no light, wider is no point, and other shapes are neither."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from differencing.numerics.difference import Difference
from differencing.numerics.measure import Measurements
from differencing.numerics.noise import robust_sigma
from differencing.numerics.peaks import fwhm_of
from differencing.numerics.vetoes.drawing import NOWHERE, Pen, Vector, Window, explained, window_of, with_sky
from observations.numerics.frame import Image, Mask, PsfFunction, PsfModel
from preprocessing.numerics.line_psf import width_across

Array = NDArray[np.float64]

# Pixels within so many FWHM of a peak are compared, and, with what is wider, more: of what is twice as wide as a star
# the fewer show too little to tell it from the sky.
REACH_FWHM, WIDE_REACH_FWHM, LEAST_REACH, MOST_REACH = 1.8, 2.6, 4, 16
# Widths of what is sharper, and of what is wider, in FWHM of the stars.
SHARPER = (0.0, 0.35, 0.6)
WIDER = (1.4, 2.0, 2.8, 4.0)
# A PSF is known to this share of a star's light at least.
LEAST_MODEL_ERROR = 0.03
# Within so many px the width of a PSF is one.
CELL_PX = 128
# So many numbers are fitted to a point: brightness, place, sky.
FITTED = 4


@dataclass(frozen=True)
class Shape:
    """How well a peak is fitted: chi² of a point, or of a trail, over its degrees of freedom; what others gain over it.

    sharper_gain, wider_gain : in chi², of the best width that is sharper or wider. width : of the best that is wider,
    in FWHM of the stars. chi2_wider : of that over its degrees of freedom. free : degrees of freedom.
    chi2_frame : of a point in the frame itself that shows the peak, NaN where something else stands in its place.
    """

    chi2: float
    sharper_gain: float
    wider_gain: float
    width: float
    chi2_wider: float
    free: int
    chi2_frame: float
    free_frame: int


NOTHING = Shape(*(float("nan"),) * 5, 0, float("nan"), 0)


class Shapes:
    """Fits shapes to the peaks of one difference."""

    def __init__(self, difference: Difference, measured: Measurements) -> None:
        self._d, self._m = difference, measured
        errors = difference.flux_error[::8, ::8][~difference.mask[::8, ::8]]
        self._usual_error = float(np.median(errors)) if errors.size else 1.0
        self._model_error = max(
            LEAST_MODEL_ERROR,
            difference.diagnostics.model_error,
            *(_held_out(psf) for psf in (difference.psf_science, difference.psf_reference)),
        )
        self._pens: dict[tuple[int, int], tuple[Array, Pen]] = {}
        self._widths: dict[tuple[int, int, bool], float] = {}

    def __call__(self, k: int) -> Shape:
        """Return the shape of one peak; `NOTHING` where too few good pixels are about it."""
        d, m = self._d, self._m
        x, y, is_negative = float(m.x[k]), float(m.y[k]), bool(m.is_negative[k])
        psf_frame, fwhm = d.psf_reference if is_negative else d.psf_science, self.fwhm(k)
        stamp, reach = d.psf_d(x, y), _reach(REACH_FWHM * fwhm)
        if stamp.shape[0] // 2 <= reach:
            return NOTHING
        pen = self._pen(stamp, reach)
        window = self._window(k, pen, reach)
        if window is None:
            return NOTHING
        line = self._line(k)
        chi2, free = explained(window, with_sky(pen.columns(window, line=line)))[0], window.data.size - FITTED
        sharp = self._pen(d.spike(x, y, is_negative), reach)
        sign = -1.0 if is_negative else 1.0
        # Where stars are lines a point is no hit: the telescope has followed it.
        narrow = width_across(psf_frame(x, y))
        light = chi2 if narrow is None else _chi2(window, sharp.columns(window, blur_fwhm=narrow), sign, chi2)
        sharpest = [w * (narrow or fwhm) for w in SHARPER]
        sharper = min(_chi2(window, sharp.columns(window, blur_fwhm=w, line=line), sign, chi2) for w in sharpest)
        wider = self._wider(k, stamp, window)
        return Shape(chi2 / free, min(chi2, light) - sharper, *wider, free, *self._in_frame(k, psf_frame, reach))

    def _wider(self, k: int, stamp: Array, narrow: Window) -> tuple[float, float, float]:
        """Return what the best of the wider shapes gains over a point, its width, and its chi² over degrees of freedom.

        narrow : the pixels that serve where too few further ones are good.
        """
        fwhm = self.fwhm(k)
        pen = self._pen(stamp, min(_reach(WIDE_REACH_FWHM * fwhm), stamp.shape[0] // 2 - 1))
        window = self._window(k, pen, pen.reach)
        if window is None:
            pen, window = self._pen(stamp, narrow.reach), narrow
        point = explained(window, with_sky(pen.columns(window, line=self._line(k))))[0]
        blurs = [fwhm * float(np.sqrt(w**2 - 1.0)) for w in WIDER]
        widths = [_chi2(window, pen.columns(window, blur_fwhm=blur), 0.0, point) for blur in blurs]
        best = int(np.argmin(widths))
        return point - widths[best], WIDER[best], widths[best] / (window.data.size - FITTED)

    def fwhm(self, k: int) -> float:
        """Return the width of the PSF of the frame that shows a peak, near it: it varies little within a cell."""
        x, y, is_negative = float(self._m.x[k]), float(self._m.y[k]), bool(self._m.is_negative[k])
        cell = (int(x // CELL_PX), int(y // CELL_PX), is_negative)
        if cell not in self._widths:
            self._widths[cell] = fwhm_of((self._d.psf_reference if is_negative else self._d.psf_science)(x, y))
        return self._widths[cell]

    def _pen(self, stamp: Array, reach: int) -> Pen:
        """Return what draws a stamp; the difference has one for each tile, which is kept so that it stays itself."""
        key = (id(stamp), reach)
        if key not in self._pens:
            self._pens[key] = (stamp, Pen(stamp, reach))
        return self._pens[key][1]

    def _line(self, k: int) -> Vector:
        """Return along what a peak is drawn out, px in x and y: nothing for what looks like a point."""
        length, angle = float(self._m.trails.length_px[k]), np.radians(float(self._m.trails.theta_deg[k]))
        return (length * float(np.cos(angle)), length * float(np.sin(angle))) if np.isfinite(length) else NOWHERE

    def _window(self, k: int, pen: Pen, reach: int) -> Window | None:
        """Cut a peak out of D, with the noise of the place and what the PSF may be wrong by."""
        d, m = self._d, self._m
        place = (float(m.x[k]), float(m.y[k]))
        local = max(1.0, _at(d.flux_error, place) / self._usual_error) * d.noise
        plain = window_of(d.difference, d.mask, place, reach, local)
        if plain is None or plain.data.size < 0.6 * plain.good.size:
            return None
        light = m.flux[k] * pen.columns(plain, line=self._line(k))[:, 0]
        sigma = np.sqrt(local**2 + (self._model_error * light) ** 2)
        return Window(plain.data, 1.0 / sigma, plain.good, reach, plain.offset)

    def _in_frame(self, k: int, psf: PsfFunction, reach: int) -> tuple[float, int]:
        """Return chi² and degrees of freedom of a point on a sloping sky in the frame that shows the peak."""
        d, m = self._d, self._m
        image, other = (d.reference, d.science) if m.is_negative[k] else (d.science, d.reference)
        place = (float(m.x[k]), float(m.y[k]))
        sigma = _ring_sigma(image, d.mask, place, reach)
        if not (sigma > 0.0) or _is_taken(other, place, reach, 5.0 * sigma):
            return float("nan"), 0
        pen = Pen(psf(*place), reach)
        plain = window_of(image, d.mask, place, reach, sigma)
        if plain is None or plain.data.size < 0.6 * plain.good.size:
            return float("nan"), 0
        columns = pen.columns(plain, line=self._line(k))
        light = m.flux[k] * columns[:, 0]
        noise = np.sqrt(sigma**2 + (self._model_error * light) ** 2)
        window = Window(plain.data, 1.0 / noise, plain.good, reach, plain.offset)
        v, u = np.nonzero(plain.good)
        free = plain.data.size - FITTED - 2
        return explained(window, np.column_stack([with_sky(columns), u - reach, v - reach]))[0] / free, free


def _reach(px: float) -> int:
    return int(np.clip(round(px), LEAST_REACH, MOST_REACH))


def _held_out(psf: PsfFunction) -> float:
    return psf.held_out.core_residual if isinstance(psf, PsfModel) and psf.held_out is not None else 0.0


def _chi2(window: Window, columns: Array, sign: float, otherwise: float) -> float:
    """Return chi² of one shape, and what it is otherwise where its light has the wrong sign."""
    chi2, found = explained(window, with_sky(columns))
    return otherwise if sign * found[0] < 0.0 else chi2


def _at(image: Image, place: tuple[float, float]) -> float:
    ny, nx = image.shape
    return float(image[min(max(round(place[1]), 0), ny - 1), min(max(round(place[0]), 0), nx - 1)])


def _ring_sigma(image: Image, mask: Mask, place: tuple[float, float], reach: int) -> float:
    """Return the noise of the sky in a ring about a place; NaN without any."""
    column, row, far = round(place[0]), round(place[1]), 2 * reach
    ys, xs = (slice(max(0, c - far), max(0, c + far + 1)) for c in (row, column))
    v, u = np.ogrid[ys.start : min(ys.stop, image.shape[0]), xs.start : min(xs.stop, image.shape[1])]
    ring = (np.hypot(u - place[0], v - place[1]) > reach) & ~mask[ys, xs]
    values = image[ys, xs][ring]
    return robust_sigma(values) if values.size > 20 else float("nan")


def _is_taken(image: Image, place: tuple[float, float], reach: int, above: float) -> bool:
    """Tell whether the other frame shows something there: its light, too, would be in this one."""
    column, row, near = round(place[0]), round(place[1]), reach
    around = image[max(0, row - near) : row + near + 1, max(0, column - near) : column + near + 1]
    return bool(around.size and np.nanmax(around) > above)
