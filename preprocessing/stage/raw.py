"""Raw frames read again from storage, as they were ingested."""

from __future__ import annotations

from typing import Any

from catalog.failures import FailureCode, StageFailure
from catalog.files import storage
from observations.models import CalibrationFrame, Observation, WcsQuality
from observations.numerics.fits.facts import FitsRefused, Overrides
from observations.numerics.fits.images import RawImage, read_images


def read_raw(row: Observation | CalibrationFrame) -> RawImage:
    """Read a raw image with what was given beside it at ingest, and make sure that it is the same one.

    Raises StageFailure `file_missing` where the file is gone or unreadable, `file_changed` where its hash differs.
    """
    try:
        image = _first_readable(row)
    except (FitsRefused, FileNotFoundError) as error:
        raise StageFailure(
            FailureCode.FILE_MISSING,
            f"The raw file of {row.original_name} cannot be read any more ({error}): deliver it again.",
        ) from error
    if image.sha256 != row.sha256:
        raise StageFailure(
            FailureCode.FILE_CHANGED,
            f"The raw file of {row.original_name} is not the one that was ingested: deliver the original again.",
        )
    return image


def _first_readable(row: Observation | CalibrationFrame) -> RawImage:
    path = storage.open_stored(row.fits_file_path)
    attempts = _attempts(row)
    for number, given in enumerate(attempts, start=1):
        try:
            images = read_images(path, overrides=Overrides(**given))
        except FitsRefused:
            if number == len(attempts):
                raise
            continue
        found = [image for image in images if image.hdu_index == row.hdu_index]
        if found:
            return found[0]
    raise FitsRefused("no_image", f"there is no image in HDU {row.hdu_index}")


def _attempts(row: Observation | CalibrationFrame) -> list[dict[str, Any]]:
    """Return what to give beside the header: a position only where the header's own is not what counted at ingest."""
    given: dict[str, object] = {
        "band": row.filter_band or None,
        "exposure_s": row.exposure_time or None,
        "observation_time": row.observation_time,
    }
    if isinstance(row, CalibrationFrame):
        return [given]
    place = {"ra_deg": row.ra, "dec_deg": row.dec, "pixel_scale_arcsec": row.pixel_scale}
    with_place = {**given, **place}
    return [with_place] if row.wcs_quality == WcsQuality.NOMINAL else [given, with_place]
