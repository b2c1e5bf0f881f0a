"""Which of what the model hides is drawn for review, and with what probability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Stratum:
    """What is hidden for one kind of reason: by a veto or not, with a score from `low` to below `high`."""

    name: str
    is_vetoed: bool
    low: float
    high: float

    def holds(self, score: float, *, is_vetoed: bool) -> bool:
        """Tell whether something of this score belongs to it."""
        return is_vetoed == self.is_vetoed and self.low <= score < self.high


# Finer where fewer lie: of ten thousand candidates below the cut nearly all score below 0.02. The last of each is open.
STRATA = (
    Stratum("score below 0.02", is_vetoed=False, low=0.0, high=0.02),
    Stratum("score 0.02 to 0.1", is_vetoed=False, low=0.02, high=0.1),
    Stratum("score 0.1 to 0.3", is_vetoed=False, low=0.1, high=0.3),
    Stratum("score 0.3 and more", is_vetoed=False, low=0.3, high=np.inf),
    Stratum("vetoed, score below 0.1", is_vetoed=True, low=0.0, high=0.1),
    Stratum("vetoed, score 0.1 and more", is_vetoed=True, low=0.1, high=np.inf),
)


@dataclass(frozen=True)
class Drawn:
    """A draw: the indices of what was drawn, and for each stratum the probability of each of its members."""

    indices: NDArray[np.int64]
    probabilities: NDArray[np.float64]


def probabilities(counts: Sequence[int], share: float) -> NDArray[np.float64]:
    """Return with what probability each member of a stratum is drawn.

    The number to draw, `share` of all members, is divided among the strata by the square roots of their sizes (Bankier
    1988, The American Statistician 42, 174, doi:10.1080/00031305.1988.10475556, with the power 1/2): small strata, near
    the threshold, are looked at more closely, and the weights do not differ so much that few of them decide. What a
    stratum cannot give is divided among the others.

    Parameters
    ----------
    counts : members of each stratum, shape (n,).
    share : of all members that is drawn, 0 to 1.

    Returns
    -------
    Probabilities, shape (n,); 0 for a stratum without members. Their mean over all members is `share`.
    """
    members = np.asarray(counts, dtype=np.float64)
    sizes, given = np.sqrt(members), np.zeros_like(members)
    left = share * members.sum()
    while left > 1e-9 * (1.0 + members.sum()) and (lasting := given < members).any():
        portion = left / sizes[lasting].sum()
        given[lasting] = np.minimum(members[lasting], given[lasting] + portion * sizes[lasting])
        left = share * members.sum() - given.sum()
    chances: NDArray[np.float64] = np.divide(given, members, out=np.zeros_like(members), where=members > 0)
    return np.minimum(chances, 1.0)


def draw(stratum_of: Sequence[int], strata: int, share: float, seed: int) -> Drawn:
    """Draw from each stratum without replacement, so that each member comes with exactly its stratum's probability.

    The expected number of a stratum is no whole number: it is rounded up with the probability of its fraction.

    Parameters
    ----------
    stratum_of : of each member the index of its stratum, shape (n,).
    strata : number of strata.
    share : of all members that is drawn, 0 to 1.
    seed : the same gives the same draw of the same members in the same order.

    Returns
    -------
    The indices of what was drawn, rising, and the probabilities.
    """
    random = np.random.default_rng(seed)
    kinds = np.asarray(stratum_of, dtype=np.int64)
    counts = np.bincount(kinds, minlength=strata)
    chances = probabilities([int(count) for count in counts], share)
    drawn: list[NDArray[np.int64]] = []
    for stratum in range(strata):
        members = np.flatnonzero(kinds == stratum)
        wanted = int(np.floor(chances[stratum] * counts[stratum] + random.random()))
        drawn.append(random.choice(members, size=min(wanted, members.size), replace=False))
    return Drawn(np.sort(np.concatenate([np.zeros(0, dtype=np.int64), *drawn])), chances)


def places(scores: Sequence[float], least: float, count: int, seed: int) -> NDArray[np.float64]:
    """Return scores at whose places in the queue drawn ones are reviewed: as what is shown beside them scores.

    Parameters
    ----------
    scores : of what is shown, shape (n,); may be empty.
    least : score from which something is shown: where there are no scores, places are even from here to 1.
    count : number of places.
    seed : the same gives the same places.

    Returns
    -------
    Scores, shape (count,).
    """
    random = np.random.default_rng([seed, 1])
    if not scores:
        return random.uniform(least, 1.0, count)
    return random.choice(np.asarray(scores, dtype=np.float64), size=count)
