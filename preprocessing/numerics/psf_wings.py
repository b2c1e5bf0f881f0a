"""The wings of the PSF, out to where only bright and saturated stars show them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from observations.numerics.frame import Column
from observations.numerics.statistics import MAD_TO_SIGMA
from preprocessing.numerics.moffat import Moffats, fit_places
from preprocessing.numerics.psf_stamps import Field
from preprocessing.numerics.psf_surfaces import ShapeSurfaces
from preprocessing.numerics.stars import point_like

MOST_STARS = 60
FEWEST_STARS = 4
RINGS = 8
# Rings begin at 1.5 FWHM: inside, every star of the sample tells more.
FIRST_RING_FWHM = 1.5
# Bright stars are placed by their light within 4 FWHM, which leaves enough of them around a saturated core.
PLACING_FWHM = 4.0
# The wings of two stars differ by as much as a tenth (colour, scattering), and no star's may rule.
WING_SCATTER = 0.1
CORE_ERROR = 0.03
SEEN_SHARE = 0.25
FARTHEST_CENTRE_PX = 2.0
TUKEY_SIGMA = 4.5
# Wings rise against a Moffat by powers of the distance: 0.3 for one whose beta was fitted a little high, 1.2 for halos
# of a twentieth of the light. Before any is seen, they are taken to be of that order.
POWER_PRIOR, BEND_PRIOR = 0.5, 0.5
# A few bright stars carry a ring, and what lies near them by chance is no Gaussian noise.
CHANCE = 1.5


@dataclass(frozen=True)
class Wings:
    """Light of the stars over that of their Moffat: exp(power s + bend s²), s = ln(radius / start_px), 1 inside."""

    power: float
    bend: float
    start_px: float

    def over(self, radius: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the ratio at distances from the middle in px."""
        s = np.log(np.maximum(radius / self.start_px, 1.0))
        return np.exp(np.clip(self.power * s + self.bend * s * s, -5.0, 8.0))


def fit_wings(field: Field, surfaces: ShapeSurfaces, beta: float, half: int) -> Wings:
    """Fit what the wings have beyond the Moffat of the core, from the rings around the brightest stars.

    In each ring the light of the stars is compared with that of their Moffat by a straight line: its slope is the
    ratio; its intercept is what the sky around bright stars has in common (neighbours that nobody found).
    """
    stars = field.stars
    fwhm = stars.fwhm_px
    start = FIRST_RING_FWHM * fwhm
    none = Wings(0.0, 0.0, start)
    whole = np.flatnonzero(stars.is_saturated | point_like(stars))
    chosen = whole[np.argsort(-stars.flux[whole])][:MOST_STARS]
    if chosen.size < FEWEST_STARS or half < 1.5 * start:
        return none
    stamps = field.stamps(chosen, half, down_to_noise=True)
    x, y = stars.x[chosen], stars.y[chosen]
    centre = np.column_stack([x - np.round(x), y - np.round(y)])
    first = Moffats(surfaces(x, y), centre, np.ones(chosen.size), np.zeros(chosen.size), beta)
    first = replace(first, height=stars.flux[chosen] / first.light)
    near = stamps.cut(int(np.ceil(PLACING_FWHM * fwhm)))
    placed = fit_places(near, first, model_error=CORE_ERROR, rounds=6, with_sky=False)
    profile = placed.profiles(half) * placed.light[:, None, None]
    noise = 1 / np.sqrt(np.maximum(stamps.weight.max(axis=(1, 2)), 1e-30))
    good = np.hypot(*(placed.centre - centre).T) < FARTHEST_CENTRE_PX
    span = np.arange(-half, half + 1)
    radius = np.hypot(span[:, None], span)
    edges = start * (half / start) ** (np.arange(RINGS + 1) / RINGS)
    found = []
    for low, high in pairwise(edges):
        ring = (radius >= low) & (radius < high)
        seen = stamps.weight[:, ring] > 0
        use = good & (seen.sum(axis=1) > SEEN_SHARE * ring.sum())
        if use.sum() >= FEWEST_STARS:
            ratio = _ring(stamps.value[:, ring][use], profile[:, ring][use], seen[use], noise[use])
            found.append((float(np.log(np.sqrt(low * high) / start)), *ratio))
    return _smooth(found, start) if found else none


def _ring(
    value: NDArray[np.float32], model: NDArray[np.float64], seen: NDArray[np.bool_], noise: Column
) -> tuple[float, float]:
    """Return light over Moffat in one ring, from (n, pixels) of n stars, and its error."""
    count = seen.sum(axis=1)
    ordered = np.sort(np.where(seen, value - model, np.inf), axis=1)
    level = 0.5 * sum(np.take_along_axis(ordered, k[:, None], 1)[:, 0] for k in ((count - 1) // 2, count // 2))
    expected = np.where(seen, model, 0).sum(axis=1) / count
    confusion = MAD_TO_SIGMA * float(np.median(np.abs(level - np.median(level))))
    error = np.hypot(np.maximum(1.25 * noise / np.sqrt(count), confusion), WING_SCATTER * expected)  # of a median
    terms = np.column_stack([expected, np.ones_like(expected)])
    weight = error**-2
    for _ in range(4):
        covariance = np.linalg.pinv((terms * weight[:, None]).T @ terms, hermitian=True)
        excess, sky = covariance @ (terms * weight[:, None]).T @ level
        pull = (level - expected * excess - sky) / error
        spread = max(1.0, float(MAD_TO_SIGMA * np.median(np.abs(pull))))
        weight = np.clip(1 - (pull / spread / TUKEY_SIGMA) ** 2, 0, 1) ** 2 / error**2
    return float(1 + excess), float(CHANCE * spread * np.sqrt(covariance[0, 0]))


def _smooth(found: list[tuple[float, float, float]], start: float) -> Wings:
    """Fit power and bend to the ratios of the rings (ln of radius over start, ratio, error)."""
    s, ratio, error = np.array(found).T
    terms = np.column_stack([s, s * s])
    solution = np.zeros(2)
    prior = np.diag([POWER_PRIOR**-2, BEND_PRIOR**-2])
    for _ in range(12):
        model = np.exp(np.clip(terms @ solution, -5.0, 8.0))
        slopes = terms * model[:, None]
        weight = 1 / (error**2 + (0.05 * model) ** 2)
        normal = (slopes * weight[:, None]).T @ slopes + prior
        right = (slopes * weight[:, None]).T @ (ratio - model) - prior @ solution
        solution = solution + np.clip(np.linalg.solve(normal, right), -0.5, 0.5)
    return Wings(float(solution[0]), float(solution[1]), start)
