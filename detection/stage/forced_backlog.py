"""Measure sources in the many differences that a field may have had before they were found, some at a time."""

from __future__ import annotations

from detection.stage.forced import measure_elsewhere


def run(key: str) -> None:
    """Measure the next of the other differences for "<field id>/<date>", the latest first, so many as are configured.

    The table of the stages orders the next ones, until none is left.
    """
    measure_elsewhere(key)
