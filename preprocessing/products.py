"""The frame that a preprocess run made, in memory again; apart from the rules on rows, which web processes load too."""

from __future__ import annotations

from dataclasses import replace

from catalog.failures import FailureCode, StageFailure
from catalog.files import storage
from observations.numerics.fits.facts import FitsRefused
from observations.numerics.fits.products import decode_frame
from observations.numerics.frame import Frame
from preprocessing.models import PreprocessRun
from preprocessing.numerics.psf import PsfModel
from preprocessing.numerics.stars import Stars


def load_frame(run: PreprocessRun) -> Frame:
    """Read the product of a run into memory: pixels, mask, variance, PSF and stars (`extras["stars"]`).

    Raises StageFailure `file_missing` where the product is gone or cannot be read.
    """
    try:
        frame = decode_frame(storage.open_stored(run.processed_fits_path))
    except (FileNotFoundError, FitsRefused) as error:
        raise StageFailure(
            FailureCode.FILE_MISSING,
            f"The preprocessed frame of {run.observation.original_name} cannot be read ({error}): preprocess it again.",
        ) from error
    psf, stars = frame.extras.get("psf_parameters"), frame.extras.get("stars")
    known = dict(frame.extras)
    if stars is not None:
        known["stars"] = Stars(**{**stars, "fwhm_px": run.fwhm_px or float("nan")})
    return replace(frame, psf=PsfModel(**psf) if psf else None, extras=known)
