"""The interval of a figure of stamps, 95 %: few labels of other surveys are certain."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from curation.numerics.agreement import share_of

_DRAWS = 1000
Floats = NDArray[np.float64]


def by_exposure(
    measure: Callable[[Floats, NDArray[np.bool_]], float],
    scores: Floats,
    is_real: NDArray[np.bool_],
    exposure: NDArray[np.floating],
) -> tuple[float, float, float]:
    """Return a figure and its interval by drawing exposures with replacement: stamps of one are alike."""
    rng = np.random.default_rng(1)
    members = [np.flatnonzero(exposure == one) for one in np.unique(exposure)]
    drawn: list[float] = []
    while len(drawn) < _DRAWS:
        chosen = np.concatenate([members[k] for k in rng.integers(len(members), size=len(members))])
        if 0 < is_real[chosen].sum() < chosen.size:
            drawn.append(measure(scores[chosen], is_real[chosen]))
    return measure(scores, is_real), float(np.percentile(drawn, 2.5)), float(np.percentile(drawn, 97.5))


def share_in_words(said: NDArray[np.bool_]) -> str:
    """Return a share with its interval, in words."""
    found = share_of(int(said.sum()), said.size)
    return (
        "none of this kind"
        if found is None
        else f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}] of {found.whole}"
    )
