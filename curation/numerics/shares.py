"""The share of something among all, from a sample whose members stand for different numbers of others."""

from __future__ import annotations

import math
from dataclasses import dataclass

# Of the bisection: to 3e-14.
_STEPS = 45
_TINY, _EXACT = 1e-300, 1e-14
# Of the fraction, which needs about √max(a, b) of them.
_MOST_TERMS = 10_000


@dataclass(frozen=True)
class Sums:
    """Sums over a sample: of weights, and of their squares, of all its members and of those that are counted.

    count : members. weight, weight2 : sum of weights, and of squared weights. hits : members that are counted.
    hit_weight, hit_weight2 : their sums.
    """

    count: int
    weight: float
    weight2: float
    hits: int
    hit_weight: float
    hit_weight2: float


@dataclass(frozen=True)
class Share:
    """An estimated share with the ends of its interval, and to how many members of equal weight the sample comes."""

    value: float
    low: float
    high: float
    effective_count: float


def weighted_share(sums: Sums, level: float = 0.95) -> Share | None:
    """Estimate a share from a sample with known probabilities of inclusion, with an interval that holds at 0 of n.

    The estimate is the ratio of the Horvitz-Thompson totals (Hájek 1971): p = Σ w y / Σ w with w = 1 / probability. Its
    interval is that of Clopper and Pearson (1934, Biometrika 26, 404, doi:10.1093/biomet/26.4.404) for p n* of n*, as
    Korn and Graubard (1998, Survey Methodology 24, 193) do, with the effective number n* = min((Σ w)² / Σ w²,
    p (1 - p) / V), where V = Σ w² (y - p)² / (Σ w)² is the variance of p. We depart from them by the first of the two,
    Kish's number, also where p is neither 0 nor 1: the less of the two is the safer, and V says nothing where few
    members are counted. That the population is finite is not used, which makes the interval wider.

    Parameters
    ----------
    sums : over the members of the sample that have an answer.
    level : of confidence.

    Returns
    -------
    The share; None for an empty sample.
    """
    if sums.count == 0:
        return None
    p = min(max(sums.hit_weight / sums.weight, 0.0), 1.0)
    effective = sums.weight**2 / sums.weight2
    missed2 = max(sums.weight2 - sums.hit_weight2, 0.0)
    variance = (sums.hit_weight2 * (1.0 - p) ** 2 + missed2 * p**2) / sums.weight**2
    if 0 < sums.hits < sums.count and variance > 0.0:
        effective = min(effective, p * (1.0 - p) / variance)
    tail = (1.0 - level) / 2.0
    hits = p * effective
    low = 0.0 if sums.hits == 0 else _beta_quantile(tail, hits, effective - hits + 1.0)
    high = 1.0 if sums.hits == sums.count else _beta_quantile(1.0 - tail, hits + 1.0, effective - hits)
    return Share(p, low, high, effective)


def highest_share(count: int, hits: int, certainty: float = 0.95) -> float:
    """Return the share that is not exceeded with this certainty where `hits` of `count` were counted; 1 of none.

    One-sided, by Clopper and Pearson (1934).
    """
    return 1.0 if hits >= count else _beta_quantile(certainty, hits + 1.0, float(count - hits))


def least_count(hits: int, most: float, certainty: float = 0.95) -> int:
    """Return how many must have been counted, `hits` of them hits, for the share to be at most `most` with certainty.

    `most` lies above 0.
    """
    low, high = hits, hits + 1
    while highest_share(high, hits, certainty) > most:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if highest_share(middle, hits, certainty) > most:
            low = middle
        else:
            high = middle
    return high


def _beta_quantile(probability: float, a: float, b: float) -> float:
    """Return where the beta distribution reaches a probability, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = 0.5 * (low + high)
        if _beta_cdf(middle, a, b) < probability:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def _beta_cdf(x: float, a: float, b: float) -> float:
    """Return the regularized incomplete beta function I_x(a, b), 0 < x < 1.

    By its continued fraction (DLMF 8.17.22, https://dlmf.nist.gov/8.17.E22), which converges fast below
    x = (a + 1) / (a + b + 2); above, by I_x(a, b) = 1 - I_1-x(b, a).
    """
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - _beta_cdf(1.0 - x, b, a)
    logarithm = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(logarithm) / (a * _fraction(x, a, b))


def _fraction(x: float, a: float, b: float) -> float:
    """Return 1 + d1/(1 + d2/(1 + …)) by the modified algorithm of Lentz (DLMF 3.10(iii)), which never divides by 0."""
    value = upper = 1.0
    lower = 0.0
    for k in range(1, _MOST_TERMS):
        m = k // 2
        if k % 2 == 0:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        else:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        lower = 1.0 / (1.0 + term * lower or _TINY)
        upper = 1.0 + term / upper or _TINY
        value *= upper * lower
        if abs(upper * lower - 1.0) < _EXACT:
            break
    return value
