"""The frame that a preprocess run made, in memory again; apart from the rules on rows, which web processes load too."""

from __future__ import annotations

from dataclasses import replace

from catalog.failures import FailureCode, StageFailure
from catalog.files import storage
from catalog.retention.words import removed_words
from observations.numerics.fits.facts import FitsRefused
from observations.numerics.fits.products import decode_frame
from observations.numerics.frame import Frame, Stars
from preprocessing.models import PreprocessRun


def load_frame(run: PreprocessRun) -> Frame:
    """Read the product of a run into memory: pixels, mask, variance, PSF and stars.

    Raises StageFailure `file_missing` where the product is gone or cannot be read, `file_removed` where retention
    removed it.
    """
    try:
        frame = decode_frame(storage.open_stored(run.processed_fits_path))
    except (FileNotFoundError, FitsRefused) as error:
        if removed := removed_words(run):
            raise StageFailure(FailureCode.FILE_REMOVED, f"{removed} Process the frame again.") from error
        raise StageFailure(
            FailureCode.FILE_MISSING,
            f"The preprocessed frame of {run.observation.original_name} cannot be read ({error}): preprocess it again.",
        ) from error
    if frame.stars is None:
        return frame
    return replace(frame, stars=replace(frame.stars, fwhm_px=run.fwhm_px or float("nan")))


def stars_of(frame: Frame) -> Stars:
    """Return the stars of a stored frame; every product of preprocessing has its list of them."""
    if frame.stars is None:
        raise StageFailure(FailureCode.FILE_MISSING, "The preprocessed frame holds no stars: preprocess it again.")
    return frame.stars
