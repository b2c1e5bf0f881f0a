"""Photometric and astrometric tie of two frames on one grid, from the stars they share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from observations.numerics import polynomial
from observations.numerics.frame import Image
from observations.numerics.statistics import MAD_TO_SIGMA
from preprocessing.numerics.photometry import PsfPhotometry

Array = NDArray[np.float64]

# Stars needed for a constant, a plane and a quadratic: about ten for each coefficient that is fitted.
STARS_FOR_PLANE = 25
STARS_FOR_QUADRATIC = 60
# Relative scatter of star fluxes that no photon noise explains (flat, colour): keeps a few bright stars
# from deciding the surface alone.
FLUX_FLOOR = 0.01
# Centroids of bright stars repeat to a hundredth of a pixel between exposures at best (undersampling, flat).
CENTROID_FLOOR_PX = 0.01
CLIP_SIGMA = 3.0
# Haze makes ratios of 0.35 to 0.47 over one frame; what departs from the commonest by more (in logarithm) is no star
# that both frames hold alike. Ratios closer than 3 % are one.
LARGEST_DEPARTURE, NARROWEST = 0.5, 0.03
STRIP_ROWS = 256


@dataclass(frozen=True)
class Surface:
    """A polynomial over the frame, sum of c_ij u^i v^j with u, v in [-1, 1]; callable at (x, y) in pixels."""

    coefficients: Array
    degree: int
    shape: tuple[int, int]

    def __call__(self, x: NDArray[np.floating], y: NDArray[np.floating]) -> Array:
        return _terms(np.asarray(x, float), np.asarray(y, float), self.degree, self.shape) @ self.coefficients

    def image(self) -> Image:
        """Return the surface on every pixel, (ny, nx) float32."""
        return self.rows(slice(0, self.shape[0]))

    def scale(self, image: Image, divisor: Surface | None = None) -> None:
        """Multiply an image (ny, nx) by the surface, and divide it by another one, in place."""
        for top in range(0, len(image), STRIP_ROWS):
            rows = slice(top, top + STRIP_ROWS)
            image[rows] *= self.rows(rows) if divisor is None else self.rows(rows) / divisor.rows(rows)

    def rows(self, rows: slice) -> Image:
        """Return the surface on every pixel of some rows, float32."""
        ny, nx = self.shape
        return self._product(np.linspace(-1, 1, ny)[rows], np.linspace(-1, 1, nx))

    def coarse(self) -> Image:
        """Return the surface on 17 x 17 points from edge to edge."""
        return self._product(np.linspace(-1, 1, 17), np.linspace(-1, 1, 17))

    def _product(self, v_axis: Array, u_axis: Array) -> Image:
        table = np.zeros((self.degree + 1, self.degree + 1))
        for (i, j), c in zip(polynomial.powers(self.degree), self.coefficients, strict=True):
            table[j, i] = c
        u, v = (np.vander(axis, self.degree + 1, increasing=True) for axis in (u_axis, v_axis))
        return np.asarray(v.astype(np.float32) @ (table @ u.T).astype(np.float32), dtype=np.float32)

    @classmethod
    def constant(cls, value: float, shape: tuple[int, int]) -> Surface:
        return cls(np.array([value]), 0, shape)


@dataclass(frozen=True)
class Tie:
    """How the reference relates to the science frame.

    flux_scale : reference counts times this = science counts. flux_scatter : its relative scatter.
    shift_x, shift_y : position in the reference minus position in the science frame, pixels.
    shift_is_significant : whether the stars' shifts are larger than their errors make (see `tie`).
    shift_scatter_px : what remains of it for one star in one axis after its own measuring error.
    """

    flux_scale: Surface
    flux_scatter: float
    shift_x: Surface
    shift_y: Surface
    shift_is_significant: bool
    shift_scatter_px: float
    shift_rms_px: float
    matched_stars: int


class NoFluxScale(ValueError):
    """The stars of the two frames agree on no flux scale."""


class TooFewStars(NoFluxScale):
    """The two frames share too few usable stars for a flux scale."""


def _terms(x: Array, y: Array, degree: int, shape: tuple[int, int]) -> Array:
    ny, nx = shape
    u, v = 2.0 * x / max(nx - 1, 1) - 1.0, 2.0 * y / max(ny - 1, 1) - 1.0
    return polynomial.terms(u, v, degree)


def fit_surface(
    x: Array, y: Array, value: Array, error: Array, shape: tuple[int, int]
) -> tuple[Surface, NDArray[np.bool_]]:
    """Fit a polynomial surface whose degree follows the number of points, clipping outliers at 3 sigma.

    Parameters
    ----------
    x, y : positions, pixels. value, error : what to fit and its 1-sigma error, same unit. shape : (ny, nx).

    Returns
    -------
    Surface, and the boolean array of the points that were kept. With fewer than 25 points it is their
    weighted median, with fewer than 60 a plane, else a quadratic.
    """
    keep = np.isfinite(value) & np.isfinite(error) & (error > 0)
    median = float(np.median(value[keep]))
    keep &= np.abs(value - median) < 5.0 * np.maximum(MAD_TO_SIGMA * np.median(np.abs(value[keep] - median)), error)
    count = int(keep.sum())
    degree = 2 if count >= STARS_FOR_QUADRATIC else 1 if count >= STARS_FOR_PLANE else 0
    surface = Surface.constant(median, shape)
    for _ in range(5):
        terms = _terms(x, y, degree, shape)
        weighted = terms[keep] / error[keep, None]
        solution = np.linalg.lstsq(weighted, value[keep] / error[keep], rcond=None)[0]
        surface = Surface(np.asarray(solution, dtype=np.float64), degree, shape)
        pull = (value - surface(x, y)) / error
        spread = max(1.0, float(MAD_TO_SIGMA * np.median(np.abs(pull[keep]))))
        new = keep & (np.abs(pull) < CLIP_SIGMA * spread)
        if new.sum() < max(len(solution) + 1, 3) or np.array_equal(new, keep):
            break
        keep = new
    return surface, keep


def tie(science: PsfPhotometry, reference: PsfPhotometry, shape: tuple[int, int], *, min_stars: int) -> Tie:
    """Derive the flux scale and the shift field from the same stars measured in both frames.

    Parameters
    ----------
    science, reference : photometry of the same n stars, in the same order. shape : (ny, nx) of the grid.
    min_stars : fewest stars that make a flux scale.

    Returns
    -------
    Tie. Variables and colour outliers are clipped at 3 sigma. The shift is significant when the fitted surfaces
    explain more than four times the chi² that noise alone gives to their coefficients: correcting a shift that
    is not there costs a resampling and adds its error.

    Raises
    ------
    TooFewStars : with the number found, or where no star's shift agrees with the others' in both axes.
    """
    good = science.is_good & reference.is_good & (science.flux > 0) & (reference.flux > 0)
    good &= (science.flux > 10 * science.flux_error) & (reference.flux > 10 * reference.flux_error)
    if int(good.sum()) < min_stars:
        raise TooFewStars(f"only {int(good.sum())} stars are measurable in both frames; {min_stars} are needed")
    n, r = science[good], reference[good]
    ratio = n.flux / r.flux
    relative = np.sqrt((n.flux_error / n.flux) ** 2 + (r.flux_error / r.flux) ** 2 + FLUX_FLOOR**2)
    # Transients and variables may be most of a sparse field's sources, but they agree with nobody.
    ratio = np.where(np.abs(np.log(ratio / _commonest(ratio, relative))) < LARGEST_DEPARTURE, ratio, np.nan)
    scale, kept = fit_surface(n.x, n.y, ratio, ratio * relative, shape)
    dx, dy = r.x - n.x, r.y - n.y
    error_px = np.sqrt(n.position_error_px**2 + r.position_error_px**2 + CENTROID_FLOOR_PX**2)
    shift_x, kept_x = fit_surface(n.x, n.y, dx, error_px, shape)
    shift_y, kept_y = fit_surface(n.x, n.y, dy, error_px, shape)
    both = kept_x & kept_y
    if not both.any():
        raise TooFewStars(f"the shifts of the {len(dx)} common stars agree on no registration")
    left = np.stack([dx - shift_x(n.x, n.y), dy - shift_y(n.x, n.y)])[:, both]
    explained = sum(np.sum((s(n.x, n.y) / error_px)[k] ** 2) for s, k in ((shift_x, kept_x), (shift_y, kept_y)))
    scatter = float(MAD_TO_SIGMA * np.median(np.abs(ratio[kept] / scale(n.x, n.y)[kept] - 1.0)))
    return Tie(
        flux_scale=scale,
        flux_scatter=scatter,
        shift_x=shift_x,
        shift_y=shift_y,
        shift_is_significant=bool(explained > 4.0 * (shift_x.coefficients.size + shift_y.coefficients.size)),
        shift_scatter_px=_excess_scatter(left, error_px[both]),
        shift_rms_px=float(np.sqrt(np.mean(left**2))),
        matched_stars=int(kept.sum()),
    )


def _commonest(ratio: Array, relative: Array) -> float:
    """Return the ratio around which most others stand, each blurred by its relative error."""
    logs = np.log(ratio)
    width = np.maximum(relative, NARROWEST)
    density = np.exp(-0.5 * ((logs[:, None] - logs) / width) ** 2) / width
    return float(ratio[np.argmax(density.sum(axis=1))])


def _excess_scatter(left: Array, error_px: Array) -> float:
    """Return the scatter (2, n) of the best measured half of the stars beyond their own error, pixels."""
    best = np.argsort(error_px)[: max(3, len(error_px) // 2)]
    spread = MAD_TO_SIGMA * np.median(np.abs(left[:, best]))
    return float(np.sqrt(max(spread**2 - np.median(error_px[best]) ** 2, 0.0)))
