"""How the shape of point sources varies over a frame: polynomials through the shapes of its stars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from observations.numerics.frame import Column, PsfModel
from observations.numerics.statistics import MAD_TO_SIGMA
from preprocessing.numerics.moffat import LARGEST_ELLIPTICITY, MoffatFit
from preprocessing.numerics.ridge import best_ridge

# Widths and ellipticities of bright stars scatter by so much whatever their light: pixels, blends, colours.
FLOOR = 0.006
# Sources needed before a shape may vary linearly, quadratically, cubically: whether it does, they decide themselves.
STARS_FOR_DEGREE = (0, 8, 12, 40)
CLIP_SIGMA = 4.0
# Among fewer sources than these nobody can say which of them is no star.
FEWEST_TO_JUDGE = 5
# Outliers of an ellipticity count less and less, and not at all from here.
TUKEY_SIGMA = 5.0


@dataclass(frozen=True)
class ShapeSurfaces:
    """t, e1 and e2 of `Moffats` as polynomials of the field position; shape : (ny, nx) of the field."""

    coefficients: tuple[Column, Column, Column]
    degrees: tuple[int, int, int]
    shape: tuple[int, int]

    def __call__(self, x: Column, y: Column) -> NDArray[np.float64]:
        """Return (n, 3) at n positions."""
        each = zip(self.degrees, self.coefficients, strict=True)
        out = np.column_stack([PsfModel.terms(x, y, degree, self.shape) @ c for degree, c in each])
        out[:, 1:] /= np.maximum(1, np.hypot(out[:, 1], out[:, 2]) / LARGEST_ELLIPTICITY)[:, None]
        return out


@dataclass(frozen=True)
class _Trial:
    """A polynomial through one ellipticity. cost : what the choice of its degree goes by, less is better."""

    coefficients: Column
    pull: Column
    cost: float


def fit_surfaces(
    fit: MoffatFit, x: Column, y: Column, shape: tuple[int, int], first: ShapeSurfaces | int | None
) -> tuple[ShapeSurfaces, Column]:
    """Fit the shape of stars as it varies over the field.

    The width decides which sources are stars (see `stellar_ridge`); ellipticities are fitted to those. Each has a
    degree of its own: that of the width by its likelihood, those of the ellipticities by the stars left out of the fit.

    Parameters
    ----------
    fit : of n sources at x, y. shape : (ny, nx) of the field.
    first : surfaces that are about right and have the right degrees, or one degree for all three, or None.

    Returns
    -------
    ShapeSurfaces, and the (n,) probability of each source to be a star like the others.
    """
    known = np.sqrt(np.maximum(fit.variance, 1e-12))
    tried = _degrees(first, 0, len(x))
    start = first.coefficients[0] if isinstance(first, ShapeSurfaces) else None
    terms = [PsfModel.terms(x, y, d, shape) for d in tried]
    best, ridge = best_ridge(fit.moffats.shape[:, 0], known[:, 0], terms, FLOOR, start)
    degrees, coefficients, pulls = [tried[best]], [ridge.coefficients], [ridge.rest / ridge.error]
    for k in (1, 2):
        value, error = fit.moffats.shape[:, k], known[:, k]
        trials = {
            d: _ellipticity(value, error, PsfModel.terms(x, y, d, shape), ridge.is_star)
            for d in _degrees(first, k, float(ridge.is_star.sum()))
        }
        degree = min(trials, key=lambda d: trials[d].cost)
        degrees.append(degree)
        coefficients.append(trials[degree].coefficients)
        pulls.append(trials[degree].pull)
    alike = np.all([np.abs(pull) < CLIP_SIGMA for pull in pulls], axis=0)
    found = ShapeSurfaces(
        (coefficients[0], coefficients[1], coefficients[2]), (degrees[0], degrees[1], degrees[2]), shape
    )
    return found, ridge.is_star * alike if len(x) >= FEWEST_TO_JUDGE else np.ones(len(x))


def _degrees(first: ShapeSurfaces | int | None, k: int, stars: float) -> list[int]:
    """Return the degrees that are tried for one of the three."""
    if isinstance(first, ShapeSurfaces):
        return [first.degrees[k]]
    if first is not None:
        return [first]
    return [degree for degree, fewest in enumerate(STARS_FOR_DEGREE) if stars >= fewest]


def _ellipticity(value: Column, error: Column, terms: NDArray[np.float64], is_star: Column) -> _Trial:
    error = np.hypot(error, FLOOR)
    weight = is_star / error**2
    for _ in range(5):
        root = np.sqrt(weight)
        coefficients: Column = np.linalg.pinv(terms * root[:, None]) @ (value * root)
        pull = (value - terms @ coefficients) / error
        likely = is_star > 0.5
        scale = max(1.0, float(MAD_TO_SIGMA * np.median(np.abs(pull[likely])))) if likely.any() else 1.0
        weight = is_star * np.clip(1 - (pull / (TUKEY_SIGMA * scale)) ** 2, 0, 1) ** 2 / error**2
    left_out = np.minimum(np.abs(pull) / (1 - hat(terms, weight)), TUKEY_SIGMA)
    count = max(float(is_star.sum()), 1.0)
    cost = float((is_star * left_out**2).sum() / count) * (1 + 2 * terms.shape[1] / count)
    return _Trial(coefficients, pull / scale, cost)


def hat(terms: NDArray[np.float64], weight: Column) -> Column:
    """Return how much each value of a weighted linear fit pulls its own prediction: less than 1."""
    normal = np.linalg.pinv((terms * weight[:, None]).T @ terms, hermitian=True)
    return np.minimum(weight * np.einsum("ni,ij,nj->n", terms, normal, terms), 0.95)
