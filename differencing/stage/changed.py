"""Subtract again what was subtracted before, from a frame that was changed in memory: nothing is written."""

from __future__ import annotations

from collections.abc import Callable

from catalog.configuration.values import snapshot
from differencing.models import DifferenceRun
from differencing.stage.difference import READS, Result, compute, had, inputs_of
from observations.numerics.frame import Frame
from preprocessing.models import PreprocessRun


def subtract_changed(run: DifferenceRun, change: Callable[[Frame], Frame]) -> Result | None:
    """Return what the subtraction of a run makes of a changed science frame; None where it would not be the same one.

    change : takes the preprocessed frame, in its counts, and returns another of the same shape. Raises what the stage
    raises: StageFailure where files are gone or the frame cannot be subtracted.
    """
    science_run = PreprocessRun.objects.newest_for(run.observation)
    if science_run is None or run.reference is None:
        return None
    inputs = inputs_of(run.observation, science_run, run.reference, snapshot().only(READS))
    return compute(inputs, change) if had(run, inputs) else None
