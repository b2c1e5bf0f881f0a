"""Photometric and astrometric tie of two frames on one grid, from the stars they share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from observations.numerics import polynomial
from observations.numerics.frame import Image, Mask, PsfFunction
from observations.numerics.statistics import MAD_TO_SIGMA

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
# Gauss-Newton steps of a PSF fit: from half a pixel off, the fourth moves by less than a thousandth.
ITERATIONS = 4


@dataclass(frozen=True)
class PsfPhotometry:
    """Fits of the PSF at given positions: 1-d arrays, fluxes in the image's unit, positions in pixels.

    flux_error, position_error_px : 1 sigma (of one axis) from the sky noise.
    """

    flux: Array
    flux_error: Array
    x: Array
    y: Array
    position_error_px: Array
    is_good: NDArray[np.bool_]


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
        ny, nx = self.shape
        return self._product(ny, nx)

    def coarse(self) -> Image:
        """Return the surface on 17 x 17 points from edge to edge."""
        return self._product(17, 17)

    def _product(self, ny: int, nx: int) -> Image:
        table = np.zeros((self.degree + 1, self.degree + 1))
        for (i, j), c in zip(polynomial.powers(self.degree), self.coefficients, strict=True):
            table[j, i] = c
        u, v = (np.vander(np.linspace(-1, 1, n), self.degree + 1, increasing=True) for n in (nx, ny))
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


def psf_photometry(
    image: Image, mask: Mask, noise: float | Image, psf: PsfFunction, x: Array, y: Array
) -> PsfPhotometry:
    """Fit flux, position and local sky of isolated point sources by Gauss-Newton steps on the PSF.

    All pixels within 1.5 FWHM weigh the same, which is what a bright star wants (its PSF error grows with its
    flux), so the errors are those of this weighting. Stamps that leave the frame, hold a masked pixel within
    one FWHM or move by more than 1.5 px are not good.

    Parameters
    ----------
    image : (ny, nx), finite: masked pixels filled. mask : True = bad. noise : of one pixel of sky, scalar or (ny, nx).
    psf : callable (x, y) -> odd square array of sum 1. x, y : (n,) first guesses in pixels.

    Returns
    -------
    PsfPhotometry of n entries; entries that are not good hold NaN.
    """
    n = len(x)
    names = ("flux", "flux_error", "x", "y", "position_error_px")
    out = {name: np.full(n, np.nan) for name in names}
    good = np.zeros(n, dtype=bool)
    sigma_map = np.broadcast_to(np.asarray(noise, dtype=np.float64), image.shape)
    for k in range(n):
        fit = _fit_one(image, mask, sigma_map, psf, float(x[k]), float(y[k]))
        if fit is not None:
            good[k] = True
            for name, value in zip(names, fit, strict=True):
                out[name][k] = value
    return PsfPhotometry(**out, is_good=good)


def psf_radius_px(stamp: Array) -> float:
    """Return half the FWHM of a PSF array from the area above half its maximum, pixels."""
    return float(np.sqrt(np.count_nonzero(stamp > 0.5 * stamp.max()) / np.pi))


def _fit_one(
    image: Image, mask: Mask, sigma_map: Array, psf: PsfFunction, x0: float, y0: float
) -> tuple[float, float, float, float, float] | None:
    """Fit one source; None where it cannot be trusted."""
    model = psf(x0, y0)
    radius = max(2, round(3.0 * psf_radius_px(model)))
    half = (model.shape[0] - 1) // 2
    radius = min(radius, half - 1)
    column, row = round(x0), round(y0)
    ny, nx = image.shape
    if not (radius <= column < nx - radius and radius <= row < ny - radius):
        return None
    window = (slice(row - radius, row + radius + 1), slice(column - radius, column + radius + 1))
    if mask[window][1:-1, 1:-1].any():
        return None
    values, sigma = image[window].astype(np.float64), float(sigma_map[row, column])
    coefficients = ndimage.spline_filter(model, order=3)
    grid = np.arange(-radius, radius + 1, dtype=np.float64)
    dx, dy = x0 - column, y0 - row
    for _ in range(ITERATIONS):
        design, flux_terms = _design(coefficients, half, grid, dx, dy)
        solution, *_ = np.linalg.lstsq(flux_terms, values.ravel(), rcond=None)
        flux, sky = solution
        if not np.isfinite(flux) or flux == 0.0:
            return None
        residual = values - flux * design[0] - sky
        jacobian = np.stack(
            [flux * design[1].ravel(), flux * design[2].ravel(), design[0].ravel(), np.ones(values.size)]
        )
        normal = jacobian @ jacobian.T
        step = np.linalg.solve(normal, jacobian @ residual.ravel())
        dx, dy = dx + float(np.clip(step[0], -0.5, 0.5)), dy + float(np.clip(step[1], -0.5, 0.5))
        if max(abs(dx + column - x0), abs(dy + row - y0)) > 1.5:
            return None
    flux = float(flux + step[2])
    covariance = np.linalg.inv(normal)
    error = sigma * float(np.sqrt(covariance[2, 2]))
    position_error = sigma * float(np.sqrt(0.5 * (covariance[0, 0] + covariance[1, 1])))
    return flux, error, column + dx, row + dy, position_error


def _design(coefficients: Array, half: int, grid: Array, dx: float, dy: float) -> tuple[Array, Array]:
    """Return the PSF shifted by (dx, dy) with its derivatives by dx and dy, and the linear terms [PSF, 1]."""
    wide = np.concatenate([[grid[0] - 1], grid, [grid[-1] + 1]])
    rows, columns = np.meshgrid(wide - dy + half, wide - dx + half, indexing="ij")
    value = ndimage.map_coordinates(coefficients, [rows, columns], order=3, prefilter=False)
    inner = value[1:-1, 1:-1]
    by_dx = 0.5 * (value[1:-1, :-2] - value[1:-1, 2:])
    by_dy = 0.5 * (value[:-2, 1:-1] - value[2:, 1:-1])
    return np.stack([inner, by_dx, by_dy]), np.stack([inner.ravel(), np.ones(inner.size)], axis=1)


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
    n, r = _select(science, good), _select(reference, good)
    ratio = n.flux / r.flux
    relative = np.sqrt((n.flux_error / n.flux) ** 2 + (r.flux_error / r.flux) ** 2 + FLUX_FLOOR**2)
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


def _excess_scatter(left: Array, error_px: Array) -> float:
    """Return the scatter (2, n) of the best measured half of the stars beyond their own error, pixels."""
    best = np.argsort(error_px)[: max(3, len(error_px) // 2)]
    spread = MAD_TO_SIGMA * np.median(np.abs(left[:, best]))
    return float(np.sqrt(max(spread**2 - np.median(error_px[best]) ** 2, 0.0)))


def _select(photometry: PsfPhotometry, keep: NDArray[np.bool_]) -> PsfPhotometry:
    p = photometry
    return PsfPhotometry(
        p.flux[keep], p.flux_error[keep], p.x[keep], p.y[keep], p.position_error_px[keep], p.is_good[keep]
    )
