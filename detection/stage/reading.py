"""What every network that looks at a difference needs of it, and what looking costs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from catalog.failures import FailureCode, StageFailure
from observations.models import Observation
from observations.numerics.fits.facts import FitsRefused
from preprocessing.models import PreprocessRun


def seeing_of(observation: Observation) -> float:
    """Return the FWHM of a star in a frame, px. Raises StageFailure where it was not measured."""
    preprocessed = PreprocessRun.objects.newest_for(observation)
    if preprocessed is None or not preprocessed.fwhm_px:
        raise StageFailure(FailureCode.TOO_FEW_STARS, "The seeing of this frame is not known: preprocess it again.")
    return preprocessed.fwhm_px


@contextmanager
def reading() -> Iterator[None]:
    """Raise a StageFailure that says what to do where the images of a difference cannot be read in the block."""
    try:
        yield
    except (OSError, FitsRefused) as error:
        raise StageFailure(
            FailureCode.FILE_MISSING, f"The images of this difference cannot be read ({error}): difference it again."
        ) from error


def resident_mb() -> float:
    """Return what this process holds in memory, megabytes: what a run adds to it is its own."""
    return float(psutil.Process().memory_info().rss) / 2**20
