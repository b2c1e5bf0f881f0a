"""Raw frames read again from storage, as they were ingested."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from catalog.failures import FailureCode, StageFailure
from catalog.files import storage
from catalog.retention.words import removed_words
from observations.claims.reading import profiles_in_use, reading_of, unpacked
from observations.models import CalibrationFrame, Observation, WcsQuality
from observations.numerics.fits.facts import FitsRefused, Overrides
from observations.numerics.fits.headers import Reading
from observations.numerics.fits.images import RawImage, read_images


def read_raw(row: Observation | CalibrationFrame) -> RawImage:
    """Read a raw image with what was given beside it at ingest, and make sure that it is the same one.

    Raises StageFailure `file_missing` where the file is gone or unreadable, `file_removed` where retention removed it,
    `file_changed` where its hash differs.
    """
    try:
        image = _first_readable(row)
    except (FitsRefused, FileNotFoundError) as error:
        if removed := removed_words(row):
            raise StageFailure(FailureCode.FILE_REMOVED, f"{removed} Deliver {row.original_name} again.") from error
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
    attempts = _readings(row)
    for number, reading in enumerate(attempts, start=1):
        try:
            images = read_images(path, reading=reading)
        except FitsRefused:
            if number == len(attempts):
                raise
            continue
        found = [image for image in images if image.hdu_index == row.hdu_index]
        if found:
            return found[0]
    raise FitsRefused("no_image", f"there is no image in HDU {row.hdu_index}")


def _readings(row: Observation | CalibrationFrame) -> list[Reading]:
    """Return with what to read: as at ingest, or, of rows that do not say how that was, by what came of it."""
    if isinstance(row, CalibrationFrame):
        given = unpacked(row.given) if row.given else Overrides()
        return [Reading(replace(given, **_missing(row, given)), profiles=profiles_in_use())]
    if row.read_by_version is not None:
        return [reading_of(row)]
    known = {"band": row.filter_band or None, **_missing(row, Overrides())}
    with_place = {**known, "ra_deg": row.ra, "dec_deg": row.dec, "pixel_scale_arcsec": row.pixel_scale}
    tries = [with_place] if row.wcs_quality == WcsQuality.NOMINAL else [known, with_place]
    return [Reading(Overrides(**given)) for given in tries]


def _missing(row: Observation | CalibrationFrame, given: Overrides) -> dict[str, Any]:
    """Return what only fills what a header lacks."""
    return {
        "exposure_s": given.exposure_s or row.exposure_time or None,
        "observation_time": given.observation_time or row.observation_time,
    }
