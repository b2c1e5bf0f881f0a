"""What is asked for, beside what was measured."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def figure(name: str, measured: float, goal: float | None, unit: str) -> None:
    """Print one line of the table."""
    asked, verdict = ("", "") if goal is None else (f"goal {goal:g} {unit}", "" if measured <= goal else "  MISSED")
    print(f"{name:66} {measured:8.1f} {unit:3} {asked}{verdict}", flush=True)


def times(name: str, milliseconds: Sequence[float], *, p50: float | None = None, p95: float | None = None) -> None:
    """Print the median and what one in twenty exceeds."""
    figure(f"{name}, p50 of {len(milliseconds)}", statistics.median(milliseconds), p50, "ms")
    figure(f"{name}, p95", quantile95(milliseconds), p95, "ms")


def quantile95(values: Sequence[float]) -> float:
    """Return what one in twenty exceeds."""
    return statistics.quantiles(values, n=20)[-1]
