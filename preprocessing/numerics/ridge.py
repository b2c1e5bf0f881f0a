"""The widths of point sources among those of galaxies: a surface over the frame that stars lie on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from observations.numerics.compiled import compiled
from observations.numerics.frame import Column

# Galaxies stand above the stars by anything from nothing to this much in the logarithm of the width: the sum of boxes
# that all begin at the stars falls outward as it may, and small galaxies are many. A uniform density takes those just
# above the stars for stars.
BOXES = np.array([0.03, 0.1, 0.4])
# Blends, trails and what no mask has caught: anywhere within a factor of e of the stars.
ANYWHERE = 0.5
# Each kind counts as having so many members beforehand: stars, boxes, anywhere; a frame has some stars at least. And
# their shares at first.
MEMBERS = np.array([5.0, 0.3, 0.3, 0.3, 0.3])
FIRST_SHARES = np.array([0.5, 0.15, 0.15, 0.15, 0.05])
# The climb begins at the lower edge of the widths, on which stars lie; a blurred view lets a slope be seen at once.
EDGE = 0.05
BLUR, FINE_BLUR = np.array([0.05, 0.03, 0.015, 0.0]), np.array([0.015, 0.0])
BLURRED_ROUNDS, SHARP_ROUNDS = 8, 25
# One round's longest step, and one that is none.
LONGEST_STEP, SHORTEST_STEP = 0.02, 1e-5
# A PSF that varies by a fifth from centre to corner has terms up to this.
SLOPE = 0.05
# Stars scatter by more than their errors (pixels, tracking, blends), by up to this much; the logarithm is expected to be
# about so large. Where they do, they are found from above.
WIDEST_SCATTER, SCATTER = 8.0, 0.3
WIDE_START, ABOVE = 4.0, 0.4
MODEST = 3.0


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

    @property
    def cost(self) -> float:
        """What a surface is chosen by, less is better: each term must earn its share (Schwarz 1978, AnnStat 6, 461)."""
        return self.coefficients.size * math.log(self.rest.size) / 2 - self.likelihood


def best_ridge(value: Column, error: Column, terms: Sequence[NDArray[np.float64]], floor: float) -> tuple[int, Ridge]:
    """Return which of several surfaces the widths of stars lie on, and that ridge.

    Parameters
    ----------
    terms : (n, m) of each surface, plainest first; each begins with those of the one before. Others as in
        `stellar_ridge`.
    """
    ridges: list[Ridge] = []
    for each in terms:
        ridges.append(stellar_ridge(value, error, each, floor, ridges[-1].coefficients if ridges else None))
    best = min(range(len(ridges)), key=lambda k: ridges[k].cost)
    return best, ridges[best]


def stellar_ridge(
    value: Column, error: Column, terms: NDArray[np.float64], floor: float, start: Column | None = None
) -> Ridge:
    """Find the surface on which the widths of stars lie, among galaxies that are wider.

    The most likely mixture of stars, which scatter about the surface by their errors, of galaxies, whose density falls
    outward from it in any way, and of few sources anywhere. It is the lower edge that tells: galaxies have a say as
    well, for none is sharper than a star.

    Parameters
    ----------
    value, error : (n,) logarithm of each width, and its error by noise. floor : scatter that no light removes.
    terms : (n, m) terms of the surface at each place, the constant first.
    start : coefficients that are about right; where they are fewer than the terms, those of a plainer surface.
    """
    ends = []
    if start is None or start.size < terms.shape[1]:
        for quantile, scale in ((EDGE, 1.0), (ABOVE, WIDE_START)):
            level = np.zeros(terms.shape[1])
            level[0] = np.quantile(value, quantile)
            ends.append(_from(value, error, terms, floor, level, scale, BLUR))
    if start is not None:
        padded = np.concatenate([start, np.zeros(terms.shape[1] - start.size)])
        for scale in (1.0, WIDE_START):
            ends.append(_from(value, error, terms, floor, padded, scale, FINE_BLUR))
    return max(ends, key=lambda ridge: ridge.likelihood)


def _from(  # noqa: PLR0913 - what is fitted, to what, and where it begins
    value: Column, error: Column, terms: NDArray[np.float64], floor: float, start: Column, scale: float, blurs: Column
) -> Ridge:
    coefficients, is_star = start.copy(), np.empty(value.size)
    known = np.hypot(error, floor)
    scale, likelihood = _climb(
        np.ascontiguousarray(value, dtype=np.float64), known, np.ascontiguousarray(terms), scale, blurs, coefficients, is_star
    )
    return Ridge(coefficients, is_star, scale * known, value - terms @ coefficients, likelihood)


@compiled
def _climb(value, known, terms, scale, blurs, coefficients, is_star):  # type: ignore[no-untyped-def]  # noqa: PLR0913
    """Change the coefficients to those of the likeliest mixture; return the scatter over the errors, the likelihood."""
    n, m = terms.shape
    kinds = FIRST_SHARES.size
    shares, density, slope = FIRST_SHARES.copy(), np.empty(kinds), np.zeros(kinds)
    likelihood = 0.0
    for blur in blurs:
        for turn in range(BLURRED_ROUNDS if blur > 0 else SHARP_ROUNDS):
            normal, right, members = np.eye(m) * 1e-6, np.zeros(m), MEMBERS.copy()
            likelihood, power, stars = -0.5 * (math.log(scale) / SCATTER) ** 2, 0.0, 0.0
            for i in range(n):
                error = math.sqrt((scale * known[i]) ** 2 + blur**2)
                rest = value[i] - (terms[i] * coefficients).sum()
                _densities(rest, error, density, slope)
                total = (shares * density).sum()
                likelihood += math.log(total)
                members += shares * density / total
                is_star[i] = shares[0] * density[0] / total
                push, pull = (shares * slope).sum() / total, is_star[i] / error**2
                for a in range(m):
                    right[a] += push * terms[i, a]
                    for b in range(m):
                        normal[a, b] += pull * terms[i, a] * terms[i, b]
                power += is_star[i] * (rest / known[i]) ** 2
                stars += is_star[i]
            for a in range(1, m):
                normal[a, a] += SLOPE**-2
                right[a] -= coefficients[a] * SLOPE**-2
                likelihood -= 0.5 * (coefficients[a] / SLOPE) ** 2
            likelihood += (MEMBERS * np.log(shares)).sum()
            shares = members / members.sum()
            step = np.linalg.solve(normal, right)
            longest = np.abs(terms @ step).max()
            if blur == 0 and ((longest < SHORTEST_STEP and turn > 5) or turn == SHARP_ROUNDS - 1):
                break
            if blur == 0:
                # As if so many stars had been seen that scatter by no more than their errors.
                scale = min(max(math.sqrt((power + MODEST) / (stars + MODEST)), 1.0), WIDEST_SCATTER)
            coefficients += step * min(1.0, LONGEST_STEP / longest)
    return scale, likelihood


@compiled
def _densities(rest, error, density, slope):  # type: ignore[no-untyped-def]
    """Write how likely each kind is to stand so far above the ridge, and how that changes as the ridge rises."""
    pull = rest / error
    star = math.exp(-0.5 * pull * pull) / (error * math.sqrt(2 * math.pi))
    density[0], slope[0] = star, star * pull / error
    below = math.erf(pull / math.sqrt(2))
    for k in range(BOXES.size):
        far = (rest - BOXES[k]) / error
        density[k + 1] = 0.5 * (below - math.erf(far / math.sqrt(2))) / BOXES[k]
        slope[k + 1] = (math.exp(-0.5 * far * far) / (error * math.sqrt(2 * math.pi)) - star) / BOXES[k]
    density[BOXES.size + 1] = ANYWHERE
