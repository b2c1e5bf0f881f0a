"""Whether a model is worse than the one in use, on examples that both are shown. Light enough for pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from detection.numerics.intervals import Drawn, Figure, Flags, figure
from detection.numerics.measured import Measured, subsets


@dataclass(frozen=True)
class Bounds:
    """What is put up with. worst_area : so much less area under the ROC is refused whatever chance could explain; of
    one camera only beyond chance. worst_false_share : so many more bogus ones called real, at equal recall."""

    worst_area: float = 0.01
    worst_false_share: float = 0.01


@dataclass(frozen=True)
class Line:
    """One figure of both models and their difference (candidate less active), intervals over exposures.

    about, name : of which examples. what : "area under the curve", "found" (real ones), "called real" (bogus ones).
    """

    about: str
    name: str
    what: str
    examples: int
    candidate: Figure
    active: Figure
    difference: Figure


@dataclass(frozen=True)
class Comparison:
    """Both models side by side, and in sentences why the candidate is worse; none where it is not, beyond chance."""

    lines: tuple[Line, ...]
    reasons: tuple[str, ...]


AREA, FOUND, FALSE = "area under the curve", "found", "called real"


def compare(candidate: Measured, active: Measured, threshold: float, bounds: Bounds | None = None) -> Comparison:
    """Compare two models on the same examples, in the same order.

    The same exposures are drawn for both, so that the intervals of the differences are those of paired figures. The
    active model's share of real ones found at the threshold is asked of both; each one's threshold is the highest that
    reaches it, and false shares are compared there.

    Raises
    ------
    ValueError : not the same examples.
    """
    bounds = bounds or Bounds()
    if len(candidate) != len(active) or (candidate.is_real != active.is_real).any():
        raise ValueError("the two models were not measured on the same examples")
    drawn = Drawn(active.group)
    lines = tuple(_lines(candidate, active, threshold, drawn))
    return Comparison(lines, tuple(_reasons(lines, bounds)))


def _lines(candidate: Measured, active: Measured, threshold: float, drawn: Drawn) -> Iterator[Line]:
    everything = np.ones(len(active), dtype=bool)
    cameras = np.unique(active.camera).tolist()
    yield from _areas(candidate, active, drawn, "all", "all", everything)
    for name in cameras if len(cameras) > 1 else ():
        yield from _areas(candidate, active, drawn, "camera", name, active.camera == name)
    recall = float((active.ranked[active.is_real] >= threshold).mean())
    said = [of.ranked >= _threshold_of(of, recall) for of in (candidate, active)]
    for one in subsets(active):
        shares = [drawn.shares(each, one.chosen) for each in said]
        what = FOUND if one.is_real else FALSE
        yield Line(
            one.about, one.name, what, int(one.chosen.sum()),
            figure(shares[0]), figure(shares[1]), figure(shares[0] - shares[1]),
        )  # fmt: skip


def _areas(candidate: Measured, active: Measured, drawn: Drawn, about: str, name: str, chosen: Flags) -> Iterator[Line]:
    real = active.is_real[chosen]
    if real.all() or not real.any():
        return
    own = drawn if about == "all" else Drawn(active.group[chosen])
    areas = [own.areas(of.ranked[chosen], real) for of in (candidate, active)]
    yield Line(
        about, name, AREA, int(chosen.sum()), figure(areas[0]), figure(areas[1]), figure(areas[0] - areas[1])
    )  # fmt: skip


def _threshold_of(of: Measured, recall: float) -> float:
    """Return the highest threshold at which so large a share of the real ones is found."""
    real = np.sort(of.ranked[of.is_real])[::-1]
    return float(real[max(int(np.ceil(recall * real.size)) - 1, 0)]) if real.size else float("inf")


def _reasons(lines: tuple[Line, ...], bounds: Bounds) -> Iterator[str]:
    for line in lines:
        gap = line.difference
        where = "" if line.about == "all" else f" on {line.about} {line.name}"
        if line.what == AREA:
            is_beyond_chance = gap.high < 0.0
            is_much = gap.value < -bounds.worst_area
            # Of many cameras one is worse by chance: there both are asked for.
            if (is_beyond_chance and is_much) or (line.about == "all" and (is_beyond_chance or is_much)):
                yield (
                    f"its area under the curve{where} is {line.candidate.value:.4f}, that of the model in use "
                    f"{line.active.value:.4f}: less by {-gap.value:.4f} [{-gap.high:.4f}, {-gap.low:.4f}]"
                )
        elif line.what == FALSE and line.about == "all" and gap.low > 0.0 and gap.value > bounds.worst_false_share:
            yield (
                f"where both find as many real ones, it calls {line.candidate.value:.1%} of the bogus ones real, and "
                f"the model in use {line.active.value:.1%}: more by {gap.value:.1%} [{gap.low:.1%}, {gap.high:.1%}]"
            )
