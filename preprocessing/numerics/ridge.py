"""The widths of point sources among those of galaxies: a surface over the frame that stars lie on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from observations.numerics.frame import Column
from observations.numerics.statistics import MAD_TO_SIGMA

# Logarithm of the width of galaxies above that of stars: most are within 50 %.
GALAXY_RANGE = 0.5
# Quantiles of the widths to start from: stars may be nearly all of the sources, or the sharpest few.
STARTS = (0.05, 0.25, 0.5)
# A PSF varies by up to 20 %: so blurred the stars are still one ridge, however they slope.
BLUR = (0.1, 0.1, 0.07, 0.05, 0.035, 0.025, 0.015)
SHARP_ROUNDS = 5
SLOPE = 0.15


@dataclass(frozen=True)
class Ridge:
    """Where stars stand among other sources.

    coefficients : of the terms. is_star : (n,) probability. error : (n,) of each value, as the stars really scatter.
    rest : (n,) value less ridge. likelihood : natural logarithm.
    """

    coefficients: Column
    is_star: Column
    error: Column
    rest: Column
    likelihood: float


def stellar_ridge(
    value: Column, error: Column, terms: NDArray[np.float64], floor: float, start: Column | None = None
) -> Ridge:
    """Find the surface on which the widths of stars lie, among galaxies that are wider.

    A mixture is fitted by expectation and maximisation: stars scatter about the surface by their errors, galaxies lie
    up to 50 % above it, and one source in ten of these anywhere. It starts from several quantiles of the widths, each
    time from a plain level and a blurred view that sharpens; the most likely end counts.

    Parameters
    ----------
    value, error : (n,) logarithm of each width, and its error by noise. floor : scatter that no light removes.
    terms : (n, m) terms of the surface at each place, the constant first. start : coefficients that are about right.
    """
    if start is not None:
        return _climb(value, error, terms, floor, start, ())
    level = np.zeros((len(STARTS), terms.shape[1]))
    level[:, 0] = np.quantile(value, STARTS)
    ends = [_climb(value, error, terms, floor, one, BLUR) for one in level]
    return max(ends, key=lambda ridge: ridge.likelihood)


def _climb(
    value: Column, sigma: Column, terms: NDArray[np.float64], floor: float, start: Column, blurs: tuple[float, ...]
) -> Ridge:
    coefficients, share, scale = start, 0.5, 1.0
    known = np.hypot(sigma, floor)
    # The terms beyond the constant are held by as much as a PSF's width varies over a field.
    prior = np.diag(np.r_[1e-9, np.full(len(coefficients) - 1, SLOPE**-2)])
    for blur in (*blurs, *(0.0,) * SHARP_ROUNDS):
        error = np.sqrt((scale * sigma) ** 2 + (floor**2 + blur**2))
        star, other = _densities(value - terms @ coefficients, error)
        is_star = share * star / (share * star + (1 - share) * other)
        share = float(np.clip(is_star.mean(), 0.05, 0.98))
        weighted = terms * (is_star / error**2)[:, None]
        coefficients = np.linalg.solve(weighted.T @ terms + prior, weighted.T @ value)
        sure = is_star > 0.5
        if blur == 0 and np.count_nonzero(sure) >= 5:
            pull = np.abs(value - terms @ coefficients)[sure] / known[sure]
            scale = float(np.clip(MAD_TO_SIGMA * np.median(pull), 1.0, 3.0))
    rest = value - terms @ coefficients
    error = np.hypot(scale * sigma, floor)
    star, other = _densities(rest, error)
    total = share * star + (1 - share) * other
    return Ridge(coefficients, share * star / total, error, rest, float(np.log(total).sum()))


def _densities(rest: Column, error: Column) -> tuple[Column, Column]:
    """Return how likely a star, and any other source, is to stand so far from the ridge."""
    star = np.exp(-0.5 * (rest / error) ** 2) / (error * np.sqrt(2 * np.pi))
    wide = (ndtr(rest / error) - ndtr((rest - GALAXY_RANGE) / error)) / GALAXY_RANGE
    return star, 0.9 * wide + 0.1
