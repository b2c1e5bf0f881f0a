"""What the loop has brought: false positives and missed ones before and after, on nights that nobody has answered."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.loop.judging import Scored

OLD, NEW = "before", "after"
_DRAWS = 2000


def of_nights(title: str, of: Scored, thresholds: dict[str, float], missed: float) -> Iterator[str]:
    """Yield lines: at the thresholds in force, and where both hide the same share of the real ones of these nights."""
    clean_real, clean_false = of.is_clean & of.is_real, of.is_clean & ~of.is_real
    yield (
        f"{title}: {len(np.unique(of.frame))} frames, {of.truths} real things in them; found "
        f"{of.is_real.sum()}, of which a veto refuses {(of.is_real & ~of.is_clean).sum()}; {(~of.is_real).sum()} false "
        f"candidates, of which a veto refuses {(~of.is_real & ~of.is_clean).sum()}"
    )
    yield from _pair("  at the thresholds in force", of, thresholds)
    same = {name: float(np.quantile(of.scores[name][clean_real], missed)) for name in (OLD, NEW)}
    yield from _pair(f"  where each hides {missed:.0%} of these real ones", of, same)
    areas = {name: _area(of.scores[name][clean_real], of.scores[name][clean_false]) for name in (OLD, NEW)}
    yield (f"  area under the curve of what the score decides about: {areas[OLD]:.3f} before, {areas[NEW]:.3f} after")


def _pair(title: str, of: Scored, thresholds: dict[str, float]) -> Iterator[str]:
    said = {name: of.is_clean & (of.scores[name] >= at) for name, at in thresholds.items()}
    shown = {name: of.shown(name, at) for name, at in thresholds.items()}
    yield (f"{title} ({thresholds[OLD]:.3f} and {thresholds[NEW]:.3f}):")
    yield _line("false ones by the score", of, said, ~of.is_real)
    yield _line("false ones shown, the bright included", of, shown, ~of.is_real)
    found = {name: each[of.is_real].sum() / of.truths for name, each in shown.items()}
    hidden = {name: 1.0 - said[name][of.is_clean & of.is_real].mean() for name in said}
    yield (f"    {'real things shown, of all that are there':52} {found[OLD]:8.3f} {found[NEW]:8.3f}")
    yield (f"    {'real ones that the score hides':52} {hidden[OLD]:8.3f} {hidden[NEW]:8.3f}")


def _line(name: str, of: Scored, said: dict[str, NDArray[np.bool_]], chosen: NDArray[np.bool_]) -> str:
    """Return a count before and after, and their ratio with its interval by drawing frames."""
    frames = np.unique(of.frame)
    counts = {
        key: np.array([(flags & chosen & (of.frame == one)).sum() for one in frames]) for key, flags in said.items()
    }
    rng = np.random.default_rng(1)
    drawn = rng.integers(len(frames), size=(_DRAWS, len(frames)))
    before, after = (counts[key][drawn].sum(axis=1) for key in (OLD, NEW))
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = np.nanpercentile(after / before, [2.5, 97.5])
        ratio = counts[NEW].sum() / counts[OLD].sum()
    old, new = counts[OLD].sum(), counts[NEW].sum()
    return f"    {name:52} {old:8d} {new:8d}   times {ratio:.2f} [{low:.2f}, {high:.2f}]"


def _area(real: NDArray[np.float64], false: NDArray[np.float64]) -> float:
    if not real.size or not false.size:
        return float("nan")
    return float((real[:, None] > false[None]).mean() + 0.5 * (real[:, None] == false[None]).mean())
