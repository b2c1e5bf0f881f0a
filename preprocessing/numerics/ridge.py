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
# The climb begins at the lower edge of the widths, on which stars lie. Where stars scatter by more than their errors
# (pixels, tracking, blends) that edge is only their own: it begins in their midst as well, with errors so much larger.
STARTS = ((0.05, 1.0), (0.4, 4.0))
# The logarithm of that scatter over the errors is expected to be about this, as if so many stars had been seen that
# scatter by no more than their errors; and no scatter is larger than the last.
SCATTER, MODEST_STARS, WIDEST_SCATTER = 0.3, 3.0, 8.0
# A blurred view lets a slope be seen at once.
BLUR, FINE_BLUR = np.array([0.05, 0.03, 0.015, 0.0]), np.array([0.015, 0.0])
BLURRED_ROUNDS, FEWEST_ROUNDS, SHARP_ROUNDS = 5, 6, 20
# One round's longest step, and one that is none.
LONGEST_STEP, SHORTEST_STEP = 0.02, 1e-4
# A Gaussian has nothing left beyond so many sigma.
FAR = 6.0
# A PSF that varies by a fifth from centre to corner has terms up to this.
SLOPE = 0.05


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


def best_ridge(
    value: Column, error: Column, terms: Sequence[NDArray[np.float64]], floor: float, start: Column | None = None
) -> tuple[int, Ridge]:
    """Return which of several surfaces the widths of stars lie on, and that ridge.

    Parameters
    ----------
    terms : (n, m) of each surface, plainest first; each begins with those of the one before.
    start : of the first. Others as in `stellar_ridge`.
    """
    ridges: list[Ridge] = []
    for each in terms:
        ridges.append(stellar_ridge(value, error, each, floor, ridges[-1].coefficients if ridges else start))
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
    known = np.hypot(error, floor)
    ends = []
    if start is None or start.size < terms.shape[1]:
        for quantile, scale in STARTS:
            level = np.zeros(terms.shape[1])
            level[0] = np.quantile(value, quantile)
            ends.append(_from(value, known, terms, (level, scale), BLUR))
    if start is not None:
        padded = np.concatenate([start, np.zeros(terms.shape[1] - start.size)])
        ends.append(_from(value, known, terms, (padded, 1.0), FINE_BLUR))
    return max(ends, key=lambda ridge: ridge.likelihood)


def _from(
    value: Column, known: Column, terms: NDArray[np.float64], start: tuple[Column, float], blurs: Column
) -> Ridge:
    coefficients, is_star = start[0].copy(), np.empty(value.size)
    value, known, terms = (np.ascontiguousarray(each, dtype=np.float64) for each in (value, known, terms))
    scale, likelihood = _climb(value, known, terms, start[1], blurs, coefficients, is_star)
    return Ridge(coefficients, is_star, scale * known, value - terms @ coefficients, likelihood)


@compiled
def _climb(  # noqa: PLR0913 - the loop's inputs, and the arrays that it writes
    value: Column,
    known: Column,
    terms: NDArray[np.float64],
    scale: float,
    blurs: Column,
    coefficients: Column,
    is_star: Column,
) -> tuple[float, float]:
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
                rest = value[i]
                for a in range(m):
                    rest -= terms[i, a] * coefficients[a]
                _densities(rest, error, density, slope)
                total, push = 0.0, 0.0
                for k in range(kinds):
                    density[k] *= shares[k]
                    total += density[k]
                    push += shares[k] * slope[k]
                for k in range(kinds):
                    members[k] += density[k] / total
                likelihood += math.log(total)
                is_star[i] = density[0] / total
                push, pull = push / total, is_star[i] / error**2
                for a in range(m):
                    right[a] += push * terms[i, a]
                    for b in range(a + 1):
                        normal[a, b] += pull * terms[i, a] * terms[i, b]
                power += is_star[i] * (rest / known[i]) ** 2
                stars += is_star[i]
            for a in range(m):
                normal[:a, a] = normal[a, :a]
            for a in range(1, m):
                normal[a, a] += SLOPE**-2
                right[a] -= coefficients[a] * SLOPE**-2
                likelihood -= 0.5 * (coefficients[a] / SLOPE) ** 2
            likelihood += (MEMBERS * np.log(shares)).sum()
            shares = members / members.sum()
            step = np.linalg.solve(normal, right)
            longest = np.abs(terms @ step).max()
            if blur == 0 and (turn == SHARP_ROUNDS - 1 or (turn >= FEWEST_ROUNDS and longest < SHORTEST_STEP)):
                break
            if blur == 0:
                scale = min(max(math.sqrt((power + MODEST_STARS) / (stars + MODEST_STARS)), 1.0), WIDEST_SCATTER)
            coefficients += step * min(1.0, LONGEST_STEP / longest)
    return scale, likelihood


@compiled
def _densities(rest: float, error: float, density: Column, slope: Column) -> None:
    """Write how likely each kind is to stand so far above the ridge, and how that changes as the ridge rises."""
    pull = rest / error
    norm = 1 / (error * math.sqrt(2 * math.pi))
    star = norm * math.exp(-0.5 * pull * pull)
    density[0], slope[0] = star, star * pull / error
    below = math.erf(pull / math.sqrt(2)) if abs(pull) < FAR else math.copysign(1.0, pull)
    for k in range(BOXES.size):
        far = (rest - BOXES[k]) / error
        beyond, edge = math.copysign(1.0, far), 0.0
        if abs(far) < FAR:
            beyond, edge = math.erf(far / math.sqrt(2)), norm * math.exp(-0.5 * far * far)
        density[k + 1] = 0.5 * (below - beyond) / BOXES[k]
        slope[k + 1] = (edge - star) / BOXES[k]
    density[BOXES.size + 1] = ANYWHERE
