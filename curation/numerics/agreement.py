"""How far people agree beyond what chance alone would make them, and how sure that is."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Two-sided 95 %, of a normal distribution.
_Z = 1.959963984540054
_PERCENTILES = (2.5, 97.5)
# Resamples for an interval: its ends are then uncertain by a few hundredths of its width.
_RESAMPLES = 2000

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Share:
    """A part of a whole: `value`, 0 to 1, with its 95 % interval from `low` to `high`, of `whole` cases."""

    value: float
    low: float
    high: float
    part: int
    whole: int


@dataclass(frozen=True)
class Kappa:
    """Agreement beyond chance: 1 is perfect, 0 is chance; with its 95 % interval, of so many items."""

    value: float
    low: float
    high: float
    items: int


def share_of(part: int, whole: int) -> Share | None:
    """Return a share with its Wilson interval, which holds for few cases and near 0 and 1 too.

    part, whole : counts, 0 ≤ part ≤ whole. Returns None for a whole of nothing.
    Source: Wilson (1927), J. Am. Stat. Assoc. 22, 209, doi:10.1080/01621459.1927.10502953.
    """
    if whole == 0:
        return None
    low, high = _wilson(part / whole, whole)
    return Share(part / whole, low, high, part, whole)


def cohen_kappa(answers: Sequence[tuple[Hashable, Hashable]], *, seed: int = 0) -> Kappa | None:
    """Return the agreement of two people beyond chance, kappa = (p_o - p_e) / (1 - p_e).

    p_o is the share of items about which they say the same, p_e what it would be if each gave their answers as often as
    they do, but by chance. The interval is of percentiles of a bootstrap over items, see `_kappa`.

    answers : for each item what the first and what the second person said.
    seed : of the bootstrap. Returns None without items, and where both said one and the same of all: then chance
        explains everything and kappa is not defined.
    Source: Cohen (1960), Educ. Psychol. Meas. 20, 37, doi:10.1177/001316446002000104.
    """
    said = sorted({answer for pair in answers for answer in pair}, key=str)
    place = {answer: k for k, answer in enumerate(said)}
    table = np.zeros((len(said), len(said)))
    for first, second in answers:
        table[place[first], place[second]] += 1.0

    def agreements(counts: _Floats) -> tuple[_Floats, _Floats]:
        shares = counts.reshape(-1, *table.shape) / len(answers)
        by_chance = (shares.sum(axis=1) * shares.sum(axis=2)).sum(axis=1)
        return np.trace(shares, axis1=1, axis2=2), by_chance

    return _kappa(table.ravel(), agreements, seed)


def fleiss_kappa(answers: Sequence[Sequence[Hashable]], *, seed: int = 0) -> Kappa | None:
    """Return the agreement of several people beyond chance, kappa = (mean P_i - P_e) / (1 - P_e).

    P_i is the share of the pairs of answers about item i that are the same, P_e the sum of the squares of how often
    each answer is given at all. Who answered need not be the same people, nor, unlike in the source, as many for each:
    every item counts the same. The interval is of percentiles of a bootstrap over items, see `_kappa`.

    answers : for each item what people said; items with fewer than two answers are left out.
    seed : of the bootstrap. Returns None without items, and where all said one and the same of all.
    Source: Fleiss (1971), Psychol. Bull. 76, 378, doi:10.1037/h0031619, eqs. 2 to 7.
    """
    said = sorted({answer for item in answers for answer in item}, key=str)
    counted = [Counter(item) for item in answers if len(item) > 1]
    kinds = Counter(tuple(float(item[answer]) for answer in said) for item in counted)
    if not kinds:
        return None
    patterns = np.array(list(kinds))
    people = patterns.sum(axis=1)
    same = ((patterns**2).sum(axis=1) - people) / (people * (people - 1.0))

    def agreements(counts: _Floats) -> tuple[_Floats, _Floats]:
        rows = np.atleast_2d(counts)
        often = rows @ patterns / (rows @ people)[:, None]
        return rows @ same / rows.sum(axis=1), (often**2).sum(axis=1)

    return _kappa(np.array(list(kinds.values()), dtype=float), agreements, seed)


def _kappa(counts: _Floats, agreements: Callable[[_Floats], tuple[_Floats, _Floats]], seed: int) -> Kappa | None:
    """Return kappa and its interval, of items of which so many are of each kind.

    To draw items again is to draw how many there are of each kind. Where every draw says the same, as where people
    agree about all, the interval is Wilson's of the agreement, with what chance makes of it as it was found.
    """
    items = int(counts.sum())
    if not items:
        return None
    [observed], [by_chance] = agreements(counts)
    if math.isclose(by_chance, 1.0):
        return None
    drawn = np.random.default_rng(seed).multinomial(items, counts / items, size=_RESAMPLES).astype(float)
    found, expected = agreements(drawn)
    is_defined = expected < 1.0 - 1e-12
    kappas = (found[is_defined] - expected[is_defined]) / (1.0 - expected[is_defined])
    value = (observed - by_chance) / (1.0 - by_chance)
    if np.ptp(kappas) < 1e-12:
        low, high = ((end - by_chance) / (1.0 - by_chance) for end in _wilson(observed, items))
    else:
        low, high = np.percentile(kappas, _PERCENTILES)
    return Kappa(float(value), float(low), float(high), items)


def _wilson(share: float, whole: int) -> tuple[float, float]:
    squared = _Z**2 / whole
    middle = (share + squared / 2.0) / (1.0 + squared)
    half = _Z / (1.0 + squared) * math.sqrt(share * (1.0 - share) / whole + squared / (4.0 * whole))
    # Rounding must not put the share itself outside.
    return max(min(middle - half, share), 0.0), min(max(middle + half, share), 1.0)
